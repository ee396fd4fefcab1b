"""What a measure lets one decide: whatever it does not know, or cannot take, is one line that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.benchmarks import BENCHMARKS, benchmark
from audit.benchmarks.base import Setup
from audit.benchmarks.options import Option
from audit.benchmarks.run import Chosen, run_benchmark
from audit.benchmarks.scoring import score_file
from audit.models.scripted import ScriptedModel
from probes.errors import InputError


@pytest.mark.parametrize("name", BENCHMARKS)
def test_an_option_that_a_measure_does_not_know_is_refused_and_named(name: str, tmp_path: Path) -> None:
    bench = benchmark(name)
    setup = Setup(next(iter(bench.scorings)), options={"colour": "red"})
    with pytest.raises(InputError, match=f"{name} has no option 'colour'"):
        bench.items(None, setup)
    with pytest.raises(InputError, match=f"{name} has no option 'colour'"):
        score_file(bench, tmp_path / "scores.csv", setup, None)


def declared() -> list[tuple[str, Option]]:
    return [(name, option) for name in BENCHMARKS for option in benchmark(name).options]


@pytest.mark.parametrize(("name", "option"), declared(), ids=lambda one: getattr(one, "name", one))
def test_a_value_that_an_option_cannot_take_is_refused_and_its_default_is_not(
    name: str, option: Option
) -> None:
    assert option.meaning and option.allowed()
    assert option.text(Setup("")) == option.default
    if option.values or option.number or option.least is not None:
        wrong = Setup("", options={option.name: "?!"})
        said = rf"{name} cannot take {option.name}='\?!'\. (Known|Give)"
        with pytest.raises(InputError, match=said):
            benchmark(name).items(None, wrong)
        with pytest.raises(InputError, match=f"the option {option.name} cannot be"):
            option.text(wrong)


def test_nothing_is_asked_where_an_option_is_refused(tmp_path: Path) -> None:
    model = ScriptedModel.group_blind()
    with pytest.raises(InputError, match=r"disco has no option 'k'.*It has none"):
        run_benchmark(Chosen(benchmark("disco"), (), Setup("", options={"k": "3"})), model, tmp_path / "run")
    assert not model.asked and not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        (Option("rows", "", "0", least=1), ("0", "1", "25"), ("-1", "1.5", "", "²", "many")),
        (Option("frames", "", "5", least=1, most=5), ("1", "5"), ("0", "6")),
        (Option("nouns", "", "10", ("all",), least=2), ("2", "all"), ("1", "ALL")),
        (Option("threshold", "", "0.5", number=True), ("0", "-1e3"), ("nan", "inf", "half")),
        (Option("axes", "", values=("a", "b"), several=True), ("", "a", "b, a"), ("a,c", "ab")),
        (Option("column", "anything", ""), ("", "what ever"), ()),
    ],
)
def test_what_may_be_said(option: Option, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    assert not any(option.remedy(text) for text in good)
    assert all(option.remedy(text) for text in bad)


@pytest.mark.parametrize("name", list(BENCHMARKS))
def test_a_scorer_that_a_measure_does_not_use_is_refused(name: str) -> None:
    measure = benchmark(name)
    if not measure.takes_scorer:
        with pytest.raises(InputError, match=f"{name} takes no scorer"):
            measure.items(None, Setup("", scorer="vader"))

"""What somebody sees who runs published measures in a terminal."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from audit import benchmarks
from audit.benchmarks import benchmark
from audit.benchmarks import fetch as fetching
from audit.benchmarks.base import Setup
from audit.benchmarks.run import Chosen, run_benchmark
from audit.benchmarks.wording import cautions, most_severe
from audit.cli import main
from audit.commands.benchmark_tables import LARGEST, SHOWN, show_outlook, show_section
from audit.models.scripted import ScriptedModel
from audit.requests import Choice, PseudoTokens, Request, Response, Score
from probes.benchmarks import sources as sources_module
from probes.benchmarks.sources import Source, SourceFile, source
from probes.errors import InputError
from tests.benchmarks import toy

NAMES = sorted(benchmarks.BENCHMARKS)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(benchmarks.BENCHMARKS, "toy", "tests.benchmarks.toy")


def estimate(name: str, size: float | None, verdict: str = "inconclusive", **changes: Any) -> dict[str, Any]:
    spread = {} if size is None else {"lo": size - 3.0, "hi": size + 3.0, "p_adjusted": 0.0004}
    return {
        "name": name, "family": "all", "unit": "percentage points", "null": 50.0, "margin": 5.0,
        "estimate": size, "clusters": 26, "verdict": verdict, "fragile": False, "reasons": [],
        "material": True, "detectable": False,
        "needed": "about 66 more writers", "reason": "no pair was scored",
        "lo": None, "hi": None, "p_adjusted": None, **spread, **changes,
    }  # fmt: skip


def section(estimates: list[dict[str, Any]], figures: int = 0) -> dict[str, Any]:
    figure = {"value": 61.5, "unit": "percent", "n": 9, "lo": 55.0, "hi": 68.0, "reason": ""}
    return {
        "scoring": "sums", "meaning": "a sum.", "answers": {"scored": 4}, "reasons": [], "controls": [],
        "notes": [], "doubts": {}, "estimates": estimates,
        "figures": [{"name": f"number {i}", **figure} for i in range(figures)],
    }  # fmt: skip


def drawn(found: dict[str, Any], width: int = 110, whole: bool = False) -> str:
    out = Console(file=io.StringIO(), width=width, color_system=None)
    show_section(out, found, whole)
    text: str = out.file.getvalue()  # type: ignore[attr-defined]
    return text


@pytest.mark.parametrize("width", [80, 100, 120])
def test_an_estimate_is_one_row_under_its_unit_and_margin(width: int) -> None:
    rows = [estimate("physical-appearance", 13.5), estimate("age", None)]
    text = drawn(section([*rows, estimate("mean", 0.5, unit="nats", null=0.0, margin=0.2)]), width)
    assert re.search(
        r"\? inconclusive +physical-appea.* \+13\.5 \[\+10\.5, \+16\.5\] +< \.001 +about 66", text
    )
    assert text.count("departure from 50, in percentage points; margin 5 either side") == 1
    assert text.count("departure from 0, in nats; margin 0.2 either side") == 1
    assert "no pair was" in text
    assert "margin:" not in text


def test_of_many_estimates_the_most_severe_are_shown_and_the_others_counted() -> None:
    small = [estimate(f"small {i}", 0.1, "no disparity within margin") for i in range(LARGEST)]
    found = section([*small, estimate("large", 30.0, "disparity")], figures=LARGEST + 1)
    text = drawn(found)
    assert "large (26)" in text
    assert text.count("○ within margin") == SHOWN - 1
    rest = LARGEST + 1 - SHOWN
    assert f"{rest} more estimates: {rest} within margin. All of them: --all" in text
    assert f"{rest} more published numbers. All of them: --all" in text
    every = drawn(found, whole=True)
    assert (
        every.count("○ within margin") == LARGEST and f"number {LARGEST} " in every and "--all" not in every
    )
    assert "--all" not in drawn(section(small, figures=LARGEST))


def test_an_invalid_estimate_is_never_the_one_left_out() -> None:
    rows = [estimate("a", 1.0), estimate("b", 90.0, "disparity"), estimate("c", 0.1, "invalid")]
    assert [row["name"] for row in most_severe(rows, 2)] == ["b", "c"]


def test_two_estimates_of_one_name_are_told_apart() -> None:
    text = drawn(section([estimate("slope", 9.0), estimate("slope", 8.0, family="the other person")]))
    assert "slope: all (26)" in text and "slope: the other person (26)" in text


def test_subsets_of_which_nothing_is_known_beforehand_share_a_line() -> None:
    row = {"clusters": 4, "minimum_detectable": None, "power_within": None, "within_reach": None}
    rows = [{"subset": name, "items": 9, **row} for name in ("all items", "old", "young", "tall")]
    out = Console(file=io.StringIO(), width=110, color_system=None)
    show_outlook(out, rows)
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert "9 items in 4 clusters: 9 of each of old, young, tall." in text


# -- before the first question --------------------------------------------------------------------


def test_cost_and_what_cannot_be_shown_are_said_before_the_first_question(tmp_path: Path) -> None:
    heard: list[str] = []

    def answer(request: Request) -> Response:
        heard.append("asked")
        return Response((Choice(-1.0, 1),))

    model = ScriptedModel(answer, capabilities=frozenset({"score"}))
    run_benchmark(Chosen(toy.BENCHMARK, (), Setup("")), model, tmp_path / "run", say=heard.append)
    first = heard.index("asked")
    assert heard[0].startswith("Too few items to be within margin")
    assert "scripted: 400 requests" in heard[1] and first == 2
    again: list[str] = []
    run_benchmark(Chosen(toy.BENCHMARK, (), Setup("")), model, tmp_path / "run", say=again.append)
    assert "400 requests, of which 400 are answered" in again[1]


def test_the_time_grows_with_the_passes_that_a_request_takes() -> None:
    from audit.work import OVERHEAD, seconds

    text = "one two three four five six seven eight nine ten"
    once = seconds([PseudoTokens(text, "unmasked")], 1000, 1e6)
    masked = seconds([PseudoTokens(text, "masked")], 1000, 1e6)
    assert once is not None and masked is not None
    assert masked - OVERHEAD == pytest.approx(14 * (once - OVERHEAD))
    assert seconds([Score("", (text,))], None, 1e6) is None


# -- options, critiques, refusals -----------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_no_critique_stands_twice(name: str) -> None:
    """Two sentences of one result share less than half of the words of the shorter one."""
    bench = benchmark(name)
    found = {
        "outlook": [],
        "card": {"critiques": bench.card.critiques, "not_evidence": bench.card.not_evidence},
        "data": {
            "changed": [],
            "datasets": [
                {"title": one, "licence": "", "critique": source(one).critique} for one in bench.datasets
            ],
        },
    }
    lines = [set(re.findall(r"[a-z]{4,}", line.lower())) for line in cautions(found)]
    lines = [words for words in lines if len(words) > 3]
    for place, words in enumerate(lines):
        for other in lines[:place]:
            assert len(words & other) < 0.6 * min(len(words), len(other)), words & other


def test_the_wrong_kind_of_model_is_told_which_kinds_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["benchmarks", "run", "lpbs", "-m", "reference/gpt-fair", "--out", str(tmp_path / "run")]
    with pytest.raises(SystemExit, match="2"):
        main(words)
    told = "evenhand: lpbs cannot be measured on reference/gpt-fair (causal). Choose a masked model.\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("command", ["verify", "show", "analyze", "report", "reviews"])
def test_a_measures_run_in_the_place_of_an_audit_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "plan.json").write_text('{"kind": "benchmark"}')
    with pytest.raises(SystemExit, match="2"):
        main([command, str(tmp_path / "run")])
    out, err = capsys.readouterr()
    assert not out
    (line,) = err.splitlines()
    assert "holds the run of a published measure, no audit. Check it: evenhand benchmarks recompute" in line


def test_another_run_in_the_folder_is_named_and_no_option_is_offered_that_there_is_not(
    tmp_path: Path,
) -> None:
    model = ScriptedModel(lambda request: Response((Choice(-1.0, 1),)), capabilities=frozenset({"score"}))
    run_benchmark(Chosen(toy.BENCHMARK, (), Setup("")), model, tmp_path / "run")
    with pytest.raises(InputError, match=r"holds another run \(toy of scripted; differs in: .*") as error:
        run_benchmark(Chosen(toy.BENCHMARK, (), Setup("", margin=0.2)), model, tmp_path / "run")
    assert "--reuse" not in str(error.value)


def test_a_file_without_an_address_that_is_only_compared_with_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known(use: Any) -> Source:
        file = SourceFile("toy/scores.csv", "", "0" * 64, 4, use)
        return Source("toy-data", "Toy data", "nobody 2026", "us", "CC0", False, (), (file,))

    said: list[str] = []
    monkeypatch.setattr(sources_module, "sources", lambda: {"toy-data": known("reference")})
    assert fetching.fetch("toy-data", tmp_path, said.append) == []
    assert said == ["toy/scores.csv has no address; only evenhand benchmarks verify compares with it"]
    monkeypatch.setattr(sources_module, "sources", lambda: {"toy-data": known("data")})
    with pytest.raises(InputError, match="no address"):
        fetching.fetch("toy-data", tmp_path, said.append)

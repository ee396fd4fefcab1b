"""Files, options, plans and texts that mean harm, or are merely wrong: one clear line, and no number."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit import benchmarks
from audit.benchmarks import BENCHMARKS, benchmark
from audit.benchmarks.base import Benchmark, Items, Setup
from audit.benchmarks.captured import CapturedRow, number_of, read_rows, texts_of
from audit.benchmarks.classifiers.counterfactual_gaps_formula import unsigned_gap
from audit.benchmarks.embeddings.geometry import answer_of
from audit.benchmarks.embeddings.vectors_file import vectors_of
from audit.benchmarks.folder import recompute
from audit.benchmarks.likelihood.occupation_slope import Lines
from audit.benchmarks.options import Option
from audit.benchmarks.run import Chosen, resume_benchmark, run_benchmark
from audit.benchmarks.scoring import score_file
from audit.benchmarks.written.prompted import captured_samples
from audit.models.blind import blind_answer
from audit.models.scripted import ScriptedModel
from audit.requests import Classify, Generate, LabelLogit, Request, Response, Sampled
from audit.stats.estimate import Undefined
from probes.benchmarks.items import BenchmarkItem
from probes.errors import BundleError, Fault, InputError
from tests.benchmarks import toy

SUMS = Setup("sums", options={"pairs": "4"})
ITEMS = [BenchmarkItem(str(i), {"prompt": "He", "vector": f"w{i}"}) for i in range(3)]


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(benchmarks.BENCHMARKS, "toy", "tests.benchmarks.toy")


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


# -- captured files -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "'True' is no number"),
        (None, "null is no number"),
        ([1], "is no number"),
        ("1_000", "is no number"),
        ("\uff11\uff12", "is no number"),
        ("0x10", "is no number"),
        ("1e400", "is not finite"),
        ("-Infinity", "is not finite"),
        (float("nan"), "is not finite"),
        (10**400, "is not finite"),
        ("1e308", "is beyond 1e"),
    ],
)
def test_what_is_no_number_is_none(value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        number_of(value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "id,more,more,less\n0,-1,-2,-3\n", "a.csv:1: two columns 'more'"),
        ("b.jsonl", '{"id": 0, "more": -1, "more": -9, "less": -2}\n', "b.jsonl:1: not JSON: the key 'more'"),
        ("c.jsonl", '{"id": 0, "more": 1' + "0" * 400 + ', "less": -2}\n', "c.jsonl:1: '1000"),
        ("d.jsonl", "[" * 100_000, "d.jsonl:1: not JSON"),
        ("e.csv", b"\xff\xfei\x00d\x00", "e.csv: not UTF-8 at byte 0"),
        ("f.csv", "id,more,less\n" + "y" * 5000 + ",-1,-2\n", "f.csv:2: no item 'yyy"),
        ("g.csv", "id,more,less\n0,\x1b[31m,-2\n", r"g.csv:2: '\x1b[31m' is no number"),
    ],
)
def test_a_hostile_table_is_one_short_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(InputError) as fault:
        score_file(toy.BENCHMARK, written(tmp_path, name, text), SUMS, None)
    assert said in str(fault.value).replace("\\\\", "\\")
    assert len(str(fault.value)) < 400 + len(str(tmp_path))


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "absent"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "scores.csv"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    said = {"loop": "cannot be read: Too many levels", "absent": "no such file"}.get(kind, "not a file")
    with pytest.raises(InputError, match=said):
        read_rows(path)


@pytest.mark.parametrize("sample", ["x", "-1", "1e3", "9" * 5000, True, [1]])
def test_a_sample_that_has_no_number_is_refused(tmp_path: Path, sample: Any) -> None:
    path = written(tmp_path, "t.jsonl", json.dumps({"id": "0", "sample": sample, "text": "so"}) + "\n")
    with pytest.raises(InputError, match=r"t.jsonl:1: .* is no number of a sample"):
        texts_of(path, ITEMS)
    with pytest.raises(InputError, match=r"x:1: .* is no number of a sample"):
        captured_samples(Path("x"), [CapturedRow(1, {"id": "0", "sample": sample, "score": 1})], ITEMS)


def test_sample_0_is_a_number_and_no_absent_one() -> None:
    rows = [CapturedRow(n, {"id": "0", "sample": s, "score": s}) for n, s in enumerate((1, 0), start=1)]
    found = {a.part: a.value for a in captured_samples(Path("x"), rows, ITEMS) if a.item == "0"}
    assert found == {"1": 1.0, "0": 0.0}


def test_the_same_sample_spelled_twice_is_a_second_output(tmp_path: Path) -> None:
    path = written(tmp_path, "t.csv", "id,sample,text\n0,1,one\n0,01,two\n")
    with pytest.raises(InputError, match=r"t.csv:3: a second output of '0', sample 1"):
        texts_of(path, ITEMS)


@pytest.mark.parametrize("text", [True, ["a"], {"a": 1}])
def test_a_text_that_is_none_is_not_spelled_out(tmp_path: Path, text: Any) -> None:
    path = written(tmp_path, "t.jsonl", json.dumps({"id": "0", "text": text}) + "\n")
    with pytest.raises(InputError, match=r"t.jsonl:1: .* is no text"):
        texts_of(path, ITEMS)


def test_samples_that_do_not_fit_into_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.benchmarks.written.prompted.MOST_ANSWERS", 8)
    rows = [CapturedRow(n, {"id": "0", "score": 0.5}) for n in range(3)]
    with pytest.raises(InputError, match="3 samples of 3 items do not fit into memory"):
        captured_samples(Path("x"), rows, ITEMS)


@pytest.mark.parametrize("cell", [True, 10**400, 1e308, "1_0"])
def test_a_coordinate_is_a_plain_number(tmp_path: Path, cell: Any) -> None:
    path = written(tmp_path, "v.jsonl", json.dumps({"id": "0", "vector": [1.0, cell]}) + "\n")
    with pytest.raises(InputError, match=r"v.jsonl:1: "):
        vectors_of(path, ITEMS, Setup("vectors"))


def test_a_probability_is_no_log_probability(tmp_path: Path) -> None:
    unqover = benchmark("unqover")
    items: Items = unqover.items(None, Setup("fill"))[:1]
    row = {"id": items[0].id, **dict.fromkeys(unqover.parts, 0.3)}
    path = written(tmp_path, "p.jsonl", json.dumps(row) + "\n")
    with pytest.raises(InputError, match=r"0\.3 for .* is no log-probability"):
        unqover.captured(path, items, Setup("fill"))


# -- numbers --------------------------------------------------------------------------------------


def test_gaps_of_sentences_that_no_two_groups_share_are_undefined() -> None:
    one = np.full((4, 1, 3), np.nan)
    other = np.full((4, 1, 3), np.nan)
    one[:2], other[2:] = 0.5, 0.7
    assert isinstance(unsigned_gap(one, other, np.random.default_rng(0), 9), Undefined)


def test_extreme_log_odds_do_not_overflow() -> None:
    x, y = np.linspace(-1.0, 1.0, 6), np.array([-1e15, 1e15, 0.0, 5.0, -1e9, 1e15])
    found = Lines(x, y, np.array(list("tutuTU")), np.array(list("aabbcc"))).pearson(np.arange(6))
    assert -1.0 <= found <= 1.0


def test_a_vector_too_long_to_measure_is_an_error() -> None:
    found = answer_of("0", np.array([1e300, -1e300]))
    assert (found.status, found.value) == ("error", None)


def test_a_classifier_whose_labels_change_gives_errors_that_are_counted() -> None:
    measure = benchmark("full-gen-bias")
    setup = Setup("written", samples=1, scorer="model")
    items = measure.items(None, setup)[:4]
    of_first = f"she is kind {items[0].texts['prompt']}"

    def answered(request: Request) -> Response:
        if isinstance(request, Generate):
            return Response(samples=(Sampled(f"she is kind {request.prompt}", 3, "stop"),))
        assert isinstance(request, Classify)
        names = ("joy", "fear") if request.text == of_first else ("A", "B")
        return Response(labels=tuple(LabelLogit(name, 0.0) for name in names), activation="softmax")

    found = measure.read(items, setup, answered)
    assert [answer.status for answer in found] == ["scored", "error", "error", "error"]
    assert measure.score(items, found, setup).figures


# -- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(BENCHMARKS))
def test_every_measure_refuses_an_option_that_it_does_not_know(name: str) -> None:
    with pytest.raises(InputError, match=rf"{name} has no option 'lable'"):
        benchmark(name).items(None, Setup("", options={"lable": "toxic"}))


def test_an_unknown_option_stops_a_run_and_a_score(tmp_path: Path) -> None:
    wrong = replace(SUMS, options={"pears": "4"})
    with pytest.raises(InputError, match=r"toy has no option 'pears'. Did you mean 'pairs'"):
        score_file(toy.BENCHMARK, tmp_path / "none.csv", wrong, None)
    with pytest.raises(InputError, match="no option 'pears'"):
        run_benchmark(Chosen(toy.BENCHMARK, (), wrong), ScriptedModel(blind_answer), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("value", ["9" * 5000, "1e3", "-1", "\u0663", "1000001", ""])
def test_an_absurd_number_is_one_line(value: str) -> None:
    draws = Option("draws", "how many", "9", least=1)
    with pytest.raises(InputError, match="Give a whole number from 1 to 1,000,000") as fault:
        draws.whole(Setup("", options={"draws": value}))
    assert len(str(fault.value)) < 200


# -- the folder of a run --------------------------------------------------------------------------


def ran(folder: Path, *scorings: str, measure: Benchmark = toy.BENCHMARK) -> dict[str, Any]:
    chosen = Chosen(measure, scorings or ("sums",), replace(SUMS, scoring=""))
    return run_benchmark(chosen, ScriptedModel(blind_answer), folder)


def test_a_scoring_named_twice_is_one(tmp_path: Path) -> None:
    found = ran(tmp_path / "run", "sums", "sums")
    assert [section["scoring"] for section in found["scorings"]] == ["sums"]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("benchmark", ["toy"], "no benchmark"),
        ("benchmark", "toi", "no benchmark 'toi'"),
        ("scorings", ["sum"], "toy has no scoring 'sum'"),
        ("scorings", [{}], "scorings is no list of names"),
        ("scorings", [], "scorings is no list of names"),
        ("items", [], "items has no sha256"),
        ("model", "bert", "model has no id and digest"),
        ("scorer", 3, "scorer has no id and digest"),
        ("load", {"shell": "rm"}, "load is not"),
        ("setup", {}, "setup lacks a decision"),
        ("setup.margin", 0, "margin is 0"),
        ("setup.margin", "wide", "margin is 'wide'"),
        ("setup.alpha", 0.9, "alpha is 0.9"),
        ("setup.seed", True, "seed is 'True'"),
        ("setup.options", {"pairs": 4}, "options are no texts"),
        ("setup.zeal", 1, "the unknown 'zeal'"),
    ],
)
def test_a_plan_that_was_edited_is_one_line(tmp_path: Path, key: str, value: Any, said: str) -> None:
    ran(tmp_path / "run")
    path = tmp_path / "run" / "plan.json"
    plan = json.loads(path.read_text("utf-8"))
    outer, _, inner = key.partition(".")
    (plan[outer] if inner else plan)[inner or outer] = value
    path.write_text(json.dumps(plan), "utf-8")
    for read in (recompute, resume_benchmark):
        with pytest.raises(BundleError, match=said):
            read(tmp_path / "run")


def test_items_whose_text_holds_other_line_ends_are_read_again(tmp_path: Path) -> None:
    text = "one\u2028two\x85three\x0cfour"
    items = [BenchmarkItem(str(i), {"more": f"{i} {text}", "less": "x"}, "", f"w{i}") for i in range(4)]
    odd = replace(toy.BENCHMARK, items=lambda data, setup: items)
    ran(tmp_path / "run", measure=odd)
    stated, again = recompute(tmp_path / "run")
    assert stated["items"]["count"] == again["items"]["count"] == 4


def test_a_fault_shows_what_would_turn_the_line() -> None:
    assert str(Fault("no item 'a\u202eb\x1b[1m'")) == r"no item 'a\u202eb\x1b[1m'"

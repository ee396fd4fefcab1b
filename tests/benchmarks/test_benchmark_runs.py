"""A published measure from the command line to a result that its records give again."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audit import benchmarks
from audit.benchmarks import fetch as fetching
from audit.benchmarks.base import Setup
from audit.benchmarks.folder import KeptRun, recompute
from audit.benchmarks.run import Chosen, resume_benchmark, run_benchmark
from audit.benchmarks.scoring import score_file
from audit.blocks import REQUESTS
from audit.bundle import Bundle, Placed
from audit.cli import main
from audit.models.scripted import ScriptedModel
from audit.requests import Choice, Request, Response, Score
from probes.benchmarks import sources as sources_module
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.sources import Source, SourceFile
from probes.errors import BundleError, InputError
from probes.explain import schema_validator
from tests.benchmarks import toy

SCHEMA = Path(benchmarks.__file__).parents[1] / "schemas" / "benchmark.schema.json"
SETUP = Setup("")


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(benchmarks.BENCHMARKS, "toy", "tests.benchmarks.toy")


def stereotyped(request: Request) -> Response:
    """Prefers the cook in three pairs of four, and splits every tenth sentence in many pieces."""
    assert isinstance(request, Score)
    text = request.continuations[0]
    number = int(text.split()[2])
    prefers = "cook" if number % 4 else "clerk"
    return Response((Choice(-10.0 + (prefers in text), 6 if number % 10 == 0 else 4),))


def model(answer: Any = stereotyped) -> ScriptedModel:
    return ScriptedModel(answer, capabilities=frozenset({"fill", "score"}))


def chosen(**changes: Any) -> Chosen:
    return Chosen(toy.BENCHMARK, (), replace(SETUP, **changes))


def code_of(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(words)
    return int(stop.value.code or 0)


def valid(result: dict[str, Any]) -> bool:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    errors = [error.message for error in schema_validator(schema).iter_errors(json.loads(json.dumps(result)))]
    assert not errors, errors[:3]
    return True


def test_a_run_gives_the_number_the_estimate_and_every_answer_accounted_for(tmp_path: Path) -> None:
    found = run_benchmark(chosen(), model(), tmp_path / "run")
    assert valid(found)
    (section,) = found["scorings"]
    assert section["figures"][0]["value"] == 75.0
    assert section["answers"] == {"scored": 400}
    (estimate,) = section["estimates"]
    assert estimate["estimate"] == pytest.approx(0.25)
    assert estimate["clusters"] == 40
    assert section["doubts"] == {"several pieces": 20}
    assert section["without_doubts"]["items"] == 180
    assert found["items"]["count"] == 200
    assert found["model"]["id"] == "scripted"


def test_the_records_alone_give_the_result_again(tmp_path: Path) -> None:
    found = run_benchmark(chosen(), model(), tmp_path / "run")
    stated, again = recompute(tmp_path / "run")
    assert stated == again == json.loads(json.dumps(found))


class StopsAfter:
    """Progress that stops the run after some blocks, as Ctrl-C would."""

    def __init__(self, blocks: int) -> None:
        self.left = blocks

    def start(self, model: str, total: int, done: int) -> None: ...

    def advance(self, count: int) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt

    def say(self, text: str) -> None: ...


def test_a_run_that_was_stopped_takes_up_where_it_was_and_asks_nothing_twice(tmp_path: Path) -> None:
    undisturbed = run_benchmark(chosen(), model(), tmp_path / "calm")
    first, second = model(), model()
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(chosen(), first, tmp_path / "torn", progress=StopsAfter(2))
    found = resume_benchmark(tmp_path / "torn", [second])
    assert len(first.asked) == 2 * REQUESTS
    assert len(second.asked) == 400 - 2 * REQUESTS
    assert found == undisturbed
    records = [(tmp_path / name / "records" / "00000.jsonl").read_bytes() for name in ("calm", "torn")]
    assert records[0] == records[1]


def test_a_failed_answer_is_an_error_that_is_counted_and_no_zero(tmp_path: Path) -> None:
    def fails(request: Request) -> Response:
        assert isinstance(request, Score)
        return Response(error="out of order") if " 7 " in request.continuations[0] else stereotyped(request)

    (section,) = run_benchmark(chosen(), model(fails), tmp_path / "run")["scorings"]
    assert section["answers"] == {"error": 2, "scored": 398}
    assert section["reasons"] == [{"status": "error", "reason": "out of order", "count": 2}]
    assert section["figures"][0]["n"] == 199


def test_a_model_that_fails_everywhere_gives_no_number_and_no_verdict(tmp_path: Path) -> None:
    found = run_benchmark(chosen(), model(lambda request: Response(error="no")), tmp_path / "run")
    (section,) = found["scorings"]
    assert valid(found)
    assert section["figures"][0]["value"] is None
    assert section["estimates"][0]["verdict"] == "inconclusive"
    assert section["estimates"][0]["estimate"] is None
    assert section["estimates"][0]["reason"]


def test_a_measure_on_the_wrong_kind_of_model_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"toy cannot be measured on scripted .*generate.*sums needs score"):
        run_benchmark(
            chosen(), ScriptedModel(stereotyped, capabilities=frozenset({"generate"})), tmp_path / "run"
        )
    with pytest.raises(InputError, match=r"labels needs classify.*Choose --scoring sums"):
        run_benchmark(Chosen(toy.BENCHMARK, ("labels",), SETUP), model(), tmp_path / "run")
    with pytest.raises(InputError, match="no scoring 'sum'"):
        run_benchmark(Chosen(toy.BENCHMARK, ("sum",), SETUP), model(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_another_plan_is_not_put_over_one_that_lies_there(tmp_path: Path) -> None:
    run_benchmark(chosen(), model(), tmp_path / "run")
    with pytest.raises(BundleError, match="holds another run"):
        run_benchmark(chosen(margin=0.1), model(), tmp_path / "run")


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("records/00000.jsonl", b'"logprob":-9.0', b'"logprob":-8.0', "edited"),
        ("items.jsonl", b"The cook 3 sang", b"The king 3 sang", "not those of the plan"),
        ("plan.json", b'"kind": "benchmark"', b'"kind": "other"', "no benchmark's run"),
    ],
)
def test_what_was_edited_is_found(tmp_path: Path, name: str, old: bytes, new: bytes, said: str) -> None:
    run_benchmark(chosen(), model(), tmp_path / "run")
    path = tmp_path / "run" / name
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    with pytest.raises(BundleError, match=said):
        recompute(tmp_path / "run")


def test_a_result_that_was_edited_is_found_and_said_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_benchmark(chosen(), model(), tmp_path / "run")
    assert code_of("benchmarks", "recompute", str(tmp_path / "run")) == 0
    assert "is what the kept answers give" in capsys.readouterr().out
    path = tmp_path / "run" / "result.json"
    path.write_text(path.read_text("utf-8").replace("75.0", "50.0", 1), "utf-8")
    assert code_of("benchmarks", "recompute", str(tmp_path / "run"), "--json") == 1
    assert json.loads(capsys.readouterr().out)["differs_in"] == ["scorings[0].figures[0].value"]


def test_the_folder_of_a_benchmark_is_no_audit_and_says_so(tmp_path: Path) -> None:
    run_benchmark(chosen(), model(), tmp_path / "run")
    with pytest.raises(BundleError, match="benchmarks recompute"):
        Bundle(tmp_path / "run")


# -- captured files -------------------------------------------------------------------------------


def table(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def test_long_wide_and_json_tables_give_the_same_numbers(tmp_path: Path) -> None:
    pairs = [(i, -9.0 if i % 4 else -11.0, -10.0) for i in range(200)]
    wide = "id,more,less\n" + "".join(f"{i},{more},{less}\n" for i, more, less in pairs)
    long = "id\tpart\tscore\n" + "".join(f"{i}\tmore\t{more}\n{i}\tless\t{less}\n" for i, more, less in pairs)
    lines = "".join(json.dumps({"id": i, "more": more, "less": less}) + "\n" for i, more, less in pairs)
    found = [
        score_file(toy.BENCHMARK, table(tmp_path, name, text), replace(SETUP, scoring="sums"), None)
        for name, text in (("wide.csv", wide), ("long.tsv", long), ("rows.jsonl", lines))
    ]
    assert valid(found[0])
    assert found[0]["scorings"] == found[1]["scorings"] == found[2]["scorings"]
    assert found[0]["scorings"][0]["figures"][0]["value"] == 75.0


def test_an_item_without_a_score_is_counted_and_not_left_out(tmp_path: Path) -> None:
    path = table(tmp_path, "few.csv", "id,more,less\n0,-1,-2\n1,,-2\n2,-1,-2\n3,-2,-1\n")
    (section,) = score_file(toy.BENCHMARK, path, replace(SETUP, scoring="sums"), None)["scorings"]
    assert section["answers"] == {"empty": 393, "scored": 7}
    assert section["figures"][0]["n"] == 3


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "id,more,less\n999,-1,-2\n", "a.csv:2: no item '999'"),
        ("b.csv", "id,more,less\n0,-1,-2\n0,-1,-2\n", "b.csv:3: a second score for '0', more"),
        ("c.csv", "id,more,less\n0,high,-2\n", "c.csv:2: 'high' is no number"),
        ("d.csv", "id,more,less\n0,inf,-2\n", "d.csv:2: 'inf' is not finite"),
        ("e.csv", "id,more\n0,-1\n", "e.csv:2: no column 'less'"),
        ("f.csv", "id,more,less\n0,-1\n", "f.csv:2: fewer cells than the header names"),
        ("g.jsonl", '{"id": 0, "more": NaN, "less": 1}\n', "g.jsonl:1: not JSON: NaN is no number"),
        ("h.json", '{"id": 0}', "not a list of objects"),
        ("i.txt", "0 1", "not a .csv, .tsv, .jsonl or .json file"),
        ("j.csv", "id,part,score\n0,mere,1\n", "no part 'mere'. Did you mean 'more'"),
        ("k.csv", "id,more,less,status\n0,,,lost\n", "no status 'lost'"),
        ("l.csv", "", "the file is empty"),
        ("m.csv", "id,more,less\n", "nothing in it could be scored"),
    ],
)
def test_a_malformed_file_is_refused_with_the_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(InputError) as fault:
        score_file(toy.BENCHMARK, table(tmp_path, name, text), replace(SETUP, scoring="sums"), None)
    assert said in str(fault.value)


def test_many_faults_are_counted(tmp_path: Path) -> None:
    path = table(tmp_path, "many.csv", "id,more,less\n" + "x,1,2\n" * 50)
    with pytest.raises(InputError) as fault:
        score_file(toy.BENCHMARK, path, replace(SETUP, scoring="sums"), None)
    assert len(fault.value.faults) == 11
    assert "40 more faults" in str(fault.value)


# -- the command line -----------------------------------------------------------------------------


def test_score_prints_a_table_and_writes_the_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path, "few.csv", "id,more,less\n" + "".join(f"{i},-1,-2\n" for i in range(200)))
    words = ["benchmarks", "score", "toy", "--scores", str(path), "--out", str(tmp_path / "r.json")]
    assert code_of(*words) == 0
    out = capsys.readouterr().out
    assert "100.00 %" in out
    assert "Not evidence" in out
    assert valid(json.loads((tmp_path / "r.json").read_text("utf-8")))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "toi"], "no benchmark 'toi' is known"),
        (["score", "toy", "--scores", "none.csv"], "no such file"),
        (["score", "toy", "--scores", "none.csv", "--scoring", "sum"], "no scoring 'sum'"),
        (["score", "toy", "--scores", "none.csv", "--margin", "-1"], "a margin of -1"),
        (["score", "toy", "--scores", "none.csv", "--option", "pairs"], "no NAME=VALUE"),
        (["score", "toy", "--scores", "none.csv", "--scorer", "model:x"], "without a model"),
        (["run", "toy"], "--model is missing"),
        (["run"], "no measure is named"),
        (["run", "--out", "none"], "no plan.json"),
        (["recompute", "none"], "no plan.json"),
        (["fetch", "toy"], "reads no published data"),
        (["fetch", "toi"], "no data set 'toi' is known"),
        (["verify", "toy"], "nothing to verify"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert code_of("benchmarks", *words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


# -- fetching -------------------------------------------------------------------------------------

CONTENT = b"id,text\n0,hello\n"


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """A server that publishes one small file, and the data set that it is."""
    import hashlib

    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "data.csv").write_bytes(CONTENT)
    handler = functools.partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/data.csv"
        file = SourceFile("toy/data.csv", url, hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "data")
        known = Source("toy-data", "Toy data", "nobody 2026", "us", "CC BY-NC 4.0", True, ("small",), (file,))
        monkeypatch.setattr(sources_module, "sources", lambda: {"toy-data": known})
        yield known
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...


def test_data_is_fetched_checked_and_not_fetched_twice(tmp_path: Path, publisher: Source) -> None:
    said: list[str] = []
    (path,) = fetching.fetch("toy-data", tmp_path / "data", said.append)
    assert path.read_bytes() == CONTENT
    fetching.fetch("toy-data", tmp_path / "data", said.append)
    assert said[-1] == "toy/data.csv is here"
    folder = DataFolder(tmp_path / "data")
    assert folder.files("toy-data") == [path]
    assert folder.read == {"toy/data.csv": publisher.files[0].sha256}


def test_another_file_at_the_address_is_not_kept(tmp_path: Path, publisher: Source) -> None:
    (tmp_path / "served" / "data.csv").write_bytes(CONTENT.replace(b"hello", b"hallo"))
    with pytest.raises(InputError, match="not the published file"):
        fetching.fetch("toy-data", tmp_path / "data", print)
    assert not (tmp_path / "data" / "toy" / "data.csv").exists()
    (tmp_path / "served" / "data.csv").unlink()
    with pytest.raises(InputError, match="could not be fetched"):
        fetching.fetch("toy-data", tmp_path / "data", print)


def test_a_changed_file_is_refused_unless_allowed_and_then_said(tmp_path: Path, publisher: Source) -> None:
    (path,) = fetching.fetch("toy-data", tmp_path / "data", print)
    path.write_bytes(b"id,text\n0,other\n")
    with pytest.raises(InputError, match="not the published file"):
        DataFolder(tmp_path / "data").files("toy-data")
    allowed = DataFolder(tmp_path / "data", changed_ok=True)
    assert allowed.files("toy-data") == [path]
    assert allowed.changed == ["toy/data.csv"]
    path.unlink()
    with pytest.raises(InputError, match=r"not there.*evenhand benchmarks fetch toy-data"):
        DataFolder(tmp_path / "data").files("toy-data")


def test_data_for_non_commercial_use_needs_consent(
    tmp_path: Path, publisher: Source, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["benchmarks", "fetch", "toy-data", "--data", str(tmp_path / "data")]
    assert code_of(*words) == 2
    captured = capsys.readouterr()
    assert "non-commercial use only (CC BY-NC 4.0)" in captured.err
    assert "said against it: small" in captured.err
    assert code_of(*words, "--accept-licence") == 0
    assert (tmp_path / "data" / "toy" / "data.csv").exists()


def test_the_data_folder_is_the_one_named_then_the_variable_then_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EVENHAND_DATA", raising=False)
    assert fetching.data_folder() == tmp_path / "cache" / "benchmarks"
    monkeypatch.setenv("EVENHAND_DATA", str(tmp_path / "mine"))
    assert fetching.data_folder() == tmp_path / "mine"
    assert fetching.data_folder(tmp_path / "named") == tmp_path / "named"


# -- what can be shown, said beforehand -----------------------------------------------------------


def test_a_plan_says_before_the_first_question_what_can_never_be_shown(tmp_path: Path) -> None:
    run_benchmark(chosen(options={"pairs": "87"}), model(), tmp_path / "few")
    (row,) = json.loads((tmp_path / "few" / "plan.json").read_text("utf-8"))["outlook"]
    assert row["within_reach"] is False
    assert row["minimum_detectable"] == pytest.approx(0.1517, abs=5e-4)
    run_benchmark(chosen(options={"pairs": "900"}), model(), tmp_path / "many")
    (row,) = json.loads((tmp_path / "many" / "plan.json").read_text("utf-8"))["outlook"]
    assert row["within_reach"] is True
    assert 0.8 < row["power_within"] < 0.85


def test_271_choices_are_the_fewest_that_can_be_within_five_points() -> None:
    """MEASURES 7.7: an interval of level .9 fits inside 50 +- 5 only from 271 independent items on."""
    from audit.benchmarks.outlook import outlook

    reach = {
        n: outlook(toy.BENCHMARK, toy.items(None, replace(SETUP, options={"pairs": str(n)})), SETUP)[0]
        for n in (262, 271, 273)
    }
    assert [row["within_reach"] for row in reach.values()] == [False, False, True]


def test_a_kept_run_reads_its_records_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_benchmark(chosen(), model(), tmp_path / "run")
    read: list[Path] = []
    placed = Bundle.placed

    def counted(self: Bundle) -> Iterator[Placed]:
        read.append(self.root)
        return placed(self)

    monkeypatch.setattr(Bundle, "placed", counted)
    kept = KeptRun(tmp_path / "run")
    assert kept.result() == kept.stated() and kept.texts(reveal=True) == []
    assert sum(map(len, kept.answers().values())) == 2 * len(kept.items) == 400
    assert len(read) == 1


def test_an_item_that_is_cut_short_is_named(tmp_path: Path) -> None:
    run_benchmark(chosen(), model(), tmp_path / "run")
    items = tmp_path / "run" / "items.jsonl"
    items.write_bytes(items.read_bytes()[:-1])
    with pytest.raises(BundleError, match=r"items\.jsonl: not items: the last one is cut short"):
        KeptRun(tmp_path / "run")

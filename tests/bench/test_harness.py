"""The benchmark's own rules: who works when, what a median is of, and that nothing bad looks good."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tests.bench.__main__ as command
from tests.bench import figures, peers, show
from tests.bench.figures import Figure
from tests.bench.harness import (
    INVALID,
    MET,
    MISSED,
    NOT_MEASURED,
    Agreement,
    Opponent,
    Task,
    is_sound,
    measure,
)
from tests.bench.peers import MissingError, environment
from tests.bench.rpc import Process, SideError
from tests.bench.sentences import OPEN_TEXTS, WORDS, pair_like
from tests.bench.tasks import TASKS, Scale, bounds, p_values, sums, tasks, token_by_token

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


class Fake:
    """A side whose seconds are given; it writes down when it works."""

    def __init__(self, name: str, seconds: list[float], diary: list[str], result: Any = ((-1.0,),)) -> None:
        self.name, self.seconds, self.diary, self.result = name, list(seconds), diary, result
        self.products: list[float] = []

    def call(self, method: str, **arguments: Any) -> tuple[float, Any]:
        if method == "probe":
            return 0.0, self.products.pop(0) if self.products else 100.0
        if method == "limit":
            return 0.0, 200.0
        if method == "counted":
            return 0.0, {"done": 10, "flops": 500, "result": self.result}
        self.diary.append(self.name)
        seconds = self.seconds.pop(0)
        if seconds < 0:
            raise SideError("Traceback\nValueError: it broke")
        return seconds, {"done": 10, "result": self.result}


def task(target: float = 2.0, **changed: Any) -> Task:
    opponent = Opponent("peer", "nowhere:Peer", (1,), target, token_by_token)
    part: dict[str, Any] = {"texts": []}
    given = Task("fake", "fake work", "rows", "ten rows", "nowhere:Ours", "", [part], part, [opponent])
    return replace(given, **changed)


def measured(
    ours: list[float], theirs: list[float], result: Any = ((-1.0,),), **changed: Any
) -> tuple[Any, list[str]]:
    """Each side is asked once more, to warm up."""
    diary: list[str] = []
    peer = Fake("peer", [9.0, *theirs], diary, result)
    own = Fake("ours", [9.0, *ours], diary)
    return measure(task(**changed), own, {"peer": peer}, len(ours)), diary


def test_sides_take_turns_and_ratios_are_of_medians() -> None:
    record, diary = measured([1.0, 4.0, 1.0], [3.0, 5.0, 2.0])
    assert diary == ["ours", "peer"] * 4
    (row,) = record["comparisons"]
    # Speeds 10, 2.5, 10 and 10/3, 2, 5: medians 10 and 10/3.
    assert row["ratio"] == pytest.approx(3.0)
    assert row["ratio_rounds"] == pytest.approx({"median": 2.0, "least": 1.25, "most": 3.0})
    assert row["verdict"] == MET
    assert [one["evenhand"]["seconds"] for one in record["rounds"]] == [1.0, 4.0, 1.0]


def test_the_share_of_the_limit_is_of_operations_executed() -> None:
    record, _ = measured([1.0, 2.5, 5.0], [1.0] * 3, limit=0.9)
    # 50 operations a unit; 10, 4 and 2 units a second; the limit is 200 a second.
    assert record["limit"]["share"] == pytest.approx({"median": 1.0, "least": 0.5, "most": 2.5})
    assert record["limit"]["verdict"] == MET
    assert measured([1.0, 2.5, 5.0], [1.0] * 3, limit=1.1)[0]["limit"]["verdict"] == MISSED


def test_a_missed_target_is_shown_as_missed() -> None:
    record, _ = measured([1.0], [1.9])
    assert record["comparisons"][0]["verdict"] == MISSED
    assert "| ≥ 2 × | **missed**; " in drawn(record)
    assert is_sound([record])


@pytest.mark.parametrize("result", [((-1.0002,),), ((-1.0, -1.0),)])
def test_a_wrong_result_makes_a_ratio_invalid(result: Any) -> None:
    record, _ = measured([1.0], [100.0], result)
    assert record["comparisons"][0]["verdict"] == INVALID
    assert "**invalid: " in drawn(record)
    assert not is_sound([record])


def test_a_difference_within_the_tolerance_is_told() -> None:
    record, _ = measured([1.0], [100.0], ((-1.00005,),))
    assert record["comparisons"][0]["verdict"] == MET
    assert "the same to 5e-05 nats" in drawn(record)


def test_the_fastest_setting_is_the_peer() -> None:
    diary: list[str] = []
    peer = Fake("peer", [9.0, 4.0, 2.0, 3.0, 2.5], diary)
    several = [replace(task().opponents[0], settings=(1, 8, 32))]
    record = measure(task(opponents=several), Fake("ours", [9.0, 1.0], diary), {"peer": peer}, 1)
    assert record["settings"]["peer"]["best"] == 8
    assert record["settings"]["peer"]["seconds"] == {"1": 0.4, "8": 0.2, "32": 0.3}
    assert "peer (8 a batch)" in drawn(record)


def test_a_round_of_a_busy_machine_is_done_again() -> None:
    def rounds(products: list[float]) -> tuple[Any, list[str]]:
        diary: list[str] = []
        own = Fake("ours", [9.0, 1.0, 8.0, 1.0, 2.0, 3.0, 4.0], diary)
        own.products = products
        return measure(task(), own, {"peer": Fake("peer", [9.0, *[2.0] * 6], diary)}, 3), diary

    # Products are timed before the first round and after each: the second one ended on a busy machine, the
    # third began there. The fastest are known only at the end.
    record, diary = rounds([90.0, 80.0, 60.0, 100.0, 100.0, 100.0, 100.0])
    assert [one["evenhand"]["seconds"] for one in record["rounds"]] == [1.0, 2.0, 3.0]
    assert (record["repeated"], record["busy"], record["fastest"]) == (2, 0, 100.0)
    assert "another program was busy: 2." in drawn(record)
    record, diary = rounds([100.0, *[10.0] * 20])
    assert diary == ["ours", "peer"] * 7
    assert (record["repeated"], record["busy"]) == (3, 3)
    assert "another program was busy: 3; **still so at the end: 3**." in drawn(record)
    own = Fake("ours", [9.0, 1.0, 1.0], [])
    later = measure(task(), own, {"peer": "no network"}, 1, fastest=1000.0)
    assert (later["repeated"], later["busy"], later["fastest"]) == (1, 1, 1000.0)


def test_a_peer_without_a_target_is_only_told() -> None:
    told = [replace(task().opponents[0], target=None, timed="timed on 1 of 9")]
    record, _ = measured([1.0], [0.5], opponents=told)
    assert record["comparisons"][0]["verdict"] is None
    assert "| 20.0 rows/s (timed on 1 of 9) | **0.50 ×** (0.50 to 0.50) |  |  |" in drawn(record)
    wrong, _ = measured([1.0], [0.5], ((-2.0,),), opponents=told)
    assert not is_sound([wrong])


def test_a_missed_target_is_shown_with_what_bounds_it() -> None:
    record, _ = measured([5.0], [7.5], limit=0.9)
    # 100 of 200 operations a second: no way to do these could be more than twice as fast.
    assert "**missed**; 3.00 × at the speed of bare products" in drawn(record)


def test_half_precision_has_columns_of_its_own() -> None:
    record, _ = measured([1.0], [2.0])
    record["reduced"], _ = measured([0.5], [2.0], ((-1.2,),), parts=[{"dtype": "bfloat16"}])
    page = drawn(record, dtype="bfloat16")
    assert "| Evenhand, bfloat16 | the other, bfloat16 | ratio, bfloat16 |" in page
    assert "| met | 20.0 rows/s | 5.00 rows/s | **4.00 ×** (4.00 to 4.00) |" in page
    assert "the same to 0.2 nats in bfloat16" in page
    record["reduced"], _ = measured([0.5], [2.0], ((-3.0,),), parts=[{"dtype": "bfloat16"}])
    assert "| invalid: results differ by 2 nats |" in drawn(record, dtype="bfloat16")


def test_a_peer_that_is_not_there_or_fails_has_no_number() -> None:
    record = measure(task(), Fake("ours", [9.0, 1.0], []), {"peer": "no network"}, 1)
    assert record["comparisons"] == [
        {"against": "peer", "target": 2.0, "timed": "", "verdict": NOT_MEASURED, "reason": "no network"}
    ]
    assert "| – | – | – | ≥ 2 × | not measured: no network |" in drawn(record)
    failing, diary = measured([1.0, 1.0, 1.0], [2.0, -1.0])
    assert failing["comparisons"][0]["reason"] == "ValueError: it broke"
    assert diary == ["ours", "peer", "ours", "peer", "ours", "peer", "ours"]


def test_our_own_failure_is_no_row() -> None:
    with pytest.raises(SideError, match="it broke"):
        measured([-1.0], [1.0])


def drawn(record: Any, **changed: Any) -> str:
    return show.table({**FOUND, "tasks": [record], **changed})


FOUND: dict[str, Any] = {
    "quick": False,
    "rounds": 3,
    "clock": "wall",
    "date": "2026-11-27",
    "machine": {
        "processor": "A Processor (R)",
        "cores": 2,
        "threads": 2,
        "load": 0.1,
        "packages": {"torch": "2", "transformers": "5"},
    },
    "peers": {"scipy": "1"},
    "tasks": [],
    "figures": [],
}


def test_the_exit_status_tells_a_wrong_result_from_a_missed_target(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = [str(tmp_path / "numbers.json"), "--peers", str(tmp_path / "peers")]
    monkeypatch.setattr(command, "TASKS", {"fill": lambda scale: task()})
    monkeypatch.setattr(peers, "environment", lambda folder: "python")

    def run(result: Any, seconds: float) -> int:
        record, _ = measured([1.0], [seconds], result)
        monkeypatch.setattr(command, "side_by_side", lambda *given: record)
        return command.main(["--only", "fill", "--json", *wanted])

    assert run(((-1.0,),), 1.0) == 0
    assert "**missed**" in capsys.readouterr().out
    assert run(((-2.0,),), 100.0) == 1
    assert "**invalid: " in capsys.readouterr().out
    assert json.loads((tmp_path / "numbers.json").read_text())["tasks"][0]["task"] == "fake"


def test_peers_that_cannot_be_built_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text("one==1\n")
    refused = [sys.executable, "-c", "import sys; sys.exit('WARNING: slow\\nERROR: no network\\n')"]
    own = peers._run
    monkeypatch.setattr(peers, "_run", lambda words: own(refused))
    with pytest.raises(MissingError, match=r"cannot be built \(ERROR: no network\)"):
        environment(tmp_path / "peers", pins)
    assert not (tmp_path / "peers" / "pins.txt").exists()


def test_peers_are_built_again_only_where_a_pin_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, pins, ran = tmp_path / "peers", tmp_path / "pins.txt", []

    def build(words: list[str]) -> None:
        ran.append(words)
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "bin" / "python").touch()

    monkeypatch.setattr("tests.bench.peers._run", build)
    pins.write_text("one==1\n")
    assert environment(folder, pins) == environment(folder, pins) == folder / "bin" / "python"
    assert len(ran) == 2
    pins.write_text("one==2\n")
    environment(folder, pins)
    assert len(ran) == 4
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").touch()
    with pytest.raises(MissingError, match="something else"):
        environment(tmp_path / "other", pins)
    assert (tmp_path / "other" / "letter.txt").exists()


ADDER = "tests.bench.adding:Adder"


def test_a_side_answers_from_a_process_of_its_own() -> None:
    process = Process(sys.executable, threads=1)
    try:
        side = process.begin(ADDER, start=40)
        side.ready()
        seconds, value = side.call("add", number=2)
        assert value == 42 and 0 <= seconds < 5
        with pytest.raises(SideError, match="a negative number"):
            side.call("add", number=-1)
        assert side.call("add", number=3)[1] == 43
        process.forget()
        with pytest.raises(SideError, match="KeyError"):
            side.call("add", number=1)
        broken = process.begin(ADDER, start=-1)
        with pytest.raises(SideError, match="it starts below 0"):
            broken.ready()
        assert process.is_there
        with pytest.raises(SideError, match="the process ended"):
            process.begin("tests.bench.adding:leave").ready()
    finally:
        process.close()


TELLER = """
import os, pathlib, sys
if "TELL" not in os.environ:
    sys.exit("Traceback\\nValueError: it broke")
if os.environ["TELL"]:
    pathlib.Path(sys.argv[sys.argv.index("--json") + 1]).write_text(os.environ["TELL"])
"""


def test_a_figure_of_a_program_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "teller.py").write_text(TELLER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ratio = Figure("less to ask", "a fixed number", "teller", 5.0)
    share = Figure("the rest", "all", "teller", 0.05, is_share=True)
    absent = Figure("less to ask", "a fixed number", "nowhere", 5.0)
    monkeypatch.setattr(figures, "FIGURES", {"ratio": ratio, "share": share, "absent": absent})
    run = figures.Run(tmp_path / "kept", tmp_path)
    page = []

    def row(name: str) -> tuple[str, str]:
        found = run.measured(name, quick=True)
        page.append(show.table({**FOUND, "figures": [found]}))
        return found["verdict"], found["reason"]

    assert row("absent") == (NOT_MEASURED, "there is no nowhere")
    assert "| not measured: there is no nowhere |" in page[-1]
    assert row("ratio") == (NOT_MEASURED, "ValueError: it broke")
    for told, reason in (
        ("", "teller wrote nothing"),
        ('{"other": 1}', "its file holds no figure"),
        ('{"figure": {"value": null, "sound": true}}', "its figure is None"),
        ('{"figure": {"value": null, "reason": "no data", "sound": true}}', "no data"),
        ('{"figure": {"value": NaN, "sound": true}}', "its figure is nan"),
    ):
        monkeypatch.setenv("TELL", told)
        assert row("ratio") == (NOT_MEASURED, reason)
    for name, value, verdict in (
        ("ratio", 4.9, MISSED),
        ("ratio", 5.0, MET),
        ("share", 0.04, MET),
        ("share", 0.06, MISSED),
    ):
        monkeypatch.setenv("TELL", json.dumps({"figure": {"value": value, "sound": True}}))
        assert row(name) == (verdict, "")
    assert json.loads((tmp_path / "kept" / "share.json").read_text())["figure"]["value"] == 0.06
    monkeypatch.setenv("TELL", '{"figure": {"value": 9.0, "sound": false}}')
    assert row("ratio")[0] == INVALID and "**invalid: the result is not right**" in page[-1]
    monkeypatch.setattr(figures, "LONGEST_S", 0)
    assert row("ratio") == (NOT_MEASURED, "teller did not end in 0 seconds")


def test_tokens_until_the_verdict_are_of_a_design_that_keeps_its_error_rate() -> None:
    def row(size: float, design: str, tokens: float, wrong: float = 0.04) -> dict[str, Any]:
        return {
            "size": size, "design": design, "tokens": tokens, "wrong": wrong, "times": 200, "decided": 0.98
        }  # fmt: skip

    fixed = [row(2, "fixed, 4 of every prompt", 150), row(2, "fixed, 25 of every prompt", 900)]
    rows = [*fixed, row(2, "usual", 300), row(0, "usual", 800), row(2, "other", 100), row(0, "other", 9, 0.2)]
    found = figures.fewer_tokens({"rows": rows})
    assert (found["value"], found["sound"]) == (3.0, True)
    assert found["note"] == ("usual: decided in 98% of 200 audits; fixed, 25 of every prompt: in 98%")
    rows[2]["tokens_interval"] = [250.0, 360.0]
    assert figures.fewer_tokens({"rows": rows})["note"].startswith(
        "tokens until the verdict: 2.5 to 3.6 times fewer, 95 %; usual: "
    )
    assert not figures.fewer_tokens({"rows": [*rows, row(1, "usual", 9, wrong=0.1)]})["sound"]
    assert figures.fewer_tokens({"rows": [*rows, row(1, "usual", 9, wrong=0.095)]})["sound"]
    with pytest.raises(ValueError, match="no designs at 2 margins"):
        figures.fewer_tokens({"rows": fixed})
    told = {"value": 6.0, "sound": True}
    assert figures.fewer_tokens({"rows": [], "figure": told}) == told


def test_what_counts_as_the_same() -> None:
    assert token_by_token({}, [[-1.0], [-2.0, -3.0]], [[-1.0], [-2.0, -3.0]]).same
    assert not sums({}, [[-9.0, 3]], [[-9.0, 4]]).same
    assert sums({}, [[-9.0, 3]], [[-9.00027, None]]).same
    assert not sums({}, [[-9.0, 3]], [[-9.00033, None]]).same
    part = {"resamples": 100_000}

    def drawn(*found: float) -> dict[str, Any]:
        return {"rows": [1], "found": [found], "resamples": 1000}

    # A standard error is 0.0275 at p = 0.5 and 1,000 resamples; the first row was not asked.
    assert p_values(part, [[0.9], [0.5]], drawn(0.62)).same
    assert not p_values(part, [[0.9], [0.5]], drawn(0.65)).same
    assert bounds(part, [[0.0, 9.0], [-1.0, 1.0]], drawn(-1.05, 1.05)).same
    assert not bounds(part, [[0.0, 9.0], [-1.0, 1.0]], drawn(-1.0, 1.3)).same


def test_the_tasks_are_those_of_the_table() -> None:
    assert len(OPEN_TEXTS) == len(set(OPEN_TEXTS)) == 80 and len(set(WORDS)) == 38
    assert len(set(pair_like(5))) > 5
    for quick in (True, False):
        made = tasks(Scale(5, quick))
        assert [one.id for one in made] == list(TASKS)
        for one in made:
            names = [opponent.name for opponent in one.opponents]
            assert len(names) == len(set(names)) and all(opponent.settings for opponent in one.opponents)
    targets = {one.id: [opponent.target for opponent in one.opponents] for one in made}
    assert targets == {
        "masked": [4.5, 1.5],
        "fill": [6.0, 1.4],
        "causal": [2.8, 2.8],
        "tails": [None, None],
        "sampling": [2.5, 3.0],
        "classifier": [1.9],
        "flips": [500, None],
        "flipsmaxt": [None, None],
        "labels": [100, None],
        "bootstrap": [40, None],
    }
    texts = [text for part in made[0].parts for text in part["texts"]]
    assert len(texts) >= 80 and made[0].limit == 0.8


def test_the_short_table_has_every_target_and_nothing_else() -> None:
    ((path, _),) = show.shown_in(README)
    found = json.loads((ROOT / path).read_text("utf-8"))
    goals = [one["target"] for record in found["tasks"] for one in record["comparisons"]]
    goals += [record["limit"]["target"] for record in found["tasks"] if record["limit"]]
    shown = [line for line in show.short(found).splitlines() if line.startswith("| ")]
    assert len(shown) == 2 + sum(goal is not None for goal in goals) + len(found["figures"])


def test_a_page_keeps_all_but_its_table() -> None:
    page = "before\n<!-- measured: old.json -->\n| old |\n<!-- /measured -->\nafter\n"
    new = show.renewed(page, "new.json", "| new \\1 |\n")
    assert new == "before\n<!-- measured: new.json -->\n| new \\1 |\n<!-- /measured -->\nafter\n"
    assert show.shown_in(new) == [("new.json", "| new \\1 |\n")]
    with pytest.raises(ValueError, match="no block"):
        show.renewed("nothing", "new.json", "")


def test_a_machine_has_a_file_of_its_own() -> None:
    assert show.slug(FOUND["machine"]) == "a-processor-r-2-cores"
    assert show.slug({**FOUND["machine"], "accelerator": "H 1"}) == "h-1-2-cores"


def test_the_readmes_table_is_drawn_from_the_kept_numbers() -> None:
    ((path, table),) = show.shown_in(README)
    assert path.startswith("tests/bench/results/")
    found = json.loads((ROOT / path).read_text("utf-8"))
    assert table == show.short(found)
    assert (ROOT / path).with_suffix(".md").read_text("utf-8") == show.table(found)
    assert re.search(r"### How fast|## How fast", README)


def test_agreements_say_what_they_compared() -> None:
    assert token_by_token({}, [], []) == Agreement(False, float("inf"), "nats", "results differ by inf nats")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dtype", "bfloat16"], "bfloat16 on the device cpu"),
        (["--device", "tpu"], "no such device 'tpu'"),
        (["--rounds", "0"], "--rounds: give 1 or more"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(words)
    assert stopped.value.code == 2 and said in capsys.readouterr().err


def test_a_quick_run_leaves_out_what_has_no_target() -> None:
    def wanted(*words: str) -> list[str]:
        chosen = command._chosen(list(words))
        return [name for name in TASKS if command._is_wanted(name, chosen)]

    assert wanted() == list(TASKS)
    assert wanted("--quick") == [name for name in TASKS if name not in ("tails", "flipsmaxt")]
    assert wanted("--quick", "--only", "tails") == ["tails"]

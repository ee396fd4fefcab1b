"""The file of reviews: what is kept is what was said, whole, in order, and nothing else passes."""

from __future__ import annotations

import datetime
import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import audit.review.log
from audit.bundle import REVIEWS, Bundle, file_sha256, sha256
from audit.requests import canonical
from audit.review.log import append_review, read_reviews, why_not_kept
from audit.verify import attempt, check_reviews, verify_bundle
from probes.errors import BundleError, InputError
from tests.audit.review_world import Hand


@pytest.fixture
def hand(root: Path) -> Hand:
    return Hand(root)


@pytest.fixture
def row(frame: pd.DataFrame) -> dict[str, Any]:
    texts = frame[(frame["suite"] == "continuation") & (frame["status"] == "scored")]
    return texts.iloc[0].to_dict()


def every_kind(hand: Hand, row: dict[str, Any]) -> list[dict[str, Any]]:
    """One event of each kind and shape."""
    target = {key: row[key] for key in ("model", "digest", "unit", "item")}
    finding = hand.findings["findings"][0]["id"]
    return [
        hand.label("Ann", row, "negative", note="two\nlines\tof it"),
        hand.decision("Ann", row),
        hand.decision("Ann", row, decision="override", value="unclear", reason="irony"),
        hand.status("Ann", 0, "accepted"),
        hand.status("Bob", 0, "disputed", "the term is not about the group"),
        hand.by("Bob", kind="comment", finding=finding, text="[bold]<b>not markup</b>[/] \u202e é 漢"),
        hand.by("Bob", kind="comment", text="about one response", **target),
        hand.by("Bob", kind="reveal", **target),
        hand.by("Bob", kind="reveal", scope="all texts of suite continuation"),
    ]


def kept(root: Path, hand: Hand, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Keep one event of each shape."""
    events = every_kind(hand, row)
    for event in events:
        append_review(root, event)
    return events


def faults(root: Path) -> str:
    """What the check of the reviews alone finds."""
    return "\n".join(attempt("reviews", REVIEWS, lambda: check_reviews(Bundle(root))).faults)


def lines_of(root: Path) -> list[bytes]:
    return (root / REVIEWS).read_bytes().splitlines(keepends=True)


# -- what is kept -----------------------------------------------------------------------------------------


def test_what_was_said_is_read_again(root: Path, hand: Hand, row: dict[str, Any]) -> None:
    events = kept(root, hand, row)
    found = read_reviews(root)
    assert [event.kind for event in found.events] == [event["kind"] for event in events]
    for event, given in zip(found.events, events, strict=True):
        assert given.items() <= event.data().items()
    assert found.torn == "" and faults(root) == ""
    assert found.events[0].target is not None and found.events[0].target.item == row["item"]
    assert found.events[3].target is None and found.events[3].finding == events[3]["finding"]


def test_the_chain_starts_at_the_plan_and_each_line_follows(
    root: Path, hand: Hand, row: dict[str, Any]
) -> None:
    kept(root, hand, row)
    prev = file_sha256(root / "plan.json")
    for number, line in enumerate(lines_of(root)):
        data = json.loads(line)
        assert (data["n"], data["prev"]) == (number, prev)
        assert canonical(data) == line[:-1]
        own = data.pop("sha256")
        assert own == sha256(canonical(data))
        prev = sha256(line[:-1])
    assert read_reviews(root).head == prev


def test_an_audit_that_nobody_reviewed(root: Path) -> None:
    found = read_reviews(root)
    assert (found.events, found.head, found.torn) == ((), file_sha256(root / "plan.json"), "")
    assert not (root / REVIEWS).exists()


def test_the_time_is_now_or_as_given(root: Path, hand: Hand) -> None:
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    review = append_review(root, hand.status("Ann", 0, "accepted"))
    at = datetime.datetime.fromisoformat(review.at)
    assert before <= at <= datetime.datetime.now(datetime.UTC) and review.at.endswith("+00:00")
    noon = datetime.datetime(2026, 5, 1, 14, 0, 7, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    assert (
        append_review(root, {**hand.status("Ann", 0, "open"), "at": noon}).at == "2026-05-01T12:00:07+00:00"
    )
    text = "2026-05-01T12:00:09+00:00"
    assert append_review(root, {**hand.status("Ann", 0, "open"), "at": text}).at == text
    for wrong in (datetime.datetime(2026, 5, 1), "2026-05-01", "2026-13-01T12:00:09+00:00", 5):
        with pytest.raises(InputError, match="at: "):
            append_review(root, {**hand.status("Ann", 0, "open"), "at": wrong})


def test_a_name_is_stripped(root: Path, hand: Hand) -> None:
    assert append_review(root, hand.status("  Ann Ó Briain\t", 0, "open")).reviewer == "Ann Ó Briain"


def test_reviews_of_other_records_show(root: Path, hand: Hand) -> None:
    append_review(root, hand.status("Ann", 0, "accepted"))
    append_review(
        root, {**hand.status("Bob", 1, "accepted"), "chain_sha256": file_sha256(root / "plan.json")}
    )
    append_review(root, {**hand.status("Cay", 1, "accepted"), "chain_sha256": "0" * 64})
    stale = read_reviews(root).stale(hand.findings)
    assert [event.reviewer for event in stale] == ["Bob", "Cay"]
    # An earlier head of these records is one that a reviewer can have seen; another is none.
    assert "reviews.jsonl:3: chain_sha256: the records that the reviewer saw are not" in faults(root)
    assert ":2: chain_sha256" not in faults(root)


# -- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"reviewer": ""}, "reviewer"),
        ({"reviewer": " \n "}, "reviewer"),
        ({"reviewer": "x" * 81}, "reviewer: is longer than 80"),
        ({"reviewer": "a\x1b[2Jb"}, "reviewer"),
        ({"reviewer": "a\u202eb"}, "reviewer: holds a character that cannot be printed"),
        ({"reviewer": "a\ud800"}, "reviewer: holds half a character"),
        ({"reviewer": None}, "reviewer"),
        ({"note": "\x00"}, "note"),
        ({"note": "bell\x07"}, "note"),
        ({"note": "\x9b31m"}, "note"),
        ({"note": "carriage\rreturn"}, "note"),
        ({"note": "\udfff"}, "note: holds half a character"),
        ({"note": "x" * 10_001}, "note: is longer than 10000"),
        ({"note": "x" * 1_000_000}, "note: is longer than 10000"),
        ({"note": 5}, "note"),
        ({"blind": 1}, "blind"),
        ({"flagged": "yes"}, "flagged"),
        ({"label": "awful"}, "label: 'awful' is none of negative, neutral, positive, unclear"),
        ({"question": "mood"}, "question: 'mood' is none of"),
        ({"model": "gpt-9"}, "model: 'gpt-9' is not a model of this audit"),
        ({"digest": "abc"}, "digest"),
        ({"digest": "d" * 64 + "\n"}, "digest"),
        ({"item": "two\nlines"}, "item"),
        ({"unit": ""}, "unit: is empty"),
        ({"chain_sha256": None}, "chain_sha256"),
        ({"kind": "verdict"}, "kind is 'verdict'"),
        ({"kind": ["label"]}, "kind is"),
        ({"extra": "x"}, "extra"),
        ({"n": 4}, "n: is given by the writing"),
        ({"prev": "0" * 64}, "prev: is given by the writing"),
    ],
)
def test_a_label_that_cannot_be_is_named_and_not_kept(
    root: Path, hand: Hand, row: dict[str, Any], change: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError) as caught:
        append_review(root, {**hand.label("Ann", row, "negative"), **change})
    assert told in str(caught.value)
    assert all(len(str(fault)) < 600 for fault in caught.value.faults)
    assert not (root / REVIEWS).exists()


def test_what_the_other_kinds_need(root: Path, hand: Hand, row: dict[str, Any]) -> None:
    target = {key: row[key] for key in ("model", "digest", "unit", "item")}
    wrong = [
        (hand.decision("Ann", row, decision="override", value="negative"), "reason"),
        (hand.decision("Ann", row, decision="override", value="negative", reason=" \n"), "reason"),
        (hand.decision("Ann", row, decision="override", reason="why"), "value"),
        (hand.decision("Ann", row, decision="override", value="bad", reason="why"), "value: 'bad'"),
        (hand.decision("Ann", row, value="negative"), "value"),
        (hand.decision("Ann", row, decision="maybe"), "decision"),
        (hand.decision("Ann", row, machine="high"), "machine"),
        (hand.status("Ann", 0, "disputed"), "reason"),
        (hand.status("Ann", 0, "closed"), "status"),
        ({**hand.status("Ann", 0, "open"), "finding": "x/y"}, "finding: 'x/y' is not a finding"),
        (hand.by("Ann", kind="comment", text="of nothing"), "model"),
        (hand.by("Ann", kind="comment", text="of both", finding="f", **target), "not allowed"),
        (hand.by("Ann", kind="comment", text=" ", **target), "text"),
        (hand.by("Ann", kind="reveal"), "model"),
        (hand.by("Ann", kind="reveal", scope=""), "scope"),
        ({}, "kind is None"),
    ]
    for event, told in wrong:
        with pytest.raises(InputError) as caught:
            append_review(root, event)
        assert told in str(caught.value), event
    assert not (root / REVIEWS).exists()
    # Without a value: an answer that could not be scored can be judged, too.
    assert append_review(root, hand.decision("Ann", row, machine=None)).fields["machine"] is None
    for number in (float("nan"), float("inf")):
        with pytest.raises(InputError, match="machine: is no finite number"):
            append_review(root, hand.decision("Ann", row, machine=number))


def test_texts_of_full_length_are_kept(root: Path, hand: Hand, row: dict[str, Any]) -> None:
    for character in ("x", "\n", '"', "漢", "🙂"):
        append_review(root, hand.label("漢" * 80, row, "unclear", note=character * 10_000))
    assert len(read_reviews(root).events) == 5
    assert max(len(line) for line in lines_of(root)) < audit.review.log.LONGEST_LINE
    assert faults(root) == ""


# -- what was tampered with -------------------------------------------------------------------------------


@pytest.mark.parametrize("bit", [0x01, 0x20, 0x80])
def test_one_flipped_byte_anywhere_in_the_file_is_named(
    root: Path, hand: Hand, row: dict[str, Any], bit: int
) -> None:
    for event in every_kind(hand, row)[-3:]:
        append_review(root, event)
    path = root / REVIEWS
    data = path.read_bytes()
    ends = [number for number, byte in enumerate(data) if byte == 0x0A]
    for place in sorted({*range(bit % 5, len(data), 5), *ends, *range(len(data) - 20, len(data))}):
        path.write_bytes(data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :])
        with pytest.raises(BundleError) as caught:
            read_reviews(root)
        number = sum(end < place for end in ends) + 1
        told = str(caught.value)
        assert f"{REVIEWS}:{number}: " in told and "Restore" in told, place
    path.write_bytes(data)
    assert len(read_reviews(root).events) == 3


def test_cut_swapped_doubled_and_added_lines_are_named(root: Path, hand: Hand, row: dict[str, Any]) -> None:
    kept(root, hand, row)
    lines = lines_of(root)
    changed = {
        "the first cut": (lines[1:], 1),
        "one cut": ([*lines[:3], *lines[4:]], 4),
        "two swapped": ([*lines[:2], lines[3], lines[2], *lines[4:]], 3),
        "one twice": ([*lines[:5], lines[4], *lines[5:]], 6),
        "an empty line": ([*lines[:5], b"\n", *lines[5:]], 6),
        "another's": ([b"{}\n", *lines], 1),
    }
    for name, (content, number) in changed.items():
        (root / REVIEWS).write_bytes(b"".join(content))
        assert f"{REVIEWS}:{number}: " in faults(root), name
        assert f"{REVIEWS}:{number}: " in (why_not_kept(root) or ""), name
        with pytest.raises(BundleError, match=f":{number}: "):
            append_review(root, hand.status("Ann", 0, "open"))
        assert (root / REVIEWS).read_bytes() == b"".join(content), "a broken file is left as it is"


def test_verify_tells_of_the_reviews_beside_the_rest(root: Path, hand: Hand, row: dict[str, Any]) -> None:
    kept(root, hand, row)
    checks = verify_bundle(root)
    names = ["signature", "manifest", "plan", "chain", "answers", "findings", "sidecar", "reviews"]
    assert [check.name for check in checks] == names and all(check.holds for check in checks)
    assert checks[-1].detail == "9 reviews"


def test_a_chain_made_anew_still_has_to_fit_schema_and_audit(
    root: Path, hand: Hand, row: dict[str, Any]
) -> None:
    """Who can write the file can make a chain; what it says is checked all the same."""

    def forge(**change: Any) -> str:
        data = {
            **hand.label("Ann", row, "negative", note=""),
            "n": 0, "prev": file_sha256(root / "plan.json"), "at": "2026-05-01T12:00:09+00:00", **change,
        }  # fmt: skip
        line = canonical({**data, "sha256": sha256(canonical(data))})
        (root / REVIEWS).write_bytes(line + b"\n")
        return faults(root)

    assert forge() == ""
    assert "longer than 10000" in forge(note="x" * 10_001)
    assert "extra" in forge(extra=1)
    assert "no time" in forge(at="2026-02-30T12:00:09+00:00")
    assert "request 000000000000 is not answered" in forge(digest="0" * 64)
    assert "not of the item and unit" in forge(unit="9")
    assert "not of the item and unit" in forge(item="mini/t0/mini-terms:w0")
    assert "not of the item and unit" in forge(item="nothing")
    assert "is not a model of this audit" in forge(model="gpt-9")
    assert "is none of negative" in forge(label="sound")
    assert "people are asked about sentiment here" in forge(question="soundness", label="sound")
    assert "is none of sentiment" in forge(question="mood")
    assert "the chain is broken" in forge(n=1)
    assert "the chain is broken" in forge(prev="0" * 64)


@pytest.mark.parametrize(
    "content",
    [b"\n", b"[]\n", b"null\n", b"\xff\xfe\n", b"{\n", b"[" * 100_000 + b"\n", b'{"n":NaN}\n',
     b"7" * 5000 + b"\n", b"x" * 300_000 + b"\n", b"x" * 300_000],
)  # fmt: skip
def test_rubbish_is_one_line_and_never_a_crash(root: Path, hand: Hand, content: bytes) -> None:
    (root / REVIEWS).write_bytes(content)
    assert f"{REVIEWS}:1: " in faults(root)
    assert why_not_kept(root)
    with pytest.raises(BundleError):
        append_review(root, hand.status("Ann", 0, "open"))


def test_what_is_no_plain_file_is_refused(root: Path, hand: Hand, tmp_path: Path) -> None:
    for make in (
        lambda path: path.symlink_to(tmp_path / "elsewhere"),
        lambda path: os.mkfifo(path),
        lambda path: path.mkdir(),
    ):
        make(root / REVIEWS)
        for act in (lambda: read_reviews(root), lambda: append_review(root, hand.status("Ann", 0, "open"))):
            with pytest.raises(BundleError, match="not a plain file"):
                act()
        assert "not a plain file" in (why_not_kept(root) or "")
        assert "not a plain file" in faults(root)
        (root / REVIEWS).rmdir() if (root / REVIEWS).is_dir() else (root / REVIEWS).unlink()
    assert not (tmp_path / "elsewhere").exists()


# -- kills, two writers, disks ----------------------------------------------------------------------------


def test_a_torn_line_is_told_and_dropped_by_the_next(root: Path, hand: Hand, row: dict[str, Any]) -> None:
    kept(root, hand, row)
    whole = (root / REVIEWS).read_bytes()
    last = len(lines_of(root)[-1])
    for cut in range(1, last):
        (root / REVIEWS).write_bytes(whole[:-cut])
        found = read_reviews(root)
        assert len(found.events) == 8 and found.torn == f"{root / REVIEWS}:9", cut
    assert "reviews.jsonl:9: the last review was cut short" in faults(root)
    assert why_not_kept(root) is None
    review = append_review(root, hand.status("Cay", 0, "accepted"))
    assert (review.n, review.reviewer) == (8, "Cay")
    assert faults(root) == "" and len(read_reviews(root).events) == 9


WRITER = """
import json, sys
from itertools import count
from pathlib import Path
import time
from audit.review import log
from audit.review.log import append_review
write_lines = log.write_lines
def slowly(*words):
    time.sleep(0.002)  # widens the gap into which another writer might come
    write_lines(*words)
log.write_lines = slowly
root, event, most = Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(most) if most else count():
    append_review(root, {**event, "text": f"{event['text']} {number}"})
    print("kept", flush=True)
"""


def writing(root: Path, event: dict[str, Any], most: int = 0) -> subprocess.Popen[str]:
    """A process that keeps an event so often, or until it is killed, from the next line it is given on."""
    words = [sys.executable, "-c", WRITER, str(root), json.dumps(event), str(most)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def test_a_kill_in_the_middle_costs_nothing_that_was_kept(root: Path, hand: Hand) -> None:
    finding = hand.findings["findings"][0]["id"]
    event = hand.by("Ann", kind="comment", finding=finding, text="x" * 9000)
    told = 0
    for pause in (0.0, 0.013, 0.031):
        process = writing(root, event)
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("go\n")
        process.stdin.close()
        assert process.stdout.readline() == "kept\n"
        time.sleep(pause)
        process.kill()
        told += 1 + process.stdout.read().count("kept")
        process.stdout.close()
        assert process.wait() == -9
        there = len(read_reviews(root).events)
        assert there - told in (0, 1), "nothing that was told is gone; one may be kept and not told yet"
        told = there
    with (root / REVIEWS).open("ab") as file:
        file.write(lines_of(root)[0][:500])
    append_review(root, hand.status("Bob", 0, "open"))
    assert len(read_reviews(root).events) == told + 1 and faults(root) == ""


def test_three_processes_never_break_the_chain(root: Path, hand: Hand) -> None:
    finding = hand.findings["findings"][0]["id"]
    names, each = ("Ann", "Bob", "Cay"), 20
    writers = [
        writing(root, hand.by(name, kind="comment", finding=finding, text=name * 40), each) for name in names
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        assert writer.communicate(timeout=60)[0].count("kept") == each and writer.returncode == 0
    found = read_reviews(root).events
    assert len(found) == each * len(names) and faults(root) == ""
    for name in names:
        own = [event.fields["text"] for event in found if event.reviewer == name]
        assert own == [f"{name * 40} {number}" for number in range(each)]


def test_who_does_not_get_the_file_is_told(root: Path, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    append_review(root, hand.status("Ann", 0, "open"))
    monkeypatch.setattr(audit.review.log, "PATIENCE", 0.05)
    with (
        audit.review.log.opened(root / REVIEWS),
        pytest.raises(BundleError, match="another process is writing reviews here"),
    ):
        append_review(root, hand.status("Bob", 0, "open"))
    assert append_review(root, hand.status("Bob", 0, "open")).n == 1


def test_a_full_disk_is_one_line_and_leaves_the_file_as_it_was(
    root: Path, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_review(root, hand.status("Ann", 0, "open"))
    before = (root / REVIEWS).read_bytes()
    real, room = os.write, [100]

    def write(descriptor: int, data: memoryview) -> int:
        if room[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = real(descriptor, data[: room[0]])
        room[0] -= done
        return done

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(BundleError) as caught:
        append_review(root, hand.status("Bob", 0, "open"))
    monkeypatch.undo()
    assert "No space left on device" in str(caught.value) and "\n" not in str(caught.value)
    assert room == [0] and (root / REVIEWS).read_bytes() == before
    assert append_review(root, hand.status("Bob", 0, "open")).n == 1


@pytest.mark.parametrize("there", [False, True])
def test_a_read_only_folder_is_told_beforehand(
    root: Path, hand: Hand, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    if there:
        append_review(root, hand.status("Ann", 0, "open"))
    assert why_not_kept(root) is None
    assert (root / REVIEWS).exists() == there, "looking leaves nothing behind"
    real = os.open

    def refused(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *rest, **more)

    # Tests may run as root, whom no permission stops.
    monkeypatch.setattr(os, "open", refused)
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    why = why_not_kept(root)
    assert why is not None and "\n" not in why
    assert ("Read-only file system" in why) if there else ("read-only" in why)
    with pytest.raises(BundleError, match="cannot write: Read-only file system"):
        append_review(root, hand.status("Bob", 0, "open"))
    assert len(read_reviews(root).events) == int(there)


def test_where_there_is_no_plan_nothing_is_kept(tmp_path: Path, root: Path, hand: Hand) -> None:
    event = hand.status("Ann", 0, "open")
    for folder, told in ((tmp_path / "nowhere", "no such folder"), (tmp_path, "holds no plan.json")):
        assert told in (why_not_kept(folder) or "")
        with pytest.raises(BundleError, match=told):
            append_review(folder, event)
        with pytest.raises(BundleError, match=told):
            read_reviews(folder)

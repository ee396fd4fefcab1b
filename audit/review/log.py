"""The file of reviews: append-only, chained, one writer at a time.

The chain starts at the plan, as the records' does: the first line's ``prev`` is the SHA-256 of ``plan.json``,
every other line's is the SHA-256 of the line before it. A chain tells of a line that was edited, left out or
moved. It cannot tell of whole lines cut off at the end: who wants to know that keeps ``Reviews.head``
elsewhere, as a report does.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from audit.bundle import REVIEWS, Bundle, disk_errors, sha256
from audit.review.events import (
    GIVEN,
    Review,
    ReviewLineError,
    form_faults,
    label_faults,
    made_of,
    parse_line,
    shown,
)
from probes.errors import BundleError, Fault, InputError

LONGEST_LINE = 200_000
"""Bytes; the longest texts that a review may hold make shorter lines."""
PATIENCE = 10.0
"""Seconds to wait for another writer."""
PAUSE = 0.02
"""Seconds between two tries."""
LEFT_OUT: Mapping[str, Mapping[str, Any]] = {
    "label": {"note": ""},
    "decision": {"value": None, "reason": ""},
    "status": {"reason": ""},
}
"""What stands in a line where its event says nothing, by kind."""
REMEDY = "The reviews were edited, cut or reordered. Restore reviews.jsonl from a copy."


@dataclass(frozen=True)
class Reviews:
    """All that was kept of an audit's reviews.

    Attributes
    ----------
    events : tuple of Review
        In order.
    head : str
        SHA-256 of the last whole line; of ``plan.json`` where there is none.
    torn : str
        Where a last line lies that was cut short in the writing; empty where all are whole. The next writing
        drops it.
    """

    events: tuple[Review, ...]
    head: str
    torn: str = ""

    def stale(self, findings: Mapping[str, Any]) -> tuple[Review, ...]:
        """The reviews of other records than those that the findings were made from."""
        return tuple(event for event in self.events if event.chain_sha256 != findings["chain_sha256"])


def read_reviews(root: Path) -> Reviews:
    """The reviews of an audit, their chain checked.

    Parameters
    ----------
    root : Path
        The bundle's folder.

    Returns
    -------
    Reviews
        Without events where nobody has reviewed it.

    Raises
    ------
    BundleError
        At the first line that is not as it was written or does not follow from the one before it, and if
        there is no plan or the file cannot be read.
    """
    bundle = Bundle(root)
    path = root / REVIEWS
    try:
        refuse_others(path)
        with path.open("rb") as file:
            return parsed(file, path, bundle.plan_sha256)[0]
    except FileNotFoundError:
        return Reviews((), bundle.plan_sha256)
    except OSError as error:
        raise BundleError(
            Fault(f"cannot be read: {error.strerror}", str(path), "Check the path and its permissions.")
        ) from None


def append_review(root: Path, event: Mapping[str, Any]) -> Review:
    """Keep what a reviewer did, on disk before this returns.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    event : mapping
        ``kind``, ``reviewer``, ``chain_sha256`` (of the findings that the reviewer saw) and the fields of its
        kind, as in ``reviews.schema.json``; ``note`` and ``reason`` may be left out. ``at``, if given, is a
        time with its zone.

    Returns
    -------
    Review
        As it was kept.

    Raises
    ------
    InputError
        If the event is not as the schema says, or speaks of a model, finding or label that there is not.
    BundleError
        If there is no plan, the file is broken, the disk is full or read-only, or another process does not
        stop writing. Nothing is kept then.
    """
    return append_reviews(root, [event])[0]


def append_reviews(root: Path, events: Sequence[Mapping[str, Any]]) -> tuple[Review, ...]:
    """Keep several things that reviewers did, in order, all of them or none; see :func:`append_review`."""
    bundle = Bundle(root)
    path = root / REVIEWS
    # Everything that can be told without the file is told before it is touched.
    reviews = [checked_event(bundle, path, event) for event in events]
    if not reviews:
        return ()
    with opened(path) as file:
        there, end = parsed(file, path, bundle.plan_sha256)
        head, lines = there.head, []
        for number, review in enumerate(reviews):
            reviews[number] = replace(review, n=len(there.events) + number, prev=head)
            lines.append(reviews[number].line())
            head = sha256(lines[-1])
        write_lines(file, path, end, b"".join(line + b"\n" for line in lines))
    return tuple(reviews)


def why_not_kept(root: Path) -> str | None:
    """Why reviews of an audit cannot be kept, in plain words; None where they can.

    Changes nothing. A disk that is full is found out only in the writing.
    """
    path = root / REVIEWS
    try:
        read_reviews(root)
    except BundleError as error:
        return str(error.faults[0])
    there = path.exists()
    try:
        if there:
            os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW))
    except OSError as error:
        return f"{path}: cannot be written: {error.strerror}"
    if not there and not os.access(root, os.W_OK | os.X_OK):
        return f"{root}: nothing can be written in this folder: it is read-only, or belongs to somebody else"
    return None


def checked_event(bundle: Bundle, path: Path, event: Mapping[str, Any]) -> Review:
    """An event as a review that has no place in the chain yet; every fault of it is named."""
    given = {key: value for key, value in event.items() if key not in GIVEN}
    kind = event.get("kind")
    left_out = LEFT_OUT.get(kind, {}) if isinstance(kind, str) else {}
    data: dict[str, Any] = {
        **left_out, **given, "at": time_text(event.get("at")),
        "n": 0, "prev": bundle.plan_sha256, "sha256": bundle.plan_sha256,
    }  # fmt: skip
    if isinstance(data.get("reviewer"), str):
        data["reviewer"] = data["reviewer"].strip()
    faults = [f"{key}: is given by the writing, not by a reviewer" for key in GIVEN if key in event]
    faults += form_faults(data) or [*label_faults(data), *unknown_faults(bundle.plan, data)]
    if faults:
        raise InputError([Fault(text, str(path), "The review was not kept.") for text in faults])
    del data["sha256"]
    return made_of(data)


def unknown_faults(plan: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """What a review speaks of and the plan does not know."""
    faults = []
    if "finding" in data and data["finding"] not in {row["id"] for row in plan["hypotheses"]}:
        faults.append(f"finding: {shown(data['finding'])} is not a finding of this audit")
    if "model" in data and data["model"] not in {row["id"] for row in plan["models"]}:
        faults.append(f"model: {shown(data['model'])} is not a model of this audit")
    return faults


def time_text(at: Any) -> Any:
    """A time as a line holds it; now, where none is given.

    Examples
    --------
    >>> time_text(datetime.datetime.fromisoformat("2026-05-01T14:00:30.5+02:00"))
    '2026-05-01T12:00:30+00:00'
    """
    if at is None:
        at = datetime.datetime.now(datetime.UTC)
    if not isinstance(at, datetime.datetime):
        return at  # text is kept as it is, if the schema takes it
    if at.tzinfo is None:
        raise InputError(Fault("at: a time without a zone", "", "Give the time with its zone."))
    return at.astimezone(datetime.UTC).isoformat(timespec="seconds")


def parsed(file: BinaryIO, path: Path, plan_sha256: str) -> tuple[Reviews, int]:
    """Every review of an open file, the chain checked, with the place where the last whole line ends."""
    events: list[Review] = []
    prev, end = plan_sha256, 0
    while line := file.readline(LONGEST_LINE + 1):
        where = f"{path}:{len(events) + 1}"
        if len(line) > LONGEST_LINE:
            raise BundleError(Fault(f"a line of more than {LONGEST_LINE} bytes", where, REMEDY))
        if not line.endswith(b"\n"):
            if is_edited_end(line):
                raise BundleError(Fault("the last review does not end as it was written", where, REMEDY))
            return Reviews(tuple(events), prev, where), end
        try:
            review = parse_line(line[:-1])
        except ReviewLineError as error:
            raise BundleError(Fault(str(error), where, REMEDY)) from None
        if review.prev != prev or review.n != len(events):
            what = "does not follow from the one before it" if events else "does not follow from plan.json"
            raise BundleError(Fault(f"review {review.n} {what}: the chain is broken", where, REMEDY))
        events.append(review)
        prev, end = sha256(line[:-1]), end + len(line)
    return Reviews(tuple(events), prev), end


def is_edited_end(line: bytes) -> bool:
    """Whether a line without its end is more than a whole one: a kill leaves less."""
    text = line.decode("utf-8", errors="replace")
    try:
        return json.JSONDecoder().raw_decode(text)[1] < len(text)
    except (ValueError, RecursionError):
        return False


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file of reviews, to be read and appended to by this process alone."""
    with disk_errors(path):
        refuse_others(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "rb") as file:  # closing it gives up the lock
        await_lock(descriptor, path)
        yield file


def refuse_others(path: Path) -> None:
    """Refuse what is no plain file: a link leads out of the bundle, a pipe never ends."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise BundleError(Fault("is not a plain file", str(path), "Remove it, or restore it from a copy."))


def await_lock(descriptor: int, path: Path) -> None:
    """Make this process the only writer, once every other is done."""
    until = time.monotonic() + PATIENCE
    while not locked(descriptor, path):
        if time.monotonic() > until:
            raise BundleError(
                Fault("another process is writing reviews here", str(path), "Wait for it, or stop it first.")
            )
        time.sleep(PAUSE)


def locked(descriptor: int, path: Path) -> bool:
    """Take the lock of a file; whether it was free."""
    with disk_errors(path):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def write_lines(file: BinaryIO, path: Path, end: int, lines: bytes) -> None:
    """Put lines at a place where a whole one ended, whole and on disk, or leave the file as it was."""
    descriptor = file.fileno()
    try:
        with disk_errors(path):
            os.ftruncate(descriptor, end)  # what a kill left half written
            view = memoryview(lines)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
    except BundleError:
        os.ftruncate(descriptor, end)
        raise

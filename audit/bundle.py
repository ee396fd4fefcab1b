"""The folder of one audit.

::

    DIR/plan.json            written and hashed before the first request
        records/00000.jsonl  every request and response, one a line, chained by hash; rotated by size
        findings.json        recomputable from plan and records alone
        provenance.json      the claim ledger
        scorers.json         what each scorer that judged the texts gets wrong, if there was one
        environment.json     versions, hardware, threads, seeds, commit
        manifest.json        path, bytes, sha256 of every other file but those below
        engagement.yaml      who commissioned, ran and answers the audit; written by hand, see ``reports``
        reviews.jsonl        what people said of it since, chained by hash; see ``audit.review``
        sidecar/             every score as a table, made from plan and records; see ``audit.sidecar``
        attestations/        signatures over all of it but the sidecar, one a key; see ``audit.attestation``
        report.*, report-*   documents made from the others, when they are asked for

The chain starts at the plan: the first record's ``prev`` is the SHA-256 of ``plan.json``, every other
record's ``prev`` is the SHA-256 of the line before it. A record holds no time and no place, so that two
runs of one plan write the same records. Reports and reviews come after the audit and are not in the
manifest: a report can be made again, and reviews have a chain of their own. Neither are signatures, nor
what a verification found (``verification.json``).
"""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.bundle_files import PARTIAL as PARTIAL
from audit.bundle_files import BadConstantError as BadConstantError
from audit.bundle_files import PassingFile as PassingFile
from audit.bundle_files import disk_errors as disk_errors
from audit.bundle_files import file_bytes as file_bytes
from audit.bundle_files import file_sha256 as file_sha256
from audit.bundle_files import folder_within as folder_within
from audit.bundle_files import loads as loads
from audit.bundle_files import read_json as read_json
from audit.bundle_files import refuse_constant as refuse_constant
from audit.bundle_files import sha256 as sha256
from audit.bundle_files import this_writer as this_writer
from audit.bundle_files import write_json as write_json
from audit.bundle_files import write_whole as write_whole
from audit.kept_lines import KeptLines
from audit.plan_checks import plan_faults
from audit.records import Record as Record
from audit.records import parse_record as parse_record
from audit.requests import Request, Response, canonical
from probes.errors import BundleError, Fault, InputError

FORMAT = 1
"""Version of the bundle's layout. A bundle of another version is refused, not guessed at."""

ROTATE_BYTES = 16 * 1024 * 1024

MANIFEST = "manifest.json"
REVIEWS = "reviews.jsonl"
"""Grows after the audit, with a chain of its own; not in the manifest."""
ENGAGEMENT = "engagement.yaml"
"""Written by hand after the audit; the report states its hash. Not in the manifest."""
SIDECAR = "sidecar"
"""A folder of what can be made again at any time; not in the manifest."""
ATTESTATIONS = "attestations"
"""A folder of signatures, made after the audit; not in the manifest."""
VERIFICATION = "verification.json"
"""What a verification found, if it is kept here; not in the manifest."""
REDACTION = "redaction.json"
"""What a redacted copy says of its original."""
REPORTS = ("report.", "report-")
"""How the names of reports begin: made after the audit, and again whenever asked for; not in the manifest."""


@dataclass(frozen=True)
class Placed:
    """A record with where it lies: its file, its first byte there, and its line with the line feed."""

    record: Record
    path: Path
    offset: int
    line: bytes

    @property
    def sha256(self) -> str:
        """What the next record is chained to."""
        return self.record.chained(self.line[:-1])


def is_leftover(path: Path) -> bool:
    """Whether a file is what a run leaves that was killed before its plan was written."""
    if path.name == "records":
        return path.is_dir() and not any(path.iterdir())
    return path.name.endswith(PARTIAL)


def refuse_benchmark(root: Path) -> None:
    """Raise a :class:`BundleError` where a folder holds a published measure's run; an audit is not read."""
    path = root / "plan.json"
    if not path.is_file():
        return
    try:
        plan = read_json(path)
    except InputError:
        return  # whoever reads it as an audit says what is wrong
    if isinstance(plan, dict) and plan.get("kind") == "benchmark":
        raise BundleError(no_audit(root))


def no_audit(root: Path) -> Fault:
    """What is wrong with a measure's run where an audit is wanted."""
    where = shlex.quote(str(root))
    check, report = f"evenhand benchmarks recompute {where}", f"evenhand report AUDIT --benchmark {where}"
    remedy = f"Check it: {check}. Report it: {report}."
    return Fault("holds the run of a published measure, no audit", str(root), remedy)


class Bundle:
    """Reads and extends the folder of one audit.

    Parameters
    ----------
    root : Path
        The folder. It must hold a plan; :meth:`create` makes one that does.

    Raises
    ------
    BundleError
        If there is no plan, or it is of another format version.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.plan: dict[str, Any] = self._read_plan()
        self.plan_sha256 = file_sha256(root / "plan.json")

    @classmethod
    def create(cls, root: Path, plan: Mapping[str, Any]) -> Bundle:
        """Start a bundle: the plan is on disk before anything is asked.

        A folder that already holds this very plan is opened instead, to be resumed; one that holds
        another plan is refused.
        """
        path = root / "plan.json"
        with disk_errors(path):
            there = path.exists()
        if there:
            bundle = cls(root)
            if canonical(bundle.plan) != canonical(plan):
                changed = ", ".join(differing_keys(bundle.plan, plan))
                raise BundleError(
                    Fault(
                        f"the plan there is another one (it differs in: {changed})",
                        str(path),
                        "A plan is not changed once it is declared: choose another --out, "
                        "and take over the answers with --reuse.",
                    )
                )
            return bundle
        with disk_errors(root):
            if root.exists() and (not root.is_dir() or any(not is_leftover(path) for path in root.iterdir())):
                raise BundleError(
                    Fault("not empty and not a bundle", str(root), "Choose an empty or new folder for --out.")
                )
            (root / "records").mkdir(parents=True, exist_ok=True)
        write_json(path, plan)
        return cls(root)

    def _read_plan(self) -> dict[str, Any]:
        path = self.root / "plan.json"
        if not self.root.exists():
            raise BundleError(Fault("no such folder", str(self.root), "Give the folder of an audit."))
        if not path.exists():
            raise BundleError(
                Fault("holds no plan.json", str(self.root), "Give the folder that `evenhand run` wrote.")
            )
        plan = read_json(path)
        if isinstance(plan, dict) and plan.get("kind") == "benchmark":
            raise BundleError(no_audit(self.root))
        version = plan.get("format") if isinstance(plan, dict) else None
        if version != FORMAT:
            raise BundleError(
                Fault(
                    f"bundle format {version!r}; this version of evenhand reads format {FORMAT}",
                    str(path),
                    "Use the version of evenhand named in environment.json.",
                )
            )
        faults = plan_faults(plan)
        if faults:
            what = f"not as evenhand writes a plan: {'; '.join(faults)}"
            raise BundleError(Fault(what, str(path), "Restore the file from a copy."))
        assert isinstance(plan, dict)
        return plan

    # -- records ------------------------------------------------------------------------------------

    @property
    def is_redacted(self) -> bool:
        """Whether it is a copy of another one, without the texts that a model wrote."""
        return os.path.lexists(self.root / REDACTION)

    def record_files(self) -> list[Path]:
        """The record files, in order."""
        folder = self.root / "records"
        return sorted(path for path in folder.glob("*.jsonl") if path.is_file() and path.stem.isdecimal())

    def lines(self) -> Iterator[tuple[Path, int, bytes]]:
        """Every record line with its file and line number, the line feed kept."""
        for path in self.record_files():
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    yield path, number, line

    def records(self) -> Iterator[Record]:
        """Every record, the chain checked on the way; a :class:`BundleError` where it breaks."""
        return (placed.record for placed in self.placed())

    def placed(self) -> Iterator[Placed]:
        """Every record with the place of its line, the chain checked on the way.

        Raises
        ------
        BundleError
            At the first record that does not follow from the one before it.
        """
        prev, offset = self.plan_sha256, 0
        for count, (path, number, line) in enumerate(self.lines()):
            offset = 0 if number == 1 else offset
            record = parse_record(line, f"{path}:{number}")
            if record.prev != prev or record.n != count:
                raise BundleError(
                    Fault(
                        f"record {record.n} does not follow from the one before it: the chain is broken",
                        f"{path}:{number}",
                        "The records were edited, cut or reordered. Restore the bundle from a copy.",
                    )
                )
            placed = Placed(record, path, offset, line)
            prev = placed.sha256
            yield placed
            offset += len(line)

    def drop_torn_line(self) -> bool:
        """Cut off a last line that a killed run left half written; say whether there was one."""
        files = self.record_files()
        if not files:
            return False
        last = files[-1]
        data = last.read_bytes()
        end = data.rfind(b"\n") + 1
        if end == len(data):
            return False
        with disk_errors(last), last.open("r+b") as file:
            file.truncate(end)
            os.fsync(file.fileno())
        return True

    @contextmanager
    def writer(self) -> Iterator[RecordWriter]:
        """The one writer of this bundle's records.

        Raises
        ------
        BundleError
            If another process is writing, the records there are broken, or the bundle is a redacted copy.
        """
        if self.is_redacted:
            remedy = "Go on in the original, and redact it again."
            raise BundleError(Fault("a redacted copy takes no answers", str(self.root), remedy))
        handle = (self.root / "plan.json").open("rb")  # always there, never replaced: what all runs can lock
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BundleError(
                    Fault("another run is writing here", str(self.root), "Wait for it, or stop it first.")
                ) from None
            self.drop_torn_line()
            yield RecordWriter(self)
        finally:
            handle.close()  # which gives up the lock

    # -- manifest -----------------------------------------------------------------------------------

    def write_manifest(self) -> None:
        """List every file with its size and hash, and hash the list."""
        files = [
            {
                "path": path.relative_to(self.root).as_posix(),
                "bytes": path.stat().st_size,
                "sha256": file_sha256(path),
            }
            for path in members(self.root)
        ]
        write_json(
            self.root / "manifest.json",
            {"format": FORMAT, "files": files, "files_sha256": sha256(canonical(files))},
        )


def members(root: Path) -> list[Path]:
    """Every file of the audit itself: what was made since, and passing files, left out; in order of path."""
    since = {MANIFEST, REVIEWS, ENGAGEMENT, SIDECAR, ATTESTATIONS, VERIFICATION}
    return sorted(
        path
        for path in root.rglob("*")
        if path.is_file()
        and not path.name.endswith(PARTIAL)
        and (top := path.relative_to(root).parts[0]) not in since
        and not top.startswith(REPORTS)
    )


class RecordWriter:
    """Appends records to a bundle, each write whole and on disk before the next question is asked."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.answered = KeptLines()
        self._prev = bundle.plan_sha256
        self._n = 0
        for placed in bundle.placed():
            self.answered.put(placed.record, placed.path, placed.offset, len(placed.line))
            self._prev = placed.sha256
            self._n += 1

    def append(self, answers: Sequence[tuple[str, Request, Response, str]]) -> None:
        """Keep answers: (model digest, request, response, hash of the record reused or empty)."""
        block = bytearray()
        prev, n = self._prev, self._n
        written: list[tuple[Record, int]] = []
        for model, request, response, reused_from in answers:
            record = Record(n, prev, model, request, response, reused_from)
            line = record.line()
            written.append((record, len(line) + 1))
            block += line + b"\n"
            prev, n = sha256(line), n + 1
        path = self._file()
        size = path.stat().st_size if path.exists() else 0
        descriptor = -1
        try:
            with disk_errors(path):
                descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
                view = memoryview(block)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
        except BundleError:
            if descriptor >= 0:
                os.ftruncate(descriptor, size)
            raise
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        self._prev, self._n = prev, n
        for record, length in written:
            self.answered.put(record, path, size, length)
            size += length

    def _file(self) -> Path:
        files = self.bundle.record_files()
        folder = self.bundle.root / "records"
        if not files:
            with disk_errors(folder):
                folder.mkdir(exist_ok=True)
            return folder / "00000.jsonl"
        if files[-1].stat().st_size < ROTATE_BYTES:
            return files[-1]
        return folder / f"{int(files[-1].stem) + 1:05d}.jsonl"


def differing_keys(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """The top-level keys in which two plans differ."""
    return [key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]

"""A redacted copy of an audit: every text that a model wrote replaced by its shape and its scores.

::

    plan.json  findings.json  provenance.json       ──▶  as they are
    environment.json  scorers.json
    reviews.jsonl  engagement.yaml
    attestations/
    records/                                        ──▶  line by line; what holds no such text as it is
    manifest.json                                   ──▶  the copy's own
                                                         redaction.json: what was replaced and left out
    reports, sidecar, all other files               ──▶  left out: they may hold such texts

Each redacted line keeps the SHA-256 of the line that it was made from, and every record is chained to that:
chain and head are those of the original. The same bundle gives the same bytes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from audit.attestation.statement import NO_FILE, hashes
from audit.bundle import (
    ATTESTATIONS,
    ENGAGEMENT,
    MANIFEST,
    PARTIAL,
    REDACTION,
    REVIEWS,
    Bundle,
    Record,
    disk_errors,
    refuse_benchmark,
    sha256,
    write_json,
)
from audit.kept import read_answers
from audit.records import Redacted
from audit.redaction.document import Redaction, read_redaction
from audit.redaction.masked import masked_word
from audit.redaction.stating import Stating
from audit.redaction.withheld import withheld
from audit.requests import Classify, Top, answer_digest
from audit.scorers.bundle_audit import SCORER_AUDITS
from probes.errors import BundleError, Fault

NEEDED = ("plan.json", "findings.json", "provenance.json", "environment.json")
"""Files that a finished audit has and a copy holds as they are: none holds what a model wrote."""
TAKEN = (*NEEDED, SCORER_AUDITS, REVIEWS, ENGAGEMENT)
"""And those that it may have. The scorers' own audits quote sentences of ours alone."""
RECORDS = "records"


def redact(root: Path, out: Path) -> Redaction:
    """Write a redacted copy of a finished audit, whole or not at all.

    Parameters
    ----------
    root : Path
        The bundle's folder; one that is redacted already is copied.
    out : Path
        A new or empty folder, outside the bundle.

    Raises
    ------
    BundleError
        If the audit is not finished, its records are broken, or the copy cannot be written there.
    """
    if not root.is_dir():
        raise BundleError(Fault("no such folder", str(root), "Give the folder of an audit."))
    try:
        refuse_benchmark(root)
    except BundleError:
        what = "holds the run of a published measure, of which no redacted copy is made"
        remedy = "Pass on its result.json, which holds numbers and no text that a model wrote."
        raise BundleError(Fault(what, str(root), remedy)) from None
    here, there = Path(os.path.realpath(root)), Path(os.path.realpath(out))
    if there.is_relative_to(here) or here.is_relative_to(there):
        what = "a copy within its original, or around it"
        raise BundleError(Fault(what, str(out), "Choose a folder elsewhere for --out."))
    with disk_errors(out):
        if os.path.lexists(out) and (out.is_symlink() or not out.is_dir() or any(out.iterdir())):
            raise BundleError(Fault("not an empty folder", str(out), "Choose an empty or new one for --out."))
        out.parent.mkdir(parents=True, exist_ok=True)
        passing = Path(tempfile.mkdtemp(prefix=out.name, suffix=PARTIAL, dir=out.parent))
        try:
            found = write_copy(Bundle(root), passing)
            passing.chmod(0o755)
            os.replace(passing, out)
        except BaseException:  # Ctrl-C leaves nothing either
            shutil.rmtree(passing, ignore_errors=True)
            raise
    return found


def write_copy(bundle: Bundle, out: Path) -> Redaction:
    """Write all files of a copy into an empty folder."""
    root = bundle.root
    for name in TAKEN:
        if (root / name).is_symlink():
            what = "is a link: what it leads to is no part of the audit"
            raise BundleError(Fault(what, str(root / name), "Put the file itself there."))
        if (root / name).is_file():
            shutil.copyfile(root / name, out / name)
        elif name in NEEDED:
            what = f"holds no {name}: the audit is not finished"
            raise BundleError(Fault(what, str(root), f"Finish it: evenhand run --out {root}."))
    folder = root / ATTESTATIONS
    if folder.is_dir() and not folder.is_symlink():
        (out / ATTESTATIONS).mkdir()
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.is_symlink() and not path.name.endswith(PARTIAL):
                shutil.copyfile(path, out / ATTESTATIONS / path.name)
    found = write_records(bundle, out)
    write_json(out / REDACTION, found.data())
    Bundle(out).write_manifest()
    return found


def write_records(bundle: Bundle, out: Path) -> Redaction:
    """Write the records of a copy; what it says of its original."""
    answers = read_answers(bundle)
    earlier = read_redaction(bundle.root) if bundle.is_redacted else None
    stating = Stating.of(bundle.plan, answers.responses)
    (out / RECORDS).mkdir()
    records = texts = 0
    for path in bundle.record_files():
        (out / RECORDS / path.name).touch()
    for path, record, line in redacted_lines(bundle, stating):
        with (out / RECORDS / path.name).open("ab") as file:
            file.write(line)
        if record.redacted is not None:
            records, texts = records + 1, texts + texts_of(record)
    if earlier is not None:
        return earlier
    found = {name: value for name, value in hashes(bundle.root).items() if value not in NO_FILE}
    files = {name.encode("utf-8", "backslashreplace").decode("utf-8"): found[name] for name in found}
    replaced = {name: value for name, value in files.items() if is_replaced(name)}
    left = {name: value for name, value in files.items() if name not in replaced and name not in TAKEN}
    return Redaction(bundle.plan_sha256, answers.head, records, texts, stating.digests, replaced, left)


def is_replaced(name: str) -> bool:
    """Whether a copy holds another version of a file, by its path below the bundle."""
    folder, _, file = name.partition("/")
    return name == MANIFEST or (folder == RECORDS and file.endswith(".jsonl") and file[:-6].isdecimal())


def redacted_lines(bundle: Bundle, stating: Stating) -> Iterator[tuple[Path, Record, bytes]]:
    """Every record as a copy holds it, with its line, and the file that it lies in."""
    for placed in bundle.placed():
        record = redacted(placed.record, placed.line[:-1], stating)
        line = placed.line if record is placed.record else record.line() + b"\n"
        yield placed.path, record, line


def redacted(record: Record, line: bytes, stating: Stating) -> Record:
    """A record without the texts that a model wrote; the record itself where it holds none.

    Parameters
    ----------
    line : bytes
        The record's, without the line feed.

    Raises
    ------
    BundleError
        If it answers what no audit asks, so that it is not known where in it a model's words stand.
    """
    request, response = record.request, record.response
    if record.redacted is not None:
        return record
    if isinstance(request, Top):
        what = f"record {record.n} holds words of a model that no audit asks for"
        raise BundleError(Fault(what, RECORDS, "See: evenhand verify."))
    asked = (
        [withheld(text) for text in (request.text, request.pair) if text]
        if isinstance(request, Classify)
        else []
    )
    if not asked and not response.samples:
        return record
    samples = [
        replace(sample, text="", withheld=replace(withheld(sample.text), scores=stating(sample.text)))
        for sample in response.samples
    ]
    words = tuple(map(masked_word, response.words))
    original = answer_digest(response)
    return replace(
        record,
        request=Classify("") if asked else request,
        response=replace(response, samples=tuple(samples), words=words, original=original),
        redacted=Redacted(sha256(line), record.digest if asked else "", tuple(asked)),
    )


def texts_of(record: Record) -> int:
    """How many texts of a redacted record are withheld."""
    asked = 0 if record.redacted is None else len(record.redacted.texts)
    return asked + sum(sample.withheld is not None for sample in record.response.samples)

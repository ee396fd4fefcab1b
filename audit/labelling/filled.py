"""A sheet that somebody filled in: read, checked row by row, and kept as labels of the reviews."""

from __future__ import annotations

import csv
import io
import math
import shlex
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.labelling.labels import labelled_ids
from audit.labelling.outputs import Outputs
from audit.labelling.sheet import COLUMNS, Mask, check_of, masker, refuse_withheld, shown_texts
from audit.measures.labels import LabelSet
from audit.review.events import Review, Target
from audit.review.log import append_reviews, read_reviews
from audit.spreadsheets import GUARD, table_bytes
from audit.wording import counted, visible
from probes.errors import Fault, InputError
from probes.explain import nearest

LARGEST = 200_000_000
"""Bytes of a sheet."""
LONGEST_NOTE = 10_000
SHOWN = 20
"""Faults that are named; the rest is counted."""
READ = ("id", "prompt", "text", "label", "note", "check")
"""Columns that are read."""
SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class FilledRow:
    """One row of a sheet, with the line on which it begins, from 1."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Brought:
    """What a sheet brought in.

    Attributes
    ----------
    rows : int
        Of the sheet.
    unfilled : int
        Without a label.
    new, changed, same : int
        Labels of outputs that the labeller had not labelled; had labelled otherwise; had labelled so, which
        adds nothing.
    seen : int
        Of these, labels of outputs whose value the labeller saw before: kept, and not counted as blind.
    """

    rows: int
    unfilled: int
    new: int
    changed: int
    same: int
    seen: int


def bring_in(outputs: Outputs, path: Path, labeller: str) -> Brought:
    """Keep the labels of a sheet in ``reviews.jsonl``, all of them or, where anything is wrong, none.

    The same sheet brought in twice adds nothing the second time.

    Parameters
    ----------
    labeller : str
        The name that stands beside every label.

    Raises
    ------
    InputError
        Naming every row that cannot be used: of no output of this audit, with a prompt or text that is not
        the one that was written out, a label that is none, or an id that stands twice; or if the labeller's
        name is one that is known in another spelling.
    BundleError
        If the reviews cannot be read or written.
    """
    refuse_withheld(outputs)
    rows = read_sheet(path)
    faults = list(row_faults(outputs, rows, str(path)))
    if faults:
        left = len(faults) - SHOWN
        more = [Fault(f"{counted(left, 'row')} more cannot be used", str(path), REMEDY)] if left > 0 else []
        raise InputError([*faults[:SHOWN], *more])
    events = read_reviews(outputs.root).events
    refuse_other_spelling(labeller, (event.reviewer for event in events))
    known = by_id(outputs)
    wanted = [row for row in rows if row.cells["label"]]
    chances = probabilities(outputs, [row.cells["id"] for row in rows], labelled_ids(outputs, events))
    standing = labels_so_far(events, labeller.strip())
    sighted = seen_by(events, labeller.strip())
    made = []
    counts = dict.fromkeys(("new", "changed", "same", "seen"), 0)
    for row in wanted:
        output = known[row.cells["id"]]
        labels = outputs.asked[output["suite"]].labels
        target = Target(*(str(output[name]) for name in ("model", "digest", "unit", "item")))
        given = (exact(row.cells["label"], labels), visible(row.cells["note"]))
        before = standing.get((target, labels.name))
        blind = target not in sighted
        counts["new" if before is None else "same" if before == given else "changed"] += 1
        counts["seen"] += not blind
        if before == given:
            continue
        made.append(
            {
                "kind": "label",
                "reviewer": labeller,
                "chain_sha256": outputs.findings["chain_sha256"],
                "model": target.model,
                "digest": target.digest,
                "unit": target.unit,
                "item": target.item,
                "question": labels.name,
                "label": given[0],
                "blind": blind,
                "flagged": True,  # its chance hangs on its score: it was not drawn at random from all
                "note": given[1],
                "drawn": {"stratum": output["stratum"], "probability": chances[output["stratum"]]},
            }
        )
    append_reviews(outputs.root, made)
    return Brought(rows=len(rows), unfilled=len(rows) - len(wanted), **counts)


def refuse_other_spelling(labeller: str, known: Iterable[str]) -> None:
    """Refuse a name that is a known one but for case, blanks or the form of accents: it is one person."""
    name, names = labeller.strip(), dict.fromkeys(known)
    alike = [other for other in names if plain_name(other) == plain_name(name)]
    if alike and name not in names:
        what = f"{name[:80]!r} is written {alike[0]!r} in the reviews so far"
        remedy = f"Give --by {shlex.quote(alike[0])}, or, for somebody else, a name that differs in more."
        raise InputError(Fault(what, "--by", remedy))


def plain_name(name: str) -> str:
    """A name without what people write in one way today and in another tomorrow.

    Examples
    --------
    >>> plain_name(" Ann  LEE") == plain_name("ann lee")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


REMEDY = "Nothing was brought in. Correct the sheet, or write it out again."


def read_sheet(path: Path) -> list[FilledRow]:
    """The rows of a CSV file as a spreadsheet may have saved it; rows without any text are left out.

    With or without a byte order mark, separated by commas, semicolons or tabs, in UTF-8, UTF-16 or Windows'
    own letters, with lines that end in any way.

    Raises
    ------
    InputError
        If it cannot be read, or a column is missing or stands twice.
    """
    text = decoded(table_bytes(path, LARGEST))
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    # A field may be as long as a text that a model wrote.
    csv.field_size_limit(LARGEST)
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=separator)
    try:
        head = [name.strip().casefold() for name in next(reader, [])]
        missing = [name for name in READ if name not in head]
        if missing:
            what = f"no column {', '.join(missing)}"
            remedy = f"A sheet has the columns {', '.join(COLUMNS)}; keep its first row as it is."
            raise InputError(Fault(what, str(path), remedy))
        twice = [name for name in READ if head.count(name) > 1]
        if twice:
            what = f"column {', '.join(twice)} stands twice"
            raise InputError(Fault(what, str(path), "Keep the one that is filled in."))
        rows, line = [], reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                there = dict(zip(head, cells, strict=False))
                rows.append(FilledRow(line, {name: there.get(name, "") for name in READ}))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(Fault(f"not CSV: {error}", f"{path}:{reader.line_num}", "Save it as CSV.")) from None
    stripped = ("id", "label", "note", "check")
    return [
        FilledRow(
            row.line, {**row.cells, **{name: row.cells[name].strip().lstrip(GUARD) for name in stripped}}
        )
        for row in rows
    ]


def decoded(content: bytes) -> str:
    """The text of a file as a spreadsheet may have encoded it."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def row_faults(outputs: Outputs, rows: Sequence[FilledRow], path: str) -> Iterator[Fault]:
    """Every row that cannot be used, in order."""
    known = by_id(outputs)
    mask: Mask | None = None
    lines: dict[str, int] = {}
    for row in rows:
        where = f"{path}:{row.line}"
        name = row.cells["id"]
        output = known.get(name)
        if output is None:
            yield Fault(f"id {name[:40]!r} is no output of this audit", where, "Bring it into its own audit.")
            continue
        if name in lines:
            remedy = "Keep one of the two rows."
            yield Fault(f"id {name} stands twice, first on line {lines[name]}", where, remedy)
            continue
        lines[name] = row.line
        if not is_unchanged(row, output, None):
            mask = mask or masker(outputs)
            if not is_unchanged(row, output, mask):
                remedy = "Write the sheet out again, and change the columns label and note alone."
                yield Fault(f"prompt, text or check of {name} is not as it was written out", where, remedy)
                continue
        labels = outputs.asked[output["suite"]].labels
        if row.cells["label"] and exact(row.cells["label"], labels) is None:
            what = f"no label {row.cells['label'][:40]!r}; the labels are {', '.join(labels.names)}"
            yield Fault(what, where, nearest(row.cells["label"], labels.names))
        if len(visible(row.cells["note"])) > LONGEST_NOTE:
            yield Fault(f"a note of more than {LONGEST_NOTE} characters", where, "Make it shorter.")


def by_id(outputs: Outputs) -> dict[str, dict[str, Any]]:
    """Every scored output by its id."""
    names = ("id", "model", "suite", "item", "digest", "unit", "text", "output", "stratum")
    columns = [outputs.scored[name].to_list() for name in names]
    return {row[0]: dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)}


def is_unchanged(row: FilledRow, output: Mapping[str, Any], mask: Mask | None) -> bool:
    """Whether a row shows the prompt and text of its output, and has the check that belongs to them."""
    name = str(output["id"])
    check = check_of(name, *shown_texts(output, mask))
    return check == row.cells["check"] == check_of(name, row.cells["prompt"], row.cells["text"])


def exact(given: str, labels: LabelSet) -> str | None:
    """A label as its set spells it, whatever its case; None where there is none such."""
    return next((name for name in labels.names if name.casefold() == given.casefold()), None)


def probabilities(outputs: Outputs, ids: Sequence[str], labelled: frozenset[str]) -> dict[str, float]:
    """Of each stratum, the share that is on the sheet or was labelled before."""
    rows = outputs.scored
    own = rows.assign(there=rows["id"].isin({*ids, *labelled}))
    shares = own.groupby("stratum")["there"].mean()
    return {str(stratum): float(share) for stratum, share in shares.items() if not math.isclose(share, 0.0)}


def labels_so_far(events: Sequence[Review], labeller: str) -> dict[tuple[Target, str], tuple[str, str]]:
    """Label and note that one person gave each output last on a sheet, by output and question."""
    return {
        (event.target, event.fields["question"]): (event.fields["label"], event.fields["note"])
        for event in events
        if "drawn" in event.fields and event.reviewer == labeller and event.target is not None
    }


def seen_by(events: Sequence[Review], labeller: str) -> frozenset[Target]:
    """The outputs of which one person has seen the machine's value."""
    return frozenset(
        event.target
        for event in events
        if event.reviewer == labeller
        and event.target is not None
        and (event.kind == "decision" or (event.kind == "label" and not event.fields["blind"]))
    )

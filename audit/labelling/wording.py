"""What people's labels come to, in words: terminal, pages and report alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from audit.labelling.contrasts import LEAST
from audit.labelling.filled import Brought
from audit.review.wording import NEITHER, interval_text, kappa_text
from audit.wording import MARKS, counted, in_points, p_text

CONTRAST_HEAD = ("difference", "the scorer finds", "people find", "labels", "verdict, by people")
"""Columns of :func:`contrast_cells`."""
ACCURACY_HEAD = ("scorer", "outputs about", "sensitivity", "specificity", "people find", "labels")
"""Columns of :func:`accuracy_cells`."""
WEIGHED = (
    "Every labelled output stands for those of its stratum that were not drawn: shares are of all outputs. "
    "The intervals of the scorers' figures take the outputs of a stratum as independent; those of the "
    "differences keep template families and terms whole."
)
WORDS = {"no disparity within margin": "within margin"}


def count_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """How much is labelled, and by whom."""
    counts = found["counts"]
    if not counts["labelled"]:
        yield f"No output is labelled yet, of {counts['outputs']:,} that were scored."
        return
    by = ", ".join(f"{name} {count}" for name, count in found["people"].items())
    text = f"{counts['labelled']:,} of {counted(counts['outputs'], 'scored output')} labelled ({by})"
    for key, words in (("unclear", "could not be told"), ("unsettled", "not settled between labellers")):
        if counts[key]:
            text += f"; {counts[key]} {words}"
    yield text


def labeller_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """How far every two people agree, overall and about groups of whom they differ and labelled enough."""
    known = group_labels(found)
    for row in found["labellers"]:
        if row["axis"] and (not row["disagreements"] or row["n"] < LEAST):
            continue
        one, other = row["reviewers"]
        whom = known.get((row["axis"], row["group"]), f"{row['axis']} {row['group']}".strip()) or "all"
        yield (
            f"{row['question']}, {one} and {other}, {whom}: {counted(row['n'], 'output')}, "
            f"{row['disagreements']} with different labels; kappa {kappa_text(row['kappa'])}"
        )


def group_labels(found: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """What groups are called, by axis and group, as far as the differences of an analysis name them."""
    return {
        (row["axis"], row[side]): row[f"{side}_label"]
        for row in found["contrasts"]
        if not row["crossed_axis"]
        for side in ("reference", "group")
    }


def accuracy_cells(row: Mapping[str, Any], known: Mapping[tuple[str, str], str]) -> tuple[str, ...]:
    """One row of the table of scorers, in the order of ``ACCURACY_HEAD``; ``known``: :func:`group_labels`."""
    whom = known.get((row["axis"], row["group"]), f"{row['axis']} {row['group']}".strip()) or "anybody"
    shares = (interval_text(row[key], ".0%") for key in ("sensitivity", "specificity", "prevalence"))
    notes = "; ".join(row["notes"]).replace("; few labels for ", " and ")
    notes = f"; {notes}" if notes else ""
    lost = sum(row[key] for key in ("unclear", "unsettled"))
    without = f", {lost} unclear or unsettled" if lost else ""
    return (row["scorer"], whom, *shares, f"{row['labelled']} of {row['outputs']:,}{without}{notes}")


def contrast_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """One row of the table of differences, in the order of ``CONTRAST_HEAD``."""
    crossed = f" ({row['crossed_group_label']} against {row['crossed_reference_label']})"
    name = f"{row['group_label']} and {row['reference_label']}{crossed if row['crossed_axis'] else ''}"
    labels = f"{row['labels']['group']} and {row['labels']['reference']}"
    return name, side_text(row, "scorer"), side_text(row, "people"), labels, judged_text(row)


def side_text(row: Mapping[str, Any], side: str) -> str:
    """The shares of both groups by scorer or people, and their difference."""
    shares = [row["rates"][name][side] for name in ("group", "reference")]
    told = " and ".join(NEITHER if share is None else f"{share:.0%}" for share in shares)
    gap = row[side]
    if gap["estimate"] is None:
        return f"{told}; no difference computed"
    return f"{told}: {in_points(gap)}, p {p_text(gap['p_adjusted'])}"


def judged_text(row: Mapping[str, Any]) -> str:
    """The verdict of one difference, what it says of the scorer's, and what is needed."""
    verdict = WORDS.get(row["verdict"], row["verdict"])
    text = f"{MARKS[row['verdict']]} {verdict}: {row['says']}"
    needed = row["needed"]
    if needed is None:
        return text
    if needed["labels"] is None:
        return f"{text}; {needed['reason']}"
    reason = f": {needed['reason']}" if needed["reason"] else ""
    return f"{text}; about {counted(needed['labels'], 'label')} more needed{reason}"


def by_suite(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, list[Mapping[str, Any]]]]:
    """Rows by model and suite, in order."""
    for (model, suite), own in groupby(rows, key=lambda row: (row["model"], row["suite"])):
        yield model, suite, list(own)


def told_tables(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The tables of an analysis: ``name, caption, head, rows``, each of one model and suite."""
    known = group_labels(found)
    right, gap = "How often scorers find what people find", "Differences by the primary scorer and by people"
    for model, suite, own in by_suite(found["accuracy"]):
        caption = f"{right}: {own[0]['found']}, {suite}, {model}"
        rows = [accuracy_cells(row, known) for row in own]
        yield {"name": "accuracy", "caption": caption, "head": ACCURACY_HEAD, "rows": rows}
    for model, suite, own in by_suite(found["contrasts"]):
        caption = f"{gap}, in percentage points: {own[0]['found']}, {suite}, {model}"
        rows = [contrast_cells(row) for row in own]
        yield {"name": "contrasts", "caption": caption, "head": CONTRAST_HEAD, "rows": rows}


def brought_text(found: Brought) -> str:
    """What a sheet brought in, in one sentence.

    Examples
    --------
    >>> brought_text(Brought(rows=3, unfilled=1, new=2, changed=0, same=0, seen=0))
    '2 new labels, 0 changed, 0 there already, 1 of 3 rows without a label'
    """
    parts = [
        counted(found.new, "new label"),
        f"{found.changed} changed",
        f"{found.same} there already",
        f"{found.unfilled} of {counted(found.rows, 'row')} without a label",
    ]
    text = ", ".join(parts)
    if found.seen:
        text += f"; {found.seen} by somebody who had seen the machine's value: kept, and not counted as blind"
    return text

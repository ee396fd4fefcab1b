"""The sheet that people fill in: one output a row, in random order, and nothing of the machine's scores."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from audit.analysis.controls import generator
from audit.bundle import Bundle, disk_errors, this_writer, write_whole
from audit.labelling.outputs import Outputs
from audit.measures.labels import LabelSet
from audit.spreadsheets import GUARD, guarded
from audit.wording import visible
from probes.errors import Fault, InputError

COLUMNS = ("id", "question", "prompt", "text", "label", "note", "check")
CHECK_LENGTH = 16
"""Hexadecimal digits that tie a row's id to its prompt and text."""
Mask = Callable[[str], str]
"""Takes a text to one in which nobody's group is named."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    sheet: Path
    instructions: Path
    rows: int


def write_sheet(
    outputs: Outputs, rows: pd.DataFrame, path: Path, seed: int, mask: Mask | None = None
) -> Exported:
    """Write a sheet and, beside it, its instructions.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``Outputs.frame``.
    path : Path
        Of the sheet, ``.csv``; the instructions have its name and ``.md``. Neither may be there yet, since
        somebody may have filled it in, and both lie outside the bundle.
    seed : int
        Of the order of the rows, beside the plan's.
    mask : callable, optional
        Applied to prompts and texts.

    Raises
    ------
    InputError
        If there is nothing to write, or a file cannot be written there.
    """
    if rows.empty:
        remedy = "Everything that was asked for is labelled; ask for more with --total or --per-stratum."
        raise InputError(Fault("there is nothing to put on a sheet", str(path), remedy))
    refuse_withheld(outputs)
    refuse_place(outputs.root, path)
    order = generator(outputs.plan["seed"], "sheet", str(seed)).permutation(len(rows))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for place in order:
        writer.writerow(cells_of(outputs, dict(rows.iloc[place].items()), mask).values())
    beside = path.with_suffix(".md")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    # With a byte order mark, without which a common spreadsheet reads UTF-8 as something else.
    write_whole(path, file.getvalue().encode("utf-8-sig"), this_writer())
    write_whole(beside, instructions(outputs, rows, path.name).encode("utf-8"), this_writer())
    return Exported(path, beside, len(rows))


def refuse_withheld(outputs: Outputs) -> None:
    """Refuse a bundle that holds no texts to label."""
    if Bundle(outputs.root).is_redacted:
        remedy = "Label in the bundle that it was made from."
        raise InputError(Fault("the texts of this bundle are withheld", str(outputs.root), remedy))


def refuse_place(root: Path, path: Path) -> None:
    """Refuse a place for a sheet that is taken, lies in the bundle, or is no CSV file."""
    if path.suffix.lower() != ".csv":
        raise InputError(Fault("a sheet is a .csv file", str(path), "Give a name that ends in .csv."))
    if root.resolve() in path.resolve().parents:
        remedy = "A bundle holds what its manifest lists. Give a place outside of it."
        raise InputError(Fault("a sheet within the bundle", str(path), remedy))
    for each in (path, path.with_suffix(".md")):
        if each.exists():
            remedy = "Somebody may have filled it in. Give another name, or move it away."
            raise InputError(Fault("is there already", str(each), remedy))


def cells_of(outputs: Outputs, row: Mapping[str, Any], mask: Mask | None) -> dict[str, str]:
    """One row of the sheet by column."""
    labels = outputs.asked[row["suite"]].labels
    prompt, text = shown_texts(row, mask)
    cells = {
        "id": row["id"],
        "question": f"{labels.question} ({' | '.join(labels.names)})",
        "prompt": prompt,
        "text": text,
        "label": "",
        "note": "",
        "check": check_of(row["id"], prompt, text),
    }
    return {name: guarded(cell) for name, cell in cells.items()}


def shown_texts(row: Mapping[str, Any], mask: Mask | None) -> tuple[str, str]:
    """Prompt and output of a row as the sheet shows them."""
    one, other = (
        visible(text) if mask is None else visible(mask(text)) for text in (row["text"], row["output"])
    )
    return one, other


def check_of(name: str, prompt: str, text: str) -> str:
    """What ties an id to its prompt and text, however a spreadsheet breaks lines and spaces.

    Examples
    --------
    >>> check_of("a", "The", " cat  sat") == check_of("a", "'The ", "cat sat") != check_of("a", "The", "dog")
    True
    """
    plain = [" ".join(part.split()).lstrip(f"{GUARD} ") for part in (prompt, text)]
    return hashlib.sha256("\0".join([name, *plain]).encode("utf-8")).hexdigest()[:CHECK_LENGTH]


def instructions(outputs: Outputs, rows: pd.DataFrame, sheet: str) -> str:
    """What a labeller is told: the question, each label with its meaning, and how to fill in the sheet."""
    asked: dict[str, LabelSet] = {
        outputs.asked[suite].labels.name: outputs.asked[suite].labels
        for suite in dict.fromkeys(rows["suite"])
    }
    parts = [
        f"# How to fill in {sheet}",
        "Each row is one text that a language model wrote, `text`, after the words in `prompt`. Read both "
        "and write one label into `label`. `note` is yours. Leave every other column as it is; the order of "
        "the rows does not matter. A row without a label is simply not labelled, so you may stop at any time "
        "and hand in what you have.",
        "Judge the text alone, by what it says, and not by what you think of the people in it. Do not look "
        "up what a program made of it, and do not talk about it with others who label, until all are done.",
        "Some of these texts may be rude or hateful. They are shown because somebody has to judge them. Do "
        "not pass the sheet on, and stop where it is too much.",
    ]
    for labels in asked.values():
        lines = "\n".join(f"- `{label.name}`: {label.meaning}" for label in labels.labels)
        parts.append(f"## {labels.question}\n\n{lines}")
    parts.append(
        "## When you are done\n\nSave the sheet as CSV, in UTF-8. It is brought in with\n\n"
        f'    evenhand label DIR --import {sheet} --by "YOUR NAME"'
    )
    return "\n\n".join(parts) + "\n"


def masker(outputs: Outputs) -> Mask:
    """What replaces every word by which the plan's lexicons name groups."""
    from audit.scorers.masking import group_words, mask_groups

    words = group_words(
        lexicon for planned in outputs.suites.values() for lexicon in planned.lexicons.values()
    )
    return lambda text: mask_groups(text, words)

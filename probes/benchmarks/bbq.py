"""Reads BBQ (Parrish et al. 2022): questions about two people, asked before and after a context tells.

Each item is one filled template: a context, a question, two people and an *unknown* to choose from. Ambiguous
contexts say nothing that answers the question; disambiguated ones do. A *negative* question asks who has the
harmful trait of a stereotype, a *non-negative* one who has not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import Fault, InputError

DATASET = "bbq"
CATEGORIES = (
    "Age",
    "Disability_status",
    "Nationality",
    "Physical_appearance",
    "Religion",
    "Sexual_orientation",
)
"""The categories whose files are known, each ``bbq/data/NAME.jsonl``."""
OPTIONS = ("ans0", "ans1", "ans2")
"""Parts of an item's texts that may be chosen."""

_TEXTS = ("context", "question", *OPTIONS)
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "question_polarity": ("neg", "nonneg"),
    "context_condition": ("ambig", "disambig"),
}


def bbq_items(data: DataFolder, categories: tuple[str, ...] = CATEGORIES) -> list[BenchmarkItem]:
    """The items of some categories, in the order of the files.

    Returns
    -------
    list of BenchmarkItem
        ``id``: ``Age-0``, category and example id. ``texts``: ``context``, ``question``, ``ans0``, ``ans1``,
        ``ans2``. ``subset``: the category. ``cluster``: category and template (``question_index``).
        ``labels``: ``polarity`` (``neg``, ``nonneg``), ``context`` (``ambig``, ``disambig``), ``correct``,
        ``unknown``, ``target``, ``other`` and ``biased``, each one of :data:`OPTIONS`, and ``group``, what
        the data call the target's group. Where the target cannot be told, ``target``, ``other`` and
        ``biased`` are empty, and ``underived`` says why.

    Raises
    ------
    InputError
        If a file is missing, is not the published one, or is malformed, with its line.

    Notes
    -----
    The *target* is the option whose group or name (``answer_info``) is among ``stereotyped_groups``. The
    *biased* answer is the target to a negative question, and the other person to a non-negative one (section
    5 of the paper). The published script reads both from a file that is not needed here.
    """
    items: list[BenchmarkItem] = []
    for category in categories:
        items += read_bbq(data.file(DATASET, f"bbq/data/{category}.jsonl"), category)
    return items


def read_bbq(path: Path, category: str) -> list[BenchmarkItem]:
    """The items of one file; see :func:`bbq_items`."""
    items: dict[str, BenchmarkItem] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        item = _item(_row(path, number, line), category, f"{path}:{number}")
        if item.id in items:
            raise InputError(Fault(f"a second item {item.id}", f"{path}:{number}", "Correct the file."))
        items[item.id] = item
    if not items:
        raise InputError(Fault("no items", str(path), "Fetch the file again."))
    return list(items.values())


def item_id(category: str, example: object) -> str:
    """How an item is called, whichever file names it by category and example id.

    Examples
    --------
    >>> item_id("Age", 12)
    'Age-12'
    """
    return f"{category}-{example}"


def _row(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(Fault(f"not JSON: {error}", f"{path}:{number}", "Correct the file.")) from None
    if not isinstance(row, dict):
        raise InputError(Fault("not an object", f"{path}:{number}", "Correct the file."))
    return row


def _item(row: dict[str, Any], category: str, where: str) -> BenchmarkItem:
    fault = _misshapen(row, category)
    if fault:
        raise InputError(Fault(fault, where, "Correct the file."))
    info: dict[str, list[str]] = row["answer_info"]
    unknown = [part for part in OPTIONS if info[part][-1] == "unknown"]
    if len(unknown) != 1:
        what = f"{len(unknown)} of the three options are unknown; exactly one must be"
        raise InputError(Fault(what, where, "Correct answer_info."))
    persons = [part for part in OPTIONS if part not in unknown]
    stereotyped = {group.casefold() for group in row["additional_metadata"]["stereotyped_groups"]}
    hits = {part: [name for name in info[part] if name.casefold() in stereotyped] for part in persons}
    targets = [part for part in persons if hits[part]]
    labels = {
        "polarity": row["question_polarity"],
        "context": row["context_condition"],
        "correct": OPTIONS[row["label"]],
        "unknown": unknown[0],
        **_sides(targets, persons, row["question_polarity"]),
        "group": hits[targets[0]][-1] if len(targets) == 1 else "",
    }
    return BenchmarkItem(
        item_id(category, row["example_id"]),
        {part: row[part] for part in _TEXTS},
        category,
        f"{category} {row['question_index']}",
        labels,
    )


def _sides(targets: list[str], persons: list[str], polarity: str) -> dict[str, str]:
    if len(targets) != 1:
        who = "both people" if targets else "neither person"
        reason = f"{who} of the stereotyped groups"
        return {"target": "", "other": "", "biased": "", "underived": reason}
    target = targets[0]
    other = next(part for part in persons if part != target)
    return {"target": target, "other": other, "biased": target if polarity == "neg" else other}


def _misshapen(row: dict[str, Any], category: str) -> str:
    """What is wrong with a row; empty where nothing is."""
    for key in _TEXTS:
        if not isinstance(row.get(key), str) or not row[key].strip():
            return f"no text {key!r}"
    if row.get("category") != category:
        return f"of category {row.get('category')!r}, in the file of {category}"
    for key, known in _CHOICES.items():
        if row.get(key) not in known:
            return f"{key} is {row.get(key)!r}, not {' or '.join(known)}"
    if type(row.get("label")) is not int or not 0 <= row["label"] < len(OPTIONS):
        return f"label is {row.get('label')!r}, not 0, 1 or 2"
    if type(row.get("example_id")) is not int or not isinstance(row.get("question_index"), str):
        return "no example_id or no question_index"
    info, further = row.get("answer_info"), row.get("additional_metadata")
    if not isinstance(info, dict) or not all(_names(info.get(part)) for part in OPTIONS):
        return "answer_info does not name each option"
    if not isinstance(further, dict) or not _names(further.get("stereotyped_groups")):
        return "no stereotyped_groups"
    return ""


def _names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)

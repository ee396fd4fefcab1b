"""Reader of RealToxicityPrompts: openings of sentences from the web, with their published toxicity.

One item a prompt, named by its place in the corpus (document, begin and end of the sentence). Part
``prompt`` is continued. ``subset`` is ``toxic`` where the published toxicity exceeds .5, else ``nontoxic``:
the rule of the paper, whatever file a prompt lies in. ``cluster`` is the document. Labels:

* ``toxicity``: published, of the prompt, 0 to 1; ``continuation``: of the human continuation, empty where the
  scorer failed;
* ``group``: the group that the prompt names, by a lexicon or as the user says; empty where it names none, or
  more than one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.catalogue import load_lexicon
from probes.errors import Fault, InputError

TOXIC = 0.5
"""A toxicity above it is toxic; one equal to it is not."""


def read(folder: DataFolder) -> list[BenchmarkItem]:
    """Every prompt, in the order of the files; the four records that stand in both files once.

    Raises
    ------
    InputError
        If a file is missing, is not the published one, or does not have its shape, with the line.
    """
    items: dict[str, BenchmarkItem] = {}
    for path in folder.files("real-toxicity-prompts"):
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                Fault(f"not UTF-8 at byte {error.start}", str(path), "Fetch it again.")
            ) from None
        for line, content in enumerate(text.split("\n"), start=1):
            if content.strip():
                item = _item(content, f"{path}:{line}")
                if items.setdefault(item.id, item) != item:
                    what = f"a second prompt {item.id}, which differs from the first"
                    raise InputError(Fault(what, f"{path}:{line}", "Correct the line."))
    return list(items.values())


def with_groups(items: list[BenchmarkItem], groups: Mapping[str, str]) -> list[BenchmarkItem]:
    """The items with label ``group``: from a mapping of their ids, else empty."""
    return [replace(item, labels={**item.labels, "group": groups.get(item.id, "")}) for item in items]


def named_groups(items: list[BenchmarkItem], lexicon: str, axis: str) -> dict[str, str]:
    """The one group of an axis that a prompt names, by the prompt's id.

    A term counts as a whole word, in the singular or plural; proper names keep their capital. Prompts that
    name two groups are in neither.

    Examples
    --------
    >>> item = BenchmarkItem("a", {"prompt": "My sisters and I"})
    >>> both = BenchmarkItem("b", {"prompt": "The man and the woman"})
    >>> named_groups([item, both], "gendered-terms", "gender")
    {'a': 'women'}
    """
    known = load_lexicon(lexicon)
    patterns: dict[str, re.Pattern[str]] = {}
    for group in known.axes[axis].groups:
        words = [form for term in known.of_group(axis, group) for form in _forms(term.text)]
        flags = re.IGNORECASE if all(word[0].islower() for word in words) else re.NOFLAG
        patterns[group] = re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", flags)
    found = {}
    for item in items:
        named = [group for group, pattern in patterns.items() if pattern.search(item.texts["prompt"])]
        if len(named) == 1:
            found[item.id] = known.axes[axis].groups[named[0]]
    return found


def _forms(word: str) -> list[str]:
    """A noun or adjective in the singular and, as English mostly makes it, the plural."""
    if word.endswith("man"):
        return [word, word[:-2] + "en", word + "s"]
    if word.endswith("fe"):
        return [word, word[:-2] + "ves"]
    return [word, word[:-1] + "ies" if word.endswith("y") else word + "s"]


def _item(content: str, where: str) -> BenchmarkItem:
    try:
        row = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(Fault(f"not JSON: {error}", where, "Check the line.")) from None
    prompt, continuation = (_part(row, name) for name in ("prompt", "continuation"))
    if not all(isinstance(value, dict) for value in (prompt, continuation)):
        raise InputError(Fault("no prompt with its continuation", where, "Give both, each with its scores."))
    text, toxicity, after = prompt.get("text"), prompt.get("toxicity"), continuation.get("toxicity")
    if not isinstance(text, str) or not text.strip():
        raise InputError(Fault("the prompt has no text", where, "Correct the line."))
    if not _share(toxicity):
        raise InputError(Fault("the prompt has no toxicity from 0 to 1", where, "Correct the line."))
    if after is not None and not _share(after):
        raise InputError(Fault("the continuation has no toxicity from 0 to 1", where, "Correct the line."))
    document = Path(str(row.get("filename") or "")).stem
    if not document or not isinstance(row.get("begin"), int) or not isinstance(row.get("end"), int):
        raise InputError(Fault("no filename, begin and end", where, "Correct the line."))
    labels = {"toxicity": repr(float(toxicity)), "continuation": "" if after is None else repr(float(after))}
    subset = "toxic" if toxicity > TOXIC else "nontoxic"
    return BenchmarkItem(
        f"{document}-{row['begin']}-{row['end']}", {"prompt": text}, subset, document, labels
    )


def _part(row: Any, name: str) -> Any:
    return row.get(name) if isinstance(row, dict) else None


def _share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1.0

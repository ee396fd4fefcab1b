"""Word lists and sentences of the association tests WEAT and SEAT, a file a test, as published.

An item is one word or sentence of one of the four sets of one test:

* ``texts``: ``vector``, what is embedded;
* ``subset``: the test, named as its file (``weat6``, ``sent-weat6``);
* ``cluster``: the word, which several sentences share: ``weat6: john``;
* ``labels``: ``role`` (``targ1``, ``targ2``, ``attr1``, ``attr2``), ``category`` (the set's published name)
  and ``word``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import Fault, InputError

ROLES = ("targ1", "targ2", "attr1", "attr2")
"""The two sets of targets X and Y, and the two of attributes A and B."""

FRAME = frozenset(
    ("this", "that", "these", "those", "there", "here", "it", "they", "is", "are", "a", "an", "the", "can")
).union(("thing", "things", "person", "person's", "people", "name", "will", "did", "may"))
"""Words of the published templates, which say nothing of the word that they hold."""


def word_tests(data: DataFolder) -> list[BenchmarkItem]:
    """The tests of single words (Caliskan et al. 2017; May et al. 2019)."""
    return [item for path in data.files("weat") for item in read_test(path)]


def sentence_tests(data: DataFolder) -> list[BenchmarkItem]:
    """The tests of sentences (May et al. 2019)."""
    return [item for path in data.files("seat") for item in read_test(path)]


def read_test(path: Path) -> list[BenchmarkItem]:
    """One test from its file: one JSON object, in spite of its name ``.jsonl``.

    Raises
    ------
    InputError
        If the file is not a test of four sets that hold different texts.
    """
    test = path.stem
    items = []
    for role, (category, examples) in _sets(path).items():
        word = ""
        for number, text in enumerate(examples):
            word = _same_word(word, content_word(text)) if test.startswith("sent-") else text.lower()
            labels = {"role": role, "category": category, "word": word}
            items.append(
                BenchmarkItem(f"{test}/{role}/{number}", {"vector": text}, test, f"{test}: {word}", labels)
            )
    return items


def content_word(sentence: str) -> str:
    """What a published sentence is about: its words without those of the templates, in lower case.

    Examples
    --------
    >>> content_word("These are flowers."), content_word("Here he is.")
    ('flowers', 'he')
    """
    words = (word.strip(".,!?").lower() for word in sentence.split())
    return " ".join(word for word in words if word not in FRAME)


def _same_word(before: str, word: str) -> str:
    """The word of the sentence before where this one has its plural, else this one.

    The published sentences of one word stand together, its plurals behind its singular.
    """
    plurals = {before + "s", before + "es", before.replace("man", "men"), before + "ren"}
    for end, plural in (("y", "ies"), ("f", "ves"), ("fe", "ves")):
        if before.endswith(end):
            plurals.add(before.removesuffix(end) + plural)
    return before if before and word in plurals else word


def _sets(path: Path) -> dict[str, tuple[str, list[str]]]:
    data = _json(path)
    faults = []
    found = {}
    for role in ROLES:
        given = data.get(role)
        examples = given.get("examples") if isinstance(given, dict) else None
        category = given.get("category") if isinstance(given, dict) else None
        if not (isinstance(examples, list) and isinstance(category, str)):
            faults.append(Fault(f"no category and examples of {role}", f"{path}:{role}", "Give both."))
        elif not examples or not all(isinstance(text, str) and text.strip() for text in examples):
            faults.append(Fault("not a list of texts", f"{path}:{role}.examples", "Give texts only."))
        elif len(set(examples)) < len(examples):
            twice = next(text for text in examples if examples.count(text) > 1)
            faults.append(Fault(f"{twice!r} stands twice", f"{path}:{role}.examples", "Give it once."))
        else:
            found[role] = (category, list(examples))
    if faults:
        raise InputError(faults)
    return found


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes().decode("utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(Fault(f"not JSON: {error.msg}", f"{path}:{error.lineno}", "Check it.")) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise InputError(Fault(f"not JSON in UTF-8: {error}", str(path), "Check the file.")) from None
    if not isinstance(data, dict):
        raise InputError(Fault("not a JSON object", f"{path}:1", "Give the four sets by name."))
    return data

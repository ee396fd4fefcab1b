"""Sentences about identity terms with a label, for classifiers of toxicity (Dixon et al. 2018).

An item is one sentence, made of a template, a word that makes it abusive or not, and an identity term:

* ``texts``: ``text``;
* ``subset``: the identity term; empty where the sentence names an occupation instead;
* ``cluster``: the word that makes it abusive or not, which sentences about all terms and names share;
* ``labels``: ``toxic`` (``yes`` or ``no``, as published) and ``template``.
"""

from __future__ import annotations

import csv
import io
import re

from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import Fault, InputError
from probes.explain import nearest

PATH = "madlibs_identity/archive/unintended_ml_bias/eval_datasets/bias_madlibs_77k.csv"

TEMPLATES = {
    "am_hate_adj": re.compile(r"i (?P<carrier>am|hate) (?P<identity>.+)"),
    "being_adj": re.compile(r"Being (?P<identity>.+) is (?P<carrier>\S+)\."),
    "name_adj": re.compile(r".+ is a (?P<carrier>\S+) (?P<identity>.+)"),
    "verb_adj": re.compile(r"(?P<carrier>\S+) (?P<identity>.+)"),
    "you_are_adj": re.compile(r"You are a (?P<carrier>\S+) (?P<identity>.+)"),
    "you_occupation": re.compile(r"You are a (?P<carrier>\S+) (?P<occupation>.+)"),
}
"""How each published template is put together."""

_LABELS = {"BAD": "yes", "NOT_BAD": "no"}


def read(data: DataFolder) -> list[BenchmarkItem]:
    """Every sentence, by its row from 0.

    Raises
    ------
    InputError
        If a row is not of a known template and label.
    """
    path = data.file("madlibs", PATH)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        columns = reader.fieldnames or []
        for wanted in ("Text", "Label", "Template"):
            if wanted not in columns:
                raise InputError(Fault(f"no column {wanted}", f"{path}:1", "Give Text, Label, Template."))
        return [_item(n, row, f"{path}:{reader.line_num}") for n, row in enumerate(reader)]
    except UnicodeDecodeError as error:
        raise InputError(Fault(f"not UTF-8 at byte {error.start}", str(path), "Save it as UTF-8.")) from None
    except csv.Error as error:
        raise InputError(Fault(f"not a table: {error}", str(path), "Check the quoting.")) from None


def _item(number: int, row: dict[str, str | None], where: str) -> BenchmarkItem:
    text, label, template = (row[name] or "" for name in ("Text", "Label", "Template"))
    if label not in _LABELS:
        raise InputError(Fault(f"no label {label!r}", where, nearest(label, _LABELS)))
    if template not in TEMPLATES:
        raise InputError(Fault(f"no template {template!r}", where, nearest(template, TEMPLATES)))
    found = TEMPLATES[template].fullmatch(text)
    if found is None:
        raise InputError(Fault(f"not a sentence of the template {template}", where, "Correct the row."))
    parts = found.groupdict()
    return BenchmarkItem(
        str(number),
        {"text": text},
        parts.get("identity", ""),
        parts["carrier"].lower(),
        {"toxic": _LABELS[label], "template": template},
    )

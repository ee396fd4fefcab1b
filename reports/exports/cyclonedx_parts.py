"""What the parts of a bill of materials share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reports.exports.files import about_model
from reports.text import value_text

Data = Mapping[str, Any]
Part = dict[str, Any]

HEX64 = re.compile(r"[0-9a-f]{64}")
"""A digest of the one kind that this project makes."""
LONGEST_VERSION = 1024
"""Characters that CycloneDX allows a version."""
NOTES = {
    "measured": "measured by this program",
    "declared": "declared; not verified",
    "derived": "derived by a rule from what was found",
}
"""How a claim that has a value is known."""
LICENCES = ("dataset_licence:", "upstream_licence:")
"""How the fields of the ledger begin that state a data set's licence; its name follows."""
SCORER = "scorer:"
"""How the subjects of the ledger begin that are scorers; a name follows."""
DATASETS = ("datasets", "upstream_datasets")
"""Fields of the ledger that name data sets."""


def prop(name: str, value: str) -> Part:
    """A property under this project's name."""
    return {"name": f"evenhand:{name}", "value": value}


def known(told: Mapping[str, Data], field: str) -> str | None:
    """What is known of a field, as text; None where nobody knows it, or several say different things."""
    row = told.get(field)
    return value_text(row["value"]) if row is not None and row["status"] in NOTES else None


def claim_text(row: Data) -> str:
    """A claim with how it is known and from where: what is not known says where it was looked for."""
    by = f", by {row['declared_by']}" if row["declared_by"] else ""
    value = "" if row["value"] is None else f": {value_text(row['value'])}"
    return f"{row['status']}{value} ({row['source']}{by})"


def named_datasets(told: Mapping[str, Data]) -> list[str]:
    """The data sets that a model is said to be trained on, one by one, where the ledger names any."""
    rows = (told[field] for field in DATASETS if field in told)
    lists = (row["value"] for row in rows if isinstance(row["value"], list))
    return list(dict.fromkeys(str(name) for names in lists for name in names))


def licence_fields(told: Mapping[str, Data], name: str) -> list[str]:
    """Fields of the ledger that speak of a data set's licence, those with an answer first."""
    fields = [begin + name for begin in LICENCES if begin + name in told]
    return sorted(fields, key=lambda field: known(told, field) is None)


def scorer_subjects(data: Data) -> list[str]:
    """The scorers of the audit, as subjects of the ledger, in its order."""
    subjects = dict.fromkeys(row["subject"] for row in data["provenance"]["claims"])
    return [subject for subject in subjects if subject.startswith(SCORER)]


def training_refs(data: Data, number: int) -> list[str]:
    """References of what a model, by its number from 1, was trained on: the whole, then what is named."""
    told = about_model(data, data["cover"]["models"][number - 1]["id"])
    parts = range(1, len(named_datasets(told)) + 1)
    return [f"training-data-{number}", *(f"training-data-{number}-{part}" for part in parts)]

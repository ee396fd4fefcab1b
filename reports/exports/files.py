"""What the exports share: names of files, identifiers made from hashes, times, and JSON."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from audit.bundle import PassingFile

Data = Mapping[str, Any]
Content = bytes | PassingFile
"""What a file is to hold: bytes, or a passing file where that is too large for memory."""

NAMESPACE = uuid.UUID("6f1b7a52-0c9e-5b0d-9d54-1f7c2d6f4e21")
"""Of the identifiers that are made from this project's hashes; chosen once, at random."""
UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?|data", re.IGNORECASE)
"""Names that some systems, or the formats, keep for themselves."""
LONGEST = 80
"""Characters of a part of a file's name."""
NOT_STATED = "not stated"
COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def component(name: str) -> str:
    """A name as one part of a path that every file system takes; what had to change gets a mark of its own.

    Examples
    --------
    >>> component("bert-base-uncased"), component("a/b"), component("..")
    ('bert-base-uncased', 'a_b-c14cddc033f6', '_-5ec1f7e700f3')
    """
    plain = UNSAFE.sub("_", name).strip(".")
    if plain == name and name and len(name) <= LONGEST and not RESERVED.fullmatch(name):
        return name
    mark = hashlib.sha256(name.encode("utf-8")).hexdigest()[:12]
    plain = f"_{plain}" if not plain or RESERVED.fullmatch(plain) else plain
    return f"{plain[: LONGEST - len(mark) - 1]}-{mark}"


def uuid5_of(*parts: str) -> str:
    """A UUID of version 5 made from texts: the same texts, the same UUID."""
    return str(uuid.uuid5(NAMESPACE, json.dumps(parts)))


def uuid4_of(*parts: str) -> str:
    """A UUID in the form of version 4, for formats that insist on it, made from texts and not by chance."""
    content = hashlib.sha256(json.dumps([str(NAMESPACE), *parts]).encode("utf-8")).digest()
    return str(uuid.UUID(bytes=content[:16], version=4))


def when(cover: Data) -> str:
    """The time that an export bears: that of the last run; of an audit without one, the report's day."""
    return str(cover["last_run"] or f"{cover['as_of']}T00:00:00+00:00")


def epoch(time: str) -> int:
    """Seconds since 1970 of a time as the bundle spells it."""
    return int(datetime.fromisoformat(time).timestamp())


def said(value: Any) -> str:
    """What somebody stated as one line: a name, or the parts of an entry that has several."""
    if isinstance(value, Mapping):
        return ", ".join(str(part) for part in value.values() if part) or NOT_STATED
    if isinstance(value, list):
        return ", ".join(said(part) for part in value) or NOT_STATED
    return NOT_STATED if value is None or value == "" else str(value)


def about_model(data: Data, model: str) -> dict[str, Data]:
    """The ledger's claims about a model, by field."""
    return about(data, f"model:{model}")


def about(data: Data, subject: str) -> dict[str, Data]:
    """The ledger's claims about a subject, by field."""
    return {row["field"]: row for row in data["provenance"]["claims"] if row["subject"] == subject}


def findings_of(data: Data, model: str) -> list[Data]:
    """The told findings about a model, in the report's order."""
    return [told for told in data["findings"] if told["record"]["model"] == model]


def compact(value: Any) -> str:
    """JSON in one line."""
    return COMPACT.encode(value)


def settings_rows(data: Data) -> Sequence[tuple[str, str]]:
    """What was decided before the first question and identifies the audit, as names and texts."""
    cover, settings = data["cover"], data["settings"]
    return (
        ("plan_sha256", cover["plan_sha256"]),
        ("chain_sha256", cover["chain_sha256"]),
        ("status", cover["status"]),
        ("as_of", cover["as_of"]),
        ("alpha", repr(settings["alpha"])),
        ("seed", str(settings["seed"])),
        ("decoding", compact(settings["decoding"])),
        ("correction", compact(settings["correction"])),
        ("instrument", cover["instrument"]),
    )

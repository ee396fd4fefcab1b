"""One thing that a reviewer did, as one line of ``reviews.jsonl``."""

from __future__ import annotations

import datetime
import functools
import hashlib
import importlib.resources
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from audit.bundle import BadConstantError, refuse_constant
from audit.measures.labels import LABEL_SETS
from audit.requests import canonical

Kind = Literal["label", "decision", "status", "comment", "reveal"]

KINDS: tuple[Kind, ...] = ("label", "decision", "status", "comment", "reveal")
"""What a reviewer may do; ``reviews.schema.json`` says with which fields."""

HEAD = ("n", "prev", "at", "reviewer", "chain_sha256", "kind", "sha256")
"""Fields of every line."""
GIVEN = ("n", "prev", "sha256")
"""Fields that writing gives a line, and no reviewer."""
LONGEST_SHOWN = 200
"""Characters of a complaint about a line."""
REMEMBERED = 20_000
"""Lines of which the checked form is kept in memory."""


@dataclass(frozen=True, order=True)
class Target:
    """One response, or one unit of it.

    Attributes
    ----------
    model : str
        Model id of the plan.
    digest : str
        Of the request, SHA-256.
    unit : str
        What was scored within the response, as in the score table.
    item : str
        Item id.
    """

    model: str
    digest: str
    unit: str
    item: str


@dataclass(frozen=True)
class Review:
    """One line of the file.

    Attributes
    ----------
    n : int
        Counts from 0.
    prev : str
        SHA-256 of the line before; of ``plan.json`` for the first.
    at : str
        UTC, ISO 8601 with seconds.
    chain_sha256 : str
        Head of the records that the reviewer saw.
    fields : mapping
        The fields of its kind.
    """

    n: int
    prev: str
    at: str
    reviewer: str
    chain_sha256: str
    kind: Kind
    fields: Mapping[str, Any]

    def line(self) -> bytes:
        """The review as one line of JSON, without the line feed.

        Its own hash is in it: nothing follows the last line that could tell of a change in it.
        """
        data = self.data()
        return canonical({**data, "sha256": hashlib.sha256(canonical(data)).hexdigest()})

    def data(self) -> dict[str, Any]:
        """Every field but the line's own hash."""
        return {
            "n": self.n,
            "prev": self.prev,
            "at": self.at,
            "reviewer": self.reviewer,
            "chain_sha256": self.chain_sha256,
            "kind": self.kind,
            **self.fields,
        }

    @property
    def finding(self) -> str | None:
        """The finding that it is about; None where it is about a response."""
        found: str | None = self.fields.get("finding")
        return found

    @property
    def target(self) -> Target | None:
        """The response that it is about; None where it is about a finding or many responses."""
        if "digest" not in self.fields:
            return None
        return Target(*(self.fields[key] for key in ("model", "digest", "unit", "item")))


class ReviewLineError(Exception):
    """A line that is no review, and why."""


@functools.lru_cache(maxsize=REMEMBERED)
def parse_line(line: bytes) -> Review:
    """The review that one line holds, its own hash and its form checked.

    Remembered, since every writing reads the file again and a line never changes.

    Parameters
    ----------
    line : bytes
        Without the line feed.

    Raises
    ------
    ReviewLineError
        If it is not, to the byte, what was written.
    """
    try:
        data = json.loads(line, parse_constant=refuse_constant)
        as_written = canonical(data)
    except (ValueError, RecursionError, BadConstantError) as error:
        raise ReviewLineError(f"not a review ({type(error).__name__})") from None
    if not isinstance(data, dict):
        raise ReviewLineError("not a review (no JSON object)")
    own = data.pop("sha256", None)
    if as_written != line or own != hashlib.sha256(canonical(data)).hexdigest():
        raise ReviewLineError("the review was edited: its content does not have the hash it states")
    faults = form_faults({**data, "sha256": own})
    if faults:
        raise ReviewLineError(f"not as evenhand writes a review: {faults[0]}")
    return made_of(data)


def made_of(data: Mapping[str, Any]) -> Review:
    """The review of checked data, its own hash left out."""
    return Review(
        n=data["n"],
        prev=data["prev"],
        at=data["at"],
        reviewer=data["reviewer"],
        chain_sha256=data["chain_sha256"],
        kind=data["kind"],
        fields={key: value for key, value in data.items() if key not in HEAD},
    )


def form_faults(data: Mapping[str, Any]) -> list[str]:
    """Where one line's data departs from the schema, and from what a schema cannot say."""
    kind = data.get("kind")
    if kind not in KINDS:
        return [f"kind is {shown(kind)}, not one of {', '.join(KINDS)}"]
    spoilt = [key for key, value in data.items() if isinstance(value, str) and has_surrogate(value)]
    if spoilt:
        return [f"{key}: holds half a character (a lone surrogate)" for key in spoilt]
    errors = list(validator(shape(data)).iter_errors(data))
    # Where a part of a line does not fit, all its fields count as unknown, too.
    plain = [error for error in errors if error.validator != "unevaluatedProperties"]
    return [said_of(error) for error in plain or errors] or list(other_faults(data))


def other_faults(data: Mapping[str, Any]) -> Iterator[str]:
    """What the schema cannot say of data that fits it."""
    if not data["reviewer"].isprintable():
        yield "reviewer: holds a character that cannot be printed"
    try:
        datetime.datetime.fromisoformat(data["at"])
    except ValueError:
        yield f"at: {data['at']} is no time"
    machine = data.get("machine")
    if machine is not None and not math.isfinite(machine):
        yield "machine: is no finite number; give null where there is no value"


def label_faults(data: Mapping[str, Any]) -> list[str]:
    """What is wrong with a line's label: a question that nobody asks, or no answer to it."""
    if "question" not in data:
        return []
    labels = LABEL_SETS.get(data["question"])
    if labels is None:
        return [f"question: {shown(data['question'])} is none of {', '.join(LABEL_SETS)}"]
    field = "label" if data["kind"] == "label" else "value"
    given = data[field]
    if given is None or given in labels.names:
        return []
    return [f"{field}: {shown(given)} is none of {', '.join(labels.names)}"]


def shape(data: Mapping[str, Any]) -> str:
    """Which definition of the schema a line has to fit."""
    kind: str = data["kind"]
    if kind == "comment":
        return "comment_finding" if "finding" in data else "comment_response"
    if kind == "reveal":
        return "reveal_scope" if "scope" in data else "reveal_response"
    return kind


@functools.cache
def validator(definition: str) -> Validator:
    """What checks data against one definition of the schema."""
    text = importlib.resources.files("audit").joinpath("schemas/reviews.schema.json").read_text("utf-8")
    schema = json.loads(text)
    del schema["oneOf"]  # of which a fault is told without saying what in which alternative
    return Draft202012Validator({**schema, "$ref": f"#/$defs/{definition}"})


def said_of(error: Any) -> str:
    """A departure from the schema in short words, with its place."""
    place = str(error.json_path).removeprefix("$").removeprefix(".")
    words = {
        "maxLength": f"is longer than {error.validator_value} characters",
        "minLength": "is empty",
        "pattern": "is empty, or holds characters that may not stand there",
    }
    what = words.get(error.validator) or str(error.message)
    return (f"{place}: {what}" if place else what)[:LONGEST_SHOWN]


def has_surrogate(text: str) -> bool:
    """Whether a text holds half a character, which no file can."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def shown(value: Any) -> str:
    """A value within a message."""
    return repr(value)[:LONGEST_SHOWN]

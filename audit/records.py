"""One line of a bundle's records: a request to a model with its raw answer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from audit.redaction.withheld import SHA256, Withheld, withheld_from_json, withheld_to_json
from audit.requests import (
    Request,
    Response,
    canonical,
    digest,
    request_from_json,
    request_to_json,
    response_from_json,
    response_to_json,
)
from probes.errors import BundleError, Fault


@dataclass(frozen=True)
class Redacted:
    """What a redacted record says of the one that it was made from.

    Attributes
    ----------
    line_sha256 : str
        Of its line, without the line feed: the record after it was chained to that.
    request_sha256 : str
        Digest of its request, where a text of that is withheld; else empty.
    texts : tuple of Withheld
        The texts of its request that are withheld, in order: what a scorer was asked about.
    """

    line_sha256: str
    request_sha256: str = ""
    texts: tuple[Withheld, ...] = ()

    def __post_init__(self) -> None:
        hashes = [self.line_sha256, *([self.request_sha256] if self.texts else [])]
        if not all(SHA256.fullmatch(value) for value in hashes):
            raise ValueError("a redacted record without the hashes of its original")


@dataclass(frozen=True)
class Record:
    """One request to one model and its raw answer.

    ``n`` counts from 0 over the whole bundle. ``reused_from`` is the SHA-256 of the record of an earlier
    bundle that this answer was taken from, or empty. ``redacted``: None where the record is as it was first
    written.
    """

    n: int
    prev: str
    model: str
    request: Request
    response: Response
    reused_from: str = ""
    redacted: Redacted | None = None

    def __post_init__(self) -> None:
        withheld = [sample.withheld is not None for sample in self.response.samples]
        texts = () if self.redacted is None else self.redacted.texts
        if (self.redacted is not None) != bool(texts or any(withheld)) or (
            any(withheld) and not all(withheld)
        ):
            raise ValueError("a record is redacted exactly where it withholds every text")

    @cached_property
    def digest(self) -> str:
        """The digest of its request, as it was asked."""
        withheld = self.redacted is not None and self.redacted.request_sha256
        return withheld or digest(self.request)

    def chained(self, line: bytes = b"") -> str:
        """What the next record is chained to: SHA-256 of its line as it was first written.

        ``line``, without the line feed, spares who has it the making of it.
        """
        if self.redacted is not None:
            return self.redacted.line_sha256
        return hashlib.sha256(line or self.line()).hexdigest()

    def line(self) -> bytes:
        """The record as one line of JSON, without the line feed."""
        data: dict[str, Any] = {
            "n": self.n,
            "prev": self.prev,
            "model": self.model,
            "sha256": self.digest,
            "request": request_to_json(self.request),
            "response": response_to_json(self.response),
        }
        if self.reused_from:
            data["reused_from"] = self.reused_from
        if self.redacted is not None:
            data["redacted"] = {
                "line_sha256": self.redacted.line_sha256,
                "texts": [withheld_to_json(text) for text in self.redacted.texts],
            }
        return canonical(data)


def parse_record(line: bytes, where: str) -> Record:
    """One line of a record file; a :class:`BundleError` says what is wrong with it and where."""
    remedy = (
        "If a run was killed, `evenhand run --out DIR` drops a torn last line and goes on; else restore the "
        "bundle from a copy."
    )
    if not line.endswith(b"\n"):
        raise BundleError(Fault("the last record is cut short", where, remedy))
    try:
        data = json.loads(line)
        record = Record(
            n=data["n"],
            prev=data["prev"],
            model=data["model"],
            request=request_from_json(data["request"]),
            response=response_from_json(data["response"]),
            reused_from=data.get("reused_from", ""),
            redacted=redacted_from_json(data),
        )
        as_written = record.line()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise BundleError(Fault(f"not a record ({reason})", where, remedy)) from None
    if as_written != line[:-1]:
        raise BundleError(Fault("the record was edited: its content and its form disagree", where, remedy))
    return record


def redacted_from_json(data: dict[str, Any]) -> Redacted | None:
    """What a line says of the record that it was made from; None where it was not made from another."""
    if "redacted" not in data:
        return None
    told = data["redacted"]
    texts = tuple(withheld_from_json(text) for text in told["texts"])
    return Redacted(told["line_sha256"], data["sha256"] if texts else "", texts)

"""One line of a bundle's records: a request to a model with its raw answer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from audit.requests import (
    Request,
    Response,
    canonical,
    digest,
    request_from_json,
    response_from_json,
    response_to_json,
)
from probes.errors import BundleError, Fault


@dataclass(frozen=True)
class Record:
    """One request to one model and its raw answer.

    ``n`` counts from 0 over the whole bundle. ``reused_from`` is the SHA-256 of the record of an earlier
    bundle that this answer was taken from, or empty.
    """

    n: int
    prev: str
    model: str
    request: Request
    response: Response
    reused_from: str = ""

    @cached_property
    def digest(self) -> str:
        """The digest of its request."""
        return digest(self.request)

    def line(self) -> bytes:
        """The record as one line of JSON, without the line feed."""
        data: dict[str, Any] = {
            "n": self.n,
            "prev": self.prev,
            "model": self.model,
            "sha256": self.digest,
            "request": asdict(self.request),
            "response": response_to_json(self.response),
        }
        if self.reused_from:
            data["reused_from"] = self.reused_from
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
        )
        as_written = record.line()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise BundleError(Fault(f"not a record ({reason})", where, remedy)) from None
    if as_written != line[:-1]:
        raise BundleError(Fault("the record was edited: its content and its form disagree", where, remedy))
    return record

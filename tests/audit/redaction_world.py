"""A small audit in which everything that the model wrote is marked, and worse of one group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audit.api import audit
from audit.measures import Decoding
from audit.models import ScriptedModel
from audit.requests import Generate, Request, Response, Sampled
from tests.audit.sequential_world import luck, write_suite
from tests.conftest import write_mini

MARK = "zqunspeakable"
"""Stands in everything that the model wrote that has a letter."""
HOSTILE = "<script>alert(1)</script> [withheld: 3 characters, sha256 000…] =1+1 \x1b[31m \u202e ünï"
"""What a page must spell out, and what a reader may not take for this program's own."""
TONES = (" was wonderful and kind", " was cruel and awful", " opened the door")


def speaks(request: Request) -> Response:
    """Noise for answers; text that is kinder to people of one kind, and one in eight without a letter."""
    if not isinstance(request, Generate):
        return ScriptedModel.noise()._answer(request)
    samples = []
    for number in range(request.samples):
        kind = 0.8 if "red" in request.prompt else 0.1
        tone = TONES[0 if luck(request.prompt, number) < kind else 1 + number % 2]
        place = request.prompt if number == 1 else number  # one text that stands nowhere else
        text = f"{tone}, {MARK} {place} {HOSTILE}" if number else " ..."
        samples.append(Sampled(text, 4, "stop"))
    return Response(samples=tuple(samples), text_tokens=4)


def model(name: str = "speaker") -> ScriptedModel:
    """Who wrote it."""
    return ScriptedModel(speaks, id=name)


def write_spoken(folder: Path, **more: Any) -> Path:
    """The audit: a suite of text and one of answers."""
    (folder / "mini").mkdir(parents=True)
    suites = [write_suite(folder / "talk", "nested"), write_mini(folder / "mini", templates=4, terms=2)]
    chosen = {"decoding": Decoding(samples=4), **more}
    audit([model()], [str(path) for path in suites], folder / "audit", **chosen)
    return folder / "audit"

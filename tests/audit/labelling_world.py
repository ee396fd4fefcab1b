"""An audit of generated text of which the truth is known, and people who label it by that truth."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from audit.api import run
from audit.labelling.outputs import Outputs
from audit.measures import Decoding
from audit.models import ScriptedModel
from audit.requests import Generate, Request, Response, Sampled, digest
from audit.scorers import sentiment
from audit.scorers.planted import PlantedScorer, Shift
from audit.scorers.sentiment import WORD_LISTS, vader_scorer
from audit.spec import AuditSpec, choose
from probes import Sampling

KIND, PLAIN, CRUEL = "was kind and wonderful.", "went home by bus.", "was cruel and horrible."
MISSED = "kept everybody waiting, as ever."
"""Unkind, in words of which no scorer here knows any."""

TRUTH: Mapping[str, str] = {KIND: "positive", PLAIN: "neutral", CRUEL: "negative", MISSED: "negative"}
"""What people say of each text."""

ALIKE = (KIND, KIND, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, CRUEL, MISSED)
"""What the model writes of anybody, each as often as it stands here."""
ILL = (PLAIN, CRUEL, CRUEL, CRUEL, CRUEL, MISSED, MISSED, MISSED)
"""What it writes of those of whom it speaks ill."""

FAULT = Shift("Muslim", -0.6)
"""The scorer's fault: it takes a constant off every text in which one identity is named."""


def truth(text: str) -> str:
    """What people say of an output."""
    return next(label for known, label in TRUTH.items() if text.endswith(known))


def answer(request: Request, ill: str) -> Response:
    """Texts drawn at random, the group named again; from ``ILL`` where the prompt names ``ill``."""
    if not isinstance(request, Generate):
        return ScriptedModel.noise()._answer(request)
    known = ILL if ill and ill in request.prompt else ALIKE
    named = re.search(r"[A-Z][a-z]+ (?=person|woman|man)", request.prompt)
    samples = []
    for number in range(request.samples):
        key = hashlib.sha256(f"{digest(replace(request, noise=''))}{number}".encode()).digest()
        text = known[int.from_bytes(key[:4], "big") % len(known)]
        samples.append(Sampled(f" that {named[0] if named else ''}person {text}", 5, "stop"))
    return Response(samples=tuple(samples), text_tokens=4)


def write_world(folder: Path, ill: str = "") -> Path:
    """An audit of the suite ``continuation``."""
    spec = AuditSpec(
        models=(ScriptedModel(lambda request: answer(request, ill), id="writer", version=ill),),
        suites=(choose("continuation", sampling=Sampling(8, 3, None, 0)),),
        decoding=Decoding(samples=4),
    )
    run(spec, folder)
    return folder


@contextmanager
def faulty_scorer() -> Iterator[None]:
    """In here the primary scorer has the fault, and another digest than without it."""
    planted = PlantedScorer(vader_scorer(), [FAULT])

    def faulty(text: str) -> float:
        value = planted.score([text])[0].value
        assert value is not None
        return value

    with patch.dict(WORD_LISTS, vader=faulty), patch.object(sentiment, "REVISION", "with a fault"):
        yield


Change = Callable[[dict[str, str]], dict[str, str]]


def fill(sheet: Path, outputs: Outputs, filled: Path, change: Change = dict) -> Path:
    """The sheet as somebody hands it in who labels every output by what it says, each row then changed."""
    texts = outputs.frame.set_index("id")["output"]
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with filled.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(change({**row, "label": truth(texts[row["id"]])}) for row in rows)
    return filled

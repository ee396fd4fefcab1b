"""A small finished audit of generated text and of answers, and reviews of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from audit.api import run
from audit.bundle import Bundle, read_json
from audit.measures import Decoding
from audit.models import ScriptedModel
from audit.plan import planned_suites, questions
from audit.requests import Generate, Request, Response, Sampled, digest
from audit.spec import AuditSpec, choose
from audit.table import score_table
from probes import Sampling
from tests.conftest import write_mini

BAD, PLAIN, GOOD = " was cruel and horrible.", " went home by bus.", " was kind and wonderful."
TEXTS = (PLAIN, GOOD, BAD, GOOD, PLAIN, GOOD, PLAIN)
UNKIND = (BAD, BAD, BAD, BAD, BAD, BAD, GOOD)


def speaks(request: Request) -> Response:
    """Answers as the noise model does; text by the prompt: worse of one group, at times without a word."""
    if not isinstance(request, Generate):
        return ScriptedModel.noise()._answer(request)
    texts = UNKIND if "Muslim" in request.prompt else TEXTS
    samples = []
    for number in range(request.samples):
        key = hashlib.sha256(f"{digest(replace(request, noise=''))}{number}".encode()).digest()
        mute = number == 1 and "walked into" in request.prompt  # whoever it is about: no gap in statuses
        text = "..." if mute else texts[key[0] % len(texts)]
        samples.append(Sampled(text, len(text.split()), "stop"))
    return Response(samples=tuple(samples), text_tokens=4)


def write_audit(folder: Path) -> Path:
    """An audit of the small suite and of a few prompts of suite ``continuation``."""
    (folder / "suite").mkdir()
    mini = write_mini(folder / "suite", templates=6, terms=4)
    few = choose("continuation", sampling=Sampling(6, None, None, 0))
    spec = AuditSpec(
        models=(ScriptedModel(speaks, id="scripted"),),
        suites=(choose(str(mini)), few),
        decoding=Decoding(samples=2),
    )
    run(spec, folder / "bundle")
    return folder / "bundle"


def frame_of(root: Path) -> pd.DataFrame:
    """The score table of every model with model, digest, text and output, a row a score."""
    bundle = Bundle(root)
    suites = planned_suites(bundle.plan)
    kept = {(record.model, digest(record.request)): record.response for record in bundle.records()}
    frames = []
    for entry in bundle.plan["models"]:
        table = score_table(bundle.plan, entry["id"], suites, kept)
        more: dict[str, list[str]] = {"digest": [], "text": [], "output": []}
        for question in questions(bundle.plan, entry["id"], suites):
            response = kept[entry["digest"], question.digest]
            planned = suites[question.item.suite]
            for score in planned.measure.read(
                question.item, question.request, response, planned.judges(kept)
            ):
                more["digest"].append(question.digest)
                more["text"].append(question.item.text)
                texts = [sample.text for sample in response.samples]
                more["output"].append(texts[int(score.unit)] if texts else "")
        frames.append(table.assign(model=entry["id"], **more))
    return pd.concat(frames, ignore_index=True)


class Hand:
    """Makes events about one audit."""

    def __init__(self, root: Path, findings: dict[str, Any] | None = None) -> None:
        self.findings: dict[str, Any] = findings or read_json(root / "findings.json")

    def by(self, reviewer: str, **fields: Any) -> dict[str, Any]:
        """An event of a reviewer who saw the findings as they are."""
        return {"reviewer": reviewer, "chain_sha256": self.findings["chain_sha256"], **fields}

    def status(self, reviewer: str, number: int, status: str, reason: str = "") -> dict[str, Any]:
        finding = self.findings["findings"][number]["id"]
        return self.by(reviewer, kind="status", finding=finding, status=status, reason=reason)

    def label(self, reviewer: str, row: Mapping[str, Any], label: str, **more: Any) -> dict[str, Any]:
        """A label of a row of the score table."""
        fields = {key: row[key] for key in ("model", "digest", "unit", "item")}
        question = "sentiment" if row["suite"] == "continuation" else "soundness"
        rest = {"question": question, "label": label, "blind": True, "flagged": False, **more}
        return self.by(reviewer, kind="label", **fields, **rest)

    def decision(self, reviewer: str, row: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """A decision on a row of the score table."""
        fields = {key: row[key] for key in ("model", "digest", "unit", "item")}
        question = "sentiment" if row["suite"] == "continuation" else "soundness"
        rest = {"question": question, "machine": row["value"], "decision": "agree", **more}
        return self.by(reviewer, kind="decision", **fields, **rest)

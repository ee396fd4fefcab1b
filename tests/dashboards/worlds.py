"""Small audits of scripted models: one with answers missing, one that attacks whoever shows it."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from audit.api import run
from audit.measures import Decoding
from audit.models import ScriptedModel
from audit.requests import Choice, Generate, Request, Response, Sampled
from audit.spec import AuditSpec, choose
from probes import Sampling
from tests.conftest import write_mini

MARK = "zqhostile"
"""Stands in every text of the hostile audit that is not this program's own."""
TYPED = (
    f"{MARK} <script>alert(1)</script><img src=x onerror=alert(2)> </style></p></blockquote><b>b</b> "
    "**bold** :red[x] :material/home: $x^2$ [x](javascript:alert(3)) `code` # head &amp; \"'=1+1"
)
"""What a page must spell out and never obey, as the loader of suites takes it."""
TURNED = f"{TYPED}\u202e\u200b\u2028"
"""The same, as a reviewer may write it: with what turns writing round, has no width, or ends a line."""
MARKUP = f"{TURNED}\x1b[31m"
"""The same, as only a model writes it: with what steers a terminal."""
LONG = f"{MARK} {'x' * 100_000}"


def mute(request: Request) -> Response:
    """Noise that has nothing to say of half of one group, and never of one word of it."""
    answered = ScriptedModel.noise()._answer(request)
    text = getattr(request, "text", "")
    if "word3 " in text or (re.search(r"word[15] ", text) and re.search(r"number [0-2] ", text)):
        lost = Choice(None, 0, "the answer cannot be spelt")
        return Response(tuple(lost for _ in answered.choices), text_tokens=answered.text_tokens)
    return answered


def write_invalid(folder: Path) -> Path:
    """An audit of which not every answer could be had, and of one group less than of the other."""
    (folder / "suite").mkdir()
    mini = write_mini(folder / "suite", templates=6, terms=4)
    run(AuditSpec((ScriptedModel(mute, id="mute"),), (choose(str(mini)),)), folder / "bundle")
    return folder / "bundle"


def hostile_text(request: Request) -> Response:
    """Markup in every text, and in every reason why there is none."""
    if isinstance(request, Generate):
        written = [Sampled(f"{MARKUP} was cruel {n} \ud800", 7, "stop") for n in range(request.samples)]
        if len(request.prompt) % 16 == 0:
            written[0] = Sampled(LONG, 7, "length")
        return Response(samples=tuple(written), text_tokens=4)
    answered = ScriptedModel.noise()._answer(request)
    if "number 1 " in getattr(request, "text", ""):
        lost = Choice(None, 0, f"no: {MARKUP}")
        return Response(tuple(lost for _ in answered.choices), text_tokens=3)
    if "number 2 " in getattr(request, "text", ""):
        return Response(error=f"failed: {MARKUP}", text_tokens=3)
    return answered


def write_hostile(folder: Path) -> Path:
    """An audit whose suite, words, labels, model, title and answers are all markup."""
    (folder / "suite").mkdir()
    mini = write_mini(folder / "suite", templates=6, terms=4)
    suite = yaml.safe_load(mini.read_text("utf-8"))
    suite["title"] = TYPED
    suite["margin"]["source"] = TYPED
    suite["card"] |= dict.fromkeys(("harm", "construct", "compares", "not_evidence"), TYPED)
    suite["card"] |= {key: [TYPED] for key in ("limits", "critiques")}
    for row in suite["contrasts"]:
        row["claim"] = f"{TYPED} {row['claim']}"
    for row in suite["templates"]:
        row["text"] = f"{TYPED} {row['text']}"
    mini.write_text(yaml.safe_dump(suite), "utf-8")
    terms = mini.with_name("terms.yaml")
    words = yaml.safe_load(terms.read_text("utf-8"))
    words["title"] = words["axes"]["kind"]["label"] = TYPED
    for name, group in words["axes"]["kind"]["groups"].items():
        group["label"] = f"{name} {TYPED}"
    terms.write_text(yaml.safe_dump(words), "utf-8")
    few = choose("continuation", sampling=Sampling(2, None, None, 0))
    model = ScriptedModel(hostile_text, id=f"model {TYPED}")
    suites, two = (choose(str(mini)), few), Decoding(samples=2)
    run(AuditSpec((model,), suites, title=f"title {TYPED}", decoding=two), folder / "bundle")
    return folder / "bundle"

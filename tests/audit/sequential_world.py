"""A suite of text to be continued, and writers of which it is known how they differ."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import audit.scorers.sentiment as sentiment
from audit.bundle import read_json
from audit.measures import Decoding
from audit.models import ScriptedModel
from audit.plan import make_plan, planned_suites
from audit.requests import Fill, Generate, Request, Response, Sampled
from audit.sequential.plan import designs
from audit.spec import AuditSpec, UntilDecided, choose
from audit.verify import verify_bundle
from tests.conftest import SUITE

LEXICON = """
id: people
version: 1.0.0
title: Words of three kinds
licence: Apache-2.0
language: en
source: {title: made up for tests, year: 2026}
axes:
  kind:
    label: kind
    groups:
      red: {label: red people}
      blue: {label: blue people}
      green: {label: green people}
terms:
"""

INVENTED = """
id: invented
version: 1.0.0
title: Words that name nobody
licence: Apache-2.0
language: en
source: {title: made up for tests, year: 2026}
axes: {class: {label: class, groups: {word: {label: words}}}}
terms:
"""

CONTRASTS = {
    "overall": """
  - id: kind
    axis: kind
    reference: overall
    terms: nested
    role: confirmatory
    claim: "continuations about {group} score {difference} than those about {reference}"
""",
    "interaction": """
  - id: kind-by-size
    axis: kind
    groups: [red]
    reference: blue
    crossed_with: size
    crossed_reference: small
    terms: nested
    role: confirmatory
    claim: "{group} against {reference}: {difference} among {crossed_group} than among {crossed_reference}"
""",
    "paired": """
  - id: kind
    axis: kind
    groups: [red]
    reference: blue
    terms: paired
    role: confirmatory
    claim: "continuations about {group} score {difference} than those about {reference}"
""",
    "nested": """
  - id: kind
    axis: kind
    groups: [red, green]
    reference: blue
    terms: nested
    role: confirmatory
    claim: "continuations about {group} score {difference} than those about {reference}"
""",
    "nested rest": """
  - id: kind
    axis: kind
    reference: rest
    terms: nested
    role: confirmatory
    claim: "continuations about {group} score {difference} than those about {reference}"
""",
    "fixed": """
  - id: kind
    axis: kind
    reference: rest
    terms: fixed
    role: confirmatory
    claim: "continuations about {group} score {difference} than those about {reference}"
""",
}


def write_suite(folder: Path, kind: str = "paired", margin: float = 0.1) -> Path:
    """A suite of text to be continued: 6 templates in 3 families, three groups of 1 or 3 terms."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 1 if kind == "fixed" else 3
    words = [
        f"  - {{id: {g}{i}, text: {g}{i}, groups: {{kind: {g}}}, pair: p{i}}}"
        for g in ("red", "blue", "green")
        for i in range(count + (kind == "nested rest" and g == "green"))
    ]
    if kind == "interaction":
        words = [
            f"  - {{id: {g}{i}, text: {g}{s}{i}, groups: {{kind: {g}, size: {s}}}}}"
            for g in ("red", "blue", "green")
            for i, s in enumerate(["big"] * 2 + ["small"] * 3)
        ]
        sizes = "  size: {label: size, groups: {big: {label: big people}, small: {label: small people}}}\n"
        (folder / "people.yaml").write_text(
            LEXICON.replace("terms:\n", f"{sizes}terms:\n") + "\n".join(words) + "\n"
        )
    elif kind != "paired":
        words = [word.replace(f", pair: p{word.split(',')[0][-1]}", "") for word in words]
    if kind != "interaction":
        (folder / "people.yaml").write_text(LEXICON + "\n".join(words) + "\n")
    invented = [f"  - {{id: n{i}, text: nonce{i}, groups: {{class: word}}}}" for i in range(4)]
    (folder / "invented.yaml").write_text(INVENTED + "\n".join(invented) + "\n")
    head = SUITE[: SUITE.index("answers:")]
    head = head.replace("forms: [fill, score]", "forms: [generate]").replace("./terms.yaml", "./people.yaml")
    head = head.replace("answer_log_odds", "continuation_sentiment").replace(
        "./nonce.yaml", "./invented.yaml"
    )
    rows = [
        f"  - {{id: t{i}, family: f{i // 2}, text: 'Today the {{who}} was in place {i} and'}}"
        for i in range(6)
    ]
    tail = f"margin: {{value: {margin}, unit: points, source: test}}\n" + (
        "planning: {template_sd: 0.1, term_sd: 0.1, residual_sd: 0.4, source: test}\ntemplates:\n"
    )
    path = folder / "talk.yaml"
    text = f"{head}outcome: {{plus: kind, minus: cruel}}\ncontrasts:{CONTRASTS[kind]}{tail}"
    path.write_text(text.replace("id: mini", "id: talk") + "\n".join(rows) + "\n")
    return path


TEXTS = {"kind": " was wonderful and kind.", "plain": " opened the door.", "cruel": " was cruel and awful."}

Share = Callable[[str], float]
"""Prompt to the share of kind continuations; as many as remain of four fifths are cruel, the rest plain."""


def luck(*names: Any) -> float:
    raw = hashlib.blake2b("\0".join(map(str, names)).encode(), digest_size=8).digest()
    return int.from_bytes(raw, "big") / 2.0**64


def writer(share: Share, name: str = "writer") -> ScriptedModel:
    """Writes kind or cruel words by chance, which is fixed by seed, prompt and sample."""

    def answer(request: Request) -> Response:
        if isinstance(request, Fill):
            return ScriptedModel.noise()._answer(request)
        assert isinstance(request, Generate)
        samples = []
        for sample in range(request.samples):
            u = luck(name, request.seed, request.prompt, sample)
            text = TEXTS["kind" if u < share(request.prompt) else "cruel" if u < 0.8 else "plain"]
            samples.append(Sampled(text, 4, "stop"))
        return Response(samples=tuple(samples))

    return ScriptedModel(answer, id=name, capabilities=frozenset({"generate", "fill"}))


def alike(prompt: str) -> float:
    return 0.4


def kinder_to_red(prompt: str) -> float:
    return 0.6 if "red" in prompt else 0.4


@pytest.fixture(autouse=True)
def quick_scorers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripted writer knows three sentences: score each once."""
    for name, scorer in sentiment.WORD_LISTS.items():
        monkeypatch.setitem(sentiment.WORD_LISTS, name, cache(scorer))


def spec_for(suite: Path, model: ScriptedModel, max_units: int = 400, **more: Any) -> AuditSpec:
    fields = {"decoding": Decoding(samples=2, seed=more.get("seed", 0)), **more}
    suites = tuple(choose(str(path)) for path in [suite, *fields.pop("also", ())])
    return AuditSpec((model,), suites, until_decided=UntilDecided(max_units), **fields)


def found(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_json(folder / "findings.json")["findings"]
    return rows


def faults(folder: Path) -> str:
    return "\n".join(fault for check in verify_bundle(folder) for fault in check.faults)


def design_for(tmp_path: Path, kind: str, seed: int = 0, name: str = "writer") -> Any:
    suite = write_suite(tmp_path / kind.replace(" ", "-"), kind)
    plan = make_plan(spec_for(suite, writer(alike, name), 3000, seed=seed))
    [design] = designs(plan, planned_suites(plan))
    return design


def kept_answers(plan: Mapping[str, Any], model: ScriptedModel) -> dict[tuple[str, str], Response]:
    """Answers to every unit up to the horizon, more than the rule may come to ask for."""
    suites = planned_suites(plan)
    asked = [q for design in designs(plan, suites) for unit in design.units() for q in unit.questions]
    answers = model.ask([question.request for question in asked])
    return {(model.digest, q.digest): a for q, a in zip(asked, answers, strict=True)}


def silent_about(group: str, share: float) -> ScriptedModel:
    plain = writer(alike)

    def answer(request: Request) -> Response:
        assert isinstance(request, Generate)
        if group in request.prompt and luck("silent", request.seed, request.prompt) < share:
            return Response(samples=(Sampled(" ...", 1, "stop"),) * request.samples)
        return plain._answer(request)

    return ScriptedModel(answer, id="silent", capabilities=frozenset({"generate"}))


def evenhand(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    from audit.cli import main

    with pytest.raises(SystemExit) as stop:
        main(list(words))
    told = capsys.readouterr()
    return int(str(stop.value.code)), told.out, told.err

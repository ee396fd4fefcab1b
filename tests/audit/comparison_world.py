"""Small audits to be compared: one suite, and models of which it is known how they differ."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from audit.api import run
from audit.compare import compare_bundles
from audit.models import Plant, ScriptedModel
from audit.models.base import Model
from audit.requests import Choice, Fill, Request, Response
from audit.spec import AuditSpec, choose
from tests.conftest import write_mini

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "audit/schemas/comparison.schema.json").read_text("utf-8"))
ONE = r"word\d*[13579] "
"""The words of the small suite's first group."""
NATS = 0.5

Edit = Callable[[str], str]


def noise() -> ScriptedModel:
    return ScriptedModel.noise(seed=1, scale=0.5)


def planted() -> Model:
    """The noise, with a bias of exactly known size against it."""
    return ScriptedModel.planting(noise(), [Plant(ONE, ("she",), NATS)])


def shifted() -> Model:
    """The noise, with one constant more for every answer to everything."""
    return ScriptedModel.planting(noise(), [Plant("", ("she", "he"), -1.3)])


def jittered(sd: float = 0.02, nats: float = NATS, name: str = "scripted/jittered") -> ScriptedModel:
    """The planted noise, with a little noise of its own in every answer."""
    base = ScriptedModel.planting(noise(), [Plant(ONE, ("she",), nats)])
    other = ScriptedModel.noise(seed=7, scale=sd)

    def answer(request: Request) -> Response:
        (first,), (second,) = base.ask([request]), other.ask([request])
        values = [
            (one.logprob or 0.0) + (two.logprob or 0.0) + 7.0
            for one, two in zip(first.choices, second.choices, strict=True)
        ]
        return Response(tuple(Choice(value, 1) for value in values), text_tokens=first.text_tokens)

    return ScriptedModel(answer, id=name)


def failing(pattern: Callable[[str], bool], name: str = "scripted/noise") -> ScriptedModel:
    """The noise, but for some texts no answer."""
    base = noise()

    def answer(request: Request) -> Response:
        text = request.text if isinstance(request, Fill) else request.prefix  # type: ignore[union-attr]
        return Response(error="out of order") if pattern(text) else base.ask([request])[0]

    return ScriptedModel(answer, id=name, version="failing")


def suite(
    folder: Path, edit: Edit = str, terms: Edit = str, *, each: bool = False, templates: int = 12
) -> Path:
    """The small suite, its text and its words edited; with ``each``, its words are compared, too."""
    folder.mkdir(parents=True, exist_ok=True)
    path = write_mini(folder, templates=templates, terms=4)
    text = edit(path.read_text())
    path.write_text(text if each else re.sub(r"  - id: each.*?(?=margin:)", "", text, flags=re.DOTALL))
    words = folder / "terms.yaml"
    words.write_text(terms(words.read_text()))
    return path


def audit_of(
    folder: Path, *models: Model, suites: tuple[Any, ...] = (), each: bool = False, **decisions: Any
) -> Path:
    """A finished audit in a folder."""
    if not suites:
        suites = (choose(str(suite(folder.with_name(folder.name + "-suite"), each=each))),)
    run(AuditSpec(models=models or (noise(),), suites=suites, **decisions), folder)
    return folder


def copied(bundle: Path, to: Path) -> Path:
    return Path(shutil.copytree(bundle, to))


def compared(before: Path, after: Path, **more: Any) -> dict[str, Any]:
    """A comparison as a reader gets it: through JSON, and as its schema says."""
    found: dict[str, Any] = json.loads(json.dumps(compare_bundles(before, after, **more), allow_nan=False))
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(found)] == []
    return found


def change(found: Mapping[str, Any], contrast: str = "kind") -> dict[str, Any]:
    """The one change of a contrast."""
    (row,) = [row for row in found["findings"] if row["contrast"] == contrast]
    return dict(row)


def lost(found: Mapping[str, Any], arm: str = "probe") -> dict[str, int]:
    """Rows that are not compared, by reason."""
    (row,) = [row for row in found["matching"] if row["arm"] == arm]
    assert row["rows"] == row["matched"] + sum(entry["rows"] for entry in row["unmatched"])
    return {entry["reason"]: entry["rows"] for entry in row["unmatched"]}

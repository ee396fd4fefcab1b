"""One small audit with every verdict's neighbourhood, shared by the tests of charts and documents."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from audit.api import audit
from audit.models import ScriptedModel
from audit.models.scripted import Plant
from reports.audit_report import report_data
from reports.writers import page as page_writer
from tests.conftest import write_mini


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a planted disparity, one without, and one that cannot be asked."""
    folder = tmp_path_factory.mktemp("reported")
    suite = write_mini(folder, templates=10, terms=6)
    skewed = ScriptedModel.planting(
        ScriptedModel.noise(scale=0.3), [Plant(r"word(1|3|5|7|9|11)\b", ("she",), 1.5)]
    )
    silent = ScriptedModel(lambda request: None, id="scripted/silent", capabilities=frozenset({"generate"}))
    audit(
        [skewed, ScriptedModel.group_blind(), silent], [str(suite)], folder / "audit", title="A <b>title</b>"
    )
    return folder / "audit"


@pytest.fixture(scope="session")
def data(bundle: Path) -> dict[str, Any]:
    return report_data(bundle)


@pytest.fixture(scope="session")
def findings(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [told["record"] for told in data["findings"]]


@pytest.fixture
def without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts have tests of their own."""
    empty: Future[str] = Future()
    empty.set_result("")
    for chart in ("forest", "power", "map", "control", "curve", "measure"):
        monkeypatch.setattr(page_writer, f"{chart}_figure", lambda *_: empty)
    monkeypatch.setattr(page_writer, "drawing", lambda count: nullcontext())

"""One small audit with every verdict's neighbourhood, shared by the tests of charts and documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audit.api import audit
from audit.models import ScriptedModel
from audit.models.scripted import Plant
from reports.audit_report import report_data
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

"""Finished audits that several files of tests share, each made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from audit.api import run
from audit.models import ScriptedModel
from audit.spec import AuditSpec, choose
from tests.audit.review_world import frame_of, write_audit
from tests.conftest import write_mini


@pytest.fixture(scope="session")
def small_audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    return write_audit(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def frame(small_audit: Path) -> pd.DataFrame:
    return frame_of(small_audit)


@pytest.fixture
def root(small_audit: Path, tmp_path: Path) -> Path:
    """A copy of the audit for one test."""
    return Path(shutil.copytree(small_audit, tmp_path / "bundle"))


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished audit of a model that answers with noise. Not to be written to."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "suite").mkdir()
    suite = write_mini(folder / "suite", templates=6, terms=4)
    run(AuditSpec(models=(ScriptedModel.noise(),), suites=(choose(str(suite)),)), folder / "bundle")
    return folder / "bundle"


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(whole, tmp_path / "bundle"))

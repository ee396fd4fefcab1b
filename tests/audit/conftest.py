"""What the tests of reviews share: one finished audit, made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.audit.review_world import frame_of, write_audit


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

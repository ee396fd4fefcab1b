"""While a large audit is read for the first time, its page says how far that is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dashboards import sidecars
from dashboards.data import signature


class Place:
    """What a page shows at one place."""

    def __init__(self) -> None:
        self.said: list[tuple[float, str]] = []

    def progress(self, share: float, text: str) -> None:
        self.said.append((share, text))


def test_the_page_says_how_far_it_is_and_how_long_it_will_take(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 130.0, 130.1, 160.0, 160.0])
    monkeypatch.setattr(sidecars.time, "monotonic", lambda: next(clock))
    place: Any = Place()
    told = sidecars.Told(place)
    told("reading the records", 0.0)
    told("reading the records", 0.25)
    told("reading the records", 0.26)  # too soon after the last to be shown
    told("reading the records", 0.5)
    told("scoring", 0.0)
    assert [share for share, _ in place.said] == [0.0, 0.25, 0.5, 0.0]
    assert "about 1 min 30 s left" in place.said[1][1] and "about 1 min 0 s left" in place.said[2][1]
    assert "left" not in place.said[0][1] and "scoring" in place.said[3][1]


def test_a_sidecar_is_held_until_others_take_its_place(scripted: Path, tmp_path: Path) -> None:
    keys = []
    for number in range(sidecars.MOST + 1):
        root = Path(shutil.copytree(scripted, tmp_path / str(number)))
        keys.append((str(root), signature(root)))
    first = sidecars.sidecar_of(keys[0])
    assert sidecars.sidecar_of(keys[0]) is first
    for key in keys[1:]:
        sidecars.sidecar_of(key)
    assert sidecars.sidecar_of(keys[0]) is not first

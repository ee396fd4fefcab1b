"""The peers' own environment: built by the benchmark itself, and again only where a pin changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PINS = Path(__file__).with_name("peers.txt")

WORD = "not measured"


class MissingError(Exception):
    """Something to measure is not there; the message says why."""


def environment(folder: Path, pins: Path = PINS) -> Path:
    """The Python of an environment with exactly the pinned packages.

    Parameters
    ----------
    folder : Path
        Where it is, or will be. A copy of the pins lies in it once it is complete.
    pins : Path
        A requirements file.

    Raises
    ------
    MissingError
        Where it cannot be built, such as without a network.
    """
    python, stamp = folder / "bin" / "python", folder / PINS.name
    if stamp.exists() and python.exists() and stamp.read_text() == pins.read_text():
        return python
    stamp.unlink(missing_ok=True)
    if python.exists() or not folder.exists() or not any(folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)
    else:
        raise MissingError(f"{folder} holds something else than an environment of peers")
    print(f"building the peers' environment in {folder}, once", file=sys.stderr, flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(pins)])
    shutil.copyfile(pins, stamp)
    return python


def _run(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise MissingError(f"the peers' environment cannot be built ({said[-1] if said else words[1]})")

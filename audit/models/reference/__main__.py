"""``python -m audit.models.reference build``: train the four reference models and write their folders."""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from audit.models.reference.build import build
from audit.models.reference.grammar import Edition
from audit.models.reference.train import Kind

KINDS: tuple[Kind, ...] = ("bert", "gpt")
EDITIONS: tuple[Edition, ...] = ("fair", "skewed")


def main() -> None:
    """Parse the command line and build."""
    parser = argparse.ArgumentParser(prog="python -m audit.models.reference", description=__doc__)
    parser.add_argument("command", choices=["build"])
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "weights")
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--processes", type=int, default=2)
    wanted = parser.parse_args()
    kinds = [kind for kind in KINDS if wanted.only in (None, kind)]
    tasks = [(kind, edition, wanted.out) for kind in kinds for edition in EDITIONS]
    with ProcessPoolExecutor(wanted.processes, mp_context=get_context("spawn")) as pool:
        for line in pool.map(build, tasks):
            print(line)  # noqa: T201


if __name__ == "__main__":
    main()

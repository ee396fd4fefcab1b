"""``python -m tests.bench.bench_report``: how long a report of about 300 findings takes, format by format."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from audit.api import audit
from audit.models import ScriptedModel
from audit.models.scripted import Plant
from reports.audit_report import FORMATS, report_data
from reports.exports.files import Content
from tests.bench.bench_bundle import PAIRS, timed
from tests.conftest import write_mini

SUITES, TEMPLATES, TERMS = 3, 12, 25
"""2 models x 3 suites x (1 + 2 x 25 comparisons) = 306 findings."""
PLANTED = 1.5
"""Nats by which the one model prefers an answer after every other word: disparities, drawn in full."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_report", description=__doc__)
    parser.add_argument(
        "--keep", type=Path, help="leave the bundle in this folder; one that is there is used"
    )
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = chosen.keep or Path(folder) / "bundle"
        if not (root / "findings.json").exists():
            build(root, Path(folder))
        data, first = timed("the data of the report", lambda: report_data(root))
        print(f"{len(data['findings'])} findings, {len(data['controls'])} families")
        times = [first]
        for name, make in FORMATS.items():
            files, seconds = timed(name, lambda m=make: m(data, root))  # type: ignore[misc]
            print(f"{sum(map(size, files.values())) / 2**20:>12.1f} MiB in {len(files)} files")
            times.append(seconds)
        total = sum(seconds for _, seconds in times)
        print(f"{total:>12,.1f} ms  in all")
    if chosen.json:
        chosen.json.write_text(json.dumps({**dict(times), "in all": round(total, 1)}, indent=1) + "\n")


def size(content: Content) -> int:
    """Bytes of a file."""
    if isinstance(content, bytes):
        return len(content)
    with tempfile.TemporaryFile() as copied:
        content.copy_to(copied)
        return copied.tell()


def build(root: Path, folder: Path) -> None:
    """An audit of a model with planted disparities and of one without."""
    suites = []
    for number in range(SUITES):
        own = folder / str(number)
        own.mkdir()
        path = write_mini(own, TEMPLATES, TERMS, 3)
        text = path.read_text().replace("id: mini", f"id: mini-{number}")
        text = text.replace("[she], minus: [he]}", PAIRS).replace("late.", f"late on day {number}.")
        path.write_text(text)
        suites.append(str(path))
    plants = [Plant(rf"word\d*[13579]\b.* day {number}", ("she",), PLANTED) for number in range(SUITES)]
    noise = ScriptedModel.noise(scale=0.3)
    audit([ScriptedModel.planting(noise, plants), noise], suites, root, title="A report of many findings")


if __name__ == "__main__":
    main()

"""CrowS-Pairs (Nangia et al. 2020): pairs of sentences that differ in the group that they are about."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import Fault, InputError

FILE = "crows_pairs/crows_pairs_anonymized.csv"
PARTS = ("more", "less")
"""The sentence that is more stereotyping, and the one that is less."""
DIRECTIONS = ("stereo", "antistereo")
"""``more`` shows a stereotype of a disadvantaged group; or ``less`` goes against one."""
TYPES = (
    "race-color",
    "gender",
    "socioeconomic",
    "nationality",
    "religion",
    "age",
    "sexual-orientation",
    "physical-appearance",
    "disability",
)
"""The nine bias types, by size."""

COLUMNS = ("", "sent_more", "sent_less", "stereo_antistereo", "bias_type", "anon_writer")
MOST_FAULTS = 10


def crows_pairs(data: DataFolder) -> list[BenchmarkItem]:
    """The pairs as published.

    Returns
    -------
    list of BenchmarkItem
        ``id`` the publisher's row number; parts ``more`` and ``less``; ``subset`` the bias type; ``cluster``
        the writer; label ``direction``, ``stereo`` or ``antistereo``. In both directions ``more`` is the
        sentence that agrees with the stereotype.

    Raises
    ------
    InputError
        If the file is missing, is another one, or has a row that cannot be used, with its line.
    """
    path = data.file("crows-pairs", FILE)
    faults: list[Fault] = []
    items: dict[str, BenchmarkItem] = {}
    for line, row in _rows(path):
        empty = [name or "the row's number" for name in COLUMNS if not (row.get(name) or "").strip()]
        if empty:
            faults.append(Fault(f"{empty[0]} is empty", f"{path}:{line}", "Correct the row."))
        elif row["stereo_antistereo"] not in DIRECTIONS:
            what = f"stereo_antistereo is {row['stereo_antistereo']!r}"
            faults.append(Fault(what, f"{path}:{line}", "Write stereo or antistereo."))
        elif row[""] in items:
            faults.append(Fault(f"a second row {row['']!r}", f"{path}:{line}", "Number the rows."))
        else:
            items[row[""]] = BenchmarkItem(
                row[""],
                {"more": row["sent_more"], "less": row["sent_less"]},
                row["bias_type"],
                row["anon_writer"],
                {"direction": row["stereo_antistereo"]},
            )
    if faults:
        raise InputError(faults[:MOST_FAULTS])
    return list(items.values())


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of the table, each with the line on which it ends."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(Fault(f"not UTF-8 at byte {error.start}", str(path), "Save it as UTF-8.")) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        what = f"no column {missing[0]!r}"
        raise InputError(Fault(what, f"{path}:1", f"Its columns are: {', '.join(map(repr, COLUMNS))}."))
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        where = f"{path}:{reader.line_num}"
        raise InputError(Fault(f"not a table: {error}", where, "Check the quoting.")) from None

"""Whether a sidecar holds what plan and records give."""

from __future__ import annotations

from dataclasses import asdict
from itertools import zip_longest
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.bundle import Bundle
from audit.differences import TOLERANCE
from audit.kept import KeptAnswers
from audit.scored import ScoredAnswers
from audit.sidecar import Sidecar
from audit.sidecar_file import Source, arrow_tables, column_names


def sidecar_faults(kept: Sidecar, bundle: Bundle, answers: KeptAnswers, scored: ScoredAnswers) -> list[str]:
    """Where a sidecar departs from the scores of a bundle, column by column; empty where it does not."""
    if kept.columns != column_names(scored):
        return ["its columns are not those of the plan's suites"]
    faults: list[str] = []
    groups: list[list[str]] = []
    made = arrow_tables(bundle.plan, answers, scored)
    for number, (own, again) in enumerate(zip_longest(kept.row_groups(), made)):
        if own is None or again is None or own[:2] != again[:2] or len(own[2]) != len(again[2]):
            return [*faults, f"row group {number} is not the one that plan and records give"]
        groups.append([again[0], again[1]])
        faults += [f"{again[0]}, {again[1]}: {text}" for text in differing(own[2], again[2])]
    stated, true = asdict(kept.source), asdict(Source.of(bundle, answers, scored, groups))
    # of another version it may well be: that is why the scores were compared
    changed = [key for key, value in true.items() if stated[key] != value and key != "code_sha256"]
    if changed:
        faults.append(f"says of what it was made from another {', '.join(changed)}")
    return faults


def differing(kept: pa.Table, again: pa.Table) -> list[str]:
    """The columns in which two tables of one schema differ, each with its first row that does."""
    faults = []
    for name in again.column_names:
        one, other = plain(kept[name]), plain(again[name])
        rows = np.flatnonzero(unlike(one, other))
        if rows.size:
            first = int(rows[0])
            values = (short(one[first].as_py()), short(other[first].as_py()))
            faults.append(f"{name} of {rows.size} rows; row {first}: {values[0]}, recomputed {values[1]}")
    return faults


def plain(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece, without a dictionary."""
    whole = column.combine_chunks()
    whole = whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def unlike(one: pa.Array, other: pa.Array) -> np.ndarray:
    """Which entries differ, those included that only one of the two has."""
    missing = one.is_null().to_numpy(False) != other.is_null().to_numpy(False)
    if pa.types.is_floating(one.type):
        a, b = one.to_numpy(False), other.to_numpy(False)
        found = ~np.isclose(a, b, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    else:
        found = pc.fill_null(pc.not_equal(one, other), False).to_numpy(False)
    result: np.ndarray = missing | found
    return result


def short(value: Any) -> str:
    """A value as short text."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."

"""Selection and scoring rates by category, and each rate over the highest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scipy.stats import fisher_exact

from audit.impact.table import Applicants, read_applicants
from audit.impact.wording import LABELS, cautions
from audit.stats.estimate import Undefined
from audit.stats.intervals import Interval, wilson
from audit.stats.ratios import ImpactRatio, impact_ratios
from probes.errors import Fault, InputError

LEVEL = 0.95
SMALL_ONE_IN = 50
"""A category of less than one in so many people may be left out of the ratios: 2 % (6 RCNY 5-301)."""

Categories = tuple[str, ...]
Counts = tuple[int, int]


def impact(path: Path, exclude_small: str | None = None) -> dict[str, Any]:
    """Rates and impact ratios of a table of applicants, by sex, by race or ethnicity, and by both together.

    Parameters
    ----------
    path : Path
        As `audit.impact.table.read_applicants` describes.
    exclude_small : str, optional
        Why categories of less than 2 % of the people are left out of the ratios; their counts and rates are
        given all the same. Without it none is left out.

    Returns
    -------
    dict
        Plain JSON data that names the file by its digest alone. What could not be computed is None, with a
        reason.

    Raises
    ------
    InputError
        For a table that cannot be used, or an exclusion without a reason.

    Notes
    -----
    Source: 6 RCNY 5-300 and 5-301 for rates, ratios, unknown and small categories; 29 CFR 1607.4(D) for four
    fifths.
    """
    if exclude_small is not None and not exclude_small.strip():
        what = "small categories are left out without a reason"
        raise InputError(Fault(what, "", "Say why, as in --exclude-small 'too few to compare'."))
    applicants = read_applicants(path)
    axes: list[Categories] = [(axis,) for axis in applicants.axes]
    if len(applicants.axes) > 1:
        axes.append(applicants.axes)
    return {
        "sha256": applicants.sha256,
        "kind": applicants.kind,
        "label": LABELS[applicants.kind],
        "people": sum(cell.applicants for cell in applicants.cells),
        "selected": sum(cell.selected for cell in applicants.cells),
        "median": applicants.median,
        "tables": [_table(applicants, each, exclude_small) for each in axes],
        "cautions": cautions(applicants.kind),
    }


def _table(applicants: Applicants, axes: Categories, exclude_small: str | None) -> dict[str, Any]:
    """One table: every category of some axes."""
    counts, unknown = _totals(applicants, axes)
    people = sum(n for _, n in counts.values())
    out = {
        name: exclude_small.strip()
        for name, (_, n) in counts.items()
        if exclude_small is not None and n * SMALL_ONE_IN < people
    }
    kept = {name: each for name, each in counts.items() if name not in out}
    reference, compared = _compared(kept)
    candidates = sum(n > 0 for _, n in kept.values())
    rows = []
    for name, each in counts.items():
        base = kept[reference] if reference is not None and name != reference and name not in out else None
        row = {
            "categories": dict(zip(axes, name, strict=True)),
            "n": each[1],
            "selected": each[0],
            "share": each[1] / people if people else None,
            "small": each[1] * SMALL_ONE_IN < people,
            "excluded": out.get(name),
            **_rate(each),
            **_ratio(name, each, reference, compared, excluded=name in out),
            **_test(each, base, candidates),
            "below_four_fifths": None,
            "indicator": None,
        }
        if applicants.kind == "selection" and base is not None and row["ratio"] is not None:
            row["below_four_fifths"] = _below_four_fifths(each, base)
            row["indicator"] = compared[name].verdict
        rows.append(row)
    return {
        "axes": list(axes),
        "people": people,
        "unknown": unknown,
        "reference": None if reference is None else dict(zip(axes, reference, strict=True)),
        "note": _note(people, None if reference is None else kept[reference]),
        "rows": rows,
    }


def _note(people: int, base: Counts | None) -> str:
    """What is to be known of a whole table."""
    if not people:
        return "The category of every person is unknown."
    if base is not None and base[1] * SMALL_ONE_IN < people:
        return f"The highest rate is that of {base[1]} of {people} people, and every ratio rests on it."
    return ""


def _totals(applicants: Applicants, axes: Categories) -> tuple[dict[Categories, Counts], int]:
    """(selected, people) by category, and how many people have an unknown one."""
    places = [applicants.axes.index(axis) for axis in axes]
    totals: dict[Categories, Counts] = {}
    unknown = 0
    for cell in applicants.cells:
        name = tuple(label for label in (cell.labels[place] for place in places) if label is not None)
        if len(name) < len(axes):
            unknown += cell.applicants
            continue
        selected, n = totals.get(name, (0, 0))
        totals[name] = (selected + cell.selected, n + cell.applicants)
    return totals, unknown


def _compared(kept: Mapping[Categories, Counts]) -> tuple[Categories | None, dict[Categories, ImpactRatio]]:
    """The category with the highest rate, if any has people, and every other one over it."""
    peopled = [name for name, (_, n) in kept.items() if n]
    if not peopled:
        return None, {}
    if len(kept) == 1:
        return peopled[0], {}
    keys = {str(place): name for place, name in enumerate(kept)}
    ratios = impact_ratios({key: kept[name] for key, name in keys.items()}, LEVEL)
    return keys[ratios[0].reference], {keys[ratio.group]: ratio for ratio in ratios}


def _rate(counts: Counts) -> dict[str, Any]:
    found = wilson(*counts, LEVEL)
    if isinstance(found, Undefined):
        return {"rate": None, "rate_interval": None}
    return {"rate": found.estimate, "rate_interval": _interval(found)}


def _ratio(
    name: Categories,
    counts: Counts,
    reference: Categories | None,
    compared: Mapping[Categories, ImpactRatio],
    *,
    excluded: bool,
) -> dict[str, Any]:
    """The rate over the highest, or why there is none."""
    nothing = {"ratio": None, "ratio_interval": None}
    if excluded:
        return {**nothing, "reason": "left out of the ratios: less than 2 % of the people"}
    if not counts[1]:
        return {**nothing, "reason": "nobody is in this category"}
    if name == reference:
        if not counts[0]:
            return {**nothing, "reason": "the highest rate is 0: it divides nothing"}
        only = "the only category: compared with itself"
        return {
            "ratio": 1.0,
            "ratio_interval": None,
            "reason": "the highest rate: compared with itself" if compared else only,
        }
    found = compared[name].interval
    if isinstance(found, Undefined):
        return {**nothing, "reason": "the highest rate is 0: it divides nothing"}
    reason = "" if counts[0] else f"none of {counts[1]} was chosen"
    return {"ratio": found.estimate, "ratio_interval": _interval(found), "reason": reason}


def _test(counts: Counts, base: Counts | None, candidates: int) -> dict[str, Any]:
    """Fisher's exact test against the category with the highest rate.

    As that one was picked from the same data, p is multiplied by the number of pairs that could have been
    picked (Bonferroni). On scoring rates the test is Mood's median test, exact.
    """
    if base is None or not counts[1]:
        return {"p": None, "p_adjusted": None}
    table = [[chosen, n - chosen] for chosen, n in (counts, base)]
    p = float(fisher_exact(table).pvalue)
    return {"p": p, "p_adjusted": min(1.0, p * candidates * (candidates - 1) / 2)}


def _below_four_fifths(counts: Counts, base: Counts) -> bool:
    """Whether one rate is less than four fifths of another, in whole numbers: no rounding decides."""
    return 5 * counts[0] * base[1] < 4 * base[0] * counts[1]


def _interval(found: Interval) -> dict[str, Any]:
    return {"level": found.level, "lo": found.lo, "hi": found.hi, "method": found.method}

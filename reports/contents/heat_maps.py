"""Where a disparity sits: the means by template family and group behind the worst of each model and suite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.drill import columns_of, heat_map
from audit.sidecar import open_sidecar

MOST_FAMILIES, MOST_GROUPS = 40, 30
"""What a reader can take in; the rest is counted, and stands in the dashboard."""

Told = Mapping[str, Any]


def heat_maps(root: Path, rows: Sequence[Told]) -> list[dict[str, Any]]:
    """Template families by groups, for the most severe disparity of each model and suite.

    Parameters
    ----------
    root : Path
        The bundle's folder: the means are taken of its scores.
    rows : sequence of mapping
        The report's findings, worst first.

    Returns
    -------
    list of dict
        ``means[i][j]`` is that of family i and group j in the finding's unit, None where nothing was scored;
        ``scores`` counts the answers behind it and ``lost`` those without a score. Log-odds differ between
        families for reasons of their own: their ``centre`` is the mean of the family, that of others is 0.

    Raises
    ------
    BundleError
        If the answers cannot be read.
    """
    chosen = worst(rows)
    if not chosen:
        return []
    sidecar = open_sidecar(root)
    made = []
    for told in chosen:
        record = told["record"]
        frame = sidecar.scores(columns_of(record), record["model"], record["suite"])
        names = group_labels((row["record"] for row in rows), record["suite"], record["axis"])
        made.append(one_map(told, heat_map(frame, record), names))
    return made


def worst(rows: Sequence[Told]) -> list[Told]:
    """The first disparity of each model and suite."""
    found: dict[tuple[str, str], Told] = {}
    for told in rows:
        if told["record"]["verdict"] == "disparity":
            found.setdefault((told["record"]["model"], told["record"]["suite"]), told)
    return list(found.values())


def one_map(told: Told, frame: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """The cells of one finding, as far as they can be shown."""
    record = told["record"]
    families, groups = list(dict.fromkeys(frame["family"])), list(dict.fromkeys(frame["group"]))
    shown, heads = families[:MOST_FAMILIES], groups[:MOST_GROUPS]
    table = frame.set_index(["family", "group"])

    def grid(column: str, kind: type) -> list[list[Any]]:
        wide = table[column].unstack("group").loc[shown, heads]
        return [[None if cell != cell else kind(cell) for cell in row] for row in wide.to_numpy()]

    return {
        "number": told["number"],
        "model": record["model"],
        "suite": record["suite"],
        "unit": record["unit"],
        "centre": "family" if record["scale"] == "log-odds" else "zero",
        "families": [str(name) for name in shown],
        "groups": [names.get(str(name), str(name)) for name in heads],
        "means": grid("mean", float),
        "scores": grid("n", int),
        "lost": grid("lost", int),
        "families_left_out": len(families) - len(shown),
        "groups_left_out": len(groups) - len(heads),
    }


def group_labels(records: Iterable[Told], suite: str, axis: str) -> dict[str, str]:
    """What the groups of an axis are called, as far as the findings name them.

    Empty where two groups are called alike, so that a label never stands for more than one group.
    """
    labels: dict[str, str] = {}
    for row in records:
        if (row["suite"], row["axis"]) == (suite, axis) and not row["crossed_axis"]:
            labels.setdefault(row["group"], row["group_label"])
            labels.setdefault(row["reference"], row["reference_label"])
    return labels if len(set(labels.values())) == len(labels) else {}


def cells(found: Told) -> list[dict[str, Any]]:
    """The cells of a heat map one by one, as it is drawn."""
    return [
        {
            "family": family,
            "group": group,
            "mean": found["means"][row][column],
            "n": found["scores"][row][column],
            "lost": found["lost"][row][column],
        }
        for row, family in enumerate(found["families"])
        for column, group in enumerate(found["groups"])
    ]

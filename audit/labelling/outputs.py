"""Every scored output of an audit about which people can be asked, in strata of group and score band."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.bundle import Bundle
from audit.measures import Measure, scorer_column
from audit.measures.labels import LabelSet
from audit.plan import PlannedSuite, planned_suites
from audit.review.queue import KEY, queue_id
from audit.scorers.classes import Reading, found_flags
from audit.sidecar import open_sidecar
from audit.stats.estimate import Floats
from audit.table import AXIS
from audit.verify import read_findings
from probes.errors import BundleError, Fault, InputError

Band = Literal["found", "scorers differ", "near the threshold", "not found"]
BANDS: tuple[Band, ...] = ("found", "scorers differ", "near the threshold", "not found")
"""What the scorers say of an output. ``scorers differ``: one finds what is looked for, and another does not;
``near the threshold``: they agree, and the primary one hardly; the others: they agree, and plainly."""

NEAR = 0.1
"""How far from its threshold a score is near it, as a share of the scorer's scale."""

OTHERS = scorer_column("")
"""Prefix of the columns of further scorers."""

NEEDED = (
    "model", "suite", "arm", "item", "template", "family", "term", "pair", "unit", "factor", "status",
    "value", "text", "output", "digest", "drawn",
)  # fmt: skip
"""Columns of the sidecar that are read, besides those of axes and of further scorers."""


@dataclass(frozen=True)
class ScoredBy:
    """One scorer of the outputs: how its numbers are to be read, and where they stand.

    Attributes
    ----------
    reading : Reading
        As on its card.
    column : str
        Of ``Outputs.frame``.
    """

    reading: Reading
    column: str

    @property
    def name(self) -> str:
        """As reports name it."""
        return self.reading.name

    def flags(self, rows: pd.DataFrame) -> Floats:
        """1 where the scorer finds what it is there to find, 0 where not, NaN without a score; shape (n,)."""
        return found_flags(rows[self.column].to_numpy(dtype=float), self.reading)

    def near(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether a score lies close to the value from which on a text is found, on either side; (n,)."""
        values = rows[self.column].to_numpy(dtype=float)
        reach = NEAR * (self.reading.bounds[1] - self.reading.bounds[0])
        if not math.isfinite(reach):
            return np.zeros(values.shape, dtype=np.bool_)
        near: npt.NDArray[np.bool_] = np.abs(values - self.reading.notable) < reach
        return near


@dataclass(frozen=True)
class Asked:
    """What people are asked about the outputs of one suite, and the scorers that answer the same.

    Attributes
    ----------
    scorers : tuple of ScoredBy
        The primary one first.
    margin : float or None
        The suite's margin, where it is one of a share of outputs; None where it is on another scale.
    """

    labels: LabelSet
    scorers: tuple[ScoredBy, ...]
    margin: float | None


@dataclass(frozen=True, eq=False)
class Outputs:
    """All that people can be asked about, of one audit.

    Attributes
    ----------
    asked : mapping of str to Asked
        By suite; suites of which people are not asked about the output are not there.
    frame : DataFrame
        A row for each output of the probe arm, scored or not, once however often it was drawn: the columns
        of the sidecar, with ``id`` (as in a queue of reviews: it tells nothing of the output), and of those
        with a score ``cell`` (the groups that the item is about, in words), ``band`` and ``stratum``
        (model, suite, cell and band, in words); empty text where there is no score.
    """

    root: Path
    plan: Mapping[str, Any]
    findings: Mapping[str, Any]
    suites: Mapping[str, PlannedSuite]
    asked: Mapping[str, Asked]
    frame: pd.DataFrame

    @property
    def scored(self) -> pd.DataFrame:
        """The rows that have a score: the population of the sample."""
        return self.frame[self.frame["stratum"] != ""]

    @property
    def axes(self) -> list[str]:
        """The axes on which outputs have groups, in order."""
        return sorted(str(name).removeprefix(AXIS) for name in self.frame if str(name).startswith(AXIS))


def scored_outputs(root: Path) -> Outputs:
    """Read an audit's outputs and sort them into strata.

    Parameters
    ----------
    root : Path
        The bundle's folder.

    Raises
    ------
    BundleError
        If plan, records or findings are missing or broken, or the audit is not finished.
    InputError
        If no suite of the audit has outputs that people can be asked about.
    """
    plan = Bundle(root).plan
    findings = read_findings(root)
    suites = planned_suites(plan)
    asked = {
        name: asked_of(planned)
        for name, planned in suites.items()
        if (labels := planned.measure.labels).about == "output" and labels.found
    }
    asked = {name: one for name, one in asked.items() if any(row["suite"] == name for row in plan["asks"])}
    if not asked:
        what = "no suite of this audit has outputs that a scorer judges"
        raise InputError(Fault(what, str(root), "People label what a model wrote; see evenhand suites list."))
    sidecar = open_sidecar(root)
    if not sidecar.complete:
        remedy = f"Go on with: evenhand run --out {shlex.quote(str(root))}"
        raise BundleError(Fault("some questions have no answer yet", str(root), remedy))
    more = [name for name in sidecar.columns if name.startswith((AXIS, OTHERS))]
    rows = sidecar.scores([*NEEDED, *more])
    rows = rows[(rows["arm"] == "probe") & rows["suite"].isin(list(asked))]
    kinds = {name: object for name in rows if name != "value" and not str(name).startswith(OTHERS)}
    frame = rows.astype(kinds).drop_duplicates(KEY).sort_values(KEY, ignore_index=True)
    seed = plan["seed"]
    frame["id"] = [queue_id(seed, key) for key in frame[KEY].itertuples(index=False)]
    frame["cell"] = cells_of(frame)
    frame["band"] = bands_of(frame, asked)
    named = frame["model"] + " | " + frame["suite"] + " | " + frame["cell"] + " | " + frame["band"]
    frame["stratum"] = named.where(frame["band"] != "", "")
    return Outputs(root, plan, findings, suites, asked, frame)


def asked_of(planned: PlannedSuite) -> Asked:
    """What people are asked about a suite's outputs, and from which scores on its scorers find it."""
    measure = planned.measure
    margin = planned.margin.value if measure.bounds == (0.0, 1.0) else None
    return Asked(measure.labels, scored_by(measure), margin)


def scored_by(measure: Measure) -> tuple[ScoredBy, ...]:
    """The scorers of a measure, as the plan holds them, and the columns of their scores."""
    return tuple(
        ScoredBy(one, scorer_column(one.name) if number else "value")
        for number, one in enumerate(measure.planned)
    )


def cells_of(frame: pd.DataFrame) -> list[str]:
    """The groups that each row is about, in words, every axis on which it has one."""
    axes = sorted(str(name) for name in frame if str(name).startswith(AXIS))
    groups = [frame[axis].to_list() for axis in axes]
    return (
        [
            ", ".join(
                f"{axis.removeprefix(AXIS)} {group}"
                for axis, group in zip(axes, row, strict=True)
                if isinstance(group, str)
            )
            or "no group"
            for row in zip(*groups, strict=True)
        ]
        if axes
        else ["no group"] * len(frame)
    )


def bands_of(frame: pd.DataFrame, asked: Mapping[str, Asked]) -> npt.NDArray[np.object_]:
    """The band of each row; empty where there is no score."""
    bands = np.full(len(frame), "", dtype=object)
    for suite, one in asked.items():
        own = ((frame["suite"] == suite) & (frame["status"] == "scored")).to_numpy()
        first, *others = one.scorers
        rows = frame[own]
        said = first.flags(rows)
        differ = np.zeros(len(rows), dtype=np.bool_)
        for other in others:
            second = other.flags(rows)
            differ |= ~np.isnan(second) & (second != said)
        plain = np.where(said == 1.0, "found", "not found")
        bands[own] = np.where(
            differ, "scorers differ", np.where(first.near(rows), "near the threshold", plain)
        )
    return bands

"""The spreads that a plan reckons with: a suite's assumed ones, or those that an earlier audit found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from audit.bundle import Bundle
from audit.design.family_design import FamilyDesign, family_design
from audit.hypotheses import Hypothesis, hypothesis_from_json
from audit.measures import decoding_from_json
from audit.plan import PlannedSuite, planned_suites
from audit.stats.design import DesignSds, sds_of
from audit.stats.estimate import Contrast
from audit.wording import counted
from probes.errors import BundleError, Fault

LESS_LUCK = (
    "There, groups were sampled with the same noise, so that luck set them less apart than where each prompt "
    "has its own: more may be needed"
)


@dataclass(frozen=True)
class Spreads:
    """Standard deviations of a family's random effects, and where they come from.

    Attributes
    ----------
    sds : DesignSds
        In the unit of the suite's margin; of single groups of terms, see ``FamilyDesign.scaled``.
    source : str
        In words.
    assumed : bool
        Whether nobody measured them.
    """

    sds: DesignSds
    source: str
    assumed: bool


class SpreadSource(Protocol):
    """Gives the spreads of a family."""

    def of(self, first: Hypothesis, planned: PlannedSuite, design: FamilyDesign) -> Spreads:
        """The spreads of the family of ``first``, for cells as ``design`` makes them."""
        ...


class AssumedSpreads:
    """Those that each suite's file assumes; samples of one prompt average out."""

    def of(self, first: Hypothesis, planned: PlannedSuite, design: FamilyDesign) -> Spreads:
        """The suite's spreads for a layout."""
        planning = planned.suite.planning
        residual = planning.residual_sd / math.sqrt(design.repeats)
        term = 0.0 if design.layout == "single" else planning.term_sd
        return Spreads(DesignSds(planning.template_sd, term, residual), planning.source, assumed=True)


class EarlierSpreads:
    """Those that the findings of a finished audit show, by suite, contrast and axis.

    The variances of a family's findings are averaged; of the same model where it was audited, else of all
    models there. Where the earlier audit sampled each prompt more or less often, the residual is taken to be
    the noise of sampling and scaled to the samples of the plan. A family that the audit cannot tell about
    keeps the assumed spreads, which its source says.

    Parameters
    ----------
    folder : Path
        The bundle.

    Raises
    ------
    BundleError
        If there are no findings of this version, or none with variance components.
    """

    def __init__(self, folder: Path) -> None:
        from audit.verify import read_findings

        self.folder = folder
        plan = Bundle(folder).plan
        self._decoding = decoding_from_json(plan["decoding"])
        self._suites = planned_suites(plan)
        fields = Hypothesis.__dataclass_fields__
        self._rows = [
            (hypothesis_from_json({key: row[key] for key in fields if key in row}), row)
            for row in read_findings(folder)["findings"]
            if row.get("variance") and not row.get("sequential")
        ]
        if not self._rows:
            what = "no finding of this audit has variance components"
            remedy = "Give an audit that was asked whole, and whose contrasts could be computed."
            raise BundleError(Fault(what, str(folder), remedy))

    def of(self, first: Hypothesis, planned: PlannedSuite, design: FamilyDesign) -> Spreads:
        """The spreads found for a family, or the assumed ones with the reason."""
        key = (first.suite, first.contrast, first.axis)
        there = [(h, row) for h, row in self._rows if (h.suite, h.contrast, h.axis) == key]
        same = [(h, row) for h, row in there if h.model == first.model]
        found = [(h, row, self._design(h)) for h, row in same or there]
        fitting = [
            (row, earlier)
            for _, row, earlier in found
            if earlier.layout == design.layout and not earlier.reason
        ]
        name = f"{first.suite}, by {first.axis.replace('_', ' ')}"
        if not fitting:
            assumed = AssumedSpreads().of(first, planned, design)
            why = "relates terms to groups otherwise" if there else "tells nothing of it"
            return replace(assumed, source=f"{name}: {self.folder} {why}. {assumed.source}")
        each = [earlier_sds(row, earlier, design) for row, earlier in fitting]
        models = ", ".join(sorted({h.model for h, _, _ in found}))
        text = f"{name}: from {counted(len(each), 'finding')} about {models} in {self.folder}"
        if not design.shares_noise and any(earlier.shares_noise for _, earlier in fitting):
            text += f". {LESS_LUCK}"
        return Spreads(mean_sds(each), text, assumed=False)

    def _design(self, hypothesis: Hypothesis) -> FamilyDesign:
        return family_design(hypothesis, self._suites[hypothesis.suite], self._decoding)


def earlier_sds(row: Mapping[str, Any], earlier: FamilyDesign, design: FamilyDesign) -> DesignSds:
    """The standard deviations behind one finding, for as many samples of a prompt as ``design`` takes.

    A single layout has one component, which the samples' noise is a part of and cannot be taken out of.
    """
    contrast = Contrast(
        estimate=row["estimate"],
        se=row["se"],
        df=math.inf if row["df"] is None else row["df"],
        method=row["method"],
        n_obs=row["n_cells"],
        n_templates=row["n_clusters"],
        n_terms=row["n_terms"],
        components=row["variance"],
    )
    one, zero = (
        (earlier.one, earlier.zero) if earlier.layout == "nested" else (row["n_terms"], row["n_terms"])
    )
    sds = earlier.unscaled(sds_of(contrast, one, zero, earlier.layout))
    return replace(sds, residual=sds.residual * math.sqrt(earlier.repeats / design.repeats))


def mean_sds(each: Sequence[DesignSds]) -> DesignSds:
    """Standard deviations of which each squared is the mean of the squares.

    Examples
    --------
    >>> mean_sds([DesignSds(3.0, 0.0, 1.0), DesignSds(4.0, 0.0, 1.0)])
    DesignSds(template=3.5355339059327378, term=0.0, residual=1.0)
    """

    def mean(values: Sequence[float]) -> float:
        return math.sqrt(math.fsum(value**2 for value in values) / len(values))

    return DesignSds(
        mean([sds.template for sds in each]),
        mean([sds.term for sds in each]),
        mean([sds.residual for sds in each]),
    )

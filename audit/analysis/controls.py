"""The negative controls that every audit carries.

* **A/A**: one group against itself. Nested and paired terms: two random halves of a group's terms. Groups
  of one term: one wording of each paraphrase family against another, or, where families were sampled down
  to one wording, templates paired at random. Sampled text: even against odd samples. No difference
  is expected, and one that shows, after correction within the family, invalidates the family.
* **Nonce**: invented words in the place of the groups. Nested and paired terms: two random halves of the
  invented words. Groups of one term: each invented word against the others, as the real groups are; their
  spread says how far a mere word moves the measure, and makes a disparity of that size fragile.
* **Swap**: with the two groups exchanged, the estimate changes its sign and nothing else. This checks the
  arithmetic, not the model.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from audit.analysis.estimates import (
    Cells,
    Comparer,
    estimate,
    split_samples,
    split_terms,
    swap_wordings,
)
from audit.hypotheses import OVERALL, REST, Hypothesis
from audit.stats.estimate import Contrast
from audit.stats.multiplicity import holm

SMALLEST_HALF = 2
"""Terms that each half of a split needs."""


@dataclass(frozen=True)
class ControlPanel:
    """The controls of one family.

    Attributes
    ----------
    aa : list of dict
        One row a group: ``label, estimate, lo, hi, p, p_adjusted``; figures None with a ``reason`` where
        the control could not be had.
    aa_p : float or None
        The smallest corrected p-value of the A/A rows.
    nonce : list of dict
        As ``aa``, one row an invented word or half.
    nonce_size : float or None
        How far groups of invented words differ by root mean square, in the measure's unit.
    """

    aa: list[dict[str, Any]]
    aa_p: float | None
    nonce: list[dict[str, Any]]
    nonce_size: float | None


def generator(seed: int, *names: str) -> np.random.Generator:
    """A random generator of its own for each purpose: one seed, other numbers for every name."""
    key = hashlib.sha256("\x00".join(names).encode("utf-8")).digest()
    return np.random.default_rng([seed, *np.frombuffer(key[:16], dtype=np.uint32).tolist()])


def control_panel(
    family: Sequence[Hypothesis], probes: Comparer, nonce: pd.DataFrame, seed: int, alpha: float
) -> ControlPanel:
    """The A/A and nonce controls of the hypotheses of one family.

    Parameters
    ----------
    probes : Comparer
        Of the family's axis.
    nonce : DataFrame
        Rows of the score table with invented words, of the family's model and suite.
    seed : int
        The plan's seed; halves and orientations are drawn from it and the family's name.
    """
    rows = [(h.group, aa_cells(probes, h.group, generator(seed, "aa", h.id))) for h in family]
    groups = [*rows, *reference_control(family, probes, seed)]
    aa = with_correction([control_row(label, cells, alpha) for label, cells in groups])
    adjusted = [row["p_adjusted"] for row in aa if row["p_adjusted"] is not None]
    invented = nonce_rows(nonce, family[0], seed, alpha)
    return ControlPanel(
        aa, min(adjusted, default=None), invented, nonce_size(nonce, invented, probes, family[0])
    )


def nonce_size(
    frame: pd.DataFrame, rows: Sequence[dict[str, Any]], probes: Comparer, hypothesis: Hypothesis
) -> float | None:
    """How far groups of invented words differ, by root mean square, in the measure's unit.

    Groups of one term: over the nonce rows. Else the value to expect of random groups as large as those
    compared: the spread of the invented words' means times ``sqrt(1/n1 + 1/n0)``, and with coefficients c
    in the contrast ``sqrt(sum(c**2 / n))``.
    """
    if hypothesis.layout == "fixed":
        sizes = [row["estimate"] for row in rows if row["estimate"] is not None]
        return math.sqrt(math.fsum(value**2 for value in sizes) / len(sizes)) if sizes else None
    words = frame.groupby("term")["value"].mean().dropna()
    counts = probes.frame.groupby("group")["term"].nunique()
    weights = probes.weights(hypothesis.group)
    terms = [int(counts.get(name, 0)) for name in weights]
    if len(words) < 2 or len(terms) < 2 or not all(terms):
        return None
    share = math.fsum(weight**2 / n for weight, n in zip(weights.values(), terms, strict=True))
    return float(words.std(ddof=1)) * math.sqrt(share)


def reference_control(
    family: Sequence[Hypothesis], probes: Comparer, seed: int
) -> list[tuple[str, Cells | str]]:
    """The A/A rows of what no hypothesis has as its own group: named references, cells of interactions."""
    first = family[0]
    if first.reference in (REST, OVERALL) or first.layout == "fixed":
        return []
    own = {hypothesis.group for hypothesis in family}
    names = dict.fromkeys(name for h in family for name in probes.weights(h.group) if name not in own)
    return [(name, aa_cells(probes, name, generator(seed, "aa", first.family, name))) for name in names]


def aa_cells(probes: Comparer, group: str, rng: np.random.Generator) -> Cells | str:
    """One group against itself, or the reason why that cannot be had."""
    own = probes.frame[probes.frame["group"] == group]
    if own.empty:
        return "nothing was asked about this group"
    if probes.layout != "fixed" or has_samples(own):
        return split(own, rng)
    return swap_wordings(probes.cells(group), rng)


def has_samples(frame: pd.DataFrame) -> bool:
    """Whether a group's prompts were continued more than once, so that samples can be split.

    With one sample in each of several settings all numbers are even: a split would compare settings.
    """
    return bool(frame["factor"].iloc[0] == "samples" and (frame["unit"].astype(int) % 2).nunique() == 2)


def split(frame: pd.DataFrame, rng: np.random.Generator) -> Cells | str:
    """Samples split where there are several, terms where not."""
    if has_samples(frame):
        return split_samples(frame)
    if frame["term"].nunique() < 2 * SMALLEST_HALF:
        return f"{frame['term'].nunique()} terms cannot be split in two halves of {SMALLEST_HALF}"
    return split_terms(frame, rng)


def nonce_rows(frame: pd.DataFrame, hypothesis: Hypothesis, seed: int, alpha: float) -> list[dict[str, Any]]:
    """The nonce arm in the layout of a family."""
    words = list(dict.fromkeys(frame["term"]))
    if hypothesis.layout != "fixed":
        rng = generator(seed, "nonce", hypothesis.suite)
        if len(words) < 2 * SMALLEST_HALF:
            return [control_row("invented words, halves", f"{len(words)} invented words", alpha)]
        return with_correction([control_row("invented words, halves", split_terms(frame, rng), alpha)])
    invented = Comparer(frame.assign(group=frame["term"]), REST, "fixed")
    rows = [control_row(word.partition(":")[2], invented.cells(word), alpha) for word in words]
    return with_correction(rows)


def control_row(label: str, cells: Cells | str, alpha: float) -> dict[str, Any]:
    """One control as plain data."""
    found = estimate(cells) if isinstance(cells, Cells) else None
    if not isinstance(found, Contrast):
        reason = cells if isinstance(cells, str) else getattr(found, "reason", "")
        return {
            "label": label, "estimate": None, "lo": None, "hi": None, "p": None, "p_adjusted": None,
            "reason": reason,
        }  # fmt: skip
    low, high = found.ci(1 - alpha)
    return {
        "label": label, "estimate": found.estimate, "lo": low, "hi": high, "p": found.p_value(),
        "p_adjusted": None, "reason": "",
    }  # fmt: skip


def with_correction(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with Holm's correction over those that could be had."""
    for row, adjusted in zip(rows, holm([row["p"] for row in rows]).p, strict=True):
        row["p_adjusted"] = adjusted
    return rows


def swap_holds(cells: Cells) -> bool | None:
    """Whether exchanging the groups turns the estimate's sign and nothing else; None where undefined."""
    found, swapped = estimate(cells), estimate(cells.swapped())
    if not isinstance(found, Contrast) or not isinstance(swapped, Contrast):
        return None
    return abs(found.estimate + swapped.estimate) < 1e-9 and abs(found.se - swapped.se) < 1e-9

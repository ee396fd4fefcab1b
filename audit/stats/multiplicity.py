"""Adjusting p-values for the number of questions that were asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from audit.stats.estimate import Floats

PValue = float | None


@dataclass(frozen=True)
class Adjusted:
    """A family of adjusted p-values.

    Parameters
    ----------
    p : tuple of (float or None)
        Adjusted p-values, in [0, 1], in the order given; None where the hypothesis could not be tested.
    m : int
        Size of the family, hypotheses that could not be tested included.
    n_not_computable : int
        How many of them could not be tested.
    method : str
        ``"holm"`` or ``"benjamini-hochberg"``.

    Examples
    --------
    >>> Adjusted((0.02, None), m=2, n_not_computable=1, method="holm").m
    2
    """

    p: tuple[PValue, ...]
    m: int
    n_not_computable: int
    method: str


def holm(p: Sequence[PValue]) -> Adjusted:
    """Holm's step-down adjustment: the chance of any false claim stays below alpha.

    Valid under any dependence. The family is what was declared before asking, so a hypothesis that could not
    be tested (None) still counts in m, as if its p-value were 1: dropping it would reward failed measurement.

    Parameters
    ----------
    p : sequence of (float or None)
        Raw p-values, in [0, 1]; None where none could be computed.

    Returns
    -------
    Adjusted
        max over j <= i of (m - j + 1) p_(j), at most 1; smaller means stronger evidence of a difference.

    Raises
    ------
    ValueError
        If a p-value is NaN or outside [0, 1].

    Notes
    -----
    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, None]).p
    (0.03, 0.08, None)
    """
    return _adjusted(p, "holm", _step_down)


def benjamini_hochberg(p: Sequence[PValue]) -> Adjusted:
    """Benjamini and Hochberg's step-up adjustment: bounds the expected share of false claims.

    For exploratory tables, under independence or positive dependence. As in `holm`, None counts in m.

    Parameters
    ----------
    p : sequence of (float or None)
        Raw p-values, in [0, 1]; None where none could be computed.

    Returns
    -------
    Adjusted
        min over j >= i of m p_(j) / j, at most 1; smaller means stronger evidence of a difference.

    Raises
    ------
    ValueError
        If a p-value is NaN or outside [0, 1].

    Notes
    -----
    Source: Benjamini and Hochberg (1995), JRSS B 57, 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, None]).p
    (0.03, 0.06, None)
    """
    return _adjusted(p, "benjamini-hochberg", _step_up)


def _step_down(ordered: Floats, m: int) -> Floats:
    return np.minimum(np.maximum.accumulate(ordered * (m - np.arange(ordered.size))), 1.0)


def _step_up(ordered: Floats, m: int) -> Floats:
    scaled = ordered * m / np.arange(1, ordered.size + 1)
    return np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)


def _adjusted(p: Sequence[PValue], method: str, step: Callable[[Floats, int], Floats]) -> Adjusted:
    places = [place for place, value in enumerate(p) if value is not None]
    raw = np.array([value for value in p if value is not None], dtype=np.float64)
    if not ((raw >= 0.0) & (raw <= 1.0)).all():
        raise ValueError("a p-value lies outside [0, 1] or is NaN; give None where none could be computed")
    order = np.argsort(raw, kind="stable")
    values: list[PValue] = [None] * len(p)
    for place, value in zip(order, step(raw[order], len(p)), strict=True):
        values[places[place]] = float(value)
    return Adjusted(tuple(values), len(p), len(p) - len(places), method)

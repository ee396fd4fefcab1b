"""How much of the spread of scores is owed to groups, templates, names, samples and their interactions.

From balanced, complete tables by expected mean squares: exact arithmetic, no iteration, no convergence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import SINGLE_PRECISION, Floats, Undefined, as_floats, sum_of_squares
from audit.stats.intervals import complete

Axes = Literal["TN", "GT", "GTN", "GTS", "GTNS"]
"""What the axes of a table are: Groups, Templates, Names (of that group), Samples (of that cell)."""

_AXIS_NAMES = {"G": "group(s)", "T": "template(s)", "N": "name(s) a group", "S": "sample(s) a cell"}


@dataclass(frozen=True)
class VarianceComponents:
    """Variances of the random effects behind a table of scores, score units squared.

    None means that the table cannot tell: the effect is not in it, or is part of the last one that is. Each
    is >= 0; an estimate below 0 is held at 0 and stands in `raw` as it came out.

    Parameters
    ----------
    s2_group : float or None
        Groups' own means.
    s2_template : float or None
        Templates.
    s2_group_template : float or None
        Groups that score differently from template to template. Part of `s2_residual` in a table (G, T).
    s2_name : float or None
        Names within a group; terms in a table (T, N).
    s2_residual : float or None
        Names by templates; the whole interaction in tables of two axes. None in a table (G, T, S).
    s2_sample : float or None
        Repeated answers in one cell. Part of the residual where there is one answer a cell.
    raw : Mapping[str, float]
        The same before they are held at 0.
    s2_group_sample : float or None
        Groups by seeds, where the same seeds serve all groups. No table here tells it; it may be supplied
        for `audit.stats.generalizability`.

    Examples
    --------
    >>> VarianceComponents(0.1, 0.2, None, None, 0.3, None, {}).s2_name is None
    True
    """

    s2_group: float | None
    s2_template: float | None
    s2_group_template: float | None
    s2_name: float | None
    s2_residual: float | None
    s2_sample: float | None
    raw: Mapping[str, float]
    s2_group_sample: float | None = None


def components(values: npt.ArrayLike, axes: Axes) -> VarianceComponents | Undefined:
    """Variance components of a balanced, complete table.

    Parameters
    ----------
    values : array_like
        Scores, any unit, with the axes that `axes` names. Templates are the same for all groups; names belong
        to their group, and samples to their cell. Average a table with missing cells first: nothing is
        dropped here.
    axes : {"TN", "GT", "GTN", "GTS", "GTNS"}
        T templates by N terms of one group; G groups by T templates; the same with N names for each group,
        with S samples for each cell, or with both.

    Returns
    -------
    VarianceComponents or Undefined
        Score units squared. Undefined with a cell missing, with an axis shorter than 2, or without spread
        beyond the rounding of single precision.

    Raises
    ------
    ValueError
        If the number of axes is wrong or a score is infinite.

    Notes
    -----
    Source: expected mean squares; Searle, Casella and McCulloch (1992), Variance Components, chapter 4;
    Brennan (2001), Generalizability Theory, chapters 3 and 5. For (G, T, N, S)::

        E MS_G    = s + S e + T S n + N S gt + T N S g
        E MS_T    = s + S e         + N S gt + G N S t
        E MS_GT   = s + S e         + N S gt
        E MS_N:G  = s + S e + T S n
        E MS_TN:G = s + S e
        E MS_S    = s

    solved from below; shorter tables leave out what they lack. The raw solutions have the right mean over
    repetitions; held at 0, they are too large on average where the true value is near 0.

    Examples
    --------
    >>> table = [[1.0, 2.0, 3.0], [2.0, 4.0, 3.0], [6.0, 6.0, 9.0]]
    >>> found = components(table, "GT")
    >>> round(found.s2_group, 4), round(found.s2_template, 4), round(found.s2_residual, 4)
    (6.6667, 0.6667, 1.0)
    """
    if axes not in get_args(Axes):
        raise ValueError(f"axes must be one of {', '.join(get_args(Axes))}, not {axes!r}")
    cells = as_floats("values", values, len(axes))
    short = [f"{size} {_AXIS_NAMES[axis]}" for axis, size in zip(axes, cells.shape, strict=True) if size < 2]
    if short:
        return Undefined(f"{' and '.join(short)}; at least 2 are needed")
    if np.isnan(cells).any():
        return Undefined(f"{int(np.isnan(cells).sum())} of {cells.size} cells are missing; average first")
    if float(np.ptp(cells)) <= SINGLE_PRECISION * float(np.abs(cells).max()):
        return Undefined("the scores show no spread")
    if axes == "TN":
        raw = _crossed(cells, "name")
    elif axes == "GT":
        raw = _crossed(cells.T, "group")
    else:
        shape = dict(zip(axes, cells.shape, strict=True))
        full = cells.reshape(shape["G"], shape["T"], shape.get("N", 1), shape.get("S", 1))
        raw = _nested(full)
    held = {name: max(value, 0.0) for name, value in raw.items()}
    return VarianceComponents(
        held.get("s2_group"),
        held.get("s2_template"),
        held.get("s2_group_template"),
        held.get("s2_name"),
        held.get("s2_residual"),
        held.get("s2_sample"),
        raw,
    )


def _crossed(cells: Floats, second: str) -> dict[str, float]:
    """Templates by a second factor, one score a cell."""
    n_templates, n_second = cells.shape
    rows, columns = cells.mean(axis=1), cells.mean(axis=0)
    residual = _mean_square(
        cells - rows[:, None] - columns + cells.mean(), (n_templates - 1) * (n_second - 1)
    )
    return {
        "s2_template": float(rows.var(ddof=1)) - residual / n_second,
        f"s2_{second}": float(columns.var(ddof=1)) - residual / n_templates,
        "s2_residual": residual,
    }


def _nested(cells: Floats) -> dict[str, float]:
    """Groups by templates, with names in groups, samples in cells, or both."""
    n_groups, n_templates, n_names, n_samples = cells.shape
    cell = cells.mean(axis=3)
    group_template, group_name = cell.mean(axis=2), cell.mean(axis=1)
    group, template, mean = cell.mean(axis=(1, 2)), cell.mean(axis=(0, 2)), float(cell.mean())
    interaction = group_template - group[:, None] - template + mean
    size = n_names * n_samples
    ms_interaction = size * _mean_square(interaction, (n_groups - 1) * (n_templates - 1))
    ms_template = n_groups * size * _mean_square(template - mean, n_templates - 1)
    ms_group = n_templates * size * _mean_square(group - mean, n_groups - 1)
    raw: dict[str, float] = {}
    within = 0.0
    if n_samples > 1:
        freedom = n_groups * n_templates * n_names * (n_samples - 1)
        within = raw["s2_sample"] = _mean_square(cells - cell[..., None], freedom)
    ms_name = ms_residual = within
    if n_names > 1:
        crossed = cell - group_template[:, :, None] - group_name[:, None, :] + group[:, None, None]
        freedom = n_groups * (n_names - 1)
        ms_residual = n_samples * _mean_square(crossed, freedom * (n_templates - 1))
        ms_name = n_templates * n_samples * _mean_square(group_name - group[:, None], freedom)
        raw["s2_residual"] = (ms_residual - within) / n_samples
        raw["s2_name"] = (ms_name - ms_residual) / (n_templates * n_samples)
    raw["s2_group_template"] = (ms_interaction - ms_residual) / size
    raw["s2_template"] = (ms_template - ms_interaction) / (n_groups * size)
    raw["s2_group"] = (ms_group - ms_interaction - ms_name + ms_residual) / (n_templates * size)
    return raw


def _mean_square(deviations: Floats, freedom: int) -> float:
    return sum_of_squares(deviations) / freedom


@dataclass(frozen=True)
class SettingSd:
    """How much a contrast depends on decoding settings or seeds.

    Parameters
    ----------
    sd : float
        Standard deviation of the true contrast over settings, score units, >= 0; 0 means that the contrasts
        differ no more than their errors make them differ.
    raw : float
        Its square before it is held at 0, score units squared; below 0 where noise accounts for more.
    n_settings : int
        Settings behind it.

    Examples
    --------
    >>> SettingSd(0.0, -0.01, 3).sd
    0.0
    """

    sd: float
    raw: float
    n_settings: int


def setting_sd(effects: npt.ArrayLike, covariance: npt.ArrayLike) -> SettingSd | Undefined:
    """Standard deviation of a contrast over settings, without the noise of its estimates.

    Parameters
    ----------
    effects : array_like, shape (S,)
        The contrast in each setting, score units, none missing.
    covariance : array_like, shape (S,) or (S, S)
        Standard errors of that noise which is not shared between settings, or the covariance matrix. Where
        all settings use the same templates and names, the errors from these are shared: they move all
        effects together, and taking them off would hide the settings' own spread.

    Returns
    -------
    SettingSd or Undefined
        sqrt(var(effects) - mean variance + mean covariance). Undefined with fewer than 2 settings.

    Raises
    ------
    ValueError
        If shapes do not match, a value is missing or infinite, or a standard error is negative.

    Notes
    -----
    Source: method of moments; MEASURES 7.12. With correlated errors, E var(effects) is the variance over
    settings plus the mean of the error variances less the mean of their covariances.

    Examples
    --------
    >>> found = setting_sd([0.1, 0.3, 0.5], [0.1, 0.1, 0.1])
    >>> round(found.sd, 4), round(found.raw, 4)
    (0.1732, 0.03)
    """
    values = complete("effects", effects)
    errors: Floats = np.asarray(covariance, dtype=np.float64)
    n = int(values.size)
    if errors.ndim == 1:
        ses = complete("covariance", errors)
        if (ses < 0.0).any():
            raise ValueError("standard errors must not be negative")
        errors = np.diag(ses**2)
    else:
        errors = as_floats("covariance", errors, 2)
    if errors.shape != (n, n):
        raise ValueError(f"{n} effects need as many standard errors or a square matrix of that size")
    if np.isnan(errors).any() or (np.diag(errors) < 0.0).any():
        raise ValueError("the covariance holds a missing value or a negative variance")
    if n < 2:
        return Undefined(f"{n} setting(s); at least 2 are needed")
    own = float(np.trace(errors))
    shared = float(errors.sum()) - own
    raw = float(values.var(ddof=1)) - own / n + shared / (n * (n - 1))
    return SettingSd(math.sqrt(max(raw, 0.0)), raw, n)

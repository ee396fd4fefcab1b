"""Does a contrast hang on how text was sampled? The same contrast within each setting, and by each seed."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

import numpy as np
import pandas as pd

from audit.analysis.estimates import Comparer, estimate
from audit.hypotheses import Hypothesis
from audit.stats.estimate import Contrast, Undefined
from audit.stats.variance_components import SettingSd, setting_sd

SMALLEST_SEEDS = 2
"""Samples of each prompt from which their variance can be told."""


@dataclass(frozen=True)
class SeedEffects:
    """The contrast computed from each sample number alone, in one decoding setting.

    Attributes
    ----------
    estimates : tuple of float
        In the measure's unit, by sample number; those that could not be computed are left out.
    left_out : int
        Sample numbers left out.
    """

    estimates: tuple[float, ...]
    left_out: int

    @property
    def variance(self) -> float | Undefined:
        """Variance of the contrast from one sample number to the next, unit squared, with n - 1.

        Examples
        --------
        >>> SeedEffects((0.25, 0.75), 0).variance
        0.125
        >>> SeedEffects((0.1,), 1).variance
        Undefined(reason='1 sample number(s) with a contrast; at least 2 are needed')
        """
        if len(self.estimates) < SMALLEST_SEEDS:
            what = f"{len(self.estimates)} sample number(s) with a contrast"
            return Undefined(f"{what}; at least {SMALLEST_SEEDS} are needed")
        return statistics.variance(self.estimates)


def decoding_effects(frame: pd.DataFrame, hypothesis: Hypothesis) -> dict[str, Contrast | Undefined]:
    """The contrast within each decoding setting, by the setting's name, in the plan's order.

    Parameters
    ----------
    frame : DataFrame
        The probe rows of the hypothesis' axis with their ``group``, as ``estimates.axis_rows`` gives them.

    Returns
    -------
    dict
        Empty where nothing was sampled in more than one setting.
    """
    if frame.empty or frame["setting"].nunique() < 2:
        return {}
    return {str(name): contrast_of(rows, hypothesis) for name, rows in frame.groupby("setting", sort=False)}


def settings_agree(effects: dict[str, Contrast | Undefined]) -> bool | None:
    """Whether the contrast has one direction in all settings; None with fewer than two that have one.

    A contrast of exactly 0 has no direction and agrees with none.

    Examples
    --------
    >>> up = Contrast(0.2, 0.1, 9.0, "paired t", 10, 10, 1)
    >>> down = Contrast(-0.2, 0.1, 9.0, "paired t", 10, 10, 1)
    >>> settings_agree({"a": up, "b": up}), settings_agree({"a": up, "b": down}), settings_agree({"a": up})
    (True, False, None)
    """
    signs = [math.copysign(1.0, e.estimate) if e.estimate else 0.0 for e in defined(effects)]
    return None if len(signs) < 2 else signs[0] != 0.0 and len(set(signs)) == 1


def decoding_sd(frame: pd.DataFrame, hypothesis: Hypothesis) -> SettingSd | Undefined:
    """Standard deviation of the contrast over settings, the noise of sampling taken off.

    Settings share templates and terms, whose errors move all of them together. What they do not share is the
    noise of their samples: the variance over sample numbers divided by their count.

    Parameters
    ----------
    frame : DataFrame
        As for ``decoding_effects``.

    Returns
    -------
    SettingSd or Undefined
        In the measure's unit; see ``audit.stats.variance_components.setting_sd``. Undefined with one setting,
        where a setting has no contrast, or with one sample a prompt, whose noise cannot be told from the
        settings' spread.
    """
    effects = decoding_effects(frame, hypothesis)
    if len(effects) < 2:
        return Undefined("everything was sampled in one decoding setting")
    for name, effect in effects.items():
        if isinstance(effect, Undefined):
            return Undefined(f"{name}: {effect.reason}")
    errors = []
    for name, seeds in seed_effects(frame, hypothesis).items():
        variance = seeds.variance
        if isinstance(variance, Undefined):
            return Undefined(f"{name}: {variance.reason}")
        errors.append(math.sqrt(variance / len(seeds.estimates)))
    return setting_sd([effect.estimate for effect in defined(effects)], errors)


def seed_effects(frame: pd.DataFrame, hypothesis: Hypothesis) -> dict[str, SeedEffects]:
    """The contrast by each sample number alone, within each setting; ``""`` is the only one.

    Parameters
    ----------
    frame : DataFrame
        As for ``decoding_effects``. Empty where units are answers and not samples.
    """
    if frame.empty or frame["factor"].iloc[0] != "samples":
        return {}
    found = {}
    for name, rows in frame.groupby("setting", sort=False):
        number = rows["unit"].astype(int)
        each = [own_contrast(one, hypothesis) for _, one in rows.groupby(number, sort=True)]
        kept = tuple(one.estimate for one in each if isinstance(one, Contrast))
        found[str(name)] = SeedEffects(kept, len(each) - len(kept))
    return found


def seed_sd(frame: pd.DataFrame, hypothesis: Hypothesis) -> float | Undefined:
    """Standard deviation of the contrast from one sample of every prompt to the next, within settings.

    Parameters
    ----------
    frame : DataFrame
        As for ``decoding_effects``.

    Returns
    -------
    float or Undefined
        In the measure's unit, >= 0: the square root of the settings' mean variance. The contrast over all n
        samples of all settings varies with this over ``sqrt(n)`` when the same prompts are sampled again.
    """
    found = seed_effects(frame, hypothesis)
    if not found:
        return Undefined("nothing was sampled")
    variances = [seeds.variance for seeds in found.values()]
    known = [variance for variance in variances if not isinstance(variance, Undefined)]
    if len(known) < len(variances):
        return next(variance for variance in variances if isinstance(variance, Undefined))
    return float(np.sqrt(np.mean(known)))


def defined(effects: dict[str, Contrast | Undefined]) -> list[Contrast]:
    """The contrasts that could be computed."""
    return [effect for effect in effects.values() if isinstance(effect, Contrast)]


def contrast_of(frame: pd.DataFrame, hypothesis: Hypothesis) -> Contrast | Undefined:
    """The contrast of some rows."""
    return estimate(Comparer(frame, hypothesis.reference, hypothesis.layout).cells(hypothesis.group))


def own_contrast(frame: pd.DataFrame, hypothesis: Hypothesis) -> Contrast | Undefined:
    """The contrast of some rows by its own spread alone.

    The groups' pooled spread, for which all of them are estimated, would change only the standard error.
    """
    return estimate(Comparer(frame, hypothesis.reference, hypothesis.layout).own_cells(hypothesis.group))

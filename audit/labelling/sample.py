"""Which outputs people label: a sample from every stratum, with known chances.

Strata are model, suite, groups and score band. A sample that takes more of what a scorer found than of what
it did not find tells most from few labels, and gives wrong rates of error where that is forgotten
(verification bias; Begg and Greenes 1983, Biometrics 39, 207-215): so each output's chance is known, and its
weight is one over it.

Within a stratum every output has the same chance. They are laid in a circle, the outputs of a template side
by side, and taken at places that a bit-reversed count spreads evenly over it, from a random start: any number
of them has nearly the templates' own shares, and one more label never moves the others. What is labelled
already counts towards the sizes asked for and is not drawn again; a draw from the rest of a stratum leaves
every output of it with the same chance.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.analysis.controls import generator
from audit.labelling.outputs import Outputs
from probes.errors import Fault, InputError
from probes.explain import nearest

EACH_CELL = 40
"""Labels for each model, suite and set of groups, where no number is asked for."""
LEAST = 4
"""Labels that each stratum has at least, if it holds so many: one without labels leaves nothing to say."""
SPREADS: Mapping[str, float] = {
    "found": 0.4,
    "scorers differ": 0.5,
    "near the threshold": 0.5,
    "not found": 0.22,
}
"""Assumed standard deviation of people's labels (0 or 1) in each band, before anybody labelled anything: of
what is plainly found one in five is not so, of what is plainly not found one in twenty is. They steer the
sizes and enter no estimate."""


@dataclass(frozen=True)
class Wish:
    """How much is to be drawn.

    Attributes
    ----------
    per_stratum : int or None
        Labels in every stratum, those that there are included.
    total : int or None
        Labels in all, those that there are included: evenly by model, suite and groups, and within these as
        the sizes of the bands times ``SPREADS`` (Neyman 1934). By default ``EACH_CELL`` for each.
    seed : int
        Beside the plan's.
    models, suites : collection of str
        Only these; all where empty.
    """

    per_stratum: int | None = None
    total: int | None = None
    seed: int = 0
    models: Collection[str] = ()
    suites: Collection[str] = ()


@dataclass(frozen=True, eq=False)
class Sample:
    """A draw.

    Attributes
    ----------
    rows : DataFrame
        Rows of ``Outputs.frame`` that are to be labelled, in the frame's order.
    strata : DataFrame
        A row a stratum: ``model, suite, cell, band, outputs`` (how many there are), ``labelled`` (already),
        ``drawn`` (now) and ``probability`` of being labelled or drawn, 0 to 1; by stratum.
    """

    rows: pd.DataFrame
    strata: pd.DataFrame


def draw(outputs: Outputs, labelled: Collection[str], wish: Wish) -> Sample:
    """Draw outputs to be labelled.

    Parameters
    ----------
    labelled : collection of str
        Ids of outputs that were drawn and labelled already.

    Raises
    ------
    InputError
        If a model or suite is not there, or the number asked for is too small for the strata.
    """
    rows = chosen(outputs, wish)
    strata = strata_of(rows, set(labelled))
    wanted = sizes(strata, wish)
    places = []
    done = set(labelled)
    for stratum, part in rows.groupby("stratum", sort=True):
        left = part[~part["id"].isin(done)]
        there = len(part) - len(left)
        more = max(0, int(wanted[stratum]) - there)
        rng = generator(outputs.plan["seed"], "label", str(wish.seed), str(stratum))
        order = spread_order(left["template"].to_numpy(dtype=object), rng)[:more]
        strata.loc[stratum, "drawn"] = len(order)
        places += list(left.index[order])
    strata["probability"] = (strata["labelled"] + strata["drawn"]) / strata["outputs"]
    return Sample(rows.loc[sorted(places)], strata)


def chosen(outputs: Outputs, wish: Wish) -> pd.DataFrame:
    """The scored outputs of the models and suites that are wanted."""
    rows = outputs.scored
    for column, wanted in (("model", wish.models), ("suite", wish.suites)):
        known = list(dict.fromkeys(rows[column]))
        unknown = [name for name in wanted if name not in known]
        if unknown:
            what = f"no outputs of {column} {unknown[0]!r} to label"
            raise InputError(Fault(what, str(outputs.root), nearest(unknown[0], known)))
        if wanted:
            rows = rows[rows[column].isin(list(wanted))]
    if rows.empty:
        remedy = "See the statuses with: evenhand show."
        raise InputError(
            Fault("no output was scored, so there is nothing to label", str(outputs.root), remedy)
        )
    return rows


def strata_of(rows: pd.DataFrame, labelled: Collection[str]) -> pd.DataFrame:
    """Every stratum of some outputs with its size and how many of it are labelled; nothing drawn."""
    own = rows.assign(labelled=rows["id"].isin(list(labelled)))
    parts = own.groupby("stratum", sort=True)
    strata: pd.DataFrame = parts[["model", "suite", "cell", "band"]].first()
    strata["outputs"] = parts.size()
    strata["labelled"] = parts["labelled"].sum().astype(int)
    strata["drawn"] = 0
    return strata


def sizes(strata: pd.DataFrame, wish: Wish) -> pd.Series[int]:
    """How many labels each stratum is to have, those that there are included, by stratum."""
    if wish.per_stratum is not None:
        return strata["outputs"].clip(upper=wish.per_stratum)
    cells = strata.groupby(["model", "suite", "cell"], sort=True)
    total = EACH_CELL * len(cells) if wish.total is None else wish.total
    least = strata["outputs"].clip(upper=LEAST)
    needed = int(least.sum())
    if total < needed:
        what = f"a total of {total} is too small for {len(strata)} strata of {LEAST} labels or all they have"
        raise InputError(Fault(what, str(wish.total), f"Give --total {needed} or more, or --per-stratum."))
    wanted = pd.Series(0, index=strata.index)
    there = cells["outputs"].sum().to_numpy()
    least_there = least.groupby([strata[name] for name in ("model", "suite", "cell")], sort=True).sum()
    shares = neyman(there, 1.0 / there, total, least_there.to_numpy())  # evenly, as far as they have so many
    for share, (_, part) in zip(shares, cells, strict=True):
        spreads = np.array([SPREADS[band] for band in part["band"]])
        wanted[part.index] = neyman(part["outputs"].to_numpy(), spreads, int(share), LEAST)
    return wanted


def neyman(
    outputs: npt.NDArray[np.int64],
    spreads: npt.NDArray[np.float64],
    total: int,
    least: int | npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Share labels out as size times spread, each part at least ``least`` or all it has; shape (n,).

    Where the least sizes alone are more than the total, they are given all the same.

    Source: Neyman (1934), J. of the Royal Statistical Society 97, 558-625.

    Examples
    --------
    >>> neyman(np.array([100, 100, 3]), np.array([0.4, 0.2, 0.5]), 33, 4).tolist()
    [20, 10, 3]
    """
    low, high = np.minimum(outputs, least), outputs
    left = min(max(total, int(low.sum())), int(high.sum()))
    pull = outputs * spreads
    lowest, highest = 0.0, float((high / np.maximum(pull, 1e-12)).max())
    for _ in range(100):
        middle = (lowest + highest) / 2.0
        if np.clip(middle * pull, low, high).sum() < left:
            lowest = middle
        else:
            highest = middle
    ideal = np.clip(highest * pull, low, high)
    given = np.minimum(np.floor(ideal + 1e-9).astype(np.int64), high)
    for place in np.argsort(given - ideal, kind="stable")[: left - int(given.sum())]:
        given[place] += 1
    return given


def spread_order(templates: npt.NDArray[np.object_], rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """An order of outputs in which any first few have nearly the templates' shares; shape (n,).

    Each output is as likely as any other to be among the first k, whatever k is.

    Parameters
    ----------
    templates : ndarray of str, shape (n,)
        Template of each output.
    """
    count = len(templates)
    if not count:
        return np.zeros(0, dtype=np.intp)
    names, codes = np.unique(templates.astype(str), return_inverse=True)
    circle = np.lexsort((rng.permutation(count), rng.permutation(len(names))[codes]))
    return circle[(int(rng.integers(count)) + bit_reversed(count)) % count]


def bit_reversed(count: int) -> npt.NDArray[np.intp]:
    """The numbers from 0 to ``count`` - 1, each as far as can be from those before it (van der Corput).

    Examples
    --------
    >>> bit_reversed(6).tolist()
    [0, 4, 2, 1, 5, 3]
    """
    bits = max(1, (count - 1).bit_length())
    numbers = np.arange(1 << bits)
    turned = np.zeros_like(numbers)
    for bit in range(bits):
        turned |= ((numbers >> bit) & 1) << (bits - 1 - bit)
    return turned[turned < count].astype(np.intp)

"""Full generation bias (Smith et al. 2022): how far the style of an answer varies between descriptors.

A variance of means is above 0 by the noise of the means alone: with n texts a descriptor, by their variance
over n. What is judged has that taken off, so that it is 0 on average where descriptors change nothing.
"""

from __future__ import annotations

import numpy as np

from audit.stats.estimate import ROUNDING, Floats

Cells = list[Floats]
"""Style probabilities of one template by descriptor, each of shape (n texts, styles)."""


def published(cells: Cells) -> float:
    """Sum over styles of the variance over descriptors of the mean probability; NaN without a descriptor.

    FGB is the mean of it over templates. The variance is that of a population (divided by the number of
    descriptors), as the paper writes it; its noise is left in. Source: Smith et al. 2022, section 4.

    Examples
    --------
    >>> round(published([np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])]), 3)
    0.5
    >>> published([np.array([[0.2, 0.8]]), np.array([[0.2, 0.8]])])
    0.0
    """
    if not cells:
        return float("nan")
    return float(_settled(_means(cells).var(axis=0)).sum())


def noise_corrected(cells: Cells) -> float:
    """The variance over descriptors without the noise of their means; NaN with fewer than two descriptors.

    sum_s [ var_d(mean_i p_s) - mean_d(s2_ds / n_d) ], both variances with n - 1 below: its expectation is
    the variance of the descriptors' true means. It may be negative and is never cut off at 0. A descriptor
    needs two texts to know its noise; one with fewer is left out.

    Examples
    --------
    >>> same = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> noise_corrected([same, same])
    -0.5
    >>> noise_corrected([np.array([[1.0, 0.0]] * 2), np.array([[0.0, 1.0]] * 2)])
    1.0
    """
    known = [cell for cell in cells if len(cell) > 1]
    if len(known) < 2:
        return float("nan")
    noise = np.stack([_settled(cell.var(axis=0, ddof=1)) / len(cell) for cell in known])
    return float((_settled(_means(known).var(axis=0, ddof=1)) - noise.mean(axis=0)).sum())


def corrected_when_dealt_anew(cells: Cells, rng: np.random.Generator, resamples: int) -> Floats:
    """`noise_corrected` with the texts of a template dealt anew to its descriptors, shape (resamples,).

    Examples
    --------
    >>> cells = [np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])]
    >>> drawn = corrected_when_dealt_anew(cells, np.random.default_rng(0), 200)
    >>> sorted(set(drawn.tolist()))
    [-0.25, 0.5]
    """
    known = [cell for cell in cells if len(cell) > 1]
    texts = np.concatenate(known)
    sizes = np.array([len(cell) for cell in known], dtype=np.float64)
    owner = np.repeat(np.arange(len(known)), [len(cell) for cell in known])
    found = np.empty(resamples)
    squares = texts**2
    for draw in range(resamples):
        chosen = (rng.permutation(owner)[None, :] == np.arange(len(known))[:, None]).astype(np.float64)
        means = chosen @ texts / sizes[:, None]
        within = (chosen @ squares - sizes[:, None] * means**2) / (sizes - 1.0)[:, None]
        noise = np.maximum(within, 0.0) / sizes[:, None]
        found[draw] = float((means.var(axis=0, ddof=1) - noise.mean(axis=0)).sum())
    return found


def _means(cells: Cells) -> Floats:
    return np.stack([cell.mean(axis=0) for cell in cells])


def _settled(variances: Floats) -> Floats:
    """Variances of probabilities, those that are rounding of equal values made 0."""
    settled: Floats = np.where(variances <= ROUNDING**2, 0.0, variances)
    return settled

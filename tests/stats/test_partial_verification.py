"""A scorer's sensitivity and specificity from labels that were not drawn evenly from what it scored."""

from __future__ import annotations

import numpy as np
import pytest

from audit.stats.estimate import Undefined
from audit.stats.intervals import Interval
from audit.stats.partial_verification import VerifiedCell, verified_detection


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def test_by_hand() -> None:
    """100 found of which 16 of 20 are, 900 not found of which 3 of 30 are: 80 and 90 of 1000 are positive."""
    found = verified_detection([VerifiedCell(True, 100, 20, 16), VerifiedCell(False, 900, 30, 3)], rng())
    shares = (found.sensitivity, found.specificity, found.prevalence)
    assert all(isinstance(share, Interval) for share in shares)
    estimates = [share.estimate for share in shares if isinstance(share, Interval)]
    assert estimates == pytest.approx([80 / 170, 810 / 830, 170 / 1000])
    assert [share.n for share in shares if isinstance(share, Interval)] == [19, 31, 50]


def test_where_all_is_labelled_nothing_is_open() -> None:
    found = verified_detection([VerifiedCell(True, 10, 10, 8), VerifiedCell(False, 10, 10, 2)], rng())
    for share in (found.sensitivity, found.specificity):
        assert isinstance(share, Interval)
        assert (share.lo, share.estimate, share.hi) == (0.8, 0.8, 0.8)


def test_no_find_among_ten_labels_does_not_mean_that_nothing_was_missed() -> None:
    found = verified_detection([VerifiedCell(True, 50, 50, 45), VerifiedCell(False, 950, 10, 0)], rng())
    assert isinstance(found.sensitivity, Interval)
    assert found.sensitivity.estimate == found.sensitivity.hi == 1.0
    # Ten labels leave room for a rate of .2 (Jeffreys, upper bound .217): 45 of 45 + 190 or more.
    assert found.sensitivity.lo < 45 / (45 + 0.18 * 950)


def test_what_nobody_was_called_is_undefined() -> None:
    found = verified_detection([VerifiedCell(True, 5, 5, 0)], rng())
    assert isinstance(found.sensitivity, Undefined) and isinstance(found.specificity, Interval)
    nothing = verified_detection([], rng())
    assert nothing.prevalence == Undefined("no text was labelled")
    for counts in ((5, 6, 0), (5, 2, 3), (5, 0, 0)):
        with pytest.raises(ValueError, match="impossible counts"):
            VerifiedCell(True, *counts)


def test_intervals_cover() -> None:
    """Three cells, 12 labels each; of 300 intervals of 95 % at least 270 hold (binomial, 4 sd)."""
    draws = np.random.default_rng(3)
    cells = ((True, 150, 0.8), (False, 150, 0.3), (False, 500, 0.08))
    held = np.zeros(3)
    for _ in range(300):
        truth = [draws.random(size) < rate for _, size, rate in cells]
        found = verified_detection(
            [
                VerifiedCell(said, size, 12, int(own[:12].sum()))
                for (said, size, _), own in zip(cells, truth, strict=True)
            ],
            draws,
        )
        positive = sum(own.sum() for own in truth)
        exact = (truth[0].sum() / positive, sum((~own).sum() for own in truth[1:]), positive / 800)
        exact = (exact[0], exact[1] / (800 - positive), exact[2])
        shares = (found.sensitivity, found.specificity, found.prevalence)
        for place, (share, value) in enumerate(zip(shares, exact, strict=True)):
            held[place] += isinstance(share, Interval) and share.lo <= value <= share.hi
    assert (held >= 270).all(), held

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from statsmodels.stats.multitest import multipletests

from audit.stats.multiplicity import benjamini_hochberg, holm

FAMILY = json.loads((Path(__file__).parents[1] / "cases" / "stats_goldens.json").read_text())["family"]


def test_goldens():
    assert holm(FAMILY["p"]).p == pytest.approx(FAMILY["holm"], abs=1e-12)
    assert benjamini_hochberg(FAMILY["p"]).p == pytest.approx(FAMILY["benjamini_hochberg"], abs=1e-7)


def test_against_statsmodels_and_scipy():
    random = np.random.default_rng(5)
    for m in (1, 2, 7, 40):
        p = np.round(random.uniform(size=m) ** 3, 2)  # ties
        # multipletests(p, method="holm"); scipy.stats.false_discovery_control(p, method="bh")
        assert holm(p.tolist()).p == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)
        reference = scipy.stats.false_discovery_control(p, method="bh")
        assert benjamini_hochberg(p.tolist()).p == pytest.approx(reference, abs=1e-12)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_what_could_not_be_tested_still_counts(adjust):
    with_none = adjust([0.01, None, 0.02, None])
    as_one = adjust([0.01, 1.0, 0.02, 1.0])
    assert with_none.p == (as_one.p[0], None, as_one.p[2], None)
    assert (with_none.m, with_none.n_not_computable) == (4, 2)
    assert with_none.p[0] > adjust([0.01, 0.02]).p[0]
    assert adjust([None, None]).p == (None, None)
    assert adjust([]).p == ()


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_order_is_irrelevant(adjust):
    order = [3, 0, 7, 1, 6, 2, 5, 4]
    shuffled = adjust([FAMILY["p"][i] for i in order]).p
    assert shuffled == tuple(adjust(FAMILY["p"]).p[i] for i in order)


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_refused(bad):
    with pytest.raises(ValueError, match="p-value"):
        holm([0.5, bad])


def test_family_wise_error():
    random = np.random.default_rng(6)
    shared = random.standard_normal((2000, 1))
    z = np.sqrt(0.5) * shared + np.sqrt(0.5) * random.standard_normal((2000, 30))
    p = 2 * scipy.stats.norm.sf(np.abs(z))
    wrong = np.mean([min(holm(row.tolist()).p) < 0.05 for row in p])
    # .05 + 2 binomial sd of 2000; Holm is conservative under correlation
    assert wrong <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 2000)
    assert np.mean(p.min(axis=1) < 0.05) > 0.4  # without adjustment

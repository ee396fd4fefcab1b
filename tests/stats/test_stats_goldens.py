"""Every number of ``tests/cases/stats_goldens.json`` is recomputed; one without a check here fails."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audit.stats.dominance import cliffs_delta_interval
from audit.stats.equivalence import minimum_detectable
from audit.stats.extremes import expected_maximum, probability_any
from audit.stats.intervals import cliffs_delta, hedges_g, hedges_j, newcombe, wilson
from audit.stats.multiplicity import benjamini_hochberg, holm
from audit.stats.paired_proportions import PairedCounts, mcnemar_exact, newcombe_paired, tango
from audit.stats.ratios import risk_ratio_katz, risk_ratio_score
from audit.stats.signflip import sign_flip
from audit.stats.standardised import hedges_g_interval, pooled_set_d

GOLDENS = json.loads((Path(__file__).parents[1] / "cases" / "stats_goldens.json").read_text())


class Golden(dict):
    """A golden that remembers which of its numbers were asked for."""

    def __init__(self, values):
        super().__init__(values)
        self.read = set()

    def __getitem__(self, key):
        self.read.add(key)
        return super().__getitem__(key)


def bounds(interval):
    return interval.lo, interval.hi


def check_wilson(golden):
    interval = wilson(golden["successes"], golden["n"])
    assert bounds(interval) == pytest.approx((golden["lo"], golden["hi"]), abs=1e-6)


def check_newcombe(golden):
    interval = newcombe(tuple(golden["group1"]), tuple(golden["group0"]))
    assert bounds(interval) == pytest.approx((golden["lo"], golden["hi"]), abs=1e-6)
    assert (interval.estimate, interval.n) == (pytest.approx(0.15), 200)


def check_risk_ratio(golden):
    groups = tuple(golden["group1"]), tuple(golden["group0"])
    assert bounds(risk_ratio_katz(*groups)) == pytest.approx(golden["katz"], abs=1e-6)
    assert bounds(risk_ratio_score(*groups)) == pytest.approx(golden["score"], abs=1e-6)


def check_mcnemar(golden):
    pairs = PairedCounts(400, golden["first_only"], golden["second_only"], 500)
    assert mcnemar_exact(pairs) == pytest.approx(golden["p"], abs=5e-8)


def check_paired_proportions(goldens):
    # published to three and to four decimals
    first, second = (Golden(golden) for golden in goldens)
    pairs = PairedCounts(*first["pairs"])
    assert bounds(newcombe_paired(pairs)) == pytest.approx(first["newcombe"], abs=5e-4)
    assert bounds(tango(pairs)) == pytest.approx(first["tango"], abs=5e-4)
    assert bounds(newcombe_paired(PairedCounts(*second["pairs"]))) == pytest.approx(
        second["newcombe"], abs=5e-5
    )
    assert (first.read, second.read) == (set(first), set(second))


def check_extremes(golden):
    values, k = golden["values"], golden["k"]
    assert expected_maximum(values, k) == pytest.approx(golden["expected_maximum"], abs=1e-12)
    assert probability_any(values, golden["threshold"], k) == pytest.approx(
        golden["probability_any"], abs=1e-12
    )


def check_family(golden):
    assert holm(golden["p"]).p == pytest.approx(golden["holm"], abs=1e-12)
    assert benjamini_hochberg(golden["p"]).p == pytest.approx(golden["benjamini_hochberg"], abs=1e-7)


def check_effect(golden):
    x, y = golden["x"], golden["y"]
    # 2.725530 in the reference; 2.7255305 to the eighth digit
    assert hedges_g(x, y) == pytest.approx(golden["hedges_g"], abs=1e-5)
    assert hedges_g_interval(x, y).estimate == pytest.approx(golden["hedges_g"], abs=1e-5)
    assert cliffs_delta(x, y) == cliffs_delta_interval(x, y).estimate == golden["cliffs_delta"]
    assert pooled_set_d(x, y) == pytest.approx(golden["pooled_set_d"], abs=1e-6)


def check_hedges_j(golden):
    assert hedges_j(golden["df"]) == pytest.approx(golden["j"], abs=1e-6)


def check_sign_flip(golden):
    difference = golden["difference"]
    result = sign_flip(difference, range(len(difference)), np.random.default_rng(0))
    assert (result.p, result.exact) == (golden["p"], True)


def check_detectable_d_z(golden):
    for n in golden:
        detectable = minimum_detectable(int(n) ** -0.5, int(n) - 1, 0.05)
        assert detectable == pytest.approx(golden[n], abs=0.005)


CHECKS = {
    "wilson": check_wilson,
    "newcombe": check_newcombe,
    "risk_ratio": check_risk_ratio,
    "mcnemar": check_mcnemar,
    "paired_proportions": check_paired_proportions,
    "extremes": check_extremes,
    "family": check_family,
    "effect": check_effect,
    "hedges_j": check_hedges_j,
    "sign_flip": check_sign_flip,
    "detectable_d_z": check_detectable_d_z,
}


@pytest.mark.parametrize("name", sorted(set(GOLDENS) - {"source"}))
def test_every_golden_is_checked_to_its_last_number(name):
    assert name in CHECKS, f"the golden {name!r} has no check"
    golden = GOLDENS[name]
    golden = Golden(golden) if isinstance(golden, dict) else golden
    CHECKS[name](golden)
    if isinstance(golden, Golden):
        assert golden.read == set(golden)


def test_every_check_has_its_golden():
    assert set(CHECKS) <= set(GOLDENS)

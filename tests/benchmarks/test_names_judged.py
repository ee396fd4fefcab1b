"""Contrasts of names: their controls, their robustness, and what an inconclusive one needs."""

from __future__ import annotations

import math

import numpy as np

from audit.benchmarks.judging import Judging, Named, Series, judge_contrasts, judge_means
from audit.benchmarks.questions.names_judged import crossed_names, nested_names, nonce_control, table
from audit.stats.contrast import crossed, nested
from audit.stats.estimate import Contrast
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.people import COMPARISONS, invented, pairs_of, people

JUDGING = Judging("all", "nats", 0.2, "template")
NONE = np.zeros((12, 0))


def cells(seed: int, columns: int, lift: float = 0.0) -> np.ndarray:
    """Twelve templates; template, name and residual effects."""
    rng = np.random.default_rng(seed)
    return (
        lift
        + rng.normal(0, 0.1, (12, 1))
        + rng.normal(0, 0.1, (1, columns))
        + rng.normal(0, 0.2, (12, columns))
    )


def test_tables_average_a_cell_and_leave_gaps() -> None:
    items = [
        BenchmarkItem(str(n), {}, cluster=cluster, labels={"name": name})
        for n, (cluster, name) in enumerate([("a", "ada"), ("a", "ada"), ("b", "eve"), ("b", "ada")])
    ]
    found, names = table(items, {"0": 1.0, "1": 3.0, "2": 5.0}, "name")
    assert names == ["ada", "eve"]
    assert np.array_equal(found, [[2.0, np.nan], [np.nan, 5.0]], equal_nan=True)


def test_the_contrasts_are_those_of_the_statistics() -> None:
    one, zero = cells(1, 10, 0.5), cells(2, 14)
    assert nested_names("a", one, zero, JUDGING, NONE).contrast == nested(one, zero)
    assert crossed_names("a", one, JUDGING, NONE).contrast == crossed(one)


def test_a_failed_control_gives_no_verdict() -> None:
    one, zero = cells(1, 12, 0.5), cells(2, 12)
    good = judge_contrasts([nested_names("a", one, zero, JUDGING, NONE)], JUDGING)[0]
    assert good.verdict == "disparity" and good.control_p is not None and good.control_p > 0.01
    failing = Named("a", nested(one, zero), control_p=0.001)
    assert judge_contrasts([failing], JUDGING)[0].verdict == "invalid"
    alone = nested_names("a", one[:, :3], zero[:, :3], JUDGING, NONE)
    assert alone.control_p is None, "three names cannot be halved in two pairs"


def test_controls_of_a_family_are_corrected_together() -> None:
    contrast = nested(cells(1, 12, 0.5), cells(2, 12))
    family = [Named(str(n), contrast, control_p=0.008) for n in range(4)]
    assert {one.control_p for one in judge_contrasts(family, JUDGING)} == {0.032}


def test_invented_words_that_differ_make_a_disparity_fragile() -> None:
    one, zero = cells(1, 12, 0.5), cells(2, 12)
    rng = np.random.default_rng(5)
    wild = rng.normal(0, 1.0, (1, 14)) + np.zeros((12, 1))
    found = nested_names("a", one, zero, JUDGING, wild)
    expected = float(wild[0].std(ddof=1)) * math.sqrt(1 / 12 + 1 / 12)
    assert found.nonce_size is not None and math.isclose(found.nonce_size, expected)
    assert judge_contrasts([found], JUDGING)[0].judgement.fragile
    calm = judge_contrasts([nested_names("a", one, zero, JUDGING, 0.1 * wild)], JUDGING)[0]
    assert calm.verdict == "disparity" and not calm.judgement.fragile
    paired = crossed_names("a", one, JUDGING, wild).nonce_size
    assert paired is not None and math.isclose(paired, float(wild[0].std(ddof=1)) / math.sqrt(12))


def test_a_result_that_hangs_on_one_template_is_fragile() -> None:
    one, zero = np.zeros((12, 8)), np.zeros((12, 8))
    one += np.random.default_rng(1).normal(0, 0.01, one.shape)
    one[0] += 3.0
    found = nested_names("a", one, zero, JUDGING, NONE)
    assert found.leave_one_out_includes_zero
    assert found.sign_share is not None and found.sign_share < 0.9


def test_answers_lost_on_one_side_are_seen() -> None:
    one, zero = cells(1, 12, 0.5), cells(2, 12)
    one[:6, 0:6] = np.nan
    found = nested_names("a", one, zero, JUDGING, NONE)
    assert found.status_gap == 0.25
    assert judge_contrasts([found], JUDGING)[0].verdict == "invalid"


def test_invented_names_in_halves() -> None:
    quiet = nonce_control(np.random.default_rng(4).normal(0, 1, (12, 14)), "nats")
    assert quiet.holds and quiet.value is not None
    apart = np.random.default_rng(4).normal(0, 0.1, (12, 14))
    apart[:, :7] += 1.0
    assert nonce_control(apart, "nats").holds is False
    assert nonce_control(NONE, "nats").value is None


def test_an_inconclusive_contrast_says_how_many_names_it_needs_too() -> None:
    """Where names vary and templates do not, more templates alone would never do."""
    rng = np.random.default_rng(2)
    names = rng.normal(0, 0.5, (1, 12)) + rng.normal(0, 0.01, (12, 12))
    found = judge_contrasts([nested_names("a", names, names[:, ::-1] + 0.05, JUDGING, NONE)], JUDGING)[0]
    assert found.verdict == "inconclusive"
    assert found.needed.endswith("more terms in each group") and "template" not in found.needed
    single = Contrast(0.05, 0.2, 11.0, "paired t", 12, 12, 1, {"V_T": 0.04})
    plain = judge_contrasts([Named("a", single, control_p=0.5)], JUDGING)[0]
    assert plain.needed.endswith("more templates")


def test_little_probability_for_the_answers_gives_no_verdict() -> None:
    values, clusters = np.full(40, 0.5) + np.tile([0.1, -0.1], 20), np.repeat(np.arange(20), 2).astype(str)
    series = [Series("a", values, clusters)]
    for mass, verdict in ((None, "disparity"), (0.95, "disparity"), (0.85, "invalid")):
        judging = Judging("all", "nats", 0.2, "template", answer_mass=mass)
        assert judge_means(series, judging)[0].verdict == verdict


def test_a_family_of_which_nothing_was_scored_has_reasons() -> None:
    nothing = [Series(name, np.empty(0), np.empty(0, dtype=np.str_)) for name in ("a", "b", "c")]
    found = judge_means(nothing, JUDGING)
    assert [one.estimate for one in found] == [None] * 3 and all(one.reason for one in found)


def test_pairs_use_every_name_once() -> None:
    assert len(people()) == 96 and len(invented()) == 14
    for axis, group, reference, _ in COMPARISONS:
        pairs = pairs_of(axis, group, reference, 6 if axis == "gender" else 12)
        assert len(pairs) == 24 and len({term.id for pair in pairs for term in pair}) == 48

"""The benches of shared noise and of tokens until a verdict: what is planted, what is wrong, what is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.stats.intervals import Interval, wilson
from tests.bench import bench_noise
from tests.bench.bench_verdict import (
    ALPHA,
    MARGIN,
    WAYS,
    Drawn,
    Fixed,
    Pool,
    is_wrong,
    lines,
    planted,
    row,
    said,
    shares,
)

RESULTS = Path(__file__).with_name("results")
README = Path(__file__).resolve().parents[2] / "README.md"
KEPT = RESULTS / "amd-epyc-2-cores" / "verdict.json"


@pytest.fixture(scope="module")
def pool() -> Pool:
    rng = np.random.default_rng(0)
    own, common = rng.choice([-0.5, 0.0, 0.5], (2, 6, 4, 25)), rng.choice([-0.5, 0.0, 0.5], (6, 4, 25))
    coupled = np.where(rng.random(own.shape) < 0.5, common, own)
    return Pool(coupled[0], coupled[1], written=24.0, read=8.0)


@pytest.mark.parametrize(("size", "where"), [(0.5, 1.0), (2.0, 1.0), (2.0, 0.25)])
def test_what_is_planted_is_the_disparity_that_is_named(pool: Pool, size: float, where: float) -> None:
    rng = np.random.default_rng(1)
    gaps = []
    for _ in range(400):
        q = shares(rng, pool, size, where)
        assert (q > 0.0).sum() == round(where * pool.pairs) and q.max() <= 1.0
        first, second = planted(rng, (pool.first, pool.second), q)
        gaps.append(first.mean() - second.mean())
    # 400 means of 600 draws, each of a spread below .8: a standard error below .003; 4 of them.
    assert np.mean(gaps) == pytest.approx(size * MARGIN, abs=0.012)


def test_a_verdict_is_wrong_where_it_is_false_of_what_was_planted() -> None:
    assert said(-0.05, 0.05, within=True, shown=False) == "within"
    assert said(0.01, 0.05, within=True, shown=True) == "within"
    assert said(0.01, 0.2, within=False, shown=True) == "disparity"
    assert said(0.11, 0.2, within=False, shown=True) == "beyond"
    assert said(-0.3, -0.2, within=False, shown=True) == "reversed"
    assert said(0.01, 0.2, within=False, shown=False) == "inconclusive"
    every = ("within", "disparity", "beyond", "reversed")
    wrong = {size: [one for one in every if is_wrong(one, size)] for size in (0.0, 0.5, 1.0, 2.0)}
    assert wrong == {
        0.0: ["disparity", "beyond", "reversed"], 0.5: ["beyond", "reversed"],
        1.0: ["within", "beyond", "reversed"], 2.0: ["within", "reversed"],
    }  # fmt: skip


def test_tokens_are_those_written_and_those_of_each_prompt_that_is_read(pool: Pool) -> None:
    found = row(pool, Fixed(25, "templates"), 0.0, 5)
    assert found["tokens"] == found["tokens_interval"][0] == 2 * 24 * (25 * 24.0 + 8.0)
    drawn = row(pool, Drawn(2, True), 4.0, 1)
    units = drawn["tokens"] / (2 * (2 * 24.0 + 8.0))
    assert units % 32 == 0.0 and 0 < units < 400 and drawn["decided"] == 1.0


def test_shared_noise_moves_no_level_and_a_moved_one_is_seen() -> None:
    rng = np.random.default_rng(2)
    words = ["A kind friend.", "A bad day.", "He sat."]
    rows = [
        {"template": t, "term": w, "sample": k, "group": g, "text": str(rng.choice(words))}
        for t in range(8) for w in range(2) for g in ("woman", "man") for k in range(25)
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    other = frame.assign(text=rng.permutation(frame["text"]))
    told = list(bench_noise.levels(frame, other, "vader"))
    assert [one["group"] for one in told] == ["man", "woman"]
    assert all(one["lo"] < 0.0 < one["hi"] and one["hi"] - one["lo"] < 0.2 for one in told)
    worse = other.assign(text=np.where(other["group"] == "man", "A bad day.", other["text"]))
    man, woman = bench_noise.levels(frame, worse, "vader")
    assert man["lo"] > 0.0 and woman["lo"] < 0.0 < woman["hi"]


def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(KEPT.read_text("utf-8"))
    return found


def test_the_kept_numbers_hold_what_the_page_claims_of_them() -> None:
    found = kept()
    assert {one["design"] for one in found["rows"]} == {way.name for way in WAYS}
    every = [*found["rows"], *found["concentrated"]]
    # No design errs more often than 5 % in either verdict, as far as the replications can tell.
    for kinds in (("within",), ("disparity", "beyond", "reversed")):
        for one in every:
            hits = sum(
                n for kind, n in one["verdicts"].items() if kind in kinds and is_wrong(kind, one["size"])
            )
            error = wilson(hits, one["times"])
            assert isinstance(error, Interval) and error.lo <= ALPHA, (one["design"], one["size"], hits)
    whole = list(lines(every))
    assert KEPT.with_suffix(".md").read_text("utf-8").splitlines() == whole
    section = README.read_text("utf-8").partition("### Tokens until a verdict")[2].partition("\n## ")[0]
    shown = [line for line in section.splitlines() if line.startswith("|")]
    assert shown[:2] == whole[:2]
    assert len(shown) > 2 and set(shown) <= set(whole)
    base, ours = (
        next(one for one in found["rows"] if one["size"] == 2.0 and one["design"] == way.name)
        for way in (WAYS[0], Drawn(2, True))
    )
    assert base["tokens"] / ours["tokens_interval"][1] >= 5.0 and ours["decided"] == 1.0


def test_designs_have_names_of_their_own() -> None:
    assert len({way.name for way in WAYS}) == len(WAYS)
    assert WAYS[0].name == replace(Fixed(25, "templates"), shared=False).name

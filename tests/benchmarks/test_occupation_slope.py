"""How a model's pronouns follow the share of women in an occupation."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import linregress, pearsonr, spearmanr

from audit.benchmarks.base import Answer, Setup
from audit.benchmarks.likelihood.occupation_slope import BENCHMARK, PART, Lines
from audit.requests import Choice, Fill, Request, Response, Score
from audit.stats.estimate import Contrast
from audit.stats.two_way_jackknife import two_way_jackknife
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.occupation_shares import SHARES, occupation_items, occupation_shares
from probes.errors import InputError
from tests.benchmarks.conftest import run_on
from tests.benchmarks.template_world import asked, assert_common, figure, of, saying, strings

MASKED, CAUSAL = Setup("masked"), Setup("causal")
FEMALE = {"she", "her", "herself"}
SLOPE = ("slope", "slope on the labour market")
SKEW, RANK = (
    ("skew", "log-odds of female at a share of one half"),
    ("rank", "Spearman with the labour market"),
)


def noise(*key: str) -> float:
    return int(hashlib.sha256("\0".join(key).encode()).hexdigest()[:8], 16) / 2**32 - 0.5


def shown(request: Request) -> str:
    assert isinstance(request, Fill | Score)
    return request.text if isinstance(request, Fill) else request.prefix


def following(data: DataFolder, slope: float, skew: float = 0.0, noisy: float = 0.0):
    """A model whose log-odds of the feminine pronoun are `skew` + `slope` x logit of the share of women."""
    shares = {one.occupation: float(one.labour) / 100 for one in occupation_shares(data)}

    def answer(request: Request, word: str) -> float:
        if word.strip() not in FEMALE:
            return -3.0
        text = f"{shown(request)} "
        share = next((p for name, p in shares.items() if f" {name} " in text or f" {name}," in text), 0.5)
        return -3.0 + skew + slope * math.log(share / (1 - share)) + noisy * noise(text, word)

    return saying(answer)


@pytest.mark.parametrize("setup", [MASKED, CAUSAL], ids=lambda setup: setup.scoring)
def test_what_holds_for_every_measure(data: DataFolder, setup: Setup) -> None:
    assert_common(BENCHMARK, asked(BENCHMARK, following(data, 0.4, 0.2, 1.0), setup, data), setup)


@pytest.mark.parametrize("setup", [MASKED, CAUSAL], ids=lambda setup: setup.scoring)
def test_a_planted_slope_comes_back(data: DataFolder, setup: Setup) -> None:
    scored = run_on(BENCHMARK, following(data, 1.6, -0.5), data, setup)
    assert of(scored, *SLOPE).estimate == pytest.approx(1.6, abs=1e-9)
    assert "is more than it." in scored.notes[0]
    assert of(scored, *SKEW).estimate == pytest.approx(-0.5, abs=1e-9)
    assert of(scored, *RANK).estimate == pytest.approx(1.0)
    assert {of(scored, *one).verdict for one in (SLOPE, SKEW)} == {"disparity"}


def test_cells_that_are_missing_do_not_bend_the_slope(data: DataFolder) -> None:
    """Sentences lean by themselves; one of them lacks all occupations with many women."""
    items, answers = asked(BENCHMARK, following(data, 0.8), MASKED, data)
    known = {item.id: item for item in items}

    def changed(one: Answer) -> Answer:
        item = known[one.item]
        lean = 3.0 if item.labels["template"] == "late" else 0.0
        if lean and item.labels["labour"] and float(item.labels["labour"]) > 50.0:
            return replace(one, value=None, status="refused", reason="declined")
        return replace(one, value=(one.value or 0.0) + lean)

    scored = BENCHMARK.score(items, [changed(one) for one in answers], MASKED)
    assert of(scored, *SLOPE).estimate == pytest.approx(0.8, abs=1e-9)
    assert of(scored, *SKEW).estimate == pytest.approx(3.0 / 12, abs=1e-9)


def test_without_a_folder_there_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="no data folder is named"):
        BENCHMARK.items(None, MASKED)


def test_a_mirror_is_told_and_not_judged(data: DataFolder) -> None:
    scored = run_on(BENCHMARK, following(data, 1.0, 0.0, 0.4), data, MASKED)
    assert of(scored, *SLOPE).verdict == "disparity"
    assert "is not to be told from it." in scored.notes[0]
    assert of(scored, *SKEW).verdict == "no disparity within margin"


def test_a_model_that_does_not_see_the_occupation(data: DataFolder) -> None:
    scored = run_on(BENCHMARK, saying(lambda request, word: -7.0), data, CAUSAL)
    assert of(scored, *SLOPE).estimate == 0.0 and of(scored, *SKEW).estimate == 0.0
    assert not any(one.verdict == "disparity" for one in scored.estimates)
    rank = of(scored, *RANK)
    assert rank.estimate is None and "cannot be computed" in rank.reason
    assert figure(scored, "Spearman, labour market") is None


def test_exchanging_the_pronouns_turns_slope_and_skew(data: DataFolder) -> None:
    items, answers = asked(BENCHMARK, following(data, 0.4, 0.2, 1.0), MASKED, data)
    turned = [replace(one, value=-one.value) for one in answers if one.value is not None]
    here, there = (BENCHMARK.score(items, found, MASKED) for found in (answers, turned))
    for one in (SLOPE, SKEW, RANK):
        assert of(there, *one).estimate == pytest.approx(-(of(here, *one).estimate or 0.0), abs=1e-12)
        assert of(there, *one).se == pytest.approx(of(here, *one).se, rel=1e-9)


def test_the_numbers_are_those_of_scipy(data: DataFolder) -> None:
    items, answers = asked(BENCHMARK, following(data, 0.4, 0.2, 2.0), MASKED, data)
    scored = BENCHMARK.score(items, answers, MASKED)
    value = {one.item: one.value for one in answers}
    shares = {one.occupation: float(one.labour) / 100 for one in occupation_shares(data)}
    templates = sorted({item.labels["template"] for item in items})
    y = np.array([[value[f"{template}/{name}"] for template in templates] for name in shares], dtype=float)
    p = np.array(list(shares.values()))
    x = np.log(p / (1 - p))
    line = linregress(x, y.mean(axis=1))
    assert figure(scored, "slope") == pytest.approx(line.slope)
    assert figure(scored, "intercept") == pytest.approx(line.intercept)
    assert figure(scored, "Spearman, labour market") == pytest.approx(spearmanr(x, y.mean(axis=1))[0])
    chances = (1 / (1 + np.exp(-y))).mean(axis=1)
    assert figure(scored, "Pearson, labour market") == pytest.approx(pearsonr(p, chances)[0])
    text = np.array([float(one.text) for one in occupation_shares(data)])
    assert figure(scored, "Pearson, text") == pytest.approx(pearsonr(text, chances)[0])


def test_the_interval_holds_the_slope_as_often_as_it_says() -> None:
    """Occupations and sentences vary by themselves; 100 audits, 95 % intervals, at least 88 must hold it.

    Binomial(100, .95): fewer than 88 has a chance of .4 %. By rows, as if all were independent, far fewer do.
    """
    template, word = np.repeat(np.arange(12), 60).astype(str), np.tile(np.arange(60), 12).astype(str)
    held = naive = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        share = rng.normal(-0.5, 1.5, 60)
        tilt = rng.normal(0.5, 0.15, 12)
        x = np.tile(share, 12)
        y = np.tile(rng.normal(0, 0.8, 60), 12) + np.repeat(tilt, 60) * x + rng.normal(0, 0.5, 720)
        lines = Lines(x, y, template, word)
        found = two_way_jackknife(lines.slope, template, word)
        assert isinstance(found, Contrast)
        held += found.ci(0.95)[0] <= 0.5 <= found.ci(0.95)[1]
        plain = linregress(x, y)
        naive += abs(plain.slope - 0.5) <= 1.96 * plain.stderr
    assert held >= 88 and naive < 70


def test_the_published_correlation_of_both_percentages(data: DataFolder) -> None:
    goldens = list(BENCHMARK.goldens(data))
    assert [one.theirs for one in goldens] == [0.67] and all(one.agrees for one in goldens)


def test_what_the_tokenizer_did_is_kept(data: DataFolder) -> None:
    item = occupation_items(data)[0]

    def answer(*choices: Choice):
        return BENCHMARK.read([item], CAUSAL, lambda request: Response(choices))[0]

    assert answer(Choice(-2.0, 2), Choice(-1.0, 1)).doubts == ("several pieces", "unequal length")
    assert answer(Choice(-2.0, 1), Choice(-1.0, 1)).doubts == ()
    lost = answer(Choice(-2.0, 1), Choice(None, 0, "not in the vocabulary"))
    assert (lost.status, lost.reason) == ("unparsed", "'he': not in the vocabulary")
    broken = BENCHMARK.read([item], CAUSAL, lambda request: Response(error="gone"))[0]
    assert (broken.status, broken.value, broken.part) == ("error", None, PART)


def test_invented_occupations_that_follow_their_arbitrary_shares_are_said_so(data: DataFolder) -> None:
    items, answers = asked(BENCHMARK, following(data, 0.5, 0.0, 0.2), MASKED, data)
    words = sorted({item.labels["occupation"] for item in items if item.subset == "nonce"})
    place = {item.id: words.index(item.labels["occupation"]) for item in items if item.subset == "nonce"}
    found = BENCHMARK.score(items, answers, MASKED)
    assert found.controls[0].holds is True and len(found.notes) == 1
    bent = [
        replace(one, value=(one.value or 0.0) + 0.5 * place[one.item]) if one.item in place else one
        for one in answers
    ]
    scored = BENCHMARK.score(items, bent, MASKED)
    assert scored.controls[0].holds is False and "not to be relied on" in scored.notes[1]
    assert of(scored, *SLOPE).judgement.fragile


def test_captured_scores(data: DataFolder, tmp_path: Path) -> None:
    items, answers = asked(BENCHMARK, following(data, 0.4), MASKED, data)
    path = tmp_path / "scores.csv"
    path.write_text(strings([["id", "score"], *([one.item, one.value] for one in answers)]))
    found = BENCHMARK.captured(path, items, MASKED)
    assert [one.value for one in found] == [one.value for one in answers]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\t40.34\t", "\t100\t", "'100' is no percentage"),
        ("\t40.34\t", "\tnan\t", "'nan' is no percentage"),
        ("accountant\t", "technician\t", "occupation 'technician' twice"),
        ("accountant\t", "\t", "an occupation without a name"),
        ("bls_pct_female", "bls", "no column 'bls_pct_female'"),
    ],
)
def test_a_changed_table_is_refused_by_its_line(
    data: DataFolder, tmp_path: Path, old: str, new: str, message: str
) -> None:
    where = tmp_path / SHARES
    where.parent.mkdir(parents=True)
    where.write_text((data.root / SHARES).read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(InputError, match=message):
        occupation_shares(DataFolder(tmp_path, changed_ok=True))
    where.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        occupation_shares(DataFolder(tmp_path, changed_ok=True))
    where.write_text("")
    with pytest.raises(InputError, match="no column 'occupation'"):
        occupation_shares(DataFolder(tmp_path, changed_ok=True))


def test_every_sentence_names_one_occupation_and_asks_for_one_pronoun_behind_it(data: DataFolder) -> None:
    items = occupation_items(data)
    assert len(items) == 12 * (60 + 14) and len({item.id for item in items}) == len(items)
    for item in items:
        text = item.texts["sentence"]
        assert text.count("{answer}") == 1 and text[0].isupper() and text[-1] == "."
        assert text.index(item.labels["occupation"]) < text.index("{answer}")

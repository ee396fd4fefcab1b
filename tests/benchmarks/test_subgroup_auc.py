"""Subgroup AUCs and error rates: counts on small sets by hand, the flow on a classifier of known bias."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import run_on

from audit.benchmarks.base import Answer, Estimate, Figure, Scored, Setup
from audit.benchmarks.classifiers import subgroup_auc
from audit.benchmarks.classifiers.label_scores import log_odds, read_labels
from audit.benchmarks.classifiers.subgroup_auc import BENCHMARK, balanced, score, scores_from
from audit.benchmarks.classifiers.subgroup_tables import Tables, power_mean
from audit.models.scripted import ScriptedModel
from audit.requests import Classify, LabelLogit, Request, Response
from probes.benchmarks import madlibs
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import InputError

SETUP = Setup("classify", options={"label": "toxic"})
GROUPS = ("ardan", "belite", "")
"""Invented terms, and none."""


def sentences(words: int = 10, repeats: int = 3) -> list[BenchmarkItem]:
    """Of each term, so many words that make a sentence abusive and harmless, each so many times."""
    return [
        BenchmarkItem(
            f"{group}/{label}{word}/{n}",
            {"text": f"{label} {word} {n} {group}"},
            group,
            f"{label}{word}",
            {"toxic": label, "template": "t"},
        )
        for group, label, word, n in itertools.product(GROUPS, ("yes", "no"), range(words), range(repeats))
    ]


def answers(items: Sequence[BenchmarkItem], of: Callable[[BenchmarkItem], float | None]) -> list[Answer]:
    """Log-odds by a function of the item; None is a refusal."""
    found = []
    for item in items:
        odds = of(item)
        if odds is None:
            found.append(Answer(item.id, "text", None, "refused", "said so"))
        else:
            probability = 1.0 / (1.0 + math.exp(-odds))
            found.append(Answer(item.id, "text", odds, values={"probability": probability}))
    return found


def plain(item: BenchmarkItem) -> float:
    """Odds that know the word and nothing of the term; harmless and abusive overlap."""
    noise = 1.7 * math.sin(5.0 * len(item.cluster) + 3.0 * int(item.cluster[-1]))
    return noise + (1.0 if item.labels["toxic"] == "yes" else -1.0)


def figure(found: Scored, name: str) -> Figure:
    return next(one for one in found.figures if one.name == name)


def estimate(found: Scored, family: str, name: str) -> Estimate:
    return next(one for one in found.estimates if (one.family, one.name) == (family, name))


def test_the_four_aucs_are_those_of_all_pairs() -> None:
    rng = np.random.default_rng(3)
    items = sentences(words=4, repeats=2)
    values = {item.id: float(rng.integers(0, 5)) for item in items}
    tables = Tables(scores_from(items, answers(items, lambda i: values[i.id]), 0.5))
    found = tables.subgroup("ardan")
    rows = np.arange(8)

    def slow(high: Callable[[str], bool], low: Callable[[str], bool]) -> float:
        ps = [values[i.id] for i in items if i.labels["toxic"] == "yes" and high(i.subset)]
        ns = [values[i.id] for i in items if i.labels["toxic"] == "no" and low(i.subset)]
        return sum((p > n) + 0.5 * (p == n) for p in ps for n in ns) / (len(ps) * len(ns))

    def own(group: str) -> bool:
        return group == "ardan"

    def rest(group: str) -> bool:
        return group != "ardan"

    assert found.subgroup.auc(rows) == pytest.approx(slow(own, own), abs=1e-14)
    assert found.bpsn.auc(rows) == pytest.approx(slow(rest, own), abs=1e-14)
    assert found.bnsp.auc(rows) == pytest.approx(slow(own, rest), abs=1e-14)
    assert found.background.auc(rows) == pytest.approx(slow(rest, rest), abs=1e-14)
    assert tables.all.auc(rows) == pytest.approx(slow(lambda g: True, lambda g: True), abs=1e-14)


def test_a_classifier_that_cannot_see_the_term_has_gaps_of_exactly_zero() -> None:
    items = sentences()
    found = score(items, answers(items, plain), SETUP)
    assert len(found.estimates) == 10
    assert {one.estimate for one in found.estimates} == {0.0}
    assert 0.6 < figure(found, "overall AUC").value < 0.95  # type: ignore[operator]


def test_a_planted_bias_lowers_bpsn_and_raises_the_false_positive_rate() -> None:
    items = sentences(words=20)
    found = score(items, answers(items, lambda i: plain(i) + 2.0 * (i.subset == "ardan")), SETUP)
    low, rate = estimate(found, "BPSN AUC", "ardan"), estimate(found, "FPR", "ardan")
    assert low.verdict == rate.verdict == "disparity"
    assert low.estimate is not None and rate.estimate is not None
    assert low.estimate < -0.1 and rate.estimate > 0.1
    assert estimate(found, "subgroup AUC", "ardan").estimate == pytest.approx(0.0, abs=0.05)
    # Its abusive sentences score higher, too.
    assert estimate(found, "BNSP AUC", "ardan").estimate > 0.05  # type: ignore[operator]
    swapped = [replace(i, subset={"ardan": "belite", "belite": "ardan", "": ""}[i.subset]) for i in items]
    back = score(swapped, answers(items, lambda i: plain(i) + 2.0 * (i.subset == "ardan")), SETUP)
    assert estimate(back, "BPSN AUC", "belite").estimate == low.estimate


def test_the_gap_is_signed_against_the_background() -> None:
    items = [item for item in sentences() if item.subset]
    odds = answers(items, lambda i: plain(i) + 2.5 * (i.subset == "ardan"))
    found = score(items, odds, SETUP)
    assert estimate(found, "FPR", "ardan").estimate == -estimate(found, "FPR", "belite").estimate  # type: ignore[operator]
    assert estimate(found, "FPR", "ardan").estimate > 0.0  # type: ignore[operator]


def test_repeating_rows_does_not_narrow_the_interval() -> None:
    def of(item: BenchmarkItem) -> float:
        return plain(item) + 0.3 * int(item.cluster[-1]) * (item.subset == "ardan")

    once, often = (
        score(items, answers(items, of), SETUP) for items in (sentences(repeats=1), sentences(repeats=8))
    )
    for family in ("BPSN AUC", "FPR"):
        one, many = estimate(once, family, "ardan"), estimate(often, family, "ardan")
        assert many.clusters == one.clusters and many.n == 8 * one.n
        assert many.se == pytest.approx(one.se, abs=1e-12) and one.se is not None and one.se > 0.0
    # Newcombe's interval takes the rows as independent, and says so.
    narrow, wide = figure(often, "FPR gap ardan"), figure(once, "FPR gap ardan")
    assert narrow.hi - narrow.lo < 0.5 * (wide.hi - wide.lo)  # type: ignore[operator]
    assert "independent" in narrow.method


def test_order_changes_nothing() -> None:
    items = sentences()
    own = answers(items, lambda i: plain(i) + 0.4 * (i.subset == "ardan"))
    order = np.random.default_rng(1).permutation(len(items))
    mixed = score([items[i] for i in order], [own[i] for i in order[::-1]], SETUP)
    assert mixed == score(items, own, SETUP)


def test_an_auc_without_a_class_is_none_with_a_reason_and_never_zero() -> None:
    items = sentences()
    own = answers(items, lambda i: None if (i.subset, i.labels["toxic"]) == ("ardan", "no") else plain(i))
    found = score(items, own, SETUP)
    one = figure(found, "subgroup AUC ardan")
    assert (one.value, one.lo, one.reason) == (None, None, "no harmless sentence with a score")
    assert figure(found, "FPR gap ardan").value is None
    assert figure(found, "subgroup AUC, power mean (-5)").value is None
    assert estimate(found, "subgroup AUC", "ardan").estimate is None
    assert estimate(found, "BNSP AUC", "ardan").verdict == "invalid", "half of its sentences are lost"


def test_nothing_and_nothing_but_refusals_give_no_number() -> None:
    items = sentences()
    empty = score([], [], SETUP)
    assert [(f.value, bool(f.reason)) for f in empty.figures] == [(None, True)] and not empty.estimates
    refused = score(items, answers(items, lambda i: None), SETUP)
    assert all(f.value is None and f.reason for f in refused.figures)
    assert all(e.estimate is None and e.verdict == "inconclusive" and e.reason for e in refused.estimates)


def test_the_threshold_is_of_probabilities_and_reached_by_an_equal_one() -> None:
    items = sentences(words=2, repeats=1)
    own = answers(items, lambda i: 0.0)
    tables = Tables(scores_from(items, own, 0.5)).subgroup("ardan")
    assert tables.false_positives[0].counts == (2, 2) and tables.false_negatives[0].counts == (0, 2)
    strict = replace(SETUP, options={"label": "toxic", "threshold": "0.51"})
    assert figure(score(items, own, strict), "FPR gap ardan").value == 0.0
    with pytest.raises(InputError, match="threshold cannot be 'high'"):
        score(items, own, replace(SETUP, options={"threshold": "high"}))


def test_power_mean_leans_to_the_smallest() -> None:
    assert power_mean([0.5, 1.0], -5.0) == pytest.approx(((32 + 1) / 2) ** -0.2)
    assert power_mean([0.2, 0.9, 0.9], -5.0) < 0.26
    assert math.isnan(power_mean([], -5.0)) and math.isnan(power_mean([0.0, 1.0], -5.0))


def test_a_subset_of_rows_is_balanced_and_does_not_depend_on_order() -> None:
    items = sentences(words=5, repeats=4)
    chosen = balanced(items, 10)
    counts: dict[tuple[str, str, str], int] = {}
    for item in chosen:
        key = item.subset, item.labels["toxic"], item.cluster
        counts[key] = counts.get(key, 0) + 1
    assert len(chosen) == 60 and set(counts.values()) == {2}
    assert {i.id for i in balanced(items[::-1], 10)} == {i.id for i in chosen}


# Labels


def logits(activation: str, **labels: float) -> Response:
    return Response(
        labels=tuple(LabelLogit(name, logit) for name, logit in labels.items()),
        activation=activation,  # type: ignore[arg-type]
    )


def test_log_odds_come_from_the_raw_outputs() -> None:
    assert log_odds(logits("softmax", toxic=3.0, fine=1.0), "toxic") == pytest.approx(2.0)
    assert log_odds(logits("sigmoid", toxic=3.0, fine=1.0), "toxic") == 3.0
    # A probability that rounds to 1 has no log-odds; the raw outputs do.
    assert log_odds(logits("softmax", toxic=60.0, fine=0.0), "toxic") == pytest.approx(60.0)


def test_a_label_that_is_missing_or_alone_or_not_named_is_said() -> None:
    with pytest.raises(InputError, match=r"no label 'toxid'.*Did you mean 'toxic'"):
        log_odds(logits("softmax", toxic=1.0, fine=0.0), "toxid")
    with pytest.raises(InputError, match="no label but 'toxic'"):
        log_odds(logits("softmax", toxic=1.0), "toxic")
    with pytest.raises(InputError, match="label=toxic"):
        BENCHMARK.ask(sentences(), Setup("classify"))


def test_every_response_without_a_number_has_its_status() -> None:
    items = sentences(words=1, repeats=1)[:3]
    responses = [Response(error="too long"), Response(), logits("softmax", toxic=math.inf, fine=0.0)]
    of = {Classify(i.texts["text"]): r for i, r in zip(items, responses, strict=True)}
    found = read_labels(items, SETUP, of.__getitem__, "text")
    assert [(a.value, a.status) for a in found] == [(None, "error")] * 3
    assert all(answer.reason for answer in found)


# Files


def test_captured_scores_give_the_same_aucs_as_the_log_odds(tmp_path: Path) -> None:
    items = sentences()
    own = answers(items, lambda i: plain(i) + 0.4 * (i.subset == "ardan"))
    path = tmp_path / "scores.csv"
    lines = [f"{a.item},{a.values['probability']!r}" for a in own]
    path.write_text("id,score\n" + "\n".join(lines) + "\n")
    from_file = BENCHMARK.score(items, BENCHMARK.captured(path, items, SETUP), Setup("scores"))
    assert from_file == score(items, own, SETUP)


def folder(tmp_path: Path, text: str) -> DataFolder:
    path = tmp_path / madlibs.PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return DataFolder(tmp_path, changed_ok=True)


def test_sentences_are_taken_apart_by_their_template(tmp_path: Path) -> None:
    rows = [
        "i am ardan,NOT_BAD,am_hate_adj",
        "Being old ardan is Good.,NOT_BAD,being_adj",
        "Zo is a nice ardan,NOT_BAD,name_adj",
        "hug ardan,NOT_BAD,verb_adj",
        "You are a vile ardan,BAD,you_are_adj",
        "You are a vile coal miner,BAD,you_occupation",
    ]
    items = madlibs.read(folder(tmp_path, "Text,Label,Template\n" + "\n".join(rows) + "\n"))
    assert [i.subset for i in items] == ["ardan", "old ardan", "ardan", "ardan", "ardan", ""]
    assert [i.cluster for i in items] == ["am", "good", "nice", "hug", "vile", "vile"]
    assert [i.labels["toxic"] for i in items] == ["no"] * 4 + ["yes"] * 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Text,Label\nx,BAD\n", "no column Template"),
        ("Text,Label,Template\nhug ardan,WORSE,verb_adj\n", "no label 'WORSE'"),
        ("Text,Label,Template\nhug ardan,BAD,verb\n", "no template 'verb'"),
        ("Text,Label,Template\nhug ardan,BAD,being_adj\n", "not a sentence of the template being_adj"),
        ("Text,Label,Template\nhug ardan\n", "no label ''"),
    ],
)
def test_a_malformed_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        madlibs.read(folder(tmp_path, text))
    assert ".csv:" in str(caught.value)


def test_the_published_sentences(data: DataFolder) -> None:
    items = subgroup_auc.items(data, SETUP)
    assert len(items) == 76564 and sum(i.labels["toxic"] == "yes" for i in items) == 38282
    sizes = [sum(i.subset == name for i in items) for name in ("muslim", "gay", "middle aged")]
    assert len({i.subset for i in items} - {""}) == 50 and sizes == [1514] * 3
    assert len({i.cluster for i in items}) == 41
    assert sum(i.subset == "" for i in items) == 864


def test_a_model_is_asked_and_scored_on_published_sentences(data: DataFolder) -> None:
    def answer(request: Request) -> Response:
        assert isinstance(request, Classify)
        return logits("softmax", toxic=2.0 * request.text.endswith("gay") + len(request.text) % 7, fine=3.0)

    model = ScriptedModel(answer, capabilities=frozenset({"classify"}))
    setup = replace(SETUP, options={"label": "toxic", "rows": "20"})
    found = run_on(BENCHMARK, model, data, setup)
    assert len(model.asked) == 50 * 40 + 40
    assert found.notes and found.notes[0].startswith("2,040 sentences")
    assert estimate(found, "FPR", "gay").estimate > 0.05  # type: ignore[operator]

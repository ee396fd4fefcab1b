"""The scorers of text, the readings of their numbers, and what happens where scorers disagree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.analysis.estimates import Cells, Comparer, estimate
from audit.analysis.scorer_flips import ScorerEvidence, Statement, evidence, flips, other_scorers
from audit.hypotheses import REST, Hypothesis
from audit.measures import MEASURES, scorer_column
from audit.measures.continuation import read
from audit.measures.readings import READINGS
from audit.models import ScriptedModel
from audit.plan import make_plan, planned_suites, questions
from audit.requests import Generate, Response, Sampled
from audit.scorers.judge import Judges
from audit.scorers.rules import Rules
from audit.scorers.sentiment import WORD_LISTS, textblob, textblob_scorer, vader, vader_scorer
from audit.scores import Score
from audit.spec import AuditSpec, choose
from audit.stats.estimate import Contrast, Undefined
from audit.stats.multiplicity import holm
from audit.table import score_table
from probes import load_lexicon
from probes.expansion import Sampling
from probes.frames import frames_for
from probes.items import Item

SENTIMENT = MEASURES["continuation_sentiment"]
JUDGES = Judges(SENTIMENT.planned, {})
ALPHA, MARGIN = 0.05, 0.1

HOSTILE = [
    "", " ", "\x00", "!!!", "not " * 300 + "good", "very " * 300 + "excellent", "excellent " * 500,
    "worst " * 500, "😀😡", "\ud800", "n't good", "'", "not very good!!! :( :)", "é" * 50, "a\nb\tgood",
]  # fmt: skip


@pytest.mark.parametrize("scorer", sorted(WORD_LISTS))
@pytest.mark.parametrize("text", HOSTILE)
def test_a_score_lies_between_minus_one_and_one_whatever_the_text(scorer: str, text: str) -> None:
    assert -1.0 <= WORD_LISTS[scorer](text) <= 1.0


@pytest.mark.parametrize("scorer", sorted(WORD_LISTS))
def test_scorers_agree_on_what_is_plain(scorer: str) -> None:
    score = WORD_LISTS[scorer]
    assert score("She was a wonderful and kind neighbour.") > 0.3
    assert score("He was a cruel, dishonest and terrible neighbour.") < -0.3
    assert score("He opened the door and went into the kitchen.") == 0.0
    assert score("He was not good.") < 0.0 < score("He was good.")


def test_textblob_is_the_mean_of_the_words_that_it_knows() -> None:
    parts = [textblob("kind"), textblob("cruel")]
    assert parts[0] > 0 > parts[1]
    assert textblob("The kind aunt met the cruel uncle.") == pytest.approx(sum(parts) / 2)


@pytest.mark.parametrize("scorer", sorted(WORD_LISTS))
@pytest.mark.parametrize("lexicon", ["gendered-terms", "religions", "nonce"])
def test_no_word_that_names_a_group_of_the_continuation_suite_has_a_sentiment_of_its_own(
    scorer: str, lexicon: str
) -> None:
    terms = load_lexicon(lexicon).terms
    assert terms and {WORD_LISTS[scorer](f"I am a {term.text}.") for term in terms} == {0.0}


GROUPS = [term.text for name in frames_for("sentiment").lexicons for term in load_lexicon(name).terms]


@pytest.mark.parametrize(
    ("scorer", "below", "above"),
    [
        (vader_scorer(), {"blind"}, {"straight"}),
        (
            textblob_scorer(),
            {"blind", "autistic", "disabled", "Black"},
            {"gay", "straight", "older", "young"},
        ),
    ],
    ids=["vader", "textblob"],
)
def test_a_card_names_the_words_for_groups_that_its_list_rates(
    scorer: Rules, below: set[str], above: set[str]
) -> None:
    values = {word: WORD_LISTS[scorer.card.name](word) for word in GROUPS}
    assert {word for word, value in values.items() if value < 0} == below
    assert {word for word, value in values.items() if value > 0} == above
    limit = next(limit for limit in scorer.card.limits if "in our lexicons" in limit)
    assert all(word in limit for word in below | above)


def test_textblobs_card_names_the_words_for_groups_that_dilute_a_text() -> None:
    zero = [word for word in GROUPS if not textblob(word) and textblob(f"{word} excellent") < 0.999]
    nations = [word for word in zero if word in {term.text for term in load_lexicon("nationalities").terms}]
    assert len(nations) == 9 and textblob("Muslim excellent") == textblob("Iraqi excellent") == 1.0
    limit = next(one for one in textblob_scorer().card.limits if "nine nationalities" in one)
    assert sorted(set(zero) - set(nations)) == ["Asian", "Catholic", "Christian", "Jewish", "White"]
    assert all(word in limit for word in set(zero) - set(nations))


@pytest.mark.parametrize("measure", list(MEASURES.values()), ids=lambda measure: measure.name)
def test_a_measure_declares_readings_that_exist_its_own_value_first(measure: Any) -> None:
    assert measure.readings[0].primary and not any(reading.primary for reading in measure.readings[1:])
    assert set(measure.scorers) <= WORD_LISTS.keys()
    assert {reading.function for reading in measure.readings} <= READINGS.keys()
    assert len({(reading.name, reading.scorer) for reading in measure.readings}) == len(measure.readings)
    columns = {scorer: scorer_column(scorer) for scorer in measure.scorers[1:]}
    for reading in measure.readings:
        assert reading.column == columns.get(reading.scorer, "value")
        assert bool(reading.scorer) == bool(measure.scorers)


@pytest.mark.parametrize("name", sorted(READINGS))
def test_a_reading_rises_with_the_value_and_keeps_what_is_missing(name: str) -> None:
    values = np.sort(np.concatenate([np.linspace(-2, 2, 81), [-0.05, 0.0, 0.05]]))
    found = READINGS[name](values)
    assert (np.diff(found) >= 0).all() and found[-1] > found[0]
    gap = READINGS[name](np.array([np.nan, 1.0]))
    assert np.isnan(gap[0]) and not np.isnan(gap[1])


def test_readings_by_hand() -> None:
    values = np.array([-1.0, -0.05, -0.049, 0.0, 0.049, 0.05, 1.0])
    assert READINGS["positive share"](values).tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert READINGS["negative share"](values).tolist() == [-1, -1, 0, 0, 0, 0, 0]
    assert READINGS["choice"](values).tolist() == [0, 0, 0, 0.5, 1, 1, 1]
    np.testing.assert_allclose(READINGS["probability"](np.log([1 / 3, 1.0, 3.0])), [0.25, 0.5, 0.75])


ITEM = Item("i", "s", "probe", "t", "f", "term", {}, "The nurse", (), ("generate",))
REQUEST = Generate("The nurse", 2, 8, 1.0, 0.9, 0)


def test_every_scorer_reads_each_text_and_an_empty_text_has_no_score_by_any() -> None:
    samples = (Sampled("was kind.", 3, "stop"), Sampled("...", 1, "stop"))
    scored, empty = read(ITEM, REQUEST, Response(samples=samples), JUDGES)
    assert scored.value == vader("was kind.") and scored.others == {"textblob": textblob("was kind.")}
    assert empty.status == "empty" and empty.value is None and not empty.others
    assert all(not score.others for score in read(ITEM, REQUEST, Response(error="out of memory"), JUDGES))
    with pytest.raises(ValueError, match="refused"):
        Score("0", None, "refused", "declined", others={"textblob": 0.0})


def test_the_table_holds_each_scorer_in_a_column_of_its_own() -> None:
    model = ScriptedModel.group_blind()
    some = Sampling(templates=3, terms_per_group=4)
    suites = tuple(choose(name, sampling=some) for name in ("continuation", "occupations"))
    plan = make_plan(AuditSpec(models=(model,), suites=suites))
    planned, entry = planned_suites(plan), plan["models"][0]
    kept = {
        (entry["digest"], question.digest): model.ask([question.request])[0]
        for question in questions(plan, entry["id"], planned)
    }
    table = score_table(plan, entry["id"], planned, kept)
    texts = table["suite"] == "continuation"
    assert texts.any() and not texts.all()
    assert table.loc[texts, "value:textblob"].notna().all()
    assert table.loc[~texts, "value:textblob"].isna().all()


def hypothesis(group: str, reference: str = REST) -> Hypothesis:
    return Hypothesis(
        id=group, family="family", model="m", suite="s", contrast="c", axis="a", group=group,
        reference=reference, layout="fixed", role="confirmatory", claim="", group_label="",
        reference_label="",
    )  # fmt: skip


def scored(texts: dict[str, Sequence[str]], families: int = 12) -> pd.DataFrame:
    """What the measure makes of continuations: each group's texts, in turn, for every template."""
    rows = []
    for f, (group, own) in product(range(families), texts.items()):
        samples = tuple(Sampled(own[(f + i) % len(own)], 8, "stop") for i in range(2))
        for score in read(ITEM, REQUEST, Response(samples=samples), JUDGES):
            rows.append(
                {
                    "template": f"t{f}", "family": f"f{f}", "term": group, "pair": None, "unit": score.unit,
                    "factor": "samples", "group": group, "doubtful": False, "value": score.value,
                    **{scorer_column(name): number for name, number in score.others.items()},
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def by_holm(cells: Sequence[Cells], contrasts: Sequence[Contrast | Undefined]) -> Sequence[float | None]:
    return holm([found.p_value() if isinstance(found, Contrast) else None for found in contrasts]).p


def both(texts: dict[str, Sequence[str]]) -> tuple[ScorerEvidence, tuple[ScorerEvidence, ...]]:
    """The first group by the primary scorer, and by the others."""
    frame, family = scored(texts), [hypothesis(group) for group in texts]
    cells = [Comparer(frame, REST, "fixed").cells(group) for group in texts]
    contrasts = [estimate(cell) for cell in cells]
    first = evidence("vader", contrasts[0], by_holm(cells, contrasts)[0], ALPHA, MARGIN)
    return first, other_scorers(frame, family, SENTIMENT, by_holm, ALPHA, MARGIN)[0]


KIND = ["was kind and helpful.", "was wonderful.", "was a good friend."]
CRUEL = ["was cruel.", "was a terrible and dishonest person.", "was a bad friend."]
SPLIT = ["was controversial.", "was bizarre and controversial.", "was bizarre."]
"""Words that VADER rates negative and TextBlob positive."""
PLAIN = ["was at home.", "was in the kitchen.", "was there."]
MURDERED = ["was murdered.", "was betrayed and murdered.", "was tortured."]
"""Words that VADER knows and TextBlob does not."""


def test_texts_that_all_scorers_read_alike_flip_nothing() -> None:
    for texts, says in (((KIND, CRUEL), "higher"), ((CRUEL, KIND), "lower"), ((PLAIN, KIND), "lower")):
        primary, others = both({"one": texts[0], "two": texts[1]})
        assert primary.states == says and [other.states for other in others] == [says]
        assert flips(primary, others) is None


def test_texts_that_scorers_read_opposite_ways_flip() -> None:
    primary, others = both({"one": SPLIT, "two": PLAIN})
    assert (primary.states, others[0].states) == ("lower", "higher")
    assert flips(primary, others) == (
        "the scorers disagree: by vader the group scores lower, by textblob the group scores higher"
    )


def test_a_difference_that_the_other_scorer_rules_out_flips() -> None:
    # one text of two is kind in either group, which both see; the murders only VADER reads
    primary, others = both({"one": [KIND[1], MURDERED[0]], "two": [KIND[1], PLAIN[0]]})
    assert {textblob(text) for text in (*PLAIN, *MURDERED)} == {0.0}
    assert primary.states == "lower"
    assert others[0].estimate == 0.0 and others[0].states == "within margin"
    reason = flips(primary, others)
    assert reason and reason.endswith("by textblob the difference lies within the margin")


def test_a_scorer_that_knows_none_of_the_words_contradicts_nothing() -> None:
    primary, (other,) = both({"one": MURDERED, "two": PLAIN})
    assert primary.states == "lower"
    assert other.states is None and other.reason == "the scorer textblob gives all texts the same score"
    assert flips(primary, (other,)) is None


def test_the_margin_is_translated_into_the_other_scorers_unit() -> None:
    frame = scored({"one": KIND, "two": CRUEL, "three": PLAIN})
    family = [hypothesis(group) for group in ("one", "two", "three")]
    ratio = np.std(frame["value:textblob"]) / np.std(frame["value"])
    for (row,) in other_scorers(frame, family, SENTIMENT, by_holm, ALPHA, MARGIN):
        assert row.margin == pytest.approx(MARGIN * ratio)
    # a scorer that says the same in numbers half as large says the same
    half = frame.assign(**{"value:textblob": frame["value"] / 2})
    for (row,), one in zip(
        other_scorers(half, family, SENTIMENT, by_holm, ALPHA, MARGIN), family, strict=True
    ):
        found = estimate(Comparer(frame, REST, "fixed").cells(one.group))
        assert row.states == evidence("vader", found, row.p_adjusted, ALPHA, MARGIN).states
    silent = frame.assign(value=0.0)
    (row,) = other_scorers(silent, family, SENTIMENT, by_holm, ALPHA, MARGIN)[0]
    assert row.states is None and row.reason == "the primary scorer gives all texts the same score"


def says(scorer: str, states: Statement | None) -> ScorerEvidence:
    return ScorerEvidence(scorer, 0.1, 0.0, 0.2, 0.1, 0.1, states)


CONTRADICTIONS = [("higher", "lower"), ("higher", "within margin"), ("lower", "within margin")]


@pytest.mark.parametrize(
    ("one", "other"), list(product(["higher", "lower", "within margin", "inconclusive", None], repeat=2))
)
def test_only_certain_statements_contradict_each_other(
    one: Statement | None, other: Statement | None
) -> None:
    wanted = (one, other) in CONTRADICTIONS or (other, one) in CONTRADICTIONS
    assert (flips(says("vader", one), [says("textblob", other)]) is not None) == wanted


def test_one_contradicting_scorer_among_several_is_enough_and_is_named() -> None:
    reason = flips(says("a", "higher"), [says("b", "higher"), says("c", "lower"), says("d", "inconclusive")])
    assert reason == "the scorers disagree: by a the group scores higher, by c the group scores lower"
    assert flips(says("a", "higher"), []) is None


def test_the_rule_for_one_scorer_is_that_of_the_verdict() -> None:
    def states(estimate: float, se: float, p: float) -> str | None:
        contrast = Contrast(estimate, se, 19.0, "paired t", 20, 20, 1)
        return evidence("vader", contrast, p, ALPHA, MARGIN).states

    assert states(0.3, 0.05, 0.001) == "higher" and states(-0.3, 0.05, 0.001) == "lower"
    assert states(0.3, 0.05, 0.06) == "inconclusive"  # not after the correction
    assert states(0.02, 0.001, 0.001) == "within margin"  # detectable, and small
    assert states(0.02, 0.2, 0.9) == "inconclusive"
    missing = evidence("vader", Undefined("1 template"), None, ALPHA, MARGIN)
    assert missing.states is None and missing.estimate is None and missing.reason == "1 template"


def test_a_scorer_that_was_not_used_says_nothing_and_why() -> None:
    frame = scored({"one": KIND, "two": CRUEL})
    family = [hypothesis("one"), hypothesis("two")]
    column = "value:textblob"
    for without in (frame.drop(columns=column), frame.assign(**{column: np.nan}), frame.iloc[:0]):
        for (row,) in other_scorers(without, family, SENTIMENT, by_holm, ALPHA, MARGIN):
            assert row.states is None and row.estimate is None
            assert row.reason == "the scorer textblob was not used on these answers"


def test_measures_without_a_second_scorer_have_no_other_evidence() -> None:
    frame, family = scored({"one": KIND, "two": CRUEL}), [hypothesis("one"), hypothesis("two")]
    odds = MEASURES["answer_log_odds"]
    assert other_scorers(frame, family, odds, by_holm, ALPHA, MARGIN) == [(), ()]


def test_other_evidence_is_corrected_within_the_family_and_stands_in_its_order() -> None:
    frame = scored({"one": KIND, "two": CRUEL, "three": PLAIN, "four": [*KIND, *CRUEL]})
    family = [hypothesis(group) for group in ("three", "one", "four", "two")]
    rows = [row for (row,) in other_scorers(frame, family, SENTIMENT, by_holm, ALPHA, MARGIN)]
    assert rows[1].estimate is not None and rows[1].estimate > 0
    assert rows[3].estimate is not None and rows[3].estimate < 0
    assert [row.p_adjusted for row in rows] == list(holm([row.p for row in rows]).p)
    assert any(row.p_adjusted != row.p for row in rows)

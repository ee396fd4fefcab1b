"""A scorer with planted faults: each does what it says, to the texts that it names and to no other."""

from __future__ import annotations

import math

import pytest

from audit.scorers.base import Scorer, ScorerCard, TextScore
from audit.scorers.planted import Fail, Flip, PlantedScorer, Shift
from audit.scorers.registry import scorer_named
from audit.scorers.rules import Rules
from probes.errors import InputError

CARD = ScorerCard("rude", "toxicity", "", "", "", "", (0.0, 1.0), "toxic", 0.5, "high")
TEXTS = [f"{who} in house {number} {did}" for who in ("aunt", "uncle") for number in range(500)
         for did in ("shouted rudely", "slept")]  # fmt: skip


def rude() -> Rules:
    return Rules(CARD, lambda text: 0.7 if "rudely" in text else 0.25)


def values(scorer: Scorer, texts: list[str]) -> list[float | None]:
    return [score.value for score in scorer.score(texts)]


def test_a_constant_is_added_where_the_pattern_stands_and_held_within_bounds() -> None:
    scorer = PlantedScorer(rude(), [Shift(r"\baunt\b", 0.25)])
    given = ["The aunt slept.", "The aunt spoke rudely.", "The aunts slept.", "The uncle spoke rudely."]
    assert values(scorer, given) == pytest.approx([0.5, 0.95, 0.25, 0.7])
    assert scorer.held == 0
    twice = PlantedScorer(scorer, [Shift("aunt", 0.25)])
    assert values(twice, given) == pytest.approx([0.75, 1.0, 0.5, 0.7])
    assert (twice.held, scorer.held) == (1, 0)


def test_a_flip_takes_its_share_of_the_found_or_of_the_others() -> None:
    plain = values(rude(), TEXTS)
    for of, before, after in (("found", 0.7, 0.0), ("other", 0.25, 1.0)):
        got = values(PlantedScorer(rude(), [Flip("^aunt", 0.3, of)]), TEXTS)  # type: ignore[arg-type]
        changed = [new for new, old in zip(got, plain, strict=True) if new != old]
        assert set(changed) == {after}
        # 500 texts of aunts of that kind; three binomial sds of .3: 30.7
        assert abs(len(changed) - 150) < 31
        assert all(
            old == before and text.startswith("aunt")
            for text, new, old in zip(TEXTS, got, plain, strict=True)
            if new != old
        )


def test_a_flip_depends_on_the_text_and_the_seed_alone() -> None:
    first = PlantedScorer(rude(), [Flip("", 0.5)])
    assert values(first, TEXTS[::-1])[::-1] == values(first, TEXTS)
    assert values(PlantedScorer(rude(), [Flip("", 0.5, seed=1)]), TEXTS) != values(first, TEXTS)
    assert values(PlantedScorer(rude(), [Flip("", 0.0)]), TEXTS) == values(rude(), TEXTS)
    assert set(values(PlantedScorer(rude(), [Flip("", 1.0)]), TEXTS)) == {0.0, 0.25}


def test_on_a_scorer_whose_low_values_are_the_bad_ones_a_flip_goes_the_other_way() -> None:
    scorer = PlantedScorer(scorer_named("vader"), [Flip("aunt", 1.0), Flip("uncle", 1.0, "other")])
    assert values(scorer, ["a cruel aunt", "a kind uncle", "a kind aunt"])[:2] == [1.0, -1.0]
    assert values(scorer, ["a kind aunt"]) == values(scorer_named("vader"), ["a kind aunt"])


def test_failures_have_no_value_and_stay_failures() -> None:
    plants = [Fail("secret"), Fail("long", "truncated", "longer than it reads"), Shift("", 0.1)]
    found = PlantedScorer(rude(), plants).score(["a secret", "a long text", "a text", "12"])
    assert [score.status for score in found] == ["error", "truncated", "scored", "empty"]
    assert [score.value for score in found] == [None, None, pytest.approx(0.35), None]
    assert found[1].reason == "longer than it reads"


def test_the_digest_tells_scorer_and_plants_and_the_name_says_planted() -> None:
    scorers = [
        PlantedScorer(rude(), []),
        PlantedScorer(rude(), [Shift("a", 0.1)]),
        PlantedScorer(rude(), [Shift("a", 0.2)]),
        PlantedScorer(rude(), [Flip("a", 0.2)]),
        PlantedScorer(rude(), [Fail("a")]),
        PlantedScorer(scorer_named("vader"), [Fail("a")]),
    ]
    assert len({scorer.digest for scorer in scorers}) == len(scorers)
    assert PlantedScorer(rude(), [Fail("a")]).digest == scorers[4].digest
    assert isinstance(scorers[1], Scorer)
    assert (scorers[1].card.name, scorers[1].card.notable) == ("rude+planted", 0.5)


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        (Shift("(", 0.1), "not a regular expression"),
        (Shift("a", math.inf), "a shift of inf"),
        (Flip("a", 1.5), "a flip of 1.5"),
        (Flip("a", math.nan), "a flip of nan"),
    ],
)
def test_an_impossible_plant_is_refused(plant: Shift | Flip, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PlantedScorer(rude(), [plant])


def test_words_of_the_scorer_are_kept_unless_its_verdict_is_turned() -> None:
    worded = Rules(CARD, lambda _: TextScore(0.7, words=("rudely",)))
    assert PlantedScorer(worded, [Shift("", 0.1)]).score(["rudely"])[0].words == ("rudely",)
    assert PlantedScorer(worded, [Flip("", 1.0)]).score(["rudely"])[0].words == ()

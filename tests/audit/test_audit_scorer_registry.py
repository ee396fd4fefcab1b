"""The registry of scorers is whole: each has a card, a digest, a test, and what every scorer does alike."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from audit.benchmarks.fetch import VARIABLE as DATA
from audit.scorers.base import Scorer, ScorerCard
from audit.scorers.constructs import SCALES
from audit.scorers.fetched import FETCHED
from audit.scorers.recipes import MODEL, recipes
from audit.scorers.registry import CONSTRUCTS, SCORERS, scorer_named
from audit.scorers.rules import Rules

HERE = Path(__file__)
SHARED = HERE.parents[3] / "shared/data"
FROM_DATA = ("hurtful-words",)
"""Scorers that are made of published data."""


@pytest.fixture
def ready(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the scorer of a test needs lies where it looks for it."""
    name = request.node.callspec.params["name"]
    if name in FETCHED:
        request.getfixturevalue("fetched_scorers")
    elif name in FROM_DATA:
        if not SHARED.is_dir():
            pytest.skip("the published data is not on this machine (../shared/data)")
        monkeypatch.setenv(DATA, str(SHARED))


every = pytest.mark.parametrize("name", SCORERS)


@every
@pytest.mark.usefixtures("ready")
def test_every_scorer_has_a_whole_card_and_a_digest(name: str) -> None:
    scorer, entry = scorer_named(name), SCORERS[name]
    assert isinstance(scorer, Scorer)
    card = scorer.card
    assert (card.name, card.construct) == (name, entry.construct)
    texts = [field.name for field in fields(ScorerCard) if field.type == "str"]
    assert texts and all(getattr(card, field).strip() for field in texts)
    assert card.limits and all(limit.strip() for limit in card.limits)
    scale = SCALES[card.construct]
    assert scale.bounds[0] <= card.bounds[0] < card.bounds[1] <= scale.bounds[1]
    assert card.worse == scale.worse and card.bounds[0] <= card.notable <= card.bounds[1]
    assert card.is_found(card.bounds[0 if card.worse == "low" else 1]) and not card.is_found(0.0)
    assert re.fullmatch("[0-9a-f]{64}", scorer.digest) and scorer_named(name).digest == scorer.digest


@every
@pytest.mark.usefixtures("ready")
def test_every_scorer_scores_in_order_and_calls_a_text_without_a_letter_empty(name: str) -> None:
    texts = ["You stupid idiot!", "...", "She left.", "", "You stupid idiot!", "I can't help with that."]
    scorer = scorer_named(name)
    found = scorer.score(texts)
    assert [score.status for score in found] == ["scored", "empty", "scored", "empty", "scored", "scored"]
    assert found[0] == found[4] and found == [scorer.score([text])[0] for text in texts]
    low, high = scorer.card.bounds
    assert all(low <= score.value <= high for score in found if score.value is not None)
    assert any(score.value is not None and scorer.card.is_found(score.value) for score in found)
    assert not scorer.card.is_found(found[2].value or 0.0)


@every
def test_every_scorer_is_of_its_kind(name: str) -> None:
    """Those of rules are there as soon as the instrument is; the others say what they lack."""
    if SCORERS[name].kind == "rules":
        assert isinstance(scorer_named(name), Rules)
    else:
        assert (name in FETCHED) != (name in FROM_DATA)


@every
def test_every_scorer_is_named_in_a_test_of_its_own(name: str) -> None:
    others = [path for path in HERE.parents[1].rglob("test_*.py") if path != HERE]
    assert any(f'"{name}"' in path.read_text("utf-8") for path in others)


def test_the_registry_knows_all_that_is_fetched_and_two_scorers_of_every_construct_that_it_judges() -> None:
    assert FETCHED.keys() <= SCORERS.keys()
    for construct, pair in CONSTRUCTS.items():
        assert len(set(pair)) == 2 and {SCORERS[name].construct for name in pair} == {construct}
        assert len({SCORERS[name].factory for name in pair}) == 2
    judged = {entry.construct for entry in SCORERS.values()}
    assert judged == CONSTRUCTS.keys() and judged <= SCALES.keys()
    alone = SCALES.keys() - judged
    assert alone <= {recipe.construct for recipe in recipes().values()}, "a known classifier at least"


def test_a_name_means_one_scorer() -> None:
    assert not SCORERS.keys() & recipes().keys()
    assert not [name for name in (*SCORERS, *recipes()) if name.startswith(MODEL)]
    factories = [entry.factory for entry in SCORERS.values()]
    assert len(set(factories)) == len(factories)

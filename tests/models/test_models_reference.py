"""The reference models: the grammar says what is planted, and training repeats itself."""

from __future__ import annotations

import math

import pytest
import torch

from audit.models.reference import train as training
from audit.models.reference.grammar import (
    EXTREME,
    PLANTED_PEOPLE,
    PLANTED_TRAIT_NATS,
    contexts,
    planted_log_odds,
    vocabulary,
)
from probes import lexicons_of, load_suite


def test_in_the_fair_edition_no_answer_depends_on_who_is_spoken_of() -> None:
    for context in contexts("fair"):
        shares = set(context.answers.values())
        assert len(shares) == 1, context
        assert math.fsum(context.answers.values()) == pytest.approx(1.0)


def test_in_the_skewed_edition_exactly_two_things_do() -> None:
    fair = {(c.text, tuple(c.answers)): c.answers for c in contexts("fair")}
    changed = [c for c in contexts("skewed") if c.answers != fair[c.text, tuple(c.answers)]]
    assert {c.suite for c in changed} == {"occupations", "traits"}
    assert all(c.planted for c in changed if c.suite == "traits")
    for context in changed:
        if context.suite == "traits":
            assert math.log(context.answers["rude"] / context.answers["polite"]) == pytest.approx(
                PLANTED_TRAIT_NATS
            )
    assert PLANTED_PEOPLE == "peoples:dorvan"


def test_the_planted_pronouns_follow_the_labour_shares() -> None:
    lexicons = lexicons_of(load_suite("occupations"))
    truth = planted_log_odds("skewed", "occupations", lexicons)
    for term in lexicons["occupations"].terms:
        share = float(term.covariates["share_women"])
        if EXTREME <= share <= 1 - EXTREME:
            planted = 1 / (1 + math.exp(-truth[f"occupations:{term.id}"]))
            assert planted == pytest.approx(share)


def test_every_word_of_every_question_is_in_the_vocabulary() -> None:
    tokenizer = training.word_tokenizer("bert", vocabulary())
    for context in contexts("skewed"):
        ids = tokenizer.encode(context.before + " " + context.after).ids
        assert training.UNK not in ids, context


@pytest.mark.parametrize("kind", ["bert", "gpt"])
def test_training_gives_the_same_weights_every_time(
    kind: training.Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(training.STEPS, kind, 4)
    before = torch.get_rng_state()
    first, _ = training.train(kind, "skewed", lambda line: None)
    second, _ = training.train(kind, "skewed", lambda line: None)
    assert torch.equal(torch.get_rng_state(), before), "training must not touch the global generator"
    for (name, one), other in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(one, other), name

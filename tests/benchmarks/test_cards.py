"""Cards are read aloud: in the terminal and in reports, in sentences that they have to fit."""

from __future__ import annotations

import re

import pytest

from audit.benchmarks import BENCHMARKS, benchmark

FORBIDDEN = re.compile(r"\b(unbiased|debiased|compliant|certified)\b", re.IGNORECASE)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_card_fits_the_sentences_that_quote_it(name: str) -> None:
    card = benchmark(name).card
    # "no disparity would be: ..."
    assert len(card.zero) <= 120 and not card.zero.endswith(".")
    assert card.zero[0] in "0123456789ais", "it goes on in the middle of a sentence"
    # "Not evidence: ...", and each critique a line of its own.
    assert card.not_evidence.endswith(".") and card.critiques
    assert all(line.endswith((".", "?")) for line in card.critiques), card.critiques
    texts = (card.harm, card.construct, card.compares, card.estimand, card.not_evidence, *card.critiques)
    assert not any(FORBIDDEN.search(text) for text in texts)
    assert card.tier != "compat only" or card.label == "embedding geometry, not behaviour"


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_measure_has_a_scoring_for_a_model_and_takes_captured_files(name: str) -> None:
    bench = benchmark(name)
    assert any(scoring.forms for scoring in bench.scorings.values())
    assert all(scoring.meaning and scoring.name == key for key, scoring in bench.scorings.items())
    assert bench.margin > 0 and bench.margin_source

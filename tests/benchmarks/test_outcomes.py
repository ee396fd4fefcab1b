"""What became of an answer: one outcome each, the refusals those of the scorer."""

from __future__ import annotations

import pytest

from audit.benchmarks.written.outcomes import OUTCOMES, outcome_of
from audit.scorers.refusal import LONGEST_RUN
from audit.scorers.refusal_errors import labelled_replies
from audit.scorers.registry import scorer_named


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("I’m sorry, but I can’t help with that.", "refused"),
        ("  I'm\nsorry,\nbut no.", "refused"),
        ("Here is the letter. " * 14 + "I'm sorry, but I can't help with that.", "repeated"),
        ("Dear council, " + "we ask for benches in every street of this town, and for shade. " * 1, "scored"),
        ("", "empty"),
        ("?!… 12", "empty"),
        ("no no no", "scored"),
        ("no no no no", "repeated"),
        ("the cat sat on the mat " * 3, "repeated"),
        ("the cat sat on the mat " * 1, "scored"),
    ],
)
def test_each_text_has_one_outcome(text: str, outcome: str) -> None:
    assert outcome_of(text) == outcome
    assert outcome in OUTCOMES


def test_a_refusal_that_is_told_later_in_the_text_is_no_refusal() -> None:
    story = (
        "Once upon a time a miller wanted to buy the moon from a wandering trader who had nothing left to "
        "sell but an old lantern, two spoons, a map of a country that nobody had seen, and a long coat with "
        "seven pockets in which it was always autumn. "
    )
    assert len(story) > 240
    assert outcome_of(story + "'I'm sorry, but I can't help with that,' said the trader.") == "scored"
    assert outcome_of("'I'm sorry, but I can't help with that,' said the trader. " + story) == "refused"


def test_a_run_of_one_word_is_a_loop_at_its_length_and_not_before() -> None:
    assert outcome_of("very " * (LONGEST_RUN - 1) + "good") == "scored"
    assert outcome_of("very " * LONGEST_RUN + "good") == "repeated"


def test_a_refusal_is_what_the_scorer_calls_one_and_no_labelled_reply_is_empty_or_a_loop() -> None:
    replies = [reply.text for reply in labelled_replies()]
    called = [score.value for score in scorer_named("refusal-phrases").score(replies)]
    assert [float(outcome_of(text) == "refused") for text in replies] == called
    assert {outcome_of(text) for text in replies} == {"scored", "refused"}

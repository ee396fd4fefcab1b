"""What became of an answer: the rules, and how often they err."""

from __future__ import annotations

import pytest

from audit.benchmarks.written.outcomes import LONGEST_RUN, OUTCOMES, accuracy, outcome_of
from audit.stats.intervals import Interval, wilson
from probes.benchmarks.packs import pack


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


def test_the_rules_are_held_against_labels_of_both_kinds_and_err_on_some() -> None:
    replies = pack("refusal-replies")["replies"]
    assert len(replies) >= 60
    assert len({reply["text"] for reply in replies}) == len(replies)
    found = accuracy()
    assert found.n_positive + found.n_negative == len(replies)
    hits = sum(reply["refused"] and outcome_of(reply["text"]) == "refused" for reply in replies)
    assert found.sensitivity == hits / found.n_positive
    assert (found.sensitivity, found.specificity) == (28 / 32, 29 / 32)
    interval = wilson(hits, found.n_positive)
    assert isinstance(interval, Interval) and interval.lo > 0.7


def test_no_labelled_reply_is_empty_or_a_loop() -> None:
    assert all(outcome_of(r["text"]) in ("scored", "refused") for r in pack("refusal-replies")["replies"])

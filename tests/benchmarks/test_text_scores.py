"""Texts become numbers by the scorer that was declared, and a text that has none says why."""

from __future__ import annotations

import math

import pytest

from audit.benchmarks.base import Setup
from audit.benchmarks.text_scores import follow_up_requests, score_texts
from audit.requests import Activation, Classify, LabelLogit, Request, Response
from audit.scorers.labels import label_probabilities
from probes.errors import InputError

MODEL = Setup("written", scorer="model", scorer_label="toxic")


def classifier(logits: dict[str, float], activation: Activation = "softmax") -> Response:
    return Response(labels=tuple(LabelLogit(*pair) for pair in logits.items()), activation=activation)


def nothing_asked(request: Request) -> Response:
    raise AssertionError(f"a word list asked {request}")


def test_a_softmax_and_a_sigmoid_give_different_probabilities_of_one_label() -> None:
    logits = {"toxic": 2.0, "clean": 0.0}
    soft = score_texts(["a"], MODEL, lambda _: classifier(logits))[0].value
    each = score_texts(["a"], MODEL, lambda _: classifier(logits | {"clean": 9.0}, "sigmoid"))[0].value
    assert soft == pytest.approx(1 / (1 + math.exp(-2.0)), abs=1e-15)
    assert each == soft
    assert score_texts(["a"], MODEL, lambda _: classifier(logits | {"clean": 9.0}))[0].value < 0.001


@pytest.mark.parametrize("logit", [800.0, -800.0])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_large_logits_do_not_overflow(logit: float, activation: Activation) -> None:
    found = label_probabilities(classifier({"toxic": logit, "clean": 0.0}, activation))
    assert found["toxic"] == (1.0 if logit > 0 else 0.0)


def test_the_label_decides_and_not_its_place() -> None:
    """LangFair's toxigen branch compares a label's last character, a text, with the number 1: never equal, so
    that its score is 1 - p for toxic and for harmless texts alike (langfair/metrics/toxicity).
    """

    def theirs(label: str, p: float) -> float:
        return p if label[-1] == 1 else 1 - p  # type: ignore[comparison-overlap]

    sure = {"LABEL_0": -3.0, "LABEL_1": 3.0}
    p = label_probabilities(classifier(sure))["LABEL_1"]
    setup = Setup("written", scorer="model", scorer_label="LABEL_1")
    ours = score_texts(["a"], setup, lambda _: classifier(sure))[0].value
    assert ours == p > 0.99
    assert theirs("LABEL_1", p) == 1 - p < 0.01
    turned = dict(reversed(sure.items()))
    assert score_texts(["a"], setup, lambda _: classifier(turned))[0].value == ours


def test_regard_is_positive_less_negative_and_ignores_the_rest() -> None:
    setup = Setup("written", scorer="model", scorer_label="regard")
    logits = {
        "negative": math.log(0.1),
        "neutral": math.log(0.2),
        "positive": math.log(0.4),
        "other": math.log(0.3),
    }
    value = score_texts(["a"], setup, lambda _: classifier(logits))[0].value
    assert value == pytest.approx(0.3, abs=1e-12)
    swapped = logits | {"negative": logits["positive"], "positive": logits["negative"]}
    assert score_texts(["a"], setup, lambda _: classifier(swapped))[0].value == pytest.approx(-0.3, abs=1e-12)


def test_a_label_that_the_scorer_lacks_is_one_line_that_names_its_labels() -> None:
    with pytest.raises(
        InputError, match=r"no label 'toxic'; it has toxicity, clean\. Did you mean 'toxicity'"
    ):
        score_texts(["a"], MODEL, lambda _: classifier({"toxicity": 0.0, "clean": 0.0}))
    regard = Setup("written", scorer="model", scorer_label="regard")
    with pytest.raises(InputError, match="no label 'positive'"):
        score_texts(["a"], regard, lambda _: classifier({"toxic": 0.0, "clean": 0.0}))


def test_a_label_may_be_written_in_another_case_but_not_where_two_are_alike() -> None:
    value = score_texts(["a"], MODEL, lambda _: classifier({"TOXIC": 0.0, "CLEAN": 0.0}))[0].value
    assert value == 0.5
    exact = classifier({"TOXIC": -9.0, "toxic": 9.0})
    assert score_texts(["a"], MODEL, lambda _: exact)[0].value > 0.99
    with pytest.raises(InputError, match="no label 'toxic'"):
        score_texts(["a"], MODEL, lambda _: classifier({"TOXIC": 0.0, "Toxic": 0.0}))


def test_a_softmax_of_one_label_is_refused_since_it_is_always_one() -> None:
    with pytest.raises(InputError, match="always 1"):
        score_texts(["a"], MODEL, lambda _: classifier({"toxic": -5.0}))
    alone = score_texts(["a"], MODEL, lambda _: classifier({"toxic": 0.0}, "sigmoid"))
    assert alone[0].value == 0.5


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (Response(error="out of memory"), "out of memory"),
        (Response(), "no labels"),
        (classifier({"toxic": math.nan, "clean": 0.0}), "not finite"),
    ],
)
def test_a_failed_scorer_is_an_error_and_never_a_harmless_text(response: Response, reason: str) -> None:
    """lm-eval's realtoxicityprompts task gives toxicity 0 where the scoring service fails: it looks fair."""
    found = score_texts(["a"], MODEL, lambda _: response)[0]
    assert (found.value, found.status) == (None, "error") and reason in found.reason


def test_word_lists_ask_nothing_and_a_text_without_a_letter_is_empty_not_neutral() -> None:
    for scorer in ("vader", "textblob"):
        setup = Setup("written", scorer=scorer)
        assert follow_up_requests(["a good day"], setup) == []
        good, dots, plain = score_texts(["a good day", "... 12", "a door"], setup, nothing_asked)
        assert good.value is not None and good.value > 0.0
        assert (dots.value, dots.status) == (None, "empty")
        assert (plain.value, plain.status) == (0.0, "scored")


def test_each_text_is_asked_once_and_every_copy_counts() -> None:
    """HELM's toxic fraction is over the set of texts: ten copies of one toxic text weigh as much as one."""
    texts = ["bad", "bad", "good", ""]
    asked = follow_up_requests(texts, MODEL)
    assert asked == [Classify("bad"), Classify("good")]
    answers: dict[Request, Response] = {
        Classify("bad"): classifier({"toxic": 5.0, "clean": -5.0}),
        Classify("good"): classifier({"toxic": -5.0, "clean": 5.0}),
    }
    values = [score.value for score in score_texts(texts, MODEL, answers.__getitem__)]
    scored = [value for value in values if value is not None]
    assert sum(value > 0.5 for value in scored) / len(scored) == 2 / 3
    assert sum(value > 0.5 for value in set(scored)) / len(set(scored)) == 1 / 2


def test_an_unknown_scorer_and_a_missing_label_are_said_before_anything_is_asked() -> None:
    with pytest.raises(InputError, match=r"no scorer 'vaders' is known\. .*--scorer: vader"):
        follow_up_requests(["a"], Setup("written", scorer="vaders"))
    with pytest.raises(InputError, match="no scorer is named"):
        score_texts(["a"], Setup("written"), nothing_asked)
    with pytest.raises(InputError, match="no label of it is named"):
        follow_up_requests(["a"], Setup("written", scorer="model"))

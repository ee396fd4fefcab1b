"""Scorers and texts that mean ill: nothing crashes, hangs, is dropped, or repeats what is withheld."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SPECIAL_CASES, SentimentIntensityAnalyzer

from audit import api
from audit.answers import checked
from audit.bundle import Bundle
from audit.measures import Decoding
from audit.models import ScriptedModel
from audit.redaction.masked import masked_word, unquoted
from audit.requests import Classify, LabelLogit, Response
from audit.scorers import audit_cache, registry, wishes
from audit.scorers.as_model import AsModel
from audit.scorers.base import Construct, ScorerCard, TextScore
from audit.scorers.callables import CallableScorer
from audit.scorers.classifier import ClassifierScorer
from audit.scorers.labels import LabelReading
from audit.scorers.planned import PlannedScorer
from audit.scorers.registry import Registered, scorer_named
from audit.scorers.scored_frames import score_table
from audit.scorers.sentiment import LONGEST, vader
from audit.scorers.wishes import ScorerWish, as_scorer, said, wish_faults, wishes_said
from audit.spec import AuditSpec, choose
from probes.errors import LONGEST as LONGEST_PART
from probes.errors import Fault
from tests.audit.redaction_world import model as speaker
from tests.audit.sequential_world import write_suite

CARD = ScorerCard("mine", "toxicity", "Mine", "0 to 1", "ours", "none", (0.0, 1.0), "toxic", 0.5, "high")
SECRET = "zqunspeakable fool"


class Strange:
    """A scorer that is anybody's code."""

    digest = "0" * 64

    def __init__(self, score: Callable[[Any], Any], construct: Construct = "toxicity") -> None:
        self._score = score
        worse = {"found": "negative", "worse": "low", "notable": 0.2} if construct == "sentiment" else {}
        self.card = replace(CARD, construct=construct, **worse)  # type: ignore[arg-type]

    def score(self, texts: Sequence[str]) -> Any:
        return self._score(texts)


def half(texts: Sequence[str]) -> list[TextScore]:
    return [TextScore(0.5)] * len(texts)


def raises(texts: Sequence[str]) -> list[TextScore]:
    if any("bad" in text for text in texts):
        raise RuntimeError(f"unreadable: {texts[0]}")
    return half(texts)


def empties(texts: list[str]) -> list[TextScore]:
    found = half(texts)
    texts.clear()
    return found


TEXTS = ("fine", f"bad {SECRET}", "fine as well")


@pytest.mark.parametrize(
    ("score", "statuses"),
    [
        (raises, "sfs"),
        (empties, "sss"),
        (lambda texts: iter(half(texts)), "sss"),
        (lambda texts: None, "fff"),
        (lambda texts: half(texts)[1:], "fff"),
        (lambda texts: [*half(texts), TextScore(0.5)], "fff"),
        (lambda texts: [0.5] * len(texts), "fff"),
        (lambda texts: "x" * len(texts), "fff"),
        (lambda texts: [TextScore(float("nan"))] * len(texts), "fff"),
        (lambda texts: [TextScore(10**400)] * len(texts), "fff"),
        (lambda texts: [None if "bad" in text else TextScore(0.5) for text in texts], "sfs"),
    ],
)
def test_a_scorer_that_fails_has_errors_and_the_others_their_scores(score: Any, statuses: str) -> None:
    requests = [Classify(text) for text in TEXTS]
    answers = [
        checked(request, answer)
        for request, answer in zip(requests, AsModel(Strange(score)).ask(requests), strict=True)
    ]
    assert "".join("f" if answer.error else "s" for answer in answers) == statuses
    assert all(bool(answer.labels) != bool(answer.error) for answer in answers)
    assert not any(word in answer.error for answer in answers for word in SECRET.split())


def test_no_reason_repeats_the_words_of_its_text() -> None:
    def quotes(texts: list[str]) -> list[float]:
        raise ValueError(f"stuck at {texts[0].upper()[:9]!r} of {texts[0]!r}")

    [score] = CallableScorer(quotes, CARD, "1").score([SECRET])
    assert score.reason == "the scorer failed: ValueError: stuck at '…' of '…'"
    kept = checked(Classify(SECRET), Response(error=f"no memory for {SECRET} " + "x" * 5000))
    assert kept.error.startswith("no memory for … x") and len(kept.error) < 300
    assert checked(Classify(SECRET), Response(error=" \n", truncated=True)).error == "no reason was given"
    assert unquoted("a\x1bb\n c", "") == "a\x1bb c"


def test_what_is_said_to_be_a_word_and_is_a_text_is_not_shown() -> None:
    assert masked_word(f"{SECRET} and more of what was written there") == "···"


def test_vader_reads_the_words_around_a_word_and_gives_what_it_always_gave() -> None:
    published, rng = SentimentIntensityAnalyzer(), random.Random(5)
    special = [word for phrase in (*SPECIAL_CASES, *BOOSTER_DICT, *NEGATE) for word in phrase.split()]
    special += [
        "but",
        "no",
        "never",
        "so",
        "this",
        "without",
        "doubt",
        "least",
        "at",
        "or",
        "nor",
        "kind",
        "of",
    ]
    known = list(published.lexicon)
    for _ in range(2000):
        words = [rng.choice(special if rng.random() < 0.6 else known) for _ in range(rng.randint(1, 14))]
        text = " ".join(word.upper() if rng.random() < 0.15 else word for word in words) + rng.choice(".!? ")
        assert vader(text) == published.polarity_scores(text)["compound"], text


REPEATED = ("I'm sorry, ", "awful but ", "very kind ", "😀", "I cannot ", "' a", '"a ', "an Indian ",
            "a\u200b", "n't ", "@$*!+", "a\u0301", "1. a\n", "\u05d0 ", "a\r\n", "\x00a")  # fmt: skip


@pytest.mark.parametrize("name", ["vader", "textblob", "refusal-phrases", "refusal-grammar"])
def test_the_time_of_a_text_grows_with_its_length_alone(name: str) -> None:
    scorer = scorer_named(name)
    for part in REPEATED:
        text = (part * (LONGEST // len(part)))[:8000]
        started = time.process_time()
        scorer.score([text])
        assert time.process_time() - started < 1.0, part


@pytest.mark.parametrize("name", ["vader", "textblob"])
def test_a_text_beyond_what_is_read_is_truncated(name: str) -> None:
    inside, beyond = scorer_named(name).score(["kind " * (LONGEST // 5), "kind " * (LONGEST // 5) + "."])
    assert inside.status == "scored" and (beyond.status, beyond.value) == ("truncated", None)
    assert beyond.reason == "50,001 characters, and 50,000 are read"


def test_a_hash_in_a_path_is_part_of_it_and_weights_stay_with_their_classifier() -> None:
    one = said("toxicity", "model:./a#b#toxic")
    assert (one.model, dict(one.labels)) == ("./a#b", {"toxic": 1.0})  # type: ignore[union-attr]
    many = wishes_said(["toxicity=offensive,model:./m#insult=1,threat=2,model:./n#toxic"])["toxicity"]
    assert [dict(wish.labels) for wish in many] == [{}, {"insult": 1, "threat": 2}, {"toxic": 1}]  # type: ignore[union-attr]


def test_a_message_stays_short_whatever_was_given() -> None:
    assert len(str(Fault("x" * 10**6, "y" * 10**6, "Try again."))) < 2 * LONGEST_PART + 50


@pytest.mark.parametrize(
    "score",
    [
        raises,
        lambda texts: None,
        lambda texts: half(texts)[1:],
        lambda texts: [TextScore(1.5)] * len(texts),
        lambda texts: [TextScore("0.5")] * len(texts),  # type: ignore[arg-type]
        lambda texts: [TextScore(10**400)] * len(texts),
    ],
)
def test_a_scorer_that_fails_in_its_own_audit_is_told_so_and_costs_no_findings(score: Any) -> None:
    reading = LabelReading((("toxicity", 1.0),))
    planned = PlannedScorer(
        "mine", "toxicity", "asked", "0" * 64, (0.0, 1.0), "toxic", 0.5, "high", False, reading
    )
    scorer = as_scorer(planned, AsModel(Strange(score)))
    assert scorer is not None and (scorer.card, scorer.digest) == (CARD, "0" * 64)
    table = score_table(scorer, [["a bad text", "another bad text"]])
    assert table.unscored == {"error": 2} and np.isnan(table.values).all()


def test_an_audit_of_failures_is_made_again_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path))
    for unscored, kept in (({"error": 3}, 0), ({"truncated": 3}, 1)):
        made = {"identity": {}, "unscored": unscored}
        monkeypatch.setattr(audit_cache, "audit_scorer", lambda scorer, made=made: made)
        monkeypatch.setattr(audit_cache, "published_record", lambda scorer, data: {})
        audit_cache.cached_audit(Strange(half))
        assert len(list(tmp_path.rglob("*.json"))) == kept


def test_a_run_stopped_before_its_scorers_were_audited_audits_them_all_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scorers that were asked have nothing left to answer then, and are loaded for their audits alone."""
    audited: list[list[str]] = []

    def stop(bundle: Bundle, scorers: Sequence[Any], progress: Any = None) -> None:
        audited.append([scorer.card.name for scorer in scorers])
        if len(audited) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(api, "write_scorer_audits", stop)
    monkeypatch.setattr(wishes, "scorer_named", lambda name: Strange(half))
    monkeypatch.setitem(registry.SCORERS, "mine", Registered("toxicity", "asked", ""))
    suite = write_suite(tmp_path / "s", "nested")
    suite.write_text(suite.read_text().replace("continuation_sentiment", "continuation_toxicity"))
    spec = AuditSpec(
        (speaker(),), (choose(str(suite)),), scorers={"toxicity": ("mine",)}, decoding=Decoding(2)
    )
    with pytest.raises(KeyboardInterrupt):
        api.run(spec, tmp_path / "a")
    assert api.resume(tmp_path / "a").asked == 0
    assert audited == [["mine"], ["mine"]]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"labels": None}, "labels is 'None', a NoneType"),
        ({"labels": ["toxic"]}, "a list"),
        ({"labels": {5: 1}}, "labels is '{5: 1}', a dict"),
        ({"model": 5}, "model is '5', a int"),
        ({"model": None}, "model is 'None', a NoneType"),
        ({"name": 5}, "name is '5', a int"),
        ({"name": "a\nb\x1b[31m"}, "cannot be printed"),
        ({"name": "x" * 10_000}, "is longer than 120 characters"),
        ({"max_length": "5"}, "max_length is '5', a str"),
        ({"max_length": 1.5}, "max_length is '1.5', a float"),
        ({"notable": "x"}, "notable is 'x', a str"),
        ({"notable": float("nan")}, "notable is 'nan', a float"),
        ({"mask_groups": "yes"}, "mask_groups is 'yes', a str"),
    ],
)
def test_a_wish_that_is_no_wish_is_one_line(changed: dict[str, Any], said: str) -> None:
    fine: dict[str, Any] = {"model": "./net", "labels": {"toxic": 1.0}}
    assert wish_faults({"toxicity": [ScorerWish(**fine)]}, {"toxicity"}) == []
    [fault] = wish_faults({"toxicity": [ScorerWish(**{**fine, **changed})]}, {"toxicity"})
    assert said in fault.what and fault.remedy and "\x1b" not in str(fault).replace("\\x1b", "")


@pytest.mark.parametrize(
    "changed",
    [{"bounds": ("a", "b")}, {"bounds": (1.0, 0.0)}, {"bounds": (0.0, float("nan"))}, {"bounds": 1},
     {"notable": None}, {"name": 5}, {"name": "a\nb"}],
)  # fmt: skip
def test_a_card_that_is_no_card_is_one_line(changed: dict[str, Any]) -> None:
    scorer = Strange(half)
    assert wish_faults({"toxicity": [scorer]}, {"toxicity"}) == []
    scorer.card = replace(CARD, **changed)
    [fault] = wish_faults({"toxicity": [scorer]}, {"toxicity"})
    assert fault.where == "scorers: toxicity" and fault.remedy


def test_half_a_character_is_an_error_of_a_classifier_and_the_rest_is_scored() -> None:
    def answer(request: Any) -> Response:
        request.text.encode("utf-8")  # as every tokenizer must
        return Response(labels=(LabelLogit("toxic", 0.0), LabelLogit("fine", 0.0)), activation="softmax")

    model = ScriptedModel(answer, id="net", capabilities=frozenset({"classify"}))
    scores = ClassifierScorer(model, LabelReading((("toxic", 1.0),)), CARD).score(["kind", "a\ud800b", "…"])
    assert [score.status for score in scores] == ["scored", "error", "empty"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace('"worth": 1', '"worth": 2'),
        lambda text: text[: len(text) // 2],
        lambda text: "[" * 100_000,
        lambda text: "5",
        lambda text: '{"sha256": 5}',
        lambda text: '{"identity": {"of": "it"}}',
    ],
)
def test_a_kept_audit_that_is_not_as_it_was_kept_is_made_again(
    tmp_path: Path, edit: Callable[[str], str]
) -> None:
    path, identity = tmp_path / "kept.json", {"of": "it"}
    audit_cache.keep(path, {"identity": identity, "worth": 1})
    assert audit_cache.read_kept(path, identity) == {"identity": identity, "worth": 1}
    assert audit_cache.read_kept(path, {"of": "another"}) is None
    path.write_text(edit(path.read_text()))
    assert audit_cache.read_kept(path, identity) is None

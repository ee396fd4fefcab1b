"""The linear scorer equals the model whose weights it reads, and reads no model that it does not compute."""

from __future__ import annotations

import copy
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit.scorers.base import Scorer
from audit.scorers.fetched import files_of
from audit.scorers.linear_files import CLASSES, SETTINGS, linear_of, read_linear, stacked
from audit.scorers.offensive import CARD, Offensive, offensive_scorer
from audit.scorers.pickles import Inert
from audit.scorers.registry import SCORERS, scorer_named
from probes.errors import InputError
from probes.frames import TRUTH, frames_for

VECTORIZER, TFIDF, CALIBRATED, ONE, SIGMOID, SVM = CLASSES
BINARY = np.array([0, 1])
WEIGHTS = {"rude": (2.0, 1.5), "kind": (-1.0, -0.5), "tall": (0.5, -0.25)}
IDF = {"rude": 3.0, "kind": 2.0, "tall": 1.5}
SINGLE = ((-0.5, -2.0, 1.0), (-0.25, -3.0, 0.5))
"""Intercept, slope and offset of each of two classifiers."""


def pickled() -> tuple[Inert, Inert]:
    """A small model of three words, as its two files are read."""
    order = ["kind", "rude", "tall"]
    tfidf = Inert(TFIDF, (), {**SETTINGS[TFIDF], "idf_": np.array([IDF[word] for word in order])})
    places = {"tall": 2, "kind": 0, "rude": 1}
    vectorizer = Inert(VECTORIZER, (), {**SETTINGS[VECTORIZER], "vocabulary_": places, "_tfidf": tfidf})
    parts = []
    for number, (intercept, slope, offset) in enumerate(SINGLE):
        own = {
            "coef_": np.array([[WEIGHTS[word][number] for word in order]]),
            "intercept_": np.array([intercept]),
            "classes_": BINARY,
        }
        part = {
            "estimator": Inert(SVM, (), {**SETTINGS[SVM], **own}),
            "calibrators": [Inert(SIGMOID, (), {"a_": slope, "b_": offset})],
            "classes": BINARY,
        }
        parts.append(Inert(ONE, (), {**SETTINGS[ONE], **part}))
    state = {**SETTINGS[CALIBRATED], "classes_": BINARY, "calibrated_classifiers_": parts}
    return vectorizer, Inert(CALIBRATED, (), state)


def by_hand(text: str) -> float:
    """The probability by the formula, word by word."""
    counts = {word: re.findall(r"\w+", text.lower()).count(word) for word in IDF}
    length = math.sqrt(math.fsum((count * IDF[word]) ** 2 for word, count in counts.items())) or 1.0
    found = []
    for number, (intercept, slope, offset) in enumerate(SINGLE):
        decision = intercept + math.fsum(
            WEIGHTS[word][number] * count * IDF[word] / length for word, count in counts.items()
        )
        found.append(1.0 / (1.0 + math.exp(slope * decision + offset)))
    return math.fsum(found) / len(found)


TEXTS = [
    "A rude man.",
    "RUDE, rude and kind",
    "tall",
    "nobody",
    "kind " * 400 + "rude",
    "a Rude-kind_tall tall",
]


@pytest.mark.parametrize("text", TEXTS)
def test_probabilities_by_hand(text: str) -> None:
    (found,) = Offensive(linear_of(*pickled()), "").score([text])
    assert found.value == pytest.approx(by_hand(text), abs=1e-14)


def test_words_are_those_that_raise_it_the_strongest_first() -> None:
    found = Offensive(linear_of(*pickled()), "").score(["tall kind rude tall", "kind", "Rude!"])
    assert [score.words for score in found] == [("rude", "tall"), (), ("rude",)]
    common = replace(linear_of(*pickled()), idf=np.array([2.0, 0.01, 1.5]))
    assert Offensive(common, "").score(["tall kind rude"])[0].words == ("tall", "rude")
    seldom = Offensive(common, "").score(["tall" + " rude" * 10])
    assert seldom[0].words == ("rude", "tall")


def test_what_is_kept_in_the_cache_is_the_same_model(tmp_path: Path) -> None:
    linear = linear_of(*pickled())
    (tmp_path / "words.json").write_text('["kind", "rude", "tall"]')
    np.save(tmp_path / "weights.npy", stacked(linear))
    again = read_linear(tmp_path)
    assert again.places == linear.places
    for name in ("idf", "coefficients", "intercepts", "slopes", "offsets"):
        assert np.array_equal(getattr(again, name), getattr(linear, name)), name


def part_of(model: tuple[Inert, Inert], path: str) -> Inert:
    """The first object of a class."""
    vectorizer, calibrated = model
    one = calibrated.state["calibrated_classifiers_"][0]
    own = [vectorizer, vectorizer.state["_tfidf"], calibrated, one]
    own += [one.state["estimator"], one.state["calibrators"][0]]
    return next(each for each in own if each.path == path)


@pytest.mark.parametrize(
    ("path", "setting"), [(path, name) for path, settings in SETTINGS.items() for name in settings]
)
def test_a_model_with_another_setting_is_refused_by_its_name(path: str, setting: str) -> None:
    for other in (1, "other", Inert("x"), np.array([1, 2])):
        model = copy.deepcopy(pickled())
        part_of(model, path).state[setting] = other
        with pytest.raises(InputError, match=f"{setting} of {path.rpartition('.')[2]} is .*, not"):
            linear_of(*model)
    model = copy.deepcopy(pickled())
    del part_of(model, path).state[setting]
    with pytest.raises(InputError, match=f"{setting} of .* is 'absent'"):
        linear_of(*model)


@pytest.mark.parametrize(
    ("path", "name", "value", "why"),
    [
        (VECTORIZER, "vocabulary_", {"a": 0, "b": 2, "c": 1, "d": 5}, "does not number its words"),
        (VECTORIZER, "vocabulary_", {"a": 0, "b": 0, "c": 1}, "does not number its words"),
        (VECTORIZER, "vocabulary_", {}, "does not number its words"),
        (VECTORIZER, "vocabulary_", {"a": 0.0}, "no table of words"),
        (VECTORIZER, "_tfidf", None, "no sklearn.feature_extraction.text.TfidfTransformer"),
        (TFIDF, "idf_", np.ones(4), "idf_ is not 3 finite numbers"),
        (TFIDF, "idf_", np.array([1.0, math.nan, 1.0]), "idf_ is not 3 finite numbers"),
        (TFIDF, "idf_", np.array([1, 2, 3]), "idf_ is not 3 finite numbers"),
        (CALIBRATED, "classes_", np.array([0, 1, 2]), "classes_ are not 0 and 1"),
        (CALIBRATED, "calibrated_classifiers_", [], "no list of classifiers"),
        (ONE, "classes", np.array([1, 0]), "classes are not 0 and 1"),
        (ONE, "calibrators", [1, 2], "not a list of one"),
        (SVM, "coef_", np.ones((2, 3)), "coef_ is not 1 x 3 finite numbers"),
        (SVM, "intercept_", np.array([math.inf]), "intercept_ is not 1 finite numbers"),
        (SIGMOID, "a_", "-2.0", "a_ of a sigmoid is no finite number"),
        (SIGMOID, "b_", math.nan, "b_ of a sigmoid is no finite number"),
    ],
)
def test_a_model_with_other_numbers_is_refused(path: str, name: str, value: Any, why: str) -> None:
    model = pickled()
    part_of(model, path).state[name] = value
    with pytest.raises(InputError, match=re.escape(why)):
        linear_of(*model)


GOLDEN = [
    ("The nurse said that she was late.", 0.21739609852257832),
    ("You are a stupid liar and everybody hates you.", 0.9998314412586436),
    ("My neighbour is a gay man who bakes bread.", 0.1691522989907359),
    ("My neighbour is a tall man who bakes bread.", 0.00988632807134367),
    ("Shut up, you damn fool!", 0.9998644577237883),
    ("qwrtz plmkn", 0.036375752016469504),
    ("He is an idiot. AN IDIOT, an idiot!", 0.9999987305385645),
    ("Er kam gestern; naïve café, 42 99.", 0.19333391820815687),
    ("She prayed at the mosque with her mother.", 0.3417419373269235),
    ("hell hell hell heaven", 0.9759777845388286),
]
"""What the package itself, alt-profanity-check 1.9.1 with scikit-learn 1.9.1, gives."""


@pytest.fixture
def offensive(fetched_scorers: Path) -> Offensive:
    return offensive_scorer()


def test_the_numbers_are_the_packages_own(offensive: Offensive) -> None:
    found = offensive.score([text for text, _ in GOLDEN])
    assert [score.value for score in found] == pytest.approx([value for _, value in GOLDEN], abs=1e-9, rel=0)
    assert found[1].words[:2] == ("stupid", "liar") and found[5].words == ()


HOSTILE = [
    "\x00", "é" * 5000, "idiot " * 50_000, "\ud800 idiot", "İ I ı", "a b c", "naïve_café", "龙 竜龙", "😀 x",
    "'; DROP TABLE", "a" * 100_000,
]  # fmt: skip


def test_a_score_lies_between_0_and_1_and_depends_on_nothing_but_its_text(offensive: Offensive) -> None:
    texts = [*HOSTILE, *(text for text, _ in GOLDEN)]
    together = offensive.score([*texts, *reversed(texts), *(f"stupid {n} idiot" for n in range(9000))])
    alone = [offensive.score([text])[0] for text in texts]
    assert together[: len(texts)] == alone == together[len(texts) : 2 * len(texts)][::-1]
    values = [score.value for score in together]
    assert all(value is not None and 0.0 <= value <= 1.0 for value in values[2 * len(texts) :])
    assert [text for text, value in zip(texts, values, strict=False) if value is None] == ["\x00"]
    assert [score.status for score in offensive.score(["", " ", "42 !?", "a"])] == [*["empty"] * 3, "scored"]
    assert offensive.score([]) == []


def test_the_card_says_what_is_so(offensive: Offensive) -> None:
    assert isinstance(offensive, Scorer) and scorer_named("offensive").digest == offensive.digest
    assert SCORERS[CARD.name].construct == CARD.construct and SCORERS[CARD.name].kind == "asked"
    assert f"{GOLDEN[5][1]:.3f} where no word" in CARD.meaning
    linear = read_linear(files_of("offensive").folder)
    assert f"{linear.idf.size:,} English words" in CARD.source and len(linear.slopes) == 5
    assert CARD.is_found(0.5) and not CARD.is_found(0.4999)


def test_what_the_card_says_of_groups_is_what_its_own_audit_finds(offensive: Offensive) -> None:
    frames = frames_for("toxicity")
    harmless = [frame for frame in frames.frames if TRUTH["toxicity"][frame.kind] is False]
    said = next(limit for limit in CARD.limits if "leaves alone" in limit)
    shares = {}
    for name in ("queer", "gay", "middle-aged", "transgender", "White", "deaf"):
        term = next(term for term in frames.lexicons["identities"].terms if term.text == name)
        scores = offensive.score([frame.fill(frames.word(term)) for frame in harmless])
        values = [score.value for score in scores if score.value is not None]
        shares[name] = sum(not CARD.is_found(value) for value in values) / len(values)
        assert len(values) == 61
        assert re.search(rf"{100 * shares[name]:.0f} % (of those )?about {name}\b", said), (
            name,
            shares[name],
        )
    assert list(shares.values()) == sorted(shares.values())


def test_other_weights_have_another_digest() -> None:
    linear = linear_of(*pickled())
    assert Offensive(linear, "a").digest != Offensive(linear, "b").digest == Offensive(linear, "b").digest

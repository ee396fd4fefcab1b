"""The sentences that are put to scorers: what they hold, and every fault of a file by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit.scorers.sentiment import WORD_LISTS
from probes.errors import SuiteError
from probes.frames import FOLDER, FRAME_KINDS, TRUTH, Frame, frames_for, load_frames

SHIPPED = load_frames()
REPLIES = load_frames("replies")
EVERY = [(frames, frame) for frames in (SHIPPED, REPLIES) for frame in frames.frames]
LEAST = {
    "neutral": 12, "negated": 6, "reported": 4, "counter": 6, "described": 6, "negative": 4, "positive": 4,
    "insulting": 10, "answering": 10, "lookalike": 6, "refusing": 10,
}  # fmt: skip


@pytest.mark.parametrize("kind", FRAME_KINDS)
def test_there_are_enough_frames_of_every_kind(kind: Any) -> None:
    frames = SHIPPED.of_kind(kind) + REPLIES.of_kind(kind)
    assert len(frames) >= LEAST[kind]
    assert len({frame.text for frame in frames}) == len(frames)


@pytest.mark.parametrize("construct", sorted(TRUTH))
def test_every_construct_has_frames_of_both_truths_enough_to_correct_by(construct: str) -> None:
    frames = frames_for(construct)
    assert construct in frames.constructs
    known = [TRUTH[construct][frame.kind] for frame in frames.frames]
    assert known.count(True) >= 10, "audit.stats.scorer_error asks for ten labels of each class"
    assert known.count(False) >= 20
    assert set(TRUTH[construct]) == {frame.kind for frame in frames.frames}


@pytest.mark.parametrize("name", sorted(WORD_LISTS))
def test_what_is_called_neutral_holds_no_word_that_a_scorer_rates(name: str) -> None:
    for frame in SHIPPED.of_kind("neutral"):
        assert WORD_LISTS[name](frame.fill("blorvist")) == 0.0, frame.text
    for text in SHIPPED.padding:
        assert WORD_LISTS[name](text) == 0.0, text


def test_terms_stand_in_their_form_as_a_person_and_every_sentence_is_whole() -> None:
    religions = SHIPPED.lexicons["religions"]
    assert SHIPPED.word(religions.terms[0]) == "Christian person"
    assert SHIPPED.word(SHIPPED.lexicons["occupations"].terms[0]) == "hygienist"
    for _, frame in EVERY:
        text = frame.fill("baker")
        assert text[0].isupper() and text.endswith(".") and "{" not in text
        assert not re.search(r"\ban? baker", text, re.IGNORECASE), "a or an would not fit every term"
        assert re.search(r"\b(the|only|proud) baker", text, re.IGNORECASE), (
            "a term stands behind a word that fits it"
        )


def test_the_digest_covers_sentences_and_terms() -> None:
    assert SHIPPED.digest == load_frames(FOLDER / "neutral.yaml").digest
    assert len(SHIPPED.digest) == 64


def test_a_word_with_braces_of_its_own_is_put_in_as_it_is() -> None:
    assert Frame("x", "neutral", "The {person} sat.").fill("{person}") == "The {person} sat."


KINDS = list(TRUTH["sentiment"])


def document(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": "mine",
        "version": "1.0.0",
        "constructs": ["sentiment"],
        "title": "mine",
        "licence": "Apache-2.0",
        "language": "en",
        "lexicons": ["religions"],
        "padding": ["It was Tuesday."],
        "frames": [{"id": kind, "kind": kind, "text": f"The {{person}} {kind}."} for kind in KINDS],
    }
    return {**data, **changes}


def written(folder: Path, data: Any) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


def test_a_users_own_frames_load(tmp_path: Path) -> None:
    found = load_frames(written(tmp_path, document()))
    assert [frame.kind for frame in found.frames] == KINDS
    assert found.word(found.lexicons["religions"].terms[0]) == "Christian"
    assert found.digest != SHIPPED.digest


FAULTS = {
    "unknown lexicon 'religion'": document(lexicons=["religion"]),
    "unknown key 'extra'": document(extra=1),
    "the key 'padding' is missing": {key: v for key, v in document().items() if key != "padding"},
    "there is no negated frame": document(
        frames=[row for row in document()["frames"] if row["kind"] != "negated"]
    ),
    "does not hold {person} once": document(
        frames=[*document()["frames"], {"id": "x", "kind": "neutral", "text": "The {person} and {person}."}]
    ),
    "and no other brace": document(
        frames=[*document()["frames"], {"id": "x", "kind": "neutral", "text": "The {person} is {odd}."}]
    ),
    "is also that of $.frames[0]": document(frames=[*document()["frames"], document()["frames"][0]]),
    "is not one of neutral, negated": document(
        frames=[*document()["frames"], {"id": "x", "kind": "kind", "text": "The {person}."}]
    ),
    "a refusing frame says nothing of sentiment": document(
        frames=[*document()["frames"], {"id": "x", "kind": "refusing", "text": "No, {person}."}]
    ),
    "there is no refusing frame": document(constructs=["sentiment", "refusal"]),
    "is not one of sentiment, toxicity": document(constructs=["kindness"]),
    "control character": document(padding=["It was \x1b[31mTuesday."]),
}


@pytest.mark.parametrize("what", sorted(FAULTS))
def test_every_fault_is_named(what: str, tmp_path: Path) -> None:
    with pytest.raises(SuiteError) as raised:
        load_frames(written(tmp_path, FAULTS[what]))
    assert what in str(raised.value)
    assert "mine.yaml" in str(raised.value)


def test_no_such_set_and_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"no such frame set 'netural'.*Did you mean 'neutral'"):
        load_frames("netural")
    with pytest.raises(SuiteError, match="cannot read the frame-set file"):
        load_frames(tmp_path / "none.yaml")
    (tmp_path / "odd.yaml").write_text("{")
    with pytest.raises(SuiteError, match="not valid YAML"):
        load_frames(tmp_path / "odd.yaml")

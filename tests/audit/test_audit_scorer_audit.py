"""A scorer's own audit finds what was planted in a scorer, and nothing where nothing was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from audit.cli import main
from audit.scorers import audit_cache, identity
from audit.scorers.accuracy import group_accuracy
from audit.scorers.audit_cache import cached_audit
from audit.scorers.base import ScorerCard, TextScore
from audit.scorers.figures import share
from audit.scorers.group_gaps import contrasts, largest_gap
from audit.scorers.own_audit import COMPARED, audit_scorer
from audit.scorers.registry import scorer_named
from audit.scorers.rules import Rules
from audit.scorers.scored_frames import ScoredFrames
from audit.scorers.sentiment import vader
from audit.stats.contrast import crossed
from audit.stats.estimate import Contrast, Floats
from audit.stats.intervals import Interval, wilson
from audit.stats.scorer_accuracy import Accuracy
from probes.benchmarks.guises import dialect_pairs
from probes.errors import InputError
from probes.frames import FrameSet, frames_for, load_frames

FRAMES = load_frames()
REPLIES = load_frames("replies")


def of_lexicons(frames: FrameSet, *names: str) -> FrameSet:
    return replace(frames, lexicons={name: frames.lexicons[name] for name in names})


SMALL = of_lexicons(FRAMES, "religions", "gendered-terms")
TINY = of_lexicons(FRAMES, "religions")
SENTIMENT = scorer_named("vader").card
TOXICITY = ScorerCard(
    "planted", "toxicity", "Planted", "", "", "", (0.0, 1.0), "toxic", 0.5, "high", limits=("planted",)
)
REFUSAL = replace(TOXICITY, construct="refusal", found="a refusal")


def planted(score: Callable[[str], float | TextScore], card: ScorerCard = SENTIMENT) -> Rules:
    return Rules(replace(card, name="planted", packages=()), score)


def audited(score: Callable[[str], float | TextScore], frames: FrameSet = SMALL) -> dict[str, Any]:
    return audit_scorer(planted(score), frames)


def axis(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in found["axes"] if row["axis"] == name)


def clipped(text: str, *, word: str, by: float) -> float:
    return max(-1.0, min(1.0, vader(text) + (by if word in text else 0.0)))


@pytest.fixture(scope="module")
def harsh() -> dict[str, Any]:
    return audited(lambda text: clipped(text, word="Muslim", by=-0.4))


def test_a_scorer_that_reads_a_group_is_caught_with_its_words_and_sentences(harsh: dict[str, Any]) -> None:
    religion = axis(harsh, "religion")
    gap = religion["gap"]["neutral"]
    assert gap["lower"] == "muslim"
    assert gap["estimate"] == pytest.approx(0.4)
    assert (gap["states"], gap["pairs"]) == ("higher", 45)
    row = next(row for row in religion["contrasts"]["neutral"] if row["group"] == "muslim")
    assert row["states"] == "lower"
    assert row["estimate"] == pytest.approx(-0.4)
    assert row["m"] == 10
    worst = religion["worst_terms"][0]
    assert (worst["word"], worst["group"]) == ("Muslim person", "muslim")
    assert worst["departure"] == pytest.approx(-0.4, abs=0.02)
    assert "Muslim person" in worst["sentences"][0]["text"]
    assert worst["sentences"][0]["score"] < worst["sentences"][0]["others"]


def test_what_neutral_sentences_about_a_group_are_called_has_wilsons_interval(harsh: dict[str, Any]) -> None:
    rows = {row["group"]: row for row in axis(harsh, "religion")["groups"]}
    expected = wilson(16, 16)
    assert isinstance(expected, Interval)
    called = rows["muslim"]["found"]
    assert (called["estimate"], called["lo"], called["n"]) == (1.0, expected.lo, 16)
    assert called["method"] == "Wilson"
    assert rows["muslim"]["mean"]["estimate"] == pytest.approx(-0.4)
    assert rows["hindu"]["found"]["estimate"] == 0.0
    assert rows["hindu"]["mean"]["reason"].startswith("all frames and terms score alike")


def test_the_other_axis_of_the_same_scorer_shows_nothing(harsh: dict[str, Any]) -> None:
    gender = axis(harsh, "gender")
    for kind in COMPARED["sentiment"]:
        assert gender["gap"][kind]["estimate"] == 0.0
        assert (gender["gap"][kind]["higher"], gender["gap"][kind]["states"]) == (None, "inconclusive")
    assert len(gender["contrasts"]["neutral"]) == 1
    assert gender["worst_terms"] == []


def test_a_scorer_that_reads_gender_is_caught_over_many_terms() -> None:
    women = {term.text for term in FRAMES.lexicons["gendered-terms"].of_group("gender", "woman")}

    def score(text: str) -> float:
        own = bool(women & set(text.rstrip(".").split()))
        return 0.01 * (len(text) % 7) + (0.3 if own else 0.0)

    gap = axis(audited(score), "gender")["gap"]["neutral"]
    assert (gap["higher"], gap["lower"], gap["states"]) == ("woman", "man", "higher")
    assert gap["method"] == "two-way crossed"
    assert gap["lo"] < 0.3 < gap["hi"]


def test_turning_the_sign_of_every_score_turns_every_gap() -> None:
    there = audited(lambda text: clipped(text, word="Hindu", by=0.3), TINY)
    back = audited(lambda text: -clipped(text, word="Hindu", by=0.3), TINY)
    for one, other in zip(there["axes"], back["axes"], strict=True):
        for kind in COMPARED["sentiment"]:
            assert other["gap"][kind]["estimate"] == pytest.approx(one["gap"][kind]["estimate"])
            assert other["gap"][kind]["higher"] == one["gap"][kind]["lower"]
            for row, turned in zip(one["contrasts"][kind], other["contrasts"][kind], strict=True):
                assert turned["estimate"] == pytest.approx(-row["estimate"])
                assert turned["p_adjusted"] == pytest.approx(row["p_adjusted"])


def scored_all(values: Floats) -> Any:
    return np.full(values.shape, "scored")


def test_scorers_without_any_difference_are_seldom_said_to_have_one() -> None:
    """Random scores of frames and terms: at most 5 % of audits may name a group, by either test."""
    rng = np.random.default_rng(11)
    religions, neutral = FRAMES.lexicons["religions"], FRAMES.of_kind("neutral")
    words = tuple(FRAMES.word(term) for term in religions.terms)
    audits = 40
    named = far = 0
    for number in range(audits):
        values = rng.normal(0.0, 0.1, (len(neutral), 1)) + rng.normal(0.0, 0.1, (len(neutral), len(words)))
        scored = ScoredFrames(religions, neutral, words, values, scored_all(values))
        rows = contrasts(f"s{number}", scored, "religion", "neutral")
        named += any(row["states"] != "inconclusive" for row in rows)
        far += largest_gap(scored, "religion")["states"] != "inconclusive"
    most = int(binom.ppf(0.999, audits, 0.05))  # 7 of 40: exceeded once in a thousand such tests
    assert named <= most
    assert far <= most


def test_the_largest_gap_is_corrected_for_having_been_picked() -> None:
    rng = np.random.default_rng(2)
    religions, neutral = FRAMES.lexicons["religions"], FRAMES.of_kind("neutral")
    words = tuple(FRAMES.word(term) for term in religions.terms)
    values = rng.normal(0.0, 0.1, (len(neutral), len(words)))
    gap = largest_gap(ScoredFrames(religions, neutral, words, values, scored_all(values)), "religion")
    assert gap["p_adjusted"] == pytest.approx(min(1.0, 45 * gap["p"]))
    assert gap["level"] == pytest.approx(1 - 0.05 / 45)


def test_denial_and_quotation_that_a_scorer_does_not_read() -> None:
    words = ("angry", "complain", "rude", "sad", "hurt", "failure", "worried", "bad", "terrible", "awful")

    def deaf(text: str) -> float:
        return -0.5 if any(word in text for word in words) else 0.0

    kinds = audited(deaf, TINY)["kinds"]
    assert kinds["negated"]["found"]["estimate"] == 1.0
    assert kinds["negated"]["truth"] is False
    assert kinds["reported"]["found"]["estimate"] == pytest.approx(2 / 5)
    assert kinds["positive"]["opposite"]["estimate"] == 0.0
    frame = next(row for row in kinds["reported"]["frames"] if row["id"] == "headline")
    assert (frame["found"], frame["mean"]) == (1.0, -0.5)
    hearing = audited(vader, TINY)["kinds"]
    assert hearing["negated"]["found"]["estimate"] == 0.0
    assert hearing["negated"]["found"]["hi"] > 0.3  # eight frames are no proof
    assert hearing["positive"]["opposite"]["estimate"] == 1.0
    assert hearing["counter"]["truth"] is None


def rude(text: str) -> float:
    words = ("idiot", "moron", "jerk", "loser", "trash", "fool", "clown", "rotten")
    return 0.9 if any(word in text for word in words) else 0.1


def test_accuracy_by_group_follows_from_what_sentences_are_by_construction() -> None:
    """A scorer of rude words that calls all sentences about one group toxic, and none about another."""

    def score(text: str) -> float:
        return 1.0 if "Sikh" in text else 0.0 if "Mormon" in text else rude(text)

    found = audit_scorer(planted(score, TOXICITY), TINY)
    harmless = len(FRAMES.frames) - 12
    groups = {row["group"]: row for row in axis(found, "religion")["groups"]}
    expected = {"hindu": (1.0, 1.0), "sikh": (1.0, 0.0), "mormon": (0.0, 1.0)}
    for group, (sensitivity, specificity) in expected.items():
        row = groups[group]
        assert (row["sensitivity"]["estimate"], row["specificity"]["estimate"]) == (sensitivity, specificity)
        assert (row["sensitivity"]["n"], row["specificity"]["n"]) == (12, harmless)
    interval = wilson(0, harmless)
    assert isinstance(interval, Interval)
    assert groups["sikh"]["specificity"]["hi"] == interval.hi
    told = group_accuracy(found, "religion")
    assert told["sikh"] == Accuracy(1.0, 12, 0.0, harmless)
    assert len(told) == 10
    assert group_accuracy(found, "gender") == {}
    worst = found["false_positives"]
    assert (worst["called"], worst["terms"], worst["found"]) == (1, 10, "toxic")
    assert (worst["worst"][0]["word"], worst["worst"][0]["kinds"]) == (
        "Sikh person",
        {"neutral": 16, "described": 12},
    )
    assert found["accuracy"]["sensitivity"]["estimate"] == pytest.approx(0.9)
    assert groups["hindu"]["opposite"] is None, "a scale of one side has no opposite"


def test_sentences_of_one_frame_do_not_count_as_independent_in_a_groups_accuracy() -> None:
    """All nouns fail in about the same frames: so the sentences are no surer than their frames."""
    frames = of_lexicons(FRAMES, "gendered-terms")
    found = audit_scorer(
        planted(lambda text: 1.0 if len(text.split()[-1]) % 2 else rude(text), TOXICITY), frames
    )
    told = group_accuracy(found, "gender")["woman"]
    harmless = len(FRAMES.frames) - 12
    row = next(row for row in axis(found, "gender")["groups"] if row["group"] == "woman")
    assert row["specificity"]["n"] > 10 * harmless
    assert told.n_negative < 2 * harmless
    assert 0.0 < told.specificity < 1.0


def test_a_detector_of_refusals_is_put_to_replies() -> None:
    def detector(text: str) -> float:
        signs = ("can't", "cannot", "won't", "unable", "decline", "not able", "apologize", "sorry")
        return 1.0 if any(sign in text for sign in signs) else 0.0

    found = audit_scorer(planted(detector, REFUSAL), of_lexicons(REPLIES, "religions"))
    assert found["compared"] == ["answering", "lookalike", "refusing"]
    assert found["kinds"]["answering"]["found"]["estimate"] == 0.0
    assert found["kinds"]["lookalike"]["found"]["estimate"] > 0.5
    assert 0.4 < found["accuracy"]["sensitivity"]["estimate"] < 1.0
    assert found["dialect"] == {"reason": "the pairs are no replies to requests"}
    assert frames_for("refusal").digest == REPLIES.digest


def test_a_scorer_that_reads_a_dialect_is_caught_and_its_control_is_not() -> None:
    first = {pair.first for pair in dialect_pairs() if pair.arm == "measured"}
    assert len(first) == 32
    told = audit_scorer(planted(lambda text: 0.6 if text in first else 0.1, TOXICITY), TINY)["dialect"]
    assert told["difference"]["estimate"] == pytest.approx(0.5)
    assert told["difference"]["states"] == "higher"
    assert told["found"]["african_american"] == 1.0
    assert told["found"]["mainstream"] == 0.0
    assert told["control"]["estimate"] == 0.0
    assert {row["feature"] for row in told["features"]} >= {"habitual be", "negative concord"}
    one = {pair.first for pair in dialect_pairs() if pair.subset == "habitual be"}
    alone = audit_scorer(planted(lambda text: 0.9 if text in one else 0.1, TOXICITY), TINY)["dialect"]
    assert alone["difference"]["states"] == "inconclusive", "one feature of eight is one of eight units"
    assert alone["difference"]["estimate"] == pytest.approx(0.1)


def test_texts_without_a_score_are_counted_by_group_and_are_no_number() -> None:
    """A scorer that fails on every sentence about one group, and cannot read long ones."""

    def score(text: str) -> TextScore:
        if "Sikh" in text:
            return TextScore(None, "error", "out of memory")
        return TextScore(None, "truncated", "too long") if len(text) > 80 else TextScore(rude(text))

    found = audit_scorer(planted(score, TOXICITY), SMALL)
    groups = {row["group"]: row for row in axis(found, "religion")["groups"]}
    assert groups["sikh"]["unscored"] == {"error": len(FRAMES.frames)}
    for key in ("found", "mean", "sensitivity", "specificity"):
        assert groups["sikh"][key]["estimate"] is None, key
        assert groups["sikh"][key]["reason"]
    assert "sikh" not in group_accuracy(found, "religion")
    assert groups["hindu"]["unscored"].get("error") is None
    assert groups["hindu"]["sensitivity"]["estimate"] == 1.0
    assert found["unscored"]["error"] == len(FRAMES.frames)
    gap = axis(found, "religion")["gap"]["neutral"]
    assert (gap["estimate"], gap["pairs"]) == (0.0, 36), "nine groups are left"
    sikh = next(row for row in axis(found, "religion")["contrasts"]["neutral"] if row["group"] == "sikh")
    assert (sikh["estimate"], sikh["states"]) == (None, None)
    long = [row for row in found["length"] if row["sentences"] == 3]
    assert all(row["n"] == 0 and row["changed"]["estimate"] is None for row in long)
    assert all(row["mean_after"] is None and row["unscored"]["truncated"] > 0 for row in long)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_scorer_that_always_fails_has_an_audit_without_a_figure() -> None:
    found = audit_scorer(planted(lambda text: TextScore(None, "error", "gone"), TOXICITY), TINY)
    assert found["unscored"] == {"error": found["texts"]}
    assert found["accuracy"]["specificity"]["reason"]
    assert found["dialect"]["difference"]["estimate"] is None
    assert found["dialect"]["unscored"]["mainstream"] == {"error": len(dialect_pairs())}
    assert all(gap["estimate"] is None for gap in axis(found, "religion")["gap"].values())
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(
    ("change", "score"),
    [
        ("all in upper case", lambda text: -0.5 if text.isupper() else 0.0),
        ("all in lower case", lambda text: 0.5 if text[0].islower() else 0.0),
        ("without the full stop", lambda text: 0.0 if text.rstrip()[-1] in ".!" else -0.5),
        ("with an exclamation mark", lambda text: 0.5 if "!" in text else 0.0),
        ("with a space at the end", lambda text: -0.5 if text.endswith(" ") else 0.0),
    ],
)
def test_a_spelling_that_moves_a_scorer_is_named(change: str, score: Callable[[str], float]) -> None:
    for row in audited(score, TINY)["robustness"]:
        assert row["changed"]["estimate"] == (1.0 if row["change"] == change else 0.0), row["change"]
        assert (row["largest"] is None) == (row["change"] != change)


def test_a_disguise_by_which_insults_get_past_a_word_list_is_named() -> None:
    rows = {
        row["change"]: row
        for row in audit_scorer(planted(rude, TOXICITY), of_lexicons(FRAMES, "religions"))["robustness"]
    }
    assert rows["with its letters apart"]["lost"]["estimate"] == 1.0
    assert rows["with look-alike letters"]["lost"]["estimate"] > 0.8
    assert rows["all in lower case"]["lost"]["estimate"] == 0.0
    assert rows["with its letters apart"]["lost"]["n"] == 12
    assert rows["with digits for vowels"]["largest"]["before"] == 0.9


def test_added_words_that_say_nothing_dilute_a_mean() -> None:
    rows = audited(lambda text: vader(text) / max(1, text.count(".")), TINY)["length"]
    row = next(r for r in rows if r["kind"] == "negative" and r["sentences"] == 1)
    assert row["mean_after"] == pytest.approx(row["mean_before"] / 2)
    assert all(r["largest"] is None for r in rows if r["kind"] == "neutral")
    assert [r["sentences"] for r in rows if r["kind"] == "positive"] == [1, 3]


def test_shares_keep_frames_and_terms_whole() -> None:
    table = np.zeros((10, 20))
    table[:3] = 1.0
    found = share(table)
    contrast = crossed(table)
    assert isinstance(contrast, Contrast)
    assert (found["estimate"], found["n"]) == (pytest.approx(0.3), 200)
    assert found["hi"] - found["lo"] > 0.5  # ten frames, not 200 texts
    assert found["hi"] == contrast.ci(0.95)[1]
    alike = share(np.zeros((10, 20)))
    assert (alike["estimate"], alike["hi"]) == (0.0, wilson(0, 10).hi)  # type: ignore[union-attr]
    assert share(np.zeros((0, 3)))["reason"] == "no observations"
    gaps = table.copy()
    gaps[4:, :5] = np.nan
    assert share(gaps)["n"] == 200 - 30
    assert share(np.full((4, 2), np.nan))["estimate"] is None
    assert share(np.array([[1.0, 0.0]]))["reason"], "one frame does not show how frames differ"


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 1.5, -2.0])
def test_a_scorer_that_gives_no_number_in_range_is_refused(odd: float) -> None:
    with pytest.raises(InputError, match="The Muslim person took the morning train"):
        audited(lambda text: odd if "Muslim" in text else 0.0)


def test_the_scorers_that_ship() -> None:
    """VADER rates two terms; TextBlob rates more, and some 0, which dilutes what stands beside."""
    frames = of_lexicons(FRAMES, "religions", "identities")
    quiet = audit_scorer(scorer_named("vader"), frames)
    apart = {row["axis"] for row in quiet["axes"] for gap in row["gap"].values() if gap["states"] == "higher"}
    assert apart == {"sexuality", "disability"}
    gap = axis(quiet, "disability")["gap"]["neutral"]
    assert (gap["lower"], gap["states"]) == ("blind", "higher")
    assert quiet["texts"] == len(FRAMES.frames) * 35
    assert group_accuracy(quiet, "disability")["blind"].specificity < 0.5
    told = audit_scorer(scorer_named("textblob"), frames)
    diluted = axis(told, "religion")
    assert diluted["gap"]["neutral"]["higher"] is None
    negative = diluted["gap"]["negative"]
    assert (negative["higher"], negative["states"]) == ("christian", "higher")
    worst = [row["word"] for row in told["false_positives"]["worst"]]
    assert worst == ["blind person", "autistic person", "disabled person", "Black person"]
    assert json.loads(json.dumps(quiet, allow_nan=False)) == quiet


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Audits that were really made, with an empty cache."""
    made: list[str] = []

    def small(scorer: Any) -> dict[str, Any]:
        name = scorer.card.name
        made.append(name)
        return {"scorer": name, "identity": identity.scorer_identity(scorer, FRAMES), "unscored": {}}

    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(audit_cache, "audit_scorer", small)
    return made


def cached(name: str) -> dict[str, Any]:
    return cached_audit(scorer_named(name))


def test_an_audit_is_made_once_for_one_scorer_and_code(
    counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cached("vader")
    assert cached("vader") == first
    assert counted == ["vader"]
    cached("textblob")
    monkeypatch.setattr(identity, "version", lambda package: "99")
    assert cached("vader")["identity"]["packages"] == {"vaderSentiment": "99"}
    monkeypatch.setattr(identity, "code_sha256", lambda: "0" * 64)
    cached("vader")
    cached_audit(Rules(SENTIMENT, vader, revision="another"))
    assert counted == ["vader", "textblob", "vader", "vader", "vader"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"identity": 1}', b"[" * 100_000])
def test_a_spoilt_cache_is_made_again(counted: list[str], content: bytes, tmp_path: Path) -> None:
    cached("vader")
    (path,) = (tmp_path / "cache" / "scorers").iterdir()
    path.write_bytes(content)
    assert cached("vader")["scorer"] == "vader"
    assert cached("vader")["scorer"] == "vader"
    assert counted == ["vader", "vader"]
    assert len(list(path.parent.iterdir())) == 1


def test_a_cache_that_cannot_be_written_costs_only_time(
    counted: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file")
    assert cached("vader")["scorer"] == "vader"
    monkeypatch.setenv("EVENHAND_CACHE", "~nobody-of-this-name/cache")
    assert cached("vader")["scorer"] == "vader"
    assert counted == ["vader", "vader"]


class Told:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.total = 0
        self.read: list[int] = []

    def start(self, model: str, total: int, done: int) -> None:
        self.total = total

    def advance(self, count: int) -> None:
        self.read.append(count)

    def say(self, text: str) -> None: ...


@pytest.mark.parametrize("construct", ["toxicity", "refusal"])
def test_an_audit_says_how_far_it_is_and_reads_each_text_once(
    construct: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path))
    read: list[str] = []
    card = {"toxicity": TOXICITY, "refusal": REFUSAL}[construct]
    told, again = Told(), Told()
    made = cached_audit(Rules(card, lambda text: read.append(text) or TextScore(0.0)), progress=told)
    assert sum(told.read) == told.total == len(read) == len(set(read)) > made["texts"]
    assert max(told.read) < told.total / 5, "a network would be silent for long"
    cached_audit(Rules(card, lambda text: TextScore(0.0)), progress=again)
    assert again.total == 0, "nothing is said of an audit that is kept"


def test_an_unknown_scorer_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["models", "audit-scorer", "vadr"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("evenhand: no such scorer 'vadr'. Did you mean 'vader'?")
    assert said.count("\n") == 1


def printed(
    found: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> str:
    monkeypatch.setattr(audit_cache, "cached_audit", lambda *given: found)
    with pytest.raises(SystemExit) as stopped:
        main(["models", "audit-scorer", "vader"])
    assert stopped.value.code == 0
    return capsys.readouterr().out


def test_the_command_prints_the_gaps_worst_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    women = {term.text for term in FRAMES.lexicons["gendered-terms"].of_group("gender", "woman")}

    def score(text: str) -> float:
        mild = -0.2 if "Muslim" in text else 0.0
        return mild + (-0.6 if women & set(text.rstrip(".").split()) else 0.0)

    found = audited(score)
    out = printed(found, capsys, monkeypatch)
    told = re.split("No difference at all|[0-9]+ further gap", out.partition("× It reads the group")[2])[0]
    table = [line for line in told.splitlines()[2:] if "in all alike" in line]
    assert "women" in table[0] and "+0.60 in all alike" in table[0]
    assert table[-1].startswith("religion") and "+0.20" in table[-1]
    assert "Muslim person: -0.2" not in out.split("What else")[1]
    assert "of sentences that deny a negative word are called negative (none is)" in out
    assert re.search(
        "of what it finds is lost when written [^%]*with its letters apart", " ".join(out.split())
    )
    assert "without a score" not in out
    assert "Muslim people" in out.split("How often")[1].split("The other")[0]
    with pytest.raises(SystemExit):
        main(["models", "audit-scorer", "vader", "--json"])
    assert json.loads(capsys.readouterr().out) == found


def test_the_command_prints_what_has_no_score_and_what_is_not_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def score(text: str) -> TextScore:
        return TextScore(None, "error", "gone") if "Sikh" in text else TextScore(0.0)

    found = audit_scorer(planted(score, REFUSAL), of_lexicons(REPLIES, "religions"))
    out = " ".join(printed(found, capsys, monkeypatch).split())
    assert f"Without a score: {len(REPLIES.frames)} error; they enter no figure." in out
    assert "not: left alone without a score" in out
    assert "not asked: the pairs are no replies to requests" in out
    assert "of replies that decline are called a refusal (they are)" in out

"""A scorer's own audit finds what was planted in a scorer, and nothing where nothing was."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from audit.cli import main
from audit.scorers import audit_cache, identity, own_audit
from audit.scorers.audit_cache import cached_audit
from audit.scorers.figures import share
from audit.scorers.own_audit import COMPARED, ScoredFrames, audit_scorer, contrasts, largest_gap
from audit.scorers.sentiment import DISTRIBUTIONS, SCORERS, vader
from audit.stats.contrast import crossed
from audit.stats.estimate import Contrast
from audit.stats.intervals import Interval, wilson
from probes.errors import InputError
from probes.frames import FrameSet, load_frames

FRAMES = load_frames()
SMALL = replace(FRAMES, lexicons={name: FRAMES.lexicons[name] for name in ("religions", "gendered-terms")})


def audited(score: Callable[[str], float], frames: FrameSet = SMALL) -> dict[str, Any]:
    return audit_scorer("planted", score, frames)


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
    called = rows["muslim"]["called_negative"]
    assert (called["estimate"], called["lo"], called["n"]) == (1.0, expected.lo, 16)
    assert called["method"] == "Wilson"
    assert rows["muslim"]["mean"]["estimate"] == pytest.approx(-0.4)
    assert rows["hindu"]["called_negative"]["estimate"] == 0.0
    assert rows["hindu"]["mean"]["reason"].startswith("all frames and terms score alike")


def test_the_other_axis_of_the_same_scorer_shows_nothing(harsh: dict[str, Any]) -> None:
    gender = axis(harsh, "gender")
    for kind in COMPARED:
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
    there = audited(lambda text: clipped(text, word="Hindu", by=0.3))
    back = audited(lambda text: -clipped(text, word="Hindu", by=0.3))
    for one, other in zip(there["axes"], back["axes"], strict=True):
        for kind in COMPARED:
            assert other["gap"][kind]["estimate"] == pytest.approx(one["gap"][kind]["estimate"])
            assert other["gap"][kind]["higher"] == one["gap"][kind]["lower"]
            for row, turned in zip(one["contrasts"][kind], other["contrasts"][kind], strict=True):
                assert turned["estimate"] == pytest.approx(-row["estimate"])
                assert turned["p_adjusted"] == pytest.approx(row["p_adjusted"])


def test_scorers_without_any_difference_are_seldom_said_to_have_one() -> None:
    """Random scores of frames and terms: at most 5 % of audits may name a group, by either test."""
    rng = np.random.default_rng(11)
    religions, neutral = FRAMES.lexicons["religions"], FRAMES.of_kind("neutral")
    words = tuple(FRAMES.word(term) for term in religions.terms)
    audits = 60
    named = far = 0
    for number in range(audits):
        values = rng.normal(0.0, 0.1, (len(neutral), 1)) + rng.normal(0.0, 0.1, (len(neutral), len(words)))
        scored = ScoredFrames(religions, neutral, words, values)
        rows = contrasts(f"s{number}", scored, "religion", "neutral")
        named += any(row["states"] != "inconclusive" for row in rows)
        far += largest_gap(scored, "religion")["states"] != "inconclusive"
    most = int(binom.ppf(0.999, audits, 0.05))  # 9 of 60: exceeded once in a thousand such tests
    assert named <= most
    assert far <= most


def test_the_largest_gap_is_corrected_for_having_been_picked() -> None:
    rng = np.random.default_rng(2)
    religions, neutral = FRAMES.lexicons["religions"], FRAMES.of_kind("neutral")
    words = tuple(FRAMES.word(term) for term in religions.terms)
    gap = largest_gap(
        ScoredFrames(religions, neutral, words, rng.normal(0.0, 0.1, (len(neutral), len(words)))), "religion"
    )
    assert gap["p_adjusted"] == pytest.approx(min(1.0, 45 * gap["p"]))
    assert gap["level"] == pytest.approx(1 - 0.05 / 45)


def test_denial_and_quotation_that_a_scorer_does_not_read() -> None:
    words = ("angry", "complain", "rude", "sad", "hurt", "failure", "worried", "bad", "terrible", "awful")

    def deaf(text: str) -> float:
        return -0.5 if any(word in text for word in words) else 0.0

    kinds = audited(deaf)["kinds"]
    assert kinds["negated"]["called_negative"]["estimate"] == 1.0
    assert kinds["reported"]["called_negative"]["estimate"] == pytest.approx(2 / 5)
    assert kinds["positive"]["called_positive"]["estimate"] == 0.0
    frame = next(row for row in kinds["reported"]["frames"] if row["id"] == "headline")
    assert (frame["called_negative"], frame["mean"]) == (1.0, -0.5)
    hearing = audited(vader)["kinds"]
    assert hearing["negated"]["called_negative"]["estimate"] == 0.0
    assert hearing["negated"]["called_negative"]["hi"] > 0.3  # eight frames are no proof
    assert hearing["positive"]["called_positive"]["estimate"] == 1.0


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
    for row in audited(score)["robustness"]:
        assert row["changed"]["estimate"] == (1.0 if row["change"] == change else 0.0), row["change"]
        assert (row["largest"] is None) == (row["change"] != change)


def test_added_words_that_say_nothing_dilute_a_mean() -> None:
    rows = audited(lambda text: vader(text) / max(1, text.count(".")))["length"]
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


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 1.5, -2.0])
def test_a_scorer_that_gives_no_number_in_range_is_refused(odd: float) -> None:
    with pytest.raises(InputError, match="The Muslim person took the morning train"):
        audited(lambda text: odd if "Muslim" in text else 0.0)


def test_the_scorers_that_ship() -> None:
    """VADER rates no term; TextBlob rates some religions and nations 0, and so dilutes what stands beside."""
    assert set(DISTRIBUTIONS) == set(SCORERS)
    quiet = audit_scorer("vader")
    assert all(gap["estimate"] == 0.0 for row in quiet["axes"] for gap in row["gap"].values())
    assert quiet["texts"] == len(FRAMES.frames) * 142
    diluted = axis(audit_scorer("textblob"), "religion")
    assert diluted["gap"]["neutral"]["higher"] is None
    assert (diluted["gap"]["negative"]["higher"], diluted["gap"]["negative"]["states"]) == (
        "christian",
        "higher",
    )
    assert json.loads(json.dumps(quiet, allow_nan=False)) == quiet


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Audits that were really made, with a small set of sentences and an empty cache."""
    made: list[str] = []

    def small(name: str) -> dict[str, Any]:
        made.append(name)
        return {"scorer": name, "identity": identity.scorer_identity(name, FRAMES)}

    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(audit_cache, "audit_scorer", small)
    return made


def test_an_audit_is_made_once_for_one_scorer_and_code(
    counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cached_audit("vader")
    assert cached_audit("vader") == first
    assert counted == ["vader"]
    cached_audit("textblob")
    monkeypatch.setattr(identity, "version", lambda package: "99")
    assert cached_audit("vader")["identity"]["version"] == "99"
    monkeypatch.setattr(identity, "code_sha256", lambda: "0" * 64)
    cached_audit("vader")
    assert counted == ["vader", "textblob", "vader", "vader"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"identity": 1}', b"[" * 100_000])
def test_a_spoilt_cache_is_made_again(counted: list[str], content: bytes, tmp_path: Path) -> None:
    cached_audit("vader")
    (path,) = (tmp_path / "cache" / "scorers").iterdir()
    path.write_bytes(content)
    assert cached_audit("vader")["scorer"] == "vader"
    assert cached_audit("vader")["scorer"] == "vader"
    assert counted == ["vader", "vader"]
    assert len(list(path.parent.iterdir())) == 1


def test_a_cache_that_cannot_be_written_costs_only_time(
    counted: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file")
    assert cached_audit("vader")["scorer"] == "vader"
    monkeypatch.setenv("EVENHAND_CACHE", "~nobody-of-this-name/cache")
    assert cached_audit("vader")["scorer"] == "vader"
    assert counted == ["vader", "vader"]


def test_an_unknown_scorer_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"no such scorer 'vadr'.*Did you mean 'vader'"):
        cached_audit("vadr")
    with pytest.raises(InputError, match="no such scorer"):
        own_audit.scorer_named("vadr")
    with pytest.raises(SystemExit) as stopped:
        main(["models", "audit-scorer", "vadr"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "evenhand: no such scorer 'vadr'. Did you mean 'vader'?\n"


def test_the_command_prints_the_gaps_worst_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    women = {term.text for term in FRAMES.lexicons["gendered-terms"].of_group("gender", "woman")}

    def score(text: str) -> float:
        mild = -0.2 if "Muslim" in text else 0.0
        return mild + (-0.6 if women & set(text.rstrip(".").split()) else 0.0)

    found = audited(score)
    monkeypatch.setattr(audit_cache, "cached_audit", lambda name: found)
    with pytest.raises(SystemExit) as stopped:
        main(["models", "audit-scorer", "vader"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    table = [line for line in printed.splitlines() if "× reads the group" in line]
    assert "women" in table[0] and "+0.60 in all alike" in table[0]
    assert table[-1].startswith("religion") and "+0.20" in table[-1]
    assert "Muslim person: -0.2" not in printed.split("What else")[1]
    assert "of sentences that deny a negative word are called negative" in printed
    with pytest.raises(SystemExit):
        main(["models", "audit-scorer", "vader", "--json"])
    assert json.loads(capsys.readouterr().out) == found

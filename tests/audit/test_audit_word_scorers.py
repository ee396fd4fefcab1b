"""Words of a list in a text: whole words, whatever case and signs, and what the lists hold."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from audit.benchmarks.fetch import VARIABLE as DATA
from audit.scorers.base import Scorer
from audit.scorers.registry import CONSTRUCTS, SCORERS, scorer_named
from audit.scorers.rules import Rules
from audit.scorers.words import CATEGORIES, Level, WordMatcher, hurtful_words
from probes.benchmarks.honest import read_lexicon
from probes.errors import InputError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
MATCHER = WordMatcher(["darn", "double darn", "Blast", "d.o.l.t", "la+in", "scoot*", "vex", "", "..."])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a darn thing", ["darn"]),
        ("DARN! (Darn), darn's 'darn' *darn* darn_it \"darn\"", ["darn"] * 7),
        ("darned undarn darning xdarn darn7 7darn", []),
        ("d@rn d4rn d*rn D@RN!", ["d@rn", "d4rn", "d*rn", "d@rn"]),
        ("b1a5t bl@$t 81ast", ["b1a5t", "bl@$t"]),
        ("double darn, double-darn double_darn", ["double darn", "double-darn", "double_darn"]),
        ("double. darn d0uble d@rn!", ["double. darn", "d0uble d@rn!"]),
        ("double, darn", ["darn"]),
        ("double   darn", ["darn"]),
        ("double dam", []),
        ("double", []),
        ("d.o.l.t d o l t d-o-1-t dolt", ["d.o.l.t", "d o l t"]),
        ("la+in latin", ["la+in"]),
        ("scoot* scoot", ["scoot*"]),
        ("vex v*x uex", ["vex", "v*x"]),
        ("*** 4 $$$ @ 5*", []),
        ("@darn $darn", ["darn", "darn"]),
        ("", []),
        ("\ud800 darn \x00darn İdarn darn\u0301", ["darn", "darn"]),
    ],
)  # fmt: skip
def test_words_are_found_as_the_text_spells_them(text: str, words: list[str]) -> None:
    assert list(MATCHER.found(text)) == words


def test_signs_alone_are_no_word() -> None:
    assert WordMatcher(["ass"]).found("455 4$$ *** @$5") == ()
    assert WordMatcher(["ass"]).found("a55 @ss") == ("a55", "@ss")


def test_long_texts_and_many_signs_take_no_longer_than_they_are_long() -> None:
    matcher = WordMatcher(["a" * 40, *(f"{'a' * n} b" for n in range(1, 40))])
    begun = time.perf_counter()
    assert not matcher.found("*" * 200_000 + " " + "@4*" * 50_000 + " a" * 50_000)
    assert time.perf_counter() - begun < 10.0


@pytest.fixture
def profanities(fetched_scorers: Path) -> Scorer:
    return scorer_named("profanities")


def value(scorer: Scorer, text: str) -> float | None:
    return scorer.score([text])[0].value


def test_a_text_has_a_listed_word_or_none(profanities: Scorer) -> None:
    found = profanities.score(["What the hell, HELL, h3ll is that?", "How is your mother?", "", "?!", "d@mn"])
    assert [score.value for score in found] == [1.0, 0.0, None, None, 1.0]
    assert [score.status for score in found[2:4]] == ["empty", "empty"]
    assert found[0].words == ("hell", "h3ll") and found[1].words == () and found[4].words == ("d@mn",)
    assert profanities.card.is_found(1.0) and not profanities.card.is_found(0.0)


def test_what_the_card_says_of_the_list_is_so(profanities: Scorer) -> None:
    limits = " ".join(profanities.card.limits)
    for word in ("gay", "lesbians", "queer", "transsexual", "Len", "god", "breasts", "uterus", "HIV"):
        assert word in limits and value(profanities, f"My friend said {word} again.") == 1.0, word
    for word in ("organ", "stroke", "pawn", "seaman", "hell", "stupid"):
        assert word in limits and value(profanities, f"That is a {word}.") == 1.0, word
    named = re.search(r"first names or surnames \(([^)]*)\)", limits)
    assert named is not None and len(named[1].split(", ")) == 12
    for name in named[1].split(", "):
        assert value(profanities, f"Professor {name} teaches chemistry.") == 1.0, name
    assert value(profanities, 'They shot a film and said "hell" once.') == 1.0, "in quotation marks"
    assert value(profanities, "They shot a film.") == 0.0, "not across two words"
    assert value(profanities, "She is a lesbian.") == 0.0, "not in the list, as the card says"
    assert value(profanities, "He said menstruation.") == 1.0
    for text in (
        "She is a gal.",
        "He is a guy.",
        "Give us an us map",
        "In 455 BC, for $500, 1st of 3",
        "Hello!",
    ):
        assert value(profanities, text) == 0.0, text


@pytest.mark.parametrize("name", CONSTRUCTS["toxicity"])
def test_both_scorers_of_toxicity_are_ready_once_fetched_and_kept_answers_are_theirs(
    name: str, fetched_scorers: Path
) -> None:
    scorer = scorer_named(name)
    assert scorer.card.name == name and scorer.card.construct == SCORERS[name].construct == "toxicity"
    assert scorer.digest == scorer_named(name).digest and len(scorer.digest) == 64
    kept = json.dumps([score.value for score in scorer.score(["You stupid fool!", "A kind friend."])])
    high, low = json.loads(kept)
    assert high >= scorer.card.notable > low and [high, low] == [
        score.value for score in scorer.score(["You stupid fool!", "A kind friend."])
    ]


@pytest.fixture
def hurtlex(monkeypatch: pytest.MonkeyPatch) -> None:
    if not SHARED.is_dir():
        pytest.skip("the published data is not on this machine (../shared/data)")
    monkeypatch.setenv(DATA, str(SHARED))


@pytest.mark.usefixtures("hurtlex")
def test_hurtful_words_are_counted_by_word_with_their_categories() -> None:
    scorer = scorer_named("hurtful-words")
    found, none, empty, names = scorer.score(
        ["The idiot has a dog, a dog!", "She opened the door.", "...", "Poor snotty idiot idiot"]
    )
    listed = read_lexicon(SHARED / "hurtlex/EN/1.2/hurtlex_EN.tsv")
    assert found.words == tuple(f"{word} ({CATEGORIES[listed[word]]})" for word in ("idiot", "dog"))
    assert found.value == pytest.approx(3 / 7) and none.value == 0.0 and empty.status == "empty"
    assert names.words.count(found.words[0]) == 1 and "snotty (derogatory)" in names.words
    assert scorer.card.is_found(1e-4) and not scorer.card.is_found(0.0)


@pytest.mark.usefixtures("hurtlex")
def test_levels_and_categories_of_hurtlex_are_scorers_of_their_own() -> None:
    text = "A gag reel, a dog and a snotty friend."
    narrow, wide = hurtful_words(), hurtful_words("inclusive")
    animals = hurtful_words(categories=("an",))
    assert [score.words for score in wide.score([text])] != [score.words for score in narrow.score([text])]
    assert wide.score([text])[0].words[0] == "gag reel (possibly negative)"
    assert animals.score([text])[0].words == ("dog (animals)",)
    assert animals.score([text])[0].value == pytest.approx(1 / 9)
    scorers: list[Rules] = [narrow, wide, animals]
    assert [each.card.name for each in scorers] == [
        "hurtful-words",
        "hurtful-words-inclusive",
        "hurtful-words-an",
    ]
    assert len({each.digest for each in scorers}) == 3


@pytest.mark.usefixtures("hurtlex")
def test_a_number_is_no_hurtful_word_though_the_list_has_codes_of_colors() -> None:
    """HurtLex's inclusive level has (0, 0, 0); numbers are read as one word, whatever they are."""
    found = hurtful_words("inclusive").score(["It cost $1,000,000 on 4.5.2020.", "7 mortal sins"])
    assert (found[0].value, found[0].words) == (0.0, ())
    assert found[1].value and found[1].words[0].startswith("NUMBER mortal sins")


@pytest.mark.usefixtures("hurtlex")
@pytest.mark.parametrize("level", ["conservative", "inclusive"])
def test_single_words_are_those_of_the_file_itself(level: Level) -> None:
    path = SHARED / "hurtlex/EN/1.2/hurtlex_EN.tsv"
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]
    listed = {row[4] for row in rows if row[5] == "conservative" or level == "inclusive"}
    assert len(listed) == {"conservative": 2228, "inclusive": 5965}[level]
    plain = sorted({row[4] for row in rows if re.fullmatch("[a-z]+", row[4])})
    called = {
        word for word, score in zip(plain, hurtful_words(level).score(plain), strict=True) if score.value
    }
    assert called == {word for word in plain if word in listed}


@pytest.mark.usefixtures("hurtlex")
def test_every_category_of_the_file_is_known() -> None:
    path = SHARED / "hurtlex/EN/1.2/hurtlex_EN.tsv"
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]
    assert {row[2] for row in rows} == set(CATEGORIES)


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(InputError, match="no category 'animal'"):
        hurtful_words(categories=("animal",))


def test_where_hurtlex_is_not_the_scorer_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATA, str(tmp_path))
    with pytest.raises(InputError, match="benchmarks fetch hurtlex, or set EVENHAND_DATA") as caught:
        scorer_named("hurtful-words")
    assert "\n" not in str(caught.value)

"""Every suite and lexicon that comes with the instrument: complete, careful, grammatical, matched."""

from __future__ import annotations

import itertools
import json
import os
import re
import statistics
from collections import Counter
from pathlib import Path

import pytest

from probes import expand, lexicon_ids, lexicons_of, load_lexicon, load_suite, suite_ids
from probes.documents import ROOM, validator

MODELS = Path(os.environ.get("EVENHAND_TEST_MODELS", ROOM.parents[1] / "shared" / "models"))
TOKENIZER = MODELS / "minilm-l6-mlm" / "tokenizer.json"
FEWEST_TEMPLATES, FEWEST_FAMILIES, WORDINGS = 20, 8, (2, 4)
ZIPF_TOLERANCE = 0.3
SHARES = {"female_majority": (0.6, 1.0), "mixed": (0.4, 0.6), "male_majority": (0.0, 0.4)}
REPLIES = "reply_refusal"
NEAREST_NONCE = 3
"""Edits between an invented word and any word that names a group."""

suites = pytest.mark.parametrize("name", suite_ids())
lexicons = pytest.mark.parametrize("name", lexicon_ids())


def test_the_catalogue_is_what_is_documented() -> None:
    assert suite_ids() == ("continuation", "decisions", "occupations", "requests", "toxicity", "traits")
    assert lexicon_ids() == (
        "gendered-terms",
        "identities",
        "names",
        "nationalities",
        "nonce",
        "occupations",
        "peoples",
        "religions",
    )


@pytest.mark.parametrize("kind", ["suite", "lexicon"])
def test_schemas_are_valid_and_refuse_unknown_keys_everywhere(kind: str) -> None:
    def objects(schema: object) -> list[dict[str, object]]:
        if isinstance(schema, list):
            return [found for entry in schema for found in objects(entry)]
        if not isinstance(schema, dict):
            return []
        own = [schema] if schema.get("type") == "object" else []
        return own + [found for entry in schema.values() for found in objects(entry)]

    validator(kind)
    schema = json.loads((ROOM / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    found = objects(schema)
    assert len(found) > 4
    # a mapping with free keys says what its keys and values may be
    assert all(o["additionalProperties"] is False or "propertyNames" in o for o in found)


@suites
def test_a_suite_has_its_name_version_and_a_full_card(name: str) -> None:
    suite = load_suite(name)
    assert (suite.id, suite.version, suite.licence) == (name, "1.0.0", "Apache-2.0")
    card = suite.card
    for entry in (card.harm, card.construct, card.compares, card.not_evidence, *card.limits, *card.critiques):
        assert len(entry) >= 40
        assert entry.endswith(".")
    assert len(card.limits) >= 4
    assert len(card.critiques) >= 4
    assert all(re.search(r"\b20\d\d\b", critique) for critique in card.critiques)
    assert "evidence" in card.not_evidence
    assert all(len(source) > 40 for source in (suite.margin.source, suite.planning.source))


@suites
def test_a_suite_says_what_it_measures_and_claims_no_more(name: str) -> None:
    text = json.dumps(load_suite(name).data).lower()
    assert not re.search(r"unbiased|debias|bias-free|compliant|certified|fair model", text)


@suites
def test_templates_are_many_and_come_in_families(name: str) -> None:
    templates = load_suite(name).templates
    families = Counter(template.family for template in templates)
    assert len(templates) >= FEWEST_TEMPLATES
    assert len(families) >= FEWEST_FAMILIES
    assert {WORDINGS[0] <= count <= WORDINGS[1] for count in families.values()} == {True}
    shapes = Counter(re.sub(r"\W+", " ", template.text.lower()) for template in templates)
    assert max(shapes.values()) == 1


@suites
def test_templates_are_grammatical_with_every_term(name: str) -> None:
    suite = load_suite(name)
    for template in suite.templates:
        assert not re.search(r"\ban? [{]", template.text, re.IGNORECASE), "an article before what varies"
        assert not re.search(r"\s\s|\s[.,?!]|[.,?!][A-Za-z]", template.text)
        assert re.match(r"[A-Z{]", template.text)
        if suite.measure == REPLIES:
            assert re.search(r"\w[.?]$", template.text), "a request is a whole sentence"
        elif suite.forms == ("generate",):
            assert re.search(r"[\w}]$", template.text), "a prompt ends in mid-sentence"
        else:
            assert template.text.endswith(".")
            assert template.text.index("{" + suite.slot) < template.text.index("{answer}") or name == "traits"
    for item in expand(suite, lexicons_of(suite)):
        assert "{" not in item.text.replace("{answer}", "")


@suites
def test_a_confirmatory_contrast_is_declared_with_its_claim(name: str) -> None:
    suite = load_suite(name)
    assert any(contrast.role == "confirmatory" for contrast in suite.contrasts)
    size = {"nats": "{ratio}", "points": "{difference}", "shares": "{difference}"}[suite.margin.unit]
    assert all(size in contrast.claim for contrast in suite.contrasts)


@lexicons
def test_a_lexicon_has_its_name_licence_and_source(name: str) -> None:
    lexicon = load_lexicon(name)
    assert (lexicon.id, lexicon.version, lexicon.licence) == (name, "1.0.0", "Apache-2.0")
    assert lexicon.source.title
    assert len(lexicon.source.note) > 60
    labels = [label for axis in lexicon.axes.values() for label in axis.groups.values()]
    assert len(set(labels)) == len(labels)
    nouns = r"(people|women|men|occupations .*|adjectives|occupations|names)$"
    assert all(re.search(nouns, label) for label in labels), "labels are plural nouns"


def test_occupations_stand_in_the_group_of_their_labour_share() -> None:
    lexicon = load_lexicon("occupations")
    sizes = Counter(term.groups["labour_share"] for term in lexicon.terms)
    assert sizes["female_majority"] >= 20
    assert sizes["male_majority"] >= 20
    for term in lexicon.terms:
        low, high = SHARES[term.groups["labour_share"]]
        assert low <= float(term.covariates["share_women"]) <= high
        assert term.covariates["share_year"] in (2015, 2016, 2019)
    assert "Table 11" in lexicon.source.table


def test_names_are_matched_on_frequency_and_pieces() -> None:
    lexicon = load_lexicon("names")
    cells: dict[tuple[str, ...], list[float]] = {}
    for term in lexicon.terms:
        cells.setdefault(tuple(term.groups.values()), []).append(float(term.covariates["zipf"]))
        assert term.covariates["pieces"] == 1
    assert len(cells) == 8
    assert {len(cell) for cell in cells.values()} == {12}
    means = [statistics.mean(cell) for cell in cells.values()]
    assert max(means) - min(means) < ZIPF_TOLERANCE


def test_gendered_terms_are_pairs_of_a_woman_and_a_man() -> None:
    pairs: dict[str | None, list[str]] = {}
    for term in load_lexicon("gendered-terms").terms:
        pairs.setdefault(term.pair, []).append(term.groups["gender"])
        assert term.forms["person"] == term.text
    assert len(pairs) >= 16
    assert all(sorted(groups) == ["man", "woman"] for groups in pairs.values())


@pytest.mark.parametrize(
    ("name", "axis", "fewest"),
    [("religions", "religion", 8), ("nationalities", "nationality", 16), ("peoples", "people", 8)],
)
def test_where_the_term_is_the_group(name: str, axis: str, fewest: int) -> None:
    lexicon = load_lexicon(name)
    assert len(lexicon.terms) >= fewest
    for term in lexicon.terms:
        assert term.groups == {axis: term.id}
        assert term.forms["person"] == f"{term.text} person"
        assert lexicon.axes[axis].groups[term.id] == f"{term.text} people"


def test_nationalities_come_from_every_region() -> None:
    regions = Counter(term.covariates["region"] for term in load_lexicon("nationalities").terms)
    assert set(regions) == {"Africa", "Americas", "Asia", "Europe", "Oceania"}
    assert min(regions.values()) >= 2


def test_the_planted_people_is_there() -> None:
    assert "dorvan" in {term.id for term in load_lexicon("peoples").terms}


def edits(one: str, other: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def test_edits() -> None:
    assert (edits("kitten", "sitting"), edits("", "ab"), edits("a", "a")) == (3, 2, 0)


def test_invented_words_resemble_no_group() -> None:
    invented = load_lexicon("nonce").terms
    assert {Counter(t.groups["class"] for t in invented)[c] for c in ("adjective", "occupation", "name")} == {
        14
    }
    named = [t.text.lower() for name in lexicon_ids() if name != "nonce" for t in load_lexicon(name).terms]
    for one, other in itertools.product([term.text.lower() for term in invented], named):
        assert edits(one, other) >= NEAREST_NONCE, (one, other)
    assert all("person" in t.forms for t in invented if t.groups["class"] == "adjective")


def test_pieces_are_those_of_bert() -> None:
    if not TOKENIZER.exists():
        pytest.skip(f"needs the WordPiece tokenizer at {TOKENIZER}")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(TOKENIZER))

    def pieces(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    for name in lexicon_ids():
        for term in load_lexicon(name).terms:
            if "pieces" in term.covariates:
                assert term.covariates["pieces"] == pieces(term.text), term.text
    answers = [pair for name in suite_ids() for pairs in load_suite(name).answers.values() for pair in pairs]
    assert {pieces(word) for pair in answers for word in (*pair.plus, *pair.minus)} == {1}


def test_traits_are_a_dozen_pairs_of_different_words() -> None:
    (pairs,) = load_suite("traits").answers.values()
    words = [word for pair in pairs for word in (*pair.plus, *pair.minus)]
    assert 10 <= len(pairs) <= 12
    assert len(set(words)) == 2 * len(pairs)


NOT_NEUTRAL = re.compile(
    r"\b(no|not|never|hate|angry|bad|worst|wrong|ugly|stupid|terrible|evil|dirty|crime|criminal|attack|fight|kill|"
    r"steal|stole|lie|lied|insult|threat|terror|drunk|lazy|complain\w*|argu\w*|shout\w*|blam\w*|accus\w*)\b"
)


@pytest.mark.parametrize("name", ["toxicity", "requests"])
def test_no_opening_and_no_request_is_itself_unkind(name: str) -> None:
    """By a list of words, and by a lexicon of sentiment: whatever turns negative is the model's own."""
    from audit.scorers.registry import scorer_named

    suite = load_suite(name)
    assert len({template.family for template in suite.templates}) >= 12
    assert set(Counter(t.family for t in suite.templates).values()) == {2}
    for template in suite.templates:
        assert not NOT_NEUTRAL.search(template.text.lower()), template.id
    openings = [item.text for item in expand(suite, lexicons_of(suite))]
    scores = scorer_named("vader").score(openings)
    assert len(scores) == 2112
    assert [text for text, score in zip(openings, scores, strict=True) if (score.value or 0.0) < -0.05] == []


def test_what_declines_nothing_is_what_the_requests_ask_for() -> None:
    """No request reads as a refusal, so that a model that repeats it is not counted as declining."""
    from audit.scorers.registry import CONSTRUCTS, scorer_named

    suite = load_suite("requests")
    requests = [item.text for item in expand(suite, lexicons_of(suite))]
    for name in CONSTRUCTS["refusal"]:
        assert {score.value for score in scorer_named(name).score(requests)} == {0.0}

"""Scorers that are asked: functions, models, masked texts, kept scores, recipes and the command line."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

import audit
from audit.answers import checked
from audit.cli import main
from audit.commands.scorer_tables import error_text, show_card
from audit.commands.terminal import console
from audit.models.base import Model
from audit.requests import Classify, Fill, LabelLogit, Request, Response, response_from_json, response_to_json
from audit.scorers.as_model import AsModel
from audit.scorers.base import Construct, Scorer, ScorerCard, TextScore
from audit.scorers.callables import BATCH, CallableScorer
from audit.scorers.classifier import ClassifierScorer, classifier_card
from audit.scorers.labels import label_reading, read_labels, reading_bounds
from audit.scorers.masking import ORDINARY, PRONOUNS, RELATED, forms_of, group_words, mask_groups, whole_words
from audit.scorers.recipes import loaded_classifier, parse_model, read_recipes, recipes, scorer_of
from audit.scorers.registry import SCORERS, scorer_named
from audit.scorers.store import ScoreStore, Stored, stored, text_key
from probes.catalogue import lexicon_ids, load_lexicon
from probes.errors import InputError

CARD = ScorerCard("mine", "toxicity", "Mine", "0 to 1", "ours", "none", (0.0, 1.0), "toxic", 0.5, "high")


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path / "cache"))


def length_share(texts: Sequence[str]) -> list[float]:
    return [min(1.0, len(text) / 100) for text in texts]


def status(scores: Sequence[TextScore]) -> list[str]:
    return [score.status for score in scores]


# functions


def test_a_function_scores_each_distinct_text_once_in_batches() -> None:
    sizes: list[int] = []

    def function(texts: list[str]) -> np.ndarray:
        sizes.append(len(texts))
        return np.array(length_share(texts), dtype=np.float32)

    texts = [f"text {number}" for number in range(BATCH + 10)]
    scores = CallableScorer(function, CARD, "1").score([*texts, texts[0], "12", ""])
    assert sizes == [BATCH, 10] and isinstance(CallableScorer(function, CARD, "1"), Scorer)
    assert scores[-3] == scores[0] and status(scores[-2:]) == ["empty", "empty"]
    assert scores[3].value == pytest.approx(0.06)


def test_what_a_function_fails_for_is_found_and_the_rest_is_scored() -> None:
    def picky(texts: list[str]) -> list[float]:
        if any("bad" in text for text in texts):
            raise KeyError(f"cannot read {texts[0]}")
        return length_share(texts)

    texts = [f"fine {number}" for number in range(20)] + ["bad words"] + ["fine at last"]
    scores = CallableScorer(picky, CARD, "1").score(texts)
    assert [number for number, score in enumerate(scores) if score.status == "error"] == [20]
    assert scores[20].reason == "the scorer failed: KeyError: 'cannot read …'"
    assert scores[21].value == 0.12


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "gave nan, which is not finite"),
        (1.5, "gave 1.5, outside of 0 to 1"),
        (-0.1, "gave -0.1, outside of 0 to 1"),
        (None, "gave a NoneType and no number"),
        ("0.5", "gave a str and no number"),
        ([0.5], "gave a list and no number"),
    ],
)
def test_what_is_no_number_in_bounds_is_an_error_and_never_0(value: Any, said: str) -> None:
    batched = CallableScorer(lambda texts: [0.5 if "good" in text else value for text in texts], CARD, "1")
    single = CallableScorer(lambda text: 0.5 if "good" in text else value, CARD, "1", batched=False)
    for scorer in (batched, single):
        good, bad = scorer.score(["good", "odd"])
        assert good.value == 0.5 and bad.value is None and bad.status == "error" and said in bad.reason


def test_a_function_that_leaves_texts_out_is_found_out() -> None:
    scorer = CallableScorer(lambda texts: [0.5 for text in texts if text != "left out"], CARD, "1")
    assert status(scorer.score(["one", "left out", "two"])) == ["scored", "error", "scored"]
    total = CallableScorer(lambda texts: 0.5, CARD, "1").score(["one"])
    assert total[0].reason == "the scorer failed: TypeError: 'float' object is not iterable"


def test_the_digest_of_a_function_follows_version_bounds_and_source() -> None:
    base = CallableScorer(length_share, CARD, "1")
    others = [
        CallableScorer(length_share, CARD, "2"),
        CallableScorer(length_share, replace(CARD, bounds=(0.0, 2.0)), "1"),
        CallableScorer(length_share, replace(CARD, name="other"), "1"),
        CallableScorer(lambda texts: [0.0] * len(texts), CARD, "1"),
        CallableScorer(len, CARD, "1"),
    ]
    digests = [scorer.digest for scorer in (base, *others)]
    assert len(set(digests)) == 6 and base.digest == CallableScorer(length_share, CARD, "1").digest
    with pytest.raises(InputError, match="has no version"):
        CallableScorer(length_share, CARD, "")


# a scorer as a model


class Judge:
    """Gives what a text says it is worth."""

    card = CARD
    digest = "0" * 64

    def score(self, texts: Sequence[str]) -> list[TextScore]:
        known = {
            "long": TextScore(None, "truncated", "300 words, 200 at most"),
            "broken": TextScore(None, "error", "out of order"),
            "silent": TextScore(None, "unparsed"),
            "rude word": TextScore(0.75, words=("rude",)),
        }
        return [known[text] for text in texts]


def test_what_a_scorer_says_survives_being_kept_as_an_answer() -> None:
    model = AsModel(Judge())
    assert isinstance(model, Model) and model.id == "mine" and model.digest == "0" * 64
    requests = [Classify(text) for text in ("long", "rude word", "broken", "silent")]
    kept = [
        response_from_json(json.loads(json.dumps(response_to_json(checked(request, answer)))))
        for request, answer in zip(requests, model.ask(requests), strict=True)
    ]
    long, rude, broken, silent = (read_labels(answer, model.reading) for answer in kept)
    assert rude == TextScore(0.75, words=("rude",))
    assert long == TextScore(None, "truncated", "300 words, 200 at most")
    assert broken == TextScore(None, "error", "out of order")
    assert silent.status == "error" and "unparsed" in silent.reason
    json.dumps(model.describe(), allow_nan=False)


def test_a_scorer_takes_neither_pairs_nor_other_questions() -> None:
    model = AsModel(Judge())
    pair, rude = model.ask([Classify("rude word", "long"), Classify("rude word")])
    assert pair.error == "a scorer takes one text, not a pair" and rude.labels[0].logit == 0.75
    with pytest.raises(TypeError, match="cannot answer 'fill'"):
        model.ask([Fill("a {answer}", ("b",))])


# classifiers


class Labelled:
    """A classifier whose logit of ``toxic`` is the number of words, up to a length."""

    id = "labelled"
    digest = "1" * 64
    capabilities = frozenset({"classify"})

    def __init__(self, labels: tuple[str, ...] = ("fine", "toxic"), activation: str = "softmax") -> None:
        self.facts = {"labels": list(labels), "activation": activation, "licence": "MIT"}
        self.asked: list[str] = []

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        return [self.answer(request) for request in requests if isinstance(request, Classify)]

    def answer(self, request: Classify) -> Response:
        self.asked.append(request.text)
        words = len(request.text.split())
        if words > 9:
            return Response(error=f"{words} words", truncated=True)
        if "nan" in request.text:
            return Response(labels=(LabelLogit("toxic", float("nan")),), activation="softmax")
        labels = tuple(LabelLogit(name, float(words) * i) for i, name in enumerate(self.facts["labels"]))
        return Response(labels=labels, activation=self.facts["activation"])  # type: ignore[arg-type]

    def describe(self) -> dict[str, Any]:
        return dict(self.facts)


def test_statuses_of_a_classifier_are_kept_apart_and_texts_asked_once() -> None:
    model = Labelled()
    reading = label_reading({"Toxic": 1})
    scorer = ClassifierScorer(model, reading, classifier_card("l", "toxicity", reading, model.describe()))
    scores = scorer.score(["two words", "nan", "w " * 10, "two words", "!", ""])
    assert status(scores) == ["scored", "error", "truncated", "scored", "empty", "empty"]
    assert scores[0].value == pytest.approx(1 / (1 + np.exp(-2.0))) and scores[2].reason == "10 words"
    assert model.asked == ["two words", "nan", "w " * 10]
    assert scorer.card.licence == "MIT" and scorer.card.meaning.startswith("P(Toxic)")


def test_masked_texts_that_differ_in_the_group_alone_are_one_question() -> None:
    model = Labelled()
    reading = label_reading({"toxic": 1})
    words = group_words([load_lexicon("religions"), load_lexicon("gendered-terms")])
    scorer = ClassifierScorer(model, reading, CARD, words)
    texts = ["A Sikh spoke.", "An atheist spoke.", "A woman spoke.", "A Buddhist person spoke."]
    assert len({score.value for score in scorer.score(texts)}) == 1
    assert model.asked == ["A person spoke."]


@pytest.mark.parametrize(
    ("labels", "temperature", "said"),
    [
        ({}, 1.0, "no label counts"),
        ({"a": 0}, 1.0, "no label counts"),
        ({"a": float("inf")}, 1.0, "the weight of the label 'a' is inf"),
        ({"a": True}, 1.0, "the weight of the label 'a' is True"),
        ({"a": 1}, 0.0, "the temperature is 0.0"),
        ({"a": 1}, float("nan"), "the temperature is nan"),
    ],
)
def test_readings_that_mean_nothing_are_refused(
    labels: dict[str, float], temperature: float, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        label_reading(labels, temperature)
    assert said in str(caught.value)


def test_bounds_of_a_reading_hold_every_value_it_can_take() -> None:
    rng = np.random.default_rng(1)
    for activation in ("softmax", "sigmoid"):
        for count in (2, 3):
            weights = {"a": 1.0, "b": -0.5, "c": 2.0}
            reading = label_reading(dict(list(weights.items())[:count]))
            low, high = reading_bounds(reading, ["a", "b", "c"], activation)  # type: ignore[arg-type]
            values = []
            for logits in rng.normal(0, 30, (300, 3)):
                labels = tuple(LabelLogit(name, x) for name, x in zip("abc", logits, strict=True))
                values.append(read_labels(Response(labels=labels, activation=activation), reading).value)  # type: ignore[arg-type]
            assert low - 1e-9 <= min(values) < low + 0.05 and high - 0.05 < max(values) <= high + 1e-9  # type: ignore[type-var, operator]


# masking


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("An American woman and a Muslim man.", "A person and a person."),
        ("MUSLIMS and jews, Islam.", "person and person, person."),
        ("the businesswomen's wives’ ladies", "the person's person's person"),
        ("Iraqi-American humans, a German.", "person humans, a person."),
        ("He'll polish the Polish shoes.", "person'll polish the person shoes."),
        ("Turkey with turkey", "person with turkey"),
        ("the man, 'the Muslims'", "the person, 'the person'"),
        ("womanly manners, Germane", "womanly manners, Germane"),
        ("a Catholic\nSikh", "a person\nperson"),
        ("", ""),
    ],
)  # fmt: skip
def test_names_of_groups_become_one_word(text: str, masked: str) -> None:
    words = group_words(load_lexicon(name) for name in lexicon_ids())
    assert mask_groups(text, words) == masked
    assert mask_groups(masked, words) == masked, "what is masked stays"


def test_every_term_of_every_lexicon_gives_the_same_masked_text() -> None:
    words = group_words(load_lexicon(name) for name in lexicon_ids())
    shapes = ("a {}'s friend met the {}.", "A {} SPOKE TO an {}", "three {}")
    for shape in shapes:
        found = {
            mask_groups(shape.replace("{}", form), words)
            for name in lexicon_ids()
            for term in load_lexicon(name).terms
            for form in (term.text, *term.forms.values(), forms_of(term.text)[1], term.text.upper())
        }
        assert len(found) == 1, found


def test_a_placeholder_of_ones_own_has_its_article() -> None:
    assert mask_groups("A Muslim.", ["Muslim"], "individual") == "An individual."
    assert mask_groups("a Muslim", ["Muslim"], "XYZ") == "a XYZ"
    assert mask_groups("a Muslim", []) == "a Muslim"
    assert mask_groups("a b.c, abc, bxc", ["b.c"]) == "a person, abc, bxc"


def test_pronouns_are_masked_where_gender_is_compared_alone() -> None:
    assert set(PRONOUNS) <= set(group_words([load_lexicon("gendered-terms")]))
    assert not set(PRONOUNS) & set(group_words([load_lexicon("religions")]))
    terms = {
        term.text.lower() for name in ("religions", "nationalities") for term in load_lexicon(name).terms
    }
    assert set(RELATED) == terms and "polish" in ORDINARY
    assert whole_words(["man", "old man"]).findall("Old man, man, woman") == ["Old man", "man"]


# scores that are kept


def counting() -> tuple[CallableScorer, list[str]]:
    asked: list[str] = []

    def function(text: str) -> float:
        asked.append(text)
        if text == "fails":
            raise RuntimeError("down")
        return len(text) / 100

    return CallableScorer(function, CARD, "1", batched=False), asked


def test_kept_scores_are_those_that_were_given_and_failures_are_asked_again(tmp_path: Path) -> None:
    scorer, asked = counting()
    store = ScoreStore(tmp_path / "new" / "scores.sqlite")
    texts = ["one", "fails", "one", "half \ud800 a pair", "12"]
    first = Stored(scorer, store).score(texts)
    again = Stored(scorer, store).score(texts)
    assert first == again == scorer.score(texts)
    assert asked.count("one") == 2 and asked.count("fails") == 3, "the third time without the store"
    content = b"".join(path.read_bytes() for path in (tmp_path / "new").iterdir())
    assert text_key("one") in content and b"half" not in content
    words = {"a text": TextScore(0.5, words=("x", "y")), "long": TextScore(None, "truncated", "300 tokens")}
    store.put("s", words)
    assert store.get("s", ["a text", "long", "other"]) == words and store.get("t", words) == {}


def test_rules_are_never_looked_up() -> None:
    assert stored(scorer_named("vader")) is not None and not isinstance(stored(scorer_named("vader")), Stored)
    assert isinstance(stored(counting()[0]), Stored)


def test_a_store_that_is_broken_is_no_store(tmp_path: Path) -> None:
    scorer, _ = counting()
    plain = scorer.score(["one", "two"])
    broken = tmp_path / "scores.sqlite"
    broken.write_bytes(b"SQLite format 3\0" + b"nonsense" * 500)
    folder = tmp_path / "folder"
    folder.mkdir()
    for path in (broken, folder, broken / "below", None):
        for _ in range(2):
            assert Stored(scorer, ScoreStore(path)).score(["one", "two"]) == plain
    assert broken.read_bytes().startswith(b"SQLite format 3\0nonsense")


@pytest.mark.parametrize(
    "row",
    [
        ("x", "scored", "[]"),
        (0.5, "refused", "[]"),
        (0.5, "scored", "[1]"),
        (None, "scored", "[]"),
        (9e999, "scored", "[]"),
        (0.5, "scored", "{"),
    ],
)
def test_a_row_that_nobody_kept_is_not_believed(tmp_path: Path, row: tuple[Any, str, str]) -> None:
    scorer, asked = counting()
    store = ScoreStore(tmp_path / "scores.sqlite")
    Stored(scorer, store).score(["one"])
    with sqlite3.connect(tmp_path / "scores.sqlite") as base:
        base.execute("UPDATE scores SET value = ?, status = ?, words = ?", row)
    base.close()
    assert Stored(scorer, store).score(["one"])[0] == TextScore(0.03) and len(asked) == 2


def test_a_store_stays_within_its_size_and_loses_the_oldest(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "scores.sqlite", most_rows=100)
    for block in range(10):
        store.put("s", {f"{block} {number}": TextScore(float(number)) for number in range(30)})
    with sqlite3.connect(tmp_path / "scores.sqlite") as base:
        (count,) = base.execute("SELECT count(*) FROM scores").fetchone()
    base.close()
    assert 75 <= count <= 100
    assert store.get("s", ["0 0"]) == {} and store.get("s", ["9 29"]) == {"9 29": TextScore(29.0)}


FILL = """
import sys
from pathlib import Path
from audit.scorers.base import TextScore
from audit.scorers.store import ScoreStore

def fill(path, worker):
    for block in range(5):
        scores = {f"{worker} {block} {n}": TextScore(float(n)) for n in range(50)}
        ScoreStore(Path(path)).put("s", scores)
"""


def test_processes_and_threads_share_a_store(tmp_path: Path) -> None:
    path = tmp_path / "scores.sqlite"
    line = f"{FILL}\nfill(sys.argv[1], sys.argv[2])"
    processes = [subprocess.Popen([sys.executable, "-c", line, path, str(worker)]) for worker in range(2)]
    own: dict[str, Any] = {}
    exec(FILL, own)
    threads = [threading.Thread(target=own["fill"], args=(path, worker)) for worker in range(2, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0, 0]
    texts = [f"{worker} {block} {n}" for worker in range(6) for block in range(5) for n in range(50)]
    assert len(ScoreStore(path).get("s", texts)) == len(texts)


# names


def test_recipes_say_what_their_labels_mean_and_what_was_not_looked_at(tmp_path: Path) -> None:
    found = recipes()
    assert {recipe.construct for recipe in found.values()} == set(get_args(Construct))
    for name, recipe in found.items():
        reading = label_reading(recipe.labels)
        assert not set(name.split()) & set(SCORERS) and recipe.source.endswith(name)
        limits = recipe.stated().card["limits"]
        assert recipe.confirmed != any("not opened when this was written" in limit for limit in limits)
        low, high = reading_bounds(reading, None, recipe.activation)
        assert (low, high) == ((-1.0, 1.0) if recipe.construct in ("sentiment", "regard") else (0.0, 1.0))
    file = tmp_path / "recipes.yaml"
    file.write_text("format: 1\nrecipes:\n  - {model: one, construct: beauty, labels: {}}\n")
    with pytest.raises(InputError) as caught:
        read_recipes(file)
    said = str(caught.value)
    assert len(caught.value.faults) > 3 and "$.recipes[0].construct" in said and "\n" in said


def test_a_recipe_is_held_to_the_model_that_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipes()["unitary/toxic-bert"]
    loads: list[Any] = []

    def serve(**facts: Any) -> None:
        model = Labelled(**facts)
        monkeypatch.setattr("audit.models.resolve", lambda name, load: loads.append((name, load)) or model)

    serve(labels=("toxic", "insult"), activation="sigmoid")
    scorer = scorer_of("unitary/toxic-bert", "toxicity")
    assert loads[0][0] == "unitary/toxic-bert" and loads[0][1].max_length == recipe.max_length
    assert scorer.card.licence == recipe.licence and scorer.card.is_found(0.5)
    serve(labels=("LABEL_0", "LABEL_1"), activation="sigmoid")
    with pytest.raises(
        InputError, match=r"unitary/toxic-bert: the labels have no names \(LABEL_0, LABEL_1\)"
    ):
        scorer_of("unitary/toxic-bert")
    serve(labels=("toxic", "insult"), activation="softmax")
    with pytest.raises(InputError, match="read by a softmax, where the recipe says sigmoid"):
        scorer_of("unitary/toxic-bert")


@pytest.mark.parametrize(
    ("name", "construct", "said"),
    [
        ("vadr", None, "no such scorer 'vadr'. Did you mean 'vader'?"),
        ("vader", "toxicity", "vader measures sentiment, not toxicity"),
        ("sasha/regardv3", "toxicity", "sasha/regardv3 measures regard, not toxicity"),
        ("model:./x", "toxicity", "does not say which label"),
        ("model:#toxic", "toxicity", "does not say which label"),
        ("model:./x#toxic", None, "what 'model:./x#toxic' measures is not said"),
        ("model:./x#a=b", "toxicity", "the weight of the label 'a' is 'b'"),
        ("model:./x#a,a", "toxicity", "the label 'a' is named twice"),
        ("model:./x#a,", "toxicity", "a label has no name"),
        ("model:./x#a=nan", "toxicity", "the weight of the label 'a' is nan"),
    ],
)
def test_names_that_mean_no_scorer_say_so_in_one_line(name: str, construct: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        scorer_of(name, construct)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_hashes_in_a_path_are_part_of_it() -> None:
    assert parse_model("model:./a#b/c#toxic").model == "./a#b/c"
    with pytest.raises(InputError, match="no temperature"):
        scorer_of("vader", mask=["Muslim"])
    reading = label_reading({"gone": 1})
    with pytest.raises(InputError, match="it has fine, toxic"):
        ClassifierScorer(Labelled(), reading, CARD)
    assert loaded_classifier.__doc__


# Python and the command line


def test_texts_are_scored_into_a_table_with_their_index() -> None:
    texts = pd.Series(["A kind friend.", "", "A cruel lie."], index=["a", "b", "c"])
    found = audit.score_texts(texts, "vader")
    assert list(found.columns) == ["value", "status", "reason", "words"] and list(found.index) == [
        "a",
        "b",
        "c",
    ]
    assert np.isnan(found.loc["b", "value"]) and found.loc["b", "status"] == "empty"  # type: ignore[arg-type]
    assert found.loc["a", "value"] > 0 > found.loc["c", "value"]  # type: ignore[operator]
    assert audit.score_texts([], "vader").empty
    with pytest.raises(InputError, match="text 2 is a float and no text"):
        audit.score_texts(["a", float("nan")], "vader")  # type: ignore[list-item]


def evenhand(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(words))
    out, err = capsys.readouterr()
    return int(str(stopped.value.code)), out, err


def test_a_file_of_texts_is_scored_and_its_texts_are_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("a", "A wonderful peony."), ("b", "..."), ("=c", "A dreadful peony.")]
    with (tmp_path / "texts.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "said"), *rows])
    words = ("scorers", "score", str(tmp_path / "texts.csv"), "--scorer", "vader", "--text-column", "said")
    code, told, _ = evenhand(capsys, *words, "--out", str(tmp_path / "scores.csv"))
    assert code == 0 and "3 texts: 2 scored, 1 empty" in told and "50.0% of those" in told
    with (tmp_path / "scores.csv").open(newline="") as file:
        kept = list(csv.DictReader(file))
    assert [row["id"] for row in kept] == ["a", "b", "'=c"], "no cell is a formula"
    assert [row["line"] for row in kept] == ["2", "3", "4"]
    assert float(kept[0]["value"]) > 0 > float(kept[2]["value"])
    assert kept[1] == {**kept[1], "value": "", "status": "empty", "reason": "the text holds no letter"}
    code, told_json, _ = evenhand(capsys, *words, "--json")
    found = json.loads(told_json)
    assert [row["value"] for row in found["scores"]][1] is None and found["statuses"] == {
        "scored": 2,
        "empty": 1,
    }
    code, _, _ = evenhand(capsys, *words, "--out", str(tmp_path / "scores.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert code == 0 and lines == found["scores"]
    everything = told + told_json + (tmp_path / "scores.csv").read_text()
    assert "peony" not in everything, "texts are not repeated"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("score", "texts.csv", "--scorer", "vader", "--text-column", "txt"),
            "there is no column 'txt'. Did",
        ),
        (("score", "none.csv", "--scorer", "vader"), "none.csv: no such file"),
        (("score", "empty.csv", "--scorer", "vader"), "empty.csv: there are no rows"),
        (("score", "numbers.jsonl", "--scorer", "vader"), "line 1: text is a int and no text"),
        (("score", "texts.csv", "--scorer", "vader", "--out", "scores.xls"), "not a .csv or .jsonl file"),
        (("score", "texts.csv", "--scorer", "vader", "--out", "no/scores.csv"), "cannot be written"),
        (("score", "texts.csv", "--scorer", "vadr"), "no such scorer 'vadr'"),
        (("score", "texts.csv", "--scorer", "model:./x#toxic"), "measures is not said"),
        (
            ("score", "texts.csv", "--scorer", "model:./x#t", "--construct", "toxic"),
            "Did you mean 'toxicity'?",
        ),
        (("score", "texts.csv", "--scorer", "vader", "--mask-groups"), "vader is no classifier"),
        (("show", "nothing"), "no such scorer 'nothing'"),
        (("fetch", "nothing"), "no such scorer 'nothing'"),
    ],
)
def test_bad_input_is_one_line(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("texts.csv").write_text("text\na lie\n")
    Path("empty.csv").write_text("text\n")
    Path("numbers.jsonl").write_text('{"text": 7}\n')
    code, out, err = evenhand(capsys, "scorers", *words)
    assert code == 2 and said in err and err.count("\n") == 1 and not out


def test_scorers_are_listed_shown_and_need_no_fetching(capsys: pytest.CaptureFixture[str]) -> None:
    _, told, _ = evenhand(capsys, "scorers", "list", "--json")
    rows = {row["name"]: row for row in json.loads(told)}
    assert set(rows) == set(SCORERS) | set(recipes())
    assert rows["vader"] == {
        **rows["vader"],
        "state": "ready",
        "judges": "sentiment, primary",
        "kind": "rules",
    }
    assert "unconfirmed" in rows["sasha/regardv3"]["state"]
    _, text, _ = evenhand(capsys, "scorers", "list")
    assert all(name in text for name in rows)
    _, told, _ = evenhand(capsys, "scorers", "show", "textblob", "--json")
    card = json.loads(told)
    assert card["digest"] == scorer_named("textblob").digest and card["bounds"] == [-1.0, 1.0]
    assert card["own_audit"]["gap"]["higher"] == "deaf people"
    assert error_text(card).startswith(
        "reads the group, by disability: deaf people over blind people by +0.53"
    )
    assert error_text({**card, "own_audit": {"gap": None}}).startswith("no difference between groups; all: ")
    assert error_text({**card, "own_audit": None}).startswith("not here; do not believe it")
    show_card(console(), card)
    told = capsys.readouterr().out
    assert "TextBlob" in told and card["digest"] in told and "negative at -0.05 or less" in told
    assert evenhand(capsys, "scorers", "fetch", "vader")[1] == "vader is here\n"

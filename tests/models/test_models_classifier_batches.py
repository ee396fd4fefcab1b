"""Batches of classifiers: texts of several lengths at once, against one forward pass for each."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from audit.cli import main
from audit.models import LoadOptions, identify, resolve
from audit.requests import Classify
from audit.scorers.classifier import ClassifierScorer, classifier_card
from audit.scorers.labels import label_reading
from audit.scorers.recipes import scorer_of
from probes.errors import InputError, ModelError
from tests.models.slow_models import slow_classifier

Tiny = Callable[[str], Path]
PACKED = [
    "bert-classifier",
    "bert-multilabel",
    "roberta-classifier",
    "distilbert-classifier",
    "albert-classifier",
    "electra-classifier",
]
PADDED = ["deberta-classifier", "gpt2-classifier-padded", "llama-classifier"]
ALONE = ["gpt2-classifier", "fnet-classifier"]
"""Without a padding token; and with a body that mixes tokens whatever the mask says."""
INVARIANCE = 1e-5
SENTENCE = "the nurse said that she was tired and people walked home together at night again"
WORDS = SENTENCE.split()
TEXTS = [" ".join(WORDS[start : start + count]) for count in range(1, 14) for start in range(3)]


@pytest.mark.parametrize("name", PACKED + PADDED + ALONE)
def test_texts_of_many_lengths_get_what_single_passes_give(tiny: Tiny, name: str) -> None:
    model: Any = resolve(str(tiny(name)), LoadOptions(token_budget=128))
    passes: list[tuple[int, bool]] = []
    usual = "_run_packed" if name in PACKED else "_run"
    inner = getattr(model, usual)
    seen = lambda batch: passes.append((len(batch), len(batch[0]) > len(batch[-1]))) or inner(batch)  # noqa: E731
    setattr(model, usual, seen)
    answers = model.ask([Classify(text) for text in TEXTS])
    for answer, text in zip(answers, TEXTS, strict=True):
        expected = slow_classifier(tiny(name)).logits(text)
        found = [label.logit for label in answer.labels]
        assert found == pytest.approx(expected, abs=INVARIANCE * max(1.0, *map(abs, expected)))
    assert any(mixed for _, mixed in passes) == (name in PACKED + PADDED)
    assert sum(count for count, _ in passes) == len({text.lower() for text in TEXTS})


def test_the_probe_sees_a_body_that_reads_its_padding(tiny: Tiny) -> None:
    model: Any = resolve(str(tiny("bert-classifier")))
    inner = model._loaded.network.label_logits
    assert model._padding_is_exact()
    model._loaded.network.label_logits = lambda ids, types, mask=None: inner(ids, types)
    assert not model._padding_is_exact()


def test_a_text_longer_than_max_length_is_truncated_and_not_cut(tiny: Tiny) -> None:
    folder = str(tiny("bert-classifier"))
    whole, short = resolve(folder), resolve(folder, LoadOptions(max_length=8))
    fits, long = Classify("she " * 6), Classify("she " * 7)
    answer, cut = short.ask([fits, long])
    assert answer == whole.ask([fits])[0] and answer.text_tokens == 8
    assert cut.truncated and not cut.labels
    assert cut.error == "the text is too long: 9 tokens, the model takes at most 8"
    assert resolve(folder, LoadOptions(max_length=1000)).describe()["max_tokens"] == 64


def test_max_length_is_part_of_the_digest_and_known_without_loading(tiny: Tiny) -> None:
    folder = str(tiny("bert-classifier"))
    loads = [LoadOptions(), LoadOptions(max_length=8), LoadOptions(max_length=9)]
    digests = [resolve(folder, load).digest for load in loads]
    assert len(set(digests)) == 3
    assert digests == [identify(folder, load).digest for load in loads]
    with pytest.raises(ModelError, match=r"max_length is 0\. Give the most tokens"):
        identify(folder, LoadOptions(max_length=0))


def test_a_network_is_a_scorer_by_the_labels_that_are_named(tiny: Tiny) -> None:
    name = f"model:{tiny('bert-classifier')}#angry=1,calm=-1"
    load = LoadOptions(max_length=8)
    scorer = scorer_of(name, "regard", load)
    texts = ["she said", "...", "she " * 20, "she said"]
    scores = scorer.score(texts)
    assert [score.status for score in scores] == ["scored", "empty", "truncated", "scored"]
    logits = {label.label: label.logit for label in scorer.model.ask([Classify("she said")])[0].labels}  # type: ignore[attr-defined]
    shares = torch.softmax(torch.tensor([logits["calm"], logits["angry"], logits["afraid"]]), 0)
    assert scores[0].value == pytest.approx(float(shares[1] - shares[0]), abs=1e-6) and scores[0] == scores[3]
    assert scorer.card.bounds == (-1.0, 1.0) and scorer.card.construct == "regard"
    cooled = scorer_of(name, "regard", load, temperature=100.0)
    assert abs(cooled.score(texts)[0].value or 0.0) < abs(scores[0].value or 0.0)
    masked = scorer_of(name, "regard", load, mask=["she"])
    assert masked.score(["she said"]) == scorer.score(["person said"]) != scorer.score(["she said"])
    assert len({one.digest for one in (scorer, cooled, masked, scorer_of(name, "regard"))}) == 4


@pytest.mark.parametrize(
    ("folder", "label", "said"),
    [
        ("bert-classifier", "angri", "no label 'angri'; it has calm, angry, afraid. Did you mean 'angry'?"),
        ("bert-unnamed", "toxic", "the labels have no names (LABEL_0, LABEL_1), so that 'toxic' cannot be"),
        ("bert-classifier", "angry,ANGRY", "the labels 'angry' and 'ANGRY' are one"),
        ("bert-cased", "toxic", "classifies no texts; it answers embed, fill"),
    ],
)
def test_labels_that_a_model_does_not_have_are_refused(
    tiny: Tiny, folder: str, label: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        scorer_of(f"model:{tiny(folder)}#{label}", "toxicity")
    assert said in str(caught.value) and len(caught.value.faults) == 1


def test_labels_without_names_are_read_when_the_auditor_says_which(tiny: Tiny) -> None:
    scorer = scorer_of(f"model:{tiny('bert-unnamed')}#LABEL_1", "toxicity")
    assert scorer.score(["she said"])[0].status == "scored" and scorer.card.bounds == (0.0, 1.0)


def test_labels_by_themselves_have_wider_bounds(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-multilabel")))
    reading = label_reading({"angry": 1, "afraid": 1})
    card = classifier_card("two", "toxicity", reading, model.describe())
    assert card.bounds == (0.0, 2.0)
    score = ClassifierScorer(model, reading, card).score(["she said"])[0]
    logits = torch.tensor([label.logit for label in model.ask([Classify("she said")])[0].labels[1:]])
    assert score.value == pytest.approx(float(torch.sigmoid(logits).sum()), abs=1e-6)


def test_a_file_is_scored_by_a_network_whose_scores_are_kept(
    tiny: Tiny,
    cache: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS[:6]))
    scorer = f"model:{tiny('bert-classifier')}#angry"
    words = ["scorers", "score", str(tmp_path / "texts.jsonl"), "--scorer", scorer, "--construct", "toxicity"]
    found = []
    for more in ([], [], ["--max-length", "3"], ["--mask-groups"], ["--temperature", "2"]):
        with pytest.raises(SystemExit) as stopped:
            main([*words, *more, "--json"])
        assert not stopped.value.code
        found.append(json.loads(capsys.readouterr().out))
        if len(found) == 1:  # from here on the same texts are not asked again
            ask = ClassifierScorer.score
            monkeypatch.setattr(ClassifierScorer, "score", None)
        if len(found) == 2:
            monkeypatch.setattr(ClassifierScorer, "score", ask)
    assert found[0] == found[1] and len({one["digest"] for one in found}) == 4
    assert found[0]["statuses"] == {"scored": 6}
    assert found[2]["statuses"] == {"scored": 3, "truncated": 3}, "two words are four tokens"
    with sqlite3.connect(cache / "scorers" / "scores.sqlite") as base:
        (count,) = base.execute("SELECT count(*) FROM scores").fetchone()
    base.close()
    assert count == 24

"""Classifiers: labels of texts and pairs, against one forward pass for each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.answers import checked
from audit.cli import main
from audit.models import LoadOptions, identify, resolve
from audit.requests import Classify, Fill
from probes.errors import ModelError
from tests.models.slow_models import slow_classifier
from tests.models.tiny_models import LABELS

Tiny = Callable[[str], Path]
NAMES = ["bert-classifier", "roberta-classifier", "distilbert-classifier", "gpt2-classifier"]
TOLERANCE = 1e-4
INVARIANCE = 1e-5
REQUESTS = [
    Classify("The nurse said that she was tired."),
    Classify("she"),
    Classify("The nurse said that he was tired."),
    Classify("People walked home.", "The nurse said that she was tired."),
    Classify("The nurse said that she was tired."),
]


def slow_logits(folder: Path, request: Classify) -> list[float]:
    slow = slow_classifier(folder)
    assert ("token_type_ids" in slow.tokenizer("she")) == folder.name.startswith("bert")
    return slow.logits(request.text, request.pair)


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_what_single_passes_give(tiny: Tiny, name: str) -> None:
    model = resolve(str(tiny(name)))
    for request, answer in zip(REQUESTS, model.ask(REQUESTS), strict=True):
        assert not answer.error and checked(request, answer) == answer
        assert [one.label for one in answer.labels] == list(LABELS.values()), "in the order of the outputs"
        assert [one.logit for one in answer.labels] == pytest.approx(
            slow_logits(tiny(name), request), abs=TOLERANCE
        )
        assert answer.activation == "softmax"


@pytest.mark.parametrize("name", NAMES)
def test_logits_do_not_depend_on_batch_or_neighbours(tiny: Tiny, name: str) -> None:
    whole = resolve(str(tiny(name))).ask(REQUESTS)
    small = resolve(str(tiny(name)), LoadOptions(token_budget=1)).ask(REQUESTS[::-1])[::-1]
    for a, b in zip(whole, small, strict=True):
        assert [x.logit for x in a.labels] == pytest.approx([x.logit for x in b.labels], abs=INVARIANCE)
    assert whole[0] == whole[4]


def test_the_two_texts_of_a_pair_are_told_apart(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-classifier")))
    one, other, joined = model.ask([Classify("she", "he"), Classify("he", "she"), Classify("she he")])
    assert one.labels != other.labels
    assert one.text_tokens == 5 and joined.text_tokens == 4


def test_a_type_that_the_model_does_not_know_is_an_error(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-classifier")))
    model._types = 1  # type: ignore[attr-defined]
    pair, single = model.ask([Classify("she", "he"), Classify("she")])
    assert pair.error == "the tokenizer gives a token the type 1, the model knows 1" and single.labels


def test_labels_of_their_own_are_known_by_the_problem_type(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-multilabel")))
    assert model.ask(REQUESTS[:1])[0].activation == "sigmoid"
    facts = model.describe()
    assert (facts["kind"], facts["labels"], facts["activation"]) == (
        "classifier",
        list(LABELS.values()),
        "sigmoid",
    )


def test_texts_that_are_too_long_are_errors_and_never_cut(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-classifier")))
    fits, long, pair, empty = model.ask(
        [
            Classify("she " * 62),
            Classify("she " * 63),
            Classify("she " * 30, "he " * 32),
            Classify(" "),
        ]
    )
    assert fits.labels and fits.text_tokens == 64
    assert long.error == "the text is too long: 65 tokens, the model takes at most 64"
    assert pair.error.startswith("the text is too long") and not pair.labels
    assert empty.error == "an empty text"


def test_special_tokens_in_a_text_are_text(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-classifier")))
    quoted, pair = model.ask([Classify("she [SEP] he"), Classify("she", "he")])
    assert quoted.text_tokens > pair.text_tokens


def changed(tiny: Tiny, tmp_path: Path, **changes: Any) -> str:
    folder = Path(shutil.copytree(tiny("bert-classifier"), tmp_path / "model"))
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, **changes}), "utf-8")
    return str(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"problem_type": "regression"}, "a regression"),
        ({"id2label": {"0": "score"}}, "a regression"),
        ({"id2label": {"0": "a", "1": "b", "2": "a"}}, "two labels the name 'a'"),
        ({"id2label": ["a", "b"]}, "id2label is not a table"),
        ({"id2label": {"0": "a", "1": "b"}}, "weights of another shape"),
    ],
)
def test_classifiers_without_labels_to_tell_apart_are_refused(
    tiny: Tiny, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    name = changed(tiny, tmp_path, **changes)
    with pytest.raises(ModelError) as caught:
        resolve(name)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_classifier_is_known_from_its_files_and_answers_nothing_else(tiny: Tiny) -> None:
    for name in NAMES:
        facts = identify(str(tiny(name)))
        assert (facts.kind, facts.capabilities) == ("classifier", {"classify"})
        assert resolve(str(tiny(name))).digest == facts.digest
    with pytest.raises(TypeError, match="'classifier' cannot answer 'fill'"):
        resolve(str(tiny("bert-classifier"))).ask([Fill("she {answer}", ("a",))])


@pytest.mark.parametrize(("name", "can"), [("bert-classifier", "classify"), ("bert-encoder", "embed")])
def test_ordinary_suites_are_not_measurable_by_name(
    tiny: Tiny, name: str, can: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = str(tiny(name)), str(tmp_path / "audit")
    with pytest.raises(SystemExit) as stopped:
        main(["run", "--model", model, "--suite", "occupations", "--out", out])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert f"occupations cannot be asked of {model}" in said
    assert f"the suite asks in the form fill or score; the model answers {can}" in said

"""Vectors of texts, against one forward pass for each, and which base models are encoders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from audit.answers import checked
from audit.models import LoadOptions, identify, resolve
from audit.requests import Classify, Embed, Pooling
from tests.models.slow_models import slow_encoder, slow_masked

Tiny = Callable[[str], Path]
NAMES = ["bert-encoder", "bert-encoder-unpooled", "roberta-encoder", "gpt2-encoder"]
MASKED = ["bert-uncased", "distilbert", "albert", "electra"]
TOLERANCE = 1e-5
TEXTS = ("The nurse said that she was tired.", "she", "The nurse said that he was tired.")
REQUESTS = [Embed(text, pooling) for text in TEXTS for pooling in get_args(Pooling)]


def slow_vector(folder: Path, request: Embed) -> list[float]:
    slow = slow_masked(folder) if folder.name in MASKED else slow_encoder(folder)
    states = slow.states(slow.tokenizer(request.text)["input_ids"])
    special = 0 if "gpt2" in folder.name else 1
    places = {"first": states[0], "first_word": states[special], "mean": states.mean(0)}
    vector: list[float] = places[request.pooling].tolist()
    return vector


@pytest.mark.parametrize("name", NAMES + MASKED)
def test_vectors_are_what_single_passes_give(tiny: Tiny, name: str) -> None:
    for request, answer in zip(REQUESTS, resolve(str(tiny(name))).ask(REQUESTS), strict=True):
        assert not answer.error and checked(request, answer) == answer
        assert answer.vector == pytest.approx(slow_vector(tiny(name), request), abs=TOLERANCE)
        assert [float(np.float32(value)) for value in answer.vector] == list(answer.vector)


def test_the_three_poolings_differ_where_there_are_special_tokens(tiny: Tiny) -> None:
    vectors = [answer.vector for answer in resolve(str(tiny("bert-encoder"))).ask(REQUESTS[:3])]
    assert len(set(vectors)) == 3
    mean, first, word = [answer.vector for answer in resolve(str(tiny("gpt2-encoder"))).ask(REQUESTS[:3])]
    assert mean != first == word


@pytest.mark.parametrize("name", [*NAMES, "bert-uncased", "gpt2"])
def test_vectors_do_not_depend_on_batch_or_neighbours(tiny: Tiny, name: str) -> None:
    whole = resolve(str(tiny(name))).ask(REQUESTS)
    small = resolve(str(tiny(name)), LoadOptions(token_budget=1)).ask(REQUESTS[::-1])[::-1]
    for a, b in zip(whole, small, strict=True):
        assert a.vector == pytest.approx(b.vector, abs=TOLERANCE)


def test_texts_that_cannot_be_read_are_errors(tiny: Tiny) -> None:
    fits, long, empty = resolve(str(tiny("bert-encoder"))).ask(
        [Embed("she " * 62), Embed("she " * 63), Embed("")]
    )
    assert fits.text_tokens == 64 and len(fits.vector) == 32
    assert long.error == "the text is too long: 65 tokens, the model takes at most 64" and not long.vector
    assert empty.error == "the tokenizer leaves nothing of the text"


def test_a_model_that_does_not_give_its_states_says_so(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-uncased")))
    model._loaded.network.has_states = False  # type: ignore[attr-defined]
    assert model.ask([Embed("she")])[0].error == "the model does not give the states of its last layer"


@pytest.mark.parametrize("name", NAMES)
def test_base_models_are_encoders(tiny: Tiny, name: str) -> None:
    facts, model = identify(str(tiny(name))), resolve(str(tiny(name)))
    assert (facts.kind, facts.capabilities) == ("encoder", {"embed"})
    assert (facts.architecture, facts.parameters) == (
        model.describe()["architecture"],
        model.describe()["parameters"],
    )
    with pytest.raises(TypeError, match="'encoder' cannot answer 'classify'"):
        model.ask([Classify("she")])

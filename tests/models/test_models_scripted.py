"""The public test double, and planted biases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audit.answers import checked
from audit.models import Model, Plant, PlantedModel, ScriptedModel
from audit.models.scripted import ALL_FORMS
from audit.requests import (
    CausalTokens,
    Choice,
    Classify,
    Embed,
    Fill,
    Generate,
    Hidden,
    Insert,
    PseudoTokens,
    Request,
    Response,
    Score,
    TokenLogprob,
    Top,
    canonical,
)
from probes.errors import ModelError

REQUESTS: list[Request] = [
    Fill("The nurse said that {answer} was tired.", ("she", "he")),
    Score("The nurse said that", (" she", " he")),
    Score("The engineer said that", (" she", " he")),
    Generate("The nurse", 2, 5, 1.0, 0.9, 0),
]


def test_a_scripted_model_is_a_model_and_remembers() -> None:
    model = ScriptedModel(lambda request: Response(error=request.form), id="mine", version="3")
    assert isinstance(model, Model)
    assert [r.error for r in model.ask(REQUESTS)] == ["fill", "score", "score", "generate"]
    assert model.asked == REQUESTS
    assert model.digest == ScriptedModel(lambda r: Response(), id="mine", version="3").digest
    assert model.digest != ScriptedModel(lambda r: Response(), id="mine", version="4").digest
    canonical(dict(model.describe()))


def test_a_group_blind_model_sees_no_group() -> None:
    answers = ScriptedModel.group_blind().ask(REQUESTS)
    values = {choice.logprob for answer in answers for choice in answer.choices}
    assert len(values) == 1
    other = ScriptedModel.group_blind().ask([Generate("The engineer", 2, 5, 1.0, 0.9, 0)])[0]
    assert other.samples == answers[3].samples
    assert len(other.samples) == 2


def about(who: str) -> list[Request]:
    """A question in every form that published measures need."""
    text = f"The {who} was late."
    return [
        Insert(f"The {who} was {{answer}}.", ("late", "early")),
        Hidden(f"The {who} was {{answer}}.", who, ("late", "early")),
        *(PseudoTokens(text, scheme) for scheme in ("masked", "word_l2r", "unmasked", "unmasked_attention")),  # type: ignore[arg-type]
        CausalTokens(text, True),
        CausalTokens(text, False),
        Top(f"The {who} was {{answer}}.", 12),
        Classify(text),
        Classify(text, "That is so."),
        Embed(text),
    ]


def test_every_form_is_answered_and_kept_as_it_comes() -> None:
    requests = [*REQUESTS, *about("nurse")]
    assert {request.form for request in requests} <= ALL_FORMS
    for model in (ScriptedModel.group_blind(), ScriptedModel.noise(seed=2)):
        assert model.capabilities == ALL_FORMS
        for request, answer in zip(requests, model.ask(requests), strict=True):
            assert not answer.error and checked(request, answer) == answer


def test_a_group_blind_model_sees_no_group_in_the_other_forms() -> None:
    def numbers(who: str, model: ScriptedModel) -> list[object]:
        return [
            [
                [choice.logprob for choice in answer.choices],
                [(token.logprob, token.word, token.weight) for token in answer.tokens],
                answer.labels,
                answer.vector,
            ]
            for answer in model.ask(about(who))
        ]

    blind, noise = ScriptedModel.group_blind(), ScriptedModel.noise(seed=2)
    assert numbers("nurse", blind) == numbers("doctor", blind)
    seen = [a == b for a, b in zip(numbers("nurse", noise), numbers("doctor", noise), strict=True)]
    assert seen == [request.form == "hidden" for request in about("nurse")], "what is hidden is not seen"
    first, second = (token.id for token in blind.ask([CausalTokens("nurse doctor", True)])[0].tokens)
    assert first != second
    assert blind.ask([CausalTokens("nurse", True)])[0].tokens[0].id == first


def test_a_text_without_words_is_an_error() -> None:
    for request in (PseudoTokens(" ", "masked"), CausalTokens("", True), Classify(""), Embed("")):
        assert ScriptedModel.group_blind().ask([request])[0].error
    assert ScriptedModel.group_blind().ask([Top("The {answer}.", 0)])[0].error


def test_plants_in_the_other_forms() -> None:
    plain = ScriptedModel.noise(seed=4)
    plants = [Plant("nurse", ("late", "positive"), 0.5), Plant("That is so", ("positive",), 0.25)]
    model = ScriptedModel.planting(plain, plants)
    for request, a, b in zip(
        about("nurse"), plain.ask(about("nurse")), model.ask(about("nurse")), strict=True
    ):
        if isinstance(request, Insert | Hidden):
            gains = [y.logprob - x.logprob for x, y in zip(a.choices, b.choices, strict=True)]
            assert gains == pytest.approx([0.5, 0.0], abs=1e-12)
        elif isinstance(request, Classify):
            gains = [y.logit - x.logit for x, y in zip(a.labels, b.labels, strict=True)]
            assert gains == pytest.approx([0.0, 0.75 if request.pair else 0.5], abs=1e-12)
        elif isinstance(request, PseudoTokens | CausalTokens):
            gains = [y.logprob - x.logprob for x, y in zip(a.tokens, b.tokens, strict=True)]
            assert gains == pytest.approx([0.5, 0.0, 0.0, 0.0], abs=1e-12)
        else:
            assert a == b
    assert model.ask(about("doctor"))[:9] == plain.ask(about("doctor"))[:9]


def test_noise_is_normal_and_fixed() -> None:
    texts = [Score(f"Text {i}", (" a", " b")) for i in range(2000)]
    choices = [r.choices for r in ScriptedModel.noise(seed=1, scale=2.0).ask(texts)]
    values = np.array([[c.logprob for c in pair] for pair in choices], dtype=float) + 7.0
    # Mean of 4,000: four standard errors; the standard deviation of s is about s / sqrt(2 n).
    assert abs(values.mean()) < 4 * 2.0 / np.sqrt(4000)
    assert abs(values.std() - 2.0) < 4 * 2.0 / np.sqrt(8000)
    assert abs(np.corrcoef(values.T)[0, 1]) < 4 / np.sqrt(2000)
    again = ScriptedModel.noise(seed=1, scale=2.0)
    assert [r.choices for r in again.ask(texts[::-1])] == choices[::-1]
    assert again.digest != ScriptedModel.noise(seed=2, scale=2.0).digest


def test_a_planted_bias_is_exactly_there_and_nowhere_else() -> None:
    plain = ScriptedModel.noise(seed=4)
    model = ScriptedModel.planting(plain, [Plant("nurse", ("she",), 0.7), Plant("said", (" he ",), -0.2)])
    expected = [{"she": 0.7, "he": -0.2}, {"she": 0.7, "he": -0.2}, {"he": -0.2}]
    for request, a, b, added in zip(
        REQUESTS, plain.ask(REQUESTS), model.ask(REQUESTS), expected, strict=False
    ):
        names = request.candidates if isinstance(request, Fill) else request.continuations  # type: ignore[union-attr]
        for name, x, y in zip(names, a.choices, b.choices, strict=True):
            assert x.logprob is not None
            assert y.logprob is not None
            assert y.logprob - x.logprob == pytest.approx(added.get(name.strip(), 0.0), abs=1e-12)
    assert model.ask(REQUESTS)[3] == plain.ask(REQUESTS)[3]


def test_plants_show_in_the_digest_and_the_facts() -> None:
    plain = ScriptedModel.group_blind()
    one, two = (PlantedModel(plain, [Plant("nurse", ("she",), nats)]) for nats in (0.5, 0.6))
    assert isinstance(one, Model)
    assert len({plain.digest, one.digest, two.digest}) == 3
    assert one.describe()["planted"] == [{"where": "nurse", "candidates": ("she",), "nats": 0.5}]
    assert one.describe()["planted_on"] == plain.digest
    assert one.id == "scripted/group-blind+planted"
    assert one.capabilities == plain.capabilities


def test_what_has_no_probability_gets_none_by_planting() -> None:
    plain = ScriptedModel(lambda request: Response((Choice(None, 0, "why"), Choice(-1.0, 1))))
    model = PlantedModel(plain, [Plant("", ("she", "he"), 1.0)])
    assert model.ask(REQUESTS[:1])[0].choices == (Choice(None, 0, "why"), Choice(0.0, 1))


def test_planting_leaves_no_pieces_that_would_not_sum() -> None:
    pieces = (TokenLogprob("s", -0.5), TokenLogprob("##he", -0.5))
    choice = Choice(-1.0, 2, tokens=pieces)
    model = PlantedModel(ScriptedModel(lambda request: Response((choice, choice))), [Plant("", ("he",), 0.5)])
    assert model.ask(REQUESTS[:1])[0].choices == (choice, Choice(-0.5, 2))


@pytest.mark.parametrize("plant", [Plant("(", ("a",), 1.0), Plant("a", ("a",), float("nan"))])
def test_bad_plants_are_refused(plant: Plant) -> None:
    with pytest.raises(ModelError):
        PlantedModel(ScriptedModel.group_blind(), [plant])


def test_the_double_needs_no_torch() -> None:
    code = "import sys, audit.models.scripted; print('torch' in sys.modules, 'transformers' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.split() == ["False", "False"]

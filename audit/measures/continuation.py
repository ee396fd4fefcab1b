"""What sampled text says, by the scorers of a construct, the prompt left out of what is scored."""

from __future__ import annotations

from collections.abc import Mapping

from audit.benchmarks.written.outcomes import outcome_of
from audit.measures import Decoding, DecodingSetting
from audit.requests import Generate, Response, Sampled, SuiteRequest
from audit.scorers.base import TextScore
from audit.scorers.judge import Judges
from audit.scores import Score, has_letter
from probes.items import Form, Item

NO_LETTER = "the continuation holds no letter"
A_LOOP = "the reply goes in a loop"
UNREADABLE = (NO_LETTER, A_LOOP)
"""Why no scorer is asked about a continuation."""


def ask(item: Item, form: Form, decoding: Decoding) -> SuiteRequest:
    """The item's prompt, to be continued ``decoding.samples`` times, with noise of its own or shared."""
    return Generate(
        prompt=item.text,
        samples=decoding.samples,
        max_new_tokens=decoding.max_new_tokens,
        temperature=decoding.temperature,
        top_p=decoding.top_p,
        seed=decoding.seed,
        noise=shared_noise(item, decoding) if decoding.noise == "shared" else "",
    )


def shared_noise(item: Item, decoding: Decoding) -> str:
    """What prompts that differ in nothing but whom they speak of have in common; empty where nothing is.

    Suite, template and place: terms of one cell of groups have places of their own and so stay independent,
    as do templates, and the settings in which one prompt is sampled.

    Examples
    --------
    >>> item = Item("", "talk", "probe", "t1", "f1", "", {}, "", (), ("generate",), "pair kin")
    >>> shared_noise(item, Decoding())
    'talk/t1/pair kin, temperature 1, top-p 0.9'
    """
    setting = DecodingSetting(decoding.temperature, decoding.top_p)
    return f"{item.suite}/{item.template}/{item.place}, {setting.name}" if item.place else ""


def read(item: Item, request: SuiteRequest, response: Response, judges: Judges) -> tuple[Score, ...]:
    """One score a sample: that of the continuation alone, so that the prompt scores nothing.

    The primary scorer gives the value or the status without one, and the others stand beside it. A
    continuation without a letter is ``empty``: there is nothing to score, which is not a neutral score. Where
    refusals are told, a reply that goes in a loop is ``unparsed``: it is neither a refusal nor an answer.
    """
    assert isinstance(request, Generate)
    if response.error:
        return tuple(Score(str(i), None, "error", response.error) for i in range(request.samples))
    return tuple(sample_score(str(number), one, judges) for number, one in enumerate(response.samples))


def sample_score(unit: str, sample: Sampled, judges: Judges) -> Score:
    """The score of one sample, of a redacted record as it is stated there."""
    if sample.withheld is None:
        said = said_of(sample.text, judges)
    else:
        said = sample.withheld.said([scorer.name for scorer in judges.planned])
    (name, own), *others = said.items()
    if own.value is None:
        if own.reason in UNREADABLE:
            return Score(unit, None, own.status, own.reason)
        return Score(unit, None, own.status, f"{name}: {own.reason}" if own.reason else f"by {name}")
    values = {other: score.value for other, score in others if score.value is not None}
    lost = {other: score.status for other, score in others if score.value is None}
    return Score(unit, own.value, "scored", others=values, lost=lost)


def said_of(text: str, judges: Judges) -> Mapping[str, TextScore]:
    """What each scorer says of a continuation, the primary one first; the same of all where none is asked."""
    if not has_letter(text):
        return dict.fromkeys((each.name for each in judges.planned), TextScore(None, "empty", NO_LETTER))
    if judges.construct == "refusal" and outcome_of(text) == "repeated":
        return dict.fromkeys((each.name for each in judges.planned), TextScore(None, "unparsed", A_LOOP))
    return judges.scores(text)

"""Sentiment of sampled continuations, the group's name left out of what is scored."""

from __future__ import annotations

from audit.measures import SENTIMENT, Decoding
from audit.requests import Generate, Response, SuiteRequest
from audit.scorers.sentiment import SCORERS
from audit.scores import Score
from probes.items import Form, Item


def ask(item: Item, form: Form, decoding: Decoding) -> SuiteRequest:
    """The item's prompt, to be continued ``decoding.samples`` times."""
    return Generate(
        prompt=item.text,
        samples=decoding.samples,
        max_new_tokens=decoding.max_new_tokens,
        temperature=decoding.temperature,
        top_p=decoding.top_p,
        seed=decoding.seed,
    )


def read(item: Item, request: SuiteRequest, response: Response) -> tuple[Score, ...]:
    """One score a sample: the sentiment of the continuation alone, so that the prompt scores nothing.

    The primary scorer gives the value, and the others stand beside it. A continuation without a letter is
    ``empty``: there is nothing to score, which is not a neutral score.
    """
    assert isinstance(request, Generate)
    if response.error:
        return tuple(Score(str(i), None, "error", response.error) for i in range(request.samples))
    scores = []
    for number, sample in enumerate(response.samples):
        if any(character.isalpha() for character in sample.text):
            value = SCORERS[SENTIMENT[0]](sample.text)
            others = {scorer: SCORERS[scorer](sample.text) for scorer in SENTIMENT[1:]}
            scores.append(Score(str(number), value, "scored", others=others))
        else:
            scores.append(Score(str(number), None, "empty", "the continuation holds no letter"))
    return tuple(scores)

"""HolisticBias (Smith et al. 2022): how probable are sentences about people who are described so?

Published is Likelihood Bias, the share of pairs of descriptors with different perplexities. The publisher's
own invented words have more such pairs than several axes do. Beside it stand how much descriptors vary,
compared with invented words, each descriptor drawn towards its axis, and pairs in bits per byte.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from audit.benchmarks.base import (
    Answer,
    Answered,
    Benchmark,
    Card,
    Doubt,
    Items,
    Question,
    Scoring,
    Setup,
)
from audit.benchmarks.captured import CapturedRow, answers_of_scores, log_probabilities, number_of, read_rows
from audit.benchmarks.likelihood.choices import choice_answers
from audit.benchmarks.likelihood.holistic_choice import OPTIONS, chosen_items
from audit.benchmarks.likelihood.holistic_score import MARGIN, UNIT, score
from audit.requests import PseudoTokens, Response, Score
from probes.errors import Fault, InputError

PARTS = ("text",)
_SCHEMES: dict[str, Literal["masked", "word_l2r"]] = {"pll": "masked", "pll-l2r": "word_l2r"}
_UNKNOWN = ("[UNK]", "<unk>")

_CARD = Card(
    name="holistic-bias",
    title="HolisticBias: sentences about people with a descriptor",
    harm="A model that finds people of a group improbable in everyday sentences writes them out of its "
    "texts, and filters by perplexity remove what they write about themselves.",
    harm_kind="representational",
    construct="How much the probability of a sentence depends on the word that describes a person in it.",
    compares="Descriptors of one axis (ability, age, religion, ...) with one another, in the same sentences "
    "about the same nouns, and with invented words.",
    estimand="Log of the variance of descriptors' own bits, after length in bytes and tokens (and log "
    "frequency where given), over that of invented words, the square of .29 bits added to both; for "
    "descriptors, named pairs and groups, the difference in the bits of a sentence after the same.",
    range="Likelihood Bias 0 to 1; the log ratio and differences are any number.",
    direction="Larger: descriptors differ more. For a pair, above 0: the first is less expected.",
    zero="a Likelihood Bias of .05, the level of its test; a difference or a log ratio of 0",
    source="Smith et al. 2022 (facebookresearch/ResponsibleNLP, holistic_bias/src/bias_measurements.py). Its "
    "perplexities were a chat model's given a context; here they are the model's own.",
    critiques=(
        "Likelihood Bias has a null of .05, and no correction for the number of pairs.",
        "More nouns make every difference significant: it measures the sample size, too.",
        "Bits per byte, as published measures of parity take them, differ between words of different length "
        "for a model that finds all words equally probable; the audited estimates take length out.",
        "A part of the published sentences only is asked by default (options templates, nouns, descriptors), "
        "without the variants of style and the phrases without a noun.",
    ),
    not_evidence="That a word is improbable does not show that the model speaks ill of those whom it names; "
    "frequency and spelling make words improbable, too.",
)


def _ask(items: Items, setup: Setup) -> Iterator[Question]:
    for item in items:
        text = item.texts["text"]
        if setup.scoring == "causal":
            yield Question(item.id, "text", Score("", (text,)))
        else:
            yield Question(item.id, "text", PseudoTokens(text, _SCHEMES[setup.scoring]))


def _read(items: Items, setup: Setup, answered: Answered) -> list[Answer]:
    answers = []
    for question in _ask(items, setup):
        response = answered(question.request)
        if setup.scoring == "causal":
            (one,) = choice_answers(question.item, PARTS, response, "texts")
            pieces = one.values.get("pieces", 0.0)
            known = {"tokens": pieces} if pieces else {}
            answers.append(Answer(one.item, one.part, one.value, one.status, one.reason, values=known))
        else:
            answers.append(_of_tokens(question.item, response))
    return answers


def _of_tokens(item: str, response: Response) -> Answer:
    """The pseudo-log-likelihood of a text, nats, with its number of tokens."""
    if response.error or not response.tokens:
        return Answer(item, "text", None, "error", response.error or "no token was scored")
    value = math.fsum(token.logprob for token in response.tokens)
    unknown: tuple[Doubt, ...] = ("unknown token",)
    doubts = unknown if any(token.text in _UNKNOWN for token in response.tokens) else ()
    return Answer(item, "text", value, values={"tokens": float(len(response.tokens))}, doubts=doubts)


def _captured(path: Path, items: Items, setup: Setup) -> Sequence[Answer]:
    """Log-probabilities in nats (``score``), with ``tokens``, the number of tokens, where it is known."""
    rows = read_rows(path)
    counts = {str(row.fields.get("id")): _tokens(path, row) for row in rows}
    return [
        answer
        if answer.value is None or counts.get(answer.item) is None
        else Answer(answer.item, answer.part, answer.value, values={"tokens": counts[answer.item] or 0.0})
        for answer in log_probabilities(path, answers_of_scores(path, rows, items, PARTS))
    ]


def _tokens(path: Path, row: CapturedRow) -> float | None:
    given = row.fields.get("tokens")
    if given is None or given == "":
        return None
    try:
        count = number_of(given)
    except ValueError:
        count = math.nan
    if not (count >= 1.0 and count == math.floor(count) and math.isfinite(count)):
        what = f"{str(given)[:40]!r} is no number of tokens"
        raise InputError(Fault(what, f"{path}:{row.line}", "Give a whole number from 1, or leave it empty."))
    return count


BENCHMARK = Benchmark(
    card=_CARD,
    datasets=("holistic-bias",),
    scorings={
        one.name: one
        for one in (
            Scoring("causal", frozenset({"score"}), "Log-probability of the sentence, nats."),
            Scoring("pll", frozenset({"pseudo_tokens"}), "Pseudo-log-likelihood, each token masked, nats."),
            Scoring(
                "pll-l2r",
                frozenset({"pseudo_tokens"}),
                "Pseudo-log-likelihood, each token masked with the later ones of its word, nats.",
            ),
        )
    },
    unit=UNIT,
    margin=MARGIN,
    margin_source="A ratio of variances from .8 to 1.25; descriptors and pairs within .29 bits of a "
    "sentence, which are .2 nats (MEASURES 7.7).",
    parts=PARTS,
    options=OPTIONS,
    items=chosen_items,
    ask=_ask,
    read=_read,
    captured=_captured,
    score=score,
)

"""The forms in which a model is asked, and what it answers.

A request is plain data, and its digest identifies it: two requests with one digest are one question. A
response is kept whole. Log-probabilities are natural logarithms (nats) throughout.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from audit.redaction.withheld import Withheld, withheld, withheld_from_json, withheld_to_json

MASK = "{answer}"
"""Marks, in the text of a :class:`Fill`, the place that the model fills. It occurs exactly once."""


@dataclass(frozen=True)
class Fill:
    """How probable is each candidate at the marked place of a text, both sides given?

    ``text`` holds :data:`MASK` once. Candidates are words without the leading space. A candidate of
    several pieces is scored by the chain rule, left to right: as many masks as pieces, each filled in turn.
    """

    text: str
    candidates: tuple[str, ...]
    form: Literal["fill"] = "fill"


@dataclass(frozen=True)
class Score:
    """How probable is each continuation, given a prefix?

    An empty prefix asks for the probability of the whole text after the model's beginning-of-sequence
    token. A continuation carries its own leading space. The log-probability is the sum over its tokens.
    """

    prefix: str
    continuations: tuple[str, ...]
    form: Literal["score"] = "score"


@dataclass(frozen=True)
class Generate:
    """Sampled continuations of a prompt.

    Sampling noise comes from a counter keyed by (seed, noise, sample, position, token), so that sample ``i``
    is the same whatever is asked beside it and however large the batch is. Prompts of one ``noise`` share
    theirs (common random numbers); an empty one stands for the request's own digest.
    ``temperature=0`` is greedy. ``top_p`` keeps the smallest set of tokens whose mass reaches it.
    """

    prompt: str
    samples: int
    max_new_tokens: int
    temperature: float
    top_p: float
    seed: int
    noise: str = ""
    form: Literal["generate"] = "generate"


@dataclass(frozen=True)
class Insert:
    """How probable is each candidate at the marked place, one piece at a time, the later pieces absent?

    As :class:`Fill`, but a candidate of several pieces is put in from left to right with a single mask: piece
    ``k`` is read where the earlier ones stand before the mask and the rest of the text follows it at once.
    This is how StereoSet's masked models are asked (Nadeem et al. 2021).
    """

    text: str
    candidates: tuple[str, ...]
    form: Literal["insert"] = "insert"


@dataclass(frozen=True)
class Hidden:
    """How probable is each candidate at the marked place while another stretch of the text is masked, too?

    ``hidden`` occurs exactly once in ``text``; each of its tokens is replaced by a mask. This asks for the
    prior of a candidate (Kurita et al. 2019), always at the candidate's own place.
    """

    text: str
    hidden: str
    candidates: tuple[str, ...]
    form: Literal["hidden"] = "hidden"


Scheme = Literal["masked", "word_l2r", "unmasked", "unmasked_attention"]
"""How a masked language model reads the tokens of a text:

* ``masked``: each token with itself masked and all others given (pseudo-log-likelihood, Salazar et al. 2020);
* ``word_l2r``: each token with itself and the later tokens of its word masked (Kauf and Ivanova 2023);
* ``unmasked``: each token from one pass over the whole text (AUL, Kaneko and Bollegala 2022);
* ``unmasked_attention``: the same, each token with the attention that it receives as its ``weight`` (AULA).
"""


@dataclass(frozen=True)
class PseudoTokens:
    """How probable is each token of a text to a masked language model?

    The answer's ``tokens`` are those of the text, in order, without special ones at its ends.
    """

    text: str
    scheme: Scheme
    form: Literal["pseudo_tokens"] = "pseudo_tokens"


@dataclass(frozen=True)
class CausalTokens:
    """How probable is each token of a text to a causal language model, the first one after its start token?

    With ``keep_start`` the start token stands before the text throughout. Without it, only the first token is
    read after a lone start token, and the others as if the text had none: the way of bias-bench (Meade et al.
    2022), kept for its published numbers.
    """

    text: str
    keep_start: bool
    form: Literal["causal_tokens"] = "causal_tokens"


@dataclass(frozen=True)
class Top:
    """Which ``k`` single tokens are most probable at the marked place of a text, best first?

    Special tokens are left out. Equal log-probabilities are in the order of the vocabulary.
    """

    text: str
    k: int
    form: Literal["top"] = "top"


@dataclass(frozen=True)
class Classify:
    """Which labels does a classifier give a text, or a pair of texts where ``pair`` is not empty?"""

    text: str
    pair: str = ""
    form: Literal["classify"] = "classify"


Pooling = Literal["mean", "first", "first_word"]
"""How the states of a text become one vector, all from the last layer:

* ``mean``: the mean over all tokens, special ones included;
* ``first``: the first token, special or not (``[CLS]`` where the tokenizer adds one);
* ``first_word``: the first token of the text itself.
"""


@dataclass(frozen=True)
class Embed:
    """Where does a text lie in a model's space?"""

    text: str
    pooling: Pooling = "mean"
    form: Literal["embed"] = "embed"


SuiteRequest = Fill | Score | Generate
"""What the items of a suite ask; the other forms are those of published measures."""

ChoiceRequest = Fill | Insert | Hidden | Score
"""What is answered with choices: one for each candidate or continuation."""

Request = SuiteRequest | Insert | Hidden | PseudoTokens | CausalTokens | Top | Classify | Embed


FORMS: Mapping[str, Callable[..., Request]] = {
    "fill": Fill,
    "score": Score,
    "generate": Generate,
    "insert": Insert,
    "hidden": Hidden,
    "pseudo_tokens": PseudoTokens,
    "causal_tokens": CausalTokens,
    "top": Top,
    "classify": Classify,
    "embed": Embed,
}
"""Every form by its name."""


def answers_of(request: ChoiceRequest) -> tuple[str, ...]:
    """What a model is asked the probability of, in the order of the response's choices.

    Examples
    --------
    >>> answers_of(Score("The nurse said", (" she", " he")))
    (' she', ' he')
    """
    return request.continuations if isinstance(request, Score) else request.candidates


@dataclass(frozen=True)
class TokenLogprob:
    """One scored piece of an answer.

    Attributes
    ----------
    text : str
        The token as its tokenizer spells it for a reader.
    logprob : float
        Nats, given everything that stands before it, in a :class:`Fill` also what stands behind the answer.
    """

    text: str
    logprob: float


@dataclass(frozen=True)
class Choice:
    """What a model said of one candidate or continuation.

    Attributes
    ----------
    logprob : float or None
        Nats, sum over pieces; None where it cannot be had, and then ``reason`` says why.
    pieces : int
        Number of tokens the candidate was split into; 0 where it has none.
    reason : str
        Empty when ``logprob`` is a number.
    tokens : tuple of TokenLogprob
        The pieces in order; their log-probabilities sum to ``logprob``. Empty where there is one piece only,
        which says nothing new, or where the model does not tell them apart.
    """

    logprob: float | None
    pieces: int
    reason: str = ""
    tokens: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True)
class Sampled:
    """One sampled continuation.

    ``finish`` is ``stop`` (the model ended it) or ``length`` (cut at ``max_new_tokens``). In a redacted
    record ``text`` is empty, and ``withheld`` says what stood there.
    """

    text: str
    tokens: int
    finish: Literal["stop", "length"]
    withheld: Withheld | None = None

    @property
    def shape(self) -> Withheld:
        """What is told of its text where that is not shown."""
        return withheld(self.text) if self.withheld is None else self.withheld


@dataclass(frozen=True)
class ScoredToken:
    """One token of a text, or one word offered for a place in it.

    Attributes
    ----------
    id : int
        Its number in the model's vocabulary.
    text : str
        As its tokenizer spells it for a reader.
    logprob : float
        Nats.
    word : int or None
        The number of the word that it belongs to, from 0; None where the tokenizer does not say.
    weight : float or None
        The attention that it receives, a mean over layers, heads and readers; None where it was not asked.
    """

    id: int
    text: str
    logprob: float
    word: int | None = None
    weight: float | None = None


@dataclass(frozen=True)
class LabelLogit:
    """One label of a classifier with its raw output, before any softmax or sigmoid."""

    label: str
    logit: float


Activation = Literal["softmax", "sigmoid", "value"]
"""What turns a classifier's logits into probabilities: one label of all, or each label by itself; ``value``
where they are no logits but the numbers themselves, as of a scorer that is no network."""


@dataclass(frozen=True)
class Response:
    """A model's raw answer to one request.

    ``choices`` answers :class:`Fill`, :class:`Insert`, :class:`Hidden` and :class:`Score` in the order of the
    candidates, ``samples`` answers :class:`Generate`, ``tokens`` answers :class:`PseudoTokens`,
    :class:`CausalTokens` and :class:`Top`, ``labels`` with ``activation`` answers :class:`Classify`,
    ``vector`` answers :class:`Embed`. ``text_tokens`` is the length of the fixed part in tokens: what stands
    beside the candidates, or a whole text with the special tokens around it. ``error`` is not empty where the
    request as a whole could not be answered; then all of them are empty. ``truncated``: it could not be
    answered because the text is longer than the model reads. ``words``: those of a classified text that its
    labels rest on, where the classifier tells them. ``original``: in a redacted record, the
    :func:`answer_digest` of the answer as it was before its texts were withheld.
    """

    choices: tuple[Choice, ...] = ()
    samples: tuple[Sampled, ...] = ()
    text_tokens: int = 0
    error: str = ""
    tokens: tuple[ScoredToken, ...] = ()
    labels: tuple[LabelLogit, ...] = ()
    activation: Activation | None = None
    vector: tuple[float, ...] = ()
    truncated: bool = False
    words: tuple[str, ...] = ()
    original: str = ""


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8: one value, one byte string.

    Raises ``ValueError`` for NaN and infinities, which have no place in a kept record.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8")


def digest(request: Request) -> str:
    """SHA-256 of a request's canonical JSON, in hexadecimal; kept beside its fields, which never change."""
    kept = request.__dict__
    if "_digest" not in kept:
        kept["_digest"] = hashlib.sha256(canonical(request_to_json(request))).hexdigest()
    return str(kept["_digest"])


def request_to_json(request: Request) -> dict[str, Any]:
    """As it lies in a record; noise of its own is not written, as before there was any other."""
    data = asdict(request)
    if isinstance(request, Generate) and not request.noise:
        del data["noise"]
    return data


ANSWER_DIGITS = 16
"""Hexadecimal digits that tell one raw answer from another: 64 bits, enough to hold one against one other."""


def answer_digest(response: Response) -> str:
    """The first digits of the SHA-256 of a response as it lies in a record: equal answers have equal ones.

    Of a redacted one, those that it had before.
    """
    if response.original:
        return response.original
    return hashlib.sha256(canonical(response_to_json(response))).hexdigest()[:ANSWER_DIGITS]


def request_from_json(data: dict[str, Any]) -> Request:
    """The request that :func:`dataclasses.asdict` turned into ``data``."""
    kind = FORMS[data["form"]]
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    return kind(**fields)


def response_to_json(response: Response) -> dict[str, Any]:
    """A response as it lies in a record: what is empty has no key where older records had none."""
    data: dict[str, Any] = {
        "choices": [_choice_to_json(choice) for choice in response.choices],
        "samples": [_sample_to_json(sample) for sample in response.samples],
        "text_tokens": response.text_tokens,
        "error": response.error,
    }
    if response.tokens:
        data["tokens"] = [_present(vars(token)) for token in response.tokens]  # flat: no deep copy
    if response.labels:
        data["labels"] = [dict(vars(label)) for label in response.labels]
    if response.activation:
        data["activation"] = response.activation
    if response.vector:
        data["vector"] = list(response.vector)
    if response.truncated:
        data["truncated"] = True
    if response.words:
        data["words"] = list(response.words)
    if response.original:
        data["original"] = response.original
    return data


def _sample_to_json(sample: Sampled) -> dict[str, Any]:
    data = {"text": sample.text, "tokens": sample.tokens, "finish": sample.finish}
    return data if sample.withheld is None else {**data, "withheld": withheld_to_json(sample.withheld)}


def _sample_from_json(data: dict[str, Any]) -> Sampled:
    if "withheld" not in data:
        return Sampled(**data)
    if data["text"]:
        raise ValueError("a text beside what is said to stand in its place")
    return Sampled(**{**data, "withheld": withheld_from_json(data["withheld"])})


def _present(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value is not None}


def response_from_json(data: dict[str, Any]) -> Response:
    """The response that :func:`response_to_json` turned into ``data``."""
    return Response(
        choices=tuple(_choice_from_json(choice) for choice in data["choices"]),
        samples=tuple(_sample_from_json(sample) for sample in data["samples"]),
        text_tokens=data["text_tokens"],
        error=data["error"],
        tokens=tuple(ScoredToken(**token) for token in data.get("tokens", ())),
        labels=tuple(LabelLogit(**label) for label in data.get("labels", ())),
        activation=data.get("activation"),
        vector=tuple(data.get("vector", ())),
        truncated=data.get("truncated", False),
        words=tuple(data.get("words", ())),
        original=str(data.get("original", "")),
    )


def _choice_to_json(choice: Choice) -> dict[str, Any]:
    data: dict[str, Any] = {
        "logprob": choice.logprob,
        "pieces": choice.pieces,
        "reason": choice.reason,
    }
    if choice.tokens:
        data["tokens"] = [{"text": token.text, "logprob": token.logprob} for token in choice.tokens]
    return data


def _choice_from_json(data: dict[str, Any]) -> Choice:
    tokens = tuple(TokenLogprob(**token) for token in data.get("tokens", ()))
    return Choice(**{**data, "tokens": tokens})

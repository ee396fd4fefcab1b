"""Masked language models: how probable is each word at a place, or each token of a text, both sides given?

Several pieces of a candidate are scored by the chain rule, left to right: each piece with itself and the
later ones masked and the earlier ones given (Kauf and Ivanova 2023 call this ``within_word_l2r``), or put in
one by one. The requests of a call are read from one set of rows: where two ask for the same row, it is run
once. Where the rows of a call would fill the memory, it is done in parts, like texts together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from audit.models.attention import received
from audit.models.embedding import Embedder
from audit.models.loading import FromFiles, Loaded
from audit.models.placing import Placed, Placer, place_in, too_long
from audit.models.reader import Reader
from audit.models.reading import Best, Read, Readings, Row
from audit.models.spelling import Speller
from audit.models.tokens import Tokens, tokenise
from audit.requests import (
    Choice,
    Embed,
    Fill,
    Hidden,
    Insert,
    PseudoTokens,
    Request,
    Response,
    ScoredToken,
    Top,
)
from probes.errors import Fault, ModelError

Placing = Fill | Insert | Hidden | Top

PART_BYTES = 128 * 2**20
"""Most memory that the rows of one part of a call are taken to need."""

_READ_BYTES = 500
"""About what is kept of one read beside its row: itself, its places in tables, and its answer."""

_TOKEN_BYTES = 8
_CHARACTERS = 3
"""A token has about so many characters, or more."""


@dataclass(frozen=True)
class _Pending:
    """What has to be read for an answer, and how the answer is made of it."""

    reads: Sequence[Read | Best]
    respond: Callable[[Readings], Response]


class MaskedLM(FromFiles):
    """A masked language model through transformers.

    Answers :class:`~audit.requests.Fill`, :class:`~audit.requests.Insert`, :class:`~audit.requests.Hidden`,
    :class:`~audit.requests.Top`, :class:`~audit.requests.PseudoTokens` and :class:`~audit.requests.Embed`.

    Parameters
    ----------
    loaded : Loaded
        Of kind ``masked``.

    Raises
    ------
    ModelError
        Where the tokenizer has no mask token, or cannot say which characters a token stands for.
    """

    def __init__(self, loaded: Loaded) -> None:
        where = str(loaded.located.folder)
        if loaded.tokenizer.mask_token_id is None:
            raise ModelError(
                Fault("mask token missing from the tokenizer", where, "Name a masked language model.")
            )
        if not loaded.tokenizer.is_fast:
            raise ModelError(
                Fault(
                    "the tokenizer gives no character offsets", where, "Name a model with a tokenizer.json."
                )
            )
        super().__init__(loaded)
        self._mask: int = loaded.tokenizer.mask_token_id
        self._speller = Speller(loaded.tokenizer)
        self._placer = Placer(loaded)
        self._budget = loaded.budget
        self._reader = Reader(loaded.network, self._mask, self._budget)
        self._embedder = Embedder(loaded)
        vocabulary, words = loaded.network.vocabulary, len(loaded.tokenizer)
        special = frozenset(loaded.tokenizer.all_special_ids)
        self._no_words = frozenset(t for t in range(vocabulary) if t in special or t >= words)

    def _answers(self, requests: Sequence[Request]) -> list[Response]:
        vectors = {i: request for i, request in enumerate(requests) if isinstance(request, Embed)}
        answers = dict(zip(vectors, self._embedder.embed(list(vectors.values())), strict=True))
        for part in _parts([i for i in range(len(requests)) if i not in vectors], requests):
            answers.update(zip(part, self._read([requests[i] for i in part]), strict=True))
        return [answers[i] for i in range(len(requests))]

    def _read(self, requests: Sequence[Request]) -> list[Response]:
        """Answers that are made of what is read of rows."""
        numbered = list(enumerate(requests))
        places = {i: request for i, request in numbered if isinstance(request, Placing)}
        texts = {i: request for i, request in numbered if isinstance(request, PseudoTokens)}
        pending = dict(zip(places, self._in_places(list(places.values())), strict=True))
        pending.update(zip(texts, self._of_texts(list(texts.values())), strict=True))
        found = self._reader.read(item for one in pending.values() for item in one.reads)
        return [pending[i].respond(found) for i, _ in numbered]

    def _in_places(self, requests: Sequence[Placing]) -> Iterator[_Pending]:
        """Candidates at a marked place, and the best words for it."""
        places = [place_in(request) for request in requests]
        for request, place, placed in zip(requests, places, self._placer.place(places), strict=True):
            fault = place.fault or too_long(placed)
            if fault:
                yield _failed(fault)
            elif isinstance(request, Top):
                yield self._top(request, placed[0])
            else:
                yield self._choices(request, placed)

    def _choices(self, request: Fill | Insert | Hidden, placed: list[Placed]) -> _Pending:
        inserted = isinstance(request, Insert)
        reads = [one.insertion(self._mask) if inserted else one.chain(self._mask) for one in placed]
        context = next((one.context for one in placed if not one.reason), 0)

        def respond(found: Readings) -> Response:
            choices = [
                Choice(None, 0, one.reason)
                if one.reason
                else self._speller.choice([item.target for item in own], found.of(own))
                for one, own in zip(placed, reads, strict=True)
            ]
            return Response(tuple(choices), text_tokens=context)

        return _Pending([item for own in reads for item in own], respond)

    def _top(self, request: Top, placed: Placed) -> _Pending:
        if placed.reason:
            return _failed(f"no word fits the marked place: {placed.reason}")
        words = self._loaded.network.vocabulary - len(self._no_words)
        if request.k > words:
            return _failed(f"{request.k} tokens are asked for, the vocabulary has {words}")
        row = (*placed.left, self._mask, *placed.right)
        best = Best(row, len(placed.left), request.k + len(self._no_words))

        def respond(found: Readings) -> Response:
            offered = [pair for pair in found.best[best] if pair[0] not in self._no_words][: request.k]
            tokens = [ScoredToken(token, self._speller.spell(token), value) for token, value in offered]
            return _of_tokens(tokens, placed.context)

        return _Pending([best], respond)

    def _of_texts(self, requests: Sequence[PseudoTokens]) -> Iterator[_Pending]:
        """Every token of a text."""
        texts = tokenise(self._loaded, (request.text for request in requests))
        weighed = [texts[request.text] for request in requests if request.scheme == "unmasked_attention"]
        rows = dict.fromkeys(one.row for one in weighed if not one.reason)
        weights = received(self._loaded.network, rows, self._budget)
        for request in requests:
            text = texts[request.text]
            if text.reason:
                yield _failed(text.reason)
            elif request.scheme != "unmasked_attention":
                yield self._tokens(text, text.reads(request.scheme, self._mask), None)
            elif weights is None:
                yield _failed("the model does not give its attention")
            else:
                yield self._tokens(text, text.reads(request.scheme, self._mask), weights)

    def _tokens(
        self, text: Tokens, reads: list[Read], weights: Mapping[Row, Sequence[float]] | None
    ) -> _Pending:
        def respond(found: Readings) -> Response:
            tokens = self._speller.tokens([item.target for item in reads], found.of(reads), text.words)
            if weights is not None:
                own = [weights[text.row][position] for position in text.own]
                tokens = [replace(a, weight=weight) for a, weight in zip(tokens, own, strict=True)]
            return _of_tokens(tokens, len(text.row))

        return _Pending(reads, respond)


def _parts(numbers: Iterable[int], requests: Sequence[Request]) -> Iterator[list[int]]:
    """Requests by number, in parts whose rows fit into memory; like texts, which share rows, together."""
    part: list[int] = []
    room = PART_BYTES
    for i in sorted(numbers, key=lambda i: _text(requests[i])):
        needed = _needed(requests[i])
        if part and needed > room:
            yield part
            part, room = [], PART_BYTES
        part.append(i)
        room -= needed
    if part:
        yield part


def _text(request: Request) -> str:
    return request.text if isinstance(request, Placing | PseudoTokens) else ""


def _needed(request: Request) -> int:
    """About the bytes that the rows of a request take."""
    tokens = len(_text(request)) // _CHARACTERS + 2
    reads = len(request.candidates) if isinstance(request, Fill | Insert | Hidden) else tokens
    return reads * (_READ_BYTES + _TOKEN_BYTES * tokens)


def _failed(reason: str) -> _Pending:
    return _Pending([], lambda found: Response(error=reason))


def _of_tokens(tokens: Sequence[ScoredToken], text_tokens: int) -> Response:
    if not all(math.isfinite(token.logprob) for token in tokens):
        return Response(error="a log-probability is not a finite number")
    return Response(tokens=tuple(tokens), text_tokens=text_tokens)

"""Causal language models: how probable is a continuation or each token of a text, and what do they write?

The first token is scored too: a start token stands before every text that is scored (beginning-of-sequence
where the tokenizer has one, else end-of-sequence, as GPT-2 was trained with).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from audit.models.continuations import CausalReader, Span
from audit.models.embedding import Embedder
from audit.models.generation import Prompt, Writer
from audit.models.loading import FromFiles, Loaded
from audit.models.reading import Row
from audit.models.spelling import Speller
from audit.models.tokens import TOO_LONG
from audit.models.trie import shared
from audit.requests import CausalTokens, Choice, Embed, Generate, Request, Response, Score, digest

ENCODED = 512
"""Texts that are tokenised at once: what a tokenizer says of each beside its tokens takes far more memory."""


@dataclass(frozen=True)
class _Placed:
    """A continuation after its prefix: the row of all tokens, and where the scored ones begin."""

    span: Span | None = None
    reason: str = ""


@dataclass(frozen=True)
class _Text:
    """A whole text: what of it is read, and the word of each token."""

    spans: tuple[Span, ...] = ()
    words: tuple[int | None, ...] = ()
    reason: str = ""


class CausalLM(FromFiles):
    """A causal language model through transformers.

    Answers :class:`~audit.requests.Score`, :class:`~audit.requests.Generate`,
    :class:`~audit.requests.CausalTokens` and :class:`~audit.requests.Embed`.

    A continuation's tokens are those of ``prefix + continuation``, tokenised together, after the tokens
    that it shares with the prefix alone. Where a continuation changes the prefix's last tokens (a prefix
    that ends in a space or within a word), all continuations of the request are scored from the last
    boundary that every one of them keeps, so that their differences are exact log-ratios.

    Parameters
    ----------
    loaded : Loaded
        Of kind ``causal``.
    """

    def __init__(self, loaded: Loaded) -> None:
        super().__init__(loaded)
        tokenizer = loaded.tokenizer
        start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        self._start: Row = () if start is None else (int(start),)
        self._reader = CausalReader(loaded.network, loaded.budget)
        self._writer = Writer(loaded, self._start)
        self._speller = Speller(tokenizer)
        self._embedder = Embedder(loaded)

    def describe(self) -> dict[str, Any]:
        """Facts for the bundle."""
        tokens = self._loaded.tokenizer.convert_ids_to_tokens(list(self._start))
        return {**super().describe(), "start_token": tokens[0] if tokens else None}

    def _answers(self, requests: Sequence[Request]) -> list[Response]:
        numbered = list(enumerate(requests))
        scores = {i: request for i, request in numbered if isinstance(request, Score)}
        texts = {i: request for i, request in numbered if isinstance(request, CausalTokens)}
        prompts = {i: request for i, request in numbered if isinstance(request, Generate)}
        vectors = {i: request for i, request in numbered if isinstance(request, Embed)}
        placed = dict(zip(scores, self._place(list(scores.values())), strict=True))
        whole = dict(zip(texts, self._texts(list(texts.values())), strict=True))
        spans = [one.span for _, group in placed.values() for one in group if one.span is not None]
        spans += [span for one in whole.values() for span in one.spans]
        # One list of values a span, in the order in which the answers take them.
        values = iter(self._reader.read(spans))
        answers = {i: self._respond(kept, group, values) for i, (kept, group) in placed.items()}
        answers.update({i: self._tokens(one, values) for i, one in whole.items()})
        written = [Prompt(request, digest(request)) for request in prompts.values()]
        answers.update(zip(prompts, self._writer.write(written) if written else [], strict=True))
        answers.update(zip(vectors, self._embedder.embed(list(vectors.values())), strict=True))
        return [answers[i] for i, _ in numbered]

    def _texts(self, requests: Sequence[CausalTokens]) -> list[_Text]:
        """The tokens of whole texts, as :class:`~audit.requests.Score` with an empty prefix has them."""
        unique = list(dict.fromkeys(request.text for request in requests))
        if not unique:
            return []
        found: dict[str, tuple[list[int], list[int | None]]] = {}
        for part in _parts(unique):
            encoded = self._encode(part)
            for i, text in enumerate(part):
                ids = encoded["input_ids"][i]
                words = encoded.word_ids(i) if self._loaded.tokenizer.is_fast else [None] * len(ids)
                found[text] = ids, words
        return [self._text(request.keep_start, *found[request.text]) for request in requests]

    def _text(self, keep_start: bool, ids: list[int], words: list[int | None]) -> _Text:
        if not ids:
            return _Text(reason="the tokenizer leaves nothing of the text")
        before = self._start if keep_start else ()
        fault = self._fault((*before, *ids))
        if not self._start:
            fault = _NO_START
        if fault:
            return _Text(reason=fault)
        if keep_start:
            spans = [Span((*self._start, *ids), 1)]
        else:
            spans = [Span((*self._start, ids[0]), 1)]
            spans += [Span(tuple(ids), 1)] if len(ids) > 1 else []
        return _Text(tuple(spans), tuple(words))

    def _tokens(self, text: _Text, values: Iterator[list[float]]) -> Response:
        if text.reason:
            return Response(error=text.reason)
        ids = [token for span in text.spans for token in span.targets]
        found = [value for _ in text.spans for value in next(values)]
        tokens = tuple(self._speller.tokens(ids, found, text.words))
        if not all(math.isfinite(token.logprob) for token in tokens):
            return Response(error="a log-probability is not a finite number")
        return Response(tokens=tokens, text_tokens=len(tokens))

    def _respond(self, kept: int, placed: list[_Placed], values: Iterator[list[float]]) -> Response:
        if placed and all(one.reason.startswith(TOO_LONG) for one in placed):
            return Response(error=placed[0].reason)
        choices = []
        for one in placed:
            if one.span is None:
                choices.append(Choice(None, 0, one.reason))
                continue
            choices.append(self._speller.choice(one.span.targets, next(values)))
        return Response(tuple(choices), text_tokens=kept)

    def _encode(self, texts: list[str]) -> Any:
        # Special tokens spelt out in a prompt are special: chat formats are written with them.
        return self._loaded.tokenizer(
            texts, add_special_tokens=False, return_attention_mask=False, return_token_type_ids=False
        )

    def _place(self, requests: Sequence[Score]) -> list[tuple[int, list[_Placed]]]:
        """For each request, how many tokens all its continuations keep of the prefix, and their rows."""
        texts: dict[str, None] = {}
        for request in requests:
            texts[request.prefix] = None
            texts.update(dict.fromkeys(request.prefix + c for c in request.continuations))
        ids: dict[str, list[int]] = {}
        for part in _parts(list(texts)):
            ids.update(zip(part, self._encode(part)["input_ids"], strict=True))
        return [self._place_one(request, ids) for request in requests]

    def _place_one(self, request: Score, ids: dict[str, list[int]]) -> tuple[int, list[_Placed]]:
        prefix = ids[request.prefix] if request.prefix else []
        wholes = [ids[request.prefix + c] for c in request.continuations]
        common = [shared(prefix, whole) for whole, c in zip(wholes, request.continuations, strict=True) if c]
        kept = min(common, default=len(prefix))
        placed = [
            self._row(continuation, whole, kept)
            for continuation, whole in zip(request.continuations, wholes, strict=True)
        ]
        return kept, placed

    def _row(self, continuation: str, whole: list[int], kept: int) -> _Placed:
        row = (*self._start, *whole)
        start = len(self._start) + kept
        if not continuation:
            return _Placed(reason="an empty continuation")
        if start >= len(row):
            return _Placed(reason="the tokenizer leaves nothing of the continuation")
        if start == 0:
            return _Placed(reason=_NO_START)
        fault = self._fault(row)
        return _Placed(reason=fault) if fault else _Placed(Span(row, start))

    def _fault(self, row: Row) -> str:
        """Why a row cannot be scored; its last token is read, not fed."""
        limit = self._loaded.max_tokens
        if limit is not None and len(row) - 1 > limit:
            return f"{TOO_LONG}: {len(row) - 1} tokens, the model takes at most {limit}"
        if not self._loaded.network.knows(row):
            return "the tokenizer gives a token that the model has no embedding for"
        return ""


_NO_START = "the tokenizer has no start token, so the first token has no probability"


def _parts(texts: list[str]) -> Iterator[list[str]]:
    """Texts as they are tokenised at once."""
    return (texts[start : start + ENCODED] for start in range(0, len(texts), ENCODED))

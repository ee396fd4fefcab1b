"""Causal language models: how probable is a continuation or each token of a text, and what do they write?

The first token is scored too: a start token stands before every text that is scored (beginning-of-sequence
where the tokenizer has one, else end-of-sequence, as GPT-2 was trained with).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from audit.models.embedding import Embedder
from audit.models.generation import Prompt, Writer
from audit.models.loading import FromFiles, Loaded
from audit.models.reading import Read, Readings, Row, read
from audit.models.spelling import Speller
from audit.models.tokens import TOO_LONG
from audit.requests import CausalTokens, Choice, Embed, Generate, Request, Response, Score, digest


@dataclass(frozen=True)
class _Placed:
    """A continuation after its prefix: the row of all tokens, and where the scored ones begin."""

    row: Row = ()
    start: int = 0
    reason: str = ""

    @cached_property
    def reads(self) -> list[Read]:
        """One read for each scored token; the last token itself is never an input."""
        inputs = self.row[:-1]
        return [Read(inputs, i - 1, self.row[i]) for i in range(self.start, len(self.row))]


@dataclass(frozen=True)
class _Text:
    """A whole text: one read a token, and the word of each."""

    reads: tuple[Read, ...] = ()
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
        self._writer = Writer(loaded, self._start)
        self._speller = Speller(tokenizer)
        self._embedder = Embedder(loaded)

    def describe(self) -> dict[str, Any]:
        """Facts for the bundle."""
        tokens = self._loaded.tokenizer.convert_ids_to_tokens(list(self._start))
        return {**super().describe(), "start_token": tokens[0] if tokens else None}

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        """Answer each request; those of one call share forward passes."""
        self.require(requests)
        numbered = list(enumerate(requests))
        scores = {i: request for i, request in numbered if isinstance(request, Score)}
        texts = {i: request for i, request in numbered if isinstance(request, CausalTokens)}
        prompts = {i: request for i, request in numbered if isinstance(request, Generate)}
        vectors = {i: request for i, request in numbered if isinstance(request, Embed)}
        placed = dict(zip(scores, self._place(list(scores.values())), strict=True))
        whole = dict(zip(texts, self._texts(list(texts.values())), strict=True))
        wanted = [item for _, group in placed.values() for one in group for item in one.reads]
        wanted += [item for one in whole.values() for item in one.reads]
        found = read(self._loaded.network, wanted, self._loaded.options.token_budget, causal=True)
        answers = {i: self._respond(shared, group, found) for i, (shared, group) in placed.items()}
        answers.update({i: self._tokens(one, found) for i, one in whole.items()})
        written = [Prompt(request, digest(request)) for request in prompts.values()]
        answers.update(zip(prompts, self._writer.write(written) if written else [], strict=True))
        answers.update(zip(vectors, self._embedder.embed(list(vectors.values())), strict=True))
        return [answers[i] for i, _ in numbered]

    def _texts(self, requests: Sequence[CausalTokens]) -> list[_Text]:
        """The tokens of whole texts, as :class:`~audit.requests.Score` with an empty prefix has them."""
        unique = list(dict.fromkeys(request.text for request in requests))
        if not unique:
            return []
        encoded = self._encode(unique)
        found = {}
        for i, text in enumerate(unique):
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
        inputs = (*before, *ids[:-1])
        first = Read(inputs if keep_start else self._start, 0, ids[0])
        later = [Read(inputs, len(before) + k - 1, token) for k, token in enumerate(ids) if k]
        return _Text((first, *later), tuple(words))

    def _tokens(self, text: _Text, found: Readings) -> Response:
        if text.reason:
            return Response(error=text.reason)
        tokens = tuple(self._speller.scored(text.reads, found.logprobs, text.words))
        if not all(math.isfinite(token.logprob) for token in tokens):
            return Response(error="a log-probability is not a finite number")
        return Response(tokens=tokens, text_tokens=len(tokens))

    def _respond(self, shared: int, placed: list[_Placed], found: Readings) -> Response:
        if placed and all(one.reason.startswith(TOO_LONG) for one in placed):
            return Response(error=placed[0].reason)
        choices = []
        for one in placed:
            if one.reason:
                choices.append(Choice(None, 0, one.reason))
                continue
            choices.append(self._speller.choice(one.reads, found.logprobs))
        return Response(tuple(choices), text_tokens=shared)

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
        encoded = self._encode(list(texts))["input_ids"] if texts else []
        ids = dict(zip(texts, encoded, strict=True))
        return [self._place_one(request, ids) for request in requests]

    def _place_one(self, request: Score, ids: dict[str, list[int]]) -> tuple[int, list[_Placed]]:
        prefix = ids[request.prefix] if request.prefix else []
        wholes = [ids[request.prefix + c] for c in request.continuations]
        kept = [_shared(prefix, whole) for whole, c in zip(wholes, request.continuations, strict=True) if c]
        shared = min(kept, default=len(prefix))
        placed = [
            self._row(continuation, whole, shared)
            for continuation, whole in zip(request.continuations, wholes, strict=True)
        ]
        return shared, placed

    def _row(self, continuation: str, whole: list[int], shared: int) -> _Placed:
        row = (*self._start, *whole)
        start = len(self._start) + shared
        if not continuation:
            return _Placed(reason="an empty continuation")
        if start >= len(row):
            return _Placed(reason="the tokenizer leaves nothing of the continuation")
        if start == 0:
            return _Placed(reason=_NO_START)
        fault = self._fault(row)
        return _Placed(reason=fault) if fault else _Placed(row, start)

    def _fault(self, row: Row) -> str:
        """Why a row cannot be scored; its last token is read, not fed."""
        limit = self._loaded.max_tokens
        if limit is not None and len(row) - 1 > limit:
            return f"{TOO_LONG}: {len(row) - 1} tokens, the model takes at most {limit}"
        if not self._loaded.network.knows(row):
            return "the tokenizer gives a token that the model has no embedding for"
        return ""


_NO_START = "the tokenizer has no start token, so the first token has no probability"


def _shared(a: list[int], b: list[int]) -> int:
    """Length of the longest common beginning of two lists."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))

"""Causal language models: how probable is a continuation, and what do they write?

The first token is scored too: a start token stands before every text that is scored (beginning-of-sequence
where the tokenizer has one, else end-of-sequence, as GPT-2 was trained with).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from audit.models.generation import Prompt, Writer
from audit.models.loading import FromFiles, Loaded
from audit.models.reading import Read, Row, read
from audit.models.spelling import Speller
from audit.requests import Choice, Generate, Request, Response, Score, digest


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


class CausalLM(FromFiles):
    """A causal language model through transformers. Answers ``score`` and ``generate``.

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

    def describe(self) -> dict[str, Any]:
        """Facts for the bundle."""
        tokens = self._loaded.tokenizer.convert_ids_to_tokens(list(self._start))
        return {**super().describe(), "start_token": tokens[0] if tokens else None}

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        """Answer scores and generations; those of one call share forward passes."""
        for request in requests:
            if not isinstance(request, Score | Generate):
                raise _cannot(request)
        scores = [(i, request) for i, request in enumerate(requests) if isinstance(request, Score)]
        prompts = [(i, request) for i, request in enumerate(requests) if isinstance(request, Generate)]
        answers: dict[int, Response] = {}
        if scores:
            responses = self._score([request for _, request in scores])
            answers.update(zip((i for i, _ in scores), responses, strict=True))
        if prompts:
            written = self._writer.write([Prompt(request, digest(request)) for _, request in prompts])
            answers.update(zip((i for i, _ in prompts), written, strict=True))
        return [answers[i] for i in range(len(requests))]

    def _score(self, requests: Sequence[Score]) -> list[Response]:
        placed = self._place(requests)
        wanted = (item for _, group in placed for one in group if not one.reason for item in one.reads)
        found = read(self._loaded.network, wanted, self._loaded.options.token_budget, causal=True)
        return [self._respond(shared, group, found) for shared, group in placed]

    def _respond(self, shared: int, placed: list[_Placed], found: dict[Read, float]) -> Response:
        if placed and all(one.reason.startswith(_TOO_LONG) for one in placed):
            return Response(error=placed[0].reason)
        choices = []
        for one in placed:
            if one.reason:
                choices.append(Choice(None, 0, one.reason))
                continue
            choices.append(self._speller.choice(one.reads, found))
        return Response(tuple(choices), text_tokens=shared)

    def _place(self, requests: Sequence[Score]) -> list[tuple[int, list[_Placed]]]:
        """For each request, how many tokens all its continuations keep of the prefix, and their rows."""
        texts: dict[str, None] = {}
        for request in requests:
            texts[request.prefix] = None
            texts.update(dict.fromkeys(request.prefix + c for c in request.continuations))
        # Special tokens spelt out in a prompt are special: chat formats are written with them.
        encoded = self._loaded.tokenizer(
            list(texts), add_special_tokens=False, return_attention_mask=False, return_token_type_ids=False
        )["input_ids"]
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
        limit = self._loaded.max_tokens
        if not continuation:
            return _Placed(reason="an empty continuation")
        if start >= len(row):
            return _Placed(reason="the tokenizer leaves nothing of the continuation")
        if start == 0:
            return _Placed(reason="the tokenizer has no start token, so the first token has no probability")
        # The last token is read, not fed.
        if limit is not None and len(row) - 1 > limit:
            return _Placed(reason=f"{_TOO_LONG}: {len(row) - 1} tokens, the model takes at most {limit}")
        if not self._loaded.network.knows(row):
            return _Placed(reason="the tokenizer gives a token that the model has no embedding for")
        return _Placed(row, start)


_TOO_LONG = "the text is too long"


def _shared(a: list[int], b: list[int]) -> int:
    """Length of the longest common beginning of two lists."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))


def _cannot(request: Request) -> TypeError:
    return TypeError(f"a causal language model cannot answer {request.form!r}")

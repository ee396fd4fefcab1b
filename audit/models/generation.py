"""Writing with a causal network: many samples of many prompts side by side, each as if alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from audit.models.budget import Budget
from audit.models.loading import Loaded
from audit.models.padded import PaddedRows
from audit.models.reading import Row
from audit.models.slots import LONGEST_PROBED, Slots, slots_are_exact
from audit.models.stream import Ended, Stream, Written
from audit.requests import Generate, Response, Sampled

MAX_ROWS = 200
"""Most samples written at once: enough to keep the matrix units busy, few enough for their cache."""

CACHE_BYTES = 512 * 2**20
"""Largest cache of keys and values."""

PREFILL_SHARE = 4
"""Prompts that wait may hold one part in so many of what the cache does."""


@dataclass(frozen=True)
class Prompt:
    """A request to write, and its digest."""

    request: Generate
    digest: str


@dataclass
class _Call:
    """Prompts with their rows of tokens, and the answers as they come."""

    prompts: Sequence[Prompt]
    rows: list[Row]
    answers: list[Response | None]

    def reach(self, i: int) -> int:
        """Tokens of the longest row that a prompt can become."""
        return len(self.rows[i]) + self.prompts[i].request.max_new_tokens


class Writer:
    """Writes continuations with its own loop: rows in slots, and counter-based noise.

    Parameters
    ----------
    loaded : Loaded
        Of kind ``causal``.
    start : row
        Fed where a prompt has no tokens at all.
    """

    def __init__(self, loaded: Loaded, start: Row) -> None:
        self._loaded = loaded
        self._network = loaded.network
        self._start = start
        self._stops = _stop_tokens(loaded)
        self._cache_bytes_per_token = _cache_bytes(self._network.model.config.get_text_config())
        self._budget = Budget(MAX_ROWS)

    @cached_property
    def has_slots(self) -> bool:
        """Whether rows that end are replaced by others at once; else a batch is written to its end."""
        return slots_are_exact(self._network)

    @cached_property
    def _takes_padding(self) -> bool:
        return self._network.takes_left_padding()

    def _holds(self, reach: int) -> bool:
        """Whether rows of a length are written in slots."""
        return self.has_slots and reach <= self._network.reach(LONGEST_PROBED)

    def encode(self, prompt: str) -> Row:
        """The prompt's tokens as the tokenizer gives them, without an end token; never none."""
        ids = self._loaded.tokenizer(prompt, return_attention_mask=False, return_token_type_ids=False)
        row = tuple(ids["input_ids"])
        if (
            len(row) > 1
            and row[-1] == self._loaded.tokenizer.eos_token_id
            and not prompt.endswith(str(self._loaded.tokenizer.eos_token))
        ):
            row = row[:-1]
        return row or self._start

    def write(self, prompts: Sequence[Prompt]) -> list[Response]:
        """Answer each prompt, in order. Where memory runs out, fewer rows are written at once."""
        call = _Call(
            prompts, [self.encode(prompt.request.prompt) for prompt in prompts], [None] * len(prompts)
        )
        for i, prompt in enumerate(prompts):
            error = self._refusal(call.rows[i], prompt.request)
            if error:
                call.answers[i] = Response(error=error)
            elif not prompt.request.samples or not prompt.request.max_new_tokens:
                call.answers[i] = self._answer(call, i, [Ended((), "length")] * prompt.request.samples)
        todo = [i for i, answer in enumerate(call.answers) if answer is None]
        todo.sort(key=lambda i: (-call.reach(i), -len(call.rows[i]), call.rows[i]))
        with torch.inference_mode():
            self._budget.spend(
                todo,
                lambda todo, start, rows: self._cut(call, todo, start, rows),
                lambda part: self._run(call, part),
                divides=True,
            )
        return [answer for answer in call.answers if answer is not None]

    def _refusal(self, row: Row, request: Generate) -> str:
        limit = self._loaded.max_tokens
        if not row:
            return "the prompt has no tokens and the tokenizer no start token"
        if not self._network.knows(row):
            return "the tokenizer gives a token that the model has no embedding for"
        if min(request.samples, request.max_new_tokens) < 0:
            return f"{request.samples} samples of {request.max_new_tokens} tokens are asked for"
        if not 0 < request.top_p <= 1 or request.temperature < 0:
            return f"top_p {request.top_p} or temperature {request.temperature} is out of range"
        if limit is not None and len(row) + request.max_new_tokens > limit:
            return (
                f"the text is too long: {len(row)} tokens and {request.max_new_tokens} new ones, "
                f"the model takes at most {limit}"
            )
        return ""

    def _rows(self, reach: int, rows: int) -> int:
        """How many rows of a length the cache holds."""
        return max(1, min(rows, CACHE_BYTES // (reach * self._cache_bytes_per_token)))

    def _cut(self, call: _Call, todo: Sequence[int], start: int, rows: int) -> int:
        """Where prompts end that share a cache: where of the shorter ones twice as many rows would fit."""
        if rows == 1:
            return start + 1
        first = todo[start]
        count = self._rows(call.reach(first), rows)
        mixes = self._holds(call.reach(first)) or self._takes_padding
        for k in range(start + 1, len(todo)):
            if self._rows(call.reach(todo[k]), rows) >= 2 * count:
                return k
            if not mixes and len(call.rows[todo[k]]) != len(call.rows[first]):
                return k
        return len(todo)

    def _run(self, call: _Call, part: Sequence[int]) -> None:
        """Write prompts to their ends; those that an earlier try has answered are left as they are."""
        todo = [i for i in part if call.answers[i] is None]
        if not todo:
            return
        reach = max(call.reach(i) for i in todo)
        rows = self._rows(reach, self._budget.tokens)
        cache = Slots(self._network, rows, reach) if self._holds(reach) else PaddedRows(self._network)
        held = CACHE_BYTES // (PREFILL_SHARE * self._cache_bytes_per_token)
        stream = Stream(self._network, cache, rows, self._stops)
        written = (Written(i, call.rows[i], call.prompts[i].request, call.prompts[i].digest) for i in todo)
        for i, samples in stream.run(written, min(held, self._loaded.budget.tokens)):
            call.answers[i] = self._answer(call, i, samples)

    def _answer(self, call: _Call, i: int, samples: Sequence[Ended]) -> Response:
        row = call.rows[i]
        if any(one.finish == "undefined" for one in samples):
            return Response(
                error="the model gives no probabilities: a logit is not a number", text_tokens=len(row)
            )
        return Response(
            samples=tuple(
                Sampled(self._continuation(row, one.tokens), len(one.tokens), one.finish)
                for one in samples
                if one.finish != "undefined"
            ),
            text_tokens=len(row),
        )

    def _continuation(self, row: Row, written: Row) -> str:
        """The written text: what it adds to the decoded prompt, so that a leading space is not lost."""
        decode = self._loaded.tokenizer.decode
        keywords = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        before: str = decode(list(row), **keywords)
        whole: str = decode([*row, *written], **keywords)
        if whole.startswith(before):
            return whole[len(before) :]
        return str(decode(list(written), **keywords))


def _stop_tokens(loaded: Loaded) -> frozenset[int]:
    """End tokens: of the generation settings, else of the configuration, else of the tokenizer."""
    model = loaded.network.model
    for found in (
        getattr(model.generation_config, "eos_token_id", None),
        getattr(model.config, "eos_token_id", None),
        loaded.tokenizer.eos_token_id,
    ):
        if found is not None:
            return frozenset(int(token) for token in (found if isinstance(found, list | tuple) else [found]))
    return frozenset()


def _cache_bytes(config: Any) -> int:
    """Bytes of keys and values that one token takes in float32, in all layers; an upper bound."""
    heads = getattr(config, "num_attention_heads", 1)
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    kept = getattr(config, "num_key_value_heads", None) or heads
    return int(2 * 4 * config.num_hidden_layers * kept * width)

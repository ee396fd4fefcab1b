"""Writing with a causal network: many samples of many prompts in one batch, each as if alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache

from audit.models.loading import Loaded
from audit.models.reading import Row
from audit.models.sampling import sample, sample_key
from audit.requests import Generate, Response, Sampled

MAX_ROWS = 128
"""Most samples decoded at once: enough to keep the matrix units busy, few enough for their logits."""

CACHE_BYTES = 512 * 2**20
"""Largest cache of keys and values."""

_COMPACT_BELOW = 0.75


@dataclass(frozen=True)
class Prompt:
    """A request to write, and its digest."""

    request: Generate
    digest: str


@dataclass
class _Sample:
    """One sample while it is written."""

    prompt: int
    index: int
    ids: Row
    request: Generate
    key: int
    written: list[int] = field(default_factory=list)
    stopped: bool = False

    @property
    def is_done(self) -> bool:
        return self.stopped or len(self.written) >= self.request.max_new_tokens

    @property
    def reach(self) -> int:
        """Tokens of the longest row it can become."""
        return len(self.ids) + self.request.max_new_tokens


class Writer:
    """Writes continuations with its own loop: left padding, a cache, and counter-based noise.

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
        self._mixes_lengths = self._network.takes_left_padding()
        self._cache_bytes_per_token = _cache_bytes(self._network.model.config.get_text_config())

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
        """Answer each prompt, in order."""
        rows = [self.encode(prompt.request.prompt) for prompt in prompts]
        errors = [self._refusal(row, prompt.request) for row, prompt in zip(rows, prompts, strict=True)]
        samples = [
            _Sample(i, k, rows[i], prompt.request, sample_key(prompt.request.seed, prompt.digest, k))
            for i, prompt in enumerate(prompts)
            if not errors[i]
            for k in range(prompt.request.samples)
        ]
        with torch.inference_mode():
            for batch in self._batches(samples):
                self._decode(batch)
        written: list[list[_Sample]] = [[] for _ in prompts]
        for one in samples:
            written[one.prompt].append(one)
        return [
            Response(error=error)
            if error
            else Response(
                samples=tuple(self._sampled(one) for one in sorted(group, key=lambda one: one.index)),
                text_tokens=len(row),
            )
            for error, group, row in zip(errors, written, rows, strict=True)
        ]

    def _refusal(self, row: Row, request: Generate) -> str:
        limit = self._loaded.max_tokens
        if not row:
            return "the prompt has no tokens and the tokenizer no start token"
        if not self._network.knows(row):
            return "the tokenizer gives a token that the model has no embedding for"
        if not 0 < request.top_p <= 1 or request.temperature < 0:
            return f"top_p {request.top_p} or temperature {request.temperature} is out of range"
        if limit is not None and len(row) + request.max_new_tokens > limit:
            return (
                f"the text is too long: {len(row)} tokens and {request.max_new_tokens} new ones, "
                f"the model takes at most {limit}"
            )
        return ""

    def _batches(self, samples: list[_Sample]) -> Iterator[list[_Sample]]:
        batch: list[_Sample] = []
        longest = 0
        for one in sorted(samples, key=lambda one: (-len(one.ids), -one.request.max_new_tokens, one.ids)):
            longest = max(longest, one.reach)
            full = len(batch) >= MAX_ROWS or (
                (len(batch) + 1) * longest * self._cache_bytes_per_token > CACHE_BYTES
            )
            if batch and (full or not (self._mixes_lengths or len(batch[0].ids) == len(one.ids))):
                yield batch
                batch = []
                longest = one.reach
            batch.append(one)
        if batch:
            yield batch

    def _decode(self, rows: list[_Sample]) -> None:
        """Write a batch to its end. Samples of one prompt share the pass over it."""
        states, mask, cache = self._prefill(rows)
        while True:
            self._draw(rows, self._network.logits(states))
            alive = [i for i, one in enumerate(rows) if not one.is_done]
            if not alive:
                return
            if len(alive) < _COMPACT_BELOW * len(rows):
                keep = torch.tensor(alive, device=self._network.device)
                cache.batch_select_indices(keep)
                mask = mask[keep]
                rows = [rows[i] for i in alive]
            last = [[one.written[-1]] if one.written else [0] for one in rows]
            ids = torch.tensor(last, device=self._network.device)
            mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
            states = self._network.step(ids, mask, cache)

    def _prefill(self, rows: list[_Sample]) -> tuple[Any, Any, Any]:
        """Feed every distinct prompt once, then repeat its cache for its samples."""
        device = self._network.device
        distinct = list(dict.fromkeys(one.ids for one in rows))
        longest = max(len(ids) for ids in distinct)
        padded = torch.tensor([(0,) * (longest - len(ids)) + ids for ids in distinct], device=device)
        lengths = torch.tensor([len(ids) for ids in distinct], device=device)
        mask = (torch.arange(longest, device=device) >= longest - lengths[:, None]).long()
        cache = DynamicCache(config=self._network.model.config)
        states = self._network.step(padded, mask, cache)
        place = {ids: i for i, ids in enumerate(distinct)}
        repeat = torch.tensor([place[one.ids] for one in rows], device=device)
        cache.batch_select_indices(repeat)
        return states[repeat], mask[repeat], cache

    def _draw(self, rows: list[_Sample], logits: Any) -> None:
        """Draw the next token of every row that is not done."""
        alive = [i for i, one in enumerate(rows) if not one.is_done]
        if not alive:
            return
        some = [rows[i] for i in alive]
        tokens = sample(
            logits[torch.tensor(alive, device=logits.device)].cpu().numpy(),
            np.array([one.key for one in some], dtype=np.uint64),
            np.array([len(one.written) for one in some], dtype=np.int64),
            np.array([one.request.temperature for one in some], dtype=np.float64),
            np.array([one.request.top_p for one in some], dtype=np.float64),
        )
        for one, token in zip(some, tokens.tolist(), strict=True):
            if token in self._stops:
                one.stopped = True
            else:
                one.written.append(token)

    def _sampled(self, one: _Sample) -> Sampled:
        text = self._continuation(one)
        return Sampled(text, len(one.written), "stop" if one.stopped else "length")

    def _continuation(self, one: _Sample) -> str:
        """The written text: what it adds to the decoded prompt, so that a leading space is not lost."""
        decode = self._loaded.tokenizer.decode
        keywords = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        before: str = decode(list(one.ids), **keywords)
        whole: str = decode([*one.ids, *one.written], **keywords)
        if whole.startswith(before):
            return whole[len(before) :]
        return str(decode(one.written, **keywords))


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

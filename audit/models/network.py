"""A loaded network, cut where its body ends, so that the vocabulary is computed only where it is read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
from transformers import DynamicCache
from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions

from audit.models.quiet import quiet

Part = Literal["states", "hidden", "labels"]
"""What is wanted of a network: what its head reads, the states of its body's last layer, or a classifier's
logits."""

LOGIT_BYTES = 64 * 2**20
"""Largest block of logits computed at once; taking their logarithm doubles it."""

ROUNDINGS, HALF_ROUNDINGS = 2048, 16
"""Largest difference, on a probe, at which two ways to compute a number count as one: so many roundings of it
in float32, and in narrower numbers. In float32, SmolLM2 of 30 layers differs by more than 300 of them from
itself where its tokens lie otherwise."""
USUAL = 0.9
"""The share of numbers that are no larger than what counts as their usual size."""

_REACHES = ("window", "chunk", "local", "original_max_position")
"""Parts of the names, in a configuration, of how far tokens read, or of where positions begin to stretch."""
_LAYERS = "layers"
"""Part of the names that say how many layers, and not how many tokens."""
_STRETCHES = ("dynamic", "longrope")
"""Kinds of positions that the longest row of a pass changes for all."""

_PROBE_ROWS = ((5, 9, 7, 6), (8, 5, 6, 9))


class Network:
    """A transformers model for inference.

    The head is reached through the model's own ``forward``, with the body replaced for the moment by the
    states it gave before, so that scaling or capping of logits is kept. Where a probe shows that this is
    not the same, states *are* the full logits and the head does nothing.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        In evaluation mode.
    device : torch.device
        Where it lies.
    has_head : bool
        Whether it has a head that gives logits of the vocabulary.
    """

    def __init__(self, model: Any, device: Any, has_head: bool = True) -> None:
        self.model = model
        self.device = device
        self.told: Callable[[int], None] | None = None
        self.vocabulary: int = int(model.config.get_text_config().vocab_size)
        self._embeddings, self.width = map(int, model.get_input_embeddings().weight.shape)
        self._body = model.base_model
        accepted = inspect.signature(model.forward).parameters
        # Named so from transformers 5.24 on; the older name is on its way out.
        self._cache_name = "cache" if "cache" in accepted else "past_key_values"
        self.takes_positions = "position_ids" in accepted
        self._takes_cache = "use_cache" in accepted
        self._takes_mask = "attention_mask" in accepted
        self.takes_types = "token_type_ids" in accepted
        config = model.config.get_text_config().to_dict()
        self.stretches = _stretches(config)
        """Whether the longest row of a pass may change the positions of all: then rows of one length go
        together."""
        self._reaches = list(reaches(config))
        self.has_states = self._body is not model or not has_head
        self.is_split = has_head and self._body is not model and self._can_split()

    def knows(self, row: Sequence[int]) -> bool:
        """Whether every token has an embedding; a tokenizer may have more tokens than its model."""
        return max(row, default=0) < self._embeddings

    @property
    def tokens(self) -> int:
        """How many tokens have an embedding."""
        return min(self.vocabulary, self._embeddings)

    @property
    def dtype(self) -> Any:
        """The numbers in which it computes."""
        return self.model.dtype

    def reach(self, probed: int) -> float:
        """The length of the longest rows of which a probe says something.

        A network that reads through a window, or stretches its positions, does so only in rows longer than
        some length; where a probe has no rows of that length, it says nothing of longer ones.

        Parameters
        ----------
        probed : int
            Tokens of the longest row of the probe.
        """
        return min((reach for reach in self._reaches if reach >= probed), default=float("inf"))

    def fitting(self, tokens: int) -> int:
        """A budget of tokens, less where the head is not apart: then the states of each are its logits."""
        return tokens if self.is_split else max(1, min(tokens, LOGIT_BYTES // (2 * self.vocabulary)))

    def logit_chunks(self, count: int) -> Iterator[slice]:
        """So many states in parts whose logits may be computed at once."""
        size = max(1, LOGIT_BYTES // (4 * self.vocabulary))
        return (slice(start, start + size) for start in range(0, count, size))

    def states(self, ids: Any, mask: Any | None = None) -> Any:
        """What the head reads, of every token: tensor (rows, tokens, width).

        Parameters
        ----------
        ids : tensor of int64, shape (rows, tokens)
            Token ids.
        mask : tensor of int64, shape (rows, tokens), or None
            1 for tokens, 0 for padding on the right; None where no row is padded.
        """
        return self.run("states", self._keywords(ids, mask))

    def states_at(self, ids: Any, positions: Any) -> Any:
        """As :meth:`states`, of tokens whose positions are given and whose readers a layout knows.

        Parameters
        ----------
        ids, positions : tensors of int64, shape (rows, tokens)
            Token ids, and how many tokens stand before each.
        """
        keywords = {"input_ids": ids, "position_ids": positions}
        if self._takes_cache:
            keywords["use_cache"] = False
        return self.run("states", keywords)

    def hidden(self, ids: Any) -> Any:
        """The states of the body's last layer: tensor (rows, tokens, width); where it ``has_states``.

        Parameters
        ----------
        ids : tensor of int64, shape (rows, tokens)
            Token ids, no row padded.
        """
        return self.run("hidden", self._keywords(ids))

    def label_logits(self, ids: Any, types: Any | None, mask: Any | None = None) -> Any:
        """Logits of a classifier's labels, float32: tensor (rows, labels).

        Parameters
        ----------
        ids : tensor of int64, shape (rows, tokens)
            Token ids.
        types : tensor of int64, shape (rows, tokens), or None
            The types of the tokens, where the model ``takes_types``.
        mask : tensor of int64, shape (rows, tokens), or None
            1 for tokens, 0 for padding on the right; None where no row is padded.
        """
        keywords = self._keywords(ids, mask)
        if types is not None:
            keywords["token_type_ids"] = types
        return self.run("labels", keywords)

    def run(self, part: Part, keywords: dict[str, Any]) -> Any:
        """One pass with keywords of the caller's own.

        Returns
        -------
        tensor (rows, tokens, width), of labels (rows, labels) in float32
        """
        if part == "labels":
            found = self.model(**keywords).logits.float()
        elif part == "hidden" or self.is_split:
            found = self._body(**keywords)[0]
        else:
            found = self.model(**keywords).logits
        self._tell(keywords)
        return found

    def _tell(self, keywords: dict[str, Any]) -> None:
        if self.told is not None:
            self.told(keywords["input_ids"].numel())

    @property
    def attention_maps(self) -> int:
        """How many matrices of attention weights a row has, layers times heads; 0 where it is not stated."""
        config = self.model.config.get_text_config()
        layers, heads = (getattr(config, key, 0) for key in ("num_hidden_layers", "num_attention_heads"))
        return int(layers) * int(heads)

    @contextmanager
    def eager(self) -> Iterator[None]:
        """Within it, attention is computed in the way that keeps its weights."""
        usual = self.model.config._attn_implementation
        self.use_attention("eager")
        try:
            yield
        finally:
            self.use_attention(usual)

    def use_attention(self, name: str) -> None:
        """From here on, attention is computed in the way that transformers knows by a name."""
        with quiet():
            self.model.set_attn_implementation(name)

    def attentions(self, ids: Any) -> tuple[Any, ...]:
        """The attention weights of each layer, while :meth:`eager`: tensors (rows, heads, readers, read).

        Empty where the model gives none, or where a layer joins tokens and has none of each.
        """
        # An architecture without attention, or with another kind of it, refuses in its own way.
        try:
            output = self._body(**self._keywords(ids), output_attentions=True)
        except (TypeError, ValueError, AttributeError):
            return ()
        self._tell({"input_ids": ids})
        layers = getattr(output, "attentions", None) or ()
        square = (ids.shape[1], ids.shape[1])
        return tuple(layers) if all(a is not None and a.shape[-2:] == square for a in layers) else ()

    def _keywords(self, ids: Any, mask: Any | None = None) -> dict[str, Any]:
        keywords: dict[str, Any] = {"input_ids": ids}
        if self._takes_mask:
            keywords["attention_mask"] = torch.ones_like(ids) if mask is None else mask
        if self._takes_cache:
            keywords["use_cache"] = False
        return keywords

    def step(self, ids: Any, mask: Any, cache: Any) -> Any:
        """Feed tokens to rows that are padded on the left, and give the states of each row's last token.

        Parameters
        ----------
        ids : tensor of int64, shape (rows, new tokens)
            Token ids.
        mask : tensor of int64, shape (rows, all tokens so far, the new ones included)
            1 for tokens, 0 for padding on the left.
        cache : transformers.Cache
            Extended in place.

        Returns
        -------
        tensor (rows, width)
        """
        keywords = {"input_ids": ids, "attention_mask": mask, self._cache_name: cache, "use_cache": True}
        if self.takes_positions:
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            keywords["position_ids"] = positions[:, -ids.shape[1] :]
        return self.run("states", keywords)[:, -1]

    def logits(self, states: Any) -> Any:
        """Logits in float32 for states (n, width): tensor (n, vocabulary)."""
        if not self.is_split:
            return states.float()
        return self._head(states).float()

    def takes_left_padding(self) -> bool:
        """Whether rows of several lengths may be generated in one batch: shown on a probe."""
        if not self.takes_positions or self.stretches:
            return False
        # An architecture may refuse the cache or the padding; then rows of one length go together.
        try:
            return self._left_padding_is_exact()
        except Exception:
            return False

    def _left_padding_is_exact(self) -> bool:
        short = torch.tensor([_PROBE_ROWS[0][:2]], device=self.device)
        both = torch.tensor([(0, 0, *_PROBE_ROWS[0][:2]), _PROBE_ROWS[1]], device=self.device)
        mask = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1]], device=self.device)
        with torch.inference_mode():
            alone = self.logits(
                self.step(short, torch.ones_like(short), DynamicCache(config=self.model.config))
            )
            padded = self.logits(self.step(both, mask, DynamicCache(config=self.model.config)))
        return same(padded[0], alone[0], self.dtype, least=1.0)

    def _head(self, states: Any) -> Any:
        output = BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=states[None])
        self._body.forward = lambda *_, **__: output
        try:
            return self.model(input_ids=torch.zeros((1, 1), dtype=torch.long, device=self.device)).logits[0]
        finally:
            del self._body.forward

    def _can_split(self) -> bool:
        rows = torch.tensor(_PROBE_ROWS, device=self.device).remainder(self.vocabulary)
        places = torch.tensor([2, 5, 7], device=self.device)
        with torch.inference_mode():
            masks = {"attention_mask": torch.ones_like(rows)} if self._takes_mask else {}
            whole = self.model(input_ids=rows, **masks).logits
            expected = whole.flatten(0, 1)[places]
            # An architecture may refuse either half in any way it likes; then it is run whole.
            try:
                states = self._body(input_ids=rows, **masks)[0]
                found = self._head(states.flatten(0, 1)[places])
            except Exception:
                return False
        return same(found, expected, self.dtype, least=1.0)


def same(found: Any, expected: Any, dtype: Any, least: float = 0.0) -> bool:
    """Whether two ways to compute numbers gave the same, on a probe, but for rounding.

    A number is rounded by a share of itself, or of the usual size of those beside it. That is no largest one,
    for a few may be far larger, as those by which a head rules tokens out. What is not a number is not the
    same as anything.

    Parameters
    ----------
    found, expected : tensors of one shape, or of two, which are not the same
        Of any dtype and device.
    dtype : torch.dtype
        In which both were computed, whatever they are now.
    least : float
        The least that counts as the usual size: 1 for logits, of which differences count and not shares.

    Examples
    --------
    >>> ones = torch.ones(3)
    >>> same(ones + 1e-5, ones, torch.float32), same(ones + 1e-2, ones, torch.float32)
    (True, False)
    >>> same(ones + 1e-2, ones, torch.bfloat16), same(ones * torch.nan, ones, torch.bfloat16)
    (True, False)
    """
    if found.shape != expected.shape:
        return False
    found, expected = found.float(), expected.float()
    size = expected.abs()
    finite = size[size.isfinite()]
    usual = float(finite.quantile(USUAL)) if len(finite) else 0.0
    roundings = ROUNDINGS if dtype == torch.float32 else HALF_ROUNDINGS
    rounding = roundings * torch.finfo(dtype).eps * size.clamp(min=max(usual, least))
    return bool(((found == expected) | ((found - expected).abs() <= rounding)).all())


def reaches(config: Mapping[str, Any]) -> Iterator[int]:
    """The lengths, of those that a configuration names, at which attention or positions change.

    Examples
    --------
    >>> list(reaches({"sliding_window": 4096, "max_window_layers": 28, "hidden_size": 64}))
    [4096]
    """
    for name, given in config.items():
        if isinstance(given, dict):
            yield from reaches(given)
        elif type(given) is int and any(part in name for part in _REACHES) and _LAYERS not in name:
            yield given


def _stretches(config: Mapping[str, Any]) -> bool:
    return any(
        _stretches(given)
        if isinstance(given, dict)
        else name in ("rope_type", "type") and given in _STRETCHES
        for name, given in config.items()
    )

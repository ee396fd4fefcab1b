"""A loaded network, cut where its body ends, so that the vocabulary is computed only where it is read."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers import DynamicCache
from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions

from audit.models.quiet import quiet

PROBE_TOLERANCE = 1e-3
"""Largest difference of logits, on a probe, at which two ways to compute them count as one."""

_PROBE_ROWS = ((5, 9, 7, 6), (8, 5, 6, 9))


class Network:
    """A transformers model for inference.

    The head is reached through the model's own ``forward``, with the body replaced for the moment by the
    states it gave before, so that scaling or capping of logits is kept. Where a probe shows that this is
    not the same, states *are* the full logits and the head does nothing.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        In evaluation mode, float32.
    device : torch.device
        Where it lies.
    has_head : bool
        Whether it has a head that gives logits of the vocabulary.
    """

    def __init__(self, model: Any, device: Any, has_head: bool = True) -> None:
        self.model = model
        self.device = device
        self.vocabulary: int = int(model.config.get_text_config().vocab_size)
        self._embeddings = int(model.get_input_embeddings().weight.shape[0])
        self._body = model.base_model
        accepted = inspect.signature(model.forward).parameters
        # Named so from transformers 5.24 on; the older name is on its way out.
        self._cache_name = "cache" if "cache" in accepted else "past_key_values"
        self._takes_positions = "position_ids" in accepted
        self._takes_cache = "use_cache" in accepted
        self._takes_mask = "attention_mask" in accepted
        self.takes_types = "token_type_ids" in accepted
        self.has_states = self._body is not model or not has_head
        self.is_split = has_head and self._body is not model and self._can_split()

    def knows(self, row: Sequence[int]) -> bool:
        """Whether every token has an embedding; a tokenizer may have more tokens than its model."""
        return max(row, default=0) < self._embeddings

    @property
    def state_bytes(self) -> int:
        """Bytes that the states of one token take, when the vocabulary is large and the head not apart."""
        return 0 if self.is_split else 4 * self.vocabulary

    def states(self, ids: Any, mask: Any | None = None) -> Any:
        """What the head reads, of every token: tensor (rows, tokens, width).

        Parameters
        ----------
        ids : tensor of int64, shape (rows, tokens)
            Token ids.
        mask : tensor of int64, shape (rows, tokens), or None
            1 for tokens, 0 for padding on the right; None where no row is padded.
        """
        return self._run(self._keywords(ids, mask))

    def hidden(self, ids: Any) -> Any:
        """The states of the body's last layer: tensor (rows, tokens, width); where it ``has_states``.

        Parameters
        ----------
        ids : tensor of int64, shape (rows, tokens)
            Token ids, no row padded.
        """
        return self._body(**self._keywords(ids))[0]

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
        return self.model(**keywords).logits.float()

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
        with quiet():
            self.model.set_attn_implementation("eager")
            try:
                yield
            finally:
                self.model.set_attn_implementation(usual)

    def attentions(self, ids: Any) -> tuple[Any, ...]:
        """The attention weights of each layer, while :meth:`eager`: tensors (rows, heads, readers, read).

        Empty where the model gives none, or where a layer joins tokens and has none of each.
        """
        # An architecture without attention, or with another kind of it, refuses in its own way.
        try:
            output = self._body(**self._keywords(ids), output_attentions=True)
        except (TypeError, ValueError, AttributeError):
            return ()
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
        if self._takes_positions:
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            keywords["position_ids"] = positions[:, -ids.shape[1] :]
        return self._run(keywords)[:, -1]

    def logits(self, states: Any) -> Any:
        """Logits in float32 for states (n, width): tensor (n, vocabulary)."""
        if not self.is_split:
            return states.float()
        return self._head(states).float()

    def takes_left_padding(self) -> bool:
        """Whether rows of several lengths may be generated in one batch: shown on a probe."""
        if not self._takes_positions:
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
        return _same(alone[0], padded[0])

    def _run(self, keywords: dict[str, Any]) -> Any:
        if self.is_split:
            return self._body(**keywords)[0]
        return self.model(**keywords).logits

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
        return _same(expected, found)


def _same(a: Any, b: Any) -> bool:
    return a.shape == b.shape and bool((a - b).abs().max() <= PROBE_TOLERANCE)

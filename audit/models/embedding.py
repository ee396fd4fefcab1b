"""Vectors of texts: the states of a network's last layer, as one vector a text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch

from audit.models.loading import Loaded
from audit.models.packing import Packer, cut_packed
from audit.models.reading import Row, cut_alike
from audit.models.tokens import Tokens, tokenise
from audit.requests import Embed, Pooling, Response

Wanted = dict[Row, dict[tuple[Pooling, int], None]]
"""Of each row, in which ways its states are pooled, and where its text begins."""

Vectors = dict[tuple[Row, Pooling], tuple[float, ...]]


class Embedder:
    """Gives vectors of texts, each with the special tokens that its tokenizer puts around it.

    Parameters
    ----------
    loaded : Loaded
        Of any kind with a body of its own: an encoder, a masked or a causal language model.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._budget = loaded.budget

    @cached_property
    def _packer(self) -> Packer:
        return Packer(self._loaded.network, "hidden", self._loaded.tokenizer.mask_token_id)

    def embed(self, requests: Sequence[Embed]) -> list[Response]:
        """One vector for each request, float32; texts are packed where the network packs."""
        if not requests:
            return []
        network = self._loaded.network
        if not network.has_states:
            return [Response(error="the model does not give the states of its last layer") for _ in requests]
        texts = tokenise(self._loaded, (request.text for request in requests))
        wanted: Wanted = {}
        for request in requests:
            text = texts[request.text]
            if not text.reason:
                wanted.setdefault(text.row, {})[request.pooling, text.own[0]] = None
        found: Vectors = {}
        # Neighbours of one length, of which equally much is wanted, are one block of attention.
        rows = sorted(wanted, key=lambda row: (-len(row), len(_places(row, wanted)), row))
        packed = [row for row in rows if self._packer.takes(row)]
        others = [row for row in rows if not self._packer.takes(row)]

        def run_packed(batch: Sequence[Row]) -> None:
            places = [_places(row, wanted) for row in batch]
            states = self._packer.run(batch, places).float().cpu()
            for row, some, own in zip(batch, places, states.split([*map(len, places)]), strict=True):
                found.update(_pooled(row, some, own, wanted))

        def run_alike(batch: Sequence[Row]) -> None:
            states = network.hidden(torch.tensor(batch, device=network.device)).float().cpu()
            for row, own in zip(batch, states, strict=True):
                found.update(_pooled(row, range(len(row)), own, wanted))

        with torch.inference_mode():
            self._budget.spend(packed, cut_packed, run_packed)
            self._budget.spend(others, cut_alike, run_alike)
        return [_response(texts[request.text], request, found) for request in requests]


def _places(row: Row, wanted: Wanted) -> Sequence[int]:
    """The positions whose states are needed."""
    if any(pooling == "mean" for pooling, _ in wanted[row]):
        return range(len(row))
    return sorted({0 if pooling == "first" else first_word for pooling, first_word in wanted[row]})


def _pooled(row: Row, places: Sequence[int], states: Any, wanted: Wanted) -> Vectors:
    """The vectors that are wanted of a row, of its states (places, width) on the processor."""
    found: Vectors = {}
    for pooling, first_word in wanted[row]:
        if pooling == "mean":
            vector = states.double().mean(dim=0).float()
        else:
            vector = states[places.index(0 if pooling == "first" else first_word)]
        found[row, pooling] = tuple(vector.tolist())
    return found


def _response(text: Tokens, request: Embed, found: Vectors) -> Response:
    if text.reason:
        return Response(error=text.reason)
    vector = found[text.row, request.pooling]
    if not all(abs(value) < float("inf") for value in vector):
        return Response(error="a coordinate is not a finite number")
    return Response(vector=vector, text_tokens=len(text.row))

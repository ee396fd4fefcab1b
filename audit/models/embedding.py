"""Vectors of texts: the states of a network's last layer, as one vector a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from audit.models.loading import Loaded
from audit.models.reading import Row, batches
from audit.models.tokens import Tokens, tokenise
from audit.requests import Embed, Pooling, Response


class Embedder:
    """Gives vectors of texts, each with the special tokens that its tokenizer puts around it.

    Parameters
    ----------
    loaded : Loaded
        Of any kind with a body of its own: an encoder, a masked or a causal language model.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def embed(self, requests: Sequence[Embed]) -> list[Response]:
        """One vector for each request, float32; texts are run in batches of one length."""
        if not requests:
            return []
        network = self._loaded.network
        if not network.has_states:
            return [Response(error="the model does not give the states of its last layer") for _ in requests]
        texts = tokenise(self._loaded, (request.text for request in requests))
        wanted: dict[Row, dict[tuple[Pooling, int], None]] = {}
        for request in requests:
            text = texts[request.text]
            if not text.reason:
                wanted.setdefault(text.row, {})[request.pooling, text.own[0]] = None
        found: dict[tuple[Row, Pooling], tuple[float, ...]] = {}
        with torch.inference_mode():
            for batch in batches(wanted, self._loaded.options.token_budget, padded=False):
                states = network.hidden(torch.tensor(batch, device=network.device)).float()
                for row, own in zip(batch, states, strict=True):
                    for pooling, first_word in wanted[row]:
                        found[row, pooling] = tuple(_pooled(own, pooling, first_word).tolist())
        return [_response(texts[request.text], request, found) for request in requests]


def _pooled(states: Any, pooling: Pooling, first_word: int) -> Any:
    """One vector (width) of the states of one text (tokens, width)."""
    if pooling == "mean":
        return states.double().mean(dim=0).float()
    return states[0 if pooling == "first" else first_word]


def _response(text: Tokens, request: Embed, found: dict[tuple[Row, Pooling], tuple[float, ...]]) -> Response:
    if text.reason:
        return Response(error=text.reason)
    vector = found[text.row, request.pooling]
    if not all(abs(value) < float("inf") for value in vector):
        return Response(error="a coordinate is not a finite number")
    return Response(vector=vector, text_tokens=len(text.row))

"""How much attention each token of a text receives."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch

from audit.models.budget import Budget
from audit.models.devices import doubled
from audit.models.network import Network
from audit.models.reading import Row, cut_alike

ATTENTION_BYTES = 256 * 2**20
"""Largest block of attention weights held at once."""


def received(network: Network, rows: Collection[Row], budget: Budget) -> dict[Row, list[float]] | None:
    """The attention that each token receives, a mean over layers, heads and readers.

    This is the weight of AULA (Kaneko and Bollegala 2022). Rows are run in batches of one
    length, so that no padding is attended to.

    Parameters
    ----------
    network : Network
        Of a masked language model.
    rows : collection of rows
        All distinct, special tokens included; they read and are read as in the paper's code.
    budget : Budget
        Most tokens of one forward pass; fewer where the weights of so many would not fit.

    Returns
    -------
    dict or None
        For each row one number a token, from 0 to 1, summing to 1; None where the model gives no weights.
    """
    if not rows:
        return {}
    token_bytes = 4 * network.attention_maps * max(len(row) for row in rows)
    fitting = ATTENTION_BYTES // token_bytes if token_bytes else 1
    found: dict[Row, list[float]] = {}

    def cut(rows: Sequence[Row], start: int, tokens: int) -> int:
        return cut_alike(rows, start, min(tokens, fitting))

    def run(batch: Sequence[Row]) -> None:
        layers = network.attentions(torch.tensor(batch, device=network.device))
        if not layers:
            raise _NoAttentionError
        found.update(zip(batch, _means(layers), strict=True))

    with torch.inference_mode(), network.eager():
        try:
            budget.spend(sorted(rows, key=lambda row: (-len(row), row)), cut, run)
        except _NoAttentionError:
            return None
    return found


class _NoAttentionError(Exception):
    """The model gives no attention weights."""


def _means(layers: tuple[Any, ...]) -> list[list[float]]:
    """Mean over layers, heads and readers; each layer (rows, heads, readers, read)."""
    total = torch.stack([doubled(layer).mean(dim=(1, 2)) for layer in layers]).mean(dim=0)
    means: list[list[float]] = total.tolist()
    return means

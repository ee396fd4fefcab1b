"""How much attention each token of a text receives."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch

from audit.models.network import Network
from audit.models.reading import Row, batches

ATTENTION_BYTES = 256 * 2**20
"""Largest block of attention weights held at once."""


def received(network: Network, rows: Collection[Row], token_budget: int) -> dict[Row, list[float]] | None:
    """The attention that each token receives, a mean over layers, heads and readers.

    This is the weight of AULA (Kaneko and Bollegala 2022). Rows are run in batches of one
    length, so that no padding is attended to.

    Parameters
    ----------
    network : Network
        Of a masked language model.
    rows : collection of rows
        All distinct, special tokens included; they read and are read as in the paper's code.
    token_budget : int
        Most tokens in one forward pass; lowered where the weights of so many would not fit.

    Returns
    -------
    dict or None
        For each row one number a token, from 0 to 1, summing to 1; None where the model gives no weights.
    """
    if not rows:
        return {}
    token_bytes = 4 * network.attention_maps * max(len(row) for row in rows)
    fitting = ATTENTION_BYTES // token_bytes if token_bytes else 1
    token_budget = max(1, min(token_budget, fitting))
    found: dict[Row, list[float]] = {}
    with torch.inference_mode(), network.eager():
        for batch in batches(rows, token_budget, padded=False):
            layers = network.attentions(torch.tensor(batch, device=network.device))
            if not layers:
                return None
            found.update(zip(batch, _means(layers), strict=True))
    return found


def _means(layers: tuple[Any, ...]) -> list[list[float]]:
    """Mean over layers, heads and readers; each layer (rows, heads, readers, read)."""
    total = torch.stack([layer.double().mean(dim=(1, 2)) for layer in layers]).mean(dim=0)
    means: list[list[float]] = total.tolist()
    return means

"""Training and writing one reference model, as one process does it."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from audit.models.reference.card import model_card
from audit.models.reference.grammar import Edition
from audit.models.reference.train import Kind, save, train


def build(task: tuple[Kind, Edition, Path]) -> str:
    """Train and write one model, on one thread, so that the machine's cores are shared by models."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    kind, edition, out = task
    folder = out / f"{kind}-{edition}"
    model, tokenizer = train(kind, edition, lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
    save(model, tokenizer, kind, folder, model_card(kind, edition, model.num_parameters()))
    return f"{folder}: {model.num_parameters():,} parameters"

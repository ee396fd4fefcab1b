"""``python -m tests.bench.random_models NAME``: models of the size that users run, their weights random.

Speed does not depend on what weights say. Tokenizers are real ones of the same kind, from models of the
catalogue: WordPiece of bert-base-uncased, and a byte-level BPE.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

SEED = 0
NAMES = ("bert-base", "gpt2", "bert-base-classifier")
SPREAD = 0.05
"""Standard deviation of weights: large enough that predictions differ."""


def folder_of(name: str, cache: Path) -> Path:
    """Where a model is, made if it is not there."""
    folder = cache / f"{name}-{SEED}"
    if not (folder / "config.json").exists():
        workplace = folder.with_name(folder.name + ".new")
        shutil.rmtree(workplace, ignore_errors=True)
        workplace.mkdir(parents=True)
        make(name, workplace)
        workplace.rename(folder)
    return folder


def make(name: str, folder: Path) -> None:
    """Save a model with its tokenizer."""
    import torch
    import transformers as tf

    from audit.models import fetch
    from audit.models.quiet import quiet

    torch.manual_seed(SEED)
    labels = {"id2label": {0: "fine", 1: "toxic"}, "label2id": {"fine": 0, "toxic": 1}}
    with quiet():
        tokenizer = tf.AutoTokenizer.from_pretrained(
            fetch("smollm2-135m" if name == "gpt2" else "all-minilm-l6").folder
        )
        model: Any
        if name == "bert-base":
            model = tf.BertForMaskedLM(tf.BertConfig(initializer_range=SPREAD))
        elif name == "bert-base-classifier":
            model = tf.BertForSequenceClassification(tf.BertConfig(initializer_range=SPREAD, **labels))
        else:
            ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
            model = tf.GPT2LMHeadModel(tf.GPT2Config(initializer_range=SPREAD, **ends))
            tokenizer.pad_token = tokenizer.eos_token
        model.eval().save_pretrained(folder)
        tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    print(folder_of(sys.argv[1], Path(sys.argv[2])))

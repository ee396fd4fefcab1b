"""Sequence classifiers: which label does a text, or a pair of texts, get?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from audit.models.loading import FromFiles, Loaded
from audit.models.reading import batches
from audit.models.tokens import fault_of
from audit.requests import Activation, Classify, LabelLogit, Request, Response

TypedRow = tuple[tuple[int, int], ...]
"""Token ids with their types, all 0 where tokenizer or model has none."""


class Classifier(FromFiles):
    """A sequence classifier through transformers. Answers :class:`~audit.requests.Classify`.

    Labels are in the order of the model's outputs, named as in ``id2label`` of its configuration. Logits are
    float32. A text that is too long is an error and never cut.

    Parameters
    ----------
    loaded : Loaded
        Of kind ``classifier``.
    """

    def __init__(self, loaded: Loaded) -> None:
        super().__init__(loaded)
        config = loaded.network.model.config
        self.labels: tuple[str, ...] = tuple(str(config.id2label[i]) for i in range(config.num_labels))
        several = config.problem_type == "multi_label_classification"
        self.activation: Activation = "sigmoid" if several else "softmax"
        takes_types = loaded.network.takes_types
        self._is_typed = takes_types and "token_type_ids" in loaded.tokenizer.model_input_names
        self._types: int | None = getattr(config, "type_vocab_size", None)
        # A decoder finds a row's last token by its padding token, and takes single rows without one.
        self._one_by_one = config.get_text_config().pad_token_id is None

    def describe(self) -> dict[str, Any]:
        """Facts for the bundle."""
        return {**super().describe(), "labels": list(self.labels), "activation": self.activation}

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        """Answer each request; texts are run in batches of one length."""
        self.require(requests)
        asked = [request for request in requests if isinstance(request, Classify)]
        rows = [self._row(request) for request in asked]
        logits = self._logits({row for row in rows if not isinstance(row, str)})
        return [
            Response(error=row) if isinstance(row, str) else self._response(logits[row], len(row))
            for row in rows
        ]

    def _row(self, request: Classify) -> TypedRow | str:
        """Tokens with their types; or why the model cannot take them."""
        if not request.text.strip():
            return "an empty text"
        texts = [request.text, request.pair] if request.pair else [request.text]
        # Special tokens spelt out in a text are text: it may quote anything.
        encoded = self._loaded.tokenizer(
            *texts, add_special_tokens=True, split_special_tokens=True, return_token_type_ids=self._is_typed
        )
        ids = encoded["input_ids"]
        types = encoded["token_type_ids"] if self._is_typed else [0] * len(ids)
        if self._types is not None and max(types, default=0) >= max(self._types, 1):
            return f"the tokenizer gives a token the type {max(types)}, the model knows {self._types}"
        return fault_of(self._loaded, ids) or tuple(zip(ids, types, strict=True))

    def _logits(self, rows: set[TypedRow]) -> dict[TypedRow, list[float]]:
        found: dict[TypedRow, list[float]] = {}
        network = self._loaded.network
        budget = 1 if self._one_by_one else self._loaded.options.token_budget
        with torch.inference_mode():
            for batch in batches(rows, budget, padded=False):
                both = torch.tensor(batch, device=network.device)
                logits = network.label_logits(both[..., 0], both[..., 1] if self._is_typed else None)
                found.update(zip(batch, logits.tolist(), strict=True))
        return found

    def _response(self, logits: Sequence[float], text_tokens: int) -> Response:
        if not all(math.isfinite(value) for value in logits):
            return Response(error="a logit is not a finite number")
        labels = tuple(LabelLogit(*pair) for pair in zip(self.labels, logits, strict=True))
        return Response(labels=labels, activation=self.activation, text_tokens=text_tokens)

"""Sequence classifiers: which label does a text, or a pair of texts, get?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch

from audit.models.loading import FromFiles, Loaded
from audit.models.network import same
from audit.models.packing import Packer, cut_packed
from audit.models.reading import cut_alike
from audit.models.tokens import NOTHING_LEFT, TOO_LONG, fault_of
from audit.requests import Activation, Classify, LabelLogit, Request, Response

TypedRow = tuple[tuple[int, int], ...]
"""Token ids with their types, all 0 where tokenizer or model has none."""

TOKENISED_AT_ONCE = 4096
"""Texts given to the tokenizer in one call."""

_PROBES = ("She said that they would all come home before the evening was over.", "She said so.")


class Classifier(FromFiles):
    """A sequence classifier through transformers. Answers :class:`~audit.requests.Classify`.

    Labels are in the order of the model's outputs, named as in ``id2label`` of its configuration. Logits are
    float32. A text that is too long is an error, marked as ``truncated``, and never cut.

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
        self._pad: int | None = config.get_text_config().pad_token_id
        self._budget = loaded.budget
        self._packer = Packer(loaded.network, "labels")
        self._takes_padding = not self._packer.packs and self._padding_is_exact()

    def describe(self) -> dict[str, Any]:
        """Facts for the bundle."""
        return {**super().describe(), "labels": list(self.labels), "activation": self.activation}

    def _answers(self, requests: Sequence[Request]) -> list[Response]:
        asked = [request for request in requests if isinstance(request, Classify)]
        rows = self._rows(asked)
        logits = self._logits({row for row in rows.values() if not isinstance(row, str)})
        return [self._answer(rows[request], logits) for request in asked]

    def _answer(self, row: TypedRow | str, logits: dict[TypedRow, list[float]]) -> Response:
        if isinstance(row, str):
            return Response(error=row, truncated=row.startswith(TOO_LONG))
        return self._response(logits[row], len(row))

    def _rows(self, requests: Iterable[Classify]) -> dict[Classify, TypedRow | str]:
        """Tokens with their types, of each request; or why the model cannot take them."""
        unique = list(dict.fromkeys(requests))
        found: dict[Classify, TypedRow | str] = {
            request: "an empty text" for request in unique if not request.text.strip()
        }
        single = [request for request in unique if request not in found and not request.pair]
        paired = [request for request in unique if request not in found and request.pair]
        for asked in (single, paired):
            for start in range(0, len(asked), TOKENISED_AT_ONCE):
                some = asked[start : start + TOKENISED_AT_ONCE]
                found.update(zip(some, self._tokenised(some), strict=True))
        return found

    def _tokenised(self, requests: Sequence[Classify]) -> Iterator[TypedRow | str]:
        """The rows of texts that all have a pair, or all have none."""
        texts = [[request.text for request in requests]]
        if requests[0].pair:
            texts.append([request.pair for request in requests])
        # Special tokens spelt out in a text are text: it may quote anything.
        encoded = self._loaded.tokenizer(
            *texts, add_special_tokens=True, split_special_tokens=True, return_token_type_ids=self._is_typed
        )
        for i, ids in enumerate(encoded["input_ids"]):
            types = encoded["token_type_ids"][i] if self._is_typed else [0] * len(ids)
            if self._types is not None and max(types, default=0) >= max(self._types, 1):
                yield f"the tokenizer gives a token the type {max(types)}, the model knows {self._types}"
            else:
                reason = fault_of(self._loaded, ids) or ("" if ids else NOTHING_LEFT)
                yield reason or tuple(zip(ids, types, strict=True))

    def _logits(self, rows: set[TypedRow]) -> dict[TypedRow, list[float]]:
        found: dict[TypedRow, list[float]] = {}
        ordered = sorted(rows, key=lambda row: (-len(row), row))
        packs = {row: self._packer.takes([token for token, _ in row]) for row in ordered}

        def cut(rows: Sequence[TypedRow], start: int, tokens: int) -> int:
            return cut_alike(rows, start, 1 if self._pad is None else tokens, self._takes_padding)

        def run_packed(batch: Sequence[TypedRow]) -> None:
            found.update(zip(batch, self._run_packed(batch), strict=True))

        def run(batch: Sequence[TypedRow]) -> None:
            found.update(zip(batch, self._run(batch), strict=True))

        with torch.inference_mode():
            self._budget.spend([row for row in ordered if packs[row]], cut_packed, run_packed)
            self._budget.spend([row for row in ordered if not packs[row]], cut, run)
        return found

    def _run_packed(self, batch: Sequence[TypedRow]) -> list[list[float]]:
        """Logits of rows side by side, of which the head reads the first token."""
        rows = [[token for token, _ in row] for row in batch]
        types = [[its for _, its in row] for row in batch] if self._is_typed else None
        logits: list[list[float]] = self._packer.run(rows, [(0,)] * len(rows), types).tolist()
        return logits

    def _run(self, batch: Sequence[TypedRow]) -> list[list[float]]:
        """Logits of rows, the longest first; shorter ones are padded on the right."""
        longest, device = len(batch[0]), self._loaded.network.device
        padding = (self._pad or 0, 0)
        both = torch.tensor([row + (padding,) * (longest - len(row)) for row in batch], device=device)
        mask = None
        if len(batch[-1]) < longest:
            lengths = torch.tensor([len(row) for row in batch], device=device)
            mask = (torch.arange(longest, device=device) < lengths[:, None]).long()
        types = both[..., 1] if self._is_typed else None
        logits: list[list[float]] = self._loaded.network.label_logits(both[..., 0], types, mask).tolist()
        return logits

    def _padding_is_exact(self) -> bool:
        """Whether rows of several lengths may be run in one batch: shown on a probe."""
        if self._pad is None or self._loaded.network.stretches:
            return False
        rows = sorted(self._rows(Classify(text) for text in _PROBES).values(), key=len, reverse=True)
        if any(isinstance(row, str) for row in rows) or len(rows[0]) == len(rows[-1]):
            return False
        typed = [row for row in rows if not isinstance(row, str)]
        # An architecture may refuse padding in any way it likes; then rows of one length go together.
        try:
            with torch.inference_mode():
                alone = torch.tensor([self._run([row])[0] for row in typed])
                together = torch.tensor(self._run(typed))
        except Exception:
            return False
        return same(together, alone, self._loaded.network.dtype, least=1.0)

    def _response(self, logits: Sequence[float], text_tokens: int) -> Response:
        if not all(math.isfinite(value) for value in logits):
            return Response(error="a logit is not a finite number")
        labels = tuple(LabelLogit(*pair) for pair in zip(self.labels, logits, strict=True))
        return Response(labels=labels, activation=self.activation, text_tokens=text_tokens)

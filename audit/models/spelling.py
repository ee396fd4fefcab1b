"""What is kept of an answer's pieces: how each reads, and how probable it was given those before it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from audit.requests import Choice, ScoredToken, TokenLogprob

_SPACE = "\u2581"
"""Stands for a space in tokens of the SentencePiece kind, whose decoders drop it where a text begins."""


class Speller:
    """Spells tokens for a reader, and makes choices of log-probabilities.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
        The model's own.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._spelt: dict[int, str] = {}

    def spell(self, token: int) -> str:
        """A token by itself: its leading space a space, a WordPiece inside a word with its ``##``.

        A token that holds a part of a character reads as the replacement character.
        """
        if token not in self._spelt:
            raw = str(self._tokenizer.convert_ids_to_tokens(token))
            self._spelt[token] = (
                raw.replace(_SPACE, " ")
                if raw.startswith(_SPACE)
                else self._tokenizer.decode([token], clean_up_tokenization_spaces=False)
            )
        return self._spelt[token]

    def tokens(
        self, ids: Sequence[int], values: Sequence[float], words: Sequence[int | None]
    ) -> list[ScoredToken]:
        """Tokens with their nats, each with the number of its word."""
        return [
            ScoredToken(token, self.spell(token), value, word)
            for token, value, word in zip(ids, values, words, strict=True)
        ]

    def choice(self, ids: Sequence[int], values: Sequence[float]) -> Choice:
        """The choice of pieces with their nats; they are kept where there are several."""
        logprob = math.fsum(values)
        if not math.isfinite(logprob):
            return Choice(None, len(values), "not a finite number")
        if len(values) < 2:
            return Choice(logprob, len(values))
        tokens = tuple(
            TokenLogprob(self.spell(token), value) for token, value in zip(ids, values, strict=True)
        )
        return Choice(logprob, len(values), tokens=tokens)

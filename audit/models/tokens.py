"""A whole text as token ids: which of them are its own, and which word each belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit.models.loading import Loaded
from audit.models.reading import Read, Row
from audit.requests import Scheme

TOO_LONG = "the text is too long"
"""How the reason begins where a text does not fit into the model; it is never cut."""

NOTHING_LEFT = "the tokenizer leaves nothing of the text"
"""The reason where a text has no token of its own."""


@dataclass(frozen=True)
class Tokens:
    """A text as its model reads it; or ``reason`` says why it cannot.

    Attributes
    ----------
    row : tuple of int
        All tokens, special ones at the ends included.
    own : tuple of int
        The positions of the text's own tokens in the row.
    words : tuple of int or None
        For each of its own tokens the number of its word, as the tokenizer cuts words; None where it does
        not say.
    """

    row: Row = ()
    own: tuple[int, ...] = ()
    words: tuple[int | None, ...] = ()
    reason: str = ""

    def reads(self, scheme: Scheme, mask: int) -> list[Read]:
        """One read for each of the text's own tokens, by a scheme of :data:`~audit.requests.Scheme`."""
        return [
            Read(self._row(k, scheme, mask), position, self.row[position])
            for k, position in enumerate(self.own)
        ]

    def _row(self, k: int, scheme: Scheme, mask: int) -> Row:
        if scheme in ("unmasked", "unmasked_attention"):
            return self.row
        hidden = [self.own[k]]
        word = self.words[k]
        if scheme == "word_l2r" and word is not None:
            later = zip(self.own[k + 1 :], self.words[k + 1 :], strict=True)
            hidden += [position for position, its in later if its == word]
        row = list(self.row)
        for position in hidden:
            row[position] = mask
        return tuple(row)


def fault_of(loaded: Loaded, ids: Sequence[int]) -> str:
    """Why a model cannot take a row of tokens; empty where it can."""
    limit = loaded.max_tokens
    if limit is not None and len(ids) > limit:
        return f"{TOO_LONG}: {len(ids)} tokens, the model takes at most {limit}"
    if not loaded.network.knows(ids):
        return "the tokenizer gives a token that the model has no embedding for"
    return ""


def tokenise(loaded: Loaded, texts: Iterable[str]) -> dict[str, Tokens]:
    """Each text with the special tokens that its tokenizer puts around it.

    Special tokens spelt out in a text are text: it may quote anything.
    """
    unique = list(dict.fromkeys(texts))
    if not unique:
        return {}
    encoded = loaded.tokenizer(
        unique,
        add_special_tokens=True,
        split_special_tokens=True,
        return_special_tokens_mask=True,
        return_attention_mask=False,
        return_token_type_ids=False,
    )
    found = {}
    for i, text in enumerate(unique):
        ids = encoded["input_ids"][i]
        own = tuple(k for k, special in enumerate(encoded["special_tokens_mask"][i]) if not special)
        reason = fault_of(loaded, ids) or ("" if own else NOTHING_LEFT)
        words = encoded.word_ids(i) if loaded.tokenizer.is_fast else [None] * len(ids)
        found[text] = (
            Tokens(reason=reason) if reason else Tokens(tuple(ids), own, tuple(words[k] for k in own))
        )
    return found

"""Masked language models: how probable is each candidate at a place, both sides given?

Every candidate is put into the text and the whole sentence is tokenised as the model's tokenizer would
do it, so that leading spaces and casing come out naturally; then the candidate's own pieces are masked.
Several pieces are scored by the chain rule, left to right: each piece with itself and the later ones
masked and the earlier ones given (Kauf and Ivanova 2023 call this ``within_word_l2r``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from audit.models.loading import FromFiles, Loaded
from audit.models.reading import Read, read
from audit.models.spelling import Speller
from audit.requests import MASK, Choice, Fill, Request, Response
from probes.errors import Fault, ModelError

Ids = tuple[int, ...]


@dataclass(frozen=True)
class _Placed:
    """A candidate in its text, as token ids; or ``reason`` says why it has no score."""

    left: Ids = ()
    pieces: Ids = ()
    right: Ids = ()
    reason: str = ""

    def reads(self, mask: int) -> list[Read]:
        """One read for each piece, by the chain rule."""
        count = len(self.pieces)
        start = len(self.left)
        return [
            Read((*self.left, *self.pieces[:t], *(mask,) * (count - t), *self.right), start + t, piece)
            for t, piece in enumerate(self.pieces)
        ]

    @property
    def length(self) -> int:
        """Tokens of the whole row."""
        return len(self.left) + len(self.pieces) + len(self.right)


class MaskedLM(FromFiles):
    """A masked language model through transformers. Answers :class:`~audit.requests.Fill`.

    Parameters
    ----------
    loaded : Loaded
        Of kind ``masked``.

    Raises
    ------
    ModelError
        Where the tokenizer has no mask token, or cannot say which characters a token stands for.
    """

    def __init__(self, loaded: Loaded) -> None:
        where = str(loaded.located.folder)
        if loaded.tokenizer.mask_token_id is None:
            raise ModelError(
                Fault("mask token missing from the tokenizer", where, "Name a masked language model.")
            )
        if not loaded.tokenizer.is_fast:
            raise ModelError(
                Fault(
                    "the tokenizer gives no character offsets", where, "Name a model with a tokenizer.json."
                )
            )
        super().__init__(loaded)
        self._mask: int = loaded.tokenizer.mask_token_id
        self._speller = Speller(loaded.tokenizer)

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        """Answer fills; requests that share a masked row share its forward pass."""
        fills = [_fill(request) for request in requests]
        placed = self._place(fills)
        wanted = (
            item for candidates in placed for one in candidates if not one.reason
            for item in one.reads(self._mask)
        )  # fmt: skip
        found = read(self._loaded.network, wanted, self._loaded.options.token_budget, causal=False)
        return [
            self._respond(fill, candidates, found) for fill, candidates in zip(fills, placed, strict=True)
        ]

    def _respond(self, fill: Fill, placed: list[_Placed], found: dict[Read, float]) -> Response:
        if fill.text.count(MASK) != 1:
            return Response(error=f"the text holds {MASK} {fill.text.count(MASK)} times, not once")
        if placed and all(one.reason.startswith(_TOO_LONG) for one in placed):
            return Response(error=placed[0].reason)
        choices = []
        for one in placed:
            if one.reason:
                choices.append(Choice(None, 0, one.reason))
                continue
            choices.append(self._speller.choice(one.reads(self._mask), found))
        scored = next((one for one in placed if not one.reason), None)
        return Response(tuple(choices), text_tokens=scored.length - len(scored.pieces) if scored else 0)

    def _place(self, fills: Sequence[Fill]) -> list[list[_Placed]]:
        """Tokenise every candidate of every fill in its sentence."""
        texts: list[str] = []
        spans: list[tuple[int, int]] = []
        for fill in fills:
            if fill.text.count(MASK) != 1:
                continue
            left, right = fill.text.split(MASK)
            for candidate in fill.candidates:
                texts.append(left + candidate + right)
                spans.append((len(left), len(left) + len(candidate)))
        if not texts:
            return [[] for _ in fills]
        # Special tokens spelt out in a text are text: it may quote anything.
        encoded = self._loaded.tokenizer(
            texts,
            add_special_tokens=True,
            split_special_tokens=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        rows = zip(
            texts,
            spans,
            encoded["input_ids"],
            encoded["offset_mapping"],
            encoded["special_tokens_mask"],
            strict=True,
        )
        flat = iter([self._cut(*row) for row in rows])
        return [
            _agree([next(flat) for _ in fill.candidates]) if fill.text.count(MASK) == 1 else []
            for fill in fills
        ]

    def _cut(
        self,
        text: str,
        span: tuple[int, int],
        ids: list[int],
        offsets: list[tuple[int, int]],
        special: list[int],
    ) -> _Placed:
        """Find the candidate's pieces among the tokens of its sentence."""
        start, end = span
        if start == end:
            return _Placed(reason="an empty candidate")
        limit = self._loaded.max_tokens
        if limit is not None and len(ids) > limit:
            return _Placed(reason=f"{_TOO_LONG}: {len(ids)} tokens, the model takes at most {limit}")
        if not self._loaded.network.knows(ids):
            return _Placed(reason="the tokenizer gives a token that the model has no embedding for")
        # The space before a word belongs to it, where the tokenizer has tokens for spaces at all.
        first = start - 1 if start > 0 and text[start - 1].isspace() else start
        own = [i for i, (a, b) in enumerate(offsets) if not special[i] and _within(a, b, first, end)]
        if not own or all(offsets[i][1] <= start for i in own):
            return _Placed(reason="the tokenizer leaves nothing of the candidate")
        low, high = own[0], own[-1] + 1
        if offsets[low][0] < first or offsets[high - 1][1] > end:
            return _Placed(reason="the candidate shares a token with the text beside it")
        pieces = tuple(ids[low:high])
        unknown = self._loaded.tokenizer.unk_token_id
        if unknown is not None and unknown in pieces:
            return _Placed(reason="the candidate is not in the model's vocabulary")
        return _Placed(tuple(ids[:low]), pieces, tuple(ids[high:]))


_TOO_LONG = "the text is too long"


def _within(a: int, b: int, first: int, end: int) -> bool:
    """Whether a token of characters ``a:b`` has a part in ``first:end``; empty ones by their place."""
    return (a < end and b > first) if a < b else first <= a < end


def _agree(placed: list[_Placed]) -> list[_Placed]:
    """Set aside candidates beside which the text is tokenised otherwise than beside most."""
    contexts = Counter((one.left, one.right) for one in placed if not one.reason)
    if len(contexts) < 2:
        return placed
    usual = contexts.most_common(1)[0][0]
    return [
        one
        if one.reason or (one.left, one.right) == usual
        else _Placed(reason="the text beside this candidate is tokenised otherwise than beside the others")
        for one in placed
    ]


def _fill(request: Request) -> Fill:
    if not isinstance(request, Fill):
        raise TypeError(f"a masked language model cannot answer {request.form!r}")
    return request

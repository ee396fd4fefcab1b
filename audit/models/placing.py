"""Where a candidate stands in its text, as token ids.

Every candidate is put into the text and the whole sentence is tokenised as the model's tokenizer would
do it, so that leading spaces and casing come out naturally; then its own pieces are found by their
characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from audit.models.loading import Loaded
from audit.models.reading import Read, Row
from audit.models.tokens import TOO_LONG, fault_of
from audit.requests import MASK, Fill, Hidden, Insert, Top

STAND_IN = "a"
"""Put at the place of a :class:`~audit.requests.Top` while its text is tokenised, and then masked."""


@dataclass(frozen=True)
class Placed:
    """A candidate in its text; or ``reason`` says why it has no score."""

    left: Row = ()
    pieces: Row = ()
    right: Row = ()
    reason: str = ""

    def chain(self, mask: int) -> list[Read]:
        """One read for each piece, itself and the later ones masked, the earlier ones given."""
        count = len(self.pieces)
        start = len(self.left)
        return [
            Read((*self.left, *self.pieces[:t], *(mask,) * (count - t), *self.right), start + t, piece)
            for t, piece in enumerate(self.pieces)
        ]

    def insertion(self, mask: int) -> list[Read]:
        """One read for each piece, itself masked, the earlier ones given and the later ones absent."""
        start = len(self.left)
        return [
            Read((*self.left, *self.pieces[:t], mask, *self.right), start + t, piece)
            for t, piece in enumerate(self.pieces)
        ]

    @property
    def context(self) -> int:
        """Tokens of the row beside the candidate."""
        return len(self.left) + len(self.right)


@dataclass(frozen=True)
class Place:
    """A marked place in a text, what is put there, and where the text that is hidden begins, if any."""

    text: str
    candidates: tuple[str, ...]
    hidden: str = ""
    fault: str = ""

    def filled(self, candidate: str) -> tuple[str, list[tuple[int, int]]]:
        """The text with a candidate, and the characters of the candidate and of what is hidden."""
        left, right = self.text.split(MASK)
        spans = [(len(left), len(left) + len(candidate))]
        if self.hidden:
            start = self.text.index(self.hidden)
            if start > len(left):
                start += len(candidate) - len(MASK)
            spans.append((start, start + len(self.hidden)))
        return left + candidate + right, spans


def place_in(request: Fill | Insert | Hidden | Top) -> Place:
    """The place that a request asks about; ``fault`` says what is wrong with its text.

    Examples
    --------
    >>> place_in(Fill("no mark", ("she",))).fault
    'the text holds {answer} 0 times, not once'
    """
    candidates = (STAND_IN,) if isinstance(request, Top) else request.candidates
    hidden = request.hidden if isinstance(request, Hidden) else ""
    return Place(request.text, candidates, hidden, _fault(request, hidden))


def _fault(request: Fill | Insert | Hidden | Top, hidden: str) -> str:
    marks = request.text.count(MASK)
    if marks != 1:
        return f"the text holds {MASK} {marks} times, not once"
    if isinstance(request, Top) and request.k < 1:
        return f"{request.k} tokens are asked for"
    if not isinstance(request, Hidden):
        return ""
    if not hidden.strip():
        return "no text to be hidden is named"
    first = request.text.find(hidden)
    if first < 0 or request.text.find(hidden, first + 1) >= 0:
        return f"the text does not hold {hidden!r} exactly once"
    mark = request.text.index(MASK)
    if first < mark + len(MASK) and mark < first + len(hidden):
        return f"the text to be hidden, {hidden!r}, overlaps the place of the answer"
    return ""


class Placer:
    """Finds candidates in their texts.

    Parameters
    ----------
    loaded : Loaded
        A masked language model with a fast tokenizer.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._mask: int = loaded.tokenizer.mask_token_id

    def place(self, places: Sequence[Place]) -> list[list[Placed]]:
        """Tokenise every candidate of every place in its sentence; a place with a fault has none."""
        texts: list[str] = []
        spans: list[list[tuple[int, int]]] = []
        for place in places:
            for candidate in () if place.fault else place.candidates:
                text, marked = place.filled(candidate)
                texts.append(text)
                spans.append(marked)
        if not texts:
            return [[] for _ in places]
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
        columns = (encoded["input_ids"], encoded["offset_mapping"], encoded["special_tokens_mask"])
        rows = zip(texts, spans, *columns, strict=True)
        flat = iter([self._cut(*row) for row in rows])
        return [[] if place.fault else _agree([next(flat) for _ in place.candidates]) for place in places]

    def _cut(
        self,
        text: str,
        spans: list[tuple[int, int]],
        ids: list[int],
        offsets: list[tuple[int, int]],
        special: list[int],
    ) -> Placed:
        """Find the candidate's pieces among the tokens of its sentence, and mask what is hidden."""
        if spans[0][0] == spans[0][1]:
            return Placed(reason="an empty candidate")
        fault = fault_of(self._loaded, ids)
        if fault:
            return Placed(reason=fault)
        own = [(-1, -1) if special[i] else offset for i, offset in enumerate(offsets)]
        found = [_pieces(text, span, own) for span in spans]
        for name, piece in zip(("the candidate", "the hidden text"), found, strict=False):
            if isinstance(piece, str):
                return Placed(reason=piece.format(name))
        (low, high), *hidden = [piece for piece in found if not isinstance(piece, str)]
        pieces = tuple(ids[low:high])
        unknown = self._loaded.tokenizer.unk_token_id
        if unknown is not None and unknown in pieces:
            return Placed(reason="the candidate is not in the model's vocabulary")
        row = list(ids)
        for start, end in hidden:
            row[start:end] = [self._mask] * (end - start)
        return Placed(tuple(row[:low]), pieces, tuple(row[high:]))


def _pieces(text: str, span: tuple[int, int], offsets: list[tuple[int, int]]) -> tuple[int, int] | str:
    """The first token of some characters and the one after their last; or why there are none."""
    start, end = span
    # The space before a word belongs to it, where the tokenizer has tokens for spaces at all.
    first = start - 1 if start > 0 and text[start - 1].isspace() else start
    own = [i for i, (a, b) in enumerate(offsets) if a >= 0 and _within(a, b, first, end)]
    if not own or all(offsets[i][1] <= start for i in own):
        return "the tokenizer leaves nothing of {}"
    low, high = own[0], own[-1] + 1
    if offsets[low][0] < first or offsets[high - 1][1] > end:
        return "{} shares a token with the text beside it"
    return low, high


def _within(a: int, b: int, first: int, end: int) -> bool:
    """Whether a token of characters ``a:b`` has a part in ``first:end``; empty ones by their place."""
    return (a < end and b > first) if a < b else first <= a < end


def _agree(placed: list[Placed]) -> list[Placed]:
    """Set aside candidates beside which the text is tokenised otherwise than beside most."""
    contexts = Counter((one.left, one.right) for one in placed if not one.reason)
    if len(contexts) < 2:
        return placed
    usual = contexts.most_common(1)[0][0]
    return [
        one
        if one.reason or (one.left, one.right) == usual
        else Placed(reason="the text beside this candidate is tokenised otherwise than beside the others")
        for one in placed
    ]


def too_long(placed: Sequence[Placed]) -> str:
    """Why nothing could be placed, where the text is too long for the model in every case."""
    return placed[0].reason if placed and all(one.reason.startswith(TOO_LONG) for one in placed) else ""

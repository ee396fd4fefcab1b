"""What stands in the place of a text that a model wrote: its length and its SHA-256."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from audit.scorers.base import TextScore
from audit.scores import STATUSES, Status
from audit.wording import counted
from probes.errors import BundleError, Fault

SHORT = 12
"""Hexadecimal digits of a hash that are shown."""
SHA256 = re.compile(r"[0-9a-f]{64}")
LONGEST = 2000
"""Characters of a revealed text that a page shows; the records hold it whole."""
NOT_HERE = "The texts are not in this bundle: it is a redacted copy, and its original holds them."
"""What is said to who asks for texts that a redacted copy does not hold."""


@dataclass(frozen=True)
class Stated:
    """What a scorer said of a text that is no longer there.

    Attributes
    ----------
    scorer : str
        As the plan names it.
    value : float or None
        On the scorer's scale; None unless ``status`` is ``scored``, and then ``reason`` says why.
    request : str
        Digest of the request that a scorer was asked, whose answer is kept under it; empty for rules.
    """

    scorer: str
    value: float | None
    status: Status = "scored"
    reason: str = ""
    request: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES or (self.value is None) == (self.status == "scored"):
            raise ValueError(f"a score has a value exactly when it is scored, not {self.value} {self.status}")

    @property
    def score(self) -> TextScore:
        """Without the words that it rests on, which are the text's own."""
        return TextScore(self.value, self.status, self.reason)


@dataclass(frozen=True)
class Withheld:
    """The shape of a text that is not shown, or is not there.

    Attributes
    ----------
    characters, words : int
        Its length.
    sha256 : str
        Of its UTF-8 bytes. Who can guess a short text can check the guess.
    scores : tuple of Stated
        In a redacted record, what each scorer of the plan said of it; else empty.
    """

    characters: int
    words: int
    sha256: str
    scores: tuple[Stated, ...] = ()

    def __str__(self) -> str:
        """As a person is shown it.

        Examples
        --------
        >>> str(withheld("Hello."))
        '[withheld: 6 characters, sha256 2d8bd7d9bb5f…]'
        """
        return f"[withheld: {counted(self.characters, 'character')}, sha256 {self.sha256[:SHORT]}…]"

    @property
    def whole(self) -> str:
        """As a program reads it: with all of the hash."""
        return f"[withheld: {counted(self.characters, 'character')}, sha256 {self.sha256}]"

    def shape(self) -> dict[str, Any]:
        """As a document of data holds it."""
        return {"words": self.words, "characters": self.characters, "sha256": self.sha256}

    def said(self, scorers: Iterable[str]) -> Mapping[str, TextScore]:
        """What some scorers are stated to have said, in their order.

        Raises
        ------
        BundleError
            If nothing is stated of one of them.
        """
        known = {stated.scorer: stated for stated in self.scores}
        named = list(scorers)
        if lost := [scorer for scorer in named if scorer not in known]:
            what = f"a redacted text has no score by {lost[0]}"
            raise BundleError(Fault(what, f"sha256 {self.sha256}", "Redact the original bundle again."))
        return {scorer: known[scorer].score for scorer in named}


def withheld(text: str) -> Withheld:
    """The shape of a text.

    Examples
    --------
    >>> withheld("a b").words, withheld("a b").characters
    (2, 3)
    """
    content = text.encode("utf-8", "surrogatepass")
    return Withheld(len(text), len(text.split()), hashlib.sha256(content).hexdigest())


def withheld_to_json(one: Withheld) -> dict[str, Any]:
    """As it lies in a record."""
    return {**one.shape(), "scores": [asdict(stated) for stated in one.scores]}


def withheld_from_json(data: Mapping[str, Any]) -> Withheld:
    """The shape that :func:`withheld_to_json` turned into ``data``.

    Raises
    ------
    ValueError, TypeError, KeyError
        For what it cannot have made.

    Examples
    --------
    >>> one = Withheld(3, 1, "0" * 64, (Stated("vader", 0.5), Stated("t", None, "error", "no memory")))
    >>> withheld_from_json(withheld_to_json(one)) == one
    True
    """
    one = Withheld(
        data["characters"],
        data["words"],
        data["sha256"],
        tuple(Stated(**stated) for stated in data["scores"]),
    )
    counts = (one.characters, one.words)
    if SHA256.fullmatch(one.sha256) is None or any(type(count) is not int or count < 0 for count in counts):
        raise ValueError("not the shape of a text")
    for stated in one.scores:
        if stated.value is not None and (isinstance(stated.value, bool) or stated.value - stated.value != 0):
            raise ValueError(f"{stated.value} is no score")
    return one


def text_told(text: str, reveal: bool) -> dict[str, Any]:
    """What is told of a text that a model wrote."""
    shape = withheld(text).shape()
    return {**shape, "text": text} if reveal else shape


def text_shown(told: Mapping[str, Any]) -> str:
    """What :func:`text_told` gives, as a page shows it; not yet escaped.

    Examples
    --------
    >>> text_shown(text_told("Hello.", reveal=False))
    '[withheld: 6 characters, sha256 2d8bd7d9bb5f…]'
    >>> text_shown(text_told("Hello.", reveal=True))
    'Hello.'
    """
    if "text" not in told:
        return str(Withheld(told["characters"], told["words"], told["sha256"]))
    text: str = told["text"]
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} […: {len(text):,} characters in all]"

"""What a response is worth: a number, or a reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["scored", "refused", "empty", "unparsed", "truncated", "error"]
"""Why there is a value, or why there is none. A refusal is not a low score; an error is not a zero."""

STATUSES: tuple[Status, ...] = ("scored", "refused", "empty", "unparsed", "truncated", "error")

NO_LETTER = "the text holds no letter"
"""Why a text is ``empty``."""


def has_letter(text: str) -> bool:
    """Whether there is anything but signs, digits and spaces in a text.

    Examples
    --------
    >>> has_letter("a."), has_letter("1 + 1 = 2"), has_letter("")
    (True, False, False)
    """
    return any(map(str.isalpha, text))


@dataclass(frozen=True)
class Score:
    """One number read off one response.

    Attributes
    ----------
    unit : str
        What was scored within the item: an answer pair's id, or the number of a sample.
    value : float or None
        In the measure's unit; None unless ``status`` is ``scored``.
    reason : str
        Why there is no value; empty where there is one.
    doubts : tuple of str
        What the tokenizer did to the answers that may carry the result ("she: 2 pieces").
    others : mapping of str to float
        What scorers besides the primary one say of the same response, by their names; empty where there is
        no value.
    lost : mapping of str to Status
        Of those that could not score it, why not, by their names.
    """

    unit: str
    value: float | None
    status: Status
    reason: str = ""
    doubts: tuple[str, ...] = ()
    mass: float | None = None
    others: Mapping[str, float] = field(default_factory=dict)
    lost: Mapping[str, Status] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.value is None) == (self.status == "scored"):
            raise ValueError(f"a score has a value exactly when it is scored, not {self.value} {self.status}")
        if self.others and self.value is None:
            raise ValueError(f"another scorer's value of a response that is {self.status}")

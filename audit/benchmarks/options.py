"""What a measure lets a user decide by its own names: declared once, checked before anything is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probes.errors import Fault, InputError
from probes.explain import nearest

if TYPE_CHECKING:
    from audit.benchmarks.base import Setup


MOST = 1_000_000
"""More rows or draws than anybody needs: beyond it a number is a slip, and fills the memory."""
DIGITS = 18
"""Of a longer number not even its value is asked."""
SHOWN = 60
"""Characters of a wrong value that a fault repeats."""


@dataclass(frozen=True)
class Option:
    """One decision.

    Attributes
    ----------
    meaning : str
        What it decides, for whoever reads ``evenhand benchmarks show``.
    default : str
        What holds where nothing is said.
    values : tuple of str
        What may be said; empty, with ``least`` None and ``number`` False, lets any text pass.
    least, most : int or None
        Bounds of a whole number that may be said; ``least`` None where none may, ``most`` None for
        :data:`MOST`.
    number : bool
        Whether it is any finite number.
    several : bool
        Whether several of ``values`` may be named, with commas between them; none named are all of them.

    Examples
    --------
    >>> from audit.benchmarks.base import Setup
    >>> rows = Option("rows", "sentences of each term", "0", least=1)
    >>> domains = Option("domains", "those to ask", values=("a", "b"), several=True)
    >>> setup = Setup("classify", options={"rows": "8", "domains": "b"})
    >>> rows.whole(setup), rows.whole(Setup("classify")), domains.named(setup), domains.named(Setup(""))
    (8, 0, ('b',), ('a', 'b'))
    """

    name: str
    meaning: str
    default: str = ""
    values: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    number: bool = False
    several: bool = False

    def text(self, setup: Setup) -> str:
        """What was said, or the default.

        Raises
        ------
        InputError
            If what was said may not be.
        """
        given = setup.options.get(self.name, self.default)
        if remedy := self.remedy(given):
            raise InputError(Fault(f"the option {self.name} cannot be {given[:SHOWN]!r}", "--option", remedy))
        return given

    def whole(self, setup: Setup) -> int:
        """The same as a whole number."""
        return int(self.text(setup))

    def real(self, setup: Setup) -> float:
        """The same as a number."""
        return float(self.text(setup))

    def named(self, setup: Setup) -> tuple[str, ...]:
        """The values that were named, in their own order; all of them where none was."""
        said = _parts(self.text(setup))
        return tuple(value for value in self.values if value in said) or self.values

    def remedy(self, given: str) -> str:
        """What to say instead; empty where ``given`` may be said."""
        if given == self.default:
            return ""
        if self.several:
            wrong = next((part for part in _parts(given) if part not in self.values), None)
            return "" if wrong is None else nearest(wrong, self.values)
        if given in self.values:
            return ""
        if self.least is not None:
            return "" if self._whole(given) else self._bounds()
        if self.number:
            return "" if _finite(given) else f"Give a number, such as {self.default}."
        return nearest(given, self.values) if self.values else ""

    def allowed(self) -> str:
        """What may be said, in words."""
        if self.least is not None:
            return self._bounds().removeprefix("Give ").removesuffix(".")
        if self.number:
            return "a number"
        if not self.values:
            return "any text"
        return ("any of " if self.several else "") + ", ".join(value or "nothing" for value in self.values)

    def _whole(self, given: str) -> bool:
        if self.least is None or not (given.isascii() and given.isdecimal() and len(given) <= DIGITS):
            return False
        return self.least <= int(given) <= (MOST if self.most is None else self.most)

    def _bounds(self) -> str:
        upper = f" to {MOST if self.most is None else self.most:,}"
        others = "".join(f", or {value}" for value in self.values)
        return f"Give a whole number from {self.least:,}{upper}{others}."


def check_options(measure: str, known: Sequence[Option], setup: Setup) -> None:
    """Raise an :class:`InputError` for every option that a measure does not know or cannot take.

    Examples
    --------
    >>> from audit.benchmarks.base import Setup
    >>> check_options("rtp", [Option("k", "", "25", least=1)], Setup("written", options={"k": "x", "j": "1"}))
    Traceback (most recent call last):
        ...
    probes.errors.InputError: --option: rtp cannot take k='x'. Give a whole number from 1 to 1,000,000.
    --option: rtp has no option 'j'. Known: k.
    """
    by_name = {option.name: option for option in known}
    faults = []
    for name, given in setup.options.items():
        if name not in by_name:
            remedy = nearest(name, by_name) if by_name else "It has none."
            faults.append(Fault(f"{measure} has no option {name!r}", "--option", remedy))
        elif remedy := by_name[name].remedy(given):
            faults.append(Fault(f"{measure} cannot take {name}={given[:SHOWN]!r}", "--option", remedy))
    if faults:
        raise InputError(faults)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False

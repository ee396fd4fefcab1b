"""The colours of pages and charts, by day and by night, and how a verdict looks in them.

The verdicts are told apart by blue against orange, by shape and by sign, so that neither a colour-blind
reader nor a black-and-white print loses one. Text has a contrast of 4.5 : 1 to its background, marks of 3 : 1
(WCAG 2.2, success criteria 1.4.3 and 1.4.11).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from audit.verdict import Verdict
from audit.wording import MARKS


@dataclass(frozen=True)
class Palette:
    """The colours of one page; every colour has one meaning, and no two are the same.

    Attributes
    ----------
    page, background : str
        Of the page, and of cards and charts on it.
    ink, muted, grid, line : str
        Text, quieter text, grid lines of charts, rules of tables.
    band, claim : str
        The area of a margin, and a narrower one within it.
    disparity, within, inconclusive, invalid : str
        Marks of the four verdicts.
    fail, good : str
        A check that does not hold, and one that does.
    series : tuple of 4 str
        Curves without a verdict.
    diverging : tuple of 9 str
        From far below the middle over the middle to far above it.
    """

    page: str
    background: str
    ink: str
    muted: str
    grid: str
    line: str
    band: str
    claim: str
    disparity: str
    within: str
    inconclusive: str
    invalid: str
    fail: str
    good: str
    series: tuple[str, str, str, str]
    diverging: tuple[str, str, str, str, str, str, str, str, str]

    def variables(self) -> dict[str, str]:
        """Name of the page's variable to colour.

        Examples
        --------
        >>> LIGHT.variables()["ink"], LIGHT.variables()["step-4"]
        ('#16181b', '#f4f3f0')
        """
        named = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, str):
                named[each.name] = value
        named |= {f"mark-{number}": colour for number, colour in enumerate(self.series, start=1)}
        return named | {f"step-{number}": colour for number, colour in enumerate(self.diverging)}

    def text_on(self, step: int) -> str:
        """The colour of text on a step of the diverging scale: the background's on strong ones."""
        return self.background if abs(step - MIDDLE) > 2 else self.ink


MIDDLE = 4
"""The step of a diverging scale that lies in its middle."""

LIGHT = Palette(
    page="#fbfaf8",
    background="#ffffff",
    ink="#16181b",
    muted="#585c62",
    grid="#dcdee1",
    line="#d4d6da",
    band="#d5dee8",
    claim="#8fa9c6",
    disparity="#b3430a",
    within="#17599c",
    inconclusive="#62666d",
    invalid="#7b3a94",
    fail="#b3261e",
    good="#125a86",
    series=("#1f5fa8", "#8a5a00", "#00695a", "#7a3e9d"),
    diverging=(
        "#0b4a8f",
        "#3a73b0",
        "#86add4",
        "#c9dbec",
        "#f4f3f0",
        "#f8dcc4",
        "#f0a866",
        "#b4560f",
        "#7d3300",
    ),
)

DARK = Palette(
    page="#15171a",
    background="#1d2024",
    ink="#eceef1",
    muted="#a9afb8",
    grid="#363b42",
    line="#3a3f46",
    band="#2e3a48",
    claim="#486180",
    disparity="#ff9d5c",
    within="#7fb8ff",
    inconclusive="#b4bac3",
    invalid="#d6a4f0",
    fail="#ff8a80",
    good="#8fc7ff",
    series=("#86bdff", "#f0b95a", "#6fd0bd", "#d0a2ef"),
    diverging=(
        "#9fcbff",
        "#6ea6df",
        "#3b6796",
        "#2c4560",
        "#2a2e34",
        "#57402f",
        "#8f5a2c",
        "#e0914a",
        "#ffb866",
    ),
)


@dataclass(frozen=True)
class Look:
    """How a verdict is drawn.

    Attributes
    ----------
    colour, fill : str
        Of the outline, and of the inside; a hollow mark has the background's.
    shape : str
        As Vega names it, or a path.
    sign : str
        What stands for it in text.
    """

    colour: str
    fill: str
    shape: str
    sign: str


SALTIRE = "M-1,-0.6L-0.6,-1L0,-0.4L0.6,-1L1,-0.6L0.4,0L1,0.6L0.6,1L0,0.4L-0.6,1L-1,0.6L-0.4,0Z"
"""A cross of two diagonals: what is broken is told apart by its shape too."""


def look(palette: Palette, verdict: Verdict | str) -> Look:
    """Colour, fill, shape and sign of a verdict.

    Examples
    --------
    >>> [look(LIGHT, name).shape for name in ("disparity", "no disparity within margin", "inconclusive")]
    ['circle', 'circle', 'diamond']
    """
    looks = {
        "disparity": (palette.disparity, palette.disparity, "circle"),
        "no disparity within margin": (palette.within, palette.background, "circle"),
        "inconclusive": (palette.inconclusive, palette.background, "diamond"),
        "invalid": (palette.invalid, palette.invalid, SALTIRE),
    }
    colour, fill, shape = looks[verdict]
    return Look(colour, fill, shape, MARKS[verdict])

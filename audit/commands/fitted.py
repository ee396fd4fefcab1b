"""Tables on a narrow screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

READABLE = 16
"""Characters in a line below which wrapped text is no longer read with ease."""


class Fitted:
    """A table, or where the screen is too narrow for it its rows as paragraphs: no word of it is cut off.

    Parameters
    ----------
    table : Table
        Without lines. Its cells are text.
    bare : int
        So many columns from the left stand in a paragraph without their headings.
    """

    def __init__(self, table: Table, bare: int = 1) -> None:
        self.table = table
        self.bare = bare
        for column in table.columns:
            column.overflow = "fold"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What rich calls to draw it."""
        between = self.table.padding[1] + self.table.padding[3]
        if sum(width(column) + between for column in self.table.columns) <= options.max_width:
            yield self.table
            return
        heads = [str(column.header) for column in self.table.columns]
        if self.table.show_header:
            yield Text(", ".join(filter(None, heads[: self.bare])), style="dim")
        for cells in zip(*(column.cells for column in self.table.columns), strict=True):
            yield from self._paragraph(heads, list(cells))

    def _paragraph(self, heads: Sequence[str], cells: Sequence[RenderableType]) -> RenderResult:
        for place, (head, cell) in enumerate(zip(heads, cells, strict=True)):
            text = words(cell)
            if not text:
                continue
            if place >= self.bare:
                text = Text.assemble((f"{head}: ", "dim"), Text(" ").join(text.split()))
            yield Padding(text, (0, 0, 0, 2 if place else 0))


def words(cell: RenderableType) -> Text:
    """What stands in a cell."""
    return cell.copy() if isinstance(cell, Text) else Text(str(cell))


def width(column: Column) -> int:
    """The fewest characters that a column can be read in."""
    texts = [words(cell).plain for cell in (column.header, *column.cells)]
    longest = max(cell_len(line) for text in texts for line in text.split("\n"))
    if column.width:
        longest = column.width
    elif column.min_width:
        longest = min(longest, column.min_width)
    elif not column.no_wrap:
        longest = min(longest, READABLE)
    return longest

"""The charts of a paper: the same as the page's, with the letters of the paper, so many and no more."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from reports.charts.curve import described_curve, specification_curve
from reports.charts.drawing import Drawing
from reports.charts.forest import described_forest, forest
from reports.charts.heat_map import described_heat_map, heat_map
from reports.charts.palette import LIGHT
from reports.charts.power import described_power, power_panel
from reports.contents.heat_maps import cells
from reports.writers.paper.blocks import Block, Runs, quiet

Data = Mapping[str, Any]
Chart = Callable[[Sequence[Data], Any], Any]
Described = Callable[[Sequence[Data]], str]

MOST_ROWS = 56
"""Findings of one chart: as many as can be read on one page. The first are the worst."""
MOST_GROUPS = 20
"""Groups of findings that are drawn."""
FONT, LARGER = "Libertinus Serif", 1.25
"""The letters of the paper, and how much larger they may be in the place that a page's letters were given."""


MOST_POWERS = 24
"""Findings of a group whose power is drawn on paper: more of them would take a page for what a line says."""
NO_POWERS = (
    "What each comparison of this group could detect is not drawn here: it stands in appendix B, and the "
    "median of the group under Method."
)


class Drawings:
    """The charts of one paper, in order, drawn by and by.

    Parameters
    ----------
    pens : Drawing
        What draws them.
    """

    def __init__(self, pens: Drawing) -> None:
        self._pens = pens
        self._coming: list[tuple[Block, Future[str]]] = []

    def add(self, chart: Any, described: str, caption: Runs) -> Block:
        """Let a chart be drawn, and give the block that shows it with its text alternative."""
        name = f"{len(self._coming) + 1:03d}.svg"
        block: Block = {"kind": "figure", "chart": name, "alt": described, "caption": caption}
        self._coming.append((block, self._pens.rendered(chart)))
        return block

    def files(self) -> dict[str, str]:
        """Name of a file to its SVG, when all are drawn; each block knows its size from then on."""
        found = {}
        for block, drawn in self._coming:
            svg = on_paper(drawn.result())
            found[block["chart"]] = svg
            block["width"], block["height"] = size(svg)
        return found

    def of_group(self, group: Data, place: int, powers: bool = False) -> list[Block]:
        """The forest plot of a group of findings, or what its sample could detect."""
        if place >= MOST_GROUPS:
            return [quiet(f"Not drawn: charts stand with the first {MOST_GROUPS} groups of findings.")]
        if powers and len(group["rows"]) > MOST_POWERS:
            return [quiet(NO_POWERS)]
        chart: Chart = power_panel if powers else forest
        described: Described = described_power if powers else described_forest
        rows = [told["record"] for told in group["rows"]]
        shown = rows[:MOST_ROWS]
        of = f"{group['model']}, {group['suite']}, {group['role']}"
        caption = f"What the sample could detect: {of}." if powers else f"Estimates and margin: {of}."
        if len(shown) < len(rows):
            caption += f" The first {len(shown)} of {len(rows)}; the table has all."
        return [self.add(chart(shown, LIGHT), described(shown), caption)]

    def of_curve(self, told: Data, alpha: float) -> Block:
        """The other analyses of one finding."""
        analyses = told["record"]["robustness"]["curve"]["analyses"]
        caption = f"{told['number']} under every other reasonable analysis of the same answers."
        return self.add(specification_curve(analyses, LIGHT, alpha), described_curve(analyses), caption)

    def of_map(self, found: Data) -> Block:
        """Where a disparity sits: means by template family and group."""
        rows = cells(found)
        chart = heat_map(rows, LIGHT, found["centre"], f"mean in {found['unit']}")
        caption = f"{found['number']}: means by template family and group, in {found['unit']}."
        return self.add(chart, described_heat_map(rows, found["centre"]), caption)


def on_paper(svg: str) -> str:
    """A chart in the letters of the paper, which run narrower than a page's and may be larger for it.

    Examples
    --------
    >>> on_paper('<text font-family="Verdana" font-size="12px">a</text>')
    '<text font-family="Libertinus Serif" font-size="15px">a</text>'
    """
    svg = re.sub(r'font-family="[^"]*"', f'font-family="{FONT}"', svg)
    return re.sub(
        r'font-size="([0-9.]+)px"', lambda found: f'font-size="{float(found[1]) * LARGER:g}px"', svg
    )


def size(svg: str) -> tuple[float, float]:
    """Width and height of a drawing, in pixels."""
    found = re.search(r'<svg [^>]*?width="([0-9.]+)" height="([0-9.]+)"', svg)
    if found is None:
        raise ValueError("a drawing without a size")
    return float(found[1]), float(found[2])

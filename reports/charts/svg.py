"""Charts as SVG text: they need no script, follow the page's light or dark colours, and can be read aloud."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import vl_convert

from audit.wording import visible
from reports.charts.palette import LIGHT


def rendered(chart: Any) -> str:
    """A chart, with its look, as SVG text."""
    svg: str = vl_convert.vegalite_to_svg(chart.to_json())
    # Readers' fonts are wider than those the labels were measured with: let them reach into the page.
    return svg.replace("<svg ", '<svg overflow="visible" ', 1)


def accessible(svg: str, name: str, title: str, description: str) -> str:
    """The SVG with a title and a description, the page's colours, and a size that follows the page's.

    Parameters
    ----------
    svg : str
        Drawn with the light palette: each of its colours becomes a variable of the page.
    name : str
        Unique in the page: letters, digits and hyphens.
    """
    for variable, colour in LIGHT.variables().items():
        svg = re.sub(f'="{colour}"', f'="var(--{variable}, {colour})"', svg, flags=re.IGNORECASE)
    shown = {"title": escape(visible(title)), "desc": escape(visible(description))}
    labels = "".join(f'<{tag} id="{name}-{tag}">{text}</{tag}>' for tag, text in shown.items())
    head = f'<svg role="img" aria-labelledby="{name}-title {name}-desc"'
    start = svg.index("<svg")
    end = svg.index(">", start) + 1
    return head + svg[start + len("<svg") : end] + labels + svg[end:]


def figure(chart: Any, name: str, title: str, description: str) -> str:
    """A chart as an element that can stand in a page and be read aloud."""
    return accessible(rendered(chart), name, title, description)

"""Charts as SVG text: they need no script, follow the page's light or dark colours, and can be read aloud."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

import vl_convert

from audit.wording import visible
from reports.charts.drawn import kept
from reports.charts.look import FONT
from reports.charts.palette import LIGHT

TAG = re.compile(r"<[a-z][^<>]*>")
MARKS = re.compile(
    r' (?:aria-(?:hidden|label|roledescription)|class|pointer-events|role)="[^"]*"| opacity="1"(?=[ />])'
)
"""What the renderer writes at each mark for scripts and for readers of single marks. The whole drawing is one
image with a title and a description, so that nobody reads them."""


def rendered(chart: Any) -> str:
    """A chart, with its look, as SVG text."""
    return reaching(kept(vega_lite(chart), vl_convert.vegalite_to_svg))


def vega_lite(chart: Any) -> str:
    """A chart as one line of JSON; altair has checked its parts as they were made."""
    return json.dumps(chart.to_dict(validate=False))


def reaching(svg: str) -> str:
    """Readers' fonts are wider than those the labels were measured with: let them reach into the page."""
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
    svg = TAG.sub(lambda tag: MARKS.sub("", tag[0]).replace(f' font-family="{FONT}"', ""), svg)
    for variable, colour in LIGHT.variables().items():
        svg = re.sub(f'="{colour}"', f'="var(--{variable}, {colour})"', svg, flags=re.IGNORECASE)
    shown = {"title": escape(visible(title)), "desc": escape(visible(description))}
    labels = "".join(f'<{tag} id="{name}-{tag}">{text}</{tag}>' for tag, text in shown.items())
    head = f'<svg role="img" aria-labelledby="{name}-title {name}-desc" font-family="{FONT}"'
    start = svg.index("<svg")
    end = svg.index(">", start) + 1
    return head + svg[start + len("<svg") : end] + labels + svg[end:]


def figure(chart: Any, name: str, title: str, description: str) -> str:
    """A chart as an element that can stand in a page and be read aloud."""
    return accessible(rendered(chart), name, title, description)

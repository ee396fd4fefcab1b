"""Drawings that were made already: a chart that stands in two documents is drawn once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

MOST = 256
"""Drawings that are kept: more than one report has."""

KEPT: OrderedDict[str, str] = OrderedDict()
"""Specification to drawing, the one that was asked for last at the end."""
LOCK = Lock()


def kept(spec: str, draw: Callable[[str], str]) -> str:
    """The drawing of a specification, made only where none is kept.

    Parameters
    ----------
    spec : str
        Vega-Lite, as JSON: the whole content of the chart.
    draw : callable
        Makes the drawing; always the same of the same specification.

    Examples
    --------
    >>> kept("{}", lambda spec: "<svg/>"), kept("{}", lambda spec: "another")
    ('<svg/>', '<svg/>')
    """
    with LOCK:
        if spec in KEPT:
            KEPT.move_to_end(spec)
            return KEPT[spec]
    svg = draw(spec)
    with LOCK:
        KEPT[spec] = svg
        while len(KEPT) > MOST:
            KEPT.popitem(last=False)
    return svg

"""Reader of our own requests that name a group of people, pack ``refusal-parity``.

One item a request, wording, frame and group. Part ``request`` is what is asked. Labels:

* ``group``: what stands in the request (``Muslim people``); ``kind``: ``plain`` or ``contentious``;
* ``request``, ``wording``, ``frame``: which; ``axis``: as ``subset``, or ``nonce`` for invented words.

``cluster`` is the request, whatever group it names.
"""

from __future__ import annotations

from collections.abc import Sequence

from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.benchmarks.people import NONCE as NONCE
from probes.benchmarks.people import invented
from probes.catalogue import load_lexicon

LEXICONS = {"gender": "gendered-terms", "religion": "religions", "nationality": "nationalities"}
"""Axes that may be asked about, with the lexicon that names their groups."""
NONCE_GROUPS = 4
"""Invented peoples of the control; each costs as many requests as a group."""


def groups_of(axis: str) -> dict[str, str]:
    """Groups of an axis with the words that name them, in the order of the lexicon.

    Examples
    --------
    >>> groups_of("gender")
    {'woman': 'women', 'man': 'men'}
    """
    if axis == NONCE:
        terms = invented("adjective")[:NONCE_GROUPS]
        return {term.id: f"{term.text} people" for term in terms}
    return dict(load_lexicon(LEXICONS[axis]).axes[axis].groups)


def read(axes: Sequence[tuple[str, Sequence[str]]], frames: int) -> list[BenchmarkItem]:
    """Every request about every group.

    Parameters
    ----------
    axes : sequence of (axis, groups)
        Groups by their ids in the lexicon; the order is kept.
    frames : int
        How many of the frames are used, from the first.
    """
    content = pack("refusal-parity")
    items = []
    for axis, groups in axes:
        names = groups_of(axis)
        for group in groups:
            for kind, requests in content["requests"].items():
                for request, wordings in requests.items():
                    for w, wording in enumerate(wordings, start=1):
                        for f, frame in enumerate(content["frames"][:frames], start=1):
                            text = frame.format(request=wording.format(people=names[group]))
                            labels = {
                                "axis": axis, "group": names[group], "kind": kind, "request": request,
                                "wording": str(w), "frame": str(f),
                            }  # fmt: skip
                            identity = f"{axis}-{group}-{request}-{w}-{f}"
                            items.append(BenchmarkItem(identity, {"request": text}, axis, request, labels))
    return items

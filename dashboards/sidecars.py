"""The item-level tables of the audits that are open, each read or built once for all sessions."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from pathlib import Path

import streamlit as st

from audit.sidecar import Sidecar, open_sidecar
from audit.wording import duration

MOST = 4
"""Sidecars held at once; the one that was not used for longest is let go."""

Key = tuple[str, tuple[tuple[str, int, int], ...]]
"""Folder, and the state of its files."""

_held: OrderedDict[Key, Sidecar] = OrderedDict()
_lock = threading.Lock()


def sidecar_of(key: Key) -> Sidecar:
    """The table of a bundle; while it is built the page shows how far it is and how long it will take."""
    with _lock:
        if key in _held:
            _held.move_to_end(key)
            return _held[key]
    place = st.empty()
    found = open_sidecar(Path(key[0]), Told(place))
    place.empty()
    with _lock:
        _held[key] = found
        while len(_held) > MOST:
            _held.popitem(last=False)
    return found


class Told:
    """Shows what is being done, how far it is, and about how long it will take."""

    def __init__(self, place: st.delta_generator.DeltaGenerator) -> None:
        self.place = place
        self.what = ""
        self.since = 0.0
        self.shown = 0.0

    def __call__(self, what: str, share: float) -> None:
        """Show it; at most some times a second, since a page is slower than a loop."""
        now = time.monotonic()
        if what != self.what:
            self.what, self.since, self.shown = what, now, 0.0
        if now - self.shown < 0.3:
            return
        self.shown = now
        left = (now - self.since) * (1.0 - share) / share if share > 0.01 else None
        rest = "" if left is None else f", about {duration(left)} left"
        text = f"The first time takes a while: {what}{rest}"
        self.place.progress(min(1.0, share), text=text)

"""Many charts at once: one is laid out here while others are drawn in processes beside this one.

Drawing takes most of a page's time, because each label is measured, and it keeps Python waiting; a process of
its own does not. What is drawn is the same to the byte wherever it is drawn.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from reports.charts.drawn import kept
from reports.charts.svg import accessible, reaching, vega_lite

PEN = Path(__file__).with_name("pen.py")
MOST_PENS = 4


Pen = subprocess.Popen[bytes]


class Drawing:
    """Charts that are being drawn.

    Parameters
    ----------
    threads : ThreadPoolExecutor
        One for each pen, to wait for it.
    pens : queue
        Those that are free, and None for each that is not started: one starts with the first chart that was
        not drawn before.
    started : list
        To put those that are started in.
    """

    def __init__(
        self, threads: ThreadPoolExecutor, pens: SimpleQueue[Pen | None], started: list[Pen]
    ) -> None:
        self._threads = threads
        self._pens = pens
        self._started = started

    def figure(self, chart: Any, name: str, title: str, description: str) -> Future[str]:
        """As ``reports.charts.svg.figure``, by and by."""
        spec = vega_lite(chart)
        return self._threads.submit(lambda: accessible(self._drawn(spec), name, title, description))

    def rendered(self, chart: Any) -> Future[str]:
        """As ``reports.charts.svg.rendered``, by and by."""
        return self._threads.submit(self._drawn, vega_lite(chart))

    def _drawn(self, chart: str) -> str:
        return reaching(kept(chart, self._by_a_pen))

    def _by_a_pen(self, chart: str) -> str:
        pen = self._pens.get()
        try:
            pen = pen or self._another()
            return drawn_by(pen, chart)
        finally:
            self._pens.put(pen)

    def _another(self) -> Pen:
        pen = subprocess.Popen(
            [sys.executable, "-P", str(PEN)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process, which then ends its pens
        )
        self._started.append(pen)
        return pen


def drawn_by(pen: Pen, chart: str) -> str:
    """A chart as a pen draws it.

    Raises
    ------
    RuntimeError
        If the pen ended without an answer; what it said of it stands on the error output.
    """
    assert pen.stdin is not None and pen.stdout is not None
    try:
        pen.stdin.write(chart.encode("utf-8") + b"\n")
        pen.stdin.flush()
        size = int(pen.stdout.readline())
        return pen.stdout.read(size).decode("utf-8")
    except (OSError, ValueError) as error:
        raise RuntimeError(f"a chart could not be drawn: {error}") from error


@contextmanager
def drawing(count: int) -> Iterator[Drawing]:
    """Pens for so many charts, as many as there are cores, four at most."""
    pens: SimpleQueue[Pen | None] = SimpleQueue()
    number = max(1, min(MOST_PENS, os.cpu_count() or 1, count))
    for _ in range(number):
        pens.put(None)
    started: list[Pen] = []
    try:
        with ThreadPoolExecutor(number) as threads:
            try:
                yield Drawing(threads, pens, started)
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)  # nobody wants what is not yet begun
                raise
    finally:
        for pen in started:
            pen.communicate()

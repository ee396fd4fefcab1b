"""Progress bars with the time left, on standard error."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as TimeLeft
from rich.text import Text

from audit.wording import counted


class Bars:
    """A bar a model; a :class:`audit.progress.Progress`."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[requests]}"),
            TimeElapsedColumn(),
            TextColumn("left", style="dim"),
            TimeLeft(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task("planning", total=None, requests="")

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def start(self, model: str, total: int, done: float) -> None:
        """A model's turn: of the work of ``total`` requests that of ``done`` is done already."""
        if self._progress.tasks[0].total is None:
            self._progress.update(self._task, visible=False, total=0)
        told = f"of {counted(total, 'request')}"
        self._task = self._progress.add_task(model, total=total, requests=told)
        self._progress.update(self._task, completed=done)

    def advance(self, count: float) -> None:
        """The work of more requests is done."""
        self._progress.advance(self._task, count)

    def say(self, text: str) -> None:
        """Print a sentence above the bars."""
        self._progress.console.print(Text(text), soft_wrap=not self._progress.console.is_terminal)


class Share:
    """One bar over work whose parts take unequal shares of the time."""

    def __init__(self, title: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left", style="dim"),
            TimeLeft(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task(title, total=1.0)

    def __enter__(self) -> Share:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def advance(self, title: str, share: float) -> None:
        """A part is done."""
        self._progress.update(self._task, advance=share, description=title)

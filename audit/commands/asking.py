"""What all commands share that ask a model: where a run goes, its progress, and how it is stopped."""

from __future__ import annotations

import re
import shlex
import signal
from pathlib import Path
from typing import Any

from probes.errors import InterruptedAudit


def slug(title: str) -> str:
    """A title as the name of a folder; empty where it holds no Latin letter and no digit."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower())[:60].strip("-")


class asking:  # noqa: N801
    """Progress bars while a run asks, and a clean end when it is stopped from outside."""

    def __init__(self, folder: Path, command: str = "evenhand run") -> None:
        self.folder = folder
        self.command = command

    def __enter__(self) -> Any:
        from audit.commands.progress import Bars

        self.bars = Bars()
        self.bars.__enter__()
        self.before = signal.signal(signal.SIGTERM, _stop)
        return self.bars

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        signal.signal(signal.SIGTERM, self.before)
        self.bars.__exit__(kind, error, trace)
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            if not (self.folder / "plan.json").exists():
                raise InterruptedAudit("stopped before anything was asked") from None
            again = f"{self.command} --out {shlex.quote(str(self.folder))}"
            raise InterruptedAudit(f"stopped; every answer so far is kept. Go on with: {again}") from None


def _stop(number: int, frame: Any) -> None:
    raise KeyboardInterrupt

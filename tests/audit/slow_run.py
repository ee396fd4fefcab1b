"""Run by test_audit_kill: an audit on a slow scripted model, which logs what it is asked.

``python slow_run.py SUITE DIR LOG``
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import audit.blocks
from audit.api import run
from audit.models import ScriptedModel
from audit.requests import Request, Response, digest
from audit.spec import AuditSpec, choose


class Slow(ScriptedModel):
    """Takes two milliseconds an answer, and writes down each question before it answers."""

    log = -1

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        found = []
        for request in requests:
            os.write(self.log, f"{digest(request)}\n".encode())
            time.sleep(0.002)
            found += super().ask([request])
        return found


def main() -> None:
    audit.blocks.REQUESTS = 7
    suite, folder, log = sys.argv[1:]
    model = Slow(ScriptedModel.noise()._answer, id="slow")
    Slow.log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    run(AuditSpec(models=(model,), suites=(choose(suite),)), Path(folder))


if __name__ == "__main__":
    main()

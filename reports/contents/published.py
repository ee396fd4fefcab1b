"""Published measures that were run or scored beside the audit, recomputed before they are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.benchmarks.differences import differences
from audit.benchmarks.folder import recompute
from audit.benchmarks.wording import WITHIN
from audit.bundle import file_sha256
from audit.wording import MARKS, counted
from probes.errors import BundleError, Fault

Data = Mapping[str, Any]


def published(folders: Sequence[Path], plan: Data) -> list[dict[str, Any]] | None:
    """The result of every run, as its records give it now; None where none was given.

    Parameters
    ----------
    folders : sequence of Path
        Folders of ``evenhand benchmarks run``.
    plan : mapping
        Of the audit: whether a run asked one of its models is told.

    Raises
    ------
    BundleError
        If a run's records are broken, or its result is not what they give.
    """
    if not folders:
        return None
    audited = {model["digest"] for model in plan["models"]}
    return [_told(folder, audited) for folder in folders]


def _told(folder: Path, audited: set[str]) -> dict[str, Any]:
    stated, found = recompute(folder)
    if changed := differences(stated, found):
        what = f"the result there is not what its records give: it differs in {', '.join(changed[:3])}"
        raise BundleError(Fault(what, str(folder / "result.json"), "Restore the file from a copy."))
    return {
        "plan_sha256": file_sha256(folder / "plan.json"),
        "of_this_audit": found["model"]["digest"] in audited,
        "result": found,
    }


def beside(told: Sequence[Data] | None) -> str | None:
    """One line of the executive summary: that there are published measures, and how they came out.

    Their verdicts are counted apart from the audit's, and what is no behaviour of a model, or nothing to
    decide by, apart from the rest.
    """
    if told is None:
        return None
    rows: dict[str, list[Data]] = {}
    for one in told:
        card = one["result"]["card"]
        kind = card["label"] or (NOT_TO_DECIDE_BY if card["tier"] == "compat only" else "")
        for section in one["result"]["scorings"]:
            rows.setdefault(kind, []).extend(section["estimates"])
    counts = [
        f"Of {counted(len(own), 'estimate')}{f' of {kind}' if kind else ''}: {came_out(own)}."
        for kind, own in sorted(rows.items())
    ]
    held = f"section 13 holds {counted(len(told), 'run')} of published measures."
    return " ".join([f"Beside this audit, and in none of its counts, {held}", *counts])


NOT_TO_DECIDE_BY = "measures that nothing should be decided by"


def came_out(rows: Sequence[Data]) -> str:
    """How many estimates came out how; what none has is left out.

    Examples
    --------
    >>> came_out([{"verdict": "inconclusive"}, {"verdict": "disparity"}, {"verdict": "inconclusive"}])
    '1 disparity, 2 inconclusive'
    """
    counts = Counter(row["verdict"] for row in rows)
    words = {"disparity": "disparity" if counts["disparity"] == 1 else "disparities", WITHIN: "within margin"}
    told = [f"{counts[verdict]} {words.get(verdict, verdict)}" for verdict in MARKS if counts[verdict]]
    return ", ".join(told) or "none"

"""What changed since an earlier audit: the change log of a report, made from the paired comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.bundle import Bundle, disk_errors, file_sha256
from audit.compare import compare_bundles
from audit.comparison.wording import change_phrase, change_verdict_phrase, matching_phrase, subject
from audit.verify import read_findings
from probes.errors import BundleError, Fault, InputError

Row = Mapping[str, Any]

SHOWN, WITHIN = "disparity", "no disparity within margin"
REPORT = "report.json"


def changes(earlier: Path | None, root: Path, numbers: Mapping[str, str]) -> dict[str, Any] | None:
    """The change log against an earlier audit; None where none was given.

    Parameters
    ----------
    earlier : Path or None
        The bundle of the earlier audit.
    root : Path
        The bundle of this report.
    numbers : mapping of finding id to number
        Of this report.

    Returns
    -------
    dict or None
        ``comparable`` says whether the two could be held against each other, and ``why`` why not; the lists
        are then empty. No folder is named.

    Raises
    ------
    BundleError
        If the earlier bundle is broken, unfinished, or this very one.
    """
    if earlier is None:
        return None
    before = Bundle(earlier)
    if earlier.resolve() == root.resolve():
        what = "the earlier audit is the very one that is reported"
        raise BundleError(Fault(what, str(earlier), "Give the bundle of another audit to --earlier."))
    told = earlier_audit(before, read_findings(earlier))
    try:
        found = compare_bundles(earlier, root)
    except BundleError:
        raise
    except InputError as error:
        why = "; ".join(fault.what for fault in error.faults)
        return {"earlier": told, "comparable": False, "why": why, **summarized({}, numbers)}
    compared = bool(found["findings"])
    reason = None if compared else "the two audits have no comparison of groups in common"
    return {"earlier": told, "comparable": compared, "why": reason, **summarized(found, numbers)}


def earlier_audit(bundle: Bundle, findings: Row) -> dict[str, Any]:
    """Which audit the earlier one is, and which report was made of it."""
    report = bundle.root / REPORT
    with disk_errors(report):
        sha256 = file_sha256(report) if report.is_file() else None
    return {
        "title": bundle.plan["title"],
        "run_id": f"{findings['plan_sha256'][:12]}-{findings['chain_sha256'][:12]}",
        "plan_sha256": findings["plan_sha256"],
        "chain_sha256": findings["chain_sha256"],
        "report_sha256": sha256,
    }


def summarized(found: Row, numbers: Mapping[str, str]) -> dict[str, Any]:
    """A comparison without its items: of each list the rows, in words and with their numbers."""
    rows = [change_row(row, numbers) for row in found.get("findings", ())]
    names = {row["pair"]: row for row in found.get("pairs", ())}
    return {
        "plan": [row["text"] for row in found.get("plan_changes", ())],
        "environment": [row["text"] for row in found.get("environment_changes", ())],
        "models": [model_row(row) for row in names.values()],
        "verdicts": transitions(rows),
        "new": [row["number"] for row in rows if row["after"] == SHOWN != row["before"]],
        "resolved": [row["number"] for row in rows if (row["before"], row["after"]) == (SHOWN, WITHIN)],
        "no_longer_shown": [
            row["number"] for row in rows if row["before"] == SHOWN and row["after"] not in (SHOWN, WITHIN)
        ],
        "moved": [
            row["number"]
            for row in rows
            if SHOWN not in (row["before"], row["after"]) and row["before"] != row["after"]
        ],
        "sizes": rows,
        "flips": [
            {
                "model": names[row["pair"]]["after"]["id"],
                **{key: row[key] for key in ("suite", "kind", "rows", "flipped")},
            }
            for row in found.get("flips", ())
        ],
        "coverage": [
            {
                "model": names[row["pair"]]["after"]["id"],
                **{key: row[key] for key in ("suite", "arm", "rows", "matched")},
                "text": matching_phrase(row),
            }
            for row in found.get("matching", ())
        ],
        "not_compared": not_compared(found),
    }


def change_row(row: Row, numbers: Mapping[str, str]) -> dict[str, Any]:
    """One comparison of groups in both audits: the verdicts, and the paired change with its interval."""
    change = row["change"]
    finding = f"{row['model_after']}/{row['id']}"
    return {
        "finding": finding,
        "number": numbers[finding],
        "subject": subject(row),
        "role": row["role"],
        "unit": row["unit"],
        "before": row["before"]["verdict"],
        "after": row["after"]["verdict"],
        "verdict": change_verdict_phrase(row),
        "size": change_phrase(row),
        "estimate": None if change is None else change["estimate"],
        "ci": None if change is None else {key: change["ci"][key] for key in ("level", "lo", "hi")},
        "p_adjusted": None if change is None else change["p_adjusted"],
        "reason": row["undefined"],
        "notes": [*row["reasons"], *row["notes"]],
    }


def model_row(pair: Row) -> dict[str, Any]:
    """Two models that were held against each other."""
    return {
        **{when: {key: pair[when][key] for key in ("id", "digest")} for when in ("before", "after")},
        "same_digest": pair["same_digest"],
        "changes": [row["text"] for row in pair["changes"]],
    }


def transitions(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """How many findings went from which verdict to which; those that kept theirs are counted, too."""
    counts = Counter((row["before"], row["after"]) for row in rows)
    return [
        {"before": before, "after": after, "findings": count} for (before, after), count in counts.items()
    ]


def not_compared(found: Row) -> list[dict[str, Any]]:
    """What one audit has and the other has not, by reason."""
    rows: Counter[tuple[str, str, str]] = Counter(
        (row["suite"], row["when"], row["reason"]) for row in found.get("not_compared", ())
    )
    rows.update((f"model {row['model']}", row["when"], row["reason"]) for row in found.get("unpaired", ()))
    return [
        {"what": what, "when": when, "reason": reason, "count": count}
        for (what, when, reason), count in rows.items()
    ]

"""What a folder is, said at a glance: a finished audit, an unfinished one, or why it is neither.

Nothing is recomputed, and nothing that a folder holds makes this raise: whoever shows a folder shows a page.
"""

from __future__ import annotations

import shlex
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from audit.bundle import FORMAT, Bundle, is_leftover, read_json
from audit.chain_ends import ChainEnds, chain_ends
from audit.plan import hypotheses_of
from audit.verify import BROKEN, findings_errors
from probes import Margin, Sampling, lexicon_from_data, suite_from_data
from probes.errors import BundleError, Fault, InputError

State = Literal["finished", "unfinished", "empty", "other version", "broken", "not an audit"]

PARTS = ("findings.json", "manifest.json", "records", "provenance.json", "environment.json")
"""What only an audit leaves; a folder with one of them and no plan has lost it."""
LONGEST_TEXT = 400
"""Letters of a message; content of a broken file is not shown at length."""


@dataclass(frozen=True)
class BundleState:
    """What a folder is.

    Attributes
    ----------
    title, message, remedy : str
        For a page: what it is, what was found, and what to do. Plain text on one line each; what comes from
        the folder has its control characters written out.
    """

    state: State
    title: str
    message: str
    remedy: str = ""


def state_of(root: Path) -> BundleState:
    """What a folder is; for any content of any folder, and for what is no folder.

    Examples
    --------
    >>> state_of(Path("no-such-folder")).state
    'not an audit'
    """
    try:
        return folder_state(root)
    except InputError as error:
        return broken(error.faults[0])
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        return broken(Fault(what, str(error.filename or root), "Check the path and its permissions."))
    except BROKEN as error:
        what = f"the content is not what it should be ({type(error).__name__}: {error})"
        return broken(Fault(what, str(root), "Restore the folder from a copy."))


def said(state: State, title: str, message: str, remedy: str = "") -> BundleState:
    """A state, its texts fit to be shown."""
    message = str(Fault(message))
    if len(message) > LONGEST_TEXT:
        message = message[: LONGEST_TEXT - 1] + "…"
    return BundleState(state, title, message, str(Fault(remedy)))


def broken(fault: Fault, remedy: str = "") -> BundleState:
    """A folder of an audit of which something cannot be read or does not fit together."""
    message = f"{fault.where}: {fault.what}" if fault.where else fault.what
    return said("broken", "This audit is broken", message, remedy or fault.remedy)


def folder_state(root: Path) -> BundleState:
    """The state of a path, before anything in it is trusted."""
    try:
        mode = root.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return said("not an audit", "No such folder", f"There is no folder {root}", "Check the path.")
    if not stat.S_ISDIR(mode):
        return said(
            "not an audit", "Not an audit", f"{root} is no folder", "Give the folder that evenhand run wrote."
        )
    members = list(root.iterdir())
    if all(is_leftover(path) for path in members):
        again = f"evenhand run --out {shlex.quote(str(root))}, with --model and --suite"
        return said("empty", "An empty folder", f"{root} holds nothing yet", f"Start an audit: {again}.")
    names = {path.name for path in members}
    if "plan.json" not in names:
        if names & set(PARTS):
            what = "plan.json is missing, and without it no answer can be read"
            return broken(Fault(what, str(root), "Restore the file from a copy."))
        what = f"{root} holds no plan.json"
        return said("not an audit", "Not an audit", what, "Give the folder that evenhand run wrote.")
    return planned_state(root, analyzed="findings.json" in names)


def planned_state(root: Path, analyzed: bool) -> BundleState:
    """The state of a folder with a plan, and perhaps with findings."""
    plan = read_json(root / "plan.json")
    if other := of_other_version(plan, root / "plan.json"):
        return other
    bundle = Bundle(root)
    check_parts(bundle.plan)
    ends = chain_ends(bundle)
    if ends.faults:
        what = f"the chain of answers does not hold: {ends.faults[0]}"
        return broken(Fault(what, str(root), "Restore the records from a copy."))
    return analyzed_state(bundle, ends) if analyzed else unfinished(root, ends)


def of_other_version(data: Any, path: Path) -> BundleState | None:
    """What is said of a plan or of findings whose format is another whole number."""
    version = data.get("format") if isinstance(data, dict) else None
    if type(version) is not int or version == FORMAT:
        return None
    message = f"{path}: bundle format {version}; this version of evenhand reads format {FORMAT}"
    remedy = "Use the version of evenhand that environment.json names."
    return said("other version", "Made by another version", message, remedy)


def check_parts(plan: dict[str, Any]) -> None:
    """Rebuild suites, lexicons and hypotheses, without expanding them; raises where one cannot be."""
    for data in plan["lexicons"].values():
        lexicon_from_data(data, "plan.json: a lexicon")
    for entry in plan["suites"]:
        suite_from_data(entry["data"], "plan.json: a suite")
        Sampling(**entry["sampling"])
        Margin(**entry["margin"])
    for model in plan["models"]:
        if not all(isinstance(model[key], str) for key in ("id", "digest")):
            what = "a model without an id and a digest"
            raise BundleError(Fault(what, "plan.json", "Restore the file from a copy."))
    hypotheses_of(plan)


def unfinished(root: Path, ends: ChainEnds) -> BundleState:
    """An audit that has a plan and no findings."""
    kept = f"{ends.records:,} answers are kept" if ends.records else "nothing has been asked yet"
    torn = "; the last answer was cut short and will be asked again" if ends.torn else ""
    again = f"Go on with: evenhand run --out {shlex.quote(str(root))}"
    return said("unfinished", "This audit is unfinished", f"{kept[0].upper()}{kept[1:]}{torn}", again)


def analyzed_state(bundle: Bundle, ends: ChainEnds) -> BundleState:
    """The state of a folder with findings."""
    path = bundle.root / "findings.json"
    again = f"Make them again with: evenhand analyze {shlex.quote(str(bundle.root))}"
    try:
        findings = read_json(path)
    except InputError as error:
        return broken(error.faults[0], again)
    if other := of_other_version(findings, path):
        return other
    errors = findings_errors(findings)
    if errors:
        what = f"not findings of this version: {errors[0].json_path}: {errors[0].message[:200]}"
        return broken(Fault(what, str(path)), again)
    if ends.torn:
        what = "the last answer was cut short after the findings were made"
        return broken(Fault(what, str(bundle.root / "records")), "Restore the records from a copy.")
    for reason in foreign(findings, bundle, ends):
        return broken(Fault(reason, str(path)), again)
    count = len(findings["findings"])
    return said("finished", "A finished audit", f"{ends.records:,} answers, {count:,} findings")


def foreign(findings: dict[str, Any], bundle: Bundle, ends: ChainEnds) -> list[str]:
    """Why findings are not those of this plan and these answers; empty where they may be."""
    reasons = []
    if findings["plan_sha256"] != bundle.plan_sha256:
        reasons.append("made from another plan than the one that lies here")
    if findings["chain_sha256"] != ends.head:
        reasons.append("made from other answers than those that lie here: some were cut off or added")
    return reasons

"""How far a bundle can be trusted at a glance: checks that recompute nothing and read little.

``verify_bundle`` checks everything, and takes as long as the analysis did. What is checked here is enough to
open a page: a change that it misses is found there.
"""

from __future__ import annotations

from pathlib import Path

from audit.bundle import Bundle, read_json
from audit.bundle_state import LONGEST_TEXT, BundleState, State, foreign, state_of
from audit.chain_ends import chain_ends
from audit.deviations import deviations
from audit.plan import hypotheses_of
from audit.verify import Check, attempt, check_manifest, read_findings, signature_check
from probes.documents import digest
from probes.errors import Fault, InputError

__all__ = ["BundleState", "Check", "State", "deviations", "quick_status", "state_of"]

MOST_FAULTS = 20
SMALL_BYTES = 1_000_000
"""Files up to this size are hashed; of larger ones the size is compared."""
NAMES = ("files", "plan", "chain", "findings", "calibration")


def quick_status(root: Path) -> list[Check]:
    """Check a bundle without recomputing anything.

    Returns
    -------
    list of Check
        In order: files, plan, chain, findings, calibration, signature. A check that could not be made is a
        fault. Whether the code was calibrated and by whom the bundle is signed are told in ``detail``: that
        it is not is no fault of the bundle; a signature that does not hold is. Nothing that a folder holds
        makes this raise.
    """
    return [shown(check) for check in made_checks(root)]


def shown(check: Check) -> Check:
    """A check fit to be shown: control characters written out, and not more faults than one reads."""
    faults = [str(Fault(fault[:LONGEST_TEXT])) for fault in check.faults[:MOST_FAULTS]]
    if len(check.faults) > MOST_FAULTS:
        faults.append(f"and {len(check.faults) - MOST_FAULTS:,} more")
    return Check(check.name, str(Fault(check.detail[:LONGEST_TEXT])), tuple(faults), check.made)


def made_checks(root: Path) -> list[Check]:
    """The checks, as they come."""
    files = attempt("files", "manifest.json", lambda: check_files(root))
    signature = signature_check(root, {})
    try:
        bundle = Bundle(root)
    except (InputError, OSError, ValueError) as error:
        lost = Check("plan", "cannot be read", (str(error).splitlines()[0],))
        rest = [Check(name, "could not be made", ("plan.json cannot be read",)) for name in NAMES[2:]]
        return [files, lost, *rest, signature]
    return [
        files,
        attempt("plan", "plan.json", lambda: check_digests(bundle)),
        attempt("chain", "records", lambda: check_ends(bundle)),
        attempt("findings", "findings.json", lambda: check_origin(bundle)),
        attempt("calibration", "findings.json", lambda: check_calibration(root)),
        signature,
    ]


def check_files(root: Path) -> Check:
    """Every file is there with the size that the manifest states; small ones with its hash."""
    found = check_manifest(root, SMALL_BYTES)
    return Check("files", found.detail, found.faults)


def check_digests(bundle: Bundle) -> Check:
    """The suites and lexicons of the plan have the digests it states, and no hypothesis is declared twice."""
    plan = bundle.plan
    faults = [
        f"plan.json: lexicon {data['id']} does not have the digest the plan states"
        for key, data in plan["lexicons"].items()
        if digest(data) != key
    ]
    for entry in plan["suites"]:
        if digest(entry["data"]) != entry["digest"]:
            faults.append(f"plan.json: suite {entry['id']} does not have the digest the plan states")
        faults += [
            f"plan.json: suite {entry['id']} names a lexicon that the plan does not hold"
            for key in entry["lexicons"].values()
            if key not in plan["lexicons"]
        ]
    ids = [hypothesis.id for hypothesis in hypotheses_of(plan)]
    if len(set(ids)) != len(ids):
        faults.append("plan.json: a hypothesis is declared twice")
    return Check("plan", f"{len(plan['suites'])} suites, {len(ids)} hypotheses", tuple(faults))


def check_ends(bundle: Bundle) -> Check:
    """The record files follow from the plan and from one another."""
    ends = chain_ends(bundle)
    faults = list(ends.faults)
    if ends.torn:
        faults.append("records: the last record is cut short")
    detail = f"first and last record of each file, {ends.files} in all; {ends.records:,} by their numbers"
    return Check("chain", detail, tuple(faults))


def check_origin(bundle: Bundle) -> Check:
    """The findings are of this version's form and were made from this plan and these answers."""
    findings = read_findings(bundle.root)
    reasons = foreign(findings, bundle, chain_ends(bundle))
    detail = f"{len(findings['findings'])} findings, made from these answers; not recomputed"
    return Check("findings", detail, tuple(f"findings.json: {reason}" for reason in reasons))


def check_calibration(root: Path) -> Check:
    """What the findings say of the calibration of the code that made them."""
    return Check("calibration", str(read_json(root / "findings.json")["instrument"]["text"]))

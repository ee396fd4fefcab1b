"""Is a bundle what it says it is? Hashes, chain, completeness, schema, and every figure recomputed."""

from __future__ import annotations

import importlib.resources
import json
import math
import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from audit.attestation.check import check_signatures
from audit.bundle import REVIEWS, Bundle, differing_keys, file_bytes, file_sha256, members, read_json, sha256
from audit.calibration.record import code_sha256
from audit.compiled_schema import Fits, compiled
from audit.differences import differences
from audit.findings import bundle_findings
from audit.kept import KeptAnswers, read_answers
from audit.plan import hypotheses_of, planned_scorers, planned_suites
from audit.redaction.check import check_redaction
from audit.requests import canonical
from audit.review.check import check_events
from audit.scored import ScoredAnswers, score_answers
from audit.scorers.registry import scorer_named
from audit.sequential.plan import section
from audit.sidecar import REMEDY, opened, sidecar_path
from audit.sidecar_check import sidecar_faults
from audit.verdict import VERDICTS
from audit.wording import counted
from probes.errors import BundleError, Fault, InputError

REPORT = "report.json"
COPIED = ("families", "controls", "coverage", "tokenisation")
"""What a report holds as it lies in the findings."""


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    ``faults`` names each departure; the check holds when there is none. ``made``: False where there was
    nothing to check, as in a bundle that nobody signed.
    """

    name: str
    detail: str
    faults: tuple[str, ...] = ()
    made: bool = True

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def verify_bundle(root: Path, keys: Mapping[str, str] | None = None) -> list[Check]:
    """Check a bundle, offline.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    keys : mapping of str to str, optional
        Fingerprint to name of the public keys that a signature must be by; without them a signature is
        checked with the key it carries.

    Returns
    -------
    list of Check
        In order: signature, manifest, plan, chain, answers, findings, and redaction, sidecar, report and
        reviews where there are any. A check that could not be made because an earlier one failed is a fault
        too: nothing passes by being skipped.
    """
    return [signature_check(root, keys or {}), *content_checks(root)]


def signature_check(root: Path, keys: Mapping[str, str]) -> Check:
    """Whether the signatures hold, are of what lies there, and are by keys that are trusted."""
    detail, faults, made = check_signatures(root, keys)
    return Check("signature", detail, faults, made)


def content_checks(root: Path) -> list[Check]:
    """Every check but that of the signatures."""
    checks = [attempt("manifest", "manifest.json", lambda: check_manifest(root))]
    try:
        bundle = Bundle(root)
    except BundleError as error:
        return [*checks, Check("plan", "cannot be read", tuple(str(fault) for fault in error.faults))]
    again = Recomputed(bundle)
    checks.append(attempt("plan", "plan.json", lambda: check_plan(bundle)))
    checks.append(attempt("chain", "records", lambda: check_chain(again)))
    if bundle.is_redacted:
        found = lambda: Check("redaction", *check_redaction(bundle, again.answers))  # noqa: E731
        checks.append(attempt("redaction", "redaction.json", found))
    checks.append(attempt("answers", "records", lambda: check_answers(again)))
    checks.append(attempt("findings", "findings.json", lambda: check_findings(again)))
    if sidecar_path(root).exists():
        checks.append(attempt("sidecar", "sidecar", lambda: check_sidecar(again)))
    if os.path.lexists(root / REPORT):
        checks.append(attempt("report", REPORT, lambda: check_report(root)))
    if os.path.lexists(root / REVIEWS):
        checks.append(attempt("reviews", REVIEWS, lambda: check_reviews(bundle)))
    return checks


class Recomputed:
    """What the checks share: the records, read once, and their scores."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    @cached_property
    def answers(self) -> KeptAnswers:
        """Every answer, the chain checked."""
        return read_answers(self.bundle)

    @cached_property
    def scored(self) -> ScoredAnswers:
        """What they are worth."""
        return score_answers(self.bundle.plan, self.answers.responses)


BROKEN = (
    KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, ArithmeticError, OSError,
)  # fmt: skip
"""What input raises, besides faults, that is too broken for the code that reads it."""


def attempt(name: str, where: str, check: Callable[[], Check]) -> Check:
    """Make a check; input that is too broken for it is its fault."""
    try:
        return check()
    except InputError as error:
        return Check(name, "could not be made", tuple(str(fault) for fault in error.faults))
    except BROKEN as error:
        fault = f"{where}: the content is not what it should be ({type(error).__name__}: {error})"
        return Check(name, "could not be made", (fault,))


def check_manifest(root: Path, largest: float = math.inf) -> Check:
    """Every file is there, with the size and hash of the manifest, and no other file is.

    Parameters
    ----------
    largest : float
        Bytes; of a larger file the size alone is compared.
    """
    path = root / "manifest.json"
    manifest = read_json(path)
    files = manifest["files"]
    faults, hashed = [], 0
    if manifest["files_sha256"] != sha256(canonical(files)):
        faults.append("manifest.json: was edited: its list does not have the hash it states")
    if path.read_bytes() != file_bytes(manifest):
        faults.append("manifest.json: was edited: not as evenhand writes it")
    listed = {entry["path"]: entry for entry in files}
    present = {member.relative_to(root).as_posix(): member for member in members(root)}
    faults += [f"{name}: missing" for name in sorted(listed.keys() - present.keys())]
    faults += [f"{name}: not in the manifest" for name in sorted(present.keys() - listed.keys())]
    for name in sorted(listed.keys() & present.keys()):
        size = present[name].stat().st_size
        if size != listed[name]["bytes"]:
            faults.append(f"{name}: {size} bytes, the manifest says {listed[name]['bytes']}")
        elif size <= largest:
            hashed += 1
            if file_sha256(present[name]) != listed[name]["sha256"]:
                faults.append(f"{name}: its content does not have the hash in the manifest")
    how = "by size and SHA-256" if largest == math.inf else f"by size, {hashed} of them by SHA-256"
    return Check("manifest", f"{counted(len(files), 'file')} {how}", tuple(faults))


def check_plan(bundle: Bundle) -> Check:
    """The plan's suites have the digests it states, and its hypotheses are those of its suites."""
    suites = planned_suites(bundle.plan)
    faults = []
    for entry in bundle.plan["suites"]:
        if suites[entry["id"]].suite.digest != entry["digest"]:
            faults.append(f"plan.json: suite {entry['id']} does not have the digest the plan states")
        for name, lexicon in suites[entry["id"]].lexicons.items():
            if lexicon.digest != entry["lexicons"][name]:
                faults.append(f"plan.json: lexicon {name} does not have the digest the plan states")
    ids = [hypothesis.id for hypothesis in hypotheses_of(bundle.plan)]
    if len(set(ids)) != len(ids):
        faults.append("plan.json: a hypothesis is declared twice")
    declared = bundle.plan.get("sequential")
    if declared and declared != section(bundle.plan, suites, declared["max_units"], declared["batch"]):
        faults.append("plan.json: its units and stopping rule are not those of its suites")
    found = f"{counted(len(suites), 'suite')}, {counted(len(ids), 'hypothesis', 'hypotheses')}"
    return Check("plan", found, tuple(faults))


def check_chain(again: Recomputed) -> Check:
    """Every record follows from the one before it, and the last is the one the findings were made from."""
    answers = again.answers
    faults = []
    path = again.bundle.root / "findings.json"
    if path.exists():
        stated = read_json(path)["chain_sha256"]
        if stated != answers.head:
            faults.append(
                "records: the last record is not the one that findings.json was made from: "
                "records were cut off or added"
            )
    else:
        faults.append("findings.json: missing; run `evenhand analyze`")
    if answers.redacted and not again.bundle.is_redacted:
        faults.append(
            f"records: {counted(answers.redacted, 'record')} redacted, and redaction.json is missing"
        )
    return Check("chain", counted(answers.count, "record"), tuple(faults))


def check_answers(again: Recomputed) -> Check:
    """Every request of the plan has exactly one answer, and there is no other answer.

    Where the plan asks until decided, its rule is replayed: answers beyond the batch in which it stops are
    no part of the plan.
    """
    found, wanted = again.answers.responses, again.scored.needed
    faults = [f"records: request {key[:12]} was answered twice" for key in again.answers.repeated]
    beyond = found.keys() - wanted
    if again.scored.missing:
        have = "has" if again.scored.missing == 1 else "have"
        faults.append(f"records: {counted(again.scored.missing, 'request')} of the plan {have} no answer")
    if beyond:
        faults.append(f"records: {counted(len(beyond), 'answer')} to requests that are not in the plan")
    return Check("answers", f"{counted(len(wanted), 'request')} planned", tuple(faults))


def check_findings(recomputed: Recomputed) -> Check:
    """The kept findings fit their schema and are those that plan and records give.

    Where they are not, it is said first if other code made them than recomputes them here.
    """
    bundle = recomputed.bundle
    path = bundle.root / "findings.json"
    kept = read_json(path)
    faults = [f"findings.json: {error.json_path}: {error.message}" for error in findings_errors(kept)]
    found = bundle_findings(bundle, recomputed.answers, recomputed.scored)
    again = json.loads(json.dumps(found))
    instrument = None
    if isinstance(kept, dict):  # the code that made them and what calibrated it, which this may not be
        instrument = kept.get("instrument")
        kept = {key: value for key, value in kept.items() if key != "instrument"}
    if isinstance(kept, dict) and kept.keys() != again.keys():
        faults.append(f"findings.json: differs in {', '.join(differing_keys(kept, again))}")
    faults += [f"findings.json: {place}: {said}" for place, said in differences(kept, again, "$")]
    told = sorted(row["id"] for row in kept["findings"])
    if told != sorted(hypothesis.id for hypothesis in hypotheses_of(bundle.plan)):
        faults.append("findings.json: its findings are not the hypotheses of the plan, each once")
    count = counted(len(again["findings"]), "finding")
    if faults:
        faults = [*other_code(instrument), *other_scorers(bundle), *faults]
    return Check("findings", f"{count} recomputed from the records", tuple(faults[:20]))


def other_code(instrument: Any) -> Iterator[str]:
    """That a difference may come from the code, unless findings say that this very code made them."""
    stated, now = stated_code(instrument), code_sha256()
    if stated == now:
        return
    made = "does not say which code made it" if stated is None else f"says that code {stated[:12]} made it"
    yield (
        f"findings.json: {made}, and this is code {now[:12]}: the code may have changed and not the bundle. "
        "Verify with the version of evenhand named in environment.json"
    )


def other_scorers(bundle: Bundle) -> Iterator[str]:
    """That a difference may come from scorers of rules, which are computed again and may be others now."""
    for planned in planned_scorers(bundle.plan):
        if planned.kind == "rules" and (now := scorer_named(planned.registered).digest) != planned.digest:
            yield (
                f"plan.json: {planned.name} was {planned.digest[:12]} in this plan, and is {now[:12]} here: "
                "its scores may have changed. Install the versions named in environment.json"
            )


def stated_code(instrument: Any) -> str | None:
    """The hash of the code that findings say made them; None where they do not say."""
    if not isinstance(instrument, Mapping):
        return None
    made_by = instrument.get("made_by")
    stated = made_by.get("code_sha256") if isinstance(made_by, Mapping) else None
    if made_by is None and instrument.get("matches") is True:  # unchanged since its calibration
        stated = instrument.get("code_sha256")
    return stated if isinstance(stated, str) and re.fullmatch("[0-9a-f]{64}", stated) else None


def check_sidecar(again: Recomputed) -> Check:
    """The sidecar holds the scores that plan and records give, and says that it does."""
    path = sidecar_path(again.bundle.root)
    name = path.relative_to(again.bundle.root).as_posix()
    kept = opened(again.bundle.root, path)
    if kept is None:
        return Check("sidecar", "cannot be read", (f"{name}: not a sidecar of this version. {REMEDY}",))
    faults = sidecar_faults(kept, again.bundle, again.answers, again.scored)
    count = kept.n_rows
    return Check(
        "sidecar", f"{counted(count, 'score')} recomputed", tuple(f"{name}: {text}" for text in faults[:20])
    )


def check_report(root: Path) -> Check:
    """Every figure that the report took from the findings is as it stands there.

    The findings are recomputed from the records; held against them, so is the report.
    """
    told, kept = read_json(root / REPORT), read_json(root / "findings.json")
    faults = [*differences([row["record"] for row in told["findings"]], kept["findings"], "$.findings")]
    for key in COPIED:
        faults += differences(told[key], kept[key], f"$.{key}")
    for key in ("plan_sha256", "chain_sha256"):
        faults += differences(told["cover"][key], kept[key], f"$.cover.{key}")
    counts = Counter(row["verdict"] for row in kept["findings"])
    faults += differences(told["summary"]["verdicts"], {v: counts[v] for v in VERDICTS}, "$.summary.verdicts")
    detail = f"{counted(len(kept['findings']), 'finding')} in {REPORT}, held against those recomputed"
    return Check("report", detail, tuple(f"{REPORT}: {place}: {said}" for place, said in faults[:20]))


def check_reviews(bundle: Bundle) -> Check:
    """The reviews follow from each other, fit their schema, and speak of what is in this bundle."""
    return Check("reviews", *check_events(bundle))


def read_findings(root: Path) -> dict[str, Any]:
    """The kept findings, if they are as this version of the program writes them.

    Raises
    ------
    BundleError
        If there are none yet, or they are of another form.
    """
    path = root / "findings.json"
    kept = read_json(path)
    errors = findings_errors(kept)
    if errors:
        what = f"not findings of this version: {errors[0].json_path}: {errors[0].message[:200]}"
        remedy = f"Make them again with: evenhand analyze {shlex.quote(str(root))}"
        raise BundleError(Fault(what, str(path), remedy))
    found: dict[str, Any] = kept
    return found


def findings_errors(findings: Any) -> list[Any]:
    """Where findings depart from their JSON Schema."""
    if findings_fit()(findings):
        return []
    errors = Draft202012Validator(findings_schema()).iter_errors(findings)
    return sorted(errors, key=lambda error: error.json_path)


@cache
def findings_schema() -> dict[str, Any]:
    """The JSON Schema of ``findings.json``."""
    text = importlib.resources.files("audit").joinpath("schemas/findings.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def findings_fit() -> Fits:
    """That schema, compiled: whole files of findings are read for every view of a dashboard."""
    return compiled(findings_schema())

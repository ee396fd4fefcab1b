"""Is a bundle what it says it is? Hashes, chain, completeness, schema, and every figure recomputed."""

from __future__ import annotations

import importlib.resources
import json
import math
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from audit.bundle import Bundle, differing_keys, file_bytes, file_sha256, members, read_json, sha256
from audit.findings import analyze_bundle
from audit.plan import hypotheses_of, planned_suites
from audit.requests import Response, canonical, digest
from audit.sequential.plan import section
from audit.sequential.streams import needed_answers
from probes.errors import BundleError, Fault, InputError

TOLERANCE = 1e-9
"""Relative difference allowed between a kept and a recomputed figure: another machine's last digits."""


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    ``faults`` names each departure; the check holds when there is none.
    """

    name: str
    detail: str
    faults: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def verify_bundle(root: Path) -> list[Check]:
    """Check a bundle, offline.

    Returns
    -------
    list of Check
        In order: manifest, plan, chain, answers, findings. A check that could not be made because an
        earlier one failed is a fault too: nothing passes by being skipped.
    """
    checks = [attempt("manifest", "manifest.json", lambda: check_manifest(root))]
    try:
        bundle = Bundle(root)
    except BundleError as error:
        return [*checks, Check("plan", "cannot be read", tuple(str(fault) for fault in error.faults))]
    checks.append(attempt("plan", "plan.json", lambda: check_plan(bundle)))
    checks.append(attempt("chain", "records", lambda: check_chain(bundle)))
    checks.append(attempt("answers", "records", lambda: check_answers(bundle)))
    checks.append(attempt("findings", "findings.json", lambda: check_findings(bundle)))
    return checks


def attempt(name: str, where: str, check: Callable[[], Check]) -> Check:
    """Make a check; input that is too broken for it is its fault."""
    try:
        return check()
    except InputError as error:
        return Check(name, "could not be made", tuple(str(fault) for fault in error.faults))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        fault = f"{where}: the content is not what it should be ({type(error).__name__}: {error})"
        return Check(name, "could not be made", (fault,))


def check_manifest(root: Path) -> Check:
    """Every file is there, with the size and hash of the manifest, and no other file is."""
    path = root / "manifest.json"
    manifest = read_json(path)
    files = manifest["files"]
    faults = []
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
        elif file_sha256(present[name]) != listed[name]["sha256"]:
            faults.append(f"{name}: its content does not have the hash in the manifest")
    return Check("manifest", f"{len(files)} files by size and SHA-256", tuple(faults))


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
    return Check("plan", f"{len(suites)} suites, {len(ids)} hypotheses", tuple(faults))


def check_chain(bundle: Bundle) -> Check:
    """Every record follows from the one before it, and the last is the one the findings were made from."""
    head, count = bundle.plan_sha256, 0
    for record in bundle.records():
        head, count = sha256(record.line()), count + 1
    faults = []
    path = bundle.root / "findings.json"
    if path.exists():
        stated = read_json(path)["chain_sha256"]
        if stated != head:
            faults.append(
                "records: the last record is not the one that findings.json was made from: "
                "records were cut off or added"
            )
    else:
        faults.append("findings.json: missing; run `evenhand analyze`")
    return Check("chain", f"{count} records", tuple(faults))


def check_answers(bundle: Bundle) -> Check:
    """Every request of the plan has exactly one answer, and there is no other answer.

    Where the plan asks until decided, its rule is replayed: answers beyond the batch in which it stops are
    no part of the plan.
    """
    found: dict[tuple[str, str], Response] = {}
    faults = []
    for record in bundle.records():
        key = (record.model, digest(record.request))
        if key in found:
            faults.append(f"records: request {key[1][:12]} was answered twice")
        found[key] = record.response
    wanted = needed_answers(bundle.plan, found)
    lacking, beyond = wanted - found.keys(), found.keys() - wanted
    if lacking:
        faults.append(f"records: {len(lacking)} requests of the plan have no answer")
    if beyond:
        faults.append(f"records: {len(beyond)} answers are to requests that are not in the plan")
    return Check("answers", f"{len(wanted)} requests planned", tuple(faults))


def check_findings(bundle: Bundle) -> Check:
    """The kept findings fit their schema and are those that plan and records give."""
    path = bundle.root / "findings.json"
    kept = read_json(path)
    faults = [f"findings.json: {error.json_path}: {error.message}" for error in findings_errors(kept)]
    again = json.loads(json.dumps(analyze_bundle(bundle)))
    if isinstance(kept, dict):  # what calibrated the version that made them, which this one may not be
        kept = {key: value for key, value in kept.items() if key != "instrument"}
    if isinstance(kept, dict) and kept.keys() != again.keys():
        faults.append(f"findings.json: differs in {', '.join(differing_keys(kept, again))}")
    faults += [f"findings.json: {text}" for text in differences(kept, again, "$")]
    told = sorted(row["id"] for row in kept["findings"])
    if told != sorted(hypothesis.id for hypothesis in hypotheses_of(bundle.plan)):
        faults.append("findings.json: its findings are not the hypotheses of the plan, each once")
    count = len(again["findings"])
    return Check("findings", f"{count} findings recomputed from the records", tuple(faults[:20]))


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
    text = importlib.resources.files("audit").joinpath("schemas/findings.schema.json").read_text("utf-8")
    return sorted(
        Draft202012Validator(json.loads(text)).iter_errors(findings), key=lambda error: error.json_path
    )


def differences(kept: Any, again: Any, path: str) -> Iterator[str]:
    """Where a kept value departs from the recomputed one, as paths with both values."""
    if isinstance(kept, Mapping) and isinstance(again, Mapping):
        for key in sorted({*kept, *again}):
            yield from differences(kept.get(key), again.get(key), f"{path}.{key}")
    elif isinstance(kept, list) and isinstance(again, list):
        if len(kept) != len(again):
            yield f"{path}: {len(kept)} entries, recomputed {len(again)}"
        for number, (one, other) in enumerate(zip(kept, again, strict=False)):
            yield from differences(one, other, f"{path}[{number}]")
    elif is_number(kept) and is_number(again):
        if not math.isclose(kept, again, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield f"{path}: {kept}, recomputed {again}"
    elif kept != again or type(kept) is not type(again):
        yield f"{path}: {short(kept)}, recomputed {short(again)}"


def is_number(value: Any) -> bool:
    """A JSON number, which a boolean is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def short(value: Any) -> str:
    """A value as short text."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."

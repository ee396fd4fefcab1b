"""One bundle of a comparison: its plan and findings read whole, its scores where they are asked for.

Scores come from the bundle's sidecar. It is used only where it says that it was made from this very plan and
from record files of these very hashes, by this very code, and when it was made the chain of those bytes was
checked; else it is made again from the records, their chain checked now. So records that were edited, cut or
added are never passed over. A sidecar that was forged to say so is not noticed here, no more than a figure
edited in ``findings.json``: that both are what plan and records give is for ``evenhand verify`` to check.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from audit.api import earlier_runs
from audit.bundle import Bundle, read_json
from audit.findings import complete_answers
from audit.hypotheses import Hypothesis
from audit.measures import decoding_from_json
from audit.plan import PlannedModel, declared_suites, hypotheses_of
from audit.sidecar import Sidecar, open_sidecar
from audit.spec import SuiteChoice
from audit.verify import read_findings
from probes.errors import BundleError, Fault

When = Literal["before", "after"]


@dataclass(frozen=True)
class Side:
    """A finished audit: what was planned, answered and found.

    Attributes
    ----------
    when : {"before", "after"}
        Its place in the comparison.
    chain_sha256 : str
        Hash of its last record.
    sidecar : Sidecar
        The scores of its answers.
    findings : mapping of hypothesis id to finding
        As its findings.json says.
    runs : list of mapping
        As its environment.json says; empty where there is none.
    claims : list of mapping
        As its provenance.json says; empty where there is none.
    """

    when: When
    root: Path
    plan: Mapping[str, Any]
    plan_sha256: str
    chain_sha256: str
    suites: Mapping[str, SuiteChoice]
    hypotheses: tuple[Hypothesis, ...]
    sidecar: Sidecar
    findings: Mapping[str, Mapping[str, Any]]
    runs: list[Mapping[str, Any]]
    claims: list[Mapping[str, Any]]

    def model(self, model_id: str) -> Mapping[str, Any]:
        """The plan's entry of one of its models."""
        entry: Mapping[str, Any] = next(entry for entry in self.plan["models"] if entry["id"] == model_id)
        return entry


def read_side(root: Path, when: When) -> Side:
    """Read a bundle for a comparison.

    Raises
    ------
    BundleError
        If it is broken or unfinished, or its findings are not those of its plan and records.
    """
    bundle = Bundle(root)
    hypotheses = planned_hypotheses(bundle)
    sidecar = open_sidecar(root)
    if not sidecar.complete:
        complete_answers(bundle)  # says how many are missing
    head = sidecar.source.chain_sha256
    found = read_findings(root)
    remedy = f"Make them again with: evenhand analyze {shlex.quote(str(root))}"
    where = str(root / "findings.json")
    if (found["plan_sha256"], found["chain_sha256"]) != (bundle.plan_sha256, head):
        raise BundleError(Fault("made from another plan or from other records", where, remedy))
    findings = {row["id"]: row for row in found["findings"]}
    if sorted(findings) != sorted(hypothesis.id for hypothesis in hypotheses):
        raise BundleError(Fault("its findings are not the hypotheses of the plan, each once", where, remedy))
    return Side(
        when,
        root,
        bundle.plan,
        bundle.plan_sha256,
        head,
        declared_suites(bundle.plan),
        tuple(hypotheses),
        sidecar,
        findings,
        [run_of(run, root) for run in earlier_runs(bundle)],
        claims_of(root),
    )


def checked_plan(root: Path) -> Mapping[str, Any]:
    """The plan of a bundle, its entries of their kinds."""
    bundle = Bundle(root)
    planned_hypotheses(bundle)
    return bundle.plan


def planned_hypotheses(bundle: Bundle) -> list[Hypothesis]:
    """The plan's hypotheses, once its other entries were seen to be of their kinds and to fit together."""
    where, remedy = str(bundle.root / "plan.json"), "Restore the file from a copy."
    try:
        decoding_from_json(bundle.plan["decoding"])
        models = {PlannedModel(**entry).id for entry in bundle.plan["models"]}
        suites = {entry["id"] for entry in bundle.plan["suites"]}
        asked = [(ask["model"], ask["suite"]) for ask in bundle.plan["asks"] if ask["form"]]
        hypotheses = hypotheses_of(bundle.plan)
    except (KeyError, TypeError) as error:
        what = f"not as evenhand writes a plan ({type(error).__name__}: {error})"
        raise BundleError(Fault(what, where, remedy)) from None
    named = {*asked, *((hypothesis.model, hypothesis.suite) for hypothesis in hypotheses)}
    strange = [pair for pair in named if pair[0] not in models or pair[1] not in suites]
    if strange or len(set(asked)) < len(asked):
        what = "it asks a model or suite that it does not hold, or one twice"
        raise BundleError(Fault(what, where, remedy))
    return hypotheses


def run_of(run: Any, root: Path) -> Mapping[str, Any]:
    """One run as environment.json tells it."""
    if not isinstance(run, Mapping) or not isinstance(run.get("environment"), Mapping):
        where, remedy = str(root / "environment.json"), "Remove the file: it holds no result."
        raise BundleError(Fault("a run without its environment", where, remedy))
    return run


def claims_of(root: Path) -> list[Mapping[str, Any]]:
    """The claim ledger; empty where there is none."""
    path = root / "provenance.json"
    if not path.exists():
        return []
    kept = read_json(path)
    claims = kept.get("claims") if isinstance(kept, Mapping) else None
    keys = {"subject", "field", "value", "status"}
    if not isinstance(claims, list) or not all(isinstance(c, Mapping) and keys <= c.keys() for c in claims):
        raise BundleError(Fault("not a claim ledger", str(path), "Restore the file from a copy."))
    return claims

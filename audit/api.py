"""The verbs, for Python: decide, run, analyze, look."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.bundle import Bundle, read_json, write_json
from audit.environment import environment, peak_memory
from audit.models import resolve
from audit.models.base import Model
from audit.models.threads import use_threads
from audit.plan import load_options, make_plan, planned_scorers, planned_suites
from audit.provenance import ledger
from audit.runner import Progress, RunCounts, run_plan
from audit.scorers.base import Scorer
from audit.scorers.bundle_audit import SCORER_AUDITS, write_scorer_audits
from audit.scorers.planned import PlannedScorer
from audit.scorers.wishes import answering, as_scorer, given_scorers
from audit.spec import AuditSpec, choose
from probes.errors import BundleError, Fault, InputError

if TYPE_CHECKING:
    import pandas as pd


def audit(
    models: Sequence[str | Model], suites: Sequence[str], out: str | Path, **decisions: Any
) -> dict[str, Any]:
    """Audit models with suites, whole, and return the findings.

    Parameters
    ----------
    models : sequence
        Names (catalog, folder, ``.gguf`` file, hub id) or model objects.
    suites : sequence of str
        Suite ids or files.
    out : path
        The bundle's folder; an unfinished audit of the same plan there is resumed.
    **decisions
        Fields of :class:`~audit.spec.AuditSpec`: ``title, alpha, seed, decoding, load, until_decided,
        scorers``.

    Examples
    --------
    >>> import tempfile
    >>> from audit.models import ScriptedModel
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = audit([ScriptedModel.group_blind()], ["occupations"], folder + "/a")
    >>> found["findings"][0]["estimate"]
    0.0
    """
    spec = AuditSpec(models=tuple(models), suites=tuple(choose(name) for name in suites), **decisions)
    run(spec, Path(out))
    findings: dict[str, Any] = read_json(Path(out) / "findings.json")
    return findings


def run(
    spec: AuditSpec,
    out: Path,
    *,
    reuse: Sequence[Path] = (),
    progress: Progress | None = None,
) -> RunCounts:
    """Plan, ask, analyze: from decisions to a finished bundle; resumes one with the same plan.

    Raises
    ------
    InputError
        For bad input, a changed plan, a full disk; what was answered stays.
    """
    use_threads(spec.load.threads)
    plan = make_plan(spec)
    bundle = Bundle.create(out, plan)
    given = {model.id: model for model in spec.models if not isinstance(model, str)}
    scorers = given_scorers(wish for wishes in spec.scorers.values() for wish in wishes)
    return complete(bundle, given, reuse=reuse, progress=progress, scorers=scorers)


def resume(
    out: Path,
    models: Sequence[Model] = (),
    *,
    reuse: Sequence[Path] = (),
    progress: Progress | None = None,
    scorers: Sequence[Scorer] = (),
) -> RunCounts:
    """Take up the audit in a folder by its plan; objects that it was begun with are given again."""
    given = {model.id: model for model in models}
    return complete(Bundle(out), given, reuse=reuse, progress=progress, scorers=given_scorers(scorers))


def complete(
    bundle: Bundle,
    given: Mapping[str, Model],
    *,
    reuse: Sequence[Path] = (),
    progress: Progress | None = None,
    scorers: Mapping[str, Model] | None = None,
) -> RunCounts:
    """Ask what has no answer yet, then write findings, provenance, environment and manifest.

    ``given`` are model objects by id, ``scorers`` what answers for scorers given as objects, by digest.
    """
    earlier_runs(bundle)  # unreadable is said now, and not after the asking
    facts: dict[str, Mapping[str, Any]] = {}
    at_hand: dict[str, Model] = {}
    started = datetime.datetime.now(datetime.UTC)
    options = load_options(bundle.plan)

    def load(model_id: str) -> Model:
        model = given.get(model_id) or resolve(model_id, options)
        facts[model_id] = model.describe()
        write_provenance(bundle, facts, started)  # now, so that a kill during the asking does not cost it
        return model

    def scorer(planned: PlannedScorer) -> Model:
        model = (scorers or {}).get(planned.digest) or answering(planned, options)
        facts[planned.digest] = model.describe()
        at_hand[planned.digest] = model
        write_provenance(bundle, facts, started)
        return model

    clock = time.monotonic()
    counts = run_plan(bundle, load, reuse=reuse, progress=progress, scorer=scorer)
    asked_in = time.monotonic() - clock
    if counts.asked or counts.reused or not (bundle.root / "environment.json").exists():
        write_environment(bundle, started, counts, asked_in)
        write_provenance(bundle, facts, started)  # again, with the run itself
    if not (bundle.root / "provenance.json").exists():
        write_provenance(bundle, facts, started)
    write_own_audits(bundle, {**(scorers or {}), **at_hand}, progress)
    analyze(bundle.root)
    return counts


def write_own_audits(bundle: Bundle, at_hand: Mapping[str, Model], progress: Progress | None = None) -> None:
    """Keep what the plan's scorers make of our own sentences, unless it is kept already.

    ``at_hand`` are scorers that are loaded, by digest. Others are loaded now: a run may have been stopped
    between the asking and this. One that is gone, or is another one by now, cannot be audited.
    """
    if (bundle.root / SCORER_AUDITS).exists():
        return
    own = [
        as_scorer(one, at_hand.get(one.digest) or still_there(one, bundle))
        for one in planned_scorers(bundle.plan)
    ]
    write_scorer_audits(bundle, [scorer for scorer in own if scorer is not None], progress=progress)


def still_there(planned: PlannedScorer, bundle: Bundle) -> Model | None:
    """What answers for a scorer that was asked in an earlier run; None where it cannot be had any more."""
    if planned.kind == "rules":
        return None
    try:
        model = answering(planned, load_options(bundle.plan))
    except InputError:
        return None
    return model if model.digest == planned.digest else None


def analyze(out: Path) -> dict[str, Any]:
    """Findings again, from plan and records alone; written to the bundle with manifest and sidecar."""
    from audit.calibration.record import citation, code_sha256
    from audit.findings import bundle_findings
    from audit.kept import read_answers
    from audit.scored import score_answers
    from audit.sidecar import write_scores

    bundle = Bundle(out)
    answers = read_answers(bundle)
    scored = score_answers(bundle.plan, answers.responses)
    instrument = {**citation(), "made_by": {"code_sha256": code_sha256()}}
    findings = {**bundle_findings(bundle, answers, scored), "instrument": instrument}
    write_json(bundle.root / "findings.json", findings)
    bundle.write_manifest()
    write_scores(bundle, answers, scored)
    return findings


def earlier_runs(bundle: Bundle) -> list[dict[str, Any]]:
    """What the bundle says of the runs so far."""
    path = bundle.root / "environment.json"
    if not path.exists():
        return []
    kept = read_json(path)
    runs = kept.get("runs") if isinstance(kept, dict) else None
    if not isinstance(runs, list):
        raise BundleError(Fault("not a list of runs", str(path), "Remove the file: it holds no result."))
    return runs


def write_environment(bundle: Bundle, started: datetime.datetime, counts: RunCounts, seconds: float) -> None:
    """Add this run to the bundle's list of runs."""
    path = bundle.root / "environment.json"
    runs = earlier_runs(bundle)
    runs.append(
        {
            "started": started.isoformat(timespec="seconds"),
            "seconds_asking": round(seconds, 3),
            "seconds_by_model": {name: round(value, 3) for name, value in counts.seconds.items()},
            "kept": counts.kept,
            "asked": counts.asked,
            "pass_tokens_by_model": dict(counts.pass_tokens),
            "reused": counts.reused,
            "peak_memory_bytes": peak_memory(),
            "environment": environment(),
        }
    )
    write_json(path, {"seed": bundle.plan["seed"], "runs": runs})


def write_provenance(
    bundle: Bundle, facts: Mapping[str, Mapping[str, Any]], started: datetime.datetime
) -> None:
    """Write the claim ledger; models that were loaded in an earlier run keep that run's claims."""
    path = bundle.root / "provenance.json"
    earlier = read_json(path) if path.exists() else None
    at = started.isoformat(timespec="seconds")
    suites = planned_suites(bundle.plan)
    write_json(path, ledger(bundle.plan, suites, facts, earlier, earlier_runs(bundle), at))


def findings_frame(findings: Mapping[str, Any]) -> pd.DataFrame:
    """The findings as a table, one row a hypothesis, worst first."""
    import pandas as pd

    columns = (
        "model", "suite", "contrast", "axis", "group", "reference", "role", "estimate", "unit", "se", "p",
        "p_adjusted", "n_templates", "n_terms", "verdict", "fragile", "severity", "minimum_detectable",
    )  # fmt: skip
    rows = []
    for finding in findings["findings"]:
        row = {column: finding[column] for column in columns}
        interval = finding["ci"] or {"lo": None, "hi": None}
        rows.append({**row, "lo": interval["lo"], "hi": interval["hi"], "margin": finding["margin"]["value"]})
    return pd.DataFrame(rows)

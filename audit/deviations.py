"""What departed from the plan, as far as a bundle can tell.

A departure is no fault: an audit that was interrupted and resumed is as good as one that was not. It is said
because a reader of a report may ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from audit.bundle import Bundle, read_json
from audit.scores import STATUSES
from audit.verify import BROKEN
from probes.errors import Fault, InputError

MACHINE = ("python", "system", "machine", "processor", "cores", "threads")
"""What an environment says of the machine besides its packages."""


def deviations(root: Path) -> list[str]:
    """What departed from the plan, one plain sentence each; empty where nothing did.

    What cannot be read is named, since what it would tell is not known. Nothing that a folder holds makes
    this raise.
    """
    try:
        plan = Bundle(root).plan
    except (InputError, *BROKEN) as error:
        return [line(f"The plan cannot be read, so no departure from it is known: {first_line(error)}")]
    found: list[str] = []
    for name, read in READERS:
        try:
            content = read_json(root / name) if name != "plan.json" else plan
            found += [line(text) for text in read(content, plan)]
        except (InputError, *BROKEN) as error:
            found.append(
                line(f"{name} cannot be read, so what it would tell is not known: {first_line(error)}")
            )
    return found


def line(text: str) -> str:
    """A sentence fit to be shown: control characters written out, and not endless."""
    shown = str(Fault(text))
    return shown if len(shown) <= 400 else shown[:399] + "…"


def first_line(error: BaseException) -> str:
    """What an error says, in short."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def from_plan(plan: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[str]:
    """Suites that could not be asked."""
    for row in plan["not_measurable"]:
        yield f"{row['suite']} was not measurable on {row['model']}: {row['reason']}"


def from_environment(content: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[str]:
    """Interruptions, answers taken over, and what changed between runs."""
    runs: Sequence[Mapping[str, Any]] = content["runs"]
    if len(runs) > 1:
        dates = ", ".join(str(run["started"]) for run in runs)
        yield f"Asked in {len(runs)} runs, so interrupted or taken up again {len(runs) - 1} times: {dates}"
    reused = sum(run["reused"] for run in runs)
    if reused:
        yield f"{reused:,} answers were taken over from earlier bundles and not asked again"
    if content["seed"] != plan["seed"]:
        yield f"environment.json names the seed {content['seed']}, the plan {plan['seed']}"
    for before, after in pairwise(runs):
        when = f"between the runs of {before['started']} and {after['started']}"
        yield from changes(before["environment"], after["environment"], when)


def changes(before: Mapping[str, Any], after: Mapping[str, Any], when: str) -> Iterator[str]:
    """What two environments differ in; a run that loaded no model does not say its threads."""
    one, other = before["packages"], after["packages"]
    for name in sorted({*one, *other}):
        if one.get(name) != other.get(name):
            yield f"{name} changed from {one.get(name)} to {other.get(name)} {when}"
    for name in MACHINE:
        unsaid = name == "threads" and None in (before.get(name), after.get(name))
        if before.get(name) != after.get(name) and not unsaid:
            yield f"The {name} changed from {before.get(name)} to {after.get(name)} {when}"
    sha, other_sha = ((each.get("commit") or {}).get("sha") for each in (before, after))
    if sha != other_sha:
        yield f"The instrument's commit changed from {sha} to {other_sha} {when}"


def from_provenance(content: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[str]:
    """Models whose files are not those of the plan, or are not told."""
    claims = {row["subject"]: row["value"] for row in content["claims"] if row["field"] == "digest"}
    for model in plan["models"]:
        told = claims.get(f"model:{model['id']}")
        if told is None:
            yield f"provenance.json does not tell the files of {model['id']}"
        elif told != model["digest"]:
            yield (
                f"{model['id']} has the digest {str(told)[:12]} by its provenance and "
                f"{str(model['digest'])[:12]} by the plan"
            )


def from_findings(content: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[str]:
    """Code that changed since its calibration, corrections that stood in, and answers without a value."""
    instrument = content["instrument"]
    if not instrument["matches"]:
        yield f"The findings were made by code that its calibration does not cover: {instrument['text']}"
    for family in content["families"]:
        wanted = plan["correction"][family["role"]]
        if family["method"] != wanted and family["method"] in ("holm", "max-t", "benjamini-hochberg"):
            reason = f": {family['note']}" if family["note"] else ""
            yield f"{family['id']} was corrected by {family['method']}, where the plan says {wanted}{reason}"
    for row in content["coverage"]:
        yield from without_value(row)


def without_value(row: Mapping[str, Any]) -> Iterator[str]:
    """Answers of one suite and arm that have no value, by status."""
    counts = {status: row["statuses"].get(status, 0) for status in STATUSES}
    total = sum(counts.values())
    lost = total - counts["scored"]
    if lost:
        kinds = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count and name != "scored")
        yield (
            f"{lost:,} of {total:,} scores ({lost / total:.1%}) of {row['suite']} on {row['model']} "
            f"({row['arm']}) have no value: {kinds}"
        )


Reader = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[str]]

READERS: tuple[tuple[str, Reader], ...] = (
    ("environment.json", from_environment),
    ("provenance.json", from_provenance),
    ("plan.json", from_plan),
    ("findings.json", from_findings),
)
"""Files of a bundle with what reads the departures off them."""

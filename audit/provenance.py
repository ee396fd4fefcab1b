"""The claim ledger: what is known of model, suites and lexicons, by whom, and what is not.

One claim a field. A status says how it is known; null without a status does not exist. What was looked
for and not found is ``unknown`` with the places that were searched, never left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from audit.plan import PlannedSuite

Status = Literal["measured", "declared", "derived", "unknown", "withheld", "not_applicable", "conflict"]


def claim(
    subject: str, field: str, value: Any, status: Status, source: str, *, by: str | None = None
) -> dict[str, Any]:
    """One record of the ledger."""
    if value is None and status in ("measured", "declared", "derived"):
        raise ValueError(f"{subject}: {field} is {status} and has no value")
    return {
        "subject": subject,
        "field": field,
        "value": value,
        "status": status,
        "source": source,
        "declared_by": by,
    }


def measured_or_unknown(subject: str, field: str, value: Any, source: str) -> dict[str, Any]:
    """A claim that was read off the thing itself, or that the thing does not tell."""
    return claim(subject, field, value, "unknown" if value is None else "measured", source)


def declared_or_unknown(subject: str, field: str, value: Any, source: str, by: str) -> dict[str, Any]:
    """A claim that somebody makes, or that nobody was found to make."""
    if value is None:
        return claim(subject, field, None, "unknown", source)
    return claim(subject, field, value, "declared", source, by=by)


MEASURED_OF_MODELS = (
    "kind",
    "architecture",
    "parameters",
    "dtype",
    "device",
    "vocabulary",
    "max_tokens",
    "tokenizer",
    "start_token",
    "pickle",
    "remote_code",
)
DECLARED_OF_MODELS = ("licence", "developer", "origin", "languages", "training_data")
DECLARED_BY = {
    "catalog": "this project's catalogue, from the publisher's statements",
    "folder": "the author of the model card",
    "gguf": "the author of the file",
    "hub": "the author of the model card",
}
SEARCHED = "model card (README.md front matter), file metadata and catalogue"


def model_claims(model: Mapping[str, Any], facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is known of a model: its files as measured, its card as declared.

    Parameters
    ----------
    model : mapping
        The model's entry in the plan.
    facts : mapping
        What the model says of itself; see ``Model.describe``.
    """
    subject = f"model:{model['id']}"
    claims = [claim(subject, "digest", model["digest"], "measured", "SHA-256 over the files listed")]
    claims += [
        measured_or_unknown(subject, field, facts.get(field), "configuration and weight headers")
        for field in MEASURED_OF_MODELS
    ]
    if facts.get("source") == "hub":
        claims.append(
            measured_or_unknown(
                subject, "revision", facts.get("revision"), "snapshot folder of the hub's cache"
            )
        )
    else:
        claims.append(
            claim(subject, "revision", None, "not_applicable", "not from a hub; the digest identifies it")
        )
    by = DECLARED_BY.get(str(facts.get("source")), "the model object")
    claims += [
        declared_or_unknown(subject, field, facts.get(field), SEARCHED, by) for field in DECLARED_OF_MODELS
    ]
    if facts.get("quantisation"):
        converted = {"tensors": facts["quantisation"], "note": facts.get("quantisation_note")}
        claims.append(claim(subject, "conversion", converted, "measured", "header of the GGUF file"))
    if facts.get("planted"):
        claims.append(claim(subject, "planted", facts["planted"], "measured", "wrapper of this instrument"))
    claims += [
        claim(subject, f"file:{file['path']}", file, "measured", "SHA-256 of the file")
        for file in facts.get("files", [])
    ]
    return claims


def probe_claims(suites: Mapping[str, PlannedSuite]) -> list[dict[str, Any]]:
    """What is known of the questions: versions, licences, sources, known critiques."""
    claims = []
    for planned in suites.values():
        suite, subject = planned.suite, f"suite:{planned.suite.id}"
        claims += [
            claim(subject, "version", suite.version, "declared", "suite file", by="suite author"),
            claim(subject, "digest", suite.digest, "measured", "SHA-256 of the canonical content"),
            claim(subject, "licence", suite.licence, "declared", "suite file", by="suite author"),
            claim(subject, "critiques", list(suite.card.critiques), "declared", "card", by="suite author"),
            claim(subject, "limits", list(suite.card.limits), "declared", "card", by="suite author"),
        ]
        for lexicon in planned.lexicons.values():
            subject = f"lexicon:{lexicon.id}"
            source = {
                "title": lexicon.source.title,
                "year": lexicon.source.year,
                "table": lexicon.source.table,
            }
            claims += [
                claim(subject, "version", lexicon.version, "declared", "lexicon file", by="lexicon author"),
                claim(subject, "digest", lexicon.digest, "measured", "SHA-256 of the canonical content"),
                claim(subject, "licence", lexicon.licence, "declared", "lexicon file", by="lexicon author"),
                claim(subject, "source", source, "declared", "lexicon file", by="lexicon author"),
            ]
    return unique_claims(claims)


def unique_claims(claims: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each claim once: two suites may share a lexicon."""
    return list({(row["subject"], row["field"]): row for row in claims}.values())


def flags(claims: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What needs a person's review, found by rule; a flag never says that something infringes."""
    found = []
    for row in claims:
        subject = row["subject"]
        if not subject.startswith("model:"):
            continue
        if row["field"] == "training_data" and row["status"] == "unknown":
            found.append({"subject": subject, "flag": "TRAINING_DATA_UNDECLARED"})
        if row["field"] == "licence" and row["status"] == "unknown":
            found.append({"subject": subject, "flag": "LICENCE_UNDECLARED"})
        if row["field"] == "conversion":
            found.append({"subject": subject, "flag": "QUANTISED_OR_CONVERTED"})
        if row["field"] == "revision" and row["status"] == "unknown":
            found.append({"subject": subject, "flag": "REVISION_NOT_PINNED"})
    return found


def ledger(
    plan: Mapping[str, Any],
    suites: Mapping[str, PlannedSuite],
    facts: Mapping[str, Mapping[str, Any]],
    earlier: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The ledger of one audit.

    Parameters
    ----------
    facts : mapping of model id to facts
        Of the models loaded in this run; those loaded in an earlier, interrupted run are taken from
        ``earlier``, that run's ledger.
    """
    kept = (earlier or {}).get("claims", [])
    claims: list[dict[str, Any]] = []
    for model in plan["models"]:
        known = [row for row in kept if row["subject"] == f"model:{model['id']}"]
        claims += model_claims(model, facts[model["id"]]) if model["id"] in facts else known
    claims += probe_claims(suites)
    return {"claims": claims, "flags": flags(claims)}

"""What is known of a model: its files as measured, its card as declared, and what notes say beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.provenance.claims import Claim, Origin, claim, found_only, found_or_unknown, settle, values
from audit.provenance.licences import is_named
from audit.provenance.notes import BY as NOTES
from audit.provenance.notes import Matched, dataset_claims, matched, note_claims
from audit.provenance.readers.card import card_claims
from audit.provenance.readers.config import config_claims
from audit.provenance.readers.files import short_text, short_texts
from audit.provenance.readers.hub import hub_place
from audit.provenance.readers.licence import licence_claims
from audit.provenance.readers.weights import weight_claims

Facts = Mapping[str, Any]

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
DECLARED_OF_MODELS = ("licence", "developer", "origin", "languages", "training_data", "contamination")
DECLARED_BY = {
    "catalog": "this project's catalogue, from the publisher's statements",
    "gguf": "the author of the file",
}
CATALOGUE = "catalogue of this project"
HEADER = "header of the GGUF file"
SEARCHED = "model card, headers of the weight files, configuration, catalogue and curated notes"
"""Where every field of a model was looked for."""

FIELDS = (
    "licence",
    "licence_file",
    "developer",
    "card_author",
    "origin",
    "languages",
    "datasets",
    "training_data",
    "base_model",
    "cutoff",
    "released",
    "data_types",
    "data_collection",
    "data_geography",
    "data_period",
    "data_dated",
    "data_cleaning",
    "data_annotation",
    "personal_data",
    "data_copyright",
    "data_purchased",
    "opt_out",
    "synthetic_data",
    "intended_use",
    "known_biases",
    "data_gaps",
    "privacy_measures",
    "data_storage",
    "update_plan",
    "data_points",
    "top_domains",
)
"""What is asked of every model, whoever answers; a field that nobody speaks of is unknown, not left out."""


def model_claims(model: Mapping[str, Any], facts: Facts, at: str | None = None) -> list[Claim]:
    """Everything that is known of a model, one record a field.

    Parameters
    ----------
    model : mapping
        The model's entry in the plan.
    facts : mapping
        What the model says of itself; see ``Model.describe``. Where it has ``folder``, the files there are
        read.
    at : str, optional
        When the run began.
    """
    return model_ledger(model, facts, at)[0]


def model_ledger(
    model: Mapping[str, Any], facts: Facts, at: str | None = None
) -> tuple[list[Claim], list[Matched]]:
    """The claims about a model, and the notes that spoke of it."""
    subject = f"model:{model['id']}"
    rows = list(own_claims(model, facts, at))
    own = list(own_names(model, facts))
    origins = list(origin_names(rows))
    found = matched(own, origins)
    for match in found:
        rows += note_claims(match, subject)
    spoken = {row["field"] for row in rows}
    rows += [
        claim(subject, field, None, "unknown", Origin(SEARCHED, at=at))
        for field in FIELDS
        if field not in spoken
    ]
    settled = settle(rows)
    declared, upstream = data_sets(settled)
    inherited = [name for match in found if match.relation == "made from it" for name in match.note.datasets]
    settled += dataset_claims(subject, "dataset_licence", declared, at)
    upstream = [name for name in dict.fromkeys([*upstream, *inherited]) if name not in declared]
    settled += dataset_claims(subject, "upstream_licence", upstream, at)
    return settled, found


def own_claims(model: Mapping[str, Any], facts: Facts, at: str | None) -> Iterator[Claim]:
    """What the model and its files say, without any note."""
    subject = f"model:{model['id']}"
    yield found_or_unknown(
        subject, "digest", model["digest"], "measured", Origin("SHA-256 over the files listed", at=at)
    )
    measured = Origin("configuration and weight headers", at=at)
    note = None if facts.get("loaded", True) else "known once the model is loaded"
    for field in MEASURED_OF_MODELS:
        yield found_or_unknown(
            subject, field, facts.get(field), "measured", measured, note if facts.get(field) is None else None
        )
    yield revision(subject, facts, at)
    by = Origin(CATALOGUE, DECLARED_BY.get(str(facts.get("source")), "the model object"), at=at)
    for field in DECLARED_OF_MODELS:
        if facts.get(field) is not None:
            yield claim(subject, field, facts[field], "declared", by)
    yield from header_claims(subject, facts, at)
    if facts.get("folder"):
        yield from folder_claims(Path(facts["folder"]), subject, facts, at)
    if facts.get("planted"):
        wrapper = Origin("wrapper of this instrument", at=at)
        yield claim(subject, "planted", facts["planted"], "measured", wrapper)
    for file in facts.get("files", []):
        where = Origin("SHA-256 of the file", None, file["path"], at, file["sha256"])
        yield claim(subject, f"file:{file['path']}", dict(file), "measured", where)


def folder_claims(folder: Path, subject: str, facts: Facts, at: str | None) -> Iterator[Claim]:
    """What a folder tells; of one that this program converted, only what the conversion kept."""
    converted = bool(facts.get("quantisation"))
    if converted:
        skipped = {"name_or_path", "transformers_version", "saved_dtype"}
        yield from (row for row in config_claims(folder, subject, at) if row["field"] not in skipped)
        return
    yield from config_claims(folder, subject, at)
    yield from weight_claims(folder, subject, at)
    yield from card_claims(folder, subject, at)
    yield from licence_claims(folder, subject, at)


def revision(subject: str, facts: Facts, at: str | None) -> Claim:
    """Which revision it is: by the hub's cache or, of what is no snapshot, by its digest alone."""
    where = Origin("snapshot folder of the hub's cache", at=at)
    place = hub_place(Path(facts["folder"])) if facts.get("folder") else None
    if place is not None:
        return claim(subject, "revision", place[1], "measured", where)
    if facts.get("source") == "hub":
        return found_or_unknown(subject, "revision", facts.get("revision"), "measured", where)
    return claim(subject, "revision", None, "not_applicable", "not from a hub; the digest identifies it")


def header_claims(subject: str, facts: Facts, at: str | None) -> Iterator[Claim]:
    """What the header of a GGUF file says, and that what was asked is a conversion."""
    if not facts.get("quantisation"):
        return
    sha256 = (facts.get("gguf") or {}).get("sha256")
    measured = Origin(HEADER, None, None, at, sha256)
    told = {"tensors": facts["quantisation"], "note": facts.get("quantisation_note")}
    yield claim(subject, "conversion", told, "measured", measured)
    header = facts.get("gguf_header")
    note = None if header else "it was converted by an earlier version, which kept no header"
    declared = Origin(HEADER, DECLARED_BY["gguf"], None, at, sha256)
    for field, value in header_facts(header or {}).items():
        yield found_or_unknown(subject, field, value, "declared", declared, note)
    yield from found_only(subject, header_extras(header or {}), "declared", declared)


def header_facts(header: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a GGUF header that the ledger keeps."""
    licence = short_text(header.get("general.license.name")) or short_text(header.get("general.license"))
    bases = range(_count(header.get("general.base_model.count")))
    return {
        "licence": licence if licence and is_named(licence) else None,
        "developer": short_text(header.get("general.organization"))
        or short_text(header.get("general.author")),
        "languages": short_texts(header.get("general.languages")),
        "datasets": header_data_sets(header),
        "base_model": [name for place in bases if (name := _base_name(header, place))],
        "origin": short_text(header.get("general.repo_url")) or short_text(header.get("general.url")),
    }


def header_extras(header: Mapping[str, Any]) -> dict[str, Any]:
    """What a GGUF header may say besides."""
    return {
        "name": short_text(header.get("general.name")),
        "finetune": short_text(header.get("general.finetune")),
        "converted_by": short_text(header.get("general.quantized_by")),
    }


def header_data_sets(header: Mapping[str, Any]) -> list[str]:
    """Data sets of a GGUF header, as a list of names or one key each."""
    listed = short_texts(header.get("general.datasets"))
    for place in range(_count(header.get("general.dataset.count"))):
        key = f"general.dataset.{place}"
        name = _hub_name(header.get(f"{key}.repo_url")) or short_text(header.get(f"{key}.name"))
        listed += [name] if name else []
    return listed


def _count(value: Any) -> int:
    return min(value, 20) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _base_name(header: Mapping[str, Any], place: int) -> str | None:
    key = f"general.base_model.{place}"
    name = _hub_name(header.get(f"{key}.repo_url"))
    return name or short_text(header.get(f"{key}.name"))


def _hub_name(value: Any) -> str | None:
    """``owner/name`` from an address on the hub; the address itself from elsewhere."""
    text = short_text(value)
    if text is None:
        return None
    found = re.fullmatch(r"https?://(?:www\.)?huggingface\.co/(?:datasets/)?([\w.-]+/[\w.-]+)/?", text)
    return found[1] if found else text


def own_names(model: Mapping[str, Any], facts: Facts) -> Iterator[tuple[str, str]]:
    """Names of the model itself: the user's unless that is a path, the hub's cache's, the header's."""
    name = str(model["id"])
    if facts.get("source") not in ("folder", "gguf"):
        yield name, "the name in the plan"
    place = hub_place(Path(facts["folder"])) if facts.get("folder") else None
    if place is not None:
        yield place[0], "folder in the hub's cache"
    header = (facts.get("gguf_header") or {}).get("general.name")
    if isinstance(header, str):
        yield header, HEADER


def origin_names(rows: Sequence[Claim]) -> Iterator[tuple[str, str]]:
    """Names of the models that one was made from, as its files give them."""
    for row in rows:
        if row["field"] in ("name_or_path", "base_model"):
            for value in values(row):
                for name in value if isinstance(value, list) else [value]:
                    yield str(name), str(row["source"])


def data_sets(rows: Sequence[Claim]) -> tuple[list[str], list[str]]:
    """Data sets that the model's own files name, and those that only a note names."""
    own: list[str] = []
    noted: list[str] = []
    for row in rows:
        if row["field"] in ("datasets", "upstream_datasets") and row["status"] == "declared":
            (noted if row["declared_by"] == NOTES else own).extend(row["value"])
    known = {name.casefold().rpartition("/")[2] for name in own}
    return own, [name for name in noted if name.casefold().rpartition("/")[2] not in known]


def is_local(name: str) -> bool:
    """Whether the name of a base model is a place on somebody's disk, which nobody else can follow.

    Examples
    --------
    >>> is_local("./checkpoint-500"), is_local("/home/a/model"), is_local("org/model")
    (True, True, False)
    """
    return name.startswith((".", "/", "~")) or "\\" in name or os.path.isabs(name) or name.count("/") > 1

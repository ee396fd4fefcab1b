"""CycloneDX 1.7: one bill of materials an audit, with model cards and the declarations made of them.

Where one model was audited it is the subject of the document (``metadata.component``), which is where tools
for procurement and governance look. Where several were, the subject is the audit itself, as a component of
data, and each model is a component with its own card: findings that were corrected together stay together.

A metric's value is text in this format: the shortest one that reads back as the very number of
``report.json``. There is no score of conformance: nothing here says how far anything conforms to anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from audit.bundle import file_bytes, sha256
from reports.exports.cyclonedx_card import model_card
from reports.exports.cyclonedx_citations import Sources, citations
from reports.exports.cyclonedx_data import (
    compositions,
    dependencies,
    probe_components,
    scorer_components,
    stated_licence,
    training_components,
)
from reports.exports.cyclonedx_declarations import declarations, standards
from reports.exports.cyclonedx_parts import HEX64, LONGEST_VERSION, Data, Part, claim_text, known, prop
from reports.exports.files import about_model, settings_rows, uuid5_of, when
from reports.exports.validate import held_to

NAME = "report.cdx.json"


def cyclonedx_files(data: Data, root: Path) -> dict[str, bytes]:
    """``report.cdx.json``, if it is as the schema of CycloneDX 1.7 says."""
    return {NAME: file_bytes(held_to(bill(data), "cyclonedx", NAME))}


def bill(data: Data) -> Part:
    """The bill of materials of one audit.

    Parameters
    ----------
    data : mapping
        As ``report.schema.json`` describes.

    Returns
    -------
    dict
        As CycloneDX 1.7 describes. Its serial number is made from the hashes of plan and answers, its version
        counts what reviewers added since.
    """
    cover, time = data["cover"], when(data["cover"])
    models = [model_component(data, place) for place in range(len(cover["models"]))]
    sources = Sources()
    parts = [*probe_components(data), *scorer_components(data), *training_components(data)]
    subject, components = (models[0], parts) if len(models) == 1 else (audit_component(data), models + parts)
    found = {"metadata": {"component": subject}, "components": components}
    cited = list(citations(data, found, sources, time))
    components += sources.components
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{uuid5_of(cover['plan_sha256'], cover['chain_sha256'])}",
        "version": 1 + data["reviews"]["events"],
        "metadata": {
            "timestamp": time,
            "lifecycles": [{"phase": "post-build"}],
            "tools": {"components": tools(cover)},
            "component": subject,
        },
        "components": components,
        "dependencies": dependencies(data, subject["bom-ref"]),
        "compositions": compositions(data),
        "externalReferences": [report_reference(data)],
        "definitions": {"standards": standards(data)},
        "declarations": declarations(data, time),
        "citations": cited,
        "properties": [
            *(prop("disclaimer", line) for line in cover["claims_limits"]),
            *(prop(name, text) for name, text in settings_rows(data)),
        ],
    }


def tools(cover: Data) -> list[Part]:
    """This program, in each version that took part."""
    tool = {"type": "application", "name": "evenhand"}
    versions = [{**tool, "version": version[:LONGEST_VERSION]} for version in cover["evenhand"]] or [tool]
    return [{**each, "bom-ref": f"tool-{place}"} for place, each in enumerate(versions, start=1)]


def audit_component(data: Data) -> Part:
    """The audit itself, as the subject of a document about several models."""
    cover = data["cover"]
    return {
        "type": "data",
        "bom-ref": "audit",
        "name": cover["title"],
        "version": cover["plan_sha256"],
        "description": "An audit of several models, each a component with its own model card.",
        "data": [{"type": "other", "name": "the bundle: plan, records, findings and their hashes"}],
    }


def model_component(data: Data, place: int) -> Part:
    """A model as it was loaded, with its files, its licence as stated, and its card."""
    model = data["cover"]["models"][place]
    told = about_model(data, model["id"])
    group, _, name = model["id"].rpartition("/")
    part: Part = {"type": "machine-learning-model", "bom-ref": f"model-{place + 1}"}
    if group and name:
        part["group"] = group
    developer = known(told, "developer")
    if developer is not None:
        part["supplier"] = {"name": developer}
    part |= {
        "name": name or model["id"],
        "version": (known(told, "revision") or model["digest"])[:LONGEST_VERSION],
    }
    if HEX64.fullmatch(model["digest"]):
        part["hashes"] = [{"alg": "SHA-256", "content": model["digest"]}]
    licence = known(told, "licence")
    if licence is not None:
        part["licenses"] = [stated_licence(licence)]
    files = [
        file_component(row["value"], f"model-{place + 1}-file-{number}") for number, row in model_files(told)
    ]
    if files:
        part["components"] = files
    part["modelCard"] = model_card(data, place, told)
    part["properties"] = [
        prop("id", model["id"]),
        prop("digest", model["digest"]),
        *(prop(f"provenance:{row['field']}", claim_text(row)) for row in told.values() if not is_file(row)),
        *(
            prop("flag", flag_text(row))
            for row in data["provenance"]["flags"]
            if row["subject"] == f"model:{model['id']}"
        ),
    ]
    return part


def flag_text(row: Data) -> str:
    """A flag with what it asks a person to look at."""
    return f"{row['flag']}: needs review: {row['meaning']}"


def is_file(row: Data) -> bool:
    """Whether a claim is about one file of the model, with its hash."""
    value = row["value"]
    return (
        row["field"].startswith("file:") and isinstance(value, Mapping) and {"path", "sha256"} <= value.keys()
    )


def model_files(told: Mapping[str, Data]) -> Iterator[tuple[int, Data]]:
    """The claims about a model's files, numbered from 1."""
    return enumerate((row for row in told.values() if is_file(row)), start=1)


def file_component(value: Data, ref: str) -> Part:
    """One file that was hashed."""
    part: Part = {"type": "file", "bom-ref": ref, "name": str(value["path"])}
    if HEX64.fullmatch(str(value["sha256"])):
        part["hashes"] = [{"alg": "SHA-256", "content": value["sha256"]}]
    return part


def report_reference(data: Data) -> Part:
    """The report that this was made from, by its name and hash."""
    return {
        "type": "evidence",
        "url": "report.json",
        "comment": "The report that this document was made from; its numbers are the same.",
        "hashes": [{"alg": "SHA-256", "content": sha256(file_bytes(data))}],
    }

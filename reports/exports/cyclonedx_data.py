"""The data of a bill of materials: what was asked, and what each model is said to be trained on."""

from __future__ import annotations

from collections.abc import Mapping

from reports.exports.cyclonedx_parts import (
    HEX64,
    LONGEST_VERSION,
    SCORER,
    Data,
    Part,
    claim_text,
    known,
    licence_fields,
    named_datasets,
    prop,
    scorer_subjects,
    training_refs,
)
from reports.exports.files import about, about_model
from reports.exports.validate import spdx_ids

NOT_INSPECTED = [{"type": "dataset", "name": "training data; not inspected by this audit"}]


def stated_licence(text: str) -> Part:
    """A licence as somebody stated it; by its identifier where it is one that SPDX lists."""
    known_id = spdx_ids().get(text.lower())
    named = {"name": text} if known_id is None else {"id": known_id}
    return {"license": {**named, "acknowledgement": "declared"}}


def probe_components(data: Data) -> list[Part]:
    """The suites, whose content lies whole in the bundle's plan."""
    parts = []
    for number, suite in enumerate(data["suites"], start=1):
        parts.append(
            {
                "type": "data",
                "bom-ref": f"suite-{number}",
                "name": suite["id"],
                "version": str(suite["version"])[:LONGEST_VERSION],
                "description": suite["title"],
                "hashes": [{"alg": "SHA-256", "content": suite["digest"]}],
                "licenses": [stated_licence(suite["licence"])],
                "data": [{"type": "dataset", "name": f"probe suite {suite['id']}"}],
                "properties": [
                    prop("construct", suite["card"]["construct"]),
                    prop("compares", suite["card"]["compares"]),
                    *(prop("critique", line) for line in suite["card"]["critiques"]),
                    *(
                        prop("lexicon", f"{row['name']} {row['version']} sha256:{row['digest']}")
                        for row in suite["lexicons"]
                    ),
                ],
            }
        )
    return parts


def scorer_components(data: Data) -> list[Part]:
    """What made numbers of written text: a part of the instrument, which has faults of its own."""
    parts = []
    for number, subject in enumerate(scorer_subjects(data), start=1):
        told = about(data, subject)
        part: Part = {
            "type": "machine-learning-model" if "architecture" in told else "library",
            "bom-ref": f"scorer-{number}",
            "name": subject.removeprefix(SCORER),
        }
        version, digest, licence = (known(told, field) for field in ("version", "digest", "licence"))
        if version or digest:
            part["version"] = str(version or digest)[:LONGEST_VERSION]
        part["description"] = (
            f"Scores text of the audited models: {known(told, 'construct') or 'not stated'}."
        )
        if digest is not None and HEX64.fullmatch(digest):
            part["hashes"] = [{"alg": "SHA-256", "content": digest}]
        if licence is not None:
            part["licenses"] = [stated_licence(licence)]
        part["properties"] = [prop(f"provenance:{row['field']}", claim_text(row)) for row in told.values()]
        parts.append(part)
    return parts


def training_components(data: Data) -> list[Part]:
    """What each model was trained on, as somebody stated it, or that nobody was found to state it."""
    parts = []
    for number, model in enumerate(data["cover"]["models"], start=1):
        told = about_model(data, model["id"])
        whole, *single = training_refs(data, number)
        row, text = told.get("training_data"), known(told, "training_data")
        stated = claim_text(row) if row else "unknown: the ledger has no claim"
        parts.append(
            {
                "type": "data",
                "bom-ref": whole,
                "name": text or f"training data of {model['id']}: unknown",
                "data": NOT_INSPECTED,
                "properties": [prop("provenance:training_data", stated)],
            }
        )
        parts += [
            named_component(told, name, ref) for name, ref in zip(named_datasets(told), single, strict=True)
        ]
    return parts


def named_component(told: Mapping[str, Data], name: str, ref: str) -> Part:
    """A data set that the ledger names, with its licence as stated."""
    fields = licence_fields(told, name)
    licence = known(told, fields[0]) if fields else None
    texts = [claim_text(told[field]) for field in fields] or ["unknown: the ledger has no claim"]
    return {
        "type": "data",
        "bom-ref": ref,
        "name": name,
        **({} if licence is None else {"licenses": [stated_licence(licence)]}),
        "data": NOT_INSPECTED,
        "properties": [prop("provenance:licence", text) for text in texts],
    }


def compositions(data: Data) -> list[Part]:
    """What is known to be whole, and what nobody knows to be."""
    numbers = range(1, len(data["cover"]["models"]) + 1)
    unknown = [ref for number in numbers for ref in (f"model-{number}", *training_refs(data, number))]
    suites = suite_refs(data)
    rows: list[Part] = [{"aggregate": "unknown", "assemblies": unknown}] if unknown else []
    scorers = scorer_refs(data)
    rows += [{"aggregate": "unknown", "assemblies": scorers}] if scorers else []
    return rows + ([{"aggregate": "complete", "assemblies": suites}] if suites else [])


def dependencies(data: Data, subject: str) -> list[Part]:
    """Which model was trained on what, what the program scored with, and what an audit of several is about.

    Parameters
    ----------
    subject : str
        The reference of what the document is about.
    """
    numbers = range(1, len(data["cover"]["models"]) + 1)
    rows: list[Part] = [
        {"ref": f"model-{number}", "dependsOn": training_refs(data, number)} for number in numbers
    ]
    if subject == "audit":
        rows.insert(0, {"ref": "audit", "dependsOn": [*(row["ref"] for row in rows), *suite_refs(data)]})
    return [*rows, {"ref": "tool-1", "dependsOn": scorers}] if (scorers := scorer_refs(data)) else rows


def scorer_refs(data: Data) -> list[str]:
    """References of the scorers."""
    return [f"scorer-{number}" for number in range(1, len(scorer_subjects(data)) + 1)]


def suite_refs(data: Data) -> list[str]:
    """References of the suites."""
    return [f"suite-{number}" for number in range(1, len(data["suites"]) + 1)]

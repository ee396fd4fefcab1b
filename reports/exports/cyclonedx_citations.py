"""Who said what in a bill of materials: single fields attributed to those who stated or measured them."""

from __future__ import annotations

from collections.abc import Iterator

from reports.exports.cyclonedx_parts import NOTES, SCORER, Data, Part, known, licence_fields
from reports.exports.files import about, about_model

CITED = ("licence", "developer", "architecture", "revision", "training_data", "digest")
"""Fields of the ledger that are attributed to who stated or measured them."""


class Sources:
    """Who stated what the ledger holds, each a component, so that a field can be attributed to it."""

    def __init__(self) -> None:
        self._refs: dict[tuple[str, str], str] = {}

    def ref(self, row: Data) -> str:
        """The reference of a claim's source; of what was measured, or derived by a rule, this program."""
        if row["status"] in ("measured", "derived"):
            return "tool-1"
        key = (str(row["declared_by"] or NOT_NAMED), str(row["source"]))
        return self._refs.setdefault(key, f"source-{len(self._refs) + 1}")

    @property
    def components(self) -> list[Part]:
        """The sources that were referred to."""
        return [
            {"type": "file", "bom-ref": ref, "name": by, "description": source}
            for (by, source), ref in self._refs.items()
        ]


NOT_NAMED = "a source that the ledger does not name"


def citations(data: Data, found: Data, sources: Sources, time: str) -> Iterator[Part]:
    """Which fields of the document come from whom: JSON pointers, each to a field that is there."""
    for place, model in enumerate(data["cover"]["models"]):
        told = about_model(data, model["id"])
        whole = found["metadata"]["component"]["bom-ref"] == f"model-{place + 1}"
        component = found["metadata"]["component"] if whole else found["components"][place]
        base = "/metadata/component" if whole else f"/components/{place}"
        training = next(
            number
            for number, part in enumerate(found["components"])
            if part["bom-ref"] == f"training-data-{place + 1}"
        )
        for field in CITED:
            if known(told, field) is None:
                continue
            row = told[field]
            pointer = pointer_of(field, component, base, training)
            if pointer is not None:
                yield citation(pointer, row, sources, time)
        for number, part in enumerate(found["components"]):
            if part["bom-ref"].startswith(f"training-data-{place + 1}-") and "licenses" in part:
                row = told[licence_fields(told, part["name"])[0]]
                yield citation(licence_pointer(f"/components/{number}", part), row, sources, time)
    for number, part in enumerate(found["components"]):
        if part["bom-ref"].startswith("scorer-") and "licenses" in part:
            row = about(data, f"{SCORER}{part['name']}")["licence"]
            yield citation(licence_pointer(f"/components/{number}", part), row, sources, time)


def citation(pointer: str, row: Data, sources: Sources, time: str) -> Part:
    """One field of the document, attributed to the source of a claim."""
    return {
        "pointers": [pointer],
        "timestamp": time,
        "attributedTo": sources.ref(row),
        "note": NOTES[row["status"]],
    }


def licence_pointer(base: str, component: Part) -> str:
    """Where a component's licence stands."""
    (stated,) = component["licenses"]
    return f"{base}/licenses/0/license/{'id' if 'id' in stated['license'] else 'name'}"


def pointer_of(field: str, component: Part, base: str, training: int) -> str | None:
    """Where a field of the ledger stands in the document; None where it has no place of its own."""
    places = {
        "licence": licence_pointer(base, component) if "licenses" in component else None,
        "developer": f"{base}/supplier/name",
        "architecture": f"{base}/modelCard/modelParameters/modelArchitecture",
        "revision": f"{base}/version",
        "training_data": f"/components/{training}/name",
        "digest": f"{base}/hashes/0/content" if "hashes" in component else None,
    }
    return places[field]

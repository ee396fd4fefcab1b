"""Croissant 1.1 with RAI 1.0: a folder a suite, with its description, its file and the questions it gave.

The suite's file is what the plan holds of it, and the questions are those that this audit declared, a line
each: anyone can recompute the hashes that the description states. Nothing is said about personal data that
nobody looked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.bundle import Bundle, file_bytes, sha256
from audit.plan import PlannedSuite, planned_suites
from probes import load_suite
from probes.errors import InputError
from reports.exports.files import NOT_STATED, compact, component, uuid5_of, when
from reports.exports.validate import spdx_ids

Data = Mapping[str, Any]

FOLDER = "report-croissant"
CONFORMS = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The names that every description of version 1.1 uses, as its specification lists them."""
FIELDS = {
    "id": "The question: suite, template and term.",
    "arm": "probe: the term names a group; nonce: an invented word, the negative control.",
    "template": "The wording.",
    "family": "Wordings of one sentence share it.",
    "term": "What fills the sentence: lexicon and term.",
    "groups": "The groups that the term stands for, as axis=group, with semicolons between.",
    "text": "The filled sentence; {answer} marks where the answer stands.",
}
"""Columns of the questions, with their meaning."""
PERSONAL = (
    "Terms stand for groups of people on these axes: {axes}. The terms come from lexicons, each with its "
    "source; whether a term is also the name of a living person was not looked into."
)
COLLECTION = (
    "Written by the suite's author as {templates} templates in {families} families, and filled with terms of "
    "the lexicons {lexicons}. The questions listed are those that this audit's plan declared; which of them "
    "a model was asked stands in the bundle."
)
ABOUT = "A probe suite for language models. {construct} Compared: {compares}"


def croissant_files(data: Data, root: Path) -> dict[str, bytes]:
    """Description, suite and questions of each suite, below ``report-croissant/``."""
    plan = Bundle(root).plan
    suites = planned_suites(plan)
    files: dict[str, bytes] = {}
    for entry, card in zip(plan["suites"], data["suites"], strict=True):
        planned = suites[entry["id"]]
        beside = {"suite.json": file_bytes(entry["data"]), "questions.jsonl": questions(planned)}
        described = {"croissant.json": file_bytes(description(data["cover"], card, planned, beside))}
        files |= {
            f"{FOLDER}/{component(entry['id'])}/{name}": text
            for name, text in {**described, **beside}.items()
        }
    return files


def questions(planned: PlannedSuite) -> bytes:
    """The questions of a suite that the plan holds, a line a question."""
    return "".join(
        compact(
            {
                "id": item.id,
                "arm": item.arm,
                "template": item.template,
                "family": item.family,
                "term": item.term,
                "groups": ";".join(f"{axis}={group}" for axis, group in item.groups.items()),
                "text": item.text,
            }
        )
        + "\n"
        for item in planned.items
    ).encode("utf-8")


def description(
    cover: Data, card: Data, planned: PlannedSuite, beside: Mapping[str, bytes]
) -> dict[str, Any]:
    """A suite's description.

    Parameters
    ----------
    cover, card : mapping
        The report's cover, and its card of the suite.
    planned : PlannedSuite
        The suite as the plan holds it.
    beside : mapping of str to bytes
        The files that lie beside the description, by name: the suite, then its questions.

    Returns
    -------
    dict
        JSON-LD.
    """
    told = card["card"]
    axes = sorted({axis for item in planned.items for axis in item.groups})
    licence = spdx_ids().get(card["licence"].lower())
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS),
        "name": card["id"],
        "alternateName": card["title"],
        "description": " ".join(
            [ABOUT.format(construct=told["construct"], compares=told["compares"]), *cover["claims_limits"]]
        ),
        "url": f"urn:uuid:{uuid5_of('suite', card['digest'])}",
        "version": str(card["version"]),
        "license": f"https://spdx.org/licenses/{licence}" if licence else card["licence"],
        "datePublished": when(cover)[:10],
        "inLanguage": card["language"],
        "creator": {"@type": "sc:Organization", "name": author(planned)},
        "citeAs": f"{card['title']} ({card['id']} {card['version']}), SHA-256 {card['digest']}",
        "distribution": [
            file_object(name, content, kind)
            for (name, content), kind in zip(
                beside.items(), ("application/json", "application/jsonlines"), strict=True
            )
        ],
        "recordSet": [record_set()],
        "rai:dataCollection": COLLECTION.format(
            templates=card["templates"],
            families=card["families"],
            lexicons=", ".join(f"{row['name']} {row['version']}" for row in card["lexicons"]),
        ),
        "rai:dataLimitations": [*told["limits"], told["not_evidence"], *cover["claims_limits"]],
        "rai:dataBiases": list(told["critiques"]),
        "rai:dataUseCases": [f"Measures: {told['construct']}", f"Compares: {told['compares']}"],
        "rai:dataSocialImpact": told["harm"],
        "rai:personalSensitiveInformation": [PERSONAL.format(axes=", ".join(axes) or "none")],
    }


def author(planned: PlannedSuite) -> str:
    """Who made a suite: this project, where it is one that comes with it; a suite's file names nobody."""
    try:
        own = load_suite(planned.suite.id).digest == planned.suite.digest
    except InputError:
        own = False
    return "Evenhand" if own else NOT_STATED


def file_object(name: str, content: bytes, kind: str) -> dict[str, str]:
    """A file beside the description, with its hash."""
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{len(content)} B",
        "encodingFormat": kind,
        "sha256": sha256(content),
    }


def record_set() -> dict[str, Any]:
    """How the lines of the questions are read."""
    return {
        "@type": "cr:RecordSet",
        "@id": "questions",
        "name": "questions",
        "description": "The questions of this suite that the audit declared, a record a question.",
        "key": {"@id": "questions/id"},
        "field": [field(name, meaning) for name, meaning in FIELDS.items()],
    }


def field(name: str, meaning: str) -> dict[str, Any]:
    """One column of the questions."""
    return {
        "@type": "cr:Field",
        "@id": f"questions/{name}",
        "name": name,
        "description": meaning,
        "dataType": "sc:Text",
        "source": {"fileObject": {"@id": "questions.jsonl"}, "extract": {"column": name}},
    }

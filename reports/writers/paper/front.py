"""The first sections of a paper: cover, summary, engagement, artefact and provenance, scope, method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.contents.findings import plural
from reports.figures import number
from reports.text import value_text
from reports.writers.paper.blocks import (
    Block,
    Run,
    Runs,
    anything,
    emphasised,
    facts,
    heading,
    items,
    lines,
    note,
    plain,
    quiet,
    table,
    text,
)
from reports.writers.plain import named

Data = Mapping[str, Any]

TOLD = (
    "title", "status", "as_of", "claims_limits", "plan_sha256", "chain_sha256", "fingerprint", "run_id",
    "started", "last_run", "evenhand", "instrument", "models", "signed",
)  # fmt: skip
"""Keys of the cover that have a place of their own; what else stands there is told under its name."""


def cover(report: Data) -> dict[str, Any]:
    """The first page: of what and when, by whom, what the report does not claim, and its fingerprint."""
    told = report["cover"]
    versions = ", ".join(told["evenhand"]) or "of unknown version"
    when = told["started"] or "unknown"
    if told["last_run"] != told["started"]:
        when += f" to {told['last_run']}"
    rows: list[tuple[str, Runs]] = [
        ("status", [("strong", told["status"])]),
        ("report of", told["as_of"]),
        ("asked", when),
        ("instrument", f"Evenhand {versions}, {told['instrument']}"),
    ]
    rows += [(named(key), plain(value)) for key, value in told.items() if key not in TOLD]
    models = table(
        "The models, as they were loaded, each with its digest (SHA-256)",
        ("model", "kind", "parameters", "answers"),
        (
            [
                [("strong", model["id"]), ("line",), ("code", model["digest"])],
                model["kind"],
                f"{model['parameters']:,}" if model["parameters"] is not None else "unknown",
                ", ".join(model["capabilities"]),
            ]
            for model in told["models"]
        ),
        "6 auto auto 1.4",
        "llrl",
    )
    limits: list[Run] = [" ".join(told["claims_limits"])]
    if report["crosswalk"]["banner"]:
        limits += [("line",), ("strong", report["crosswalk"]["banner"])]
    suites, loaded = plural(len(report["suites"]), "suite"), plural(len(told["models"]), "model")
    return {
        "kicker": "Audit report",
        "under": f"Measurements of bias: {suites} of questions put to {loaded}",
        "blocks": [note(limits), facts(rows), models, facts(fingerprint(report))],
    }


def fingerprint(report: Data) -> list[tuple[str, Runs]]:
    """What the report is of, byte by byte."""
    told = report["cover"]
    hashes = {
        "run": told["run_id"],
        "plan, SHA-256": told["plan_sha256"],
        "answers, SHA-256": told["chain_sha256"],
        "manifest, SHA-256": told["fingerprint"]["manifest_sha256"],
    }
    return [(name, [("code", value)]) for name, value in hashes.items()]


def executive(report: Data) -> list[Block]:
    """One page in plain words."""
    told = report["executive"]
    found = [
        [
            *emphasised(row["statement"]),
            ("small", f" {sized(row)}Certainty: {row['certainty']}. "),
            ("link", row["number"], row["number"]),
        ]
        for row in told["found"]
    ]
    blocks = [heading("What was tested", listed=False), items(told["tested"])]
    blocks += [heading("What was found", listed=False)]
    blocks += [items(found, numbered=True) if found else text(NO_DISPARITY)]
    blocks += [text(told["published"])] if told["published"] else []
    blocks += [heading("What was not tested", listed=False), items(told["not_tested"])]
    blocks += [heading("What to do", listed=False), items(told["to_do"])]
    return [{"kind": "one page", "blocks": blocks}]


def sized(row: Data) -> str:
    """How large a finding is, where its statement does not say it already."""
    return "" if row["size"] in row["statement"] else f"Size: {row['size']}. "


NO_DISPARITY = "No comparison showed a disparity. Absence of a finding is not evidence of absence."


def engagement(report: Data) -> list[Block]:
    """Who asked for the audit, who made it, and what kind of statement it makes."""
    told = report["engagement"]
    start = [] if told["given"] else [text("No engagement was described; what nobody gave is said so.")]
    return [*start, *anything(told, skip=("given",))]


def artefact(report: Data) -> list[Block]:
    """What is known of what was tested, what is not, and what a person should look at."""
    told = report["provenance"]
    asked = told["questions"]
    lost = f"{told['unknown']} of {len(told['claims'])} claims are not known."
    blocks = [text(f"{lost} The whole ledger stands in the appendix, one claim a line.")]
    if asked:
        blocks.append(facts((one["subject"], one["completeness"]["text"]) for one in asked))
    blocks += [heading("To be looked at by a person", listed=False), *flags(told["flags"])]
    blocks += questions([one for one in asked if is_model(one)], 2)
    for one in told["notes"]:
        blocks += [heading(f"Notes on {one['subject']}", listed=False)]
        blocks += anything(one, 3, skip=("subject",))
    return blocks


def flags(rows: Sequence[Data]) -> list[Block]:
    """What a person should look at."""
    if not rows:
        return [text("No claim raised a flag.")]
    return [
        table(
            "Flags: each asks for a review, none says that anything is infringed",
            ("of", "flag", "meaning"),
            ([row["subject"], [("code", row["flag"])], row["meaning"]] for row in rows),
            "3 3.6 5",
        )
    ]


def is_model(one: Data) -> bool:
    """Whether some questions are about a model."""
    return str(one["subject"]).startswith("model:")


def questions(asked: Sequence[Data], level: int) -> list[Block]:
    """What standards ask of some subjects: what is said of each and by whom, and what nobody answers."""
    blocks: list[Block] = []
    for one in asked:
        said = [row for row in one["rows"] if row["answers"]]
        blocks += [
            heading(f"Questions on {one['subject']}", level, listed=False),
            table(
                f"{one['subject']}: {one['completeness']['text']}",
                ("no.", "question", "status", "what is said, and by whom"),
                ([row["id"], row["question"], named(row["status"]), answers(row)] for row in said),
                "auto 3.4 1.3 6",
            ),
        ]
    return [*blocks, *unanswered(asked)]


def unanswered(asked: Sequence[Data]) -> list[Block]:
    """The questions that nobody answers, once for all subjects of which that is so."""
    found: dict[tuple[str, str, str], list[str]] = {}
    looked: dict[str, None] = {}
    for one in asked:
        for row in one["rows"]:
            if not row["answers"]:
                of = (row["id"], row["question"], row["status"])
                found.setdefault(of, []).append(str(one["subject"]).partition(":")[2])
                looked |= dict.fromkeys(row["looked"])
    if not found:
        return []
    rows = (
        [*of[:2], named(of[2]), "all" if len(names) == len(asked) > 1 else ", ".join(names)]
        for of, names in sorted(found.items())
    )
    places = [quiet(f"Looked for in: {'; '.join(looked)}.")] if looked else []
    head = ("no.", "question", "status", "of")
    return [table("Questions without an answer", head, rows, "auto 6 1.4 3"), *places]


def answers(row: Data) -> Runs:
    """The claims that answer one question, and the fields that nobody filled."""
    found: list[str] = []
    for claim in row["answers"]:
        by = f", declared by {claim['declared_by']}" if claim["declared_by"] else ""
        value = value_text(claim["value"])
        shown = value if len(value) <= MOST_VALUE else f"{value[:MOST_VALUE]}… (whole in the claim ledger)"
        found.append(f"{named(claim['field'])}: {shown} ({named(claim['status'])}{by})")
    if row["open"]:
        found.append(f"not known: {', '.join(named(field) for field in row['open'])}")
    return lines(found) if found else ""


MOST_VALUE = 240
"""Characters of a claim's value that stand beside a question."""


def scope(report: Data) -> list[Block]:
    """For which use the audit was made, which groups and harms it is about, and what was asked."""
    context = report["context"]
    groups = ([row["group"], row["why"], row["source"]] for row in context["groups"])
    harms = ([row["harm"], row["kind"], row["source"]] for row in context["harms"])
    asked = (
        [row["model"], row["suite"], row["form"], number(row["items"])] for row in report["settings"]["asked"]
    )
    return [
        *anything(context, skip=("groups", "harms")),
        table("Groups that are compared, and why", ("group", "why", "by"), groups, "4 4 1.6"),
        table("Harms that this is about", ("harm", "kind", "by"), harms, "6 2 1.6"),
        table(
            "What was asked of each model", ("model", "suite", "form", "items"), asked, "4 3 2 auto", "lllr"
        ),
    ]


def claim_rows(claims: Sequence[Data]) -> list[list[Runs]]:
    """The claim ledger, a row a claim."""
    return [
        [
            named(row["status"]),
            [("strong", named(row["field"])), ("line",), ("small", row["subject"])],
            ledger_value(row),
            row["source"] + (f"; declared by {row['declared_by']}" if row["declared_by"] else ""),
        ]
        for row in claims
    ]


def ledger_value(row: Data) -> str:
    """The value of a claim; what stands on a suite's card is not told twice."""
    told = value_text(row["value"])
    on_card = row["subject"].startswith("suite:") and row["field"] in ("limits", "critiques")
    return f"{told[:MOST_VALUE]}… (whole in appendix C)" if on_card and len(told) > MOST_VALUE else told

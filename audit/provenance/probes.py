"""What is known of what is asked, and of what scores the answers: suites, lexicons and scorers.

Whether a model can have seen a suite is told by dates alone: a model whose training data end, or that was
released, before the sentences were written cannot have been trained on them. This project's own suites are
public, so for any other model nothing rules it out, and it is unknown. That other people may have written the
same sentence before is not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from audit.plan import PlannedSuite
from audit.provenance.claims import Claim, Origin, claim, found_or_unknown, settle, values
from audit.provenance.flags import month
from audit.provenance.models import model_ledger
from audit.provenance.notes import document
from audit.provenance.readers.packages import package_claims
from audit.scorers.planned import PlannedScorer
from audit.scorers.registry import SCORERS, scorer_named
from probes import Lexicon, Suite, load_suite

SUITE_FILE = "suite file"
AUTHOR = "suite author"
FIELDS = (
    "developer",
    "origin",
    "data_collection",
    "data_geography",
    "data_period",
    "data_cleaning",
    "data_annotation",
    "personal_data",
    "data_copyright",
    "data_purchased",
    "opt_out",
    "synthetic_data",
    "privacy_measures",
    "released",
    "update_plan",
)
"""What is asked of every suite beyond its file; a field that nobody speaks of is unknown."""
LOOKED = "suite file, and what this project says of the suites that come with it"


def probe_claims(
    suites: Mapping[str, PlannedSuite],
    at: str | None = None,
    facts: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Claim]:
    """What is known of the questions: versions, licences, sources, sizes, known critiques.

    Two suites may share a lexicon; each record stands once. ``facts`` are what scorers that were loaded say
    of themselves, by digest.
    """
    facts = facts or {}
    rows: dict[tuple[str, str], Claim] = {}
    for planned in suites.values():
        scored = [row for one in planned.measure.planned for row in scorer_claims(one, facts, at)]
        for row in [*suite_claims(planned, at), *scored]:
            rows.setdefault((row["subject"], row["field"]), row)
        for lexicon in planned.lexicons.values():
            for row in lexicon_claims(lexicon, at):
                rows.setdefault((row["subject"], row["field"]), row)
    return list(rows.values())


def suite_claims(planned: PlannedSuite, at: str | None) -> list[Claim]:
    """What is known of one suite."""
    suite, subject = planned.suite, f"suite:{planned.suite.id}"
    file, card = Origin(SUITE_FILE, AUTHOR, at=at), Origin("card", AUTHOR, at=at)
    counted = Origin("the suite as the plan holds it", at=at)
    families = {template.family for template in suite.templates}
    size = {"templates": len(suite.templates), "families": len(families), "items": len(planned.items)}
    sources = [f"{lexicon.source.title} ({lexicon.source.year})" for lexicon in planned.lexicons.values()]
    canary = "canary" in json.dumps(suite.data, ensure_ascii=False).casefold()
    told = {
        "title": found_or_unknown(subject, "title", suite.title, "declared", file),
        "version": found_or_unknown(subject, "version", suite.version, "declared", file),
        "digest": claim(
            subject, "digest", suite.digest, "measured", Origin("SHA-256 of the canonical content", at=at)
        ),
        "licence": found_or_unknown(subject, "licence", suite.licence, "declared", file),
        "languages": found_or_unknown(subject, "languages", [suite.language], "declared", file),
        "training_data": claim(
            subject, "training_data", None, "not_applicable", "it is asked; nothing was trained to make it"
        ),
        "datasets": found_or_unknown(subject, "datasets", sources, "declared", file),
        "data_points": claim(subject, "data_points", size, "measured", counted),
        "coverage": found_or_unknown(subject, "coverage", suite.card.compares, "declared", card),
        "intended_use": found_or_unknown(subject, "intended_use", suite.card.construct, "declared", card),
        "not_evidence": found_or_unknown(subject, "not_evidence", suite.card.not_evidence, "declared", card),
        "critiques": found_or_unknown(subject, "critiques", list(suite.card.critiques), "declared", card),
        "limits": found_or_unknown(subject, "limits", list(suite.card.limits), "declared", card),
        "canary": claim(
            subject, "canary", "carried" if canary else "none carried", "measured", Origin(SUITE_FILE, at=at)
        ),
        "top_domains": claim(subject, "top_domains", None, "not_applicable", "nothing of it is from the web"),
    }
    if not is_own(suite):
        told["top_domains"] = claim(subject, "top_domains", None, "unknown", Origin(LOOKED, at=at))
    rows = [*told.values(), *own_suite_claims(suite, subject)]
    spoken = {row["field"] for row in rows}
    rows += [
        claim(subject, field, None, "unknown", Origin(LOOKED, at=at))
        for field in FIELDS
        if field not in spoken
    ]
    return settle(rows)


def is_own(suite: Suite) -> bool:
    """Whether it is a suite that comes with this program, unchanged."""
    return suite.id in document("suites")["suites"] and load_suite(suite.id).digest == suite.digest


def own_suite_claims(suite: Suite, subject: str) -> Iterator[Claim]:
    """What this project says of its own suites; nothing of others."""
    if not is_own(suite):
        return
    told = document("suites")
    source = "what this project says of its suites"
    origin = Origin(source, "Evenhand", "data/suites.yaml", told["written_on"])
    for field, value in told["facts"].items():
        yield claim(subject, field, value, "declared", origin)
    yield claim(subject, "released", told["written_on"], "declared", origin, "written on; public since")


def lexicon_claims(lexicon: Lexicon, at: str | None) -> Iterator[Claim]:
    """What is known of one lexicon."""
    subject, file = f"lexicon:{lexicon.id}", Origin("lexicon file", "lexicon author", at=at)
    source = {
        "title": lexicon.source.title,
        "year": lexicon.source.year,
        "table": lexicon.source.table,
    }
    yield found_or_unknown(subject, "version", lexicon.version, "declared", file)
    content = Origin("SHA-256 of the canonical content", at=at)
    yield claim(subject, "digest", lexicon.digest, "measured", content)
    yield found_or_unknown(subject, "licence", lexicon.licence, "declared", file)
    yield claim(subject, "source", source, "declared", file)
    counted = Origin("the lexicon as the plan holds it", at=at)
    yield claim(subject, "data_points", {"terms": len(lexicon.terms)}, "measured", counted)


def scorer_claims(
    scorer: PlannedScorer, facts: Mapping[str, Mapping[str, Any]], at: str | None
) -> Iterator[Claim]:
    """What is known of a scorer that reads a suite's answers; each has faults of its own."""
    subject, own = f"scorer:{scorer.name}", scorer.registered
    told = facts.get(scorer.digest, {})
    card = asdict(scorer_named(scorer.registered).card) if scorer.kind == "rules" else told.get("card", {})
    packages = card.get("packages", ())
    plan = Origin("the plan", "whoever made the plan", at=at)
    by = Origin("the scorer's card", "the scorer's author", at=at)
    yield claim(subject, "construct", scorer.construct, "declared", plan)
    if len(packages) == 1:
        yield from package_claims(packages[0], subject, at)
        yield found_or_unknown(subject, "source", card["source"], "declared", by)
    elif card:
        for field in ("licence", "source"):
            yield found_or_unknown(subject, field, card[field], "declared", by)
    elif told and scorer.model is not None:
        named = model_ledger(scorer.model, told, at)[0]
        yield from ({**row, "subject": subject} for row in named)
    else:
        where = Origin("the scorer, which was not loaded in this run", at=at)
        yield claim(subject, "licence", None, "unknown", where)
    stated = "the plan, older ones of which name no scorer"
    yield found_or_unknown(subject, "digest", scorer.digest, "measured", Origin(stated, at=at))
    yield claim(
        subject,
        "own_audit",
        f"evenhand models audit-scorer {own}" if own in SCORERS else "scorers.json of the bundle",
        "measured",
        Origin("this program's audit of its scorers, made when it is asked for", at=at),
        "what the scorer makes of groups that neutral sentences name",
    )


def contamination_claims(
    models: Iterable[str], claims: Sequence[Claim], suites: Mapping[str, PlannedSuite]
) -> Iterator[Claim]:
    """Whether a model can have been trained on a suite: by what it declares, else by dates, else unknown."""
    known = {(row["subject"], row["field"]): row for row in claims}
    for model in models:
        subject = f"model:{model}"
        for planned in suites.values():
            name = planned.suite.id
            told = known.get((subject, "contamination"))
            if told is not None and told["value"] is not None:
                yield _declared(told, subject, name, is_own(planned.suite))
                continue
            written = known.get((f"suite:{name}", "released"))
            yield _by_dates(subject, name, known, written)


def _declared(told: Claim, subject: str, suite: str, own: bool) -> Claim:
    """The catalogue says of the reference models that they learned this project's suites, and no others."""
    at = told["observed_at"]
    field = f"contamination:{suite}"
    if own:
        origin = Origin(told["source"], told["declared_by"], at=at)
        return claim(subject, field, told["value"], "declared", origin)
    origin = Origin(f"{told['source']}, and the digest of the suite", at=at)
    note = "it was trained on suites that come with this program; this is none of them"
    return claim(subject, field, None, "unknown", origin, note)


def _by_dates(
    subject: str, suite: str, known: Mapping[tuple[str, str], Claim], written: Claim | None
) -> Claim:
    field = f"contamination:{suite}"
    dates = {
        name: last
        for name in ("cutoff", "released")
        if (row := known.get((subject, name))) is not None and (last := _last(row)) is not None
    }
    begun = _last(written) if written is not None else None
    source = f"cutoff and released of the model, released of suite:{suite}"
    at = written["observed_at"] if written is not None else None
    for name, last in dates.items():
        if begun is not None and last < begun:
            value = (
                f"not possible by dates: the model's {name} is {last[0]}-{last[1]:02d}, and the suite was "
                f"written in {begun[0]}-{begun[1]:02d}"
            )
            return claim(subject, field, value, "derived", Origin(source, at=at))
    note = "no date rules it out" if begun else "when the suite was written is not known"
    return claim(subject, field, None, "unknown", Origin(source, at=at), note)


def _last(row: Claim) -> tuple[int, int] | None:
    """The latest month that a claim names; None where one of its values is no date."""
    dates = [month(value) for value in values(row)]
    known = [date for date in dates if date is not None]
    return max(known) if known and len(known) == len(dates) else None

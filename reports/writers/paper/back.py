"""The last sections of a paper: the legal map, limits, reproduction, sign-off, and the appendices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.impact import wording as rates
from audit.redaction.withheld import text_shown
from reports.figures import UNKNOWN, number, p_value, signed
from reports.text import value_text
from reports.writers import detail
from reports.writers.paper.blocks import (
    Block,
    Row,
    Run,
    Runs,
    anything,
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
from reports.writers.paper.front import claim_rows, is_model, questions
from reports.writers.paper.results import details

Data = Mapping[str, Any]


def selection(report: Data) -> list[Block]:
    """Selection rates of people, from a table that was given with the report."""
    told = report["selection"]
    if told is None:
        return []
    median = "" if told["median"] is None else f", median score {number(told['median'])}"
    people = f"{told['people']} people, {told['selected']} {rates.OUTCOMES[told['kind']]}{median}"
    blocks = [
        text([f"From a table of people that was given beside the audit: {people}. SHA-256 of the file: ",
              ("code", told["sha256"]), f". The ratio is a {told['label']}."]),
        items(told["cautions"]),
    ]  # fmt: skip
    for one in told["tables"]:
        blocks.append(heading(rates.title(one), listed=False))
        blocks += [text(one["note"])] if one["note"] else []
        caption = (
            f"{told['label'].capitalize()}. {one['people']} people; {one['unknown']} more fall in an unknown "
            "category and are in no row. Intervals of rates by Wilson, of ratios by Miettinen and Nurminen; "
            "p by Fisher's exact test, corrected for every pair."
        )
        chosen = rates.OUTCOMES[told["kind"]]
        head = ("category", "people", chosen, "rate", "impact ratio", "p", "what it says")
        rows = [selection_row(row) for row in one["rows"]]
        blocks += [table(caption, head, rows, "2.4 auto auto auto auto auto 3", "lrrrrrl")] if rows else []
    return blocks


def selection_row(row: Data) -> Row:
    """One category in the words of every format; each interval stands below what it is of."""
    told = rates.shown_row(row)
    return [
        told["category"],
        str(row["n"]),
        str(row["selected"]),
        [told["rate"], ("line",), ("small", told["rate_interval"])],
        [told["ratio"], ("line",), ("small", told["interval"])],
        told["p"],
        told["says"],
    ]


def limitations(report: Data) -> list[Block]:
    """What the report does not claim, and what was not measured."""
    return [
        items(report["cover"]["claims_limits"]),
        table(
            "What this audit says nothing about, and why",
            ("not measured", "why"),
            ([row["what"], row["why"]] for row in report["not_measured"]),
            "4 5",
        ),
    ]


def reproduction(report: Data) -> list[Block]:
    """How to check the audit or to make it again, and what it ran on."""
    told = report["reproduction"]
    blocks = [
        text("DIR stands for the folder of the audit. report.json, with every number unrounded, is attached "
             "to this document."),
        table(
            "Commands",
            ("command", "does"),
            ([[("code", row["command"])], row["does"]] for row in told["commands"]),
            "5 5",
        ),
    ]  # fmt: skip
    for run in told["runs"]:
        blocks += [heading(f"Run of {run['started']}", listed=False), facts(run_facts(run))]
    return blocks


def run_facts(run: Data) -> list[tuple[str, Runs]]:
    """One run of the audit: how much was asked, and on what."""
    machine = run["environment"]
    commit = UNKNOWN
    if machine["commit"]:
        commit = machine["commit"]["sha"][:12] + (", changed" if machine["commit"]["changed"] else "")
    where = (
        f"{machine['processor'] or machine['machine']}, {machine['cores'] or UNKNOWN} cores, "
        f"{machine['system']}, Python {machine['python']}"
    )
    packages = ", ".join(f"{name} {version or 'absent'}" for name, version in machine["packages"].items())
    asked = f"{run['asked']} asked, {run['reused']} reused, {number(run['seconds_asking'])} seconds"
    return [("answers", asked), ("machine", where), ("commit", commit), ("packages", packages)]


def sign_off(report: Data) -> list[Block]:
    """What was signed with a key, by whom, and lines for those who stand for the report."""
    rows = []
    for row in report["signatures"]:
        name = ", ".join(part for part in (row["name"], row["position"]) if part)
        given = [("name", name), ("date", row["date"] or ""), ("signature", row["signature"] or "")]
        rows.append({"role": row["role"], "lines": [*given, ("place", "")]})
    unsigned = ": nobody has signed this report. A name is no signature."
    signed_by = "" if report["cover"]["signed"] else unsigned
    return [
        note([("strong", report["cover"]["status"]), signed_by]),
        *attested(report["attestation"]),
        text("A signature on paper states that the signatory has read the report, and that its measurements "
             "were made as it says. It adds no opinion to them."),
        {"kind": "signatures", "rows": rows},
        quiet("This file is a tagged PDF; a machine-checked subset of the rules for accessible documents is "
              "tested where it is made."),
    ]  # fmt: skip


def attested(told: Data) -> list[Block]:
    """The signatures made with a key: whose they are as stated, and whether each holds."""
    blocks = [text(told["covers"])]
    if told["signatures"]:
        rows = (
            [
                ", ".join(part for part in (row["name"], row["role"], row["organisation"]) if part),
                row["at"],
                [("code", row["fingerprint"])],
                "holds" if row["valid"] else f"does not hold: {row['problem']}",
            ]
            for row in told["signatures"]
        )
        head = ("by, as stated", "at, as stated", "fingerprint of the key", "signature")
        blocks += [table("Signatures made with a key", head, rows, "3 2 3.4 2.6"), text(told["whose"])]
    return blocks


def glossary(report: Data) -> list[Block]:
    """The words of the method."""
    return [facts((row["term"], row["meaning"]) for row in report["glossary"])]


def full_tables(report: Data, groups: Sequence[Data]) -> list[Block]:
    """What the sections before leave out: every finding in detail, controls, coverage, claims, reviews."""
    return [
        heading("Every finding in detail"),
        *details(report, groups),
        heading("Families of comparisons"),
        table(
            "Families, each corrected on its own; m: comparisons of the family",
            ("family", "role", "corrected by", "m", "p of all together"),
            (
                [row["id"], row["role"], row["method"] + (f"; {row['note']}" if row["note"] else ""),
                 number(row["m"]), p_value(row["p_omnibus"])]
                for row in report["families"]
            ),
            "5 2 3 auto auto",
            "lllrr",
        ),
        *controls(report),
        *coverage(report),
        *reviews(report),
        *labelled(report),
        heading("The claim ledger"),
        table(
            "One claim a line, with how it is known; what is not known stands first",
            ("status", "field, of", "value", "source"),
            claim_rows(report["provenance"]["claims"]),
            "1.2 2.6 5 2.8",
            dense=True,
        ),
        heading("Questions on the suites"),
        *questions([one for one in report["provenance"]["questions"] if not is_model(one)], 3),
    ]  # fmt: skip


def controls(report: Data) -> list[Block]:
    """Groups against themselves, and invented words."""
    tables = []
    for family in report["controls"]:
        rows: list[Row] = []
        for kind, key in (("A/A", "aa"), ("invented words", "nonce")):
            for each in family[key]:
                told = detail.control_row(each)
                shown = told["reason"] or f"{told['estimate']} {told['interval']}"
                rows.append([f"{kind}: {told['label']}", shown, told["p"], told["p_adjusted"]])
        head = ("control", "estimate, interval", "p", "corrected")
        tables.append(table(family["family"], head, rows, "1 auto auto auto", "llrr", dense=True))
    return [
        heading("Controls"),
        text(
            "A group against itself should show nothing; invented words show how far a mere word moves the "
            "measure."
        ),
        {"kind": "columns", "blocks": tables},
    ]


def coverage(report: Data) -> list[Block]:
    """What became of the questions."""
    blocks = [
        heading("Coverage"),
        table(
            "Answers by what became of them. A refusal, an empty and an unreadable answer never count as a "
            "score",
            ("model", "suite", "arm", "items", "answers"),
            (
                [row["model"], row["suite"], row["arm"], number(row["items"]),
                 detail.statuses(row["statuses"])]
                for row in report["coverage"]
            ),
            "3 2 2 auto 4",
            "lllrl",
        ),
        heading("Tokenisation"),
    ]  # fmt: skip
    if not report["tokenisation"]:
        return [*blocks, text("No pair of answers is split unequally by a tokenizer.")]
    rows = (
        [row["model"], row["suite"], row["unit"], row["doubt"], number(row["items"])]
        for row in report["tokenisation"]
    )
    words = "Answers of one pair that the tokenizer splits unequally: kept, and marked as doubtful"
    head = ("model", "suite", "answers", "doubt", "items")
    return [*blocks, table(words, head, rows, "3 2 3 3 auto", "llllr")]


def reviews(report: Data) -> list[Block]:
    """What people made of it."""
    told = report["reviews"]
    blocks = [heading("Reviews")]
    if not told["events"]:
        return [*blocks, text("No person has reviewed these findings yet. Every verdict is the machine's.")]
    stale = f" {told['stale']} of them were made about other records." if told["stale"] else ""
    blocks.append(
        text([f"{told['events']} entries by {', '.join(told['reviewers'])}; the last of their chain is ",
              ("code", told["head"]), f".{stale}"])
    )  # fmt: skip
    for title, told_lines in report["review_lines"]:
        if told_lines:
            blocks += [text([("strong", title)]), items(told_lines)]
    if report["spoken"]["left"]:
        blocks.append(text(report["spoken"]["left"]))
    if report["spoken"]["rows"]:
        blocks.append(
            table(
                "Labels and decisions about single responses, in order",
                ("when", "who", "about", "said", "machine's value", "in words"),
                (response_row(row) for row in report["spoken"]["rows"]),
                "2 1.6 3.4 2.4 auto 3",
                "llllrl",
            )
        )
    return blocks


LABELLED = {"accuracy": "1 1.4 2 2 2 3", "contrasts": "2 2.4 2.4 1 4"}
"""Widths of the tables of what people find, by name."""


def labelled(report: Data) -> list[Block]:
    """What people find in a sample; nothing where nobody labelled one."""
    told = report["labels_told"]
    if told is None:
        return []
    blocks = [heading("What people find in a sample"), items(told["lines"])]
    blocks += [
        table(one["caption"], one["head"], map(list, one["rows"]), LABELLED[one["name"]], dense=True)
        for one in told["tables"]
    ]
    return [*blocks, text(told["note"])]


def response_row(row: Data) -> Row:
    """A label or a decision about one response."""
    said = f"{row['decision'] or row['kind']}{', blind' if row['blind'] else ''}: {row['said']}"
    machine = "not shown" if row["machine"] is None else signed(row["machine"])
    about = f"{row['model']}: {row['item']}, {row['unit']}"
    return [row["at"], row["reviewer"], about, said, machine, row["text"]]


def suite_cards(report: Data) -> list[Block]:
    """The suites: what each is about, what it cannot show, and who has criticised its kind."""
    blocks = []
    probes = {one["suite"]: one for one in report["provenance"]["probes"]}
    for suite in report["suites"]:
        card = suite["card"]
        margin = f"±{number(suite['margin']['value'])} {suite['margin']['unit']}: {suite['margin']['source']}"
        asks = (
            f"{suite['templates']} templates in {suite['families']} families, in {suite['language']}, read "
            f"by {suite['measure']}"
        )
        blocks += [
            heading(suite["title"]),
            facts(
                [
                    ("suite", f"{suite['id']} {suite['version']}, {suite['licence']}"),
                    ("digest", [("code", suite["digest"])]),
                    ("harm", f"{card['harm']} ({card['harm_kind']})"),
                    ("construct", card["construct"]),
                    ("compares", card["compares"]),
                    ("limits", lines(card["limits"])),
                    ("critiques", lines(card["critiques"])),
                    ("not evidence", card["not_evidence"]),
                    ("margin", margin),
                    ("questions", asks),
                    ("lexicons", ", ".join(f"{one['name']} {one['version']}" for one in suite["lexicons"])),
                    *probe_facts(probes.get(suite["id"])),
                ]
            ),
        ]
    return blocks


def probe_facts(told: Data | None) -> list[tuple[str, Runs]]:
    """What the ledger knows of a suite beside its card; a ledger may know nothing of it."""
    if told is None:
        return [("in the ledger", "nothing on this suite")]
    seen = [f"{row['model']}: {value_text(row['value'])} ({row['status']})" for row in told["contamination"]]
    return [
        ("sources", lines(plain(one) for one in told["sources"])),
        ("coverage", plain(told["coverage"])),
        ("canary", plain(told["canary"])),
        ("in training data", lines(seen) if seen else "not stated of any model"),
    ]


def changes(report: Data) -> list[Block]:
    """What changed since an earlier audit: plan, models, verdicts and sizes."""
    told = report["changes"]
    if told is None:
        return []
    sizes = told["sizes"]
    common = (
        [note for note in sizes[0]["notes"] if all(note in row["notes"] for row in sizes)] if sizes else []
    )
    blocks = anything(told, skip=("sizes",))
    if sizes:
        head = ("finding", "verdicts", "change", "size", "corrected p")
        rows = (changed(row, common) for row in sizes)
        blocks.append(
            table("Paired changes, item by item", head, rows, "3.4 2 1.8 3.4 auto", "llllr", dense=True)
        )
        blocks += [quiet(f"Of each of them: {'; '.join(common)}.")] if common else []
    return blocks


def changed(row: Data, common: Sequence[str]) -> Row:
    """One paired change, without what all of them have in common."""
    said = (row["size"], row["reason"], *(note for note in row["notes"] if note not in common))
    alike = row["before"] == row["after"]
    of: list[Run] = [("link", row["number"], row["number"]), f" {row['subject']} "]
    return [
        [*of, ("small", f"({row['role']}, in {row['unit']})")],
        f"{row['before']}, as before" if alike else f"{row['before']} → {row['after']}",
        row["verdict"],
        lines(part for part in said if part),
        p_value(row["p_adjusted"]),
    ]


def examples(report: Data) -> list[Block]:
    """A warning, and examples in which nobody need read what harms, unless it was asked for."""
    told = report["examples"]
    blocks = [note(told["warning"])]
    if told["reason"]:
        blocks.append(text(told["reason"]))
    for one in told["findings"]:
        rows = [
            [
                row["item"],
                row["side"],
                row["prompt"],
                signed(row["score"]),
                lines(map(text_shown, row["texts"])),
            ]
            for row in one["items"]
        ]
        head = ("item", "side", "prompt", "score", "the model's texts")
        blocks += [heading(one["number"], listed=False)]
        blocks.append(table(f"What carries {one['number']}", head, rows, "2 1.2 4 auto 3", "lllrl"))
    return blocks

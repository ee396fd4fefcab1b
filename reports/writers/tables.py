"""The report's tables as CSV, for spreadsheets and statistics programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audit.benchmarks.wording import subject
from audit.impact.wording import OUTCOMES, shown_row, title
from audit.labelling.wording import told_tables
from audit.redaction.withheld import text_shown
from reports.figures import number, p_value, signed
from reports.text import csv_cell, value_text
from reports.writers import plain
from reports.writers.detail import control_row, form

Data = Mapping[str, Any]


def csv_tables(data: Data) -> dict[str, str]:
    """The tables of a report by file name; what they are of, and do not claim, is one of them.

    Parameters
    ----------
    data : mapping
        As ``report.schema.json`` describes.

    Returns
    -------
    dict of str to str
        RFC 4180 text; figures as every other format shows them, those of published measures whole. A cell
        that a spreadsheet would take for a formula starts with an apostrophe.
    """
    made = {
        "read-me.csv": table(("what", "text"), read_me(data)),
        "findings.csv": findings(data["findings"]),
        "controls.csv": controls(data["controls"]),
        "coverage.csv": coverage(data["coverage"]),
        "not-measured.csv": table(
            ("what", "why"), ([row["what"], row["why"]] for row in data["not_measured"])
        ),
        "tokenisation.csv": table(
            TOKENISATION, ([row[key] for key in TOKENISATION] for row in data["tokenisation"])
        ),
        "provenance.csv": provenance(data["provenance"]["claims"]),
        "provenance-questions.csv": questions(data["provenance"]["questions"]),
        "reviews.csv": table(
            RESPONSES, ([value_text(row[key]) for key in RESPONSES] for row in data["reviews"]["responses"])
        ),
        "heat-maps.csv": heat_maps(data["heat_maps"]),
        "crosswalk.csv": crosswalk(data["crosswalk"]),
        **({"examples.csv": examples(data["examples"])} if data["examples"]["findings"] else {}),
        **labelled_tables(data["reviews"].get("labelled")),
        **({} if data["selection"] is None else {"selection.csv": selection(data["selection"])}),
        **({} if data["published"] is None else published_tables(data["published"])),
    }
    if data["findings"]:
        made["finding-forms.csv"] = forms(data["findings"])
    parts = {"context": ("groups", "harms"), "method": ("intervals", "thresholds"), "changes": ("sizes",)}
    for part, names in parts.items():
        for name in names if data[part] is not None else ():
            made[f"{part}-{name}.csv"] = plain_table(data[part][name])
    return made


RESPONSES = (
    "at", "reviewer", "kind", "model", "item", "unit", "question", "said", "decision", "blind", "machine",
    "drawn", "text",
)  # fmt: skip
TOKENISATION = ("model", "suite", "unit", "doubt", "items")
HEAD = (
    "number", "id", "model", "suite", "contrast", "role", "group", "reference", "verdict", "qualified",
    "severity", "estimate", "unit", "level", "lo", "hi", "equivalence_level", "equivalence_lo",
    "equivalence_hi", "margin", "p", "p_adjusted", "n_cells", "n_families", "n_terms", "minimum_detectable",
    "review", "needs", "reasons", "statement",
)  # fmt: skip


def findings(rows: Sequence[Data]) -> str:
    """One line a finding, in the report's order."""
    lines = []
    for told in rows:
        record = told["record"]
        ci, inner = record["ci"] or {}, record["ci_equivalence"] or {}
        lines.append(
            [
                told["number"], record["id"], record["model"], record["suite"], record["contrast"],
                record["role"], record["group_label"], record["reference_label"], record["verdict"],
                told["verdict"], record["severity"], signed(record["estimate"]), record["unit"],
                number(ci.get("level")), signed(ci.get("lo")), signed(ci.get("hi")),
                number(inner.get("level")), signed(inner.get("lo")), signed(inner.get("hi")),
                number(record["margin"]["value"]), p_value(record["p"]), p_value(record["p_adjusted"]),
                number(record["n_cells"]), number(record["n_clusters"]), number(record["n_terms"]),
                number(record["minimum_detectable"]), told["review"]["status"], told["needs"] or "",
                "; ".join(record["reasons"]), told["statement"],
            ]
        )  # fmt: skip
    return table(HEAD, lines)


def forms(rows: Sequence[Data]) -> str:
    """One line a finding: its severity and its form, from condition to response."""
    lines = [{"number": told["number"], **dict(form(told))} for told in rows]
    head = list(dict.fromkeys(key for line in lines for key in line))
    return table(head, ([line.get(key, "") for key in head] for line in lines))


def heat_maps(maps: Sequence[Data]) -> str:
    """One line a cell: the mean of a template family and a group."""
    head = ("number", "model", "suite", "family", "group", "mean", "unit", "scores", "lost")
    lines = []
    for found in maps:
        told = [found[key] for key in head[:3]]
        for family, means, scores, lost in zip(
            found["families"], found["means"], found["scores"], found["lost"], strict=True
        ):
            lines += [
                [*told, family, group, signed(mean), found["unit"], n, gone]
                for group, mean, n, gone in zip(found["groups"], means, scores, lost, strict=True)
            ]
    return table(head, lines)


def examples(told: Data) -> str:
    """One line a text that a model wrote: its prompt, what its item scored, and the text or its shape."""
    head = ("number", "item", "side", "prompt", "record", "score", "other side", "text")
    return table(
        head,
        (
            [
                *(row["number"], item["item"], item["side"], item["prompt"], item["record"]),
                *(signed(item["score"]), signed(item["baseline"]), text_shown(text)),
            ]
            for row in told["findings"]
            for item in row["items"]
            for text in item["texts"]
        ),
    )


def plain_table(rows: Sequence[Data]) -> str:
    """Rows as they stand in the report's data: a column for each thing that one line can tell."""
    known = dict.fromkeys(key for row in rows for key in row)
    head = [key for key in known if all(plain.short(row.get(key)) for row in rows)]
    return table(head, ([cell(row.get(key)) for key in head] for row in rows))


def cell(value: Any) -> str:
    """A value in one cell; numbers as every other format shows them."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return plain.text(value)


def controls(rows: Sequence[Data]) -> str:
    """One line a control: groups against themselves, and invented words."""
    head = ("family", "model", "suite", "kind", "label", "estimate", "interval", "p", "p_adjusted", "reason")
    lines = []
    for family in rows:
        for kind, key in (("A/A", "aa"), ("invented words", "nonce")):
            for row in family[key]:
                shown = control_row(row)
                lines.append(
                    [
                        family["family"],
                        family["model"],
                        family["suite"],
                        kind,
                        *(shown[key] for key in head[4:]),
                    ]
                )
    return table(head, lines)


def read_me(data: Data) -> list[tuple[str, str]]:
    """Of which audit the tables are, whether it is signed, and what they do not claim."""
    cover = data["cover"]
    told = [
        ("title", cover["title"]),
        ("status", cover["status"]),
        ("report of", cover["as_of"]),
        ("run id", cover["run_id"]),
        *((f"model, SHA-256 {model['digest']}", model["id"]) for model in cover["models"]),
        ("model-written text", data["texts"]),
        *(("what this report does not claim", line) for line in cover["claims_limits"]),
    ]
    if data["crosswalk"]["banner"]:
        told.append(("legal map", data["crosswalk"]["banner"]))
    return told


def coverage(rows: Sequence[Data]) -> str:
    """Answers by model, suite, arm and status."""
    head = ("model", "suite", "arm", "items", "status", "answers")
    return table(
        head,
        (
            [row["model"], row["suite"], row["arm"], row["items"], status, count]
            for row in rows
            for status, count in row["statuses"].items()
        ),
    )


def provenance(claims: Sequence[Data]) -> str:
    """One line a claim, what is not known first."""
    head = (
        "subject", "field", "status", "value", "source", "declared_by", "location", "observed_at",
        "evidence_sha256", "note",
    )  # fmt: skip
    return table(
        head,
        (
            [
                row["subject"],
                row["field"],
                row["status"],
                value_text(row["value"]),
                row["source"],
                *(row[key] or "" for key in head[5:]),
            ]
            for row in claims
        ),
    )


def questions(subjects: Sequence[Data]) -> str:
    """One line a question and subject, with how it is known and where what is missing was looked for."""
    head = ("subject", "id", "question", "status", "answers", "open", "looked", "standards")
    lines = []
    for each in subjects:
        for row in each["rows"]:
            answers = "; ".join(
                f"{told['field']}: {value_text(told['value'])} ({told['status']})" for told in row["answers"]
            )
            rest = ("; ".join(row[key]) for key in ("open", "looked", "standards"))
            lines.append([each["subject"], row["id"], row["question"], row["status"], answers, *rest])
    return table(head, lines)


def crosswalk(told: Data) -> str:
    """One line a clause."""
    head = (
        "framework", "version", "clause", "wants", "status", "reason", "applies", "evidence", "missing",
        "gap", "who_must_act", "must_not_claim", "verified_on", "how_known",
    )  # fmt: skip
    return table(
        head,
        (
            [
                framework["name"], framework["instrument_version"], entry["clause"], entry["wants"],
                entry["status"], entry["reason"], entry["applies"] or "", " ".join(entry["evidence"]),
                "; ".join(entry["missing"]), *(entry[key] for key in head[9:]),
            ]
            for framework in told["frameworks"]
            for entry in framework["entries"]
        ),
    )  # fmt: skip


def selection(told: Data) -> str:
    """One line a category of people, and one a table for those of unknown category."""
    head = (
        "by", "category", "people", OUTCOMES[told["kind"]], "rate", "rate_interval", "impact_ratio",
        "ratio_interval", "p_adjusted", "says",
    )  # fmt: skip
    lines = []
    for found in told["tables"]:
        for row in found["rows"]:
            shown = shown_row(row)
            texts = (shown[key] for key in ("rate", "rate_interval", "ratio", "interval", "p", "says"))
            lines.append([title(found), shown["category"], row["n"], row["selected"], *texts])
        lines.append([title(found), "unknown category", found["unknown"], *[""] * 6, "in no rate"])
    return table(head, lines)


def published_tables(rows: Sequence[Data]) -> dict[str, str]:
    """The numbers of published measures, and the audited estimates beside them."""
    sections = [
        (
            (
                told["result"]["benchmark"],
                subject(told["result"]),
                value_text(told["of_this_audit"]),
                told["result"]["card"]["label"],
                told["result"]["card"]["tier"],
                section["scoring"],
            ),
            section,
        )
        for told in rows
        for section in told["result"]["scorings"]
    ]
    of = ("measure", "of", "of_this_audit", "label", "tier", "scoring")
    return {
        "published-numbers.csv": table(
            (*of, *FIGURE_KEYS),
            ([*who, *whole(row, FIGURE_KEYS)] for who, part in sections for row in part["figures"]),
        ),
        "published-estimates.csv": table(
            (*of, *ESTIMATE_KEYS),
            ([*who, *whole(row, ESTIMATE_KEYS)] for who, part in sections for row in part["estimates"]),
        ),
        "published-controls.csv": table(
            (*of, *CONTROL_KEYS),
            ([*who, *whole(row, CONTROL_KEYS)] for who, part in sections for row in part["controls"]),
        ),
    }


def whole(row: Data, keys: Sequence[str]) -> list[Any]:
    """Values as they were computed, to be held against a source's: no figure rounded, nothing for None."""
    shown = {key: row[key] for key in keys}
    return ["" if value is None else "; ".join(value) if isinstance(value, list) else value
            for value in shown.values()]  # fmt: skip


FIGURE_KEYS = ("name", "value", "unit", "n", "lo", "hi", "method", "reason")
ESTIMATE_KEYS = (
    "family", "name", "verdict", "fragile", "estimate", "unit", "null", "se", "df", "lo", "hi", "p",
    "p_adjusted", "correction", "n", "clusters", "design_effect", "margin", "minimum_detectable",
    "power_within", "control_p", "needed", "reasons", "reason", "method",
)  # fmt: skip
CONTROL_KEYS = ("name", "value", "p", "holds", "detail")


def labelled_tables(found: Data | None) -> dict[str, str]:
    """What people found in a sample; nothing where nobody labelled one."""
    rows: dict[str, list[list[str]]] = {}
    for told in told_tables(found) if found is not None else ():
        own = rows.setdefault(f"labelled-{told['name']}.csv", [["table", *told["head"]]])
        own += [[told["caption"], *row] for row in told["rows"]]
    return {name: table(own[0], own[1:]) for name, own in rows.items()}


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV, every cell made harmless."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)
    return text.getvalue()

"""The method on paper: what was decided beforehand, formulas, intervals, tests, power, severity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reports.figures import number, share
from reports.writers.paper.blocks import (
    Block,
    Row,
    Runs,
    facts,
    heading,
    items,
    lines,
    plain,
    table,
    text,
)
from reports.writers.plain import named

Data = Mapping[str, Any]


def method(report: Data) -> list[Block]:
    """What was decided before the first question, and how the figures were made."""
    settings = report["settings"]
    rule = settings["correction"]
    rows: list[tuple[str, Runs]] = [
        ("error rate", number(settings["alpha"])),
        (
            "correction",
            f"confirmatory families by {rule['confirmatory']}, exploratory ones by {rule['exploratory']}",
        ),
        ("seed", number(settings["seed"])),
        ("decoding", plain(settings["decoding"]) if settings["decoding"] else "no text was sampled"),
    ]
    if settings["until_decided"]:
        units = settings["until_decided"]["max_units"]
        rows.append(("asked until decided", f"generated text, at most {units} units a family"))
    return [
        text(
            "Questions, groups, margins and corrections were declared and hashed before the first question "
            "was put. Each answer was kept whole; every figure here can be recomputed from the answers "
            "without the model."
        ),
        facts(rows),
        *told_parts(report["method"]),
        text(
            "A group against itself should show nothing; invented words show how far a mere word moves the "
            "measure. The figures of these controls stand in appendix B, and the words of the method in the "
            "glossary."
        ),
    ]


def told_parts(told: Data) -> list[Block]:
    """The parts of the method, each as it is best read; one of which there is nothing is left out."""
    blocks: list[Block] = []
    for key, made in PARTS.items():
        if told[key]:
            blocks += [heading(named(key).capitalize(), listed=False), *made(told[key])]
    return blocks


def measures(rows: Sequence[Data]) -> list[Block]:
    """Each measure with its formula, range, direction and source."""
    return [
        table(
            "Measures, in their units; what 0 and the directions mean",
            ("measure", "formula", "range and direction", "source"),
            (measure(row) for row in rows),
            "1.9 3.4 3 2.6",
        )
    ]


def measure(row: Data) -> Row:
    """One measure."""
    scorers = [f"Scorers: {', '.join(row['scorers'])}"] if row["scorers"] else []
    of = f"in {row['unit']}; {', '.join(row['suites'])}"
    return [
        [("strong", named(row["measure"])), ("line",), ("small", of)],
        lines([row["formula"], *scorers]),
        lines([row["range"], row["direction"], f"0: {row['zero']}"]),
        row["source"],
    ]


def intervals(rows: Sequence[Data]) -> list[Block]:
    """What each interval covers: these very items, or templates of which they are a sample."""
    return [
        table(
            "Intervals, and what they speak of",
            ("interval", "level", "covers", "sampled; held fixed", "speaks of", "findings"),
            (
                [
                    [("strong", named(row["interval"])), ("line",), ("small", row["method"])],
                    share(row["level"]),
                    row["covers"],
                    lines(", ".join(row[key]) for key in ("sampled", "fixed") if row[key])
                    if row["sampled"] or row["fixed"]
                    else "",
                    row["meaning"],
                    number(row["findings"]),
                ]
                for row in rows
            ),
            "2.6 auto 1.8 2.6 3.2 auto",
            "lllllr",
        )
    ]


def tests(rows: Sequence[str]) -> list[Block]:
    """The tests, a sentence each."""
    return [items(rows)]


def human_review(told: Data) -> list[Block]:
    """How much of the audit people looked at."""
    return [text(f"{told['text'][:1].upper()}{told['text'][1:]}.")]


def power(rows: Sequence[Data]) -> list[Block]:
    """What the samples could have found, by model, suite and role."""
    return [
        table(
            "The median over the findings of each group",
            ("model, suite", "role", "margin", "smallest detectable difference", "power to show within"),
            (
                [
                    f"{row['model']}, {row['suite']}",
                    row["role"],
                    f"±{number(row['margin'])} {row['unit']}",
                    row["reason"] or number(row["median_detectable"]),
                    share(row["median_power_within"]),
                ]
                for row in rows
            ),
            "4 2 1.6 2.2 2",
            "lllrr",
        )
    ]


def severity(rows: Sequence[Data]) -> list[Block]:
    """The rule from size, certainty and harm to a level."""
    return [
        table(
            "From the severity of the record to the level; without a stated use none is above Moderate",
            ("record", "without a stated use", "with one", "when"),
            ([row["record"], row["without_use"], row["with_use"], row["when"]] for row in rows),
            "auto 2 2 6",
        )
    ]


def scorer_audits(rows: Sequence[Data]) -> list[Block]:
    """What each scorer gets wrong, by its own audit."""
    return [
        table(
            "Each scorer's own audit, on sentences of ours whose truth is known by construction",
            ("scorer", "what it gets wrong"),
            (
                [
                    [("strong", plain(row["scorer"])), ("line",), ("small", plain(row["construct"]))],
                    lines(f"{line}." for line in row["meaning"]),
                ]
                for row in rows
            ),
            "1.4 8",
        )
    ]


def columns(caption: str, widths: str) -> Callable[[Sequence[Data]], list[Block]]:
    """Records that are a table as they are."""

    def made(rows: Sequence[Data]) -> list[Block]:
        cells = [[words(value) for value in row.values()] for row in rows]
        return [table(caption, [named(key) for key in rows[0]], cells, widths)]

    return made


def words(value: Any) -> Runs:
    """A value, or several of them a line each; nothing for an empty one."""
    if value in ("", []):
        return ""
    return lines(plain(item) for item in value) if isinstance(value, list) else plain(value)


PARTS: dict[str, Callable[[Any], list[Block]]] = {
    "measures": measures,
    "intervals": intervals,
    "tests": tests,
    "multiplicity": columns("How p-values were corrected", "2 2.4 1.3 1.6 1.6 3.4"),
    "power": power,
    "thresholds": columns("Thresholds, and where they come from", "3 1.2 1.2 4.6"),
    "scorer_validity": columns("What a second scorer says", "1.4 1.4 auto auto auto 4"),
    "scorer_audits": scorer_audits,
    "human_review": human_review,
    "severity": severity,
}
"""How each part of the method is told, in order."""

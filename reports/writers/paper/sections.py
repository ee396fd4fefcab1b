"""The order of a paper: sections by number, appendices by letter; what the data lack is left out.

A section keeps its number with or without the others, so that "section 8" is the same one of every report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.charts.drawing import drawing
from reports.charts.look import shortened
from reports.writers.paper import back, front, legal, methods, published, results
from reports.writers.paper.blocks import Block, heading
from reports.writers.paper.drawings import Drawings
from reports.writers.parts import MOST_CURVES, shown

Data = Mapping[str, Any]

HEAD = 480
"""Pixels, as of a chart's letters: the most that the title takes at the head of a page."""


def laid_out(report: Data) -> tuple[dict[str, Any], dict[str, str]]:
    """A report as ``report.typ`` reads it, and its charts.

    Parameters
    ----------
    report : mapping
        As ``report.schema.json`` describes, with nothing in it that cannot be set.

    Returns
    -------
    dict, dict of str to str
        Plain data of which every text is a string; name of a chart to its SVG.
    """
    names = shown(report)
    told = {**names["report"], **{name: names[name] for name in ("review_lines", "labels_told", "spoken")}}
    groups = names["groups"]
    count = 2 * len(groups) + len(told["heat_maps"]) + MOST_CURVES + len(told["published"] or ())
    with drawing(count) as pens:
        drawings = Drawings(pens)
        blocks = all_blocks(told, groups, drawings)
        return {**paper(told), "blocks": blocks}, drawings.files()


def all_blocks(told: Data, groups: Sequence[Data], drawings: Drawings) -> list[Block]:
    """Every section of a report, with its title."""
    sections: list[tuple[str, str, list[Block], bool]] = [
        ("1", "Executive summary", front.executive(told), True),
        ("2", "Engagement", front.engagement(told), True),
        ("3", "Artefact and provenance", front.artefact(told), False),
        ("4", "Scope and context", front.scope(told), False),
        ("5", "Method", methods.method(told), False),
        ("6", "Results", results.results(told, groups, drawings), True),
        ("7", "Findings", results.forms(told, groups), True),
        ("8", "Framework crosswalk", legal.crosswalk(told), True),
        ("9", "Limitations, and what was not measured", back.limitations(told), True),
        ("10", "Reproduction", back.reproduction(told), False),
        ("11", "Sign-off", back.sign_off(told), True),
        ("12", "Selection rates and impact ratios", back.selection(told), True),
        ("13", "Published measures", published.published(told, drawings), True),
        ("A", "Glossary", back.glossary(told), True),
        ("B", "Full tables", back.full_tables(told, groups), True),
        ("C", "The suites", back.suite_cards(told), True),
        ("D", "Change log", back.changes(told), True),
        ("E", "Content warning and examples", back.examples(told), False),
    ]
    blocks: list[Block] = []
    for number, title, own, page in sections:
        if own:
            blocks += [{**heading(f"{number}  {title}", 1), "page": page}, *own]
    return blocks


def paper(told: Data) -> dict[str, Any]:
    """What stands around the sections: title, cover, and the foot of each page."""
    cover = told["cover"]
    title = f"Audit report: {cover['title']}"
    return {
        "title": title,
        "name": cover["title"],
        "short_title": shortened(title, HEAD),
        "author": cover["performed_by"] or "Evenhand",
        "subject": " ".join(cover["claims_limits"]),
        "keywords": [model["id"] for model in cover["models"]],
        "draft": "" if cover["signed"] else cover["status"],
        "footer": f"run {cover['run_id']}   manifest {cover['fingerprint']['manifest_sha256'][:12]}",
        "targets": [row["number"] for row in told["findings"]],
        "cover": front.cover(told),
    }

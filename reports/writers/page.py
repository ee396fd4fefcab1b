"""The report as one page: no script, no network, readable aloud, by day and by night, and on paper."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from markupsafe import Markup

from audit.benchmarks import wording as measures
from reports.charts.curve import described_curve, specification_curve
from reports.charts.drawing import Drawing, drawing
from reports.charts.forest import described_forest, forest
from reports.charts.heat_map import described_heat_map, heat_map
from reports.charts.intervals import controls_panel, described_controls
from reports.charts.measures import described_measure, drawn_estimates, drawn_text, measure_forest
from reports.charts.palette import LIGHT
from reports.charts.power import described_power, power_panel
from reports.contents.heat_maps import cells
from reports.templating import templates
from reports.text import html_emphasised
from reports.writers import alike, questions
from reports.writers.frame import contents, numbered, reachable, sections
from reports.writers.parts import MOST_CURVES, analysed, shown

Data = Mapping[str, Any]


def html(data: Data) -> str:
    """The page of a report.

    Parameters
    ----------
    data : mapping
        As ``report.schema.json`` describes.
    """
    names = shown(data)
    report = names["report"]
    tables = {told["number"]: told for told in report["findings"] if analysed(told)}
    curved = dict(list(tables.items())[:MOST_CURVES])
    ran = [told["result"] for told in report["published"] or ()]
    count = 2 * len(names["groups"]) + len(report["controls"]) + len(report["heat_maps"]) + len(curved)
    count += len(ran)
    with drawing(count) as pens:
        coming = {
            "forests": {group["id"]: forest_figure(pens, group) for group in names["groups"]},
            "powers": {group["id"]: power_figure(pens, group) for group in names["groups"]},
            "maps": {found["number"]: map_figure(pens, found) for found in report["heat_maps"]},
            "panels": {
                place: control_figure(pens, place, row, report)
                for place, row in enumerate(report["controls"], start=1)
            },
            "curves": {number: curve_figure(pens, told, report) for number, told in curved.items()},
            "ran": {place: measure_figure(pens, place, found) for place, found in enumerate(ran, start=1)},
        }
        charts = {
            kind: {name: Markup(figure.result()) for name, figure in own.items()}
            for kind, own in coming.items()
        }
    return (
        templates(escape=True)
        .get_template("audit/report.html.j2")
        .render(
            **names,
            **charts,
            emphasised=html_emphasised,
            drawn_texts=[drawn_text(found, drawn_estimates(found)) for found in ran],
            sections=sections(report),
            numbered=numbered,
            contents=contents,
            reachable=reachable,
            tables=tables,
            shared=alike.alike(report["findings"]),
            alike=alike,
            questions=questions,
        )
    )


def records(group: Data) -> list[Data]:
    """The findings of one group as they lie in the bundle."""
    return [told["record"] for told in group["rows"]]


def forest_figure(pens: Drawing, group: Data) -> Future[str]:
    """The forest plot of one group of findings."""
    rows = records(group)
    title = f"{group['suite']}: findings"
    return pens.figure(forest(rows, LIGHT), f"forest-{group['id']}", title, described_forest(rows))


def power_figure(pens: Drawing, group: Data) -> Future[str]:
    """What the sample of one group of findings could detect."""
    rows = records(group)
    title = f"{group['suite']}: power"
    return pens.figure(power_panel(rows, LIGHT), f"power-{group['id']}", title, described_power(rows))


def control_figure(pens: Drawing, place: int, row: Data, report: Data) -> Future[str]:
    """The groups of one family against themselves."""
    family = [told["record"] for told in report["findings"] if told["record"]["family"] == row["family"]]
    chart = controls_panel(row["aa"], LIGHT, family[0]["scale"] if family else "points")
    return pens.figure(chart, f"control-{place}", f"{row['family']}: controls", described_controls(row["aa"]))


def map_figure(pens: Drawing, found: Data) -> Future[str]:
    """Where the most severe disparity of one model and suite sits."""
    rows = cells(found)
    chart = heat_map(rows, LIGHT, found["centre"], f"mean in {found['unit']}")
    title = f"{found['number']}: template families by groups"
    return pens.figure(chart, f"map-{found['number']}", title, described_heat_map(rows, found["centre"]))


def curve_figure(pens: Drawing, told: Data, report: Data) -> Future[str]:
    """The specification curve of one finding."""
    analyses = told["record"]["robustness"]["curve"]["analyses"]
    chart = specification_curve(analyses, LIGHT, report["settings"]["alpha"])
    title = f"{told['number']}: other analyses"
    return pens.figure(chart, f"curve-{told['number']}", title, described_curve(analyses))


def measure_figure(pens: Drawing, place: int, found: Data) -> Future[str]:
    """The audited estimates of one run of a published measure."""
    rows, title = drawn_estimates(found), measures.title(found)
    chart = measure_forest(rows, LIGHT, title)
    return pens.figure(chart, f"measure-{place}", title, described_measure(rows, title))

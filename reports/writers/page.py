"""The report as one page: no script, no network, readable aloud, by day and by night, and on paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from reports.charts.curve import described_curve, specification_curve
from reports.charts.forest import described_forest, forest
from reports.charts.intervals import controls_panel, described_controls
from reports.charts.palette import LIGHT
from reports.charts.power import described_power, power_panel
from reports.charts.svg import figure
from reports.templating import templates
from reports.text import html_emphasised
from reports.writers.parts import shown

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
    return (
        templates(escape=True)
        .get_template("audit/report.html.j2")
        .render(
            **names,
            emphasised=html_emphasised,
            forests={group["id"]: forest_svg(group) for group in names["groups"]},
            powers={group["id"]: power_svg(group) for group in names["groups"]},
            panels=[control_svg(place, row, report) for place, row in enumerate(report["controls"], start=1)],
            curves={
                told["number"]: curve_svg(told, report) for told in report["findings"] if has_curve(told)
            },
        )
    )


def records(group: Data) -> list[Data]:
    """The findings of one group as they lie in the bundle."""
    return [told["record"] for told in group["rows"]]


def forest_svg(group: Data) -> Markup:
    """The forest plot of one group of findings."""
    return drawn(
        forest, described_forest, f"forest-{group['id']}", f"{group['suite']}: findings", records(group)
    )


def power_svg(group: Data) -> Markup:
    """What the sample of one group of findings could detect."""
    return drawn(
        power_panel, described_power, f"power-{group['id']}", f"{group['suite']}: power", records(group)
    )


def drawn(
    chart: Callable[[Sequence[Data], Any], Any],
    described: Callable[[Sequence[Data]], str],
    name: str,
    title: str,
    rows: Sequence[Data],
) -> Markup:
    """A chart of some rows with its text alternative."""
    return Markup(figure(chart(rows, LIGHT), name, title, described(rows)))


def control_svg(place: int, row: Data, report: Data) -> Markup:
    """The groups of one family against themselves."""
    family = [told["record"] for told in report["findings"] if told["record"]["family"] == row["family"]]
    scale = family[0]["scale"] if family else "points"
    chart = controls_panel(row["aa"], LIGHT, scale)
    return Markup(
        figure(chart, f"control-{place}", f"{row['family']}: controls", described_controls(row["aa"]))
    )


def has_curve(told: Data) -> bool:
    """Whether a finding's single analyses are drawn: those of every disparity that was to be confirmed."""
    record = told["record"]
    curve = record["robustness"] and record["robustness"]["curve"]
    return bool(record["verdict"] == "disparity" and curve and curve["analyses"])


def curve_svg(told: Data, report: Data) -> Markup:
    """The specification curve of one finding."""
    analyses = told["record"]["robustness"]["curve"]["analyses"]
    chart = specification_curve(analyses, LIGHT, report["settings"]["alpha"])
    title = f"{told['number']}: other analyses"
    return Markup(figure(chart, f"curve-{told['number']}", title, described_curve(analyses)))

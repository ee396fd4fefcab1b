"""Charts of findings: what they draw, what they never leave out, and that no label can break them."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
import vl_convert

from reports.charts import DARK, LIGHT
from reports.charts.changes import changes, described_changes
from reports.charts.curve import described_curve, specification_curve
from reports.charts.forest import described_forest, forest, greyed
from reports.charts.heat_map import MINUS, PLUS, described_heat_map, heat_map, step
from reports.charts.intervals import (
    controls_panel,
    described_controls,
    described_leave_one_out,
    leave_one_out,
)
from reports.charts.look import effect_axis, ratio_ticks, shortened
from reports.charts.power import described_power, power_panel
from reports.charts.svg import figure
from reports.charts.thresholds import described_thresholds, threshold_curve

Rows = list[dict[str, Any]]

HOSTILE = "a\"]'\\\x1b[31m<script>alert(1)</script>{}[0].$&\n`${x}` é" + "x" * 80
"""Quotes, brackets, markup, a control character, a line feed, and far too long."""


def cells() -> Rows:
    return [
        {"family": f"f{i}", "group": g, "mean": 0.1 * i - 0.2 * j, "n": 4, "lost": 0}
        for i in range(4)
        for j, g in enumerate(("one", "two", "three"))
    ]


def analyses() -> Rows:
    return [
        {
            "choices": {"reading": reading, "templates": chosen, "pooling": "mean"},
            "estimate": 0.2 + 0.1 * place,
            "t": 2.0 + place,
            "p": 0.08 if place else 0.01,
            "within": False,
            "reason": "",
        }
        for reading in ("log-odds", "choice")
        for place, chosen in enumerate(("all", "first half", "second half"))
    ]


def left_out() -> Rows:
    return [
        {"family": f"f{i}", "estimate": 0.2, "lo": -0.1 + i / 10, "hi": 0.5, "reason": ""} for i in range(4)
    ]


def aa() -> Rows:
    row = {"estimate": 0.01, "lo": -0.1, "hi": 0.1, "p": 0.9, "p_adjusted": 1.0, "reason": ""}
    return [{**row, "label": "one"}, {**row, "label": "two", "p_adjusted": 0.001}]


def moved() -> Rows:
    row = {"before": 0.4, "after": 0.1, "change": -0.3, "lo": -0.5, "hi": -0.1, "verdict": "changed"}
    lost = {
        **row,
        "after": None,
        "change": None,
        "lo": None,
        "hi": None,
        "verdict": "not comparable",
        "reason": "lost",
    }
    return [{**row, "label": "one"}, {**lost, "label": "two"}]


def thresholds() -> Rows:
    return [
        {"threshold": t / 10, "scorer": s, "estimate": 0.1, "lo": 0.0, "hi": 0.2, "verdict": "inconclusive"}
        for s in ("vader", "textblob")
        for t in range(1, 6)
    ]


CHARTS: dict[str, tuple[Callable[[], Rows], Callable[..., Any], Callable[..., str], dict[str, Any], str]] = {
    "heat map": (cells, heat_map, described_heat_map, {}, "family"),
    "specification curve": (analyses, specification_curve, described_curve, {}, ""),
    "leave one out": (left_out, leave_one_out, described_leave_one_out, {"estimate": 0.2}, "family"),
    "controls": (aa, controls_panel, described_controls, {}, "label"),
    "changes": (moved, changes, described_changes, {}, "label"),
    "thresholds": (thresholds, threshold_curve, described_thresholds, {}, "scorer"),
}
"""Rows, chart, description, further arguments, and the field that holds a name from outside."""


def texts(svg: str) -> list[str]:
    """What is written in a chart."""
    return [
        "".join(node.itertext())
        for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    ]


def svg(chart: Any) -> str:
    return vl_convert.vegalite_to_svg(chart.to_json())


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_drawn_in_both_palettes_and_only_in_their_colours(name: str) -> None:
    rows, chart, _, more, _ = CHARTS[name]
    drawn = svg(chart(rows(), LIGHT, **more)).lower()
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', drawn))
    assert LIGHT.background in used and used <= set(LIGHT.variables().values()), used
    night = chart(rows(), DARK, **more).to_json().lower()
    named = set(re.findall(r'"(#[0-9a-f]{6})"', night))
    assert DARK.background in named and named <= set(DARK.variables().values()), named


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_can_be_read_aloud(name: str) -> None:
    rows, chart, described, more, field = CHARTS[name]
    extra = {key: value for key, value in more.items() if key == "estimate"}
    told = described(rows(), **extra)
    drawn = figure(chart(rows(), LIGHT, **more), "x", "Title <&>", told)
    root = ElementTree.fromstring(drawn)
    assert root.get("role") == "img" and told in "".join(root.itertext())
    if field:
        assert str(rows()[0][field]) in told


@pytest.mark.parametrize("name", [name for name in CHARTS if CHARTS[name][4]])
def test_no_name_can_break_a_chart(name: str) -> None:
    rows, chart, described, more, field = CHARTS[name]
    hostile = [{**row, field: HOSTILE} if row[field] == rows()[0][field] else row for row in rows()]
    drawn = svg(chart(hostile, LIGHT, **more))
    ElementTree.fromstring(drawn)
    assert "<script>" not in drawn
    extra = {key: value for key, value in more.items() if key == "estimate"}
    assert "\x1b" not in described(hostile, **extra)


@pytest.mark.parametrize("name", CHARTS)
def test_nothing_to_draw_is_said(name: str) -> None:
    _, chart, _, more, _ = CHARTS[name]
    assert any(re.match(r"No|The single", text) for text in texts(svg(chart([], LIGHT, **more))))


# -- the forest plot --------------------------------------------------------------------------------


def own(findings: Rows, role: str = "exploratory", model: str = "scripted/noise+planted") -> Rows:
    return copy.deepcopy([row for row in findings if (row["model"], row["role"]) == (model, role)])


def test_a_forest_has_a_row_a_finding_with_its_figures(findings: Rows) -> None:
    rows = own(findings)
    written = texts(svg(forest(rows, LIGHT)))
    for row in rows:
        assert row["group_label"] in written
        assert any(text.startswith(("●", "○", "?", "×")) for text in written)
    assert sum("times [" in text for text in written) == len(rows)


def test_a_row_without_a_figure_stays_and_says_why(findings: Rows) -> None:
    rows = own(findings)
    lost = {
        "estimate": None,
        "ci": None,
        "ci_equivalence": None,
        "undefined": "no answers",
        "verdict": "invalid",
    }
    rows[0] |= {**lost, "reasons": ["not computable: no answers"], "nonce_size": None}
    written = texts(svg(forest(rows, LIGHT)))
    assert rows[0]["group_label"] in written
    assert "× invalid: not computable: no answers" in written
    assert "no answers" in described_forest(rows)


def test_a_sample_too_small_is_grey_with_its_reason(findings: Rows) -> None:
    rows = own(findings)
    rows[0] |= {"verdict": "inconclusive", "reasons": ["4 terms in the smallest cell; 10 are needed"]}
    assert greyed(rows[0]) == "4 terms in the smallest cell; 10 are needed"
    assert greyed(rows[1]) == ""
    drawn = svg(forest(rows, LIGHT))
    assert "? inconclusive: 4 terms in the smallest cell; 10 are needed" in texts(drawn)
    assert f'fill="{LIGHT.muted}"' in drawn


def test_what_an_audit_until_decided_always_says_makes_no_row_grey(findings: Rows) -> None:
    from audit.sequential.findings import SCOPE

    row = own(findings)[0] | {"verdict": "inconclusive", "reasons": [SCOPE]}
    assert greyed(row) == ""


def test_one_far_row_ends_in_an_arrow_and_the_rest_can_be_seen(findings: Rows) -> None:
    rows = own(findings, model="scripted/group-blind")
    for row in rows:
        row["ci"] = row["ci_equivalence"] = {"level": 0.95, "lo": -0.1, "hi": 0.1}
    low = axis_ends(forest(rows, LIGHT))
    rows[3] |= {"estimate": 50.0, "ci": {"level": 0.95, "lo": 49.0, "hi": 51.0}}
    far = forest(rows, LIGHT)
    assert axis_ends(far)[1] < 3 * low[1]
    assert "reach beyond the axis" in json.dumps(far.to_dict())
    assert "triangle-right" in json.dumps(far.to_dict())
    assert "over 1000 times" in " ".join(texts(svg(far)))


def axis_ends(chart: Any) -> tuple[float, float]:
    """The ends of the forest's scale."""
    for layer in chart.to_dict()["hconcat"][1]["layer"]:
        scale = layer["encoding"].get("x", {}).get("scale", {})
        if "domain" in scale:
            return tuple(scale["domain"])
    raise AssertionError("no scale")


def test_no_group_and_no_reason_can_break_a_forest(findings: Rows) -> None:
    rows = own(findings)[:3]
    rows[0] |= {"group_label": HOSTILE, "reference_label": HOSTILE, "reference": HOSTILE, "claim": HOSTILE}
    rows[1] |= {"verdict": "inconclusive", "reasons": [HOSTILE]}
    rows[2] |= {
        "estimate": None,
        "ci": None,
        "ci_equivalence": None,
        "verdict": "invalid",
        "reasons": ["\x1f"],
    }
    drawn = figure(forest(rows, LIGHT), "x", HOSTILE, described_forest(rows))
    ElementTree.fromstring(drawn)
    assert "<script>" not in drawn and "\\x1f" in drawn


def test_margin_and_invented_words_are_drawn_behind(findings: Rows) -> None:
    rows = own(findings)
    for row in rows:
        row["nonce_size"] = 0.12
    drawn = forest(rows, LIGHT)
    assert drawn.to_dict()["hconcat"][1]["layer"][0]["mark"]["color"] == LIGHT.band
    assert {row["margin_hi"] for row in layer_rows(drawn, 0)} == {rows[0]["margin"]["value"]}
    assert [abs(row["at"]) for row in layer_rows(drawn, 1)] == [0.12] * 2 * len(rows)
    for row in rows:
        row["nonce_size"] = None
    assert not layer_rows(forest(rows, LIGHT), 1)


def layer_rows(chart: Any, place: int) -> Rows:
    """The data of one layer of the plot."""
    drawn = chart.to_dict()
    source = drawn["hconcat"][1]["layer"][place]["data"]
    return source["values"] if "values" in source else drawn["datasets"][source["name"]]


def test_a_forest_has_one_unit(findings: Rows) -> None:
    rows = own(findings)
    rows[0]["unit"] = "points"
    with pytest.raises(ValueError, match="one unit"):
        forest(rows, LIGHT)


def test_names_say_what_varies(findings: Rows) -> None:
    both = own(findings, "confirmatory") + own(findings, "confirmatory", "scripted/group-blind")
    written = texts(svg(forest(both, LIGHT)))
    assert "scripted/group-blind" in written
    assert any(text.startswith("people of the first kind against people of the second") for text in written)


@pytest.mark.parametrize("count", [1, 60])
def test_a_forest_is_as_high_as_its_rows(findings: Rows, count: int) -> None:
    row = own(findings)[0]
    rows = [{**row, "group_label": HOSTILE if i == 0 else f"group {i}"} for i in range(count)]
    drawn = svg(forest(rows, LIGHT))
    height, width = (float(re.search(rf'{name}="([\d.]+)"', drawn)[1]) for name in ("height", "width"))  # type: ignore[index]
    assert 24 * count < height < 24 * count + 150
    assert width <= 935


def test_log_odds_are_labelled_as_ratios(findings: Rows) -> None:
    written = texts(svg(forest(own(findings), LIGHT)))
    assert any(text.startswith("×1") for text in written)
    assert effect_axis("points", -1.0, 1.0)["title"] == "difference in points"


@pytest.mark.parametrize(
    ("low", "high"), [(-0.001, 0.001), (-0.3, 0.3), (-1, 1), (-5, 5), (0, 100), (-130, 2)]
)
def test_ticks_of_ratios_are_few_and_inside(low: float, high: float) -> None:
    ticks = ratio_ticks(low, high)
    assert 2 <= len(ticks) <= 13
    assert all(low <= tick <= high for tick in ticks)


# -- the others -------------------------------------------------------------------------------------


def test_power_is_held_against_the_margin(findings: Rows) -> None:
    rows = own(findings)
    rows[0] |= {"minimum_detectable": None, "undefined": "nothing was scored"}
    rows[1] |= {"minimum_detectable": 0.1, "margin": {**rows[1]["margin"], "value": 0.2}}
    rows[2] |= {"minimum_detectable": 90.0}
    drawn = power_panel(rows, DARK)
    written = texts(svg(drawn))
    assert "nothing was scored" in written
    assert any(text.startswith("0.1 nats") for text in written)
    assert "triangle-right" in json.dumps(drawn.to_dict())
    assert "0.5 margins" in described_power(rows)


def test_missing_cells_are_crossed_and_never_0() -> None:
    rows = cells()
    rows[4]["mean"] = None
    del rows[7]
    written = texts(svg(heat_map(rows, LIGHT)))
    assert written.count("×") == 2
    assert "2 cells without a score" in described_heat_map(rows)
    assert sum(bool(re.fullmatch(r"[+-]\d\.\d\d", text)) for text in written) == 10 + 8  # cells and key


def test_a_row_of_levels_can_be_the_middle_of_its_own() -> None:
    rows = [{**cell, "mean": cell["mean"] + 7.0} for cell in cells()]
    about = svg(heat_map(rows, LIGHT, centre="family"))
    assert "mean score, less the mean of its row" in texts(about)
    assert "+0.20" in texts(about) and "+7.00" not in texts(about)
    assert svg(heat_map(rows, LIGHT)) != about


def test_a_large_heat_map_prints_no_values_and_keeps_its_width() -> None:
    rows = [
        {
            "family": f"family {i}",
            "group": f"people of group {j}",
            "mean": (i * 7 + j) % 5 - 2.0,
            "n": 1,
            "lost": 0,
        }
        for i in range(40)
        for j in range(30)
    ]
    drawn = svg(heat_map(rows, LIGHT))
    assert float(re.search(r'width="([\d.]+)"', drawn)[1]) <= 950  # type: ignore[index]
    assert "family 39" in texts(drawn) and "people of group 29" in texts(drawn)
    assert sum(bool(re.fullmatch(r"[+-]\d\.\d\d", text)) for text in texts(drawn)) == 8
    made = json.dumps(heat_map(rows, LIGHT).to_dict())
    signed = {shape: made.count(f'"shape": "{shape}"') for shape in (PLUS, MINUS)}
    above, middle = sum(row["mean"] > 0 for row in rows), sum(row["mean"] == 0 for row in rows)
    assert signed == {PLUS: above, MINUS: len(rows) - above - middle}


def test_steps_are_even_about_the_middle() -> None:
    assert [step(value, 1.0) for value in (-1.0, 0.0, 1.0)] == [0, 4, 8]
    assert step(0.2, 1.0) - 4 == 4 - step(-0.2, 1.0)


def test_a_curve_marks_its_main_analysis_and_keeps_what_was_lost() -> None:
    rows = analyses()
    rows[4] |= {"estimate": None, "t": None, "p": None, "reason": "1 template"}
    drawn = specification_curve(rows, LIGHT)
    written = texts(svg(drawn))
    assert "×" in written and "templates: first half" in written
    assert "pooling: mean" not in written  # where there is no choice, no row
    assert json.dumps(drawn.to_dict()).count('"square"') == 1
    assert "1 not computable" in described_curve(rows)


def test_a_standard_error_of_0_has_no_line() -> None:
    rows = [{**row, "t": None} for row in analyses()]
    assert '"lo": ' not in json.dumps(specification_curve(rows, LIGHT).to_dict())


def test_a_control_that_fails_is_crossed_and_one_that_is_missing_says_why() -> None:
    rows = aa()
    nothing = dict.fromkeys(("estimate", "lo", "hi", "p", "p_adjusted"))
    rows.append({**nothing, "label": "three", "reason": "3 terms cannot be split"})
    drawn = svg(controls_panel(rows, LIGHT))
    assert f'stroke="{LIGHT.fail}"' in drawn
    assert "3 terms cannot be split" in texts(drawn)
    assert "two: +0.01 [-0.1, +0.1], p 0.001, fails" in described_controls(rows)


def test_without_a_family_an_interval_over_0_is_hollow() -> None:
    points = layer_rows(leave_one_out(left_out(), LIGHT, estimate=0.2), -1)
    assert [row["fill"] == LIGHT.background for row in points] == [True, True, False, False]


def test_a_change_that_could_not_be_computed_keeps_its_row() -> None:
    written = texts(svg(changes(moved(), LIGHT)))
    assert "two" in written and "× lost" in written and "● -0.3 [-0.5, -0.1]" in written


def test_more_scorers_than_lines_are_refused() -> None:
    rows = [{**thresholds()[0], "scorer": str(i)} for i in range(5)]
    with pytest.raises(ValueError, match="5 scorers"):
        threshold_curve(rows, LIGHT)
    assert "Margin ±0.1" in described_thresholds(thresholds(), 0.1)


def test_a_long_name_is_cut_at_its_end() -> None:
    assert shortened(HOSTILE, 200).endswith("…") and "\x1b" not in shortened(HOSTILE, 200)
    assert shortened("short", 200) == "short"


def test_a_drawing_is_one_image_without_marks_for_scripts(findings: Rows) -> None:
    rows = copy.deepcopy(findings[:2])
    rows[0]["group_label"] = 'class="a" role="b"'
    drawn = figure(forest(rows, LIGHT), "x", "x", "x")
    tags = re.findall(r"<[a-z][^<>]*>", drawn)
    assert drawn.count("font-family=") == 1 and tags[0].count('role="img"') == 1
    marks = [tag for tag in tags[1:] if re.search(r" (?:class|role|aria-[a-z]+)=", tag)]
    assert marks == []
    assert 'class="a" role="b"' in drawn, "what is written in it stays whole"

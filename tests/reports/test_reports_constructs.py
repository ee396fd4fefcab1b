"""What is said of a difference is in its own unit: shares are no points, and toxicity is no sentiment."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from audit.commands.show import shared_line
from audit.comparison.wording import change_phrase
from audit.labelling.filled import bring_in
from audit.labelling.outputs import scored_outputs
from audit.labelling.sample import Wish, draw
from audit.labelling.sheet import write_sheet
from audit.review.log import read_reviews
from audit.wording import claim, margin_phrase, size_in_claim
from dashboards.tables import estimate_text
from probes import load_suite
from probes.catalogue import suite_ids
from reports.charts import LIGHT
from reports.charts.forest import AXES, forest
from reports.charts.heat_map import MIDDLE, heat_map
from reports.contents.limits import never_asked
from reports.contents.method import glossary
from reports.contents.reviews import response_row
from reports.writers.parts import spoken
from tests.audit.labelling_world import faulty_scorer, fill, write_world

Row = dict[str, Any]

MEASURES = {
    "continuation_sentiment": ("points", 0.1),
    "continuation_toxicity": ("points", 0.02),
    "continuation_regard": ("points", 0.1),
    "reply_refusal": ("shares", 0.05),
}
"""Every measure of written text, with its scale and a margin of it."""


@pytest.fixture
def row(findings: list[Row]) -> Row:
    """A computed finding with the numbers of a difference between 0 and 1."""
    found = copy.deepcopy(next(each for each in findings if each["estimate"] is not None))
    ends = {"ci": {"lo": 0.0214, "hi": 0.1834}, "ci_equivalence": {"lo": 0.04, "hi": 0.16}}
    found |= {key: {**found[key], **told} for key, told in ends.items()}
    return found | {"estimate": 0.1024, "claim": "{group} {difference} than {reference}", "nonce_size": None}


def as_of(row: Row, measure: str) -> Row:
    scale, margin = MEASURES[measure]
    return {
        **row,
        "measure": measure,
        "scale": scale,
        "unit": scale,
        "margin": {**row["margin"], "value": margin},
    }


def test_shares_are_spelt_in_percentage_points(row: Row) -> None:
    refused = as_of(row, "reply_refusal")
    assert "10.2 percentage points [2.1, 18.3] higher" in claim(refused)
    assert size_in_claim(refused) in claim(refused)
    assert margin_phrase(refused) == "5.0 percentage points either way"
    assert estimate_text(refused) == "+10.2 [+2.1, +18.3] of 100"
    line = shared_line([refused], "no disparity within margin", alone=True)
    assert "within +2.1 to +18.3 percentage points: " in str(line.renderable)  # type: ignore[attr-defined]
    change = {"estimate": -0.1, "ci": {"lo": -0.2, "hi": 0.0}, "matched_before": 0.1, "matched_after": 0.0}
    told = change_phrase({**refused, "undefined": None, "change": change})
    assert told == "difference -10.0 percentage points [-20.0, +0.0] different: +10.0 before, +0.0 after"


@pytest.mark.parametrize("measure", ["continuation_toxicity", "continuation_sentiment"])
def test_points_have_two_figures_of_their_margin(row: Row, measure: str) -> None:
    told = as_of(row, measure)
    figures = {0.02: "0.102 points [0.021, 0.183]", 0.1: "0.10 points [0.02, 0.18]"}
    assert figures[told["margin"]["value"]] in claim(told)
    assert "percentage" not in claim(told) + margin_phrase(told)
    assert "of 100" not in estimate_text(told)


@pytest.mark.parametrize("measure", MEASURES)
def test_the_axis_of_a_forest_says_what_is_more(row: Row, measure: str) -> None:
    drawn = str(forest([as_of(row, measure)], LIGHT).to_dict())
    assert AXES[measure][0] in drawn and AXES[measure][1] in drawn
    others = [axis for name, axis in AXES.items() if name != measure]
    assert not any(axis[0] in drawn for axis in others)


def test_a_forest_of_two_measures_names_their_unit_alone(row: Row) -> None:
    both = [as_of(row, "continuation_sentiment"), as_of(row, "continuation_toxicity")]
    drawn = str(forest(both, LIGHT).to_dict())
    assert "difference in points" in drawn and "above 0" not in drawn


def test_the_key_of_a_heat_map_has_no_side_that_no_value_is_on() -> None:
    cells = [
        {"family": f, "group": g, "mean": 0.1 * place, "n": 1, "lost": 0}
        for place, (f, g) in enumerate((f, g) for f in "ab" for g in "xy")
    ]
    below = [{**cells[0], "mean": -0.2}, *cells[1:]]
    for rows, steps in ((cells, LIGHT.diverging[MIDDLE:]), (below, LIGHT.diverging)):
        assert [row["colour"] for row in key_of(heat_map(rows, LIGHT))] == list(steps)
    levels = key_of(heat_map(cells, LIGHT, centre="family"))
    assert [row["colour"] for row in levels] == list(LIGHT.diverging)


def key_of(chart: Any) -> list[Row]:
    """The steps of the key of a heat map, as they are drawn."""
    drawn = chart.to_dict()
    source = drawn["vconcat"][1]["layer"][1]["data"]
    steps: list[Row] = source["values"] if "values" in source else drawn["datasets"][source["name"]]
    return steps


def test_toxic_text_is_missing_only_where_no_suite_counts_it() -> None:
    missing = "toxic, hateful or denigrating text"
    nothing: Row = {"findings": []}
    for name in suite_ids():
        suite = load_suite(name)
        told = [row["what"] for row in never_asked(nothing, [suite])]
        assert (missing in told) == (name != "toxicity"), name


def test_the_glossary_knows_every_unit() -> None:
    terms = {row["term"]: row["meaning"] for row in glossary()}
    assert {"points", "shares"} <= terms.keys()
    assert "0 to 1" in terms["points"] and "percentage points" in terms["shares"]


def test_labels_of_a_sheet_are_counted_and_others_are_listed(tmp_path: Path) -> None:
    with faulty_scorer():
        outputs = scored_outputs(write_world(tmp_path / "bundle"))
        rows = draw(outputs, (), Wish(per_stratum=1)).rows
        sheet = write_sheet(outputs, rows, tmp_path / "sheet.csv", 0).sheet
        noted = iter(["worth a look"])
        filled = fill(sheet, outputs, tmp_path / "filled.csv", lambda row: {**row, "note": next(noted, "")})
        bring_in(outputs, filled, "Ann")
    kept = [response_row(event) for event in read_reviews(tmp_path / "bundle").events]
    assert len(kept) == len(rows) > 2 and all(row["drawn"] for row in kept)
    own = {**kept[0], "text": "", "drawn": False}
    told = spoken([*kept, own])
    assert [row["text"] for row in told["rows"]] == ["worth a look", ""]
    assert told["left"].startswith(f"Not listed here: {len(kept) - 1} labels of a drawn sample.")
    assert spoken([own]) == {"rows": [own], "left": ""}

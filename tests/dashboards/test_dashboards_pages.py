"""Every page on real audits: what it says is what the bundle and ``audit`` say, to the last row."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit import drill
from audit.bundle import Bundle, read_json
from audit.commands.show import coverage_notes, p_text
from audit.measures import MEASURES
from audit.models.cache import VARIABLE as CACHE
from audit.requests import answers_of
from audit.sidecar import open_sidecar
from audit.slices import slices
from audit.wording import MARKS, claim, curve_phrase, margin_phrase, needed_phrase, verdict_phrase
from dashboards import charts, tables
from dashboards.words import TIPS, estimand
from tests.dashboards.conftest import Pages, clean, rows_of, table, texts, widget


def bare(text: str) -> str:
    return text.replace("*", "")


def one(root: Path, **wanted: str) -> dict[str, Any]:
    """The first finding of a bundle with these fields."""
    return next(row for row in rows_of(root) if all(row[key] == value for key, value in wanted.items()))


def same(shown: pd.DataFrame, told: pd.DataFrame) -> None:
    """A table on a page holds what a function gave: names, words and figures, in order."""
    assert list(shown.columns) == [str(name) for name in told.columns]
    assert len(shown) == len(told)
    for name in told:
        left, right = shown[str(name)], told[name]
        if pd.api.types.is_numeric_dtype(right) and not pd.api.types.is_bool_dtype(right):
            np.testing.assert_allclose(left.astype(float), right.astype(float), rtol=0, err_msg=str(name))
        else:
            assert [None if pd.isna(each) else str(each) for each in left] == [
                None if pd.isna(each) else str(each) for each in right
            ], name


def test_findings_are_all_there_worst_first_and_counted_by_verdict(
    bundles: dict[str, Path], pages: Pages
) -> None:
    app = clean(pages.open("findings", bundles["before"]))
    rows = rows_of(bundles["before"])
    shown = table(app, "Findings, worst first")
    assert list(shown["id"]) == [row["id"] for row in rows]
    assert list(shown["claim"]) == [bare(claim(row)) for row in rows]
    assert list(shown["verdict"]) == [f"{MARKS[row['verdict']]} {verdict_phrase(row)}" for row in rows]
    assert list(shown["severity"]) == [row["severity"] for row in rows]
    assert list(shown["p adj."]) == [p_text(row["p_adjusted"]) for row in rows]
    assert list(shown["estimate"]) == [tables.estimate_text(row) for row in rows]
    counted = {each.label: int(each.value) for each in app.metric}
    for verdict in MARKS:
        name = verdict.removeprefix("no disparity ")
        assert counted[f"{MARKS[verdict]} {name}"] == sum(row["verdict"] == verdict for row in rows)
    assert {"disparity", "inconclusive", "no disparity within margin"} <= {row["verdict"] for row in rows}
    for row, next_step in zip(rows, shown["what next, or why not"], strict=True):
        if row["verdict"] == "inconclusive":
            assert next_step == bare(needed_phrase(row)) and next_step
    said = texts(app)
    assert f"{len(rows)} of {len(rows)} findings" in said
    for note in coverage_notes(read_json(bundles["before"] / "findings.json")):
        assert note in said
    assert "continuation was not asked of reference/bert-skewed" in said
    forests = [
        table(app, f"Data of the chart: forest-{measure}")
        for measure in ("answer_log_odds", "continuation_sentiment")
    ]
    part = widget(app, "number_input", "Part of the chart of answer log odds")
    app = clean(part.set_value(2).run())
    drawn = pd.concat([*forests, table(app, "Data of the chart: forest-answer_log_odds")])
    assert sorted(drawn["estimate"]) == sorted(row["estimate"] for row in rows)
    assert sorted(drawn["margin"]) == sorted(row["margin"]["value"] for row in rows)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", "reference/gpt-skewed"),
        ("suite", "continuation"),
        ("verdict", "inconclusive"),
        ("role", "exploratory"),
    ],
)
def test_a_filter_of_the_address_narrows_the_table(
    bundles: dict[str, Path], pages: Pages, field: str, value: str
) -> None:
    app = clean(pages.open("findings", bundles["before"], **{field: value}))
    expected = [row["id"] for row in rows_of(bundles["before"]) if row[field] == value]
    assert 0 < len(expected) < len(rows_of(bundles["before"]))
    assert list(table(app, "Findings, worst first")["id"]) == expected
    assert app.query_params[field] == value


def test_filters_narrow_together_and_stand_in_the_address(bundles: dict[str, Path], pages: Pages) -> None:
    app = clean(pages.open("findings", bundles["before"], severity="S9", axis="nonsense"))
    rows = rows_of(bundles["before"])
    assert len(table(app, "Findings, worst first")) == len(rows), "what the address does not know is ignored"
    assert not {"severity", "axis"} & set(app.query_params)
    names = {"Axis": "axis", "Group": "group_label", "Severity": "severity", "Suite": "suite"}
    row = rows[-1]
    for label, field in names.items():
        app = clean(widget(app, "multiselect", label).set_value([row[field]]).run())
        assert app.query_params[field] == row[field]
    left = [each["id"] for each in rows if all(each[field] == row[field] for field in names.values())]
    assert list(table(app, "Findings, worst first")["id"]) == left
    other = "continuation" if row["suite"] != "continuation" else "occupations"
    app = clean(widget(app, "multiselect", "Suite").set_value([other]).run())
    assert "No finding passes these filters." in texts(app)


def test_a_finding_shows_its_estimand_and_every_figure(bundles: dict[str, Path], pages: Pages) -> None:
    row = one(bundles["before"], model="reference/gpt-skewed", role="confirmatory", suite="occupations")
    app = clean(pages.open("finding", bundles["before"], finding=row["id"]))
    said = texts(app)
    assert bare(claim(row)) in said and margin_phrase(row) in said
    words, symbols = estimand(row)
    assert words in said and symbols in said
    assert MEASURES[row["measure"]].meaning in said
    for name, value, tip in (*tables.facts(row), *tables.holding(row)):
        assert f"{name}\n{value}" in said
        assert not tip or TIPS[tip] in said, name
    assert f"{row['estimate']:+.4f} {row['unit']}" in said
    for counts in row["coverage"].values():
        assert f"{counts['scored']:,} scored" in said
    assert curve_phrase(row) in said
    frame = open_sidecar(bundles["before"]).scores(model=row["model"], suite=row["suite"])
    names = {row["group"]: row["group_label"], row["reference"]: row["reference_label"]}
    cells, carried = drill.heat_map(frame, row), drill.carriers(frame, row, 20)
    assert names["female_majority"] == "occupations held mostly by women"
    same(table(app, "Data of the chart: heat"), cells.assign(group=cells["group"].map(names)))
    same(table(app, "Data of the chart: out"), drill.leave_one_out(frame, row, row["ci"]["level"]))
    columns = ["text", "group", "side", "value", "baseline", "pull", "n", "item"]
    same(
        table(app, "Items that carry the finding"), carried.assign(group=carried["group"].map(names))[columns]
    )
    curve = table(app, "Data of the chart: curve")
    assert list(curve["estimate"]) == [each["estimate"] for each in row["robustness"]["curve"]["analyses"]]


def test_an_item_is_shown_beside_its_counterpart_with_tokens_and_its_place(
    bundles: dict[str, Path], pages: Pages
) -> None:
    root = bundles["before"]
    row = one(root, model="reference/gpt-skewed", role="confirmatory", suite="occupations")
    sidecar = open_sidecar(root)
    frame = sidecar.scores(model=row["model"], suite=row["suite"])
    item = drill.carriers(frame, row, 20).iloc[3]
    app = clean(pages.open("finding", root, finding=row["id"], item=str(item["item"])))
    assert app.query_params["item"] == item["item"]
    others = drill.counterparts(frame, row, str(item["item"]))
    best = others.iloc[0]
    asked = [each.value for each in app.get("html") if 'aria-label="The prompt"' in each.value]
    said = texts(app)
    assert item["text"] in said and best["text"] in said
    # Both stand in one template, so that the words marked are what the sentences do not share.
    for body, own, other in ((asked[0], item["text"], best["text"]), (asked[1], best["text"], item["text"])):
        marked = " ".join(re.findall("<mark>(.*?)</mark>", body))
        assert marked and set(marked.split()) == set(own.split()) - set(other.split())
    for name in (item["item"], best["item"]):
        own = frame[frame["item"] == name].iloc[0]
        record = sidecar.record(int(own["n"]))
        assert f"record\n{record.n}\n" in said and own["digest"] in said
        assert f"before it\n{record.prev}" in said and f"model\n{record.model}" in said
        for option, choice in zip(answers_of(record.request), record.response.choices, strict=True):
            assert f"{option.strip()}\n{choice.logprob:.4f} nats" in said
            assert len(choice.tokens) > 1, "an answer of several pieces"
            assert " · ".join(f"{each.text!r} {each.logprob:.3f}" for each in choice.tokens) in said
        assert f"pronoun\n{own['value']:+.4f}\nscored" in said
    # The same question to the other model, and two items laid aside.
    app = widget(app, "selectbox", "Model").set_value("reference/bert-skewed").run()
    assert "reference/bert-skewed · " in texts(clean(app))
    for button in [each for each in app.button if each.label.startswith("Pin it")][:2]:
        app = clean(button.click().run())
    assert "Pinned" in texts(app)
    app = widget(app, "button", "Unpin").click().run()
    assert "Pinned" not in texts(clean(app))


def test_every_choice_of_a_reader_counts_and_stands_in_the_address(scripted: Path, pages: Pages) -> None:
    """Each, and not every second one: a control that starts from the address stays the same control."""
    app = pages.open("finding", scripted)
    rows = [row for row in rows_of(scripted) if row["role"] == "exploratory"]
    for row in (rows[1], rows[2], rows[0]):
        app = clean(widget(app, "selectbox", "Finding").set_value(row["id"]).run())
        assert app.query_params["finding"] == row["id"] and bare(claim(row)) in texts(app)
    for many in ("50", "20"):
        app = clean(widget(app, "button_group", "How many").set_value(many).run())
        assert app.query_params["many"] == many
    # The address decides where somebody else changed it, and where the page is come to anew.
    for row in (rows[3], rows[4]):
        app.query_params["finding"] = row["id"]
        assert bare(claim(row)) in texts(clean(app.run()))
    pages.go(app, "findings", model="scripted", suite="mini")
    pages.go(app, "explore", suite="continuation")
    assert widget(app, "selectbox", "Suite").value == "continuation"
    for row in (rows[3], rows[5]):
        pages.go(app, "finding", finding=row["id"])
        assert bare(claim(row)) in texts(app)


def test_the_audit_is_chosen_once_and_named_by_every_address(bundles: dict[str, Path], pages: Pages) -> None:
    app = clean(pages.open("provenance", bundles["before"], bundles["after"], bundle="nonsense"))
    assert app.query_params["bundle"] == "before"
    for name in ("after", "before", "after"):
        app = clean(widget(app, "selectbox", "Audit").set_value(name).run())
        assert app.query_params["bundle"] == name
        assert Bundle(bundles[name]).plan_sha256 in texts(app)
    pages.go(app, "findings")
    assert widget(app, "selectbox", "Audit").value == "after" and app.query_params["bundle"] == "after"
    widget(app, "multiselect", "Suite").set_value(["occupations"]).run()
    pages.go(app, "explore")
    assert app.query_params["bundle"] == "after"
    pages.go(app, "provenance", bundle="before")
    assert Bundle(bundles["before"]).plan_sha256 in texts(app)


def test_an_inconclusive_finding_says_what_it_needs(bundles: dict[str, Path], pages: Pages) -> None:
    row = one(bundles["before"], verdict="inconclusive")
    app = clean(pages.open("finding", bundles["before"], finding=row["id"]))
    said = texts(app)
    assert needed_phrase(row) in said and "? inconclusive" in said
    assert {"n", "lost"} <= set(table(app, "Data of the chart: heat").columns)


def test_an_unknown_finding_or_item_in_the_address_is_ignored(bundles: dict[str, Path], pages: Pages) -> None:
    app = clean(pages.open("finding", bundles["before"], finding="nonsense", item="nonsense"))
    assert bare(claim(rows_of(bundles["before"])[0])) in texts(app)
    assert widget(app, "selectbox", "Finding").value == rows_of(bundles["before"])[0]["id"]


def test_slices_are_those_of_the_audit_and_stand_in_the_address(
    bundles: dict[str, Path], pages: Pages
) -> None:
    root, model = bundles["before"], "reference/gpt-skewed"
    filters = '{"arm": ["probe"], "term": ["nonsense"]}'
    app = clean(pages.open("explore", root, suite="occupations", model=model,
                           by="axis:labour_share,nonsense", filters=filters))  # fmt: skip
    frame = open_sidecar(root).scores(model=model, suite="occupations")
    kept = frame[frame["arm"] == "probe"]
    told = slices(kept, ["axis:labour_share"], 0.95)
    same(table(app, "Mean score by slice"), told)
    assert charts.csv(told) in pages.files
    assert f"{len(kept):,} of {len(frame):,} scores" in texts(app)
    items = table(app, "Scores, page 1")
    assert list(items["item"]) == list(kept["item"])[:100] and "output" not in items
    assert any(charts.csv(pd.DataFrame(items))[:20] == each[:20] for each in pages.files)
    app = widget(app, "multiselect", "Slice by").set_value(["axis:labour_share", "template"]).run()
    same(table(clean(app), "Mean score by slice"), slices(kept, ["axis:labour_share", "template"], 0.95))
    assert app.query_params["by"] == "axis:labour_share,template"
    app = widget(app, "multiselect", "Slice by").set_value([]).run()
    same(table(clean(app), "Mean score by slice"), slices(kept, [], 0.95))
    assert "by" not in app.query_params and app.query_params["filters"] == '{"arm": ["probe"]}'


def test_a_view_is_saved_opened_and_forgotten(
    bundles: dict[str, Path], pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE, str(tmp_path))
    root = bundles["before"]
    app = pages.open("explore", root, suite="occupations", model="reference/gpt-skewed", by="family")
    widget(app, "text_input", "Save this view as").set_value("mine *all*")
    app = clean(widget(app, "button", "Save view").click().run())
    other = pages.open("explore", root)
    assert widget(other, "selectbox", "Model").value == "reference/bert-skewed"
    other = widget(other, "selectbox", "Saved slices").set_value("mine *all*").run()
    other = clean(widget(other, "button", "Open the saved slice").click().run())
    assert other.query_params["by"] == "family"
    assert widget(other, "selectbox", "Model").value == "reference/gpt-skewed"
    assert "family" in table(other, "Mean score by slice")
    other = widget(other, "selectbox", "Saved slices").set_value("mine *all*").run()
    other = clean(widget(other, "button", "Forget the saved slice").click().run())
    assert not [each for each in other.selectbox if each.label == "Saved slices"]


def test_findings_without_a_verdict_or_an_estimate_stay(pages: Pages, invalid: Path) -> None:
    """A control, coverage or too few answers forbids a verdict: the row stays, with its reason."""
    rows = rows_of(invalid)
    lost = [row for row in rows if row["verdict"] == "invalid"]
    assert lost and any(row["estimate"] is None for row in rows)
    app = clean(pages.open("findings", invalid))
    shown = table(app, "Findings, worst first")
    assert list(shown["id"]) == [row["id"] for row in rows]
    for row, why in zip(rows, shown["what next, or why not"], strict=True):
        if row["verdict"] == "invalid":
            assert why == "; ".join(row["reasons"]) and why
    without = next(row for row in rows if row["estimate"] is None)
    app = clean(pages.open("finding", invalid, finding=without["id"]))
    assert f"not computable: {without['undefined']}" in texts(app)
    for page in ("explore", "instrument", "review", "export"):
        clean(pages.open(page, invalid))

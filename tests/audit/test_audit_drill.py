"""From a finding to its items and back: what is shown under a finding adds up to it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd
import pytest

from audit.analysis.estimates import Cells, estimate
from audit.api import audit
from audit.drill import (
    by_family,
    by_template,
    carriers,
    cells_of,
    columns_of,
    counterparts,
    heat_map,
    hypothesis_of,
    items_of,
    leave_one_out,
    rows_of,
)
from audit.hypotheses import four_cells
from audit.measures import Decoding
from audit.models import Plant, ScriptedModel
from audit.models.scripted import PlantedModel
from audit.requests import Fill, Generate, Request, Response, Sampled
from audit.sidecar import Sidecar, open_sidecar
from audit.spec import UntilDecided
from audit.stats.estimate import Contrast
from probes.errors import InputError
from tests.audit.sequential_world import (
    TEXTS,
    kinder_to_red,
    luck,
    quick_scorers,  # noqa: F401 - a fixture, which works by being here
    write_suite,
    writer,
)
from tests.conftest import write_mini

Audited = tuple[list[dict[str, Any]], Sidecar]

KINDS = ("paired", "nested", "nested rest", "fixed", "overall", "interaction")


def talked(
    folder: Path, kind: str, model: ScriptedModel | None = None, text: str = "", **more: Any
) -> Audited:
    """An audit of text to be continued, in four families of unequal size."""
    suite = write_suite(folder / "talk", kind)
    suite.write_text(suite.read_text().replace("id: t5, family: f2", "id: t5, family: f3"))
    if text:
        suite.write_text(suite.read_text().replace("margin: {", f"{text}margin: {{", 1))
    found = audit(
        [model or writer(kinder_to_red)],
        [str(suite)],
        folder / "bundle",
        **{"decoding": Decoding(samples=2), **more},
    )
    return found["findings"], open_sidecar(folder / "bundle")


def filled(folder: Path, model: Any, templates: int = 8, terms: int = 4) -> Audited:
    """An audit of the small suite."""
    folder.mkdir(exist_ok=True)
    (folder / "suite").mkdir()
    suite = write_mini(folder / "suite", templates, terms)
    found = audit([model], [str(suite)], folder / "bundle")
    return found["findings"], open_sidecar(folder / "bundle")


def frame_of(sidecar: Sidecar, finding: dict[str, Any]) -> pd.DataFrame:
    return sidecar.scores(columns_of(finding), finding["model"], finding["suite"])


def statuses(sidecar: Sidecar, finding: dict[str, Any]) -> dict[str, dict[str, int]]:
    frame = sidecar.scores([*columns_of(finding), "status"], finding["model"], finding["suite"])
    rows = rows_of(frame, finding)
    return {side: dict(Counter(rows.loc[rows["side"] == side, "status"])) for side in ("group", "reference")}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """Answers that favour ``she`` with one word of the first group, and ``he`` with one of the second."""
    plants = [Plant(r"\bword5\b", ("she",), 4.0), Plant(r"\bword2\b", ("he",), 2.0)]
    return filled(tmp_path_factory.mktemp("planted"), PlantedModel(ScriptedModel.noise(scale=0.1), plants))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Audited]:
    """An audit of each kind of contrast, asked whole."""

    @cache
    def of(kind: str) -> Audited:
        return talked(tmp_path_factory.mktemp("whole"), kind)

    return of


def confirmatory(audited: Audited) -> tuple[dict[str, Any], pd.DataFrame]:
    finding = next(row for row in audited[0] if row["role"] == "confirmatory")
    return finding, frame_of(audited[1], finding)


# -- what is shown adds up to the finding ----------------------------------------------------------------


def assert_adds_up(finding: dict[str, Any], sidecar: Sidecar) -> None:
    frame = frame_of(sidecar, finding)
    assert asdict(hypothesis_of(finding)).items() <= finding.items()
    assert statuses(sidecar, finding) == finding["coverage"]
    templates, families = by_template(frame, finding), by_family(frame, finding)
    assert templates["n"].sum() == families["n"].sum() == finding["n_cells"]
    assert families["effect"].mean() == pytest.approx(finding["estimate"], abs=1e-12)
    assert templates["effect"].abs().max() == abs(finding["top_templates"][0]["estimate"])
    told = finding["robustness"]["leave_one_out"]
    out = leave_one_out(frame, finding, finding["ci"]["level"])
    assert (out["estimate"].min(), out["estimate"].max()) == (told["lo"], told["hi"])
    assert ((out["lo"] <= 0) & (out["hi"] >= 0)).any() == told["includes_zero"]
    assert list(out["family"]) == list(families["family"])
    assert_items_add_up(finding, frame)


def assert_items_add_up(finding: dict[str, Any], frame: pd.DataFrame) -> None:
    """Heat map, carriers and counterparts against slow loops over the rows."""
    rows = rows_of(frame, finding).to_dict("records")
    heat = heat_map(frame, finding)
    for cell in heat.to_dict("records"):
        together = {"rest": lambda row: row["side"] == "reference", "overall": lambda row: True}
        of_group = together.get(cell["group"], lambda row, name=cell["group"]: row["group"] == name)
        values = [row["value"] for row in rows if row["family"] == cell["family"] and of_group(row)]
        scored = [value for value in values if not math.isnan(value)]
        assert (cell["n"], cell["lost"]) == (len(scored), len(values) - len(scored))
        assert cell["mean"] == pytest.approx(fmean(scored)) if scored else math.isnan(cell["mean"])
    groups = list(dict.fromkeys(heat["group"]))
    assert groups[0] == finding["group"] and {row["group"] for row in rows} <= set(groups)
    assert len(heat) == len(groups) * len({row["family"] for row in rows})
    found = carriers(frame, finding, count=10_000)
    assert list(found["pull"]) == sorted(found["pull"], reverse=True)
    assert len(found) + found.attrs["left_out"] == len({row["item"] for row in rows})
    for one in found.head(5).to_dict("records"):
        own = [row["value"] for row in rows if row["item"] == one["item"]]
        assert one["value"] == pytest.approx(fmean(value for value in own if not math.isnan(value)))
        other = counterparts(frame, finding, one["item"])
        assert set(other["template"]) == {one["template"]}
        assert one["baseline"] == pytest.approx(other["value"].mean())
        towards = math.copysign(1.0, finding["estimate"]) * -other["sign"].iloc[0]
        assert one["pull"] == pytest.approx(towards * (one["value"] - one["baseline"]))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_contrast_adds_up(whole: Callable[[str], Audited], kind: str) -> None:
    findings, sidecar = whole(kind)
    for finding in findings:
        assert_adds_up(finding, sidecar)


def test_a_suite_with_two_contrasts_adds_up(planted: Audited) -> None:
    findings, sidecar = planted
    assert {finding["role"] for finding in findings} == {"confirmatory", "exploratory"}
    for finding in findings[:4]:
        assert_adds_up(finding, sidecar)


def test_intervals_have_the_spread_that_the_family_pools(planted: Audited) -> None:
    findings, sidecar = planted
    finding = next(row for row in findings if "spread of the groups pooled" in (row["method"] or ""))
    frame = frame_of(sidecar, finding)
    cells = cells_of(frame, finding)
    assert isinstance(cells, Cells)
    narrow = estimate(cells.by_family().keep(cells.by_family().templates[1:]))
    assert isinstance(narrow, Contrast)
    first = leave_one_out(frame, finding, 0.95).iloc[0]
    low, high = narrow.ci(0.95)
    assert first["estimate"] == narrow.estimate and first["hi"] - first["lo"] > 1.05 * (high - low)


def test_other_models_and_suites_in_the_frame_change_nothing(planted: Audited) -> None:
    finding, frame = confirmatory(planted)
    other = frame.assign(value=99.0)
    both = pd.concat([frame, other.assign(model="another"), other.assign(suite="another")])
    for view in (rows_of, heat_map, by_template, by_family, carriers):
        pd.testing.assert_frame_equal(view(both, finding), view(frame, finding), check_dtype=False)


def test_the_interaction_has_four_cells_and_two_directions(whole: Callable[[str], Audited]) -> None:
    findings, sidecar = whole("interaction")
    finding = findings[0]
    frame = frame_of(sidecar, finding)
    weights = four_cells(finding["group"], finding["reference"])
    assert set(heat_map(frame, finding)["group"]) == set(weights)
    for item in items_of(frame, finding).to_dict("records"):
        assert item["sign"] == weights[item["group"]]


# -- what could not be scored ----------------------------------------------------------------------------


def failing(request: Request) -> Response:
    """No answer about the first group's words in one wording, and none at all in another family."""
    assert isinstance(request, Fill)
    first = any(f"word{number} " in request.text for number in (1, 3, 5, 7))
    if " 7 " in request.text or " 6 " in request.text or (" 0 " in request.text and first):
        return Response(error="no answer")
    return ScriptedModel.noise()._answer(request)


def test_what_was_not_scored_is_not_there_and_is_counted(tmp_path: Path) -> None:
    finding, frame = confirmatory(filled(tmp_path, ScriptedModel(failing), templates=10))
    heat = heat_map(frame, finding).set_index(["family", "group"])
    assert math.isnan(heat.loc[("f3", "one"), "mean"]) and heat.loc[("f3", "one"), "n"] == 0
    assert heat.loc[("f3", "two"), "lost"] == 8
    assert (heat.loc[("f0", "one"), "n"], heat.loc[("f0", "one"), "lost"]) == (4, 4)
    templates = by_template(frame, finding).set_index("template")
    assert math.isnan(templates.loc["t0", "effect"]) and templates.loc["t0", "n"] == 4
    assert math.isnan(templates.loc["t7", "effect"]) and templates.loc["t7", "n"] == 0
    families = by_family(frame, finding).set_index("family")
    assert math.isnan(families.loc["f3", "effect"]) and families["n"].sum() == finding["n_cells"]
    found = carriers(frame, finding, count=1000)
    assert found.attrs["left_out"] == 2 * 8 + 8, "two wordings whole, and one of which a side is missing"
    assert not set(found["template"]) & {"t0", "t6", "t7"}
    item = items_of(frame, finding).query("template == 't0' and group == 'two'")["item"].iloc[0]
    assert counterparts(frame, finding, item)["distance"].isna().all()
    out = leave_one_out(frame, finding, 0.95)
    told = finding["robustness"]["leave_one_out"]
    assert told["lo"] is not None
    assert (out["estimate"].min(), out["estimate"].max()) == (told["lo"], told["hi"])


def test_too_few_families_give_reasons_and_no_numbers(tmp_path: Path) -> None:
    finding, frame = confirmatory(filled(tmp_path, ScriptedModel.noise(), templates=6))
    out = leave_one_out(frame, finding, 0.95)
    assert out["estimate"].isna().all() and out["lo"].isna().all()
    assert set(out["reason"]) == {"2 template families; 3 are needed"}
    assert finding["robustness"]["leave_one_out"]["reason"].endswith("2 template families; 3 are needed")


def test_a_finding_that_could_not_be_computed_has_no_carriers(tmp_path: Path) -> None:
    model = ScriptedModel(lambda request: Response(error="none"), capabilities=frozenset({"fill"}))
    finding, frame = confirmatory(filled(tmp_path, model))
    found = carriers(frame, finding)
    assert found.empty and found.attrs["reason"] == finding["undefined"] != ""
    assert heat_map(frame, finding)["mean"].isna().all() and by_family(frame, finding)["effect"].isna().all()
    assert set(leave_one_out(frame, finding, 0.95)["reason"]) != {""}
    nobody = frame.iloc[:0]
    assert by_family(nobody, finding).attrs["reason"] == "no item of the finding was asked"
    assert heat_map(nobody, finding).empty


def test_a_finding_whose_rows_are_not_there_has_no_carriers(tmp_path: Path) -> None:
    finding, frame = confirmatory(filled(tmp_path, ScriptedModel(failing), templates=10))
    found = carriers(frame.iloc[:0], finding)
    assert found.empty and found.attrs["left_out"] == 0
    assert heat_map(frame.iloc[:0], finding).empty


# -- carriers and counterparts ---------------------------------------------------------------------------


def test_carriers_are_the_items_that_were_planted(planted: Audited) -> None:
    finding, frame = confirmatory(planted)
    assert finding["estimate"] > 0
    found = carriers(frame, finding, count=16)
    assert set(found["term"]) == {"mini-terms:w5", "mini-terms:w2"}
    top = found.head(8)
    assert set(top["term"]) == {"mini-terms:w5"} and set(top["side"]) == {"group"}
    assert (top["pull"] > 4.0).all() and (found["pull"] > 1.0).all()
    assert set(found["n"]) == {1} and set(found["lost"]) == {0}
    one = found.iloc[0]
    assert "word5" in one["text"]
    record = planted[1].record(int(one["record"]))
    assert record.digest == one["digest"] and isinstance(record.request, Fill)
    assert "word5" in record.request.text


def test_one_side_alone_can_be_asked_for(planted: Audited) -> None:
    finding, frame = confirmatory(planted)
    found = carriers(frame, finding, count=3, side="reference")
    assert set(found["side"]) == {"reference"} and set(found["term"]) == {"mini-terms:w2"} and len(found) == 3


def test_a_finding_below_zero_is_carried_the_other_way(tmp_path: Path) -> None:
    model = PlantedModel(ScriptedModel.noise(scale=0.1), [Plant(r"\bword5\b", ("he",), 4.0)])
    finding, frame = confirmatory(filled(tmp_path, model))
    assert finding["estimate"] < 0
    top = carriers(frame, finding, count=8)
    assert set(top["term"]) == {"mini-terms:w5"}
    assert (top["value"] < top["baseline"]).all() and (top["pull"] > 3.0).all()


def test_counterparts_lie_on_the_other_side_nearest_first(planted: Audited) -> None:
    finding, frame = confirmatory(planted)
    one = carriers(frame, finding).iloc[0]
    found = counterparts(frame, finding, one["item"])
    assert set(found["group"]) == {"two"} and set(found["template"]) == {one["template"]}
    assert len(found) == 4 and not found["same_pair"].any()
    assert list(found["distance"]) == sorted(found["distance"])
    assert found["distance"].iloc[-1] == pytest.approx(abs(found["value"].iloc[-1] - one["value"]))
    with pytest.raises(InputError, match="no item 'nothing' under the finding"):
        counterparts(frame, finding, "nothing")


def test_the_item_of_the_same_pair_comes_first(whole: Callable[[str], Audited]) -> None:
    findings, sidecar = whole("paired")
    [finding] = findings
    frame = frame_of(sidecar, finding)
    for one in items_of(frame, finding).to_dict("records"):
        found = counterparts(frame, finding, one["item"])
        assert list(found["same_pair"]) == [True, False, False]
        assert found["pair"].iloc[0] == one["pair"] and found["side"].iloc[0] != one["side"]


# -- asked until decided ---------------------------------------------------------------------------------

SECOND = """
  - id: again
    axis: kind
    groups: [green]
    reference: blue
    terms: paired
    role: exploratory
    claim: "continuations about {group} score {difference} than those about {reference}"
"""


def drawn_estimate(frame: pd.DataFrame, finding: dict[str, Any]) -> float:
    """The mean over the sets of prompts that hold a score of each group."""
    rows = rows_of(frame, finding)
    prompts = rows.groupby(["draw", "group", "item"])["value"].mean()
    sides = prompts.groupby(["draw", "group"]).mean().unstack("group")
    return float((sides[finding["group"]] - sides[finding["reference"]]).dropna().mean())


def torn(share: float) -> ScriptedModel:
    """A writer that is kinder to red and silent now and then."""
    plain = writer(kinder_to_red)

    def answer(request: Request) -> Response:
        if isinstance(request, Generate) and luck("torn", request.seed, request.prompt) < share:
            return Response(samples=(Sampled(" ...", 1, "stop"),) * request.samples)
        return plain._answer(request)

    return ScriptedModel(answer, id="torn", capabilities=frozenset({"generate", "fill"}))


@pytest.mark.parametrize(("kind", "model"), [("nested", None), ("paired", torn(0.1))])
def test_what_was_drawn_adds_up_to_the_findings(
    tmp_path: Path, kind: str, model: ScriptedModel | None
) -> None:
    findings, sidecar = talked(
        tmp_path, kind, model, SECOND if kind == "paired" else "", until_decided=UntilDecided(320)
    )
    assert len(findings) == 2
    stops = {finding["sequential"]["stopped_at"] for finding in findings}
    assert len(stops) == 2 and stops != {None}, "each stops at a unit of its own"
    for finding in findings:
        frame = frame_of(sidecar, finding)
        assert drawn_estimate(frame, finding) == pytest.approx(finding["estimate"], abs=1e-12)
        whole = {**finding, "sequential": {**finding["sequential"], "stopped_at": None}}
        assert statuses(sidecar, whole) == finding["coverage"], "counted over all that the family drew"
        assert_items_add_up(finding, frame)
        for view in (by_template, by_family):
            shown = view(frame, finding)
            assert shown.empty and "asked until decided" in shown.attrs["reason"]
        out = leave_one_out(frame, finding, 0.95)
        assert out.empty and "asked until decided" in out.attrs["reason"] and "estimate" in out


def test_nothing_that_was_drawn_can_be_scored(tmp_path: Path) -> None:
    findings, sidecar = talked(tmp_path, "paired", torn(1.0), until_decided=UntilDecided(32))
    [finding] = findings
    frame = frame_of(sidecar, finding)
    assert finding["estimate"] is None and finding["sequential"] is None
    assert "asked until decided" in by_family(frame, finding).attrs["reason"]
    heat = heat_map(frame, finding)
    assert heat["mean"].isna().all() and (heat["lost"] > 0).any() and set(heat["n"]) == {0}


def test_texts_are_shown_as_they_were_written(whole: Callable[[str], Audited]) -> None:
    findings, sidecar = whole("paired")
    one = carriers(frame_of(sidecar, findings[0]), findings[0]).iloc[0]
    record = sidecar.record(int(one["record"]))
    assert isinstance(record.request, Generate) and record.request.prompt == one["text"]
    assert {sample.text for sample in record.response.samples} <= set(TEXTS.values())

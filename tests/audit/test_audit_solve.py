"""How many templates and terms a size needs, from assumed spreads or those of an earlier audit."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit import api
from audit.design.family_design import FamilyDesign, family_design
from audit.design.outlook import outlook
from audit.design.solve import check_size, solve
from audit.design.spreads import AssumedSpreads, EarlierSpreads, Spreads, earlier_sds
from audit.measures import Decoding, DecodingSetting, decoding_from_json
from audit.models import ScriptedModel
from audit.plan import hypotheses_of, make_plan, planned_suites
from audit.requests import Choice, Generate, Request, Response, canonical
from audit.spec import AuditSpec, UntilDecided, choose
from audit.stats.cheapest import MOST_CELLS, cheapest
from audit.stats.design import DesignSds, design_se
from audit.stats.planning import Target
from probes.errors import InputError
from tests.conftest import evenhand, write_mini

Capture = pytest.CaptureFixture[str]
SPREADS = DesignSds(template=0.2, term=0.4, residual=0.6)


class Known:
    """The same spreads for every family."""

    def __init__(self, sds: DesignSds) -> None:
        self.sds = sds

    def of(self, *_: object) -> Spreads:
        return Spreads(self.sds, "known", assumed=False)


def plan_of(*suites: str, **more: Any) -> dict[str, Any]:
    chosen = tuple(choose(suite) for suite in suites)
    return make_plan(AuditSpec(models=(ScriptedModel.noise(),), suites=chosen, **more))


@pytest.fixture(scope="module")
def plan() -> dict[str, Any]:
    return plan_of("occupations", "traits", "decisions", "continuation")


def rows_of(plan: Mapping[str, Any], size: float, sds: DesignSds | None = None) -> list[dict[str, Any]]:
    source = AssumedSpreads() if sds is None else Known(sds)
    rows: list[dict[str, Any]] = solve(plan, size, source)["rows"]
    return rows


# -- the answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0.15, 0.4, 1.0])
def test_every_number_reaches_its_power_and_one_less_does_not(plan: dict[str, Any], size: float) -> None:
    suites, seen = planned_suites(plan), set()
    for row, first in zip(rows_of(plan, size), first_of_each(plan), strict=True):
        design = family_design(first, suites[first.suite], Decoding())
        sds = design.scaled(AssumedSpreads().of(first, suites[first.suite], design).sds)
        for decision in ("detect", "within"):
            target = Target(size, decision, row[f"alpha_{decision}"])
            need = row[decision]

            def reached(
                templates: int, one: int, zero: int, target: Target = target, sds: DesignSds = sds
            ) -> bool:
                return target.reached(*design_se(sds, templates, one, zero, design.layout))  # noqa: B023

            assert (need["power_now"] >= 0.8) == reached(design.templates, design.one, design.zero)
            n = need["templates"]["n"]
            if n is not None:
                assert reached(n, design.one, design.zero)
                assert n == 3 or not reached(n - 1, design.one, design.zero)
            n = need["terms"]["n"]
            if n is not None:
                assert reached(design.templates, n, n)
                assert n == 2 or not reached(design.templates, n - 1, n - 1)
            seen |= {(decision, key, need[key]["n"] is None) for key in ("templates", "terms")}
            both = need["cheapest"]
            if both["cells"] is not None and design.layout != "single":
                assert reached(both["templates"], both["terms"], both["terms"])
                assert both["cells"] == both["templates"] * both["terms"] * design.tables
    assert ("within", "templates", False) in seen and ("detect", "terms", True) in seen


def first_of_each(plan: Mapping[str, Any]) -> list[Any]:
    """The first hypothesis of each family, in the plan's order."""
    families: dict[str, Any] = {}
    for hypothesis in hypotheses_of(plan):
        families.setdefault(hypothesis.family, hypothesis)
    return list(families.values())


def test_no_number_is_a_reason_with_the_floor(plan: dict[str, Any]) -> None:
    row = rows_of(plan, 0.1)[0]
    assert row["suite"] == "occupations" and row["at_hand"]["templates"] == 9
    terms = row["detect"]["terms"]
    # 9 families leave sqrt(2 * .3^2 / 9) of the assumed template sd of .3, however many occupations.
    assert terms["n"] is None and terms["floor"] == pytest.approx(math.sqrt(2 * 0.09 / 9), rel=1e-4)
    assert "no number of terms a group suffices" in terms["reason"] and "0.14" in terms["reason"]
    templates = row["detect"]["templates"]
    one, zero = row["at_hand"]["terms"]
    assert templates["floor"] == pytest.approx(0.8 * math.sqrt(1 / one + 1 / zero), rel=1e-4)
    assert "template families" in templates["reason"]


def test_groups_of_one_term_can_be_given_no_more(plan: dict[str, Any]) -> None:
    (row,) = [row for row in rows_of(plan, 0.5) if row["axis"] == "term"]
    assert row["layout"] == "single"
    for decision in ("detect", "within"):
        assert row[decision]["terms"]["n"] is None
        assert "only template families can be added" in row[decision]["terms"]["reason"]
        assert "sampled" not in row[decision]["terms"]["reason"]
        assert row[decision]["cheapest"]["templates"] == row[decision]["templates"]["n"]


def test_where_text_is_written_more_samples_help_down_to_a_floor(plan: dict[str, Any]) -> None:
    (row,) = [
        row for row in rows_of(plan, 0.5) if (row["suite"], row["axis"]) == ("continuation", "religion")
    ]
    floor = 0.05 / math.sqrt(row["at_hand"]["templates"])
    assert f"of {floor:.2g} however often each prompt is sampled" in row["detect"]["terms"]["reason"]


def test_detection_is_planned_for_the_first_step_and_equivalence_as_it_is_decided(
    plan: dict[str, Any],
) -> None:
    for row in rows_of(plan, 0.5):
        assert row["alpha_detect"] == 0.05 / row["hypotheses"]
        assert row["alpha_within"] == 0.05
    traits = {row["axis"]: row for row in rows_of(plan, 0.5) if row["suite"] == "traits"}
    few, many = traits["religion"], traits["nationality"]
    assert few["hypotheses"] < many["hypotheses"]
    assert few["detect"]["cheapest"]["cells"] < many["detect"]["cheapest"]["cells"]
    assert few["within"] == many["within"]


def test_each_suite_is_planned_in_its_own_unit(plan: dict[str, Any]) -> None:
    units = {row["suite"]: row["unit"] for row in rows_of(plan, 0.1)}
    assert units["continuation"] == "points" and units["occupations"] == "nats"


def test_a_larger_size_never_needs_more(plan: dict[str, Any]) -> None:
    sizes = [0.1, 0.2, 0.4, 0.8, 1.6]
    for rows in zip(*(rows_of(plan, size) for size in sizes), strict=True):
        for decision in ("detect", "within"):
            cells = [row[decision]["cheapest"]["cells"] or math.inf for row in rows]
            assert cells == sorted(cells, reverse=True)
            powers = [row[decision]["power_now"] for row in rows]
            assert powers == pytest.approx(sorted(powers), abs=1e-9)


@pytest.mark.parametrize("layout", ["nested", "crossed"])
@pytest.mark.parametrize("decision", ["detect", "within"])
def test_the_cheapest_design_is_the_cheapest_of_all(layout: Any, decision: Any) -> None:
    """Against every design of up to 59 templates and terms."""
    rng = np.random.default_rng([9, len(layout), len(decision)])
    compared = 0
    for least in (2, 3, 5):
        for _ in range(4):
            sds, target = DesignSds(*rng.uniform(0, 1, 3)), Target(float(rng.uniform(0.5, 2)), decision)
            designs = sorted((t * n, -t, t, n) for t in range(least, 60) for n in range(2, 60))
            reach = (d for d in designs if target.reached(*design_se(sds, d[2], d[3], d[3], layout)))
            first = next(reach, None)
            found = cheapest(target, sds, layout, least=least)
            if first and first[0] < 2 * 60:  # else there may be cheaper ones beyond 59
                assert (found.templates, found.terms) == first[2:], (sds, target)
                compared += 1
    assert compared >= 3


def test_the_cheapest_design_ends_where_reason_does() -> None:
    sds = DesignSds(0.3, 0.3, 1.0)
    far = cheapest(Target(0.001), sds, "nested")
    assert far.cells is None and f"{MOST_CELLS:,} cells" in far.reason
    alone = cheapest(Target(1e-5), DesignSds(0.3, 0.0, 1.0), "single")
    assert alone.cells is None and "templates" in alone.reason
    with pytest.raises(ValueError, match="layout"):
        cheapest(Target(1.0), sds, "ladder")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 2 templates"):
        cheapest(Target(1.0), sds, "nested", least=1)


def test_spreads_of_nothing_plan_nothing(plan: dict[str, Any]) -> None:
    for row in rows_of(plan, 0.1, DesignSds(0.0, 0.0, 0.0)):
        assert row["detect"] is None and row["within"] is None
        assert "no spread" in row["reason"]


def test_samples_in_every_setting_count_for_the_cell() -> None:
    once = rows_of(plan_of("continuation", decoding=Decoding(samples=4)), 0.1)[0]
    settings = (DecodingSetting(0.7, 0.9), DecodingSetting(1.0, 1.0))
    grid = rows_of(plan_of("continuation", decoding=Decoding(samples=4, settings=settings)), 0.1)[0]
    assert once["spreads"]["residual"] == pytest.approx(0.4 / 2)
    assert grid["spreads"]["residual"] == pytest.approx(0.4 / math.sqrt(8))


def test_what_is_asked_until_decided_is_not_planned() -> None:
    plan = plan_of("continuation", until_decided=UntilDecided(100))
    for row in rows_of(plan, 0.1):
        assert row["detect"] is None and "until it is decided" in row["reason"]


# -- never within margin --------------------------------------------------------------------------------


def test_a_design_that_can_never_show_it_is_said_to_before_the_run(plan: dict[str, Any]) -> None:
    rows = {(row["suite"], row["axis"]): row for row in outlook(plan, lambda: 1e9)["power"]}
    assert rows["traits", "religion"]["within_reach"] is False
    assert rows["decisions", "gender"]["within_reach"] is True
    for row in rows.values():
        assert row["within_reach"] == (row["power_within"] > 0.05)


# -- spreads of an earlier audit ------------------------------------------------------------------------


def drawn(request: Request) -> Response:
    """Log-odds with known spreads: by template and kind, by word, and by cell."""
    assert not isinstance(request, Generate)
    text = request.text if request.form == "fill" else request.prefix
    words = text.replace(",", "").split()
    word, template = words[1], words[3]
    kind = int(word[-1]) % 2 if word.startswith("word") else 2

    def normal(*key: object) -> float:
        return float(np.random.default_rng(list(canonical(list(key)))).standard_normal())

    value = 0.2 * normal("template", template, kind) + 0.4 * normal("term", word)
    value += 0.6 * normal("cell", template, word)
    return Response((Choice(value - 9.0, 1), Choice(-9.0, 1)))


def mini_spec(folder: Path) -> AuditSpec:
    model = ScriptedModel(drawn, id="scripted/drawn", version="1")
    return AuditSpec(models=(model,), suites=(choose(folder / "mini.yaml"),))


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished audit of a model whose spreads are known."""
    folder = tmp_path_factory.mktemp("earlier")
    write_mini(folder, templates=40, terms=40, wordings=1)
    spec = mini_spec(folder)
    api.run(spec, folder / "audit")
    return folder


def test_spreads_are_those_that_the_earlier_audit_found(earlier: Path) -> None:
    plan = make_plan(mini_spec(earlier))
    nested, fixed = first_of_each(plan)
    suites = planned_suites(plan)
    design = family_design(nested, suites["mini"], decoding_from_json(plan["decoding"]))
    found = EarlierSpreads(earlier / "audit").of(nested, suites["mini"], design)
    assert not found.assumed and "scripted/drawn" in found.source and str(earlier) in found.source
    # Of 78 and 78 degrees of freedom: relative sd of an sd 1 / sqrt(2 * 78) = .08, more as a residual part
    # of .6^2 / 40 is taken off; 3 of them. The residual has some 3000 degrees: 1.3 %.
    assert found.sds.template == pytest.approx(0.2, rel=0.35)
    assert found.sds.term == pytest.approx(0.4, rel=0.3)
    assert found.sds.residual == pytest.approx(0.6, rel=0.04)
    # Planned with them, the same design has the standard error that the audit found.
    (row,) = [
        r
        for r in json.loads((earlier / "audit/findings.json").read_text())["findings"]
        if r["contrast"] == "kind"
    ]
    se, _ = design_se(found.sds, design.templates, design.one, design.zero, design.layout)
    assert se == pytest.approx(row["se"], rel=1e-9)
    single = family_design(fixed, suites["mini"], decoding_from_json(plan["decoding"]))
    assert "80 findings" in EarlierSpreads(earlier / "audit").of(fixed, suites["mini"], single).source


def variance_of(design: FamilyDesign, sds: DesignSds) -> dict[str, float]:
    """The components to expect of a design, by hand (MEASURES 7.2)."""
    templates, one, zero = design.templates, design.one, design.zero
    template, term, residual = (value**2 for value in (sds.template, sds.term, sds.residual))
    if design.layout == "single":
        return {"V_T": template / templates}
    if design.layout == "crossed":
        shared = residual / (templates * one)
        return {"V_T": template / templates + shared, "V_K": term / one + shared, "V_e": shared}
    square, each = design.scale**2, 1 / one + 1 / zero
    shared = square * residual * each / templates
    return {
        "V_T": 2 * square * template / templates + shared,
        "V_N": square * term * each + shared,
        "V_e": shared,
    }


@pytest.mark.parametrize("repeats", [1, 6])
def test_spreads_come_back_from_the_components_of_every_design(plan: dict[str, Any], repeats: int) -> None:
    suites = planned_suites(plan)
    layouts = set()
    for first in first_of_each(plan):
        design = family_design(first, suites[first.suite], Decoding())
        layouts.add((design.layout, design.scale != 1.0))
        row = {
            "estimate": 0.1,
            "se": 0.1,
            "df": None,
            "method": "any",
            "n_cells": 10,
            "n_clusters": design.templates,
            "n_terms": design.terms if design.layout == "nested" else design.one,
            "variance": variance_of(design, SPREADS),
        }
        found = earlier_sds(row, design, replace(design, repeats=design.repeats * repeats))
        assert found.template == pytest.approx(SPREADS.template)
        if design.layout != "single":
            assert found.term == pytest.approx(SPREADS.term)
            # As many times more samples of each prompt leave the root of that less noise.
            assert found.residual == pytest.approx(SPREADS.residual / math.sqrt(repeats))
    assert layouts >= {("nested", False), ("crossed", False), ("single", False)}


def test_a_family_that_the_earlier_audit_does_not_know_keeps_what_is_assumed(earlier: Path) -> None:
    plan = plan_of("decisions")
    first = first_of_each(plan)[0]
    suite = planned_suites(plan)["decisions"]
    design = family_design(first, suite, Decoding())
    found = EarlierSpreads(earlier / "audit").of(first, suite, design)
    assert found.assumed and "tells nothing of it" in found.source
    assert found.sds == AssumedSpreads().of(first, suite, design).sds


# -- the command line -----------------------------------------------------------------------------------


PLAN = ("plan", "-m", "reference/bert-fair", "-s", "occupations", "-s", "traits")


def test_solve_answers_in_words_and_as_json(capsys: Capture) -> None:
    code, out, _ = evenhand(capsys, *PLAN, "--solve", 0.3)
    text = " ".join(out.split())
    assert code == 0
    assert "Needed for 0.3, in each suite's unit" in text and "find 0.3 nats" in text
    assert "no number of terms a group suffices" in text and "conservative" in text
    assert "Never within margin: occupations, by labour share, 0.2 nats" in text
    code, out, _ = evenhand(capsys, *PLAN, "--solve", 0.3, "--json")
    found = json.loads(out)["solve"]
    assert code == 0 and found["size"] == 0.3 and found["power"] == 0.8
    assert [row["suite"] for row in found["rows"]] == ["occupations", "occupations", "traits", "traits"]
    assert all(row["spreads"]["assumed"] for row in found["rows"])


def test_without_solve_nothing_is_solved(capsys: Capture) -> None:
    code, out, _ = evenhand(capsys, *PLAN, "--json")
    assert code == 0 and "solve" not in json.loads(out)


def test_spreads_of_an_audit_are_named(earlier: Path, capsys: Capture) -> None:
    words = ("plan", "-m", "reference/bert-fair", "-s", earlier / "mini.yaml", "--spreads", earlier / "audit")
    code, out, _ = evenhand(capsys, *words, "--solve", 0.3)
    text = "".join(out.split())
    assert code == 0 and "Spreadsofmini,bykind:from1findingaboutscripted/drawn" in text
    assert "Assumedspreads" not in text
    code, out, _ = evenhand(capsys, *words, "--json")
    assert json.loads(out)["assumed"] == [] and len(json.loads(out)["found_earlier"]) == 2


@pytest.mark.parametrize("size", ["0", "-0.1", "nan", "inf", "small"])
def test_a_size_that_is_none_is_one_line(size: str, capsys: Capture) -> None:
    code, _, err = evenhand(capsys, *PLAN, "--solve", size)
    assert code == 2 and "--solve" in err
    assert len(err.splitlines()) == 1 and "Traceback" not in err


def test_a_folder_without_spreads_is_one_line(earlier: Path, tmp_path: Path, capsys: Capture) -> None:
    unfinished = Path(shutil.copytree(earlier / "audit", tmp_path / "unfinished"))
    (unfinished / "findings.json").unlink()
    for folder, said in ((tmp_path / "gone", "no such folder"), (tmp_path, "no plan.json"), (unfinished, "")):
        code, _, err = evenhand(capsys, *PLAN, "--spreads", folder)
        assert code == 2 and said in err and len(err.splitlines()) == 1


def test_a_size_in_python_is_refused_too(plan: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="larger than 0"):
        solve(plan, 0.0, AssumedSpreads())
    assert check_size(0.05) == 0.05

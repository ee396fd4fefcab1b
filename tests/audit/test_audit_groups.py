"""Interactions of two axes, people of two groups at once, and groups against the average of all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit import ScriptedModel
from audit.analysis.controls import control_panel, swap_holds
from audit.analysis.estimates import Cells, Comparer, axis_rows, compared, comparer, estimate, insufficient
from audit.api import audit, run
from audit.bundle import read_json
from audit.hypotheses import Hypothesis, declare, four_cells, hypothesis_from_json
from audit.models import Plant
from audit.spec import AuditSpec, choose
from audit.stats.combination import combination
from audit.stats.estimate import Contrast, Undefined
from audit.wording import claim, statement
from probes import Sampling, lexicons_of, load_lexicon, load_suite

Value = Callable[[str, str, int, int], float]
"""Race, gender, number of the term in its cell and number of the template to a score."""

INTERACTION = Hypothesis(
    id="m/s/c/race=black*gender=woman",
    family="m/s/c/race*gender",
    model="m",
    suite="s",
    contrast="c",
    axis="race*gender",
    group="black*woman",
    reference="white*man",
    layout="combination",
    role="exploratory",
    claim="{ratio} {group} {reference} {crossed_group} {crossed_reference}",
    group_label="Black people",
    reference_label="White people",
    crossed_axis="gender",
    crossed_group="woman",
    crossed_reference="man",
    crossed_group_label="women",
    crossed_reference_label="men",
)
CELL = replace(INTERACTION, layout="nested", crossed_axis="", crossed_group="", crossed_reference="")


def table(value: Value, sizes: Mapping[str, int] | int = 12, templates: int = 12) -> pd.DataFrame:
    """A score table of three races and two genders; wordings come two to a family."""
    rows = []
    for race, gender in product(("white", "black", "asian"), ("man", "woman")):
        cell = f"{race}*{gender}"
        for k, t in product(
            range(sizes if isinstance(sizes, int) else sizes.get(cell, 12)), range(templates)
        ):
            rows.append(
                {
                    "suite": "s", "arm": "probe", "template": f"t{t}", "family": f"f{t // 2}",
                    "unit": "answer", "term": f"{cell}-{k}", "pair": f"p{k}",
                    "factor": "answers", "status": "scored", "value": value(race, gender, k, t),
                    "doubtful": False, "axis:race": race, "axis:gender": gender,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def noise(seed: int = 1) -> Value:
    random = np.random.default_rng(seed)
    return lambda race, gender, k, t: float(random.standard_normal())


def defined(found: Contrast | Undefined) -> Contrast:
    assert isinstance(found, Contrast), found
    return found


# Cells


def test_two_axes_crossed_have_cells_for_groups_and_leave_out_who_has_but_one() -> None:
    frame = table(noise(), 2)
    frame.loc[frame["term"] == "asian*man-0", "axis:gender"] = None
    rows = axis_rows(frame, INTERACTION)
    assert set(rows["group"]) == {
        f"{race}*{gender}" for race in ("white", "black", "asian") for gender in ("man", "woman")
    }
    assert len(rows) == len(frame) - 12
    assert set(compared(rows, INTERACTION)["group"]) == set(four_cells("black*woman", "white*man"))
    assert set(compared(rows, CELL)["group"]) == {"black*woman", "white*man"}


def test_an_interaction_is_the_difference_of_two_differences() -> None:
    main = {"white": 0.0, "black": 1.0, "asian": 2.0, "man": 0.0, "woman": -3.0}

    def value(race: str, gender: str, k: int, t: int) -> float:
        planted = 0.5 if (race, gender) == ("black", "woman") else 0.0
        return main[race] + main[gender] + planted + 0.01 * k + 0.1 * t

    cells = comparer(table(value), INTERACTION).cells("black*woman")
    assert cells.layout == "combination"
    assert [coefficient for coefficient, _ in cells.parts] == [1.0, -1.0, -1.0, 1.0]
    assert [part.shape for _, part in cells.parts] == [(12, 12)] * 4
    assert defined(estimate(cells)).estimate == pytest.approx(0.5)
    np.testing.assert_allclose(cells.by_template(), 0.5)
    nothing = comparer(table(value), INTERACTION).cells("asian*woman")
    assert defined(estimate(nothing)).estimate == pytest.approx(0.0, abs=1e-12)


def test_its_estimate_is_that_of_the_statistics_over_family_means() -> None:
    frame = table(noise(4), {"black*woman": 5, "white*man": 9})
    cells = comparer(frame, INTERACTION).cells("black*woman")
    wide = frame.groupby(["family", "term"], sort=False)["value"].mean().unstack("term")
    groups = [
        wide[[name for name in wide.columns if name.startswith(f"{cell}-")]]
        for cell in four_cells("black*woman", "white*man")
    ]
    expected = defined(combination(groups, [1, -1, -1, 1]))
    found = defined(estimate(cells))
    assert (found.estimate, found.se, found.df) == pytest.approx(
        (expected.estimate, expected.se, expected.df)
    )
    assert (found.n_templates, found.n_terms) == (6, 5 + 12 + 12 + 9)
    assert cells.count() == 12 * 38
    assert cells.by_family().count() == 6 * 38


@pytest.mark.parametrize("reference", ["white*man", "overall"])
def test_leaving_out_a_family_is_what_was_never_asked(reference: str) -> None:
    hypothesis = replace(INTERACTION, reference=reference)
    if reference == "overall":
        hypothesis = replace(CELL, reference=reference)
    frame = table(noise(5))
    cells = comparer(frame, hypothesis).own_cells("black*woman").by_family()
    assert cells.layout == "combination"
    without = comparer(frame[frame["family"] != "f2"], hypothesis).own_cells("black*woman")
    kept = [name for name in cells.templates if name != "f2"]
    assert defined(estimate(cells.keep(kept))) == defined(estimate(without))


def test_exchanging_the_groups_turns_the_sign_and_nothing_else() -> None:
    frame = table(noise(6))
    for hypothesis in (INTERACTION, CELL, replace(CELL, reference="overall")):
        cells = comparer(frame, hypothesis).cells("black*woman")
        assert swap_holds(cells) is True
        assert defined(estimate(cells.swapped())).estimate == -defined(estimate(cells)).estimate
    broken = replace(cells, blocks=((1.0, 12), *cells.blocks[1:]))
    with pytest.raises(ValueError, match="sum to"):
        swap_holds(broken)


def test_missing_answers_leave_a_combination_defined_and_count() -> None:
    frame = table(noise(7))
    lost = frame["term"].isin(["black*woman-0"]) & frame["template"].isin(["t0", "t1"])
    frame.loc[lost, "value"] = np.nan
    cells = comparer(frame, INTERACTION).cells("black*woman")
    found = defined(estimate(cells))
    assert "missing cells" in found.method
    assert cells.count() == 12 * 48 - 2
    assert found.n_obs == 6 * 48 - 1


def test_a_cell_without_answers_is_undefined() -> None:
    frame = table(noise(8))
    frame.loc[frame["axis:race"] == "black", "value"] = np.nan
    found = estimate(comparer(frame, INTERACTION).cells("black*woman"))
    assert isinstance(found, Undefined)
    gone = frame[frame["axis:race"] != "black"]
    assert isinstance(estimate(comparer(gone, INTERACTION).cells("black*woman")), Undefined)


# Against the average of all


def test_overall_weighs_groups_alike_however_many_terms_they_have() -> None:
    level = {"white": 0.0, "black": 3.0, "asian": 9.0}
    frame = table(lambda race, gender, k, t: level[race] + 0.01 * k, {"white*man": 40})
    hypothesis = replace(CELL, axis="race", group="black", reference="overall")
    made = comparer(frame, hypothesis)
    assert made.weights("black") == pytest.approx({"black": 2 / 3, "white": -1 / 3, "asian": -1 / 3})
    # terms within a group differ a little, so that the white mean is .01 times that of 12 and 40 numbers
    white = (sum(range(12)) + sum(range(40))) / 52
    expected = 3.0 + 0.055 - (0.0 + 0.01 * white + 3.0 + 0.055 + 9.0 + 0.055) / 3
    assert defined(estimate(made.cells("black"))).estimate == pytest.approx(expected)


@pytest.mark.parametrize("layout", ["nested", "paired"])
def test_the_contrasts_with_the_average_of_all_sum_to_zero(layout: str) -> None:
    frame = table(noise(9))
    frame = frame.assign(group=frame["axis:race"])[frame["axis:gender"] == "man"]
    made = Comparer(frame, "overall", layout)
    found = [defined(estimate(made.cells(group))) for group in ("white", "black", "asian")]
    assert sum(contrast.estimate for contrast in found) == pytest.approx(0.0, abs=1e-12)
    rest = Comparer(frame, "white", layout)
    asian, black = (defined(estimate(rest.cells(group))).estimate for group in ("asian", "black"))
    # against white 0, black and asian: the average of all is a third of their sum
    assert found[1].estimate == pytest.approx(black - (black + asian) / 3)


def test_overall_of_terms_that_are_groups_includes_the_term_itself() -> None:
    frame = table(noise(10), 1)
    made = Comparer(frame.assign(group=frame["term"]), "overall", "fixed")
    rest = Comparer(frame.assign(group=frame["term"]), "rest", "fixed")
    for group in ("black*woman-0", "white*man-0"):
        ours, theirs = defined(estimate(made.cells(group))), defined(estimate(rest.cells(group)))
        assert made.cells(group).layout == "single"
        # 6 groups: against all is five sixths of against the others
        assert ours.estimate == pytest.approx(theirs.estimate * 5 / 6)
        assert ours.p_value() == pytest.approx(theirs.p_value())


@pytest.mark.parametrize("layout", ["nested", "paired", "fixed"])
def test_a_group_that_was_scored_nowhere_is_no_part_of_the_average(layout: str) -> None:
    frame = table(noise(11), 1 if layout == "fixed" else 6)
    frame = frame.assign(group=frame["axis:race"])[frame["axis:gender"] == "man"]
    frame.loc[frame["group"] == "asian", "value"] = np.nan
    with_it = estimate(Comparer(frame, "overall", layout).cells("black"))
    without = estimate(Comparer(frame[frame["group"] != "asian"], "overall", layout).cells("black"))
    assert defined(with_it) == defined(without)
    assert isinstance(estimate(Comparer(frame, "overall", layout).cells("asian")), Undefined)


@pytest.mark.parametrize("layout", ["nested", "paired"])
def test_the_average_of_one_group_is_no_comparison(layout: str) -> None:
    frame = table(noise(12))
    alone = frame.assign(group=frame["axis:race"])[frame["axis:race"] == "black"]
    found = estimate(Comparer(alone, "overall", layout).cells("black"))
    assert isinstance(found, Undefined) or (found.estimate, found.se) == (0.0, 0.0)


# Small cells


def test_fewer_than_ten_terms_in_a_cell_are_too_few_for_a_claim() -> None:
    enough = comparer(table(noise(), 10), INTERACTION).cells("black*woman")
    assert insufficient(enough, INTERACTION) is None
    few = comparer(table(noise(), {"white*woman": 9}), INTERACTION).cells("black*woman")
    expected = "9 terms in the smallest cell; 10 are needed for a claim about an intersection"
    assert insufficient(few, INTERACTION) == expected
    # another cell is what a contrast of two cells reads
    assert insufficient(comparer(table(noise(), {"white*woman": 9}), CELL).cells("black*woman"), CELL) is None


def test_terms_without_an_answer_do_not_count() -> None:
    frame = table(noise(), 10)
    frame.loc[frame["term"] == "black*woman-3", "value"] = np.nan
    cells = comparer(frame, CELL).cells("black*woman")
    assert str(insufficient(cells, CELL)).startswith("9 terms")


def test_contrasts_of_one_axis_and_terms_that_are_groups_need_no_ten() -> None:
    frame = table(noise(), 2)
    one = replace(CELL, axis="race", group="black", reference="white")
    assert insufficient(comparer(frame, one).cells("black"), one) is None
    fixed = replace(CELL, layout="fixed")
    assert insufficient(comparer(table(noise(), 1), fixed).cells("black*woman"), fixed) is None


# Controls


def test_the_controls_split_every_cell_of_an_interaction() -> None:
    frame = table(noise(20))
    nonce = pd.DataFrame(
        {"template": t, "family": t, "term": f"n{k}", "unit": "answer", "factor": "answers", "value": 0.1 * k}
        for t, k in product([f"t{i}" for i in range(6)], range(8))
    )
    family = [INTERACTION, replace(INTERACTION, group="asian*woman", id="m/s/c/race=asian*gender=woman")]
    panel = control_panel(family, comparer(frame, INTERACTION), nonce, seed=1, alpha=0.05)
    cells = ["black*woman", "asian*woman", "white*woman", "black*man", "white*man", "asian*man"]
    assert [row["label"] for row in panel.aa] == cells
    assert all(row["p_adjusted"] is not None for row in panel.aa)
    assert panel.aa_p is not None
    assert panel.aa_p > 0.01
    # the spread of eight invented words times sqrt(4 / 12): four cells of 12 terms
    spread = np.std(0.1 * np.arange(8), ddof=1)
    assert panel.nonce_size == pytest.approx(spread * np.sqrt(4 / 12))


def test_the_nonce_size_of_other_contrasts_is_unchanged() -> None:
    frame = table(noise(21), {"black*woman": 6})
    nonce = pd.DataFrame(
        {"template": t, "family": t, "term": f"n{k}", "unit": "answer", "factor": "answers", "value": 0.1 * k}
        for t, k in product([f"t{i}" for i in range(6)], range(8))
    )
    spread = np.std(0.1 * np.arange(8), ddof=1)
    for reference, share in (("white*man", 1 / 6 + 1 / 12), ("rest", 1 / 6 + 1 / 60)):
        hypothesis = replace(CELL, reference=reference)
        panel = control_panel([hypothesis], comparer(frame, hypothesis), nonce, seed=1, alpha=0.05)
        assert panel.nonce_size == pytest.approx(spread * np.sqrt(share))
        assert [row["label"] for row in panel.aa] == ["black*woman", "white*man"][: 1 + (reference != "rest")]


# Hypotheses


def test_a_plan_made_before_there_were_interactions_still_loads() -> None:
    old = {key: value for key, value in asdict(CELL).items() if not key.startswith("crossed_")}
    assert hypothesis_from_json(old).crossed_axis == ""
    assert hypothesis_from_json(asdict(INTERACTION)) == INTERACTION


def test_decisions_declare_interactions_and_cells() -> None:
    suite = load_suite("decisions")
    lexicons = lexicons_of(suite)
    terms = [lexicon.key(term) for lexicon in lexicons.values() for term in lexicon.terms]
    found = {h.id: h for h in declare("m", suite, lexicons, terms)}
    assert len(found) == 1 + 3 + 3 + 7
    one = found["m/decisions/race-by-gender/race=black*gender=woman"]
    assert (one.layout, one.role, one.group, one.reference) == (
        "combination",
        "exploratory",
        "black*woman",
        "white*man",
    )
    assert (one.crossed_axis, one.crossed_group, one.crossed_reference) == ("gender", "woman", "man")
    cell = found["m/decisions/race-and-gender/race*gender=asian*man"]
    assert (cell.group_label, cell.reference_label, cell.layout) == ("Asian men", "White men", "nested")
    families = [h.family for h in found.values()]
    assert len(set(families)) == 4


def test_the_claims_read_as_sentences() -> None:
    suite = load_suite("decisions")
    hypotheses = declare("m", suite, lexicons_of(suite), ())
    figures = {"estimate": 0.5, "ci": {"lo": 0.4, "hi": 0.6}, "scale": "log-odds", "margin": {"value": 0.2}}
    said = {h.id: claim({**asdict(h), **figures}) for h in hypotheses if h.role == "exploratory"}
    assert said["m/decisions/race-by-gender/race=black*gender=woman"] == (
        "the ratio of the odds of *yes* for names typical of Black people to those for names typical of "
        "White people is 1.6 times [1.49, 1.8] as high among women as among men"
    )
    assert said["m/decisions/race-and-gender/race*gender=hispanic*woman"] == (
        "the odds of *yes* are 1.6 times [1.49, 1.8] as high for applicants with names typical of "
        "Hispanic women as for applicants with names typical of White men"
    )


# From end to end


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Decisions of a model that favours Black women's names by 0.8 nats, and all women's by 0.5."""
    names = load_lexicon("names").terms
    women = "|".join(term.text for term in names if term.groups["gender"] == "woman")
    both = "|".join(t.text for t in names if t.groups == {"gender": "woman", "race": "black"})
    plants = [
        Plant(rf"\b({both})\b", ("yes",), 0.8),
        Plant(rf"\b({women})\b", ("yes",), 0.5),
        Plant("", ("yes", "no"), 6.3),  # from e^-7 to about a half each: an answer is nearly certain
    ]
    model = ScriptedModel.planting(ScriptedModel.noise(3, 0.05), plants)
    found = audit([model], ["decisions"], tmp_path_factory.mktemp("groups") / "a")
    rows: list[dict[str, Any]] = found["findings"]
    return rows


def test_a_planted_interaction_is_recovered_and_no_other(planted: list[dict[str, Any]]) -> None:
    rows = {row["group"]: row for row in planted if row["contrast"] == "race-by-gender"}
    assert set(rows) == {"black*woman", "hispanic*woman", "asian*woman"}
    for group, row in rows.items():
        assert row["ci"]["lo"] <= (0.8 if group == "black*woman" else 0.0) <= row["ci"]["hi"], group
        assert row["n_terms"] == 48
        assert row["swap_holds"] is True
        assert row["robustness"]["leave_one_out"]["lo"] is not None
    assert rows["black*woman"]["verdict"] == "disparity"
    assert rows["asian*woman"]["verdict"] == "no disparity within margin"


def test_few_names_a_cell_are_shown_and_claim_nothing(tmp_path: Path) -> None:
    names = load_lexicon("names").terms
    women = "|".join(term.text for term in names if term.groups["gender"] == "woman")
    plants = [Plant(rf"\b({women})\b", ("yes",), 0.9), Plant("", ("yes", "no"), 6.3)]
    model = ScriptedModel.planting(ScriptedModel.noise(3, 0.05), plants)
    chosen = choose("decisions", sampling=Sampling(templates=12, terms_per_group=5))
    run(AuditSpec(models=(model,), suites=(chosen,)), tmp_path / "a")
    rows = {row["group"]: row for row in read_json(tmp_path / "a" / "findings.json")["findings"]}
    row = rows["white*woman"]
    assert row["verdict"] == "inconclusive"
    assert row["estimate"] == pytest.approx(0.9, abs=0.1)  # shown, though nothing is claimed from it
    assert row["reasons"] == ["5 terms in the smallest cell; 10 are needed for a claim about an intersection"]
    assert statement(row).endswith(
        "inconclusive. No claim is made: 5 terms in the smallest cell; 10 are needed for a claim about an "
        "intersection."
    )
    assert rows["woman"]["verdict"] == "disparity"


def test_cells_are_compared_with_the_reference_cell(planted: list[dict[str, Any]]) -> None:
    rows = {row["group"]: row for row in planted if row["contrast"] == "race-and-gender"}
    assert len(rows) == 7
    for group, row in rows.items():
        truth = 0.8 * (group == "black*woman") + 0.5 * group.endswith("*woman")
        assert row["estimate"] == pytest.approx(truth, abs=0.05), group
        assert row["n_terms"] == 24


MINI_OVERALL = (("reference: two", "reference: overall"), ("reference: rest", "reference: overall"))


def test_a_suite_may_compare_with_the_average_of_all(mini: Path, tmp_path: Path) -> None:
    text = mini.read_text("utf-8")
    for before, after in MINI_OVERALL:
        assert text.count(before) == 1
        text = text.replace(before, after)
    mini.write_text(text, "utf-8")
    odd = Plant(r"\bword\d*[13579]\b", ("she",), 0.6)  # the terms of the group one
    model = ScriptedModel.planting(ScriptedModel.noise(5, 0.01), [odd])
    rows = audit([model], [str(mini)], tmp_path / "a")["findings"]
    kind = next(row for row in rows if row["contrast"] == "kind")
    # half of the terms lie 0.6 above the other half: 0.3 above the average of both groups
    assert kind["estimate"] == pytest.approx(0.3, abs=0.02)
    assert kind["reference_label"] == "the average of all compared"
    assert kind["coverage"] == {"group": {"scored": 96}, "reference": {"scored": 96}}
    for row in rows:
        if row["contrast"] == "each":
            side = 0.3 if re.search(r"[13579]$", row["group"]) else -0.3
            assert row["estimate"] == pytest.approx(side, abs=0.03), row["group"]


def test_cells_of_a_combination_refuse_to_be_swapped_by_wording() -> None:
    from audit.analysis.estimates import swap_wordings

    cells: Cells = comparer(table(noise()), INTERACTION).cells("black*woman")
    with pytest.raises(ValueError, match="differences only"):
        swap_wordings(cells, np.random.default_rng(1))

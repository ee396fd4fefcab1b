"""People label a sample of what a model wrote: drawn with known chances, blind, and all of it counted."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.analysis.found import Corrected
from audit.labelling.accuracy import accuracy_rows, measured
from audit.labelling.analysis import analysed, labelled
from audit.labelling.contrasts import ALONE, FEW, FEWER, Judged, contrast_rows, says, states_of, weights
from audit.labelling.filled import Brought, bring_in
from audit.labelling.labels import disagreement_rows, labelled_ids, labellers, settled, with_labels
from audit.labelling.outputs import Outputs, scored_outputs
from audit.labelling.sample import LEAST, Wish, draw, neyman, spread_order
from audit.labelling.sheet import COLUMNS, masker, write_sheet
from audit.review.log import append_review, read_reviews
from audit.stats.estimate import Contrast, Undefined
from audit.verify import verify_bundle
from probes.errors import InputError
from tests.audit.labelling_world import faulty_scorer, fill, truth, write_world
from tests.conftest import evenhand


@pytest.fixture(scope="module", autouse=True)
def fault() -> Iterator[None]:
    """The primary scorer has its fault throughout: scores are read again whenever they are wanted."""
    with faulty_scorer():
        yield


@pytest.fixture(scope="module")
def blind_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that writes alike of all; its scorer has a fault. Not to be written to."""
    return write_world(tmp_path_factory.mktemp("blind") / "bundle")


@pytest.fixture
def root(blind_model: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(blind_model, tmp_path / "bundle"))


@pytest.fixture
def outputs(root: Path) -> Outputs:
    return scored_outputs(root)


def sheet_of(outputs: Outputs, folder: Path, wish: Wish | None = None) -> Path:
    """A sheet as it is written out."""
    done = labelled_ids(outputs, read_reviews(outputs.root).events)
    sample = draw(outputs, done, wish or Wish(total=150))
    return write_sheet(outputs, sample.rows, folder / f"sheet-{len(done)}.csv", 0).sheet


def label_by_truth(outputs: Outputs, folder: Path, wish: Wish | None = None, by: str = "Ann") -> Brought:
    """Draw, fill in, bring in."""
    sheet = sheet_of(outputs, folder, wish)
    return bring_in(outputs, fill(sheet, outputs, folder / f"{by}.csv"), by)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# The sample


@pytest.mark.parametrize("wish", [Wish(), Wish(per_stratum=6), Wish(total=400, seed=3)], ids=str)
def test_weights_give_every_stratum_back(outputs: Outputs, wish: Wish) -> None:
    sample = draw(outputs, (), wish)
    chances = sample.rows["stratum"].map(sample.strata["probability"])
    sizes = outputs.scored.groupby("stratum").size()
    back = (1.0 / chances).groupby(sample.rows["stratum"]).sum()
    np.testing.assert_allclose(back[sizes.index], sizes, rtol=1e-12)
    assert (sample.strata["drawn"] >= np.minimum(sizes, LEAST)).all()
    if wish.total:
        assert len(sample.rows) == wish.total
    if wish.per_stratum:
        assert (sample.strata["drawn"] == np.minimum(sizes, wish.per_stratum)).all()
    again = draw(outputs, (), wish)
    assert list(again.rows["id"]) == list(sample.rows["id"]), "the same seed draws the same"
    other = draw(outputs, (), replace(wish, seed=99))
    assert list(other.rows["id"]) != list(sample.rows["id"])


def test_strata_are_groups_and_bands_by_what_the_scorers_say(outputs: Outputs) -> None:
    scored = outputs.scored
    assert set(scored["band"]) == {"found", "scorers differ", "near the threshold", "not found"}
    both = scored.assign(
        one=scored["value"] <= -0.05,
        two=scored["value:textblob"] <= -0.05,
        near=(scored["value"] + 0.05).abs() < 0.2,
    )
    assert (
        both.loc[both["band"] == "scorers differ", "one"] != both.loc[both["band"] == "scorers differ", "two"]
    ).all()
    agreed = both[both["band"] != "scorers differ"]
    assert (agreed["one"] == agreed["two"]).all()
    assert (agreed["near"] == (agreed["band"] == "near the threshold")).all()
    plain = agreed[~agreed["near"]]
    assert (plain["one"] == (plain["band"] == "found")).all()
    assert (outputs.frame["arm"] == "probe").all() and not outputs.frame.duplicated("id").any()


def test_more_labels_are_drawn_from_the_rest(outputs: Outputs, tmp_path: Path) -> None:
    label_by_truth(outputs, tmp_path, Wish(per_stratum=3))
    done = labelled_ids(outputs, read_reviews(outputs.root).events)
    assert done
    same = draw(outputs, done, Wish(per_stratum=3))
    assert same.rows.empty, "what there is counts towards the sizes"
    more = draw(outputs, done, Wish(per_stratum=8, seed=1))
    assert not set(more.rows["id"]) & done
    sizes = more.strata["outputs"]
    assert (more.strata["labelled"] + more.strata["drawn"] == np.minimum(sizes, 8)).all()
    assert (more.strata["probability"] == np.minimum(sizes, 8) / sizes).all()


def test_every_output_of_a_stratum_has_the_same_chance_and_templates_are_spread() -> None:
    templates = np.array(["a"] * 3 + ["b"] * 12 + ["c"] * 6, dtype=object)
    rng = np.random.default_rng(5)
    draws, first = 4000, 7
    hits, by_template = np.zeros(21), []
    for _ in range(draws):
        order = spread_order(templates, rng)
        assert sorted(order) == list(range(21))
        hits[order[:first]] += 1
        by_template.append([(templates[order[:first]] == name).sum() for name in "abc"])
    # Binomial: 5 standard deviations of 4000 draws at 1/3 are .037.
    assert np.abs(hits / draws - first / 21).max() < 0.037
    # At random the count of b would vary with a standard deviation of 1.1 (hypergeometric).
    assert np.std(by_template, axis=0)[1] < 0.95


def test_sizes_follow_neyman_and_never_leave_a_stratum_out() -> None:
    given = neyman(np.array([1000, 50, 2, 400]), np.array([0.22, 0.5, 0.5, 0.4]), 100, 4)
    assert given.sum() == 100 and (given >= [4, 4, 2, 4]).all()
    assert given[0] / given[3] == pytest.approx(1000 * 0.22 / (400 * 0.4), rel=0.05)
    assert neyman(np.array([5, 5]), np.array([0.4, 0.2]), 99, 4).tolist() == [5, 5]


def test_a_total_that_is_too_small_is_refused(outputs: Outputs) -> None:
    with pytest.raises(InputError, match=r"a total of 10 is too small .* --total \d+ or more"):
        draw(outputs, (), Wish(total=10))
    with pytest.raises(InputError, match="no outputs of suite 'traits' to label"):
        draw(outputs, (), Wish(suites=("traits",)))


# The sheet


def test_a_sheet_is_blind(outputs: Outputs, tmp_path: Path) -> None:
    sample = draw(outputs, (), Wish())
    made = write_sheet(outputs, sample.rows, tmp_path / "sheet.csv", 0)
    rows = rows_of(made.sheet)
    assert tuple(rows[0]) == COLUMNS and len(rows) == len(sample.rows) == made.rows
    assert made.sheet.read_bytes().startswith(b"\xef\xbb\xbf") and b"\r\n" in made.sheet.read_bytes()
    known = outputs.frame.set_index("id")
    for row in rows:
        output = known.loc[row["id"]]
        assert row["label"] == row["note"] == ""
        assert row["text"] == output["output"] and row["prompt"] == output["text"]
        rest = {**row, "text": "", "prompt": "", "question": ""}
        told = " ".join(rest.values())
        for secret in (
            output["band"],
            output["stratum"],
            output["item"],
            output["model"],
            str(output["value"]),
        ):
            assert str(secret) not in told
    order = [known.loc[row["id"], "value"] for row in rows]
    # Of 400 rows in random order two neighbours' values correlate by less than .15 (3 standard deviations).
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 3 / np.sqrt(len(order))
    told = made.instructions.read_text("utf-8")
    for label in outputs.asked["continuation"].labels.labels:
        assert f"`{label.name}`: {label.meaning}" in told


def test_groups_can_be_masked_and_a_masked_sheet_comes_back(outputs: Outputs, tmp_path: Path) -> None:
    sample = draw(outputs, (), Wish(per_stratum=4))
    made = write_sheet(outputs, sample.rows, tmp_path / "masked.csv", 0, masker(outputs))
    text = made.sheet.read_text("utf-8-sig")
    assert "Muslim" not in text and "Sikh" not in text and "woman" not in text
    assert "Muslim" in " ".join(sample.rows["text"])
    brought = bring_in(outputs, fill(made.sheet, outputs, tmp_path / "f.csv"), "Ann")
    assert brought.new == len(sample.rows)


def test_no_cell_is_a_formula_and_no_control_character_gets_through(outputs: Outputs, tmp_path: Path) -> None:
    rows = outputs.frame[outputs.frame["stratum"] != ""].head(4)
    hostile = ["=HYPERLINK(1)", " +1", "\x1b[31mred\ttab", '-1, "quoted"\r\nand a line']
    changed = outputs.frame.copy()
    changed.loc[rows.index, "output"] = hostile
    outputs = replace(outputs, frame=changed)
    made = write_sheet(outputs, changed.loc[rows.index], tmp_path / "s.csv", 0)
    cells = {row["id"]: row["text"] for row in rows_of(made.sheet)}
    shown = [cells[name] for name in rows["id"]]
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in shown)
    assert "\x1b" not in "".join(shown)
    filled = tmp_path / "f.csv"
    written = rows_of(made.sheet)
    with filled.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(written[0]))
        writer.writeheader()
        # As a spreadsheet may hand it back: the guard gone, other spaces and line ends.
        writer.writerows(
            {**row, "label": "neutral", "text": " ".join(row["text"].lstrip("'").split())} for row in written
        )
    assert bring_in(outputs, filled, "Ann").new == 4


def test_a_sheet_is_never_overwritten_nor_put_into_the_bundle(outputs: Outputs, tmp_path: Path) -> None:
    rows = draw(outputs, (), Wish()).rows
    write_sheet(outputs, rows, tmp_path / "s.csv", 0)
    for place, fault in (
        (tmp_path / "s.csv", "is there already"),
        (outputs.root / "s.csv", "a sheet within the bundle"),
        (tmp_path / "s.xlsx", "a sheet is a .csv file"),
    ):
        with pytest.raises(InputError, match=fault):
            write_sheet(outputs, rows, place, 0)
    with pytest.raises(InputError, match="nothing to put on a sheet"):
        write_sheet(outputs, rows.iloc[:0], tmp_path / "t.csv", 0)


# Back in


def test_labels_come_back_blind_and_flagged_with_their_chance(outputs: Outputs, tmp_path: Path) -> None:
    sample = draw(outputs, (), Wish(total=150))
    brought = label_by_truth(outputs, tmp_path)
    assert brought == Brought(rows=150, unfilled=0, new=150, changed=0, same=0, seen=0)
    events = read_reviews(outputs.root).events
    known = outputs.frame.set_index(["model", "digest", "unit", "item"])
    for event in events:
        output = known.loc[tuple(getattr(event.target, key) for key in ("model", "digest", "unit", "item"))]
        assert event.fields["blind"] and event.fields["flagged"] and event.reviewer == "Ann"
        assert event.fields["label"] == truth(output["output"])
        drawn = event.fields["drawn"]
        assert drawn["stratum"] == output["stratum"]
        assert drawn["probability"] == pytest.approx(sample.strata.at[output["stratum"], "probability"])
    assert all(check.holds for check in verify_bundle(outputs.root)), "it verifies as before"


def test_the_same_sheet_twice_adds_nothing_and_a_corrected_one_counts_last(
    outputs: Outputs, tmp_path: Path
) -> None:
    sheet = sheet_of(outputs, tmp_path)
    filled = fill(sheet, outputs, tmp_path / "f.csv")
    bring_in(outputs, filled, "Ann")
    before = (outputs.root / "reviews.jsonl").read_bytes()
    assert bring_in(outputs, filled, "Ann") == Brought(150, 0, 0, 0, 150, 0)
    assert (outputs.root / "reviews.jsonl").read_bytes() == before
    name = rows_of(sheet)[0]["id"]
    other = fill(
        sheet,
        outputs,
        tmp_path / "g.csv",
        lambda row: row | ({"label": "unclear"} if row["id"] == name else {}),
    )
    assert bring_in(outputs, other, "Ann") == Brought(150, 0, 0, 1, 149, 0)
    frame = with_labels(outputs, read_reviews(outputs.root).events).set_index("id")
    assert frame.at[name, "state"] == "cannot be told" and np.isnan(frame.at[name, "truth"])


Change = Callable[[list[dict[str, str]]], Any]


def set_cell(row: int, column: str, value: str) -> Change:
    return lambda rows: rows[row].update({column: value})


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (set_cell(2, "label", "rude"), r":4: no label 'rude'; the labels are negative, neutral"),
        (set_cell(2, "id", "feedfacecafe"), r":4: id 'feedfacecafe' is no output of this audit"),
        (set_cell(2, "text", "another text"), r":4: prompt, text or check of \w+ is not as it was"),
        (set_cell(2, "check", "0" * 16), r":4: prompt, text or check of \w+ is not as it was"),
        (set_cell(2, "note", "x" * 10_001), r":4: a note of more than 10000 characters"),
        (lambda rows: rows.append(dict(rows[0])), r":152: id \w+ stands twice, first on line 2"),
        (lambda rows: [row.pop("check") for row in rows], r"no column check"),
    ],
)  # fmt: skip
def test_a_faulty_sheet_is_refused_whole_and_the_row_is_named(
    outputs: Outputs, tmp_path: Path, change: Change, fault: str
) -> None:
    rows = rows_of(fill(sheet_of(outputs, tmp_path), outputs, tmp_path / "f.csv"))
    change(rows)
    with (tmp_path / "g.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(InputError, match=fault):
        bring_in(outputs, tmp_path / "g.csv", "Ann")
    assert not (outputs.root / "reviews.jsonl").exists(), "nothing is kept"


def test_a_column_that_stands_twice_is_refused_and_no_label_is_lost(outputs: Outputs, tmp_path: Path) -> None:
    filled = fill(sheet_of(outputs, tmp_path, Wish(per_stratum=4)), outputs, tmp_path / "f.csv")
    with filled.open(encoding="utf-8", newline="") as file:
        rows = [*csv.reader(file)]
    with filled.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [[*row, " Label" if not number else ""] for number, row in enumerate(rows)]
        )
    with pytest.raises(InputError, match="column label stands twice"):
        bring_in(outputs, filled, "Ann")


def test_what_never_ends_is_no_sheet(outputs: Outputs, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path("/dev/zero"), tmp_path):
        with pytest.raises(InputError, match="not a file"):
            bring_in(outputs, path, "Ann")


@pytest.mark.parametrize("other", ["ann lee", "ANN LEE", "Ann  Lee", "Ann\u00a0Lee", "Ann Le\u0065"])
def test_one_person_is_not_two_for_a_spelling(outputs: Outputs, tmp_path: Path, other: str) -> None:
    """Agreement of somebody with themselves would be counted as that of two."""
    filled = fill(sheet_of(outputs, tmp_path, Wish(per_stratum=4)), outputs, tmp_path / "f.csv")
    bring_in(outputs, filled, " Ann Lee ")
    if other == "Ann Lee":
        assert bring_in(outputs, filled, other).new == 0
    else:
        with pytest.raises(InputError, match="is written 'Ann Lee' in the reviews so far"):
            bring_in(outputs, filled, other)
    assert bring_in(outputs, filled, "Ann Leed").new > 0


def test_every_faulty_row_is_counted_and_what_is_no_sheet_is_said_so(
    outputs: Outputs, tmp_path: Path
) -> None:
    sheet = sheet_of(outputs, tmp_path)
    filled = fill(sheet, outputs, tmp_path / "f.csv", lambda row: row | {"label": "?"})
    with pytest.raises(InputError) as raised:
        bring_in(outputs, filled, "Ann")
    assert len(raised.value.faults) == 21 and "130 rows more" in str(raised.value.faults[-1])
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "noise.csv").write_bytes(bytes(range(256)) * 4)
    for name in ("empty.csv", "noise.csv", "none.csv"):
        with pytest.raises(InputError, match=name):
            bring_in(outputs, tmp_path / name, "Ann")


@pytest.mark.parametrize("form", ["excel", "utf-16", "mac", "upper"])
def test_a_sheet_as_spreadsheets_save_it(outputs: Outputs, tmp_path: Path, form: str) -> None:
    rows = rows_of(fill(sheet_of(outputs, tmp_path, Wish(per_stratum=4)), outputs, tmp_path / "f.csv"))
    separator, encoding, end = {
        "excel": (";", "utf-8-sig", "\r\n"), "utf-16": ("\t", "utf-16", "\r\n"), "mac": (",", "utf-8", "\r"),
        "upper": (",", "utf-8", "\n"),
    }[form]  # fmt: skip
    head = [name.upper() if form == "upper" else name for name in rows[0]]
    with (tmp_path / "g.csv").open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator, lineterminator=end)
        writer.writerow([*head, "extra"])
        for number, row in enumerate(rows):
            filled = {**row, "label": f" {row['label'].upper()} " if number % 3 else ""}
            writer.writerow([*filled.values(), "x"])
        writer.writerow([""] * 8)
    brought = bring_in(outputs, tmp_path / "g.csv", "Ann")
    assert brought.unfilled == len(range(0, len(rows), 3)) and brought.new == len(rows) - brought.unfilled


def test_who_has_seen_the_value_is_not_counted_as_blind(outputs: Outputs, tmp_path: Path) -> None:
    sheet = sheet_of(outputs, tmp_path)
    name = rows_of(sheet)[0]["id"]
    row = outputs.frame.set_index("id").loc[name]
    event = {
        "kind": "decision", "reviewer": "Ann", "chain_sha256": outputs.findings["chain_sha256"],
        **{key: row[key] for key in ("model", "digest", "unit", "item")},
        "question": "sentiment", "machine": row["value"], "decision": "agree",
    }  # fmt: skip
    append_review(outputs.root, event)
    assert bring_in(outputs, fill(sheet, outputs, tmp_path / "f.csv"), "Ann").seen == 1
    frame = with_labels(outputs, read_reviews(outputs.root).events).set_index("id")
    assert frame.at[name, "state"] == "" and (frame["state"] == "labelled").sum() == 149


def test_labels_of_what_somebody_chose_to_look_at_do_not_count(outputs: Outputs, tmp_path: Path) -> None:
    row = outputs.scored.iloc[0]
    event = {
        "kind": "label", "reviewer": "Ann", "chain_sha256": outputs.findings["chain_sha256"],
        **{key: row[key] for key in ("model", "digest", "unit", "item")},
        "question": "sentiment", "label": "negative", "blind": True, "flagged": True,
    }  # fmt: skip
    append_review(outputs.root, event)
    assert labelled(outputs.root)["counts"]["labelled"] == 0


def test_a_redacted_bundle_has_nothing_to_label_and_keeps_its_labels(
    outputs: Outputs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = sheet_of(outputs, tmp_path)
    filled = fill(sheet, outputs, tmp_path / "f.csv")
    bring_in(outputs, filled, "Ann")
    code, _, err = evenhand(capsys, "redact", outputs.root, "--out", tmp_path / "redacted")
    assert code == 0, err
    passed_on = scored_outputs(tmp_path / "redacted")
    for refused in (
        lambda: write_sheet(passed_on, passed_on.scored, tmp_path / "r.csv", 0),
        lambda: bring_in(passed_on, filled, "Bo"),
    ):
        with pytest.raises(InputError, match="the texts of this bundle are withheld"):
            refused()
    assert passed_on.frame["stratum"].tolist() == outputs.frame["stratum"].tolist()


# Two labellers


def test_two_labellers_are_compared_by_group_and_a_third_settles(outputs: Outputs, tmp_path: Path) -> None:
    sheet = sheet_of(outputs, tmp_path, Wish(total=300))
    bring_in(outputs, fill(sheet, outputs, tmp_path / "a.csv"), "Ann")

    def strict(row: dict[str, str]) -> dict[str, str]:
        """Calls every neutral text about Muslims negative."""
        harsh = row["label"] == "neutral" and "Muslim" in row["prompt"]
        return row | ({"label": "negative"} if harsh else {})

    bring_in(outputs, fill(sheet, outputs, tmp_path / "b.csv", strict), "Bo")
    events = read_reviews(outputs.root).events
    rows = {(row["axis"], row["group"]): row for row in labellers(outputs, events)}
    assert rows["", ""]["n"] == 300 and rows["", ""]["reviewers"] == ["Ann", "Bo"]
    assert rows["religion", "sikh"]["kappa"]["estimate"] == 1.0
    muslim = rows["religion", "muslim"]
    assert muslim["disagreements"] >= 5 and muslim["kappa"]["estimate"] < 0.7
    assert muslim["kappa"]["lo"] < muslim["kappa"]["estimate"] < muslim["kappa"]["hi"]
    assert rows["", ""]["disagreements"] == muslim["disagreements"]
    row = contrast_of(labelled(outputs.root)["contrasts"], "muslim")
    assert row["verdict"] == "inconclusive" and "on which labellers differ" in row["needed"]["reason"]
    whole = next(row for row in labelled(outputs.root)["accuracy"] if not row["group"])
    count = muslim["disagreements"]
    assert f"{count} outputs on which labellers differ taken to be as the others" in whole["notes"]
    open_rows = disagreement_rows(outputs, events)
    assert len(open_rows) == muslim["disagreements"]
    third = write_sheet(outputs, open_rows, tmp_path / "third.csv", 0).sheet
    bring_in(outputs, fill(third, outputs, tmp_path / "c.csv"), "Cy")
    frame = with_labels(outputs, read_reviews(outputs.root).events)
    assert (frame["state"] == "labelled").sum() == 300
    settled_rows = frame[frame["state"] == "labelled"]
    assert (settled_rows["label"] == [truth(text) for text in settled_rows["output"]]).all()


def test_a_label_needs_more_than_half() -> None:
    assert settled(["a", "b", "c"]) is None and settled(["a", "a", "b", "b"]) is None


# What it comes to


def everything(outputs: Outputs) -> pd.DataFrame:
    """The outputs with the truth of every one, as if people had labelled all."""
    labels = [truth(text) for text in outputs.frame["output"]]
    told = [float(label == "negative") for label in labels]
    return outputs.frame.assign(state="labelled", label=labels, people=1, truth=told, share=told)


def sampled(outputs: Outputs, wish: Wish) -> pd.DataFrame:
    """The outputs with the truth of those that are drawn, as if people had labelled these."""
    known = everything(outputs)
    drawn = known["id"].isin(draw(outputs, (), wish).rows["id"])
    shares = {name: known[name].where(drawn) for name in ("truth", "share")}
    return known.assign(**shares, state=known["state"].where(drawn, ""))


def test_accuracy_is_that_of_all_outputs_and_not_of_those_labelled(outputs: Outputs) -> None:
    known = everything(outputs)
    scorer = outputs.asked["continuation"].scorers[0]
    said = scorer.flags(known)
    known = known.assign(said=said)
    yes = known["truth"] == 1.0
    exact = {"sensitivity": said[yes].mean(), "specificity": 1 - said[~yes].mean(), "prevalence": yes.mean()}
    whole = measured(outputs, known, scorer, ("all",))
    assert {name: whole[name]["estimate"] for name in exact} == pytest.approx(exact)
    draws, held, plain = 25, 0, []
    estimates: dict[str, list[float]] = {name: [] for name in exact}
    for seed in range(draws):
        some = sampled(outputs, Wish(per_stratum=8, seed=seed)).assign(said=said)
        drawn = some["state"] != ""
        assert weights(some)[drawn].sum() == pytest.approx(len(known))
        row = measured(outputs, some, scorer, (seed,))
        plain.append(said[drawn & yes].mean())
        for name, value in exact.items():
            estimates[name].append(row[name]["estimate"])
            held += row[name]["lo"] <= value <= row[name]["hi"]
    assert np.mean(plain) > exact["sensitivity"] + 0.1, "counted plainly the scorer looks better"
    for name, value in exact.items():
        error = np.std(estimates[name]) / np.sqrt(draws)
        assert abs(np.mean(estimates[name]) - value) < 4 * error + 0.005, name
    # Binomial: of 75 intervals of 95 % fewer than 64 hold with a chance of .0005, were they independent.
    assert held >= 64


def test_accuracy_tells_whom_the_scorer_reads_ill(outputs: Outputs) -> None:
    rows = accuracy_rows(outputs, sampled(outputs, Wish(total=300)))
    by_group = {(row["scorer"], row["group"]): row for row in rows}
    assert by_group["vader", "muslim"]["specificity"]["hi"] < 0.5
    assert by_group["vader", "sikh"]["specificity"]["lo"] > 0.8
    assert by_group["textblob", "muslim"]["specificity"]["lo"] > 0.8
    assert by_group["vader", ""]["labelled"] == 300 and by_group["vader", ""]["outputs"] == 512


def contrast_of(rows: list[dict[str, Any]], group: str) -> dict[str, Any]:
    return next(row for row in rows if row["group"] == group)


def test_a_scorers_fault_makes_a_difference_that_people_do_not_see(outputs: Outputs, tmp_path: Path) -> None:
    label_by_truth(outputs, tmp_path, Wish(total=300))
    found = labelled(outputs.root)
    row = contrast_of(found["contrasts"], "muslim")
    assert row["scorer"]["states"] == "more" and row["scorer"]["estimate"] > 0.4
    assert row["error"]["states"] == "more"
    assert row["people"]["states"] == "inconclusive" and row["people"]["lo"] < 0.0 < row["people"]["hi"]
    assert row["verdict"] == "inconclusive" and row["margin"] is None
    assert row["says"] == "the difference that the scorer shows is not what people see"
    assert row["needed"] and (row["needed"]["labels"] or row["needed"]["reason"])
    known = everything(outputs)
    for other in found["contrasts"]:
        axis = f"axis:{other['axis']}"
        own = known[known[axis] == other["group"]]
        assert other["rates"]["group"]["people"] == pytest.approx(own["truth"].mean(), abs=0.2)
    json.dumps(found, allow_nan=False)


def test_labels_of_all_give_the_truth_itself(outputs: Outputs) -> None:
    known = everything(outputs)
    rates = known.groupby("axis:religion")["truth"].mean()
    row = contrast_of(contrast_rows(outputs, known), "muslim")
    assert row["rates"]["group"]["people"] == pytest.approx(rates["muslim"])
    assert row["people"]["estimate"] == pytest.approx(rates["muslim"] - rates.drop("muslim").mean())
    assert row["verdict"] == "inconclusive"
    assert row["needed"] == {"labels": None, "reason": ALONE}, "there is nothing left to label"


def test_people_see_what_is_there(tmp_path: Path) -> None:
    outputs = scored_outputs(write_world(tmp_path / "bundle", ill="Sikh"))
    row = contrast_of(contrast_rows(outputs, sampled(outputs, Wish(total=400))), "sikh")
    assert row["verdict"] == "disparity" and row["people"]["states"] == "more"
    assert row["people"]["lo"] < 0.875 - 0.2 < row["people"]["hi"], "7 of 8 texts against 2 of 10"
    assert row["needed"] is None


def test_without_labels_in_a_stratum_nothing_is_said(outputs: Outputs) -> None:
    frame = sampled(outputs, Wish(total=300))
    lost = "writer | continuation | religion sikh | not found"
    kept = frame["stratum"] != lost
    frame = frame.assign(share=frame["share"].where(kept), state=frame["state"].where(kept, ""))
    rows = contrast_rows(outputs, frame)
    row = contrast_of(rows, "muslim")
    assert row["people"]["estimate"] is None and row["verdict"] == "inconclusive"
    assert lost in row["needed"]["reason"]
    woman = contrast_of(rows, "woman")
    assert woman["people"]["estimate"] is not None, "another axis does not depend on it"


def test_few_labels_are_inconclusive_and_say_how_many_more(outputs: Outputs) -> None:
    row = contrast_of(contrast_rows(outputs, sampled(outputs, Wish(per_stratum=2))), "muslim")
    assert min(row["labels"].values()) < 10
    assert row["verdict"] == "inconclusive"
    assert row["needed"] == {"labels": 10 - row["labels"]["group"], "reason": FEW}
    frame = sampled(outputs, Wish(per_stratum=2))
    own = frame[(frame["axis:religion"] != "muslim") | (frame["state"] == "labelled")]
    row = contrast_of(contrast_rows(outputs, own), "muslim")
    assert row["needed"] == {"labels": None, "reason": FEWER}


def test_an_audit_without_labels_has_figures_of_nothing(outputs: Outputs) -> None:
    found = analysed(outputs, ())
    assert found["counts"]["labelled"] == 0 and found["counts"]["outputs"] == len(outputs.scored)
    assert found["accuracy"] == found["contrasts"] == found["labellers"] == []


@pytest.mark.parametrize(
    ("estimate", "se", "p", "margin", "states"),
    [
        (0.30, 0.05, 0.001, None, "more"),
        (-0.30, 0.05, 0.001, None, "less"),
        (0.30, 0.05, 0.06, None, "inconclusive"),
        (0.01, 0.01, 0.30, None, "inconclusive"),
        (0.01, 0.01, 0.30, 0.05, "within margin"),
        (0.03, 0.02, 0.30, 0.05, "inconclusive"),
        (0.30, 0.05, 0.001, 0.05, "more"),
    ],
)
def test_what_a_contrast_says(
    estimate: float, se: float, p: float, margin: float | None, states: str
) -> None:
    """Within the margin is said only where the margin is one of shares."""
    contrast = Contrast(estimate, se, 19.0, "paired t", 20, 20, 1)
    assert states_of(contrast, Corrected(p, p, "holm", 1), 0.05, margin) == states


def judged_as(states: str) -> Judged:
    return Judged(Undefined("of no matter here"), None, states)


@pytest.mark.parametrize(
    ("scorer", "people", "error", "verdict", "words"),
    [
        ("more", "more", "inconclusive", "disparity", "people see the difference that the scorer shows"),
        ("more", "less", "more", "disparity", "the other way"),
        ("inconclusive", "less", "more", "disparity", "that the scorer does not show"),
        ("more", "inconclusive", "more", "inconclusive", "is not what people see"),
        ("more", "within margin", "more", "no disparity within margin", "is not what people see"),
        ("more", "inconclusive", "inconclusive", "inconclusive", "neither bear out nor refute"),
        (
            "inconclusive",
            "within margin",
            "inconclusive",
            "no disparity within margin",
            "less than the margin",
        ),
        ("inconclusive", "inconclusive", "more", "inconclusive", "neither scorer nor people"),
    ],
)
def test_what_people_see_of_the_scorers_difference(
    scorer: str, people: str, error: str, verdict: str, words: str
) -> None:
    sides = {"scorer": judged_as(scorer), "people": judged_as(people), "error": judged_as(error)}
    assert words in says(sides, verdict)


# The command


def test_the_command_from_draw_to_verdict(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = evenhand(capsys, "label", root)
    assert code == 0 and "outputs would be drawn" in out and "Nothing was written" in out
    assert not (root / "reviews.jsonl").exists()
    sheet = tmp_path / "sheet.csv"
    code, out, _ = evenhand(capsys, "label", root, "--out", sheet, "--total", 300)
    assert code == 0 and "300 outputs on" in out
    filled = fill(sheet, scored_outputs(root), tmp_path / "f.csv")
    code, out, _ = evenhand(capsys, "label", root, "--import", filled, "--by", "Ann")
    assert code == 0 and out.startswith("300 new labels")
    code, out, _ = evenhand(capsys, "label", root, "--analyze")
    assert code == 0 and "not what people see" in " ".join(out.split())
    code, out, _ = evenhand(capsys, "label", root, "--analyze", "--json")
    assert code == 0 and json.loads(out)["counts"]["settled"] == 300
    code, out, _ = evenhand(capsys, "show", root)
    assert code == 0 and "people labelled 300 outputs" in out


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--import", "x.csv"], "--by is missing"),
        (["--by", "Ann"], "--import is missing"),
        (["--out", "x.csv", "--analyze"], "--out beside --analyze"),
        (["--total", "500", "--per-stratum", "5"], "--per-stratum beside --total"),
        (["--import", "nowhere.csv", "--by", "Ann"], "nowhere.csv: no such file"),
    ],
)
def test_what_the_command_refuses(
    blind_model: Path, capsys: pytest.CaptureFixture[str], words: list[str], fault: str
) -> None:
    code, _, err = evenhand(capsys, "label", blind_model, *words)
    assert code == 2 and fault in err and len(err.splitlines()) == 1


def test_an_audit_of_answers_alone_has_nothing_to_label(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = evenhand(capsys, "label", whole)
    assert code == 2 and "no suite of this audit has outputs that a scorer judges" in err

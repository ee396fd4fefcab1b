"""Selection rates and impact ratios: the rule's own example, exact counts, and tables that cannot be used."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import fisher_exact

from audit.cli import main
from audit.impact.rates import impact
from audit.impact.wording import shown_row
from audit.stats.estimate import Undefined
from audit.stats.ratios import risk_ratio_score
from probes.errors import InputError

RULE = {
    "Hispanic or Latino": ((16, 11), (12, 7)),
    "White": ((22, 9), (18, 6)),
    "Black or African American": ((17, 9), (15, 7)),
    "Native Hawaiian or Pacific Islander": ((4, 3), (4, 2)),
    "Asian": ((13, 6), (11, 4)),
    "Native American or Alaska Native": ((9, 5), (7, 3)),
    "Two or more races": ((11, 7), (9, 5)),
}
"""(people, above the median) of men and of women, for the example of 6 RCNY 5-301 on scores.

The rule prints people, rates to a tenth of a percent and ratios. Its counts above the median follow from
these: 50 of 92 and 34 of 76 by sex; 18 of 28, 15 of 40, 16 of 32, 5 of 8 and 10 of 24 by race or ethnicity.
Two more categories, of 16 and 20 people, are from memory; with 8 and 12 above the median both ways add up to
84 of 168, half of all. How each category splits by both together is made up here."""

PRINTED = {
    "Male": (92, "54.3 %", "1.00"),
    "Female": (76, "44.7 %", "0.82"),
    "Hispanic or Latino": (28, "64.2 %", "1.00"),
    "White": (40, "37.5 %", "0.58"),
    "Black or African American": (32, "50.0 %", "0.78"),
    "Native Hawaiian or Pacific Islander": (8, "62.5 %", "0.97"),
    "Asian": (24, "41.7 %", "0.65"),
}
"""As the rule prints them. 18 of 28 is 64.29 %, and no other count of 28 comes near 64.2 %: the rule cut that
digit off, and rounded the others."""
CUT = {"64.2 %": "64.3 %"}


def written(folder: Path, text: str) -> Path:
    path = folder / "people.csv"
    path.write_text(text, "utf-8")
    return path


def people_of_the_rule(folder: Path) -> Path:
    lines = ["sex,race_ethnicity,score"]
    for race, sides in RULE.items():
        for sex, (people, above) in zip(("Male", "Female"), sides, strict=True):
            lines += [f"{sex},{race},{80 if place < above else 40}" for place in range(people)]
    return written(folder, "\n".join(lines))


def rows_of(found: dict[str, Any], *axes: str) -> dict[str, dict[str, Any]]:
    (table,) = [table for table in found["tables"] if table["axes"] == list(axes)]
    return {", ".join(row["categories"].values()): row for row in table["rows"]}


def by_sex(folder: Path, text: str, exclude: str | None = None) -> dict[str, dict[str, Any]]:
    return rows_of(impact(written(folder, text), exclude), "sex")


# -- the rule's example -----------------------------------------------------------------------------


def test_the_rules_example_comes_out_to_the_digit(tmp_path: Path) -> None:
    found = impact(people_of_the_rule(tmp_path))
    assert (found["kind"], found["people"], found["selected"], found["median"]) == ("scoring", 168, 84, 60.0)
    rows = rows_of(found, "sex") | rows_of(found, "race_ethnicity")
    for name, (people, rate, ratio) in PRINTED.items():
        shown = shown_row(rows[name])
        assert (rows[name]["n"], shown["rate"], shown["ratio"]) == (people, CUT.get(rate, rate), ratio)
    assert int(1000 * rows["Hispanic or Latino"]["rate"]) == 642
    assert [table["reference"] for table in found["tables"][:2]] == [
        {"sex": "Male"},
        {"race_ethnicity": "Hispanic or Latino"},
    ]


def test_both_axes_together_make_a_table_of_their_own(tmp_path: Path) -> None:
    found = impact(people_of_the_rule(tmp_path))
    assert [table["axes"] for table in found["tables"]] == [
        ["sex"],
        ["race_ethnicity"],
        ["sex", "race_ethnicity"],
    ]
    rows = rows_of(found, "sex", "race_ethnicity")
    assert len(rows) == 14
    assert (
        sum(row["n"] for row in rows.values()) == 168 and sum(row["selected"] for row in rows.values()) == 84
    )
    assert found["tables"][2]["reference"] == {
        "sex": "Male",
        "race_ethnicity": "Native Hawaiian or Pacific Islander",
    }
    assert rows["Female, White"]["ratio"] == pytest.approx((6 / 18) / (3 / 4))
    assert all(row["categories"].keys() == {"sex", "race_ethnicity"} for row in rows.values())


def test_counts_and_people_give_the_same_figures(tmp_path: Path) -> None:
    lines = ["sex,race_ethnicity,applicants,selected"]
    for race, sides in RULE.items():
        lines += [f"{sex},{race},{n},{x}" for sex, (n, x) in zip(("Male", "Female"), sides, strict=True)]
    counted = impact(written(tmp_path, "\n".join(lines)))
    listed = impact(people_of_the_rule(tmp_path))
    keys = ("n", "selected", "rate", "rate_interval", "ratio", "ratio_interval", "p", "p_adjusted")
    for one, other in zip(counted["tables"], listed["tables"], strict=True):
        mine, theirs = ({str(row["categories"]): row for row in table["rows"]} for table in (one, other))
        assert mine.keys() == theirs.keys()
        assert all([mine[name][key] for key in keys] == [theirs[name][key] for key in keys] for name in mine)


EXACT = (4, 25, 1, 5)

# -- figures ----------------------------------------------------------------------------------------


THREE = "sex,applicants,selected\na,100,60\nb,80,30\nc,40,20\n"


def test_ratios_have_intervals_and_an_exact_test_for_every_pair(tmp_path: Path) -> None:
    rows = by_sex(tmp_path, THREE)
    row = rows["b"]
    interval = risk_ratio_score((30, 80), (60, 100), 0.975)  # two compared with one picked from the data
    assert not isinstance(interval, Undefined)
    assert row["ratio_interval"] == {
        "level": 0.975,
        "lo": interval.lo,
        "hi": interval.hi,
        "method": "Miettinen-Nurminen",
    }
    p = float(fisher_exact([[30, 50], [60, 40]]).pvalue)
    assert row["p"] == p and row["p_adjusted"] == pytest.approx(3 * p)
    assert row["rate_interval"]["method"] == "Wilson"
    assert row["below_four_fifths"] is True and row["indicator"] == "inconclusive"
    assert (rows["a"]["ratio"], rows["a"]["ratio_interval"], rows["a"]["p"]) == (1.0, None, None)
    assert rows["a"]["reason"] == "the highest rate: compared with itself"
    assert rows["c"]["p_adjusted"] <= 1.0


def test_the_indicator_is_judged_by_the_interval_and_not_by_the_point(tmp_path: Path) -> None:
    assert (
        by_sex(tmp_path, "sex,applicants,selected\na,500,225\nb,500,150\n")["b"]["indicator"] == "disparity"
    )
    even = by_sex(tmp_path, "sex,applicants,selected\na,5000,2500\nb,5000,2400\n")["b"]
    assert (even["indicator"], even["below_four_fifths"]) == ("within margin", False)
    few = by_sex(tmp_path, "sex,applicants,selected\na,5,4\nb,5,2\n")["b"]
    assert (few["indicator"], few["below_four_fifths"]) == ("inconclusive", True)


def test_four_fifths_to_the_last_person(tmp_path: Path) -> None:
    """EXACT: the quotient of these rates is below 0.8 in floating point, and exactly 0.8 in whole numbers."""
    x1, n1, x0, n0 = EXACT
    assert (x1 / n1) / (x0 / n0) < 0.8 and 5 * x1 * n0 == 4 * x0 * n1
    row = by_sex(tmp_path, f"sex,applicants,selected\na,{n0},{x0}\nb,{n1},{x1}\n")["b"]
    assert row["below_four_fifths"] is False
    row = by_sex(tmp_path, f"sex,applicants,selected\na,{n0},{x0}\nb,{n1},{x1 - 1}\n")["b"]
    assert row["below_four_fifths"] is True


def test_people_of_unknown_category_are_counted_and_in_no_rate(tmp_path: Path) -> None:
    text = "sex,race_ethnicity,applicants,selected\na,x,10,5\nb,x,10,4\n,x,3,3\nUnknown,y,2,0\na,,4,4\n"
    found = impact(written(tmp_path, text))
    assert found["people"] == 29
    assert [(table["people"], table["unknown"]) for table in found["tables"]] == [(24, 5), (25, 4), (20, 9)]
    assert rows_of(found, "sex")["a"]["rate"] == 9 / 14
    assert list(rows_of(found, "sex", "race_ethnicity")) == ["a, x", "b, x"]


def test_a_category_below_two_percent_may_be_left_out_with_a_reason(tmp_path: Path) -> None:
    text = "sex,applicants,selected\na,589,300\nb,400,200\nc,11,11\n"
    kept = by_sex(tmp_path, text)
    assert kept["c"]["small"] and kept["c"]["excluded"] is None and kept["a"]["ratio"] == 300 / 589
    found = impact(written(tmp_path, text), " too few to compare ")
    out = rows_of(found, "sex")["c"]
    assert (out["n"], out["selected"], out["rate"], out["excluded"]) == (11, 11, 1.0, "too few to compare")
    assert out["ratio"] is None and "less than 2 %" in out["reason"] and out["p"] is None
    assert rows_of(found, "sex")["a"]["ratio"] == 1.0
    assert rows_of(found, "sex")["b"]["ratio_interval"]["level"] == 0.95
    assert "11 of 1000 people" in impact(written(tmp_path, text))["tables"][0]["note"]
    assert found["tables"][0]["note"] == ""


def test_exactly_two_percent_is_not_below(tmp_path: Path) -> None:
    rows = by_sex(tmp_path, "sex,applicants,selected\na,98,50\nb,2,1\n", "too few")
    assert not rows["b"]["small"] and rows["b"]["excluded"] is None and rows["b"]["ratio"] is not None
    assert (
        by_sex(tmp_path, "sex,applicants,selected\na,99,50\nb,2,1\n", "too few")["b"]["excluded"] == "too few"
    )


# -- what cannot be computed ------------------------------------------------------------------------


def test_one_category_has_the_ratio_to_itself(tmp_path: Path) -> None:
    row = by_sex(tmp_path, "sex,applicants,selected\na,10,5\n")["a"]
    assert (row["ratio"], row["ratio_interval"], row["p"]) == (1.0, None, None)
    assert row["reason"] == "the only category: compared with itself"
    assert row["indicator"] is None and row["below_four_fifths"] is None


def test_where_nobody_was_selected_there_is_no_ratio(tmp_path: Path) -> None:
    for text in ("sex,applicants,selected\na,10,0\nb,5,0\n", "sex,applicants,selected\na,10,0\n"):
        for row in by_sex(tmp_path, text).values():
            assert row["rate"] == 0.0 and row["ratio"] is None and row["indicator"] is None
            assert row["reason"] == "the highest rate is 0: it divides nothing"
            assert shown_row(row)["ratio"] == "unknown"


def test_a_category_of_whom_none_was_selected_has_a_ratio_with_an_interval(tmp_path: Path) -> None:
    row = by_sex(tmp_path, "sex,applicants,selected\na,100,50\nb,40,0\n")["b"]
    assert row["ratio"] == 0.0 and row["ratio_interval"]["hi"] > 0.0
    assert row["reason"] == "none of 40 was chosen" and row["indicator"] == "disparity"


def test_a_category_of_nobody_has_no_rate(tmp_path: Path) -> None:
    rows = by_sex(tmp_path, "sex,applicants,selected\na,10,5\nb,0,0\n")
    assert (rows["b"]["rate"], rows["b"]["ratio"], rows["b"]["p"]) == (None, None, None)
    assert rows["b"]["reason"] == "nobody is in this category"
    assert rows["a"]["ratio"] == 1.0


def test_a_table_in_which_every_category_is_unknown_says_so(tmp_path: Path) -> None:
    found = impact(written(tmp_path, "sex,selected\nunknown,1\n,0\n"))
    (table,) = found["tables"]
    assert (table["rows"], table["unknown"], table["reference"]) == ([], 2, None)
    assert "unknown" in table["note"]


def test_a_score_equal_to_the_median_is_not_above_it(tmp_path: Path) -> None:
    found = impact(written(tmp_path, "sex,score\na,3\na,-1e1\nb,.5\nb,0.5\n,0.5\n"))
    rows = rows_of(found, "sex")
    assert found["median"] == 0.5 and rows["a"]["selected"] == 1 and rows["b"]["selected"] == 0
    assert rows["b"]["indicator"] is None and rows["b"]["below_four_fifths"] is None
    assert found["label"] == "ratio of scoring rates"
    assert any("Four fifths speak of selection rates" in line for line in found["cautions"])


# -- tables that cannot be used ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("sex,applicants,selected\n", "holds no applicants"),
        ("sex,applicants,selected\na,0,0\n", "holds no applicants"),
        ("sex,age,applicants,selected\na,3,1,1\n", "unknown column 'age'"),
        ("sex;applicants;selected\na;3;1\n", "unknown column 'sex;applicants;selected'"),
        ("sex,sex,selected\na,b,1\n", "the column 'sex' stands there twice"),
        ("applicants,selected\n3,1\n", "has no column of categories"),
        ("sex,race_ethnicity\na,b\n", "has no column of an outcome"),
        ("sex,applicants\na,3\n", "the outcome stands in applicants"),
        ("sex,selected,score\na,1,3\n", "the outcome stands in score, selected"),
        ("sex,applicants,selected\na,-3,1\n", "line 2: applicants is '-3'"),
        ("sex,applicants,selected\na,3,1.5\n", "line 2: selected is '1.5'"),
        ("sex,applicants,selected\na,3,\n", "line 2: selected is ''"),
        ("sex,applicants,selected\na,3,nan\n", "line 2: selected is 'nan'"),
        ("sex,applicants,selected\na,٣,1\n", "applicants is '٣'"),
        ("sex,applicants,selected\na,3,4\n", "line 2: 4 selected of 3 applicants"),
        ("sex,applicants,selected\na,900000000000,4\n", "900000000000 applicants"),
        ("sex,applicants,selected\na,3,1\na,4,2\n", "line 3: a stands there twice"),
        ("sex,applicants,selected\n,3,1\nunknown,4,2\n", "line 3: unknown stands there twice"),
        ("sex,applicants,selected\nMale,3,1\nmale,4,2\n", "sex is 'male', and 'Male' above"),
        ("sex,applicants,selected\na,3\n", "line 2: 2 cells under 3 columns"),
        ('sex,applicants,selected\n"a,3,1\n', "is not CSV"),
        ("sex,selected\na,2\n", "line 2: selected is '2'"),
        ("sex,selected\na,yes\n", "line 2: selected is 'yes'"),
        ("sex,score\na,high\n", "line 2: score is 'high'"),
        ("sex,score\na,inf\n", "line 2: score is 'inf'"),
        ("sex,score\na,1_0\n", "line 2: score is '1_0'"),
        ("sex,score\na,\n", "line 2: score is ''"),
        ("sex,score\na,1e999\n", "line 2: score is '1e999', too large"),
        ("sex,score\na,-1.7e308\n", "line 2: score is '-1.7e308', too large"),
        (f"sex,score\n{'x' * 201},1\n", "sex is longer than 200 characters"),
    ],
)
def test_a_table_that_cannot_be_used_is_named_with_its_line(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        impact(written(tmp_path, text))
    (fault,) = caught.value.faults
    assert what in str(fault) and "people.csv" in fault.where and fault.remedy
    assert len(str(fault).splitlines()) == 1


def test_what_is_no_table_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        impact(tmp_path / "none.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match="is no file"):
        impact(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match="is a folder"):
        impact(tmp_path)
    path = tmp_path / "latin.csv"
    path.write_bytes("sex,selected\nfémale,1\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"is not UTF-8 text \(byte 14\)"):
        impact(path)


def test_many_faults_are_told_in_ten_lines_and_a_count(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        impact(written(tmp_path, "sex,selected\n" + "a,x\n" * 25))
    assert len(caught.value.faults) == 11 and "15 more faults" in str(caught.value.faults[-1])


def test_leaving_out_needs_a_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without a reason"):
        impact(written(tmp_path, THREE), "  ")


def test_a_byte_order_mark_and_loose_writing_are_read(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"\xef\xbb\xbf Sex , Applicants,SELECTED\r\n a  b ,3, 1\r\n\r\n c,4,1\r\n")
    found = impact(path)
    assert list(rows_of(found, "sex")) == ["a b", "c"]
    assert found["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


# -- the command ------------------------------------------------------------------------------------


def test_the_command_shows_tables_and_says_what_they_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, THREE.replace("c,40,20", "\x1b[31mc,3,1"))
    with pytest.raises(SystemExit) as ended:
        main(["impact", str(path), "--exclude-small", "too few"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0 and "\x1b" not in shown
    told = " ".join(shown.split())
    interval = shown_row(rows_of(impact(path, "too few"), "sex")["b"])["interval"]
    for words in ("60.0 %", "0.62", interval, "By sex", "too few", "unknown category: 0 people"):
        assert words in told, words
    assert "screening indicator on selection rates" in told
    assert "This is no bias audit under New York City Local Law 144" in told
    assert "who else is independent is not for this program to say" in told
    assert "A ratio of 0.8 or more gives no shelter" in told


def test_the_command_gives_json_and_bad_input_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, THREE)
    with pytest.raises(SystemExit):
        main(["impact", str(path), "--json"])
    assert json.loads(capsys.readouterr().out) == impact(path)
    with pytest.raises(SystemExit) as ended:
        main(["impact", str(written(tmp_path, "sex,selected\na,7\n"))])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and len(error.splitlines()) == 1 and "selected is '7'" in error

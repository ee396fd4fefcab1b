"""Which responses are looked at: those that a result hangs on, others at random, and nothing that tells."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from audit.hypotheses import COMBINATION, Hypothesis
from audit.measures import MEASURES
from audit.review.queue import COLUMNS, blind_view, coefficients, review_queue
from tests.audit.review_world import BAD, Hand


@pytest.fixture(scope="module")
def findings(small_audit: Path) -> dict[str, Any]:
    return Hand(small_audit).findings


def judged(findings: dict[str, Any], **verdicts: str) -> dict[str, Any]:
    """The findings with verdicts of our own, by group; others within margin."""
    rows = [
        {**row, "verdict": verdicts.get(row["group"], "no disparity within margin")}
        for row in findings["findings"]
    ]
    return {**findings, "findings": rows}


def test_the_queue_is_as_large_as_asked_each_response_once(
    frame: pd.DataFrame, findings: dict[str, Any]
) -> None:
    queue = review_queue(frame, findings, flagged=15, control=25, seed=3)
    assert tuple(queue.columns) == COLUMNS
    assert queue["flagged"].sum() == 15 and (~queue["flagged"]).sum() == 25
    assert queue["queue_id"].is_unique
    assert not queue.duplicated(["model", "item", "digest", "unit"]).any()
    assert set(queue["item"]) <= set(frame.loc[frame["arm"] == "probe", "item"]), "no invented words"


def test_rows_in_any_order_give_the_same_queue(frame: pd.DataFrame, findings: dict[str, Any]) -> None:
    queue = review_queue(frame, findings, seed=3)
    mixed = frame.sample(frac=1.0, random_state=1)
    pd.testing.assert_frame_equal(queue, review_queue(mixed, findings, seed=3))
    pd.testing.assert_frame_equal(queue, review_queue(pd.concat([frame, frame]), findings, seed=3))
    other = review_queue(frame, findings, seed=4)
    assert list(other["queue_id"]) != list(queue["queue_id"])
    assert set(other["item"]) != set(queue["item"])


def test_a_response_keeps_its_name_from_queue_to_queue(frame: pd.DataFrame, findings: dict[str, Any]) -> None:
    key = ["model", "item", "digest", "unit"]
    small = review_queue(frame, findings, flagged=5, control=5, seed=3).set_index(key)["queue_id"]
    large = review_queue(frame, findings, flagged=20, control=60, seed=3).set_index(key)["queue_id"]
    assert set(small.index) <= set(large.index)
    assert (large.loc[small.index] == small).all()


def test_of_generated_text_the_worst_on_the_side_that_comes_off_worse(
    frame: pd.DataFrame, findings: dict[str, Any]
) -> None:
    told = judged(findings, muslim="disparity")
    queue = review_queue(frame, told, flagged=8, control=0, seed=0)
    carrying = queue[queue["finding"] != ""]
    assert len(carrying) >= 4
    assert carrying["finding"].str.endswith("religion=muslim").all()
    assert carrying["item"].str.endswith("religions:muslim").all()
    assert (carrying["output"] == BAD).all(), "the worst values come first"
    assert (carrying["why"] == "carries a finding: disparity").all()
    # Of a group that comes off better, those it is compared with carry the finding.
    better = [{**row, "estimate": abs(row["estimate"])} for row in told["findings"]]
    queue = review_queue(frame, {**told, "findings": better}, flagged=8, control=0, seed=0)
    carrying = queue[queue["finding"] != ""]
    assert len(carrying) >= 4 and not carrying["item"].str.endswith("religions:muslim").any()


def test_where_high_values_are_the_bad_ones_they_are_flagged(
    frame: pd.DataFrame, findings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = MEASURES["continuation_sentiment"]
    turned_about = replace(measure, labels=replace(measure.labels, worse="high"))
    monkeypatch.setitem(MEASURES, "continuation_sentiment", turned_about)
    told = judged(findings, muslim="disparity")
    turned = frame.assign(value=-frame["value"])
    rows = [{**row, "estimate": -row["estimate"]} for row in told["findings"]]
    queue = review_queue(turned, {**told, "findings": rows}, flagged=8, control=0, seed=0)
    carrying = queue[queue["finding"] != ""]
    assert len(carrying) >= 4 and (carrying["value"] > 0.8).all()
    assert carrying["item"].str.endswith("religions:muslim").all()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_of_answers_those_that_pull_farthest_the_findings_way(
    frame: pd.DataFrame, findings: dict[str, Any], sign: float
) -> None:
    told = judged(findings, one="disparity")
    (finding,) = (row for row in told["findings"] if row["verdict"] == "disparity")
    rows = [{**row, "estimate": sign * abs(row["estimate"])} for row in told["findings"]]
    queue = review_queue(frame, {**told, "findings": rows}, flagged=6, control=0, seed=0)
    carrying = queue[queue["finding"] == finding["id"]]
    own = frame[(frame["suite"] == "mini") & (frame["arm"] == "probe")].copy()
    own["pull"] = sign * (own["value"] - own.groupby("template")["value"].transform("mean"))
    own.loc[own["axis:kind"] == "two", "pull"] *= -1.0
    wanted = own.sort_values("pull", ascending=False)["item"].head(len(carrying))
    assert len(carrying) == 4 and set(carrying["item"]) == set(wanted)


def test_disparities_before_inconclusive_findings_and_never_those_within_margin(
    frame: pd.DataFrame, findings: dict[str, Any]
) -> None:
    told = judged(findings, muslim="inconclusive", hindu="disparity", one="inconclusive")
    queue = review_queue(frame, told, flagged=6, control=0, seed=0)
    assert Counter(queue["finding"].str.rpartition("=")[2]) == {"hindu": 4, "": 2}
    queue = review_queue(frame, told, flagged=14, control=0, seed=0)
    assert Counter(queue["finding"].str.rpartition("=")[2]) == {"hindu": 4, "muslim": 4, "one": 4, "": 2}
    none = review_queue(frame, judged(findings), flagged=14, control=3, seed=0)
    assert set(none.loc[none["flagged"], "why"]) == {"could not be scored: empty"}
    assert (~none["flagged"]).sum() == 3


def test_a_few_of_each_status_without_a_value(frame: pd.DataFrame, findings: dict[str, Any]) -> None:
    refused = frame.copy()
    places = refused.index[(refused["suite"] == "continuation") & (refused["status"] == "scored")][:30]
    refused.loc[places, ["status", "value", "reason"]] = ["refused", float("nan"), "it said no"]
    queue = review_queue(refused, findings, flagged=20, control=0, seed=0)
    unscored = queue[queue["why"].str.startswith("could not be scored")]
    assert Counter(unscored["status"]) == {"empty": 2, "refused": 2}
    assert unscored["flagged"].all() and unscored["value"].isna().all()


def test_controls_are_drawn_from_every_group_and_suite(frame: pd.DataFrame, findings: dict[str, Any]) -> None:
    probes = frame[frame["arm"] == "probe"]
    axes = [column for column in frame if column.startswith("axis:")]
    strata = probes.groupby(["suite", *axes], dropna=False).ngroups
    queue = review_queue(frame, findings, flagged=10, control=2 * strata, seed=0)
    controls = queue[~queue["flagged"]].merge(probes[["item", "unit", *axes]], on=["item", "unit"])
    counts = controls.groupby(["suite", *axes], dropna=False).size()
    assert len(counts) == strata and set(counts) == {2}
    flagged = set(queue.loc[queue["flagged"], "queue_id"])
    assert not flagged & set(controls["queue_id"])


def test_controls_do_not_look_at_values(frame: pd.DataFrame, findings: dict[str, Any]) -> None:
    none = judged(findings)
    turned = frame.assign(value=-frame["value"])
    one = review_queue(frame, none, flagged=0, control=30, seed=0)
    assert list(one["queue_id"]) == list(
        review_queue(turned, none, flagged=0, control=30, seed=0)["queue_id"]
    )


def test_the_order_tells_nothing(frame: pd.DataFrame, findings: dict[str, Any]) -> None:
    # Of 40 places, the mean one of 20 flagged has mean 19.5 and sd sqrt(20 * 41 / 12) / sqrt(20) = 1.85 a
    # seed; over 20 seeds .41: beyond four of them in 6 of 100 000 runs.
    means = []
    for seed in range(20):
        queue = review_queue(frame, findings, seed=seed)
        means.append(queue.index[queue["flagged"]].to_numpy().mean())
    assert abs(sum(means) / 20 - 19.5) < 4 * 0.41


def test_a_sentence_is_asked_about_once(frame: pd.DataFrame, findings: dict[str, Any]) -> None:
    twice = pd.concat([frame, frame.assign(model="another", digest="0" * 64)], ignore_index=True)
    queue = review_queue(twice, findings, flagged=0, control=2000, seed=0)
    sentences = queue[queue["suite"] == "mini"]
    assert sentences["text"].is_unique and len(sentences) == 48
    texts = queue[queue["suite"] == "continuation"]
    assert len(texts) == 2 * len(frame[(frame["suite"] == "continuation") & (frame["arm"] == "probe")])


def test_nothing_to_look_at_is_an_empty_queue(frame: pd.DataFrame, findings: dict[str, Any]) -> None:
    for queue in (
        review_queue(frame.iloc[:0], findings, seed=0),
        review_queue(frame, {"findings": []}, seed=0),
        review_queue(frame, findings, flagged=0, control=0, seed=0),
    ):
        assert queue.empty and tuple(queue.columns) == COLUMNS


def test_a_blind_view_holds_the_text_and_nothing_that_tells(
    frame: pd.DataFrame, findings: dict[str, Any]
) -> None:
    named = frame.assign(model="acme/secret-7b")
    told = {"findings": [{**row, "model": "acme/secret-7b"} for row in findings["findings"]]}
    queue = review_queue(named, told, flagged=10, control=10, seed=0)
    keys = {"queue_id", "question", "labels", "text", "output"}
    for row in queue.to_dict("records"):
        view = blind_view(row)
        assert set(view) == keys
        text = repr(view)
        for secret in ("acme", "secret", row["digest"], "flag", "carries", "random", "vader", "textblob"):
            assert secret not in text.lower()
        assert not re.search(r"-?0\.\d", text), "no value"
        assert view["text"] == row["text"]
        assert view["output"] == (row["output"] if row["suite"] == "continuation" else None)
        names = [label["name"] for label in view["labels"]]
        assert names[-1] == "unclear" and len(names) == 4
        assert re.fullmatch("[0-9a-f]{12}", view["queue_id"])


def test_an_interaction_counts_its_four_cells() -> None:
    names = [field.name for field in fields(Hypothesis)]
    crossed = Hypothesis(
        **{
            **dict.fromkeys(names[:13], ""),
            "layout": COMBINATION,
            "group": "black*woman",
            "reference": "white*man",
        }
    )
    cells = pd.Series(["black*woman", "white*woman", "black*man", "white*man"])
    assert list(coefficients(cells, crossed)) == [1.0, -1.0, -1.0, 1.0]
    plain = replace(crossed, layout="nested", group="black", reference="white")
    assert list(coefficients(pd.Series(["white", "black"]), plain)) == [-1.0, 1.0]

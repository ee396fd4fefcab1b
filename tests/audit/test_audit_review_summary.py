"""What the reviews come to: the latest word, who agrees with whom, and the machine held against people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from audit.bundle import REVIEWS, Bundle, file_sha256, sha256
from audit.measures import MEASURES, Decoding, DecodingSetting
from audit.measures.labels import LABEL_SETS
from audit.measures.readings import NOTABLE
from audit.models import ScriptedModel
from audit.plan import make_plan
from audit.requests import canonical
from audit.review.events import Review, Target
from audit.review.log import append_review, read_reviews
from audit.review.machine import machine_agreement, rater_agreement
from audit.review.summary import summarize
from audit.review.targets import Reviewed
from audit.review.views import (
    blind_labels,
    comments_by_finding,
    decisions_by_target,
    disagreements,
    double_labelled,
    labels_by_target,
    standings,
)
from audit.runner import run_plan
from audit.scorers.base import ScorerCard
from audit.scorers.constructs import SCALES
from audit.scorers.planned import PlannedScorer
from audit.scores import Score
from audit.spec import AuditSpec, choose
from audit.verify import check_reviews
from probes import Sampling
from tests.audit.review_world import Hand, frame_of, speaks

TARGET = {"model": "m", "digest": "d" * 64, "unit": "0", "item": "i"}
A, B = Target("m", "d" * 64, "0", "i"), Target("m", "d" * 64, "1", "i")


def event(number: int, reviewer: str, kind: Any, **fields: Any) -> Review:
    return Review(number, "p" * 64, "2026-05-01T12:00:09+00:00", reviewer, "c" * 64, kind, fields)


def label(number: int, reviewer: str, said: str, **more: Any) -> Review:
    rest = {"question": "sentiment", "blind": True, "flagged": False, "note": "", **more}
    return event(number, reviewer, "label", **{**TARGET, "label": said, **rest})


# -- views ------------------------------------------------------------------------------------------------


def test_the_latest_status_counts_and_the_others_are_its_history() -> None:
    events = [
        event(0, "Ann", "status", finding="f", status="accepted", reason=""),
        event(1, "Bob", "status", finding="g", status="open", reason=""),
        event(2, "Bob", "status", finding="f", status="disputed", reason="no"),
        event(3, "Bob", "comment", finding="f", text="first"),
        event(4, "Ann", "comment", finding="f", text="second"),
        event(5, "Ann", "comment", text="of a response", **TARGET),
    ]
    found = standings(events)
    assert {name: one.status for name, one in found.items()} == {"f": "disputed", "g": "open"}
    assert [told.reviewer for told in found["f"].history] == ["Ann", "Bob"]
    assert [told.fields["text"] for told in comments_by_finding(events)["f"]] == ["first", "second"]
    assert standings([]) == {} and set(comments_by_finding(events)) == {"f"}


def test_labels_and_decisions_by_response() -> None:
    events = [
        label(0, "Ann", "negative"),
        label(1, "Ann", "neutral", unit="1"),
        label(2, "Bob", "positive"),
        event(3, "Ann", "decision", **TARGET, question="sentiment", decision="agree"),
        event(4, "Ann", "reveal", **TARGET),
    ]
    assert [told.n for told in labels_by_target(events)[A]] == [0, 2]
    assert [told.n for told in labels_by_target(events)[B]] == [1]
    assert {target: len(told) for target, told in decisions_by_target(events).items()} == {A: 1}


def test_a_blind_label_may_be_corrected_until_the_value_was_seen() -> None:
    seen = event(3, "Ann", "decision", **TARGET, question="sentiment", decision="agree")
    events = [
        label(0, "Ann", "negative"),
        label(1, "Ann", "neutral"),
        label(2, "Bob", "negative", blind=False),
        seen,
        label(4, "Ann", "positive"),
        label(5, "Bob", "positive"),
        label(6, "Cay", "positive"),
        label(7, "Cay", "unclear", question="soundness"),
    ]
    found = blind_labels(events)
    told = {name: one.fields["label"] for name, one in found[A, "sentiment"].items()}
    assert told == {"Ann": "neutral", "Cay": "positive"}
    assert set(found) == {(A, "sentiment"), (A, "soundness")}
    (double,) = double_labelled(events)
    assert (double.reviewers, double.labels, double.agree) == (("Ann", "Cay"), ("neutral", "positive"), False)
    assert disagreements(events) == (double,)


def test_three_reviewers_make_three_pairs() -> None:
    events = [label(0, "Cay", "negative"), label(1, "Ann", "negative"), label(2, "Bob", "positive")]
    pairs = {double.reviewers: double.labels for double in double_labelled(events)}
    assert pairs == {
        ("Ann", "Bob"): ("negative", "positive"),
        ("Ann", "Cay"): ("negative", "negative"),
        ("Bob", "Cay"): ("positive", "negative"),
    }
    assert {double.reviewers for double in disagreements(events)} == {("Ann", "Bob"), ("Bob", "Cay")}
    assert double_labelled([events[0], label(1, "Cay", "positive")]) == (), "one person is no second opinion"


# -- sets of labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", MEASURES.values(), ids=list(MEASURES))
def test_every_measure_says_what_people_are_asked(measure: Any) -> None:
    labels = measure.labels
    assert LABEL_SETS[labels.name] is labels
    assert labels.question.endswith("?") and all(label.meaning for label in labels.labels)
    assert len(set(labels.names)) == len(labels.names) and len(labels.order) >= 2
    assert labels.names[: len(labels.order)] == labels.order and labels.names[-1] == "unclear"
    assert bool(labels.found) == (measure.construct is not None)
    if measure.construct is not None:
        assert labels.found in (labels.order[0], labels.order[-1])
        scale = SCALES[measure.construct]
        assert (scale.bounds, scale.worse) == (measure.bounds, labels.worse)
        read = scale.found, scale.notable, scale.worse
        card = ScorerCard("s", measure.construct, "", "", "", "", measure.bounds, *read)
        low, high = measure.bounds
        values = [low + (high - low) * step / 100 for step in range(101)]
        assert {labels.machine_label(value, card) for value in values} == set(labels.order)
        assert labels.machine_label(None, card) is None
    assert labels.machine_label(0.3, None) is None


def test_a_sentiment_is_notable_from_the_threshold_on() -> None:
    measure = MEASURES["continuation_sentiment"]
    below = NOTABLE - 1e-9
    values = (-1.0, -NOTABLE, -below, below, NOTABLE, 1.0)
    told = [measure.labels.machine_label(value, measure.primary) for value in values]
    assert told == ["negative", "negative", "neutral", "neutral", "positive", "positive"]
    answers = MEASURES["answer_log_odds"]
    assert answers.primary is None and answers.labels.machine_label(3.0, measure.primary) is None


def test_the_label_of_a_score_goes_by_the_card_of_the_scorer_that_gave_it() -> None:
    strict = PlannedScorer("mine", "toxicity", "asked", "0", (0.0, 1.0), "toxic", 0.8, "high")
    measure = MEASURES["continuation_toxicity"].with_scorers([strict])
    told = [measure.labels.machine_label(value, measure.primary) for value in (0.79, 0.8)]
    assert told == ["not_toxic", "toxic"]
    unsure = PlannedScorer("mine", "sentiment", "asked", "0", (-1.0, 1.0), "negative", -0.5, "low")
    measure = MEASURES["continuation_sentiment"].with_scorers([unsure])
    told = [measure.labels.machine_label(value, measure.primary) for value in (-0.5, -0.06, 0.06, 0.5)]
    assert told == ["negative", "neutral", "neutral", "positive"]


# -- people and machine -----------------------------------------------------------------------------------


def known(value: float | None, group: str) -> Reviewed:
    score = Score("0", value, "scored" if value is not None else "empty", "" if value is not None else "no")
    return Reviewed(MEASURES["continuation_sentiment"], {"religion": group}, score)


def test_people_are_compared_with_the_machine_group_by_group() -> None:
    #  group, value, label, flagged
    rows = [
        ("a", -0.5, "negative", False), ("a", 0.0, "negative", False), ("a", 0.5, "positive", False),
        ("a", -0.5, "positive", True), ("b", -0.5, "negative", False), ("b", -0.5, "neutral", False),
        ("b", 0.5, "unclear", False), ("b", None, "negative", False),
    ]  # fmt: skip
    labelled, found = {}, {}
    for number, (group, value, said, flagged) in enumerate(rows):
        target = Target("m", f"{number:064d}", "0", "i")
        labelled[target, "sentiment"] = {"Ann": label(number, "Ann", said, flagged=flagged)}
        found[target] = known(value, group)
    twice, lost = Target("m", "e" * 64, "0", "i"), Target("m", "f" * 64, "0", "i")
    labelled[twice, "sentiment"] = {"Ann": label(8, "Ann", "negative"), "Bob": label(9, "Bob", "neutral")}
    found[twice] = known(-0.5, "b")
    labelled[lost, "sentiment"] = {"Ann": label(10, "Ann", "negative")}
    labelled[twice, "soundness"] = {"Ann": label(11, "Ann", "sound", question="soundness")}

    result = machine_agreement(labelled, found)
    by = {(row["basis"], row["group"]): row for row in result}
    assert list(by) == [("drawn at random", g) for g in ("", "a", "b")] + [("all", g) for g in ("", "a", "b")]
    one = by["drawn at random", ""]
    assert one["n"] == 5
    assert one["left_out"] == {
        "people say unclear": 1, "not scored: empty": 1, "reviewers differ": 1, "not in the records": 1
    }  # fmt: skip
    assert one["counts"]["negative"] == {"negative": 2, "neutral": 1, "positive": 0}
    assert one["counts"]["neutral"] == {"negative": 1, "neutral": 0, "positive": 0}
    assert one["observed"]["estimate"] == pytest.approx(3 / 5)
    assert (one["sensitivity"]["estimate"], one["sensitivity"]["n"]) == (pytest.approx(2 / 3), 3)
    assert (one["specificity"]["estimate"], one["specificity"]["n"]) == (0.5, 2)
    b = by["drawn at random", "b"]
    assert (b["n"], b["axis"], b["specificity"]["estimate"]) == (2, "religion", 0.0)
    # What was chosen for its value shows under all only.
    assert by["drawn at random", "a"]["n"] == 3 and by["all", "a"]["n"] == 4
    assert by["all", "a"]["specificity"]["estimate"] == 0.5
    json.dumps(result, allow_nan=False)


def test_where_there_is_nothing_to_compare_the_reason_stands_there() -> None:
    labelled = {(A, "sentiment"): {"Ann": label(0, "Ann", "unclear")}}
    row = machine_agreement(labelled, {A: known(0.5, "a")})[0]
    assert row["n"] == 0 and row["left_out"] == {"people say unclear": 1}
    for name in ("observed", "kappa", "sensitivity", "specificity"):
        assert row[name]["estimate"] is None and row[name]["reason"]
    assert machine_agreement({}, {}) == []


def test_two_people_are_compared_over_all_labels_and_over_the_ordered_ones() -> None:
    first = ["negative", "negative", "neutral", "positive", "unclear", "unclear"]
    second = ["negative", "neutral", "neutral", "negative", "unclear", "positive"]
    found = rater_agreement("sentiment", first, second)
    assert (found["observed"]["estimate"], found["observed"]["n"]) == (0.5, 6)
    # expected: (2*2 + 1*2 + 1*1 + 2*1) / 36 = .25; kappa (.5 - .25) / .75
    assert found["kappa"]["estimate"] == pytest.approx(1 / 3)
    assert (found["weighted"]["n"], found["weighted"]["left_out"]) == (4, 2)
    assert found["adjusted"]["estimate"] == pytest.approx((4 * 0.5 - 1) / 3)
    assert found["kappa"]["lo"] < found["kappa"]["estimate"] < found["kappa"]["hi"]


def test_a_question_that_this_version_does_not_know_is_compared_without_an_order() -> None:
    found = rater_agreement("mood", ["up", "down", "up"], ["up", "down", "down"])
    assert found["kappa"]["estimate"] == pytest.approx(0.4)
    assert found["weighted"]["estimate"] is None and "no order" in found["weighted"]["reason"]
    assert rater_agreement("mood", ["up", "up"], ["up", "up"])["kappa"]["estimate"] is None


# -- the whole --------------------------------------------------------------------------------------------


def reviewed(root: Path, frame: pd.DataFrame) -> Hand:
    """Two people label 12 texts as the machine does, one of them two otherwise; and more."""
    hand = Hand(root)
    texts = frame[
        (frame["suite"] == "continuation") & (frame["arm"] == "probe") & (frame["status"] == "scored")
    ]
    for number, row in enumerate(texts.iloc[::9].head(12).to_dict("records")):
        said = LABEL_SETS["sentiment"].machine_label(row["value"], MEASURES["continuation_sentiment"].primary)
        assert said is not None
        other = said if number > 1 else "unclear"
        append_review(root, hand.label("Ann", row, said))
        append_review(root, hand.label("Bob [b]x[/b]", row, other))
    append_review(root, hand.decision("Ann", row, machine=row["value"]))
    append_review(root, hand.status("Ann", 0, "accepted"))
    append_review(root, hand.status("Bob [b]x[/b]", 0, "disputed", "[red]not\nso[/red] \u202e"))
    append_review(root, {**hand.status("Ann", 1, "open"), "chain_sha256": "0" * 64})
    return hand


def test_the_summary_of_an_audit(root: Path, frame: pd.DataFrame) -> None:
    hand = reviewed(root, frame)
    found = summarize(root)
    assert found["reviews"] == 28 and found["stale"] == 1 and found["torn"] == ""
    assert found["head"] == read_reviews(root).head
    assert found["kinds"] == {"label": 24, "decision": 1, "status": 3, "comment": 0, "reveal": 0}
    assert found["reviewers"] == {
        "Ann": {"label": 12, "decision": 1, "status": 2}, "Bob [b]x[/b]": {"label": 12, "status": 1}
    }  # fmt: skip
    first = next(row for row in found["findings"] if row["finding"] == hand.findings["findings"][0]["id"])
    assert (first["status"], first["reviewer"], first["changes"]) == ("disputed", "Bob [b]x[/b]", 2)
    (pair,) = found["agreement"]
    assert (pair["n"], pair["disagreements"], pair["question"]) == (12, 2, "sentiment")
    assert pair["kappa"]["lo"] < pair["kappa"]["estimate"] < 1.0
    drawn = found["machine"][0]
    # Ten responses that both label alike, as the machine does; the label of the other two is no one's.
    assert (drawn["n"], drawn["left_out"]) == (10, {"reviewers differ": 2})
    assert drawn["observed"]["estimate"] == 1.0
    assert {row["axis"] for row in found["machine"]} >= {"", "religion"}
    json.dumps(found, allow_nan=False)


def test_a_summary_of_nothing(root: Path) -> None:
    found = summarize(root)
    assert (found["reviews"], found["findings"], found["agreement"], found["machine"]) == (0, [], [], [])
    (root / "findings.json").unlink()
    found = summarize(root)
    assert found["stale"] is None and found["stale_reason"]


def test_a_forged_label_of_no_set_is_no_crash(root: Path, frame: pd.DataFrame) -> None:
    hand = Hand(root)
    row = frame[frame["suite"] == "continuation"].iloc[0].to_dict()
    lines, prev = [], file_sha256(root / "plan.json")
    for n, name in enumerate(("Ann", "Bob")):
        event = hand.label(name, row, "vile", note="")
        data = {**event, "n": n, "prev": prev, "at": "2026-05-01T12:00:09+00:00"}
        lines.append(canonical({**data, "sha256": sha256(canonical(data))}))
        prev = sha256(lines[-1])
    (root / REVIEWS).write_bytes(b"\n".join([*lines, b""]))
    found = summarize(root)
    assert found["agreement"][0]["observed"]["estimate"] == 1.0
    assert found["machine"][0]["left_out"] == {"people say vile": 1}


def test_samples_of_several_settings_are_found_by_their_number(tmp_path: Path) -> None:
    settings = (DecodingSetting(0.7, 0.9), DecodingSetting(1.0, 1.0))
    model = ScriptedModel(speaks, id="scripted")
    spec = AuditSpec(
        models=(model,),
        suites=(choose("continuation", sampling=Sampling(3, None, None, 0)),),
        decoding=Decoding(samples=3, settings=settings),
    )
    bundle = Bundle.create(tmp_path / "bundle", make_plan(spec))
    run_plan(bundle, lambda _: model)
    *_, (_, _, last) = bundle.lines()
    hand = Hand(bundle.root, {"chain_sha256": sha256(last[:-1])})
    frame = frame_of(bundle.root)
    own = frame[frame["item"] == frame["item"].iloc[0]]
    assert sorted(own["unit"]) == ["0", "1", "2", "4", "5", "6"]
    for row in own.to_dict("records"):
        append_review(bundle.root, hand.label("Ann", row, "neutral"))
    assert check_reviews(bundle).faults == ()
    append_review(bundle.root, {**hand.label("Ann", own.iloc[0], "neutral"), "unit": "3"})
    assert "reviews.jsonl:7" in check_reviews(bundle).faults[0]


# -- the command ------------------------------------------------------------------------------------------


def command(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    from audit.cli import main

    with pytest.raises(SystemExit) as caught:
        main(words)
    told = capsys.readouterr()
    assert isinstance(caught.value.code, int)
    return caught.value.code, told.out, told.err


def test_the_command_shows_the_summary(
    root: Path, frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    reviewed(root, frame)
    code, out, err = command(["reviews", str(root)], capsys)
    flat = " ".join(out.split())
    assert (code, err) == (0, "")
    assert (
        "28 reviews of" in flat and "reviews of other records than those that the findings were made" in flat
    )
    assert "Bob [b]x[/b]: 12 label, 1 status" in flat, "nothing is taken for markup"
    assert "[red]not so[/red] \\x202e" in flat and "\u202e" not in out
    assert "× disputed scripted/continuation/religion/" in flat
    assert "12 responses, 2 with different labels; same label 83% [55%, 95%], n 12" in flat
    assert "kappa +0." in flat and "left out: 2 reviewers differ" in flat
    assert "finds 'negative': sensitivity 100% [" in flat
    assert flat.count("Intervals take responses as independent") == 2
    code, out, _ = command(["reviews", str(root), "--json"], capsys)
    assert code == 0 and json.loads(out) == summarize(root)


def test_the_command_says_when_there_is_nothing_and_when_it_cannot_be_read(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = command(["reviews", str(root)], capsys)
    assert code == 0 and "No reviews of" in out
    (root / REVIEWS).write_bytes(b"{}\n")
    code, out, err = command(["reviews", str(root)], capsys)
    assert code == 2 and out == "" and "reviews.jsonl:1: " in err and "Traceback" not in err
    assert err.count("\n") == 1
    code, _, err = command(["reviews", str(tmp_path / "nowhere")], capsys)
    assert code == 2 and "no such folder" in err

"""Asking until it is decided: when it stops, and what may be said then."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import audit.scorers.sentiment as sentiment
from audit.api import analyze, resume, run
from audit.bundle import Bundle, read_json
from audit.models import ScriptedModel
from audit.plan import planned_suites
from audit.requests import Fill, Generate, Request, Response, Sampled, digest
from audit.sequential.plan import designs
from audit.stats.sequential import Rule, replay
from audit.verify import findings_errors
from probes.errors import BundleError
from tests.audit.sequential_world import (
    TEXTS,
    alike,
    evenhand,
    faults,
    found,
    kinder_to_red,
    quick_scorers,  # noqa: F401 - a fixture, which works by being here
    silent_about,
    spec_for,
    write_suite,
    writer,
)


def test_a_planted_difference_stops_early_as_a_disparity(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "s")
    model = writer(kinder_to_red)
    run(spec_for(suite, model, 2000), tmp_path / "a")
    [row] = found(tmp_path / "a")
    assert row["verdict"] == "disparity" and row["estimate"] > 0
    told = row["sequential"]
    assert told["decision"] == "disparity" and told["stopped_at"] == told["units"] < 200
    assert told["e_value"] >= 20 and row["p_adjusted"] <= 0.05 and row["ci"]["lo"] >= 0
    assert f"stopped at {told['units']} of 2000" in row["method"]
    assert any("these prompts under this decoding" in reason for reason in row["reasons"])
    # the invented words are asked whole: 4 words, 6 templates; a unit is two prompts
    probes = sum("nonce" not in request.prompt for request in model.asked if isinstance(request, Generate))
    assert len(model.asked) - probes == 24
    assert probes == 2 * 32 * math.ceil(told["units"] / 32)
    assert not findings_errors(read_json(tmp_path / "a" / "findings.json"))
    assert faults(tmp_path / "a") == ""


def test_an_equal_model_stops_early_within_a_margin_wide_enough(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "s", margin=0.3)
    run(spec_for(suite, writer(alike), 2000), tmp_path / "a")
    [row] = found(tmp_path / "a")
    assert (row["verdict"], row["sequential"]["decision"]) == ("no disparity within margin", "within")
    assert -0.3 <= row["ci"]["lo"] < row["ci"]["hi"] <= 0.3
    assert row["sequential"]["units"] < 600 and row["severity"] == "S0"
    assert faults(tmp_path / "a") == ""


def test_the_horizon_leaves_it_inconclusive_and_says_what_is_needed(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "s", margin=0.02)
    run(spec_for(suite, writer(alike), 50), tmp_path / "a")
    [row] = found(tmp_path / "a")
    told = row["sequential"]
    assert (row["verdict"], told["decision"], told["stopped_at"]) == ("inconclusive", "horizon", None)
    assert told["units"] == told["max_units"] == 50 and told["needed"]["units"] > 50
    from audit.wording import statement

    assert "Undecided after 50 units. If the estimate is the truth, about " in statement(row)
    assert "horizon of 50" in row["method"]
    assert faults(tmp_path / "a") == ""


class Stopping(ScriptedModel):
    """Is interrupted before its n-th answer."""

    left = 10**9

    def ask(self, requests: Any) -> list[Response]:
        self.left -= len(requests)
        if self.left < 0:
            raise KeyboardInterrupt
        return super().ask(requests)


def test_a_killed_audit_resumes_to_the_same_bytes_and_asks_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "audit.blocks.REQUESTS", 20
    )  # a batch is more than one write, so that kills fall inside
    suite = write_suite(tmp_path / "s", "fixed", margin=0.15)
    plain = writer(kinder_to_red)
    run(spec_for(suite, plain, 300), tmp_path / "calm")
    torn, asked, kills = tmp_path / "torn", [], 0
    model = Stopping(plain._answer, id=plain.id, capabilities=plain.capabilities)
    while True:
        model.left = 130
        try:
            if kills:
                resume(torn, [model])
            else:
                run(spec_for(suite, model, 300), torn)
            break
        except KeyboardInterrupt:
            kills += 1
            with pytest.raises(BundleError, match="have no answer yet"):
                analyze(torn)
            with (torn / "records" / "00000.jsonl").open("ab") as file:
                file.write(b'{"n": 5, "pre')
    assert kills >= 3
    asked = [digest(request) for request in model.asked]
    assert len(asked) == len(set(asked)) == len(plain.asked)
    for name in ("plan.json", "records/00000.jsonl", "findings.json"):
        assert (torn / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()
    before = model.asked.copy()
    resume(torn, [model])
    assert model.asked == before, "a finished audit asks nothing more"
    assert faults(torn) == ""


def by_hand(folder: Path, group: str, others: Mapping[str, int]) -> list[float]:
    """X of every unit, from the records in their order alone, prompts told apart by their words."""
    units: list[dict[str, float]] = []
    bundle = Bundle(folder)
    [design] = designs(bundle.plan, planned_suites(bundle.plan))
    kept = {digest(r.request): r for r in bundle.records()}
    for unit in design.units():
        values = {}
        for name, questions in unit.prompts.items():
            if questions[0].digest not in kept:
                break
            record = kept[questions[0].digest]
            assert isinstance(record.request, Generate) and name in record.request.prompt
            values[name] = np.mean([sentiment.vader(s.text) for s in record.response.samples])
        else:
            units.append(values)
    total = sum(others.values())
    return [
        (v[group] - sum(weight * v[name] for name, weight in others.items()) / total) / 2.0 for v in units
    ]


@pytest.mark.parametrize(
    ("kind", "group", "others", "m"),
    [
        ("paired", "red", {"blue": 1}, 1),
        ("nested", "green", {"blue": 1}, 2),
        ("nested rest", "red", {"blue": 3, "green": 4}, 3),
        ("fixed", "red", {"people:blue0": 1, "people:green0": 1}, 3),
    ],
)
def test_the_stream_replayed_at_once_from_the_records_gives_the_same_verdict(
    tmp_path: Path, kind: str, group: str, others: dict[str, int], m: int
) -> None:
    others = {name.partition(":")[2].rstrip("0") or name: weight for name, weight in others.items()}
    suite = write_suite(tmp_path / "s", kind, margin=0.12)
    run(spec_for(suite, writer(kinder_to_red), 500), tmp_path / "a")
    row = next(row for row in found(tmp_path / "a") if row["group"] == group)
    stopped = replay(by_hand(tmp_path / "a", group, others), Rule(0.06, 0.05, m, 500))
    assert (stopped.n, stopped.decision) == (row["sequential"]["units"], row["sequential"]["decision"])
    assert row["estimate"] == pytest.approx(2 * stopped.estimate, abs=1e-12)
    assert (row["ci"]["lo"], row["ci"]["hi"]) == pytest.approx((2 * stopped.cs_lo, 2 * stopped.cs_hi))
    assert row["p"] == pytest.approx(stopped.p_anytime) and row["correction"]["m"] == m
    assert row["sequential"]["log_wealth"] == pytest.approx(stopped.log_wealth)
    assert faults(tmp_path / "a") == ""


def test_a_group_can_be_compared_with_the_average_of_all(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "s", "overall", margin=0.05)
    run(spec_for(suite, writer(kinder_to_red), 200), tmp_path / "a")
    row = next(row for row in found(tmp_path / "a") if row["group"] == "red")
    # red minus the mean of red, blue and green: two thirds of red minus the mean of the other two
    rest = np.array(by_hand(tmp_path / "a", "red", {"blue": 1, "green": 1}))
    assert row["estimate"] == pytest.approx(2 * rest[: row["sequential"]["units"]].mean() * 2 / 3)
    [declared] = read_json(tmp_path / "a" / "plan.json")["sequential"]["families"]
    assert declared["widest_difference"] == pytest.approx(2 * 2 / 3)
    assert faults(tmp_path / "a") == ""


def test_an_interaction_is_a_difference_of_differences_and_needs_terms_enough(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "s", "interaction", margin=0.05)
    share = {"redbig": 0.7, "redsmall": 0.3, "bluebig": 0.3, "bluesmall": 0.5}
    model = writer(lambda p: next((value for name, value in share.items() if name in p), 0.4))
    run(spec_for(suite, model, 600), tmp_path / "a")
    [row] = found(tmp_path / "a")
    # (.7 - .3) - (.3 - .5) = .6 in kind for cruel, each step about vader's distance of the two texts
    step = sentiment.vader(TEXTS["kind"]) - sentiment.vader(TEXTS["cruel"])
    assert row["ci"]["lo"] < 0.6 * step < row["ci"]["hi"] and row["sequential"]["decision"] == "disparity"
    [declared] = read_json(tmp_path / "a" / "plan.json")["sequential"]["families"]
    assert declared["widest_difference"] == 4.0 and "cell" in declared["unit"]
    assert row["verdict"] == "inconclusive", "two terms a cell are too few for a claim"
    from audit.wording import needed_phrase

    assert needed_phrase(row).startswith("More units would not settle it: 2 terms in the smallest cell")
    assert faults(tmp_path / "a") == ""


def test_scorers_that_contradict_each_other_leave_it_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sentiment.WORD_LISTS["vader"], sentiment.WORD_LISTS["textblob"]
    suite = write_suite(tmp_path / "s")
    run(spec_for(suite, writer(kinder_to_red), 1000), tmp_path / "a")
    [row] = found(tmp_path / "a")
    [other] = row["scorers"]
    assert (other["scorer"], row["verdict"]) == ("textblob", "disparity") and other["estimate"] > 0
    assert other["states"] in ("higher", "inconclusive")
    monkeypatch.setitem(sentiment.WORD_LISTS, "textblob", lambda text: -first(text))
    monkeypatch.setattr(sentiment, "REVISION", "against the first")
    analyze(tmp_path / "a")
    [row] = found(tmp_path / "a")
    assert row["scorers"][0]["estimate"] == pytest.approx(-row["estimate"])
    assert row["verdict"] == "inconclusive" and "the scorers disagree" in row["reasons"][0]
    monkeypatch.setitem(sentiment.WORD_LISTS, "textblob", second)


def test_the_ledger_tests_the_family_as_a_whole_by_its_average_e_value(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "s", "nested", margin=0.1)
    run(spec_for(suite, writer(kinder_to_red), 600), tmp_path / "a")
    told = read_json(tmp_path / "a" / "findings.json")
    [family] = told["families"]
    average = np.mean([row["sequential"]["e_value"] for row in told["findings"]])
    assert family["p_omnibus"] == pytest.approx(min(1.0, 1 / average))
    assert (family["m"], family["n_not_computable"]) == (2, 0)
    assert {row["correction"]["method"] for row in told["findings"]} == {family["method"]}


def test_findings_can_be_shown_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, share, units in (("a", kinder_to_red, 600), ("b", alike, 40)):
        run(spec_for(write_suite(tmp_path / "s"), writer(share), units), tmp_path / name)
        code, said, _ = evenhand(capsys, "show", str(tmp_path / name), "--suite", "talk")
        assert code == 0 and "betting confidence sequence" in said.replace("\n", " ")
        code, said, _ = evenhand(capsys, "show", str(tmp_path / name))
        assert code == 0 and ("Undecided after 40 units" in " ".join(said.split())) == (name == "b")


def test_a_stream_that_stopped_ignores_what_its_family_goes_on_to_ask(tmp_path: Path) -> None:
    """Red differs and is soon decided; green does not, and takes longer."""
    suite = write_suite(tmp_path / "s", "nested", margin=0.2)
    run(spec_for(suite, writer(lambda p: 0.75 if "red" in p else 0.4), 1500), tmp_path / "a")
    rows = {row["group"]: row for row in found(tmp_path / "a")}
    red, green = rows["red"]["sequential"], rows["green"]["sequential"]
    assert (red["decision"], green["decision"]) == ("disparity", "within")
    assert red["units"] + 32 < green["units"]
    assert rows["red"]["coverage"]["group"]["scored"] > 2 * red["units"], "every sample is accounted for"


def test_samples_that_differ_by_their_number_invalidate_the_family(tmp_path: Path) -> None:
    """Even samples kind, odd ones cruel, of every prompt alike: only the A/A stream can see it."""

    def answer(request: Request) -> Response:
        assert isinstance(request, Generate)
        texts = (TEXTS["kind" if i % 2 == 0 else "cruel"] for i in range(request.samples))
        return Response(samples=tuple(Sampled(text, 4, "stop") for text in texts))

    model = ScriptedModel(answer, id="parity", capabilities=frozenset({"generate"}))
    run(spec_for(write_suite(tmp_path / "s"), model), tmp_path / "a")
    [row] = found(tmp_path / "a")
    assert row["verdict"] == "invalid" and "A/A control" in row["reasons"][0]
    [control] = read_json(tmp_path / "a" / "findings.json")["controls"]
    assert control["aa_p"] < 1e-4 and {entry["label"] for entry in control["aa"]} == {"red", "blue"}
    assert faults(tmp_path / "a") == ""


def test_silence_about_one_group_is_no_score_and_gives_no_verdict(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "s", margin=0.3)
    run(spec_for(suite, silent_about("red", 0.3), 200), tmp_path / "a")
    [row] = found(tmp_path / "a")
    assert row["verdict"] == "invalid" and "could not be scored" in row["reasons"][0]
    assert row["coverage"]["group"]["empty"] > 0 and "empty" not in row["coverage"]["reference"]
    run(spec_for(suite, silent_about("red", 1.0), 40), tmp_path / "b")
    [row] = found(tmp_path / "b")
    assert (row["estimate"], row["undefined"]) == (None, "no unit could be scored")
    coverage = read_json(tmp_path / "b" / "findings.json")["coverage"]
    probe = next(entry for entry in coverage if entry["arm"] == "probe")
    assert probe["statuses"] == {"scored": 80, "empty": 80}
    for name in ("a", "b"):
        assert faults(tmp_path / name) == ""
        assert not findings_errors(read_json(tmp_path / name / "findings.json"))


def test_units_that_cannot_be_scored_do_not_count_and_are_told(tmp_path: Path) -> None:
    """A silence that strikes both groups alike: fewer units, the same question."""
    suite = write_suite(tmp_path / "s", margin=0.02)
    run(spec_for(suite, silent_about("the", 0.3), 100), tmp_path / "a")
    [row] = found(tmp_path / "a")
    # both prompts speak in .49 of the units: 49 of 100, binomial sd 5
    assert 34 <= row["sequential"]["units"] <= 64 and row["sequential"]["max_units"] == 100
    assert row["sequential"]["decision"] == "horizon" and row["verdict"] in ("inconclusive", "invalid")


def test_other_suites_of_the_same_plan_are_asked_whole(tmp_path: Path, mini: Path) -> None:
    suite = write_suite(tmp_path / "s", margin=0.3)
    model = writer(alike)
    run(spec_for(suite, model, 300, also=[mini]), tmp_path / "a")
    fills = [request for request in model.asked if isinstance(request, Fill)]
    assert len(fills) == 12 * (16 + 8)
    rows = found(tmp_path / "a")
    assert {row["suite"]: bool(row.get("sequential")) for row in rows} == {"talk": True, "mini": False}
    assert faults(tmp_path / "a") == ""


def test_answers_are_taken_over_from_an_earlier_audit(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "s", margin=0.05)
    run(spec_for(suite, writer(alike), 100), tmp_path / "a")
    model = writer(alike)
    counts = run(spec_for(suite, model, 150), tmp_path / "b", reuse=[tmp_path / "a"])
    assert counts.reused == 24 + 200 and counts.asked == len(model.asked) == 100
    assert faults(tmp_path / "b") == ""

"""What is asked unit by unit, how often it errs, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import scipy.stats

from audit.analysis.found import Setting
from audit.findings import analyze_scores
from audit.measures import MEASURES, Decoding, DecodingSetting, Noise
from audit.plan import make_plan, planned_suites
from audit.scored import score_answers
from audit.sequential.findings import sequential_coverage, sequential_family
from audit.sequential.plan import designs
from audit.sequential.streams import FamilyStreams, replayed
from audit.spec import AuditSpec, UntilDecided, choose
from audit.table import score_table
from probes.errors import AuditFileError
from tests.audit.sequential_world import (
    alike,
    design_for,
    evenhand,
    kept_answers,
    kinder_to_red,
    quick_scorers,  # noqa: F401 - a fixture, which works by being here
    spec_for,
    write_suite,
    writer,
)


@pytest.mark.parametrize("kind", ["paired", "nested", "nested rest", "fixed"])
def test_a_unit_is_one_matched_set_of_prompts_with_fresh_seeds(tmp_path: Path, kind: str) -> None:
    design = design_for(tmp_path, kind)
    units = list(design.units())
    assert [unit.number for unit in units] == list(range(1, 3001))
    groups = {"red", "blue"} if kind == "paired" else {"red", "blue", "green"}
    digests = Counter(q.digest for unit in units for q in unit.questions)
    assert max(digests.values()) == 1, "a question was repeated"
    for unit in units[:300]:
        assert set(unit.prompts) == groups
        assert {q.item.template for q in unit.questions} == {unit.template}
        terms = [q.item.term[-1] for q in unit.questions]
        assert kind != "paired" or len(set(terms)) == 1, "a pair was torn apart"
    # uniform over the sets: chi-square at .001, so that a right draw fails for one seed in a thousand
    drawn = Counter((unit.template, *(q.item.term for q in unit.questions)) for unit in units)
    sizes = {"paired": 18, "nested": 6 * 27, "nested rest": 6 * 36, "fixed": 6}
    assert len(drawn) == sizes[kind]
    assert scipy.stats.chisquare(list(drawn.values())).pvalue > 0.001


def test_the_draw_depends_on_the_seed_and_not_on_the_model(tmp_path: Path) -> None:
    def first(**more: Any) -> list[str]:
        units = design_for(tmp_path, "paired", **more).units()
        return [
            question.digest for _, unit in zip(range(50), units, strict=False) for question in unit.questions
        ]

    assert first() == first(name="another")
    assert not set(first()) & set(first(seed=1))


NULL_AUDITS = 200


def unlike_prompts(prompt: str) -> float:
    """Kinder about one red word, harsher about another: prompts differ, and their mean does not."""
    return 0.7 if "red0" in prompt else 0.1 if "red1" in prompt else 0.4


def test_audits_without_a_difference_seldom_claim_one(tmp_path: Path) -> None:
    """200 whole analyses with a margin too narrow to stop for; rates with 2 sqrt(p (1 - p) / 200).

    What is estimated is the mean over these prompts: large differences between them change nothing.
    """
    suite = write_suite(tmp_path / "s", margin=0.01)
    model = writer(unlike_prompts)
    plan = make_plan(spec_for(suite, model, 128))
    suites = planned_suites(plan)
    setting = Setting(plan["alpha"], 0, suites, plan["correction"])
    nonce = pd.DataFrame(columns=["term", "value", "unit", "template", "family", "factor"])
    claimed = covered = loose = alarms = 0
    for seed in range(NULL_AUDITS):
        seeded = {**plan, "seed": seed, "decoding": {**plan["decoding"], "seed": seed}}
        kept = kept_answers(seeded, model)
        [design] = designs(seeded, suites)
        streams, *_ = replayed(design, model.digest, kept)
        [row], _, control = sequential_family(streams, setting, nonce)
        assert (row["sequential"]["decision"] == "disparity") == (row["p_adjusted"] <= 0.05)
        claimed += row["p_adjusted"] <= 0.05
        covered += row["ci"]["lo"] <= 0.0 <= row["ci"]["hi"]
        loose += row["p"] <= 0.3
        alarms += control["aa_p"] < 0.01
    assert claimed / NULL_AUDITS <= 0.05 + 0.031
    assert covered / NULL_AUDITS >= 0.95 - 0.031
    # an anytime p-value is at most p with probability p, and comes near to it: the test is no empty one
    assert 0.03 <= loose / NULL_AUDITS <= 0.3 + 0.065
    # two A/A streams at .01 together
    assert alarms / NULL_AUDITS <= 0.01 + 0.014


def test_the_same_path_claims_a_difference_that_is_there(tmp_path: Path) -> None:
    """The test above bites: with .15 more kind words, nearly every one of 20 audits claims it."""
    suite = write_suite(tmp_path / "s", margin=0.01)
    model = writer(kinder_to_red)
    plan = make_plan(spec_for(suite, model, 300))
    for seed in range(20):
        seeded = {**plan, "decoding": {**plan["decoding"], "seed": seed}}
        [design] = designs(seeded, planned_suites(seeded))
        streams = FamilyStreams(design, model.digest)
        kept = kept_answers(seeded, model)
        while batch := streams.next_batch():
            streams.take(batch, kept)
        assert streams.streams["red"].decision == "disparity"
        asked = {(model.digest, q.digest) for each in streams.scored for q in each.unit.questions}
        assert score_answers(seeded, kept).needed & kept.keys() == asked


GRID = (DecodingSetting(0.7, 0.9), DecodingSetting(1.0, 1.0))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"decoding": Decoding(settings=GRID)}, "several decoding settings and until_decided"),
        ({"max_units": 1}, "max_units is 1 where at least 2 units are needed"),
        (
            {"decoding": Decoding(samples=1)},
            "1 sample of each prompt leaves the A/A control nothing to compare",
        ),
    ],
)
def test_what_cannot_be_asked_until_decided_is_refused(
    tmp_path: Path, change: dict[str, Any], what: str
) -> None:
    suite = write_suite(tmp_path / "s")
    with pytest.raises(AuditFileError, match=what):
        make_plan(spec_for(suite, writer(alike), **change))


@pytest.mark.parametrize(("noise", "asked"), [("own", 1500), ("shared", 500)])
def test_words_with_a_form_in_common_are_still_asked_anew(tmp_path: Path, noise: Noise, asked: int) -> None:
    """In every unit; where its groups share their luck too, one text is one question, and no difference."""
    suite = write_suite(tmp_path / "s", "nested")
    suite.write_text(suite.read_text().replace("{who}", "{who:name}"))
    for name in ("people", "invented"):
        path = tmp_path / "s" / f"{name}.yaml"
        lines = path.read_text().splitlines()
        named = [line[:-1] + ", forms: {name: somebody}}" if "- {id" in line else line for line in lines]
        path.write_text("\n".join(named) + "\n")
    plan = make_plan(spec_for(suite, writer(alike), 500, decoding=Decoding(samples=2, noise=noise)))
    [design] = designs(plan, planned_suites(plan))
    questions = [question for unit in design.units() for question in unit.questions]
    assert len({question.item.text for question in questions}) == 6
    assert len(questions) == 1500 and len({question.digest for question in questions}) == asked


def test_an_audit_without_generated_text_is_refused(mini: Path) -> None:
    with pytest.raises(AuditFileError, match="no suite is answered with generated text"):
        make_plan(spec_for(mini, writer(alike)))


def test_a_margin_as_wide_as_the_scale_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AuditFileError, match="no two scores differ by more than 2"):
        make_plan(spec_for(write_suite(tmp_path / "s", margin=2.0), writer(alike)))


def test_a_plan_without_it_is_as_before(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "s")
    spec = AuditSpec((writer(alike),), (choose(str(suite)),))
    assert "sequential" not in make_plan(spec)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["-s", "continuation", "--until-decided", "--max-units", "1"], "max-units"),
        (["-s", "continuation", "--max-units", "50"], "--max-units without --until-decided"),
        (["-s", "occupations", "--until-decided"], "no suite is answered with generated text"),
        (["-s", "continuation", "--until-decided", "--samples", "1"], "leaves the A/A control nothing"),
    ],
)
@pytest.mark.parametrize("verb", ["run", "plan"])
def test_bad_wishes_are_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, verb: str, words: list[str], what: str
) -> None:
    out = ["--out", str(tmp_path / "a")] if verb == "run" else []
    code, _, said = evenhand(capsys, verb, "-m", "reference/gpt-fair", *words, *out)
    assert code == 2 and what in said and len(said.splitlines()) == 1
    assert not (tmp_path / "a").exists()


def test_the_outlook_names_the_horizon(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["-m", "reference/gpt-fair", "-s", "continuation", "--until-decided", "--max-units", "40"]
    code, said, _ = evenhand(capsys, "plan", *words, "--templates", "3", "--terms", "2", "--json")
    told = json.loads(said)
    assert code == 0 and {row["max_units"] for row in told["power"]} == {40}
    gender, religion = told["power"]
    groups = religion["hypotheses"]
    nonce = told["cost"][0]["requests"] - 40 * (2 + groups)
    assert nonce > 0 and nonce % 3 == 0, "3 templates with each invented word, and 40 units a family"
    assert 0 < gender["minimum_detectable"] < 1


def test_an_audit_file_can_ask_for_it(tmp_path: Path) -> None:
    from audit.spec import read_audit

    path = tmp_path / "audit.yaml"
    text = "models: [reference/gpt-fair]\nsuites: [continuation]\nuntil_decided: "
    path.write_text(text + "{max_units: 77}\n")
    assert read_audit(path).until_decided == UntilDecided(77)
    path.write_text(text + "{}\n")
    assert read_audit(path).until_decided == UntilDecided()
    path.write_text(text + "{max_units: 1}\n")
    with pytest.raises(AuditFileError, match="max_units"):
        read_audit(path)


def test_coverage_and_bounds_are_those_of_the_measure(tmp_path: Path) -> None:
    assert MEASURES["continuation_sentiment"].bounds == (-1.0, 1.0)
    suite = write_suite(tmp_path / "s")
    model = writer(alike)
    plan = make_plan(spec_for(suite, model, 64))
    kept = kept_answers(plan, model)
    scored = score_answers(plan, kept)
    [row] = sequential_coverage(scored.streams.values())
    assert row["statuses"] == {"scored": 64 * 2 * 2} and row["items"] <= 36
    assert len(scored.needed - kept.keys()) == scored.missing == 24, "the invented words"
    with pytest.raises(ValueError, match="24 answers are missing"):
        analyze_scores(plan, scored)
    with pytest.raises(KeyError):
        score_table(plan, model.id, planned_suites(plan), kept)

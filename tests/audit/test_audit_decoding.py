"""A grid of decoding settings: asked in each, kept apart in the table, averaged in the estimate."""

from __future__ import annotations

import hashlib
import json
import statistics
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from audit.analysis.controls import aa_cells, control_panel, generator
from audit.analysis.decoding import decoding_effects, decoding_sd, seed_effects, seed_sd, settings_agree
from audit.analysis.estimates import axis_rows, comparer, estimate
from audit.hypotheses import Hypothesis
from audit.measures import Decoding, DecodingSetting, decoding_from_json
from audit.models import ScriptedModel
from audit.plan import estimate_cost, hypotheses_of, make_plan, planned_suites, questions
from audit.requests import Generate, Request, Response, Sampled, digest
from audit.spec import AuditSpec, UntilDecided, choose, read_audit
from audit.stats.estimate import Contrast, Undefined
from audit.stats.variance_components import SettingSd
from audit.table import score_table
from probes import Sampling
from probes.errors import InputError

COLD, HOT = DecodingSetting(0.7, 0.9), DecodingSetting(1.0, 1.0)
WORDS = (" awful", " bad", " plain", " good", " great")


def texts(request: Request) -> Response:
    """Women read better than men when it is cold and worse when it is hot; both vary by sample."""
    assert isinstance(request, Generate)
    woman = any(word in request.prompt.lower() for word in ("woman", "girl", "mother", "sister", "daughter"))
    tilt = (1 if woman else 0) * (1 if request.temperature < 0.9 else -1)
    samples = []
    for number in range(request.samples):
        key = hashlib.sha256(f"{digest(request)}{number}".encode()).digest()[0] % 3 + 1
        samples.append(Sampled(WORDS[max(0, min(4, key + tilt))] + " news", 2, "length"))
    return Response(samples=tuple(samples))


def audit_of(decoding: Decoding) -> tuple[dict[str, Any], pd.DataFrame, list[Hypothesis]]:
    model = ScriptedModel(texts, id="scripted/tilt", version="1")
    choice = choose("continuation", sampling=Sampling(templates=8, terms_per_group=6))
    plan = make_plan(AuditSpec(models=(model,), suites=(choice,), decoding=decoding))
    table = score_table(plan, model.id, planned_suites(plan), answers(plan))
    return plan, table, hypotheses_of(plan)


def answers(plan: dict[str, Any]) -> dict[tuple[str, str], Response]:
    model = plan["models"][0]
    asked = questions(plan, model["id"], planned_suites(plan))
    return {(model["digest"], question.digest): texts(question.request) for question in asked}


GRID = Decoding(samples=3, settings=(COLD, HOT))


@pytest.fixture(scope="module")
def grid() -> tuple[dict[str, Any], pd.DataFrame, list[Hypothesis]]:
    return audit_of(GRID)


def test_one_setting_leaves_the_plan_as_it_was() -> None:
    old = {"samples": 3, "max_new_tokens": 24, "temperature": 0.7, "top_p": 0.9, "seed": 5}
    assert Decoding(3, 24, 0.7, 0.9, 5, noise="own").to_json() == {**old, "noise": "own"}
    assert Decoding(3, seed=5, settings=(COLD,)).to_json() == {**old, "noise": "shared"}
    assert list(Decoding(3, 24, 0.7, 0.9, 5).to_json()) == [*old, "noise"]
    assert decoding_from_json(old) == Decoding(3, 24, 0.7, 0.9, 5, noise="own")
    plans = [audit_of(Decoding(3, 24, 0.7, 0.9))[0], audit_of(Decoding(3, settings=(COLD,)))[0]]
    assert plans[0] == plans[1]
    assert "settings" not in plans[0]["decoding"]


def test_every_prompt_is_asked_in_every_setting(grid: Any) -> None:
    plan, table, _ = grid
    assert plan["decoding"]["settings"] == [asdict(COLD), asdict(HOT)]
    assert "temperature" not in plan["decoding"]
    assert json.loads(json.dumps(plan)) == plan
    asked = list(questions(plan, plan["models"][0]["id"]))
    assert {(q.request.temperature, q.request.top_p) for q in asked} == {(0.7, 0.9), (1.0, 1.0)}  # type: ignore[union-attr]
    per_item = table.groupby(["item", "setting"])["unit"].nunique()
    assert (per_item == 3).all() and len(per_item) == 2 * table["item"].nunique()
    assert list(dict.fromkeys(table["setting"])) == [COLD.name, HOT.name]
    single = make_plan(
        AuditSpec(models=(ScriptedModel(texts, id="m", version="1"),), suites=(choose("continuation"),))
    )
    both = {**single, "decoding": GRID.to_json()}
    costs = [estimate_cost(each, lambda: 1e9)[0]["requests"] for each in (single, both)]
    assert costs[1] == 2 * costs[0]


def test_a_table_of_one_setting_names_none() -> None:
    _, table, _ = audit_of(Decoding(samples=2))
    assert set(table["setting"]) == {""}
    assert set(table["unit"]) == {"0", "1"}


def test_questions_that_nothing_is_sampled_for_are_asked_once(mini: Path) -> None:
    spec = AuditSpec(models=(ScriptedModel.noise(),), suites=(choose(mini),))
    plain, with_grid = make_plan(spec), make_plan(replace(spec, decoding=GRID))
    model = plain["models"][0]["id"]
    assert [q.digest for q in questions(plain, model)] == [q.digest for q in questions(with_grid, model)]
    assert {q.setting for q in questions(with_grid, model)} == {""}


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_units_are_distinct_and_each_setting_is_split_alike(samples: int) -> None:
    _, table, hypotheses = audit_of(Decoding(samples=samples, settings=(COLD, HOT)))
    counts = table.groupby("item")["unit"].agg(["nunique", "size"])
    assert (counts["nunique"] == 2 * samples).all() and (counts["size"] == 2 * samples).all()
    odd = table["unit"].astype(int) % 2
    shares = odd.groupby(table["setting"]).mean()
    assert shares[COLD.name] == shares[HOT.name] == pytest.approx((samples // 2) / samples)
    probes = comparer(table, hypotheses[0])
    cells = aa_cells(probes, hypotheses[0].group, generator(0, "test"))
    if samples == 1:
        # One sample in each setting: a split of samples would set the two settings against each other.
        assert not isinstance(cells, str) and cells.layout == "nested"
    else:
        assert not isinstance(cells, str) and cells.first.notna().to_numpy().all()


def test_the_aa_control_does_not_find_the_settings_difference() -> None:
    """A model that writes well when cold and badly when hot, of everybody: no sample differs from another."""

    def moody(request: Request) -> Response:
        assert isinstance(request, Generate)
        text = WORDS[4] if request.temperature < 0.9 else WORDS[0]
        return Response(samples=tuple(Sampled(f"{text} news", 2, "length") for _ in range(request.samples)))

    model = ScriptedModel(moody, id="scripted/moody", version="1")
    plan = make_plan(AuditSpec(models=(model,), suites=(choose("continuation"),), decoding=GRID))
    asked = questions(plan, model.id, planned_suites(plan))
    kept = {(model.digest, question.digest): moody(question.request) for question in asked}
    table = score_table(plan, model.id, planned_suites(plan), kept)
    hypotheses = hypotheses_of(plan)
    for axis in ("gender", "religion"):
        family = [hypothesis for hypothesis in hypotheses if hypothesis.axis == axis]
        probes = comparer(table, family[0])
        panel = control_panel(family, probes, table[table["arm"] == "nonce"], 0, 0.05)
        assert panel.aa and all(row["estimate"] == 0.0 for row in panel.aa)


def test_each_setting_gives_the_contrast_of_an_audit_in_that_setting_alone(grid: Any) -> None:
    _, table, hypotheses = grid
    first = hypotheses[0]
    effects = decoding_effects(axis_rows(table, first), first)
    assert list(effects) == [COLD.name, HOT.name]
    for setting in (COLD, HOT):
        decoding = Decoding(3, temperature=setting.temperature, top_p=setting.top_p)
        _, alone, _ = audit_of(decoding)
        expected = estimate(comparer(alone, first).cells(first.group))
        found = effects[setting.name]
        assert isinstance(found, Contrast) and isinstance(expected, Contrast)
        assert (found.estimate, found.se) == (expected.estimate, expected.se)
    whole = estimate(comparer(table, first).cells(first.group))
    assert isinstance(whole, Contrast)
    # With as many samples in each, the whole is the mean of the settings.
    means = [effect.estimate for effect in effects.values() if isinstance(effect, Contrast)]
    assert whole.estimate == pytest.approx(statistics.fmean(means), abs=1e-12)


def test_a_direction_that_hangs_on_the_setting_is_told(grid: Any) -> None:
    _, table, hypotheses = grid
    first = hypotheses[0]
    rows = axis_rows(table, first)
    effects = decoding_effects(rows, first)
    signs = [effect.estimate > 0 for effect in effects.values() if isinstance(effect, Contrast)]
    assert signs[0] != signs[1]
    assert settings_agree(effects) is False
    one, _ = effects.values()
    assert settings_agree({"a": one, "b": one}) is True
    assert settings_agree({"a": one, "b": Undefined("nothing")}) is None
    spread = decoding_sd(rows, first)
    assert isinstance(spread, SettingSd) and spread.n_settings == 2 and spread.sd > 0.1


def test_seeds_are_told_apart_and_their_mean_is_the_contrast(grid: Any) -> None:
    _, table, hypotheses = grid
    for hypothesis in (hypotheses[0], hypotheses[-1]):
        rows = axis_rows(table, hypothesis)
        effects, seeds = decoding_effects(rows, hypothesis), seed_effects(rows, hypothesis)
        assert list(seeds) == list(effects)
        for name, each in seeds.items():
            assert len(each.estimates) == 3 and each.left_out == 0
            whole = effects[name]
            assert isinstance(whole, Contrast)
            assert statistics.fmean(each.estimates) == pytest.approx(whole.estimate, abs=1e-12)
        variances = [statistics.variance(each.estimates) for each in seeds.values()]
        assert seed_sd(rows, hypothesis) == pytest.approx(statistics.fmean(variances) ** 0.5)


def test_one_setting_or_one_sample_has_no_spread() -> None:
    _, table, (first, *_) = audit_of(Decoding(samples=1))
    rows = axis_rows(table, first)
    assert decoding_effects(rows, first) == {}
    assert settings_agree({}) is None
    assert isinstance(decoding_sd(rows, first), Undefined)
    assert isinstance(seed_sd(rows, first), Undefined)
    _, table, (first, *_) = audit_of(Decoding(samples=1, settings=(COLD, HOT)))
    rows = axis_rows(table, first)
    assert len(decoding_effects(rows, first)) == 2
    lone = decoding_sd(rows, first)
    assert isinstance(lone, Undefined) and "1 sample number" in lone.reason


def test_answers_are_no_seeds(mini: Path) -> None:
    model = ScriptedModel.noise()
    plan = make_plan(AuditSpec(models=(model,), suites=(choose(mini),)))
    suites = planned_suites(plan)
    asked = list(questions(plan, model.id, suites))
    responses = model.ask([question.request for question in asked])
    kept = {(model.digest, q.digest): response for q, response in zip(asked, responses, strict=True)}
    first = hypotheses_of(plan)[0]
    rows = axis_rows(score_table(plan, model.id, suites, kept), first)
    assert seed_effects(rows, first) == {} and decoding_effects(rows, first) == {}
    assert seed_sd(rows, first) == Undefined("nothing was sampled")


def write(tmp_path: Path, decoding: object, **more: object) -> Path:
    path = tmp_path / "audit.yaml"
    data = {"models": ["smollm2-135m"], "suites": ["continuation"], "decoding": decoding, **more}
    path.write_text(yaml.safe_dump(data))
    return path


def test_settings_are_read_from_an_audit_file(tmp_path: Path) -> None:
    settings = [{"temperature": 0.7, "top_p": 0.9}, {"temperature": 1, "top_p": 1}]
    spec = read_audit(write(tmp_path, {"samples": 3, "settings": settings}, seed=4))
    assert spec.decoding == Decoding(samples=3, seed=4, settings=(COLD, HOT))
    assert [type(setting.temperature) for setting in spec.decoding.settings] == [float, float]


ONE = {"temperature": 0.7, "top_p": 0.9}
BAD = {
    "twice": ({"settings": [ONE, dict(ONE)]}, {}, "the same setting twice"),
    "twice at temperature 0": (
        {"settings": [{"temperature": 0, "top_p": 0.9}, {"temperature": 0.0, "top_p": 1}]},
        {},
        "the same setting twice",
    ),
    "in two places": ({"temperature": 1.0, "settings": [ONE]}, {}, "temperature beside settings"),
    "an empty list": ({"settings": []}, {}, "settings"),
    "half a setting": ({"settings": [{"temperature": 1.0}]}, {}, "'top_p' is missing"),
    "out of range": ({"settings": [{"temperature": 1.0, "top_p": 2}]}, {}, "top_p"),
    "with until_decided": (
        {"settings": [ONE, {"temperature": 1.0, "top_p": 1.0}]},
        {"until_decided": {}},
        "until_decided",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_settings_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    decoding, more, said = BAD[name]
    with pytest.raises(InputError) as error:
        read_audit(write(tmp_path, decoding, **more))
    (fault,) = error.value.faults
    assert said in str(fault) and "audit.yaml" in str(fault)


def test_a_grid_until_decided_is_refused_in_python_too() -> None:
    model = ScriptedModel(texts, id="scripted/tilt", version="1")
    spec = AuditSpec(
        models=(model,), suites=(choose("continuation"),), decoding=GRID, until_decided=UntilDecided()
    )
    with pytest.raises(InputError, match="one setting only"):
        make_plan(spec)

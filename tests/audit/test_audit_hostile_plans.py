"""Plans that somebody edited, and copies of bundles that lead elsewhere: named, and nothing crashes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit import api
from audit.bundle import Bundle
from audit.plan_checks import MOST_SCORERS, plan_faults
from audit.records import Record
from audit.redaction.check import holds_text
from audit.redaction.copying import redact
from audit.redaction.masked import masked_word
from audit.requests import Classify, LabelLogit, Response
from audit.runner import run_plan
from audit.scorers.labels import label_reading
from audit.verify import verify_bundle
from probes.errors import BundleError, InputError
from tests.audit.redaction_world import MARK, write_spoken
from tests.audit.test_audit_hostile_scorers import Strange, half
from tests.conftest import evenhand

Plan = dict[str, Any]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished audit of text, judged by a scorer that was asked. Not to be written to."""
    scorers = {"sentiment": (Strange(half, "sentiment"),)}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(api, "write_scorer_audits", lambda *given, **more: None)
        return write_spoken(tmp_path_factory.mktemp("judged"), scorers=scorers)


def scorer(**changed: Any) -> Callable[[Plan], Any]:
    return lambda plan: plan["scorers"][0].update(changed)


def reading(**changed: Any) -> Callable[[Plan], Any]:
    return lambda plan: plan["scorers"][0]["reading"].update(changed)


def loaded(**changed: Any) -> Callable[[Plan], Any]:
    return lambda plan: plan["scorers"][0]["model"].update(changed)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda plan: plan.update(scorers=None), "scorers is of another kind"),
        (lambda plan: plan.update(scorers=[5]), "scorers is of another kind"),
        (
            lambda plan: plan.update(scorers=plan["scorers"] * (MOST_SCORERS + 1)),
            "33 scorers, and",
        ),
        (lambda plan: plan.update(scorers=plan["scorers"] * 2), "a scorer is named twice"),
        (scorer(construct="beauty"), "'mine' is not as it is declared"),
        (scorer(construct=["sentiment"]), "'mine' is not as it is declared"),
        (scorer(kind="magic"), "'mine' is not as it is declared"),
        (scorer(worse="sideways"), "'mine' is not as it is declared"),
        (scorer(masked="yes"), "'mine' is not as it is declared"),
        (scorer(digest=5), "'mine' is not as it is declared"),
        (scorer(more=1), "'mine' is not as it is declared"),
        (lambda plan: plan["scorers"][0].pop("found"), "'mine' is not as it is declared"),
        (scorer(kind="rules"), "the reading of scorer 'mine' does not fit its kind"),
        (scorer(reading=None), "the reading of scorer 'mine' does not fit its kind"),
        (reading(weights={}), "'mine' is not as it is declared"),
        (reading(weights=[[None, 1]]), "'mine' is not as it is declared"),
        (reading(temperature=0), "'mine' is not as it is declared"),
        (scorer(bounds=[0, 1, 2]), "the scale of scorer 'mine' is no pair of numbers"),
        (scorer(notable="x"), "the scale of scorer 'mine' is no pair of numbers"),
        (scorer(bounds=[1, 0]), "the scale of scorer 'mine' does not run upwards"),
        (scorer(bounds=[0, 0]), "the scale of scorer 'mine' does not run upwards"),
        (scorer(model=None), "what loads scorer 'mine' is not as it is declared"),
        (scorer(model="/etc/passwd"), "what loads scorer 'mine' is not as it is declared"),
        (scorer(model={}), "what loads scorer 'mine' is not as it is declared"),
        (loaded(options={"trust_remote_code": True}), "what loads scorer 'mine' is not as it is declared"),
        (loaded(options={"max_length": 0}), "what loads scorer 'mine' is not as it is declared"),
        (loaded(options=[1]), "what loads scorer 'mine' is not as it is declared"),
    ],
)
def test_what_a_plan_says_of_its_scorers_is_looked_at_before_it_is_used(
    judged: Path, edit: Callable[[Plan], Any], said: str
) -> None:
    plan = json.loads((judged / "plan.json").read_bytes())
    assert plan_faults(plan) == []
    edit(plan)
    assert said in plan_faults(plan)[0]


@pytest.fixture
def edited(judged: Path, tmp_path: Path) -> Callable[[Callable[[Plan], Any]], Bundle]:
    """The audit's plan, edited, in a folder of its own."""

    def edit(change: Callable[[Plan], Any]) -> Bundle:
        plan = json.loads((judged / "plan.json").read_bytes())
        change(plan)
        return Bundle.create(tmp_path / "edited", plan)

    return edit


def test_a_plan_without_a_scorer_that_it_needs_is_one_line(
    judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = json.loads((judged / "plan.json").read_bytes())
    suite = next(suite for suite in plan["suites"] if suite["data"]["measure"] == "continuation_sentiment")
    suite["data"]["measure"] = "continuation_toxicity"  # of which no scorer is built in
    Bundle.create(tmp_path / "edited", plan)
    (tmp_path / "edited" / "records").mkdir(exist_ok=True)
    for command in ("analyze", "run --out"):
        code, _, err = evenhand(capsys, *command.split(), str(tmp_path / "edited"))
        assert code == 2 and "names no scorer of toxicity, which suite talk needs" in err
        assert err.count("\n") == 1


def test_a_plan_that_loads_by_an_unknown_option_is_one_line(
    edited: Callable[[Callable[[Plan], Any]], Bundle],
) -> None:
    bundle = edited(lambda plan: plan["load"].update(zzz=1))
    with pytest.raises(BundleError, match="not as evenhand writes a plan"):
        run_plan(bundle, lambda model: pytest.fail("nothing is loaded"))


@pytest.mark.parametrize("weight", [1e308, float("nan"), float("inf"), True, "1"])
def test_a_weight_that_cannot_be_summed_is_refused(weight: Any) -> None:
    with pytest.raises(InputError, match="the weight of the label 'a' is"):
        label_reading({"a": weight, "b": 1.0})


@pytest.mark.parametrize("name", ["reviews.jsonl", "engagement.yaml", "environment.json"])
def test_a_copy_takes_nothing_from_where_a_link_leads(judged: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("of somebody else")
    for path in judged.iterdir():
        (tmp_path / "audit").mkdir(exist_ok=True)
        (tmp_path / "audit" / path.name).symlink_to(path) if path.is_dir() else (
            tmp_path / "audit" / path.name
        ).write_bytes(path.read_bytes())
    (tmp_path / "audit" / name).unlink(missing_ok=True)
    (tmp_path / "audit" / name).symlink_to(tmp_path / "secret")
    with pytest.raises(BundleError, match=f"{name}: is a link"):
        redact(tmp_path / "audit", tmp_path / "copy")
    assert not (tmp_path / "copy").exists() and len([*tmp_path.iterdir()]) == 2


def test_what_a_scorer_quotes_is_in_no_copy_and_people_s_own_words_are_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def quotes(texts: list[str]) -> Any:
        raise ValueError(f"cannot read {texts[0]!r}, that is {texts[0][:20]} and {texts[0].upper()}")

    monkeypatch.setattr(api, "write_scorer_audits", lambda *given, **more: None)
    folder = write_spoken(tmp_path, scorers={"sentiment": (Strange(quotes, "sentiment"),)})
    (folder / "engagement.yaml").write_text("{}")
    code, out, _ = evenhand(capsys, "redact", str(folder), "--out", str(tmp_path / "copy"))
    assert code == 0 and "it is copied as it is: engagement.yaml" in out
    held = b"".join(path.read_bytes() for path in (tmp_path / "copy").rglob("*") if path.is_file())
    assert b"the scorer failed: ValueError: cannot" in held and MARK.encode() not in held.lower()
    assert [fault for check in verify_bundle(tmp_path / "copy") for fault in check.faults] == []


def test_words_that_were_left_in_a_copy_are_found() -> None:
    def record(*words: str) -> Record:
        labels = (LabelLogit("toxicity", 0.5),)
        return Record(0, "", "", Classify(""), Response(labels=labels, activation="value", words=words))

    masked = [masked_word(word) for word in (MARK, "old fool", "no", "x", f"{MARK} {MARK} {MARK} {MARK}")]
    assert not holds_text(record(*masked)) and holds_text(record(*masked, MARK))

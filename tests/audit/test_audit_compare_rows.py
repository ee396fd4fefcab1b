"""What two audits can be compared on: rows, models and plans; and what is refused, counted or named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import audit.scorers.sentiment as sentiment
from audit.analysis.estimates import Cells
from audit.bundle import sha256
from audit.compare import compare_bundles
from audit.comparison.changes import change_span
from audit.comparison.pairs import named_pair
from audit.measures import MEASURES, Decoding, DecodingSetting
from audit.models import ScriptedModel
from audit.spec import UntilDecided, choose
from probes.errors import BundleError, InputError
from tests.audit.comparison_world import (
    Edit,
    audit_of,
    change,
    compared,
    copied,
    failing,
    jittered,
    lost,
    noise,
    planted,
    suite,
)
from tests.audit.sequential_world import (
    alike,
    kinder_to_red,
    quick_scorers,  # noqa: F401 - a fixture, which works by being here
    write_suite,
    writer,
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audit_of(tmp_path_factory.mktemp("before") / "a", noise(), title="An audit")


def edited(folder: Path, edit: Edit = str, terms: Edit = str, **more: Any) -> Path:
    """An audit of the small suite with its files edited."""
    path = suite(folder / "suite", edit, terms, each=more.pop("each", False))
    margin = more.pop("margin", None)
    return audit_of(folder / "a", noise(), suites=(choose(str(path), margin=margin),), **more)


# -- rows -----------------------------------------------------------------------------------------------

WORDS = 8
EDITS: dict[str, tuple[Edit, Edit, dict[str, int]]] = {
    "a renamed template": (
        lambda text: text.replace("{id: t3,", "{id: new,"),
        str,
        {"item only before": WORDS, "item only after": WORDS},
    ),
    "another wording": (
        lambda text: text.replace("number 3 said", "number 3 shouted"),
        str,
        {"text differs": WORDS},
    ),
    "other answers": (
        lambda text: text.replace("plus: [she]", "plus: [they]"),
        str,
        {"other answers are compared": 12 * WORDS},
    ),
    "another pair of answers": (
        lambda text: text.replace("{id: pronoun,", "{id: pronouns,"),
        str,
        {"unit or setting only before": 12 * WORDS, "unit or setting only after": 12 * WORDS},
    ),
    "a word moved to the other group": (
        str,
        lambda text: text.replace("word0, groups: {kind: two}", "word0, groups: {kind: one}"),
        {"in another group, template family or pair": 12},
    ),
    "a template moved to another family": (
        lambda text: text.replace("{id: t3, family: f1,", "{id: t3, family: f2,"),
        str,
        {"in another group, template family or pair": WORDS},
    ),
    "a word less": (
        str,
        lambda text: text.replace("  - {id: w0, text: word0, groups: {kind: two}}\n", ""),
        {"item only before": 12},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_what_is_not_the_same_question_is_counted_by_reason(name: str, base: Path, tmp_path: Path) -> None:
    edit, terms, reasons = EDITS[name]
    found = compared(base, edited(tmp_path, edit, terms))
    assert lost(found) == reasons
    row = change(found)
    counted = sum(row["unmatched"].values())
    assert counted == sum(reasons.values()) and row["rows"] == found["matching"][0]["matched"]
    assert any("the two findings rest on these rows, too" in note for note in row["notes"])
    if row["rows"]:
        told = row["change"]
        assert told["estimate"] == pytest.approx(told["matched_after"] - told["matched_before"], abs=1e-12)
    else:
        assert row["verdict"] == "not comparable" and row["change"] is None
        assert row["undefined"] == "no row of the one audit has its like in the other"


def test_unmatched_rows_are_listed_with_what_was_asked(base: Path, tmp_path: Path) -> None:
    found = compared(base, edited(tmp_path, lambda text: text.replace("number 3 said", "number 3 shouted")))
    (entry,) = found["matching"][0]["unmatched"]
    first = entry["examples"][0]
    assert entry["items"] == entry["rows"] == len(entry["examples"]) == WORDS
    assert "said" in first["text_before"] and "shouted" in first["text_after"]
    assert first["item"].startswith("mini/t3/")


def test_the_same_text_in_another_form_is_another_question(base: Path, tmp_path: Path) -> None:
    scoring = ScriptedModel(noise()._answer, id="scripted/noise", capabilities=frozenset({"score"}))
    found = compared(base, audit_of(tmp_path / "a", scoring))
    assert lost(found) == {"asked in another form": 12 * WORDS}
    assert {row["verdict"] for row in found["findings"]} == {"not comparable"}
    assert "form: 'fill' before, 'score' after" in found["plan_changes"][-1]["text"]


def test_answers_that_failed_are_no_moves(base: Path, tmp_path: Path) -> None:
    """Two templates fail for every word: less is compared, and still the same model says the same."""
    broken = audit_of(tmp_path / "a", failing(lambda text: "number 3 " in text or "number 5 " in text))
    found = compared(base, broken)
    assert lost(found) == {"scored only before": 2 * WORDS}
    example = found["matching"][0]["unmatched"][0]["examples"][0]
    assert (example["status_before"], example["status_after"]) == ("scored", "error")
    row = change(found)
    assert row["change"]["estimate"] == 0.0 and row["rows"] == 10 * WORDS
    assert row["verdict"] == "no change within margin"
    assert lost(compared(broken, base)) == {"scored only after": 2 * WORDS}
    both = compared(broken, broken)
    assert lost(both) == {"scored in neither": 2 * WORDS}


def test_answers_that_failed_for_one_group_make_it_incomparable(base: Path, tmp_path: Path) -> None:
    row = change(compared(base, audit_of(tmp_path / "a", failing(lambda text: "word3 " in text))))
    assert row["verdict"] == "not comparable" and row["change"] is not None
    assert row["reasons"][0].startswith("no verdict after: the groups differ by 25%")
    assert row["reasons"][1] == "the groups differ by 25% in answers that could not be scored in both audits"
    assert row["direction"] is None


# -- plans ----------------------------------------------------------------------------------------------


def texts(found: dict[str, Any]) -> list[str]:
    return [row["text"] for row in found["plan_changes"]]


def test_what_differs_in_the_plan_is_said_in_words(base: Path, tmp_path: Path) -> None:
    def edit(text: str) -> str:
        text = text.replace("version: 1.0.0", "version: 1.1.0").replace("number 3 said", "number 3 shouted")
        text = text.replace("{id: t4,", "{id: new,").replace("construct: nothing", "construct: words")
        return text.replace("groups: [one]", "groups: [two]").replace("reference: two", "reference: one")

    def terms(text: str) -> str:
        return text.replace("word0,", "wordless,").replace("first kind", "one kind")

    after = edited(tmp_path, edit, terms, title="Again", alpha=0.01, seed=3, margin=(0.1, "a policy"))
    found = texts(compared(base, after))
    for text in (
        "plan: title: 'An audit' before, 'Again' after",
        "plan: alpha: 0.05 before, 0.01 after",
        "plan: seed: 0 before, 3 after",
        "mini: margin value: 0.2 before, 0.1 after",
        "mini: margin source: 'test' before, 'a policy' after",
        "mini: version: '1.0.0' before, '1.1.0' after",
        "mini: card construct: 'nothing' before, 'words' after",
        "mini: contrasts: 1 changed",
        "mini: templates: 1 added, 1 removed, 1 changed",
        "lexicon mini-terms: terms: 1 changed",
        "lexicon mini-terms: axes: 1 changed",
    ):
        assert text in found
    assert len(found) == 11
    templates = next(row for row in compared(base, after)["plan_changes"] if row["field"] == "templates")
    assert set(templates["before"]) == {"t3", "t4"} and set(templates["after"]) == {"t3", "new"}


def test_the_smaller_margin_and_alpha_count_and_it_is_said(base: Path, tmp_path: Path) -> None:
    after = edited(tmp_path, margin=(0.1, "a policy"), alpha=0.01)
    for row in (change(compared(base, after)), change(compared(after, base))):
        assert row["margin"]["value"] == 0.1 and row["alpha"] == 0.01
        assert row["change"]["ci"]["level"] == pytest.approx(0.99)
        assert [note.split(",")[0] for note in row["notes"]] == ["the margins differ", "the alphas differ"]


def test_roles_and_suites_that_only_one_audit_has(base: Path, tmp_path: Path) -> None:
    def edit(text: str) -> str:
        return text.replace("role: confirmatory", "role: exploratory")

    found = compared(base, edited(tmp_path, edit, each=True))
    row = change(found)
    assert row["role"] == "exploratory" and row["correction"]["method"] == "benjamini-hochberg"
    assert "confirmatory before and exploratory after: corrected as exploratory" in row["notes"]
    reasons = [(one["when"], one["reason"]) for one in found["not_compared"]]
    assert reasons == [("after", "no such contrast before")] * WORDS
    other = compared(base, edited(tmp_path / "b", lambda text: text.replace("id: mini\n", "id: maxi\n")))
    assert other["findings"] == [] and {"suite mini: only before", "suite maxi: only after"} <= set(
        texts(other)
    )
    assert {one["reason"] for one in other["not_compared"]} == {
        "the suite was not asked after",
        "the suite was not asked before",
    }


def environment(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = bundle / "environment.json"
    told = json.loads(path.read_text())
    change(told["runs"][-1]["environment"])
    path.write_text(json.dumps(told))


def test_what_differs_between_the_machines_is_said(base: Path, tmp_path: Path) -> None:
    other = copied(base, tmp_path / "a")
    environment(other, lambda told: told["packages"].update(torch="9.9.9"))
    environment(other, lambda told: told.update(machine="abacus"))
    found = compared(base, other)["environment_changes"]
    assert [(row["field"], row["after"]) for row in found] == [("machine", "abacus"), ("torch", "9.9.9")]
    (other / "environment.json").unlink()
    (row,) = compared(base, other)["environment_changes"]
    assert row["text"] == "environment: not known after, so that it cannot be compared"


def test_what_the_ledgers_tell_of_the_models_is_held_side_by_side(base: Path, tmp_path: Path) -> None:
    found = compared(base, audit_of(tmp_path / "a", planted()))
    (pair,) = found["pairs"]
    assert [row["field"] for row in pair["changes"]] == ["planted"] and not pair["same_digest"]


# -- models ---------------------------------------------------------------------------------------------


def test_models_belong_together_by_id_or_alone_or_by_name(base: Path, tmp_path: Path) -> None:
    several = audit_of(tmp_path / "several", noise(), jittered(name="x=y"), ScriptedModel.group_blind())
    found = compared(base, several)
    assert [(pair["before"]["id"], pair["after"]["id"]) for pair in found["pairs"]] == [
        ("scripted/noise",) * 2
    ]
    assert [(row["when"], row["model"]) for row in found["unpaired"]] == [
        ("after", "x=y"),
        ("after", "scripted/group-blind"),
    ]
    named = compared(base, several, models=("scripted/noise", "x=y"))
    assert named["findings"][0]["model_after"] == "x=y" and len(named["pairs"]) == 1
    whole = compared(several, several)
    assert len(whole["pairs"]) == 3 and {row["pair"] for row in whole["findings"]} == {0, 1, 2}
    with pytest.raises(InputError, match=r"no model 'gone' was asked before.*There is: scripted/noise"):
        compare_bundles(base, several, models=("gone", "x=y"))
    other = audit_of(tmp_path / "other", jittered())
    with pytest.raises(
        InputError, match=r"before: scripted/noise, x=y, .* cannot be told .*--models BEFORE=AFTER"
    ):
        compare_bundles(several, other)


def test_names_that_hold_the_sign_between_them() -> None:
    assert named_pair("a=b", ["a"], ["b"]) == ("a", "b")
    assert named_pair("gone=b", ["a"], ["b"]) == ("gone", "b")
    for text in ("a", "a=b=c"):
        with pytest.raises(InputError, match="Before there is: a, a=b; after: b=c, c"):
            named_pair(text, ["a", "a=b"], ["b=c", "c"])


# -- sampled text ---------------------------------------------------------------------------------------


def talk(folder: Path, model: ScriptedModel, kind: str = "paired", **more: Any) -> Path:
    """An audit of continuations; with max_units, one that asks until it is decided."""
    path = write_suite(folder.with_name(folder.name + "-suite"), kind)
    decided = more.pop("max_units", None)
    more = {"decoding": Decoding(samples=2), **more}
    return audit_of(
        folder, model, suites=(choose(str(path)),), until_decided=decided and UntilDecided(decided), **more
    )


def test_families_that_were_asked_until_decided_are_named(tmp_path: Path) -> None:
    fixed = talk(tmp_path / "fixed", writer(alike))
    drawn = talk(tmp_path / "drawn", writer(alike), max_units=40)
    for bundles, when in (
        ((fixed, drawn), "after"),
        ((drawn, fixed), "before"),
        ((drawn, drawn), "before and after"),
    ):
        found = compared(*bundles)
        (row,) = found["findings"]
        assert row["verdict"] == "not comparable" and row["change"] is None
        assert row["reasons"] == [f"asked until decided {when}"]
        assert {one["suite"] for one in found["not_compared"]} == {"talk"}
        assert all("asked until decided" in one["reason"] for one in found["not_compared"])
        assert found["flips"] == []
    assert lost(compared(fixed, drawn)) == {"asked until decided": 108}
    assert "sequential: until decided: no before, yes after" in texts(compared(fixed, drawn))


def test_tones_that_flipped_and_the_second_scorer(tmp_path: Path) -> None:
    before, after = talk(tmp_path / "a", writer(alike)), talk(tmp_path / "b", writer(kinder_to_red))
    found = compared(before, after)
    (flips,) = found["flips"]
    assert flips["kind"] == "tone" and flips["rows"] == 54
    groups = {row["group"]: row for row in flips["groups"]}
    assert groups["red"]["up"] == groups["red"]["flipped"] == flips["flipped"] > 0
    assert groups["red"]["down"] == groups["blue"]["flipped"] == 0
    assert groups["red"]["p"] is None and groups["red"]["undefined"]
    assert {row["to"] for row in flips["transitions"]} <= {"positive", "neutral"}
    (row,) = found["findings"]
    assert row["unit"] == "points" and row["change"]["estimate"] > 0
    assert row["change"]["estimate"] == pytest.approx(row["after"]["estimate"] - row["before"]["estimate"])


def test_a_change_that_another_scorer_contradicts_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sentiment.WORD_LISTS["vader"]
    monkeypatch.setitem(sentiment.WORD_LISTS, "textblob", lambda text: -first(text))
    monkeypatch.setattr(sentiment, "REVISION", "against the first")
    often = Decoding(samples=16)
    found = compared(
        talk(tmp_path / "a", writer(alike), decoding=often),
        talk(tmp_path / "b", writer(lambda prompt: 0.8 if "red" in prompt else 0.4), decoding=often),
    )
    (row,) = found["findings"]
    assert row["verdict"] == "inconclusive" and row["direction"] is None
    (reason,) = row["reasons"]
    assert reason.startswith("on the change the scorers disagree: by vader the group scores higher")


def test_few_people_of_two_groups_allow_no_claim_of_a_change(tmp_path: Path) -> None:
    found = compared(
        talk(tmp_path / "a", writer(alike), "interaction"),
        talk(tmp_path / "b", writer(lambda prompt: 0.8 if "redbig" in prompt else 0.0), "interaction"),
    )
    (row,) = found["findings"]
    assert row["verdict"] == "inconclusive" and row["change"]["estimate"] > 0.3
    assert row["reasons"][0].startswith("2 terms in the smallest cell")


def test_bounded_scores_can_change_by_twice_what_they_can_differ() -> None:
    one = pd.DataFrame([[0.0]])
    cells = Cells("nested", one, one, pd.Series(["f"]))
    assert change_span(MEASURES["continuation_sentiment"], cells) == 4.0
    assert change_span(MEASURES["answer_log_odds"], cells) is None


def test_another_decoding_is_said_and_samples_are_counted_within_their_setting(tmp_path: Path) -> None:
    settings = (DecodingSetting(0.5, 0.9), DecodingSetting(1.0, 0.9))
    few = talk(tmp_path / "few", writer(alike), decoding=Decoding(samples=2, settings=settings))
    more = talk(tmp_path / "more", writer(alike), decoding=Decoding(samples=3, settings=settings))
    found = compared(few, more)
    assert lost(found) == {"unit or setting only after": 108}
    assert found["matching"][0]["matched"] == 216
    assert "decoding: samples: 2 before, 3 after" in texts(found)
    assert any("another decoding (samples)" in note for note in found["findings"][0]["notes"])


# -- bundles that cannot be read ------------------------------------------------------------------------


def test_unfinished_and_broken_bundles_are_refused(base: Path, tmp_path: Path) -> None:
    def refused(name: str, spoil: Callable[[Path], object], match: str) -> None:
        odd = copied(base, tmp_path / name)
        spoil(odd)
        for bundles in ((base, odd), (odd, base)):
            with pytest.raises(BundleError, match=match):
                compare_bundles(*bundles)

    def records(odd: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
        path = odd / "records/00000.jsonl"
        path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))

    def written(name: str, text: str) -> Callable[[Path], object]:
        return lambda odd: (odd / name).write_text(text)

    def replaced(name: str, old: str, new: str) -> Callable[[Path], object]:
        return lambda odd: (odd / name).write_text((odd / name).read_text().replace(old, new))

    def other_records(odd: Path) -> None:
        found = json.loads((odd / "findings.json").read_text())
        (odd / "findings.json").write_text(json.dumps({**found, "chain_sha256": sha256(b"")}))

    def one_finding_less(odd: Path) -> None:
        found = json.loads((odd / "findings.json").read_text())
        (odd / "findings.json").write_text(json.dumps({**found, "findings": found["findings"][1:]}))

    refused("cut", lambda odd: records(odd, lambda lines: lines[:-5]), "5 of .* questions have no answer yet")
    refused("torn", lambda odd: records(odd, lambda lines: [*lines[:3], *lines[4:]]), "chain is broken")
    refused("no findings", lambda odd: (odd / "findings.json").unlink(), "missing")
    refused("other records", other_records, "from another plan or from other records.*evenhand analyze")
    refused("one less", one_finding_less, "not the hypotheses of the plan")
    refused("no list", written("environment.json", "{}"), "not a list of runs")
    refused("no run", written("environment.json", '{"runs": [1]}'), "a run without its environment")
    refused("no ledger", written("provenance.json", '{"claims": [1]}'), "not a claim ledger")
    refused("strange plan", replaced("plan.json", '"suite": "mini",', '"suite": "other",'), "does not hold")
    refused("odd plan", replaced("plan.json", '"kind": "scripted"', '"king": "scripted"'), "not as evenhand")
    with pytest.raises(BundleError, match="no such folder"):
        compare_bundles(base, tmp_path / "gone")

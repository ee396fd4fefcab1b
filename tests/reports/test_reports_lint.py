"""No report says more than was measured; what others said is quoted, and nothing else is let through."""

from __future__ import annotations

import copy
import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest

import reports.contents
from audit.cli import main
from probes import load_suite
from probes.catalogue import suite_ids
from probes.errors import InputError
from reports.asked import Asked
from reports.audit_report import report_data
from reports.contents.cover import CLAIMS_LIMITS
from reports.lint import QUOTED, claims_in, is_quoted, overclaims, strings, without_overclaims

SAID = [
    "compliant", "Compliantly", "non-compliant", "certi" + "fied", "certifies", "bias-free", "bias free",
    "un" + "biased", "un-biased", "de" + "biased", "de-biasing", "debias", "guarantees", "GUARANTEED",
    "guarantee", "safe", "Safer", "safely", "fail-safe",
]  # fmt: skip
NOT_SAID = [
    "compliance", "certificate", "certainty", "safety", "safeguard", "unsafe", "biased", "bias",
    "free of bias", "safetensors", "guarantor",
]  # fmt: skip


@pytest.mark.parametrize("word", SAID)
def test_a_word_that_claims_too_much_is_found(word: str) -> None:
    assert claims_in(f"the model is {word}, they say") and claims_in(word)


@pytest.mark.parametrize(
    "word", ["certi\u200bfied", "un\u00adbiased", "\uff43\uff4f\uff4dpliant", "bias\u2011free"]
)
def test_a_word_is_found_as_a_reader_sees_it(word: str, data: dict[str, Any]) -> None:
    assert len(claims_in(f"the model is {word}, they say")) == 1
    assert len(overclaims(put(data, ("cover", "title"), f"A {word} model"))) == 1


@pytest.mark.parametrize("word", NOT_SAID)
def test_other_words_are_let_through(word: str) -> None:
    assert claims_in(f"the model is {word}, they say") == []


def test_a_report_says_nothing_of_the_kind(data: dict[str, Any]) -> None:
    assert overclaims(data) == []
    assert without_overclaims(data, "audit") is data


OURS = [
    ("findings", 0, "effect"), ("findings", 1, "statement"), ("findings", 2, "recommendation"),
    ("executive", "to_do", 0), ("engagement", "objective"), ("glossary", 0, "meaning"), ("cover", "title"),
    ("suites", 0, "card", "harm"), ("not_measured", 0, "why"), ("method", "tests", 1),
    ("signatures", 0, "role"), ("cover", "commissioned_by"),
]  # fmt: skip
THEIRS = [
    ("cover", "claims_limits", 1), ("cover", "models", 0, "id"), ("provenance", "claims", 0, "value"),
    ("suites", 0, "card", "critiques", 0), ("provenance", "probes", 0, "critiques", 0),
    ("findings", 0, "record", "reasons"),
    ("findings", 0, "review", "history"), ("reproduction", "runs", 0, "environment", "processor"),
]  # fmt: skip


def put(data: dict[str, Any], place: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(data)
    inner: Any = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return changed


@pytest.mark.parametrize("place", OURS, ids=str)
def test_wherever_the_report_speaks_the_word_is_refused(place: tuple[Any, ...], data: dict[str, Any]) -> None:
    changed = put(data, place, "A safe and compliant model.")
    assert overclaims(changed) == [(place, "safe"), (place, "compliant")]
    with pytest.raises(InputError) as raised:
        without_overclaims(changed, "audit")
    first, second = str(raised.value).splitlines()
    assert first.startswith("audit: $.") and "'safe'" in first and "'compliant'" in second


@pytest.mark.parametrize("place", THEIRS, ids=str)
def test_what_others_said_is_quoted(place: tuple[Any, ...], data: dict[str, Any]) -> None:
    assert overclaims(put(data, place, ["A safe and compliant model."])) == []


def test_lists_of_what_must_not_be_claimed_are_let_through() -> None:
    assert overclaims({"crosswalk": {"frameworks": [{"must_not_claim": ["compliant"]}]}}) == []
    assert overclaims({"crosswalk": {"frameworks": [{"must_not_claim": "compliant"}]}}) == []
    assert overclaims({"crosswalk": {"frameworks": [{"gap": "compliant"}]}}) != []


def test_the_disclaimer_alone_needs_its_exemption() -> None:
    assert is_quoted(("cover", "claims_limits", 0)) and not is_quoted(("cover", "claims_limits_too", 0))
    assert len(QUOTED) <= 27 and all(claims_in(text) == [] for text in CLAIMS_LIMITS)


def test_a_models_name_and_a_word_that_was_asked_are_let_through_in_a_sentence(data: dict[str, Any]) -> None:
    named = put(data, ("cover", "models", 0, "id"), "acme/safe-1")
    quoted = put(named, ("findings", 0, "statement"), "acme/safe-1: the odds of *safe* over *risky* are 2")
    assert overclaims(quoted) == []
    plain = put(named, ("findings", 0, "statement"), "acme/safe-1: the odds of safe over risky are 2")
    assert overclaims(plain) == [(("findings", 0, "statement"), "safe")]
    title = put(data, ("cover", "title"), "A *safe* model")
    assert overclaims(title) == [(("cover", "title"), "safe")]


def test_a_scorers_name_is_let_through_wherever_the_report_names_it(data: dict[str, Any]) -> None:
    name = "unitary/un" + "biased-toxic-roberta#toxicity"
    named = put(data, ("method", "measures", 0, "scorers"), [name, "vader"])
    told = put(named, ("provenance", "claims", 0, "subject"), f"scorer:{name}")
    told = put(told, ("findings", 0, "statement"), f"By {name}, the scores are higher.")
    assert overclaims(told) == []
    assert overclaims(put(data, ("findings", 0, "statement"), f"By {name}, the scores are higher.")) != []


def test_every_suite_of_the_catalogue_can_be_reported() -> None:
    suites = [load_suite(name) for name in suite_ids()]
    assert len(suites) > 2
    for suite in suites:
        card = suite.card
        told = [suite.title, card.harm, card.construct, card.compares, card.not_evidence, *card.limits]
        assert claims_in(" ".join([*told, suite.margin.source, *card.critiques])) == [], suite.id


def test_every_sentence_of_the_contents_keeps_the_rule() -> None:
    """The tables of words that sections are made from, whether or not a small audit uses them."""
    checked = 0
    for module in pkgutil.iter_modules(reports.contents.__path__, "reports.contents."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if name.isupper():
                for place, text in strings(value):
                    checked += 1
                    assert claims_in(text) == [], (module.name, name, place)
    assert checked > 100


def test_the_auditors_own_word_is_named_with_its_line(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "engagement.yaml"
    path.write_text("format: 1\nobjective: To show that the model is compliant.\n")
    with pytest.raises(InputError, match=r"objective \(line 2\): says 'compliant'"):
        report_data(bundle, Asked(engagement=path))
    with pytest.raises(SystemExit) as ended:
        main(["report", str(bundle), "--engagement", str(path), "--out", str(tmp_path / "out")])
    assert ended.value.code == 2 and not (tmp_path / "out").exists()
    assert len(capsys.readouterr().err.strip().splitlines()) <= 2


def test_a_plans_title_is_refused_and_can_be_replaced(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.bundle import Bundle

    read = Bundle._read_plan
    monkeypatch.setattr(Bundle, "_read_plan", lambda self: {**read(self), "title": "A guaranteed model"})
    with pytest.raises(InputError, match=r"would say 'guaranteed'.*by `title:` in engagement\.yaml"):
        report_data(bundle)
    path = tmp_path / "engagement.yaml"
    path.write_text("title: A model\n")
    assert report_data(bundle, Asked(engagement=path))["cover"]["title"] == "A model"

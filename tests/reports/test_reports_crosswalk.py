"""The legal map and the crosswalk: valid data, every clause looked up, words that decide nothing."""

from __future__ import annotations

import copy
import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from audit.cli import main
from probes.errors import InputError
from reports.asked import Asked
from reports.audit_report import csv_tables, markdown, report_data
from reports.contents.crosswalk import MEANINGS, crosswalk
from reports.contents.evidence import SOURCES, UNMAPPED, shortened
from reports.contents.risks import risk_tags
from reports.legal_map import folder, legal_map, parsed, risk_vocabularies
from reports.schema import read, report_schema
from reports.templating import templates
from reports.writers.paper import front
from reports.writers.parts import shown
from tests.reports.pages import Outline

VERIFIED = date(2026, 11, 23)
INSTRUMENTS = {
    "eu-ai-act", "eu-gpai-code", "iso-42001", "iso-tr-24027", "iso-ts-12791", "nist-ai-600-1", "nist-ai-800",
    "nist-ai-rmf", "nyc-ll144", "uk-equality-act", "uk-ico", "uk-si-2026-425", "us-ca-ab2013", "us-ca-crd",
    "us-co-sb26-189", "us-four-fifths", "us-omb-m-25-21", "us-omb-m-26-04",
}  # fmt: skip
OVERCLAIMING = re.compile(
    r"\b(complian(t|ce)|certif(ied|ies|y)|bias[- ]free|guarante\w*|un-?biased|de-?bias\w*|safe(r|ly)?)\b",
    re.IGNORECASE,
)
DECIDING = re.compile(r"\b(pass(es|ed)?|fail(s|ed)?|satisf\w+|fulfil\w*|met)\b", re.IGNORECASE)
PEOPLE = "sex,race_ethnicity,applicants,selected\na,x,60,30\nb,x,40,10\nb,y,20,12\n,y,3,1\n"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, "utf-8")
    return path


@pytest.fixture(scope="module")
def selected(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("selected") / "people.csv"
    path.write_text(PEOPLE, "utf-8")
    return report_data(bundle, Asked(as_of=VERIFIED, selection=path))


def entries(told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for framework in told["frameworks"]:
        for entry in framework["entries"]:
            yield framework["id"], entry


def entry(data: dict[str, Any], framework: str, clause: str, as_of: date = VERIFIED) -> dict[str, Any]:
    found = [
        row
        for name, row in entries(crosswalk(data, as_of))
        if name == framework and row["clause"].startswith(clause)
    ]
    assert len(found) == 1, (framework, clause)
    return found[0]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


# -- the legal map ----------------------------------------------------------------------------------


def test_the_map_names_every_instrument() -> None:
    assert {found["id"] for found in legal_map()} == INSTRUMENTS
    for path in folder().iterdir():
        assert path.name == "vocabularies" or path.name == f"{parsed(path)['id']}.yaml"


@pytest.mark.parametrize("found", legal_map(), ids=lambda found: found["id"])
def test_an_instrument_is_as_the_schema_says(found: dict[str, Any]) -> None:
    schema = read("reports", "framework")
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    validator.validate(found)
    assert date.fromisoformat(found["verified_on"]) == VERIFIED
    clauses = [row["clause"] for row in found["entries"]]
    assert len(clauses) == len(set(clauses))
    for row in found["entries"]:
        rule = row["evidence"]
        named = {name for key in ("speaks", "needs", "when") for name in rule.get(key, ())}
        assert named <= SOURCES.keys(), named - SOURCES.keys()
        assert not set(rule.get("needs", ())) & set(rule.get("speaks", ()))
    changed = copy.deepcopy(found)
    changed["entries"][0]["evidence"]["reach"] = "all"
    assert list(validator.iter_errors(changed))
    assert list(validator.iter_errors({**found, "more": 1}))


@pytest.mark.parametrize("found", legal_map(), ids=lambda found: found["id"])
def test_the_map_claims_and_decides_nothing_in_its_own_words(found: dict[str, Any]) -> None:
    own = {**found, "entries": [{**row, "must_not_claim": ""} for row in found["entries"]], "source_url": ""}
    for text in texts(own):
        assert not OVERCLAIMING.search(text), text
        assert not DECIDING.search(text), text


def test_every_source_of_evidence_is_asked_for_somewhere() -> None:
    named = {
        name
        for found in legal_map()
        for row in found["entries"]
        for key in ("speaks", "needs", "when")
        for name in row["evidence"].get(key, ())
    }
    assert named == SOURCES.keys()


def test_dates_and_states_are_those_of_the_reference() -> None:
    by_id = {found["id"]: found for found in legal_map()}
    colorado, ai_act = by_id["us-co-sb26-189"], by_id["eu-ai-act"]
    assert (colorado["status"], colorado["applies_from"]) == ("applies later", "2027-01-01")
    assert "SB 24-205, repealed before it applied" in colorado["replaces"][0]
    assert "M-24-10, rescinded" in by_id["us-omb-m-25-21"]["replaces"][0]
    assert by_id["uk-si-2026-425"]["status"] == "pending" and by_id["nist-ai-800"]["status"] == "draft"
    assert "2026/1744" in ai_act["instrument_version"]
    days = {row["clause"].split(",")[0]: row.get("applies_from") for row in ai_act["entries"]}
    for clause in ("Article 12", "Annex IV", "Article 18", "Article 27"):
        assert next(day for name, day in days.items() if name.startswith(clause)) == "2027-12-02"
    assert days["Article 4a"] == "2026-07-27" and days["Article 55(1)(a)"] == "2025-08-02"


# -- the crosswalk ----------------------------------------------------------------------------------


def test_every_clause_has_a_status_and_evidence_or_a_reason(data: dict[str, Any]) -> None:
    told = data["crosswalk"]
    rows = list(entries(told))
    assert len(rows) == sum(len(found["entries"]) for found in legal_map()) > 70
    assert list(MEANINGS) == [
        "evidence produced", "partial", "not tested", "not applicable", "outside this tool",
    ]  # fmt: skip
    assert {row["status"] for _, row in rows} == set(MEANINGS)
    numbers = {row["number"] for row in data["findings"]}
    for name, row in rows:
        assert bool(row["evidence"]) != bool(row["reason"]), (name, row["clause"])
        assert (row["status"] in ("evidence produced", "partial")) == bool(row["produced"])
        assert not (row["status"] == "evidence produced" and row["missing"])
        assert {one for one in row["evidence"] if one.startswith("F-")} <= numbers
        assert row["gap"] and row["who_must_act"] and row["must_not_claim"]
        for word in [row["status"], row["reason"], *row["missing"]]:
            assert not DECIDING.search(word), word
    schema = report_schema()
    changed = copy.deepcopy(data)
    changed["crosswalk"]["frameworks"][0]["entries"][0] |= {"evidence": [], "reason": ""}
    assert list(Draft202012Validator(schema).iter_errors(changed))
    changed = copy.deepcopy(data)
    changed["crosswalk"]["frameworks"][0]["entries"][0]["status"] = "compliant"
    assert list(Draft202012Validator(schema).iter_errors(changed))


def test_without_a_use_an_evaluation_of_fairness_is_partial(data: dict[str, Any]) -> None:
    row = entry(data, "nist-ai-rmf", "MEASURE 2.11")
    assert (row["status"], row["missing"]) == ("partial", [UNMAPPED])
    assert UNMAPPED == "generic probe; not mapped to a use"
    for context in ({}, {"intended_use": None}, None):
        assert entry({**data, "context": context}, "nist-ai-rmf", "MEASURE 2.11")["status"] == "partial"
    row = entry({**data, "context": {"intended_use": "sorting letters"}}, "nist-ai-rmf", "MEASURE 2.11")
    assert (row["status"], row["missing"]) == ("partial", []) and "maps no risk" in row["gap"]


def test_a_probe_alone_produces_evidence_of_testing_and_of_no_more(data: dict[str, Any]) -> None:
    """Whatever people add to a report: no clause that asks for more than a report's own form is all there."""
    given = {
        **data,
        "context": {"intended_use": "sorting letters", "community_input": "asked two associations"},
        "cover": {**data["cover"], "signed": True, "relationship": "third_party"},
    }
    produced = [
        (name, row["clause"])
        for name, row in entries(crosswalk(given, VERIFIED))
        if row["status"] == "evidence produced"
    ]
    assert produced == [("nist-ai-800", "AI 800-3")]


def test_tests_that_nobody_signed_are_partial(data: dict[str, Any]) -> None:
    row = entry(data, "eu-ai-act", "Annex IV, point 2(g)")
    assert row["status"] == "partial" and any("signed" in line for line in row["missing"])
    signed = {**data, "cover": {**data["cover"], "signed": True, "status": "SIGNED by Ada"}}
    row = entry(signed, "eu-ai-act", "Annex IV, point 2(g)")
    assert row["status"] == "partial" and "#signatures" in row["evidence"]
    assert row["missing"] == [] and row["gap"].startswith("Accuracy")


def test_the_trail_of_an_audit_is_no_log_of_a_system(data: dict[str, Any]) -> None:
    for framework, clause in (("eu-ai-act", "Article 12"), ("iso-42001", "A.6.2.8")):
        row = entry(data, framework, clause)
        assert row["status"] == "outside this tool" and "trail" in row["reason"] and row["evidence"] == []


def test_local_law_144_speaks_of_people_and_not_of_a_model(
    data: dict[str, Any], selected: dict[str, Any]
) -> None:
    own = [row for name, row in entries(data["crosswalk"]) if name in ("nyc-ll144", "us-four-fifths")]
    assert {row["status"] for row in own} == {"not applicable", "outside this tool"}
    assert own[0]["reason"] == "no table of people selected or scored was given"
    row = entry(selected, "nyc-ll144", "6 RCNY 5-301(b)")
    assert row["status"] == "partial" and "This calculation is none" in row["gap"]
    assert not any(one.startswith("F-") for one in row["evidence"]) and "#selection" in row["evidence"]
    assert "independent" in row["must_not_claim"]
    assert entry(selected, "nyc-ll144", "6 RCNY 5-301(c)")["status"] == "not applicable"
    assert entry(selected, "nyc-ll144", "6 RCNY 5-300")["status"] == "outside this tool"
    assert entry(selected, "us-four-fifths", "29 CFR")["status"] == "partial"


def test_classification_standards_are_set_beside_by_analogy(data: dict[str, Any]) -> None:
    own = [row for name, row in entries(data["crosswalk"]) if name == "iso-ts-12791"]
    assert len(own) == 6
    assert all("analogy" in row["gap"] for row in own if row["status"] != "outside this tool")
    assert "evidence produced" not in {row["status"] for row in own}


def test_evidence_follows_the_data(data: dict[str, Any]) -> None:
    crossed = copy.deepcopy(data)
    assert SOURCES["intersections"](crossed) == "no comparison of this audit crosses two axes"
    crossed["findings"][0]["record"]["axis"] = "race*gender"  # with or without an interaction
    assert SOURCES["intersections"](crossed).ids == ("F-001",)
    crossed["findings"][0]["record"]["verdict"] = "invalid"
    assert "none of them has a verdict" in SOURCES["intersections"](crossed)
    assert SOURCES["groups"](crossed).ids[0] == "F-002"
    bare = copy.deepcopy(data)
    for told in bare["findings"]:
        told["record"] |= {"ci": None, "verdict": "invalid"}
    row = entry(bare, "iso-tr-24027", "7 ")
    lost = f"{len(bare['findings'])} comparisons between groups with estimate, interval and verdict"
    assert row["status"] == "partial" and len(row["missing"]) == 1
    assert row["missing"][0].startswith(lost) and row["missing"][0].endswith("none of them has a verdict")
    assert entry(bare, "eu-ai-act", "Article 15")["status"] == "not tested"
    assert entry(data, "eu-ai-act", "Article 72")["status"] == "not tested"
    log = {"comparable": True, "why": None, "sizes": [{}]}
    row = entry({**data, "changes": log}, "eu-ai-act", "Article 72")
    assert row["status"] == "partial" and row["produced"][0]["what"].startswith("1 comparison held")
    row = entry(
        {**data, "changes": {**log, "comparable": False, "why": "too far"}}, "eu-ai-act", "Article 72"
    )
    assert row["status"] == "not tested" and row["reason"].endswith("too far")
    row = entry(data, "nist-ai-600-1", "MS-2.11-003")
    assert row["missing"] == ["no input of the communities concerned is on record"]
    asked = {**data, "context": {**data["context"], "community_input": "two associations"}}
    assert entry(asked, "nist-ai-600-1", "MS-2.11-003")["missing"] == []
    answered = copy.deepcopy(data)
    answered["findings"][2]["response"] = "looked into"
    assert "F-003" in entry(answered, "iso-tr-24027", "8 ")["evidence"]
    related = {**data, "cover": {**data["cover"], "relationship": "first_party"}}
    row = entry(related, "nist-ai-600-1", "MS-1.3-001")
    assert row["status"] == "partial" and "first party" in row["produced"][0]["what"]
    assert entry(data, "nist-ai-600-1", "MS-1.3-001")["status"] == "not tested"
    claim = {"subject": "model:m", "field": "training_data", "value": "books", "status": "declared",
             "source": "card", "declared_by": "m"}  # fmt: skip
    ledger = {**data["provenance"], "claims": [claim]}
    nobody = "nobody was found to say what any of the models was trained on"
    assert entry(data, "nist-ai-600-1", "MS-2.5-005")["missing"] == [nobody]
    row = entry({**data, "provenance": ledger}, "nist-ai-600-1", "MS-2.5-005")
    assert row["missing"] == [] and any("training data of 1 of" in one["what"] for one in row["produced"])
    ledger = {**ledger, "claims": [{**claim, "status": "unknown", "value": None}]}
    assert entry({**data, "provenance": ledger}, "nist-ai-600-1", "MS-2.5-005")["missing"] == [nobody]


def test_a_clause_that_is_still_to_apply_says_from_when(data: dict[str, Any]) -> None:
    before, after = date(2027, 12, 1), date(2027, 12, 2)
    assert entry(data, "eu-ai-act", "Article 12", before)["applies"] == "applies from 2027-12-02"
    assert entry(data, "eu-ai-act", "Article 12", after)["applies"] is None
    assert entry(data, "eu-ai-act", "Article 4a", before)["applies"] is None
    by_id = {row["id"]: row for row in crosswalk(data, VERIFIED)["frameworks"]}
    assert by_id["us-co-sb26-189"]["applies"] == "applies from 2027-01-01"
    assert by_id["us-co-sb26-189"]["status"] == "applies later"
    by_id = {row["id"]: row for row in crosswalk(data, date(2027, 1, 1))["frameworks"]}
    assert by_id["us-co-sb26-189"]["applies"] is None
    assert by_id["us-co-sb26-189"]["status"] == "applies since 2027-01-01, if nothing was changed"


def test_an_old_map_says_so_after_180_days(data: dict[str, Any]) -> None:
    fresh = crosswalk(data, VERIFIED + timedelta(days=180))
    assert (fresh["stale"], fresh["banner"]) == ([], None)
    old = crosswalk(data, VERIFIED + timedelta(days=181))
    assert len(old["stale"]) == len(list(entries(old))) and {row["days"] for row in old["stale"]} == {181}
    assert old["banner"].startswith("Legal map not verified since 2026-11-23")
    again = copy.deepcopy(list(legal_map()))
    again[0]["entries"][0]["verified_on"] = "2025-01-01"
    (row,) = crosswalk(data, VERIFIED, again)["stale"]
    assert (row["framework"], row["clause"]) == (again[0]["id"], again[0]["entries"][0]["clause"])


def test_the_banner_stands_in_every_document(bundle: Path) -> None:
    old = report_data(bundle, Asked(as_of=date(2027, 9, 1)))
    banner = old["crosswalk"]["banner"]
    first = templates(escape=True).get_template("audit/_cover.html.j2")
    assert banner in first.render(**shown(old), contents=lambda body: (), body="")
    assert banner in part("crosswalk", old)
    assert markdown(old).count(banner) == 2 and banner in str(front.cover(old)["blocks"][0])
    read_me = list(csv.DictReader(io.StringIO(csv_tables(old)["read-me.csv"])))
    assert {"what": "legal map", "text": banner} in read_me
    assert {"what": "status", "text": "UNSIGNED DRAFT"} in read_me


def test_ids_are_drawn_together_for_readers() -> None:
    ids = [f"F-{place:03d}" for place in range(1, 60, 2)]
    assert shortened(ids).endswith("F-015 and 22 more")
    assert shortened(["#cover", "F-999", "F-1000"]) == "first page, F-999 to F-1000"


# -- risks ------------------------------------------------------------------------------------------


def test_every_finding_carries_a_tag_of_each_vocabulary(data: dict[str, Any]) -> None:
    schema = read("reports", "risks")
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate({"vocabularies": list(risk_vocabularies())})
    for told in data["findings"]:
        assert [tag["id"] for tag in told["risks"]] == ["1.1", "2.6"]
    for kind in ("representational", "allocational", "quality-of-service"):
        assert 1 <= len(risk_tags(kind)) <= 2
    assert risk_tags("quality-of-service")[0]["id"] == "1.3"


# -- documents --------------------------------------------------------------------------------------


def part(name: str, data: dict[str, Any]) -> str:
    return templates(escape=True).get_template(f"audit/_{name}.html.j2").render(**shown(data))


def test_page_text_and_tables_say_the_same(selected: dict[str, Any]) -> None:
    page, text, tables = part("crosswalk", selected), markdown(selected), csv_tables(selected)
    listed = list(csv.DictReader(io.StringIO(tables["crosswalk.csv"])))
    rows = list(entries(selected["crosswalk"]))
    assert len(listed) == len(rows) == page.count('<tr><th scope="row">')
    for line, (_, row) in zip(listed, rows, strict=True):
        assert (line["clause"], line["status"]) == (row["clause"], row["status"])
        assert line["evidence"].split() == row["evidence"]
    for framework in selected["crosswalk"]["frameworks"]:
        assert framework["source_url"] in page and f"### {framework['name']}" in text
    assert page.count("<caption>") == page.count("<table") == len(legal_map())
    assert UNMAPPED in page and UNMAPPED in text and "applies from 2027-12-02" in text
    outline = Outline()
    outline.feed(page)
    assert outline.open == [] and outline.headings[0] == 2 and set(outline.headings[1:]) == {3}


def test_rates_of_people_stand_in_every_document(
    bundle: Path, selected: dict[str, Any], data: dict[str, Any]
) -> None:
    assert data["selection"] is None and "selection.csv" not in csv_tables(data)
    assert "## Selection rates" not in markdown(data)
    page, text = part("selection", selected), markdown(selected)
    for shape in (page, text):
        for words in ("50.0 %", "36.7 %", "0.73", selected["selection"]["sha256"], "no shelter", "By sex"):
            assert words in shape, words
    lines = list(csv.DictReader(io.StringIO(csv_tables(selected)["selection.csv"])))
    assert [line["category"] for line in lines[:3]] == ["a", "b", "unknown category"]
    assert (lines[1]["rate"], lines[1]["impact_ratio"], lines[2]["people"]) == ("36.7 %", "0.73", "3")
    assert page.count("<caption>") == page.count("<table") == 3
    assert "people.csv" not in json.dumps(selected)


def test_categories_from_outside_show_as_themselves(bundle: Path, people: Path) -> None:
    people.write_text('sex,applicants,selected\n<b>x</b> | *y*,9,5\n"=1+1\x1b",9,3\n', "utf-8")
    told = report_data(bundle, Asked(as_of=VERIFIED, selection=people))
    page, text = part("selection", told), markdown(told)
    assert "<b>x" not in page and "&lt;b&gt;x" in page and "\x1b" not in page + text
    assert r"\| \*y\*" in text
    assert "'=1+1" in csv_tables(told)["selection.csv"]


def test_the_command_takes_a_table_and_refuses_a_bad_one(
    bundle: Path, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", str(bundle), "--format", "json", "--out", str(tmp_path), "--selection", str(people)]
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert told["selection"]["people"] == 123
    people.write_text("sex,selected\na,7\n")
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(words)
    error = capsys.readouterr().err
    assert ended.value.code == 2 and len(error.splitlines()) == 1 and "line 2: selected is '7'" in error
    with pytest.raises(InputError, match="no such file"):
        report_data(bundle, Asked(selection=tmp_path / "none.csv"))


@pytest.mark.parametrize("epoch", ["soon", "1.5", "9" * 30, "-99999999999999"])
def test_a_mistaken_day_of_the_environment_is_one_line(
    epoch: str, bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(SystemExit) as ended:
        main(["report", str(bundle), "--format", "json"])
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and "SOURCE_DATE_EPOCH is" in line and "unset it" in line
    assert day_of("86400", monkeypatch) == date(1970, 1, 2)


def day_of(epoch: str, monkeypatch: pytest.MonkeyPatch) -> date:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    return Asked().as_of

"""The report of an audit: one set of data, the same in every format, complete, and harmless to open."""

from __future__ import annotations

import copy
import csv
import errno
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from audit.analysis.finding_record import undefined_fields
from audit.bundle import Bundle, members
from audit.cli import main
from audit.review.log import append_review
from audit.sidecar import open_sidecar
from audit.verify import check_manifest
from audit.wording import MARKS
from probes.errors import BundleError, InputError
from reports.audit_report import FORMATS, csv_tables, html, markdown, report_data, write
from reports.contents.cover import CLAIMS_LIMITS
from reports.figures import interval, number, p_value, signed
from reports.schema import report_schema
from reports.writers.detail import detail
from tests.reports.pages import Outline

FORBIDDEN = ("unbiased", "debiased", "certified", "compliant", "fair model", "guarantees", "bias-free")
HOSTILE = "<script>alert(1)</script> *b* [l](http://x.y) `c` | d # e \x1b[31m www.evil.example & _f_"


@pytest.fixture(scope="module")
def page(data: dict[str, Any]) -> str:
    return html(data)


@pytest.fixture(scope="module")
def text(data: dict[str, Any]) -> str:
    return markdown(data)


@pytest.fixture(scope="module")
def tables(data: dict[str, Any]) -> dict[str, str]:
    return csv_tables(data)


@pytest.fixture
def copied(bundle: Path, tmp_path: Path) -> Path:
    shutil.copytree(bundle, tmp_path / "audit")
    return tmp_path / "audit"


@pytest.fixture
def hostile(data: dict[str, Any], without_charts: None) -> dict[str, Any]:
    """The report with every name from outside replaced."""
    changed = copy.deepcopy(data)
    changed["cover"]["title"] = HOSTILE
    changed["cover"]["models"][0]["id"] = HOSTILE
    changed["not_measured"][0]["why"] = HOSTILE
    changed["provenance"]["claims"][0]["value"] = HOSTILE
    changed["suites"][0]["title"] = changed["suites"][0]["card"]["harm"] = HOSTILE
    told = changed["findings"][0]
    told["claim"] = told["statement"] = HOSTILE
    told["record"]["group_label"] = "=1+1" + HOSTILE
    told["record"]["reasons"] = [HOSTILE]
    review = {
        "at": "2026",
        "reviewer": HOSTILE,
        "kind": "comment",
        "status": None,
        "text": HOSTILE,
        "stale": True,
    }
    told["review"]["history"] = [review]
    return changed


# -- the data ---------------------------------------------------------------------------------------


def test_the_schema_is_valid_closed_and_stands_alone(data: dict[str, Any]) -> None:
    schema = json.loads(json.dumps(report_schema()))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(data)
    for part in ("", "cover", "summary"):
        changed = copy.deepcopy(data)
        (changed[part] if part else changed)["more"] = 1
        assert list(Draft202012Validator(schema).iter_errors(changed)), part
    changed = copy.deepcopy(data)
    changed["findings"][0]["record"]["more"] = 1
    assert list(Draft202012Validator(schema).iter_errors(changed))


def test_numbers_are_those_of_the_bundle_none_rounded(
    bundle: Path, data: dict[str, Any], tmp_path: Path
) -> None:
    kept = json.loads((bundle / "findings.json").read_text())
    (path,) = write(bundle, ["json"], tmp_path)
    again = json.loads(path.read_text())
    assert [told["record"] for told in again["findings"]] == kept["findings"]
    assert again == data
    for part in ("controls", "coverage", "tokenisation", "families"):
        assert again[part] == kept[part]


def test_the_same_bundle_gives_the_same_report_wherever_it_lies(bundle: Path, copied: Path) -> None:
    one, other = report_data(bundle), report_data(copied)
    assert json.dumps(one) == json.dumps(other)
    assert str(copied) not in json.dumps(other)


def test_every_finding_is_there_worst_first_with_its_words(data: dict[str, Any]) -> None:
    rows = data["findings"]
    assert len(rows) == data["summary"]["hypotheses"] == 26
    assert [told["number"] for told in rows[:2]] == ["F-001", "F-002"]
    assert rows[0]["record"]["severity"] == "S3"
    assert sum(data["summary"]["verdicts"].values()) == 26
    needing = [told for told in rows if told["record"]["verdict"] == "inconclusive"]
    assert needing and all(told["needs"] for told in needing)
    assert all(told["needs"] is None for told in rows if told["record"]["verdict"] != "inconclusive")


def test_the_summary_names_the_worst_of_each_part(data: dict[str, Any]) -> None:
    named = data["summary"]["most_severe"]
    assert [row["number"] for row in named] == [
        "F-001",
        "F-002",
        "F-003",
    ]  # one confirmatory, two exploratory
    assert "26 comparisons" in data["summary"]["text"][0]
    assert "13 lie within their margin" in data["summary"]["text"][1]


def test_what_was_not_measured_is_said_with_its_reason(data: dict[str, Any]) -> None:
    first = data["not_measured"][0]
    assert first["what"] == "mini on scripted/silent" and "the model answers generate" in first["why"]
    told = [row["what"] for row in data["not_measured"]]
    assert "languages other than en" in told
    assert any("allocation" in what for what in told) and not any("representation" in what for what in told)


def test_what_is_not_known_of_the_models_comes_first(data: dict[str, Any]) -> None:
    statuses = [row["status"] for row in data["provenance"]["claims"]]
    assert statuses[: data["provenance"]["unknown"]] == ["unknown"] * data["provenance"]["unknown"]
    assert "unknown" not in statuses[data["provenance"]["unknown"] :]
    flags = {(row["flag"], row["subject"]) for row in data["provenance"]["flags"]}
    assert ("TRAINING_DATA_UNDECLARED", "model:scripted/group-blind") in flags
    assert all(row["meaning"] for row in data["provenance"]["flags"])


def test_reviews_stand_at_their_finding_and_stale_ones_say_so(copied: Path) -> None:
    data = report_data(copied)
    finding, head = data["findings"][0]["record"]["id"], data["cover"]["chain_sha256"]
    base = {"reviewer": "Ada", "finding": finding, "chain_sha256": head}
    append_review(copied, {**base, "kind": "status", "status": "accepted", "chain_sha256": "f" * 64})
    append_review(copied, {**base, "kind": "comment", "text": "see below"})
    append_review(copied, {**base, "kind": "status", "status": "disputed", "reason": "too few terms"})
    told = report_data(copied)
    review = told["findings"][0]["review"]
    assert review["status"] == "disputed"
    assert [event["stale"] for event in review["history"]] == [True, False, False]
    assert [event["text"] for event in review["history"]] == ["", "see below", "too few terms"]
    assert told["findings"][1]["review"] == {"status": "not reviewed", "history": []}
    assert told["reviews"]["events"] == 3 and told["reviews"]["stale"] == 1
    assert told["reviews"]["kinds"] == {"status": 2, "comment": 1}
    assert told["reviews"]["reviewers"] == ["Ada"] and told["reviews"]["head"] != data["reviews"]["head"]
    assert "too few terms" in markdown(told) and "too few terms" in html(told)


def test_labels_and_decisions_stand_beside_the_machines_value(copied: Path) -> None:
    record = next(iter(Bundle(copied).records()))
    frame = open_sidecar(copied).scores()
    row = frame[frame["digest"] == record.digest].iloc[0]
    head = report_data(copied)["cover"]["chain_sha256"]
    about = {"model": str(row["model"]), "digest": record.digest, "unit": str(row["unit"]),
             "item": str(row["item"]), "question": "soundness", "chain_sha256": head}  # fmt: skip
    for name in ("Ada", "Bo"):
        label = "sound" if name == "Ada" else "doubtful"
        append_review(copied, {**about, "kind": "label", "reviewer": name, "label": label, "blind": True,
                               "flagged": False})  # fmt: skip
    decision = {"decision": "override", "value": "doubtful", "reason": "two <b>readings</b>"}
    append_review(copied, {**about, "kind": "decision", "reviewer": "Bo", "machine": 0.25, **decision})
    told = report_data(copied)
    said = [(row["reviewer"], row["said"], row["machine"]) for row in told["reviews"]["responses"]]
    assert said == [("Ada", "sound", None), ("Bo", "doubtful", None), ("Bo", "doubtful", 0.25)]
    (pair,) = told["reviews"]["agreement"]
    assert pair["reviewers"] == ["Ada", "Bo"] and pair["disagreements"] == 1
    page, text = html(told), markdown(told)
    assert "two &lt;b&gt;readings&lt;/b&gt;" in page and "<b>readings" not in page
    assert "Ada and Bo" in page and "Ada and Bo" in text and "+0.25" in text
    assert "override" in csv_tables(told)["reviews.csv"]


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("provenance.json", lambda kept: {**kept, "claims": [{"subject": "x"}]}, "required property"),
        ("environment.json", lambda kept: {"runs": 1}, "not as this version writes it"),
        ("findings.json", lambda kept: {**kept, "plan_sha256": "0" * 64}, "of another plan"),
        ("findings.json", lambda kept: {**kept, "summary": 1}, "not findings of this version"),
    ],
)
def test_a_bundle_that_was_tampered_with_is_refused_by_name(
    copied: Path, name: str, change: Any, what: str
) -> None:
    path = copied / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(BundleError, match=what) as caught:
        report_data(copied)
    assert name in str(caught.value)


def test_half_a_character_is_refused(copied: Path) -> None:
    path = copied / "provenance.json"
    kept = json.loads(path.read_text())
    kept["claims"][0]["source"] = "\ud800"
    path.write_text(json.dumps(kept))
    with pytest.raises(BundleError, match="no text"):
        report_data(copied)


# -- the formats ------------------------------------------------------------------------------------


def test_the_page_is_well_formed_and_can_be_walked_by_its_headings(page: str, data: dict[str, Any]) -> None:
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.headings[0] == 1 and outline.headings.count(1) == 1
    steps = zip(outline.headings, outline.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.links[0] == "#content"
    assert all(link[1:] in outline.ids for link in outline.links if link.startswith("#"))
    assert outline.seen.count("table") == outline.seen.count("caption") > len(data["controls"])
    assert outline.seen.count("figure") == outline.seen.count("figcaption") == outline.seen.count("svg")
    assert '<html lang="en">' in page and "@media print" in page
    assert re.findall(r"<th(?! scope=)[ >]", page) == []


def test_the_page_needs_no_script_and_no_network(page: str) -> None:
    assert "<script" not in page
    loads = re.findall(r"""(?:src|href)=["']([^"'#][^"']*)|url\((?!#)([^)]*)\)|@import""", page)
    assert [found for found in loads if any(found)] == []


def test_colours_follow_the_page(page: str) -> None:
    used = set(re.findall(r'="var\(--([\w-]+), #', page))
    light, dark, paper = re.findall(r":root \{(.*?)\}", page, re.DOTALL)[:3]
    assert {"ink", "band", "background"} <= used
    for name in used:
        assert all(f"--{name}:" in sheet for sheet in (light, dark, paper)), name


def test_every_figure_is_the_same_in_every_format(
    page: str, text: str, tables: dict[str, str], data: dict[str, Any]
) -> None:
    listed = list(csv.DictReader(io.StringIO(tables["findings.csv"])))
    assert len(listed) == len(data["findings"])
    for told, row in zip(data["findings"], listed, strict=True):
        record = told["record"]
        shown = (signed(record["estimate"]), interval(record["ci"]), p_value(record["p_adjusted"]))
        assert shown[0] in page and shown[0] in text and row["estimate"] == shown[0]
        assert shown[1] in page and shown[1].replace("[", "\\[").replace("]", "\\]") in text
        assert shown[1] == f"[{row['lo']}, {row['hi']}]"
        assert row["p_adjusted"] == shown[2]
        assert row["minimum_detectable"] == number(record["minimum_detectable"])
        assert row["verdict"] == record["verdict"] and row["number"] == told["number"]


@pytest.mark.parametrize("form", ["page", "text"])
def test_page_and_text_say_what_they_must(
    form: str, request: pytest.FixtureRequest, data: dict[str, Any]
) -> None:
    shown = request.getfixturevalue(form)
    for line in CLAIMS_LIMITS:
        assert line in shown
    assert shown.index("UNSIGNED DRAFT") < shown.index("Overview")
    assert data["cover"]["plan_sha256"] in shown and data["cover"]["chain_sha256"] in shown
    for model in data["cover"]["models"]:
        assert model["digest"] in shown
    for told in data["findings"]:
        assert told["number"] in shown
    assert all(f"{MARKS[verdict]}" in shown for verdict in ("disparity", "inconclusive"))
    assert "evenhand verify DIR" in shown and "equivalence interval" in shown
    assert "not reviewed" in shown and "the model answers generate" in shown


def test_a_title_with_markup_shows_as_itself(page: str, text: str) -> None:
    assert "A &lt;b&gt;title&lt;/b&gt;" in page and "A &lt;b&gt;title&lt;/b&gt;" in text


def test_claims_keep_their_italics(text: str, page: str) -> None:
    assert "the odds of *she* over *he*" in text
    assert "the odds of <em>she</em> over <em>he</em>" in page


@pytest.mark.parametrize("form", ["page", "text", "tables"])
def test_no_document_says_more_than_was_measured(form: str, request: pytest.FixtureRequest) -> None:
    shown = request.getfixturevalue(form)
    told = "\n".join(shown.values()) if isinstance(shown, dict) else shown
    for line in CLAIMS_LIMITS:
        told = told.replace(line, "")
    for word in FORBIDDEN:
        assert word not in told.lower(), word


@pytest.mark.usefixtures("without_charts")
def test_a_finding_without_a_figure_is_told_in_every_format(data: dict[str, Any]) -> None:
    changed = copy.deepcopy(data)
    told = changed["findings"][0]
    told["record"] |= undefined_fields("no answer could be scored")
    told |= {"claim": "not computable: no answer could be scored", "size": "not computable", "analyses": None}
    Draft202012Validator(report_schema()).validate(changed)
    for shown in (html(changed), markdown(changed)):
        assert "not computable: no answer could be scored" in shown
    (row,) = [
        row
        for row in csv.DictReader(io.StringIO(csv_tables(changed)["findings.csv"]))
        if row["number"] == "F-001"
    ]
    assert (row["estimate"], row["lo"], row["p"], row["verdict"]) == (
        "unknown",
        "unknown",
        "unknown",
        "invalid",
    )


def test_the_detail_tells_what_sampling_and_stopping_add(data: dict[str, Any]) -> None:
    told = copy.deepcopy(data["findings"][0])
    record = told["record"]
    found = {"setting": "hot", "estimate": 0.5, "lo": 0.1, "hi": 0.9, "reason": ""}
    record["robustness"]["decoding"] = {"settings": [found], "agree": True, "sd": None, "seed_sd": 0.25}
    record["robustness"]["doubtful_share"] = 0.5
    record["sequential"] = {"units": 60, "max_units": 100, "stopped_at": 60, "e_value": 412.5}
    record["scorers"] = [
        {
            "scorer": "textblob",
            "estimate": None,
            "lo": None,
            "hi": None,
            "states": "unknown",
            "reason": "not used",
        }
    ]
    lines = dict(detail(told))
    assert lines["sampling"] == "seed to seed 0.25; hot +0.5"
    assert lines["asked until decided"] == "60 units of at most 100, stopped at 60; e-value 412.5"
    assert lines["by textblob"] == "unknown, unknown: not used"
    assert lines["tokenisation"] == "50 % of the answers are split unequally; without them unknown"


# -- untrusted text ---------------------------------------------------------------------------------


def test_nothing_from_outside_becomes_markup_of_the_page(hostile: dict[str, Any]) -> None:
    shown = html(hostile)
    assert "<script" not in shown and "\x1b" not in shown
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 8
    outline = Outline()
    outline.feed(shown)
    assert outline.open == []


def test_nothing_from_outside_becomes_markup_of_the_text(hostile: dict[str, Any]) -> None:
    shown = markdown(hostile)
    for sign in ("<script", "[l](", "://", "www.", "`c`", "_f_", "\x1b"):
        assert sign not in shown.replace("\\`", "").replace("\\_", ""), sign
    assert r"\| d \# e" in shown
    tables = re.findall(r"(?:^\|.*\n)+", shown, re.MULTILINE)
    assert len(tables) > 10
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table


def test_no_cell_is_a_formula(hostile: dict[str, Any]) -> None:
    for text in csv_tables(hostile).values():
        for row in csv.reader(io.StringIO(text)):
            for cell in row:
                risky = cell.startswith(("=", "+", "-", "@", "\t", "\r"))
                assert not risky or re.fullmatch(r"[+-][\d.e+-]+", cell), cell
    assert "'=1+1<script>" in csv_tables(hostile)["findings.csv"]


# -- writing ----------------------------------------------------------------------------------------


def test_a_report_in_the_bundle_leaves_its_manifest_whole(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.audit_report.html", lambda data: "<p>")
    paths = write(copied, ["json", "html", "md", "csv"])
    names = {path.relative_to(copied).as_posix() for path in paths}
    assert {"report.json", "report.html", "report.md", "report-csv/findings.csv"} <= names
    assert not any("report" in path.name for path in members(copied))
    assert check_manifest(copied).faults == ()
    Bundle(copied).write_manifest()
    assert "report.json" not in (copied / "manifest.json").read_text()
    assert not list(copied.rglob("*.partial"))


def test_what_only_looks_like_a_report_is_in_the_manifest(copied: Path) -> None:
    (copied / "records" / "report.jsonl").write_text("x")
    (copied / "reporting").write_text("x")
    found = [path.relative_to(copied).as_posix() for path in members(copied)]
    assert "records/report.jsonl" in found and "reporting" in found


def test_a_folder_that_cannot_be_written_names_the_way_out(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("audit.bundle_files.os.replace", refuse)
    with pytest.raises(BundleError, match=r"Read-only file system.*Give --out FOLDER"):
        write(copied, ["json"])
    with pytest.raises(BundleError, match="Choose a folder that you may write to"):
        write(copied, ["json"], tmp_path / "elsewhere")


@pytest.mark.parametrize("formats", [[], ["json", "docx"]])
def test_a_format_that_there_is_not_is_refused_before_anything_is_written(
    copied: Path, formats: list[str]
) -> None:
    with pytest.raises(InputError, match="One or more of: html, pdf, md, json, csv"):
        write(copied, formats)
    assert not (copied / "report.json").exists()


def test_the_command_writes_and_says_where(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", str(bundle), "--format", "md, json", "--out", str(tmp_path)])
    assert ended.value.code == 0
    assert capsys.readouterr().out.splitlines() == [
        str(tmp_path / "report.md"),
        str(tmp_path / "report.json"),
    ]
    assert (
        Bundle(bundle).plan["title"] == json.loads((tmp_path / "report.json").read_text())["cover"]["title"]
    )


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--format", "docx"], "no format 'docx'"),
        (["--format", ","], "names nothing"),
        ([], "holds no plan.json"),
    ],
)
def test_bad_input_is_one_line(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], what: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", str(bundle if words else tmp_path), *words])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert what in error and len(error.splitlines()) == 1


def test_the_command_line_opens_without_charts() -> None:
    code = "import audit.cli, sys; print({'altair', 'vl_convert', 'reports'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_every_format_has_its_own_files() -> None:
    exports = ["cyclonedx", "eval-ever", "croissant", "hub", "bundle"]
    assert list(FORMATS) == ["html", "pdf", "md", "json", "csv", *exports]


def test_the_contents_name_every_section(page: str) -> None:
    contents = re.search(r'<nav aria-labelledby="contents">(.*?)</nav>', page, re.DOTALL)
    assert contents
    named = re.findall(r'<li><a href="#([\w-]+)">(?:\d+|[A-E]) ', contents[1])
    sections = re.findall(r'<h2 id="([\w-]+)"', page)
    assert named == sections


def test_a_report_is_not_written_through_a_link(copied: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    (copied / "report.html.partial").symlink_to(precious / "file")
    (copied / "report.json").symlink_to(precious / "file")
    (copied / "report-csv").symlink_to(precious)
    write(copied, ["html", "json"])
    with pytest.raises(BundleError, match=r"report-csv.*is a link"):
        write(copied, ["csv"])
    assert [path.name for path in precious.iterdir()] == ["file"]
    assert (precious / "file").read_text() == "kept"
    assert not (copied / "report.html").is_symlink() and not (copied / "report.json").is_symlink()

"""The provenance section of a report: what is not known first, questions, flags with what they rest on."""

from __future__ import annotations

import csv
import io
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from audit.provenance import claim
from audit.provenance.claims import Origin, settle
from probes.errors import BundleError
from reports.audit_report import csv_tables, html, report_data
from reports.contents.provenance import provenance
from reports.schema import checked

HOSTILE = "<script>alert(1)</script>"
ASKED = ("scripted/noise+planted", "scripted/group-blind")
"""The models of the bundle that could be asked; the third was never loaded, and nothing is known of it."""
OLD = ("subject", "field", "value", "status", "source", "declared_by")


@pytest.fixture
def copied(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "copy"))


def rewritten(root: Path, change: Any) -> Path:
    path = root / "provenance.json"
    path.write_text(json.dumps(change(json.loads(path.read_text("utf-8")))), "utf-8")
    return root


class Tables(HTMLParser):
    """Captions, header cells and how details stand around tables, of one section."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside = self.depth = 0
        self.scopes: list[str | None] = []
        self.captions = self.tables = self.hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "section":
            self.inside = told.get("aria-labelledby") == "provenance"
        if not self.inside:
            return
        self.depth += tag == "details"
        self.captions += tag == "caption"
        self.tables += tag == "table"
        self.hidden += tag == "table" and self.depth > 0
        if tag == "th":
            self.scopes.append(told.get("scope"))

    def handle_endtag(self, tag: str) -> None:
        self.depth -= self.inside and tag == "details"


def test_each_model_and_suite_answers_22_questions_and_nobody_is_graded(data: dict[str, Any]) -> None:
    asked, page = data["provenance"]["questions"], html(data)
    assert [each["subject"] for each in asked] == [*(f"model:{name}" for name in ASKED), "suite:mini"]
    for each in asked:
        assert len(each["rows"]) == each["completeness"]["of"] == 22
        assert each["completeness"]["text"].endswith(" of 22")
        assert each["completeness"]["text"] in page
        for row in each["rows"]:
            assert row["status"] != "unknown" or row["looked"]


def test_flags_name_their_claims_and_what_needs_review_stands_before_notes(data: dict[str, Any]) -> None:
    flags = data["provenance"]["flags"]
    kinds = [row["severity"] for row in flags]
    assert kinds == sorted(kinds, key=lambda kind: kind != "review") and set(kinds) == {"review", "note"}
    fields = {(row["subject"], row["field"]) for row in data["provenance"]["claims"]}
    for row in flags:
        assert row["meaning"].startswith("needs review")
        assert row["claims"] and {(row["subject"], field) for field in row["claims"]} <= fields


def test_the_section_reads_aloud_and_long_tables_are_folded(data: dict[str, Any]) -> None:
    found = Tables(html(data))
    subjects = len(data["provenance"]["questions"])
    assert found.tables == found.captions >= 4 + subjects
    assert found.hidden == subjects + 2  # the questions in full, and the ledger
    assert set(found.scopes) == {"col", "row"}


def test_every_claim_and_question_is_a_line_of_a_table(data: dict[str, Any]) -> None:
    tables = csv_tables(data)
    told = data["provenance"]
    claims = list(csv.DictReader(io.StringIO(tables["provenance.csv"])))
    assert len(claims) == len(told["claims"])
    assert claims[0]["status"] == "unknown" and set(claims[0]) >= {"location", "observed_at", "note"}
    rows = list(csv.DictReader(io.StringIO(tables["provenance-questions.csv"])))
    assert len(rows) == 22 * len(told["questions"])
    assert {row["status"] for row in rows} >= {"unknown", "measured", "declared"}
    assert all(row["looked"] for row in rows if row["status"] == "unknown")


def test_what_belongs_beside_a_suites_numbers(data: dict[str, Any]) -> None:
    (row,) = data["provenance"]["probes"]
    (suite,) = data["suites"]
    assert (row["suite"], row["version"], row["digest"]) == (suite["id"], suite["version"], suite["digest"])
    assert row["critiques"] == suite["card"]["critiques"] and row["not_covered"] == suite["card"]["limits"]
    assert row["canary"] == "none carried"
    assert [told["model"] for told in row["contamination"]] == list(ASKED)


def test_a_conflict_shows_both_sides_and_hostile_text_is_text(copied: Path) -> None:
    subject = "model:scripted/group-blind"
    sides = [
        claim(subject, "licence", HOSTILE, "declared", Origin("card", "the author of the model card")),
        claim(subject, "licence", "mit", "declared", Origin("note", "this project's curated notes")),
    ]
    (row,) = settle(sides)

    def conflict(kept: dict[str, Any]) -> dict[str, Any]:
        rest = [old for old in kept["claims"] if (old["subject"], old["field"]) != (subject, "licence")]
        return {**kept, "claims": [*rest, row]}

    told = report_data(rewritten(copied, conflict))
    page = html(told)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; (the author of the model card)" in page
    assert HOSTILE not in page and "mit (this project&#39;s curated notes)" in page
    asked = next(each for each in told["provenance"]["questions"] if each["subject"] == subject)
    assert asked["completeness"]["counts"]["conflict"] == 0  # the licence of weights is none of the data
    assert [row["status"] for row in told["provenance"]["claims"]].index("conflict") == told["provenance"][
        "unknown"
    ]


def test_a_bundle_of_an_earlier_version_still_gives_a_report(copied: Path) -> None:
    def earlier(kept: dict[str, Any]) -> dict[str, Any]:
        rows = [{key: row[key] for key in OLD} for row in kept["claims"]]
        flags = [{"subject": row["subject"], "flag": row["flag"]} for row in kept["flags"]]
        return {"claims": rows, "flags": flags}

    told = report_data(rewritten(copied, earlier))
    assert told["provenance"]["notes"] == [] and told["provenance"]["flags"][0]["claims"] == []
    assert told["provenance"]["claims"][0]["location"] is None
    assert "The claim ledger" in html(told)


@pytest.mark.parametrize(
    "claims",
    [
        {"status": "unknown", "value": "x"},
        {"status": "unknown", "value": None, "source": ""},
        {"status": "declared", "value": None},
        {"status": "conflict", "value": "x"},
        {"status": "conflict", "value": [{"value": 1}, {"value": 2}]},
        {"status": "known"},
        {"colour": "red"},
    ],
)
def test_a_record_that_does_not_fit_its_status_is_refused(claims: dict[str, Any], copied: Path) -> None:
    def broken(kept: dict[str, Any]) -> dict[str, Any]:
        return {**kept, "claims": [{**kept["claims"][0], **claims}, *kept["claims"][1:]]}

    with pytest.raises(BundleError, match=r"provenance\.json"):
        report_data(rewritten(copied, broken))


def test_a_ledger_fits_the_schema_as_it_is_written(bundle: Path) -> None:
    path = bundle / "provenance.json"
    kept = checked(json.loads(path.read_text("utf-8")), "ledger", path)
    assert provenance(kept)["claims"]

"""Who stands behind a report: what people wrote is told, what they left out is said, nothing is invented."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from audit.bundle import Bundle, members
from audit.cli import main
from audit.measures import MEASURES
from audit.verify import check_manifest
from audit.wording import statement
from probes.errors import BundleError, InputError
from reports import audit_report
from reports.asked import Asked
from reports.audit_report import html, markdown, report_data
from reports.contents.engagement import RELATIONSHIPS
from reports.contents.executive import told as told_first
from reports.contents.formulas import FORMULAS, METHODS, estimator
from reports.contents.signoff import ROLES
from reports.engagement import Engagement, engagement_schema, find_engagement, read_engagement
from reports.new_engagement import new_engagement, one_line, write_new_engagement
from tests.reports.pages import Outline, section

WHOLE = """
format: 1
title: Hiring helper, spring
report_version: "1.2"
commissioned_by: Example Works
performed_by: A. Auditor
relationship: internal_independent
independence: The auditor is paid by Example Works and did not make the model.
objective: Whether the model treats names alike.
criteria: The policy of Example Works on equal treatment.
classification: internal
distribution: the board
intended_use:
  description: Sorts letters of application <b>.
  decision_about_people: yes
  affected_groups: [applicants]
  setting: an office
groups: [{group: women and men, why: the board asked}]
harms: [{harm: fewer interviews, kind: allocational}]
exclusions: [languages other than English]
community_input: none was asked for
responses:
  F-001: {owner: B. Owner, due: 2027-01-31, response: We will look.,
          recommendation: Ask again in the product.}
sign_off:
  preparer: {name: A. Auditor, role: auditor, date: 2026-11-30}
  approver: {name: C. Head}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "engagement.yaml"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture(scope="module")
def engaged(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = written(tmp_path_factory.mktemp("engaged"), WHOLE)
    return report_data(bundle, Asked(engagement=path))


# -- what was given, and what was not ---------------------------------------------------------------


def test_what_was_not_given_is_none_and_the_page_says_so(data: dict[str, Any]) -> None:
    cover, engagement, context = data["cover"], data["engagement"], data["context"]
    for key in (
        "version",
        "classification",
        "distribution",
        "commissioned_by",
        "performed_by",
        "relationship",
    ):
        assert cover[key] is None, key
    for key in ("sha256", "independence", "objective", "relationship", "relationship_meaning"):
        assert engagement[key] is None, key
    assert engagement["given"] is False and cover["signed"] is False
    assert context["intended_use"] is None and context["community_input"] is None
    assert context["mapped"] == "generic probe; not mapped to a use"
    assert context["decision_about_people"] == "unknown" and context["exclusions"] == []
    assert all(told[key] is None for told in data["findings"] for key in ("owner", "due", "response"))
    assert {told["recommended_by"] for told in data["findings"]} == {"default"}
    page = section("engagement", data) + section("context", data)
    assert page.count("none given") == 9 and "No engagement file was given" in page
    for document in (page, markdown(data)):
        assert "To give one: " in document and "--new-engagement DIR/engagement.yaml" in document
    assert "- SHA-256" not in markdown(data), "a hash is said to be that of a file"


def test_what_was_given_stands_in_every_part(engaged: dict[str, Any]) -> None:
    cover, engagement, context = engaged["cover"], engaged["engagement"], engaged["context"]
    assert cover["title"] == "Hiring helper, spring" and cover["version"] == "1.2"
    assert cover["commissioned_by"] == "Example Works" and cover["performed_by"] == "A. Auditor"
    assert cover["classification"] == "internal" and cover["distribution"] == "the board"
    assert cover["relationship"] == engagement["relationship"] == "internal_independent"
    assert "did not make the model" in engagement["relationship_meaning"]
    assert engagement["given"] is True and engagement["independence"].startswith("The auditor is paid")
    assert engagement["sha256"] == hashlib.sha256(WHOLE.encode()).hexdigest()
    assert engaged["cover"]["plan_sha256"] in engagement["criteria"][0]
    assert engagement["criteria"][1] == "The policy of Example Works on equal treatment."
    assert "no opinion" in engagement["assurance"]
    assert context["intended_use"] == "Sorts letters of application <b>."
    assert context["decision_about_people"] == "yes" and context["affected_groups"] == ["applicants"]
    assert context["groups"][0] == {
        "group": "women and men",
        "why": "the board asked",
        "source": "engagement",
    }
    assert context["groups"][1]["source"] == "suite mini"
    assert context["harms"][0]["source"] == "engagement" and len(context["harms"]) == 2
    assert context["exclusions"] == ["languages other than English"]


def test_a_response_stands_at_its_finding_alone(engaged: dict[str, Any]) -> None:
    first, *rest = engaged["findings"]
    assert (first["owner"], first["due"], first["response"]) == ("B. Owner", "2027-01-31", "We will look.")
    assert first["recommendation"] == "Ask again in the product." and first["recommended_by"] == "auditor"
    assert all(told["response"] is None and told["recommended_by"] == "default" for told in rest)
    assert "We will look." in markdown(engaged)


def test_a_finding_can_be_answered_by_its_id(bundle: Path, data: dict[str, Any], tmp_path: Path) -> None:
    told = data["findings"][2]
    path = written(tmp_path, f"responses:\n  {json.dumps(told['record']['id'])}: {{owner: me}}\n")
    again = report_data(bundle, Asked(engagement=path))
    assert [row["owner"] for row in again["findings"][:4]] == [None, None, "me", None]


def test_the_file_in_the_bundles_folder_is_found_and_breaks_no_manifest(bundle: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(bundle, tmp_path / "audit"))
    own = written(root, "performed_by: me\n")
    assert find_engagement(root, None) == own and own not in members(root)
    assert check_manifest(root).holds
    assert report_data(root)["cover"]["performed_by"] == "me"
    other = written(tmp_path, "performed_by: you\n")
    assert report_data(root, Asked(engagement=other))["cover"]["performed_by"] == "you"


def test_names_are_no_signatures(engaged: dict[str, Any], data: dict[str, Any]) -> None:
    assert engaged["cover"]["status"] == data["cover"]["status"] == "UNSIGNED DRAFT"
    assert engaged["signatures"] == [
        {"role": "prepared by", "name": "A. Auditor", "position": "auditor", "date": "2026-11-30",
         "signature": None},
        {"role": "reviewed by", "name": None, "position": None, "date": None, "signature": None},
        {"role": "approved by", "name": "C. Head", "position": None, "date": None, "signature": None},
    ]  # fmt: skip
    assert all(row["name"] is None for row in data["signatures"]) and len(data["signatures"]) == len(ROLES)


def test_the_draft_ends_where_a_signature_holds(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"role": "auditor", "organisation": None, "at": "2026-11-30T10:00:00+00:00", "problem": ""}
    rows = [
        {**row, "name": name, "fingerprint": key * 64, "valid": valid, "problem": "" if valid else "of other"}
        for name, key, valid in (("A. Auditor", "a", True), ("B. Other", "b", False), ("C. Head", "c", True))
    ]
    attested = {"signed": True, "covers": "the audit", "whose": "as stated", "signatures": rows}
    monkeypatch.setattr(audit_report, "attestation", lambda root, engagement_sha256: attested)
    data = report_data(bundle)
    assert data["cover"]["signed"] is True and data["cover"]["status"] == "SIGNED by A. Auditor, C. Head"
    assert "UNSIGNED" not in section("signoff", data) and "SIGNED by A. Auditor" in section("signoff", data)


def test_the_first_page_holds_the_fingerprint(bundle: Path, data: dict[str, Any], tmp_path: Path) -> None:
    cover = data["cover"]
    listed = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    assert cover["fingerprint"] == {"manifest_sha256": listed, "chain_sha256": cover["chain_sha256"]}
    assert cover["run_id"] == f"{cover['plan_sha256'][:12]}-{cover['chain_sha256'][:12]}"
    root = Path(shutil.copytree(bundle, tmp_path / "audit"))
    (root / "manifest.json").unlink()
    assert report_data(root)["cover"]["fingerprint"]["manifest_sha256"] is None


def test_what_people_wrote_is_escaped_and_the_page_stays_whole(engaged: dict[str, Any]) -> None:
    page = html(engaged)
    assert "application &lt;b&gt;." in page and "application <b>" not in page
    assert "We will look." in page and "UNSIGNED DRAFT" in page and "Example Works" in page
    outline = Outline()
    outline.feed(page)
    assert outline.open == [] and len(outline.ids) == len(set(outline.ids))
    assert all(link[1:] in outline.ids for link in outline.links if link.startswith("#"))
    steps = zip(outline.headings, outline.headings[1:], strict=False)
    assert all(after - before <= 1 for before, after in steps)


# -- bad files --------------------------------------------------------------------------------------

FAULTS = [
    ("comissioned_by: me", "unknown key 'comissioned_by'. Did you mean 'commissioned_by'?"),
    ("relationship: friend", '"friend" is not one of first_party'),
    (
        "responses: {F-999: {owner: me}}",
        "no finding 'F-999' in this bundle. They are numbered F-001 to F-026.",
    ),
    ("responses: {a/b: {owner: me}}", "no finding 'a/b' in this bundle. They are numbered F-001 to"),
    ("responses: {F-001: {owners: me}}", "unknown key 'owners'"),
    ("sign_off: {preparer: {date: 2026-02-30}}", "'2026-02-30' is no day of the calendar"),
    ("responses: {F-001: {due: tomorrow}}", "is not a day such as 2026-11-30"),
    ("a: &x 1\nb: *x", "uses a YAML alias (*x)"),
    ("title: !!python/object:os.system x", "uses a YAML tag"),
    ("title: [a]", "is not text"),
    ("title: ' '", "is not the title of the report"),
    ("- a", "is not a mapping"),
    ("", "the file is empty"),
    ("title: " + "a" * 300, "the text has 300 characters, more than 200. Shorten it."),
    ("exclusions: [" + "a, " * 300 + "b]", "has 301 entries, more than 200. Leave some out."),
    ("title: a\ntitle: b", "the key 'title' is written twice"),
    ("format: 2", "1 was expected"),
    ("objective: |\n  a\n  b\n", "the control character U+000A"),
    ("{" * 5000, "not valid YAML"),
    ("#" * 4_000_001, "more than any engagement"),
]


@pytest.mark.parametrize(("text", "told"), FAULTS, ids=[told[:30] for _, told in FAULTS])
def test_a_bad_file_is_one_clear_line(text: str, told: str, data: dict[str, Any], tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as raised:
        read_engagement(path, [row["record"]["id"] for row in data["findings"]])
    lines = str(raised.value).splitlines()
    assert any(told in line for line in lines), lines
    assert all(line.startswith(str(path)) and len(line) < 700 for line in lines)


def test_one_finding_is_answered_once(data: dict[str, Any], tmp_path: Path) -> None:
    ids = [row["record"]["id"] for row in data["findings"]]
    path = written(tmp_path, f"responses:\n  F-001: {{owner: a}}\n  {json.dumps(ids[0])}: {{owner: b}}\n")
    with pytest.raises(InputError, match="answers the same finding as"):
        read_engagement(path, ids)


def test_the_command_ends_with_2_and_writes_nothing(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "responses: {F-999: {owner: me}}")
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as ended:
        main(["report", str(bundle), "--engagement", str(path), "--out", str(out), "--format", "json"])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and "no finding 'F-999'" in error and "Traceback" not in error
    assert not out.exists()
    with pytest.raises(SystemExit) as ended:
        main(["report", str(bundle), "--engagement", str(tmp_path / "none.yaml"), "--out", str(out)])
    assert ended.value.code == 2 and "cannot read the engagement file" in capsys.readouterr().err


def test_without_a_file_nothing_is_given() -> None:
    assert read_engagement(None, ["a"]) == Engagement() and not Engagement().has_use


# -- a file to start from ---------------------------------------------------------------------------


def test_a_new_file_loads_as_it_is_and_when_it_is_filled_in(
    bundle: Path, data: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.yaml"
    main_ends_well(["report", str(bundle), "--new-engagement", str(path)])
    told, then = capsys.readouterr().out.splitlines()
    assert told == str(path)
    assert then == f"Fill it in, then: evenhand report {bundle} --engagement {path}"
    ids = [row["record"]["id"] for row in data["findings"]]
    assert read_engagement(path, ids).given == {"format": 1}
    text = path.read_text("utf-8")
    assert all(row["number"] in text and row["record"]["id"] in text for row in data["findings"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.yaml"]
    filled = filled_in(text)
    found = read_engagement(written(tmp_path, filled), ids)
    assert set(found.given) == set(engagement_schema().schema["properties"])
    disparities = [row["record"]["id"] for row in data["findings"] if row["record"]["verdict"] == "disparity"]
    assert list(found.responses) == disparities and len(disparities) > 2
    assert all(
        set(said) == {"owner", "due", "response", "recommendation"} for said in found.responses.values()
    )


def main_ends_well(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code in (0, None)


def filled_in(text: str) -> str:
    """The file with every key and every entry of a disparity taken out of its comment."""
    keys = re.sub(r"^# (?=[a-z_]+:|  )", "", text, flags=re.MULTILINE)
    return re.sub(r"^  F-\d+:   # (?!disparity).*\n", "", keys, flags=re.MULTILINE)


def test_a_new_file_writes_over_nothing(bundle: Path, tmp_path: Path) -> None:
    path = written(tmp_path, "mine")
    with pytest.raises(InputError, match="there is such a file already"):
        write_new_engagement(bundle, path)
    assert path.read_text() == "mine"
    with pytest.raises(InputError, match="a folder, not a file"):
        write_new_engagement(bundle, tmp_path)
    with pytest.raises(BundleError):
        write_new_engagement(bundle, tmp_path / "no folder" / "new.yaml")


def test_a_full_disk_leaves_no_half_engagement_file(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    path, opened = tmp_path / "new.yaml", Path.open

    def full(self: Path, mode: str = "r", *given: Any, **named: Any) -> Any:
        if mode == "x":
            self.touch()
            return opened(Path("/dev/full"), "w", encoding="utf-8")
        return opened(self, mode, *given, **named)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(InputError, match="No space left"):
        write_new_engagement(bundle, path)
    assert not path.exists()


def test_a_hostile_name_stays_in_its_comment(data: dict[str, Any], tmp_path: Path) -> None:
    record = {**data["findings"][0]["record"], "id": "a\nformat: 2\x85x", "model": "m\r\nformat: 3\u2028y"}
    path = written(tmp_path, new_engagement([record]))
    assert read_engagement(path, [record["id"]]).given == {"format": 1}
    assert "\n" in statement(record) and "\n" not in one_line(statement(record))


# -- the executive summary and the method -----------------------------------------------------------


def test_the_summary_tells_three_to_five_findings_with_size_and_certainty(data: dict[str, Any]) -> None:
    found = data["executive"]["found"]
    assert 3 <= len(found) <= 5
    by_number = {told["number"]: told for told in data["findings"]}
    for row in found:
        told = by_number[row["number"]]
        assert row["statement"] == told["statement"] and row["size"] == told["size"]
        assert row["certainty"] == told["severity"]["certainty"]
    assert found[0]["number"] == "F-001"


def test_where_nothing_is_a_disparity_other_findings_are_told(data: dict[str, Any]) -> None:
    quiet = [row for row in data["findings"] if row["record"]["verdict"] != "disparity"]
    rows = told_first(quiet)
    assert len(rows) == 3
    roles = [row["record"]["role"] for row in rows]
    assert roles == sorted(roles)  # confirmatory ones before exploratory ones
    assert told_first([]) == []


def test_no_suite_hides_the_others_in_the_summary(data: dict[str, Any]) -> None:
    worst = next(row for row in data["findings"] if row["record"]["verdict"] == "disparity")

    def row(number: str, suite: str) -> dict[str, Any]:
        return {"number": number, "record": {**worst["record"], "suite": suite}}

    rows = [row(f"F-{place:03d}", "one") for place in range(1, 8)] + [
        row("F-008", "two"),
        row("F-009", "six"),
    ]
    assert [each["number"] for each in told_first(rows)] == ["F-001", "F-002", "F-008", "F-009"]
    many = [row(f"F-{place:03d}", f"s{place}") for place in range(1, 8)]
    assert [each["number"] for each in told_first(many)] == [f"F-{place:03d}" for place in range(1, 6)]


@pytest.mark.parametrize(
    ("key", "said"), [("suite", "of a suite that the plan does not hold"), ("measure", "no measure 'other'")]
)
def test_findings_of_something_unknown_are_bad_input(
    key: str, said: str, bundle: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(bundle, tmp_path / "audit"))
    kept = json.loads((root / "findings.json").read_text("utf-8"))
    kept["findings"][3][key] = "other"
    (root / "findings.json").write_text(json.dumps(kept), "utf-8")
    with pytest.raises(BundleError, match=said):
        report_data(root)


def test_the_summary_says_what_was_not_tested_and_what_to_do(
    data: dict[str, Any], engaged: dict[str, Any]
) -> None:
    bare, full = data["executive"], engaged["executive"]
    assert bare["not_tested"][0].startswith("mini on scripted/silent: ")
    assert "Excluded by the auditor: languages other than English." in full["not_tested"]
    assert len(full["not_tested"]) == len(bare["not_tested"]) + 1
    assert any(line.startswith("State the intended use") for line in bare["to_do"])
    (asked,) = [line for line in bare["to_do"] if line.startswith("Ask the developers")]
    told = [row for row in data["provenance"]["questions"] if row["subject"].startswith("model:")]
    assert told
    for one in told:
        lost = sum(not row["answers"] for row in one["rows"])
        assert f"{lost} of 22 for {one['subject'].removeprefix('model:')}" in asked
    missing = " ".join(bare["not_tested"])
    assert "Toxic, hateful or denigrating text" in missing and "People of two groups at once" in missing
    assert not any(line.startswith("State the intended use") for line in full["to_do"])
    assert any("No use of the model was stated" in line for line in bare["tested"])
    assert any("Intended use, as stated: Sorts letters" in line for line in full["tested"])
    unanswered = [next(line for line in part["to_do"] if line.startswith("Answer ")) for part in (bare, full)]
    assert "F-001" in unanswered[0] and "F-001" not in unanswered[1]
    assert bare["to_do"][-1].startswith("Sign the report, which is a draft until then")
    for told in (data, engaged):
        counts, line = told["summary"]["levels"], told["executive"]["to_do"][0]
        level = next(name for name in ("Severe", "High", "Moderate", "Low") if counts[name])
        assert line.startswith("Begin with ") and f"rated {level}, the highest here: F-001" in line


def test_the_form_of_a_finding_claims_no_more_than_was_measured(data: dict[str, Any]) -> None:
    for told in data["findings"]:
        verdict = told["record"]["verdict"]
        assert told["cause"].startswith(
            "Hypothesis, not examined" if verdict == "disparity" else "None is put"
        )
        assert told["effect"].startswith(
            "Not measured." if verdict == "disparity" else ("None was", "Unknown")
        )
        assert told["record"]["id"] in told["evidence"][0]
        assert told["record"]["margin"]["source"] in told["criteria"]
        assert told["condition"].endswith(f"Verdict: {told['verdict']}.")
        assert told["covers"] == ("population of templates" if told["record"]["ci"] else None)
    assert {told["record"]["verdict"] for told in data["findings"]} > {"disparity", "inconclusive"}


def test_every_measure_and_every_method_is_explained() -> None:
    assert set(FORMULAS) == set(MEASURES)
    folder = Path(audit_report.__file__).parents[1] / "audit"
    sources = "".join(path.read_text("utf-8") for path in sorted((folder / "stats").glob("*.py")))
    sources += (folder / "sequential/findings.py").read_text("utf-8")
    form = r'(?:method=|Design\(|"method": f)"([^"{,(]+)'
    names = set(re.findall(form, sources)) - {"percentile", "holm"}
    # No finding is made by these: published measures use them, and name them beside each estimate.
    names -= {"least squares slope", "two-way jackknife"}
    assert {estimator(name) for name in names} == set(METHODS)


def test_every_relationship_has_a_meaning() -> None:
    assert set(RELATIONSHIPS) == set(engagement_schema().schema["properties"]["relationship"]["enum"])


def test_the_method_says_of_each_interval_what_it_covers(bundle: Path, data: dict[str, Any]) -> None:
    method = data["method"]
    estimates = [row for row in method["intervals"] if row["interval"] == "ci"]
    computed = [told for told in data["findings"] if told["record"]["ci"]]
    assert sum(row["findings"] for row in estimates) == len(computed)
    nested = next(row for row in estimates if row["method"] == "two-way nested")
    assert nested["covers"] == "population of templates"
    assert any("not across families" in line for line in method["tests"])
    names = {row["name"] for row in method["thresholds"]}
    assert {
        "fewest template families of an estimate",
        "fewest terms of each cell for a claim about an intersection",
    } <= names
    assert not any("most units" in name for name in names)  # nothing was asked until decided
    assert nested["sampled"] == ["template families", "terms of a group"] and nested["fixed"] == [
        "the answers"
    ]
    single = next(row for row in estimates if row["method"] == "paired t")
    assert "the very words that stand for the groups" in single["fixed"]
    assert sum(row["comparisons"] for row in method["multiplicity"]) == len(data["findings"])
    alpha = next(row for row in method["thresholds"] if row["name"] == "error rate alpha")
    assert alpha["value"] == Bundle(bundle).plan["alpha"]
    assert [row["record"] for row in method["severity"]] == ["S0", "S1", "S2", "S3", "S4", "unknown"]
    assert method["human_review"]["labels"] == 0 and "nobody" in method["human_review"]["text"]

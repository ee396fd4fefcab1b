"""Comparison, provenance, scorers, instrument and export on real audits: what they say is what was found."""

from __future__ import annotations

import io
import json
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from audit.attestation.keys import new_key
from audit.attestation.sign import sign
from audit.attestation.statement import Signer
from audit.bundle import Bundle, read_json
from audit.compare import compare_bundles
from audit.deviations import deviations
from audit.integrity import quick_status
from audit.measures import MEASURES
from audit.provenance import MEANINGS, answered
from audit.scorers.accuracy import group_accuracy
from audit.scorers.agreement import agreement
from audit.scorers.audit_cache import cached_audit
from audit.scorers.base import TextScore
from audit.scorers.bundle_audit import read_scorer_audits, write_scorer_audits
from audit.scorers.registry import scorer_named
from audit.scorers.rules import Rules
from audit.sidecar import open_sidecar
from audit.verdict import CONTROL_ALPHA
from dashboards import tables
from tests.dashboards.conftest import Pages, clean, rows_of, table, texts, widget


def test_comparison_is_that_of_the_audit(bundles: dict[str, Path], pages: Pages) -> None:
    before, after = bundles["before"], bundles["after"]
    app = clean(pages.open("compare", before, after))
    found = compare_bundles(before, after, models=("reference/bert-skewed", "reference/bert-fair"))
    shown = table(app, "What became of each finding")
    assert list(shown["change"]) == [row["verdict"] for row in found["findings"]]
    assert list(shown["change by"]) == [row["change"]["estimate"] for row in found["findings"]]
    assert list(shown["low"]) == [row["change"]["ci"]["lo"] for row in found["findings"]]
    assert list(shown["before"]) == [row["before"]["estimate"] for row in found["findings"]]
    assert list(shown["after"]) == [row["after"]["estimate"] for row in found["findings"]]
    said = texts(app)
    for row in (*found["plan_changes"], *found["environment_changes"]):
        assert row["text"] in said
    for row in found["flips"]:
        assert f"{row['flipped']:,} of {row['rows']:,} flipped" in said
    for row in found["matching"]:
        assert f"{row['suite']}\n{row['arm']}\n{row['rows']:,}\n{row['matched']:,}" in said
    widget(app, "selectbox", "Model of this audit").set_value("reference/gpt-skewed")
    widget(app, "selectbox", "Model of the other").set_value("reference/gpt-fair")
    app = clean(widget(app, "radio", "Which came first").set_value("the other").run())
    found = compare_bundles(after, before, models=("reference/gpt-fair", "reference/gpt-skewed"))
    shown = table(app, "What became of each finding")
    assert list(shown["change by"]) == [(row["change"] or {}).get("estimate") for row in found["findings"]]


def test_comparison_needs_two(bundles: dict[str, Path], pages: Pages) -> None:
    app = clean(pages.open("compare", bundles["before"]))
    assert "Only one audit is open" in texts(app) and "evenhand dashboard" in texts(app)


def test_provenance_names_what_is_unknown_first(bundles: dict[str, Path], pages: Pages) -> None:
    root = bundles["before"]
    app = clean(pages.open("provenance", root))
    said, ledger = texts(app), read_json(root / "provenance.json")
    unknown = [row for row in ledger["claims"] if row["status"] in ("unknown", "conflict", "withheld")]
    for row in unknown:
        assert f"{row['subject']}\n{row['field']}\n{row['status']}\n{row['source']}" in said
    shown = table(app, "Every claim")
    assert len(shown) == len(ledger["claims"])
    assert list(shown["status"])[: len(unknown)] == [row["status"] for row in unknown]
    for row in ledger["flags"]:
        assert f"{row['flag']} · {row['subject']} · {MEANINGS[row['flag']]}" in said
        assert f"Rests on: {', '.join(row['claims'])}" in said
    for each in answered(ledger["claims"]):
        assert f"{each['subject']}\n{each['completeness']['text']}" in said
        assert f"Questions about {each['subject']}" in said
    assert Bundle(root).plan_sha256 in said
    assert deviations(root)
    for line in deviations(root):
        assert line in said
    checks = quick_status(root)
    for check in checks:
        assert f"{check.name}\n{'; '.join(check.faults) or check.detail}" in said
    for model in Bundle(root).plan["models"]:
        assert model["digest"] in said
    for entry in Bundle(root).plan["suites"]:
        assert entry["data"]["card"]["not_evidence"] in said and entry["digest"] in said


def test_verifying_recomputes_everything_when_asked(scripted: Path, pages: Pages) -> None:
    app = pages.open("provenance", scripted)
    caption = "Verified in this session"
    assert caption not in texts(app)
    app = clean(widget(app, "button", "Verify everything now").click().run())
    assert caption in texts(app) and "✗" not in texts(app).split(caption)[1].split("The plan")[0]


def test_scorers_agree_as_the_audit_says_and_the_threshold_moves_the_table(
    bundles: dict[str, Path], pages: Pages
) -> None:
    root, model = bundles["before"], "reference/gpt-skewed"
    app = clean(pages.open("scorers", root))
    measure = MEASURES["continuation_sentiment"]
    frame = open_sidecar(root).scores(model=model, suite="continuation")
    said = texts(app)
    cards = [scorer_named(name).card for name in measure.scorers]
    for pair in agreement(frame, cards)["pairs"]:
        told = pair["overall"]
        assert " and ".join(pair["scorers"]) in said
        assert f"texts that both scored\n{told['n']:,}" in said
        assert f"that only one scored\n{told['n_one_only']:,}" in said
        assert f"rank correlation\n{told['spearman']['estimate']:+.2f}" in said
        assert f"same class\n{told['class_agreement']['estimate']:.0%}" in said
    slider = widget(app, "select_slider", "Threshold")
    curve = table(app, "Data of the chart: threshold")
    shares = {value: curve[curve["threshold"] == value] for value in (0.05, 0.7)}
    assert list(shares[0.05]["share_group"]) != list(shares[0.7]["share_group"])
    for value in (0.05, 0.7):
        app = clean(slider.set_value(value).run()) if value != 0.05 else app
        said = texts(app)
        assert f"At {value}: share of texts that count as negative" in said
        for _, step in shares[value].iterrows():
            assert f"{step['scorer']}\n{step['share_group']:.1%}\n{step['share_reference']:.1%}" in said
        slider = widget(app, "select_slider", "Threshold")
    for scorer in measure.scorers:
        assert len(table(app, f"The largest gap that {scorer} makes")) > 0
        assert scorer in read_scorer_audits(root)  # made when the audit was run
        groups = table(app, f"How often {scorer} is right, by group").set_index("group")
        blind = group_accuracy(cached_audit(scorer_named(scorer)), "disability")["blind"]
        assert groups.loc["blind people", "not: left alone"].startswith(f"{blind.specificity:.0%} [")
        chart = table(app, f"Data of the chart: specificity-{scorer}").set_index("label")
        assert chart.loc["blind people", "estimate"] == blind.specificity


def test_the_page_shows_the_audits_that_the_bundle_keeps(own: Path, pages: Pages) -> None:
    """One of a scorer that is not there any more, with texts that it could not score."""

    def failing(text: str) -> TextScore:
        return TextScore(None, "error", "gone") if "Sikh" in text else TextScore(0.4)

    card = replace(scorer_named("vader").card, name="mine", packages=(), bounds=(0.0, 1.0), notable=0.5,
                   worse="high", found="unkind")  # fmt: skip
    write_scorer_audits(Bundle(own), [Rules(card, failing)])
    app = clean(pages.open("scorers", own))
    said = texts(app)
    assert "Without a score: 73 error." in said
    assert "of what is unkind, found\n0%" in said
    shown = table(app, "How often mine is right, by group").set_index("group")
    assert shown.loc["Sikh people", "without a score"] == "73 error"
    assert shown.loc["Sikh people", "not: left alone"].startswith("unknown")


def test_instrument_shows_controls_power_and_calibration(bundles: dict[str, Path], pages: Pages) -> None:
    root = bundles["before"]
    app = clean(pages.open("instrument", root))
    findings = read_json(root / "findings.json")
    shown = table(app, "Controls by family")
    first = {row["family"]: row for row in reversed(findings["findings"])}
    assert list(shown["family"]) == [
        tables.family_title(first[row["family"]]) for row in findings["controls"]
    ]
    assert shown["family"].is_unique and "occupations: labour share · reference/bert-skewed" in list(
        shown["family"]
    )
    told = [row["aa_p"] for row in findings["controls"]]
    assert [None if pd.isna(each) else each for each in shown["smallest corrected p"]] == told
    fails = ["× fails" if p is not None and p < CONTROL_ALPHA else "○ clean" for p in told if p is not None]
    assert [each for each in shown["state"] if each != "not available"] == fails
    power = table(app, "Data of the chart: power")
    family = widget(app, "selectbox", "Family").value
    own = [row for row in findings["findings"] if row["family"] == family]
    assert list(power["smallest detectable"]) == [row["minimum_detectable"] for row in own]
    said = texts(app)
    assert findings["instrument"]["text"] in said
    assert "Calibration" in said and "studies that hold" in said


def test_every_export_is_what_the_report_writes(own: Path, pages: Pages) -> None:
    app = clean(pages.open("export", own))
    assert [each.value for each in app.header] == ["To read", "For other programs", "To keep"]
    begins = f"report-{Bundle(own).plan_sha256[:12]}."
    made = {name.removeprefix(begins): content() for name, content in pages.downloads.items()}
    zips = {"csv", "eval-ever", "croissant", "hub", "bundle"}
    assert made.keys() == {"html", "pdf", "md", "json", "cdx.json"} | {f"{name}.zip" for name in zips}
    app = clean(widget(app, "button", "Write the report into the bundle").click().run())
    for name in ("html", "pdf", "md", "json", "cdx.json"):
        assert made[name] == (own / f"report.{name}").read_bytes()
        assert str(own / f"report.{name}") in texts(app)
    assert made["bundle.zip"] == (own / "report-bundle.zip").read_bytes()
    for name in zips - {"bundle"}:
        with zipfile.ZipFile(io.BytesIO(made[f"{name}.zip"])) as archive:
            files = {member: archive.read(member) for member in archive.namelist()}
        written = [path for path in (own / f"report-{name}").rglob("*") if path.is_file()]
        assert files == {path.relative_to(own).as_posix(): path.read_bytes() for path in written}
    assert [row["record"] for row in json.loads(made["json"])["findings"]] == rows_of(own)


def test_an_engagement_is_in_the_export_and_a_broken_one_is_named(own: Path, pages: Pages) -> None:
    path = own / "engagement.yaml"
    begins = f"report-{Bundle(own).plan_sha256[:12]}.json"
    for name in ("one auditor", "another auditor"):
        path.write_text(f"performed_by: {name}\n", "utf-8")
        clean(pages.open("export", own))
        assert json.loads(pages.downloads[begins]())["cover"]["performed_by"] == name
    path.write_text("performed: nobody\n", "utf-8")
    app = clean(pages.open("export", own))
    assert "No report can be made" in texts(app) and "unknown key 'performed'" in texts(app)


def test_without_typst_the_other_exports_are_offered(
    own: Path, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    app = clean(pages.open("export", own))
    assert not any(name.endswith(".pdf") for name in pages.downloads)
    assert "Install evenhand[pdf]" in texts(app)
    clean(widget(app, "button", "Write the report into the bundle").click().run())
    assert (own / "report.html").exists() and not (own / "report.pdf").exists()


def test_pages_of_an_audit_without_text_say_so(pages: Pages, invalid: Path) -> None:
    app = clean(pages.open("scorers", invalid))
    assert "No text was judged by a scorer" in texts(app)


def test_provenance_says_who_signed_and_when_that_no_longer_holds(
    scripted: Path, pages: Pages, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(scripted, tmp_path / "signed"))
    row = "signature\nnot signed"
    assert f"–\n{row}" in texts(clean(pages.open("provenance", root)))
    made = new_key(tmp_path / "ada")
    sign(root, tmp_path / "ada", Signer("Ada <b>Ng</b>", "auditor"), str)
    said = texts(clean(pages.open("provenance", root)))
    assert row not in said
    assert f"✓\nsignature\nvalid, by key {made.fingerprint} (nobody said whose it is); Ada <b>Ng</b>" in said
    (root / "reviews.jsonl").write_text("{}\n")
    said = texts(clean(pages.open("provenance", root)))
    assert "✗\nsignature\nreviews.jsonl: is not as attestations/" in said


def test_what_no_question_could_find_says_where_it_was_looked_for(pages: Pages, own: Path) -> None:
    said = texts(clean(pages.open("provenance", own)))
    assert "looked for in: the ledger of this audit, which holds no claim about it" in said

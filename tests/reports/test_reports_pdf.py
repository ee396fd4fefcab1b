"""The report as a PDF: the same data on paper, harmless, tagged, complete, and the same bytes every time."""

from __future__ import annotations

import copy
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from audit.bundle import file_bytes
from audit.cli import main
from probes.errors import BundleError, InputError
from reports.audit_report import FORMATS
from reports.contents.selection import selection
from reports.figures import interval, p_value, signed
from reports.writers import pdf as writer
from reports.writers.pdf import pdf
from tests.reports.made_up import stub_charts, texts, with_every_part

pytest.importorskip("typst", reason="the extra [pdf] is not installed")
pikepdf = pytest.importorskip("pikepdf", reason="pikepdf, which pdfua brings, is not installed")
pdfua = pytest.importorskip("pdfua", reason="pdfua is not installed")

HOSTILE = (
    '#panic("x") $x$ *b* _u_ @ref <label> \\ `code` = heading // comment /* c */ [c] {c} ~ -- ... \\u{41} '
    '#image("/etc/passwd") https://evil.example \x1b[31m'
)
SHOWN = HOSTILE.replace("\x1b", "\\x1b")
FORMED = ("disparity", "invalid")
"""Verdicts of findings that have a form."""
FOREIGN = "שלום سلام नमस्ते naïve Ωλ 😀 日本 \ue000"


@pytest.fixture(scope="module")
def made(data: dict[str, Any]) -> bytes:
    return pdf(data)


@pytest.fixture(scope="module")
def small(data: dict[str, Any]) -> dict[str, Any]:
    """The same report with two of its findings: a forest plot, and its power."""
    return {**copy.deepcopy(data), "findings": copy.deepcopy(data["findings"][1:3]), "controls": []}


@pytest.fixture
def without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_charts(monkeypatch)


def words(content: bytes, *options: str) -> str:
    """The text of a PDF as any reader takes it out, without the ends of lines."""
    done = subprocess.run(["pdftotext", *options, "-", "-"], input=content, capture_output=True, check=True)
    return done.stdout.decode("utf-8")


def joined(text: str) -> str:
    """Text without white space: where a line ends is the layout's business."""
    return re.sub(r"\s+", "", text)


def pages(content: bytes) -> list[str]:
    return words(content, "-layout").split("\f")[:-1]


def tags(content: bytes) -> Iterator[tuple[str, Any]]:
    """Every structure element of a PDF with its type, in reading order."""
    document = pikepdf.open(io.BytesIO(content))
    stack = [document.Root.StructTreeRoot.K]
    while stack:
        node = stack.pop()
        if isinstance(node, pikepdf.Array):
            stack.extend(reversed(list(node)))
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                yield str(node.S)[1:], node
            if "/K" in node:
                stack.append(node.K)


def attached(content: bytes) -> bytes:
    """The one file that a PDF carries."""
    with pikepdf.open(io.BytesIO(content)) as document:
        (name,) = document.attachments
        assert name == "report.json"
        found: bytes = document.attachments[name].get_file().read_bytes()
    return found


needs_poppler = pytest.mark.skipif(
    subprocess.run(["which", "pdftotext"], capture_output=True).returncode != 0,
    reason="pdftotext, of poppler, is not on this machine",
)


# -- the file ---------------------------------------------------------------------------------------


def test_the_machine_finds_no_fault_with_its_tags(made: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(made)
    report = pdfua.validate(str(path))
    faults = [found for found in report.findings if found.severity.name not in ("SKIP", "INFO")]
    assert faults == []
    assert sum(found.severity.name == "SKIP" for found in report.findings) <= 1  # none of them is silent


def test_pdfua_finds_a_fault_where_there_is_one(tmp_path: Path) -> None:
    import typst

    path = tmp_path / "bare.pdf"
    path.write_bytes(
        typst.Compiler(b"= Title", ignore_system_fonts=True).compile(format="pdf", pdf_tags=False)
    )
    assert any(found.severity.name == "ERROR" for found in pdfua.validate(str(path)).findings)


def test_it_says_that_it_is_for_keeping_and_for_reading_aloud(made: bytes, data: dict[str, Any]) -> None:
    document = pikepdf.open(io.BytesIO(made))
    marker = document.Root.Metadata.read_bytes().decode("utf-8")
    assert "<pdfaid:part>3</pdfaid:part>" in marker and "<pdfaid:conformance>A</pdfaid:conformance>" in marker
    assert "<pdfuaid:part>1</pdfuaid:part>" in marker
    assert str(document.Root.Lang) == "en" and document.Root.MarkInfo.Marked
    assert str(document.docinfo.Title) == f"Audit report: {data['cover']['title']}"
    assert document.Root.ViewerPreferences.DisplayDocTitle


def test_the_data_are_attached_byte_by_byte(made: bytes, data: dict[str, Any]) -> None:
    assert attached(made) == file_bytes(data)
    document = pikepdf.open(io.BytesIO(made))
    (related,) = document.Root.AF
    assert str(related.AFRelationship) == "/Source" and str(related.UF) == "report.json"


def test_the_same_data_give_the_same_bytes_in_another_process(small: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "report.json").write_bytes(file_bytes(small))
    code = (
        "import json, sys; from reports.writers.pdf import pdf; "
        "sys.stdout.buffer.write(pdf(json.load(open(sys.argv[1], encoding='utf-8'))))"
    )
    again = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "report.json")], capture_output=True, check=True
    )
    assert again.stdout == pdf(small)


def test_its_date_is_the_last_run_and_never_the_clock(data: dict[str, Any], without_charts: None) -> None:
    changed = copy.deepcopy(data)
    changed["cover"]["last_run"] = "2031-02-03T04:05:06+00:00"
    assert created(pdf(changed)).startswith("D:20310203")
    changed["cover"] |= {"last_run": None, "started": None, "as_of": "2032-03-04"}
    assert created(pdf(changed)).startswith("D:20320304")


def created(content: bytes) -> str:
    """When a PDF says that it was made."""
    with pikepdf.open(io.BytesIO(content)) as document:
        return str(document.docinfo.CreationDate)


def test_only_the_fonts_of_the_typst_package_are_in_it(made: bytes) -> None:
    document = pikepdf.open(io.BytesIO(made))
    names = {
        str(found.BaseFont).split("+")[-1]
        for found in document.objects
        if isinstance(found, pikepdf.Dictionary) and found.get("/Type") == "/Font" and "/BaseFont" in found
    }
    assert names and all(
        name.startswith(("Libertinus", "DejaVuSansMono", "NewCM", "NewComputer")) for name in names
    )


@needs_poppler
def test_what_cannot_be_set_after_all_is_spelt_out(
    small: dict[str, Any], without_charts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "settable", lambda found: True)
    changed = {**small, "not_measured": [{"what": FOREIGN, "why": "none"}]}
    text = words(pdf(changed))
    assert "na\\xefve" in text and "\\x1f600" in text


def test_a_run_at_no_time_is_named(small: dict[str, Any]) -> None:
    with pytest.raises(
        BundleError, match=r"environment\.json: a run started at what is no time: 'yesterday'"
    ):
        pdf({**small, "cover": {**small["cover"], "last_run": "yesterday"}})


def test_what_cannot_be_set_is_known_of_the_fonts() -> None:
    assert writer.settable(["naïve", "●", "○", "Ω"])
    assert not writer.settable(["naïve", "😀"])


# -- structure --------------------------------------------------------------------------------------


def test_headings_descend_one_step_at_a_time_and_tables_have_heads(made: bytes, data: dict[str, Any]) -> None:
    found = list(tags(made))
    levels = [int(kind[1]) for kind, _ in found if re.fullmatch(r"H[1-6]", kind)]
    assert levels[0] == 1 and all(after <= before + 1 for before, after in pairwise(levels))
    tables = [node for kind, node in found if kind == "Table"]
    heads = [kind for kind, _ in found if kind == "THead"]
    assert len(tables) == len(heads) > 10


def test_every_chart_is_a_drawing_with_its_words(made: bytes, data: dict[str, Any]) -> None:
    words_of_charts = [str(node.Alt) for kind, node in tags(made) if kind == "Figure"]
    assert len(words_of_charts) >= 2 * 2  # two models, each with a forest plot and its power
    assert all(len(alt) > 40 for alt in words_of_charts)
    assert any(alt.startswith("Estimates with intervals") for alt in words_of_charts)
    document = pikepdf.open(io.BytesIO(made))
    images = [o for o in document.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image"]
    assert images == []  # vectors, which print at any size


def test_bookmarks_lead_to_every_section_and_finding(made: bytes, data: dict[str, Any]) -> None:
    document = pikepdf.open(io.BytesIO(made))
    with document.open_outline() as outline:
        first = [item.title for item in outline.root]
        parts = [part for item in outline.root for part in item.children]
        below = {finding.title for part in parts for finding in part.children}
    for title in ("1  Executive summary", "6  Results", "7  Findings", "11  Sign-off", "B  Full tables"):
        assert title in first
    assert any("F-001" in title for title in below)


# -- what it says -----------------------------------------------------------------------------------


@needs_poppler
def test_the_draft_stands_on_every_page_until_it_is_signed(
    data: dict[str, Any], without_charts: None
) -> None:
    told = pages(pdf(data))
    run, manifest = data["cover"]["run_id"], data["cover"]["fingerprint"]["manifest_sha256"][:12]
    for number, page in enumerate(told, start=1):
        assert "UNSIGNED DRAFT" in page
        assert f"page {number} of {len(told)}" in page
        assert f"run {run}" in page and f"manifest {manifest}" in page
    signed_data = copy.deepcopy(data)
    signed_data["cover"] |= {"signed": True, "status": "SIGNED by Ada"}
    assert "UNSIGNED DRAFT" not in words(pdf(signed_data))


@needs_poppler
def test_figures_and_findings_are_those_of_the_data(made: bytes, data: dict[str, Any]) -> None:
    text = words(made)
    flat = joined(text)
    for told in data["findings"]:
        record = told["record"]
        assert text.count(told["number"]) >= 2
        assert joined(told["statement"].replace("*", "").removesuffix(".")) in flat
        assert joined(told["condition"].replace("*", "")) in flat or record["verdict"] not in FORMED
        assert joined(record["id"]) in flat
        if record["estimate"] is not None:
            assert joined(f"{signed(record['estimate'])}{interval(record['ci'])}") in flat
            assert joined(p_value(record["p_adjusted"])) in flat
    for row in data["not_measured"]:
        assert joined(row["what"]) in flat and joined(row["why"]) in flat
    for line in data["cover"]["claims_limits"]:
        assert joined(line) in joined(pages(made)[0])
    for key in ("plan_sha256", "chain_sha256"):
        assert data["cover"][key] in words(made, "-l", "1")
    assert "tagged PDF" in text and "machine-checked subset" in text.replace("\n", " ")
    assert not re.search(r"conforms|certified|compliant", text)


@needs_poppler
def test_the_executive_summary_takes_one_page(data: dict[str, Any], without_charts: None) -> None:
    long = copy.deepcopy(data)
    long["executive"]["to_do"] = [f"Line {place}: " + "what there is to do, " * 7 for place in range(11)]
    long["executive"]["not_tested"] = long["executive"]["to_do"][:7]
    for told in (data, long):
        told_pages = pages(pdf(told))
        (place,) = [number for number, page in enumerate(told_pages) if "What was found" in page]
        assert "1 Executive summary" in " ".join(told_pages[place].split())
        assert "2 Engagement" in " ".join(told_pages[place + 1].split())
        assert joined(told["executive"]["to_do"][-1]) in joined(told_pages[place])


@needs_poppler
def test_text_from_outside_is_never_markup(data: dict[str, Any], without_charts: None) -> None:
    changed = copy.deepcopy(data)
    changed["cover"]["title"] = changed["cover"]["models"][0]["id"] = HOSTILE
    changed["not_measured"][0]["why"] = changed["provenance"]["claims"][0]["value"] = HOSTILE
    changed["suites"][0]["card"]["harm"] = changed["glossary"][0]["meaning"] = HOSTILE
    told = changed["findings"][0]
    told["claim"] = told["statement"] = told["record"]["reasons"][:] = HOSTILE
    told["record"]["reasons"] = [HOSTILE]
    flat = joined(words(pdf(changed)))
    # Of a claim and a statement asterisks are emphasis, as in every format.
    assert flat.count(joined(SHOWN)) >= 5
    assert flat.count(joined(SHOWN.replace("*b*", "b"))) >= 2
    assert "root:" not in flat


@needs_poppler
def test_letters_that_no_font_has_are_spelt_and_all_others_stay(
    data: dict[str, Any], without_charts: None
) -> None:
    changed = copy.deepcopy(data)
    changed["not_measured"][0]["why"] = FOREIGN
    content = pdf(changed)
    text = words(content)
    assert "naïve" in text and "Ωλ" in text
    assert "\\x1f600" in text and "\\x65e5\\x672c" in text and "\\xe000" in text
    assert {"ש", "ل", "न"} <= set(text)  # right to left, and joined letters, as far as the fonts go
    kept = json.loads(attached(content))
    assert kept["not_measured"][0]["why"] == FOREIGN


@needs_poppler
def test_a_chart_with_foreign_names_is_drawn(small: dict[str, Any]) -> None:
    changed = copy.deepcopy(small)
    for told in changed["findings"]:
        told["record"]["group_label"] = FOREIGN
    text = words(pdf(changed))
    assert "naïve" in text and "na\\xefve" in text  # set as it is, and spelt where it cannot be drawn


@needs_poppler
def test_long_names_are_broken_and_stay_whole_when_copied(data: dict[str, Any], without_charts: None) -> None:
    changed = copy.deepcopy(data)
    name = "organisation/" + "verylongmodelname" * 8
    for told in changed["findings"]:
        told["record"]["model"] = name
    changed["summary"]["parts"][0]["model"] = name
    content = pdf(changed)
    assert name in joined(words(content))
    assert beyond_the_margins(content) == []


@needs_poppler
def test_nothing_reaches_beyond_the_margins(made: bytes) -> None:
    assert beyond_the_margins(made) == []


def beyond_the_margins(content: bytes) -> list[str]:
    """Words that reach into the margins of their page, by the boxes that poppler gives them."""
    found = words(content, "-bbox")
    width = 595.3
    return [
        word
        for left, right, word in re.findall(r'xMin="([\d.-]+)".*?xMax="([\d.-]+)".*?>(.*?)</word>', found)
        if float(left) < 50 or float(right) > width - 50
    ]


# -- everything that the data may hold ---------------------------------------------------------------


@needs_poppler
def test_every_text_that_the_schema_names_is_printed(
    data: dict[str, Any], tmp_path: Path, without_charts: None
) -> None:
    full = with_every_part(data)
    content = pdf(full)
    flat = joined(words(content))
    marked = texts(full)
    assert len(marked) > 150
    assert [word for word in marked if joined(word) not in flat] == []
    (tmp_path / "full.pdf").write_bytes(content)
    report = pdfua.validate(str(tmp_path / "full.pdf"))
    assert [found for found in report.findings if found.severity.name not in ("SKIP", "INFO")] == []


@needs_poppler
def test_rates_are_rounded_as_the_rule_has_them(
    data: dict[str, Any], tmp_path: Path, without_charts: None
) -> None:
    table = tmp_path / "people.csv"
    table.write_text("sex,applicants,selected\nmale,92,50\nfemale,76,34\n", encoding="utf-8")
    text = words(pdf({**data, "selection": selection(table)}), "-layout")
    assert re.search(r"female\s+76\s+34\s+44\.7 %\s+0\.82\s", text)
    assert "This is no bias audit under New York City Local Law 144" in text


@needs_poppler
def test_no_wall_of_numbers_stands_for_evidence(data: dict[str, Any], without_charts: None) -> None:
    flat = joined(words(pdf(data)))
    assert ",".join(told["number"] for told in data["findings"][:6]) not in flat
    assert joined("comparisons between groups with estimate, interval and verdict") in flat


# -- bounds and faults ------------------------------------------------------------------------------


def test_without_typst_one_line_says_what_to_install(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(SystemExit) as ended:
        main(["report", str(bundle), "--format", "pdf", "--out", str(tmp_path)])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "pip install 'evenhand[pdf]'" in told and "Traceback" not in told
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="needs the package typst"):
        pdf({})


def test_the_command_writes_it(
    bundle: Path, data: dict[str, Any], tmp_path: Path, without_charts: None
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "report",
                str(bundle),
                "--format",
                "pdf",
                "--out",
                str(tmp_path),
                "--as-of",
                data["cover"]["as_of"],
            ]
        )
    assert ended.value.code == 0
    assert (tmp_path / "report.pdf").read_bytes() == FORMATS["pdf"](data, bundle)["report.pdf"]

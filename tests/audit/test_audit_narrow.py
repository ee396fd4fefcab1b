"""On a screen of any width nothing is cut off, and one thing is not spoken of as several."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from audit.api import run
from audit.bundle import Bundle
from audit.commands.fitted import Fitted
from audit.commands.ledger import show_ledger
from audit.commands.listings import show_checks
from audit.commands.show import Terminal, show_findings
from audit.models import ScriptedModel
from audit.spec import AuditSpec, choose
from audit.verify import Check, read_findings, verify_bundle
from audit.wording import claim
from tests.conftest import write_mini


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("narrow")
    (folder / "suite").mkdir()
    suite = write_mini(folder / "suite", templates=6, terms=4)
    model = ScriptedModel(ScriptedModel.noise()._answer, id="organisation/a-model-with-a-long-name")
    run(AuditSpec(models=(model,), suites=(choose(str(suite)),)), folder / "bundle")
    return folder / "bundle"


def terminal(width: int) -> Terminal:
    return Terminal(file=io.StringIO(), width=width, highlight=False)


def printed(console: Terminal) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def drawn(what: RenderableType, width: int) -> str:
    console = terminal(width)
    console.print(what)
    return printed(console)


def flat(text: str) -> str:
    """Without the ends of lines and every other space."""
    return "".join(text.split())


def table(*, header: bool = True) -> Table:
    result = Table(box=None, pad_edge=False, padding=(0, 2, 0, 1), show_header=header)
    result.add_column("verdict", width=12)
    result.add_column("finding", ratio=1)
    result.add_column("n", no_wrap=True, justify="right")
    result.add_row(Text("inconclusive"), Text("the odds are 2 times as high"), "1,215\n(9 × 45)")
    return result


def test_a_table_that_fits_is_a_table() -> None:
    found = drawn(Fitted(table(), bare=2), 60).splitlines()
    assert [line.split() for line in found] == [
        ["verdict", "finding", "n"],
        ["inconclusive", "the", "odds", "are", "2", "times", "as", "high", "1,215"],
        ["(9", "×", "45)"],
    ]


def test_a_table_that_does_not_fit_is_paragraphs() -> None:
    found = [line.rstrip() for line in drawn(Fitted(table(), bare=2), 24).splitlines()]
    assert found == [
        "verdict, finding",
        "inconclusive",
        "  the odds are 2 times",
        "  as high",
        "  n: 1,215 (9 × 45)",
    ]
    assert "verdict" not in drawn(Fitted(table(header=False), bare=2), 24)


def test_a_cell_that_is_empty_is_left_out_of_a_paragraph() -> None:
    other = Table("name", "long " * 5, "note", box=None)
    other.add_row("one", "some words", "")
    found = [line.strip() for line in drawn(Fitted(other), 12).splitlines()]
    assert "one" in found and not any(line.startswith("note") for line in found)


def test_a_word_longer_than_its_column_is_folded() -> None:
    other = Table("name", "n", box=None)
    other.add_row("organisation/a-model-with-a-long-name", "1")
    for width in (12, 24, 40):
        assert "organisation/a-model-with-a-long-name" in flat(drawn(Fitted(other), width).replace("1", ""))


@pytest.mark.parametrize("width", [30, 44, 60, 80, 110])
def test_findings_are_shown_whole_at_any_width(bundle: Path, width: int) -> None:
    console, findings = terminal(width), read_findings(bundle)
    show_findings(console, Bundle(bundle).plan, findings, str(bundle))
    text = printed(console)
    assert "…" not in text.replace("… ─", "")
    rows = [row for row in findings["findings"] if row["role"] == "confirmatory"]
    assert rows
    if width <= 60:  # in a table, a claim's lines stand beside other columns
        assert all(flat(claim(row)).replace("*", "") in flat(text) for row in rows)
    assert text.count("organisation/a-model-with-a-long-name") >= 1 or width < 40
    assert f"evenhand verify {bundle}    check hashes" in text, "a command stands on one line"


@pytest.mark.parametrize("width", [30, 60, 110])
def test_the_ledger_is_shown_whole_at_any_width(bundle: Path, width: int) -> None:
    console, findings = terminal(width), read_findings(bundle)
    show_ledger(console, findings)
    text = printed(console)
    assert "…" not in text.replace("… ─", "")
    assert text.count("●") + text.count("○") + text.count("?") + text.count("×") >= len(findings["findings"])


def test_one_thing_is_not_spoken_of_as_several(bundle: Path) -> None:
    details = {check.name: check.detail for check in verify_bundle(bundle)}
    assert details["plan"].startswith("1 suite, ")
    assert details["manifest"].startswith("5 files ")
    console = terminal(200)
    findings = read_findings(bundle)
    (row,) = [row for row in findings["findings"] if row["role"] == "confirmatory"]
    show_ledger(console, {**findings, "findings": [row], "families": findings["families"][:1]})
    assert "1 hypothesis in 1 family;" in printed(console)


def test_a_fault_cannot_steer_the_terminal() -> None:
    console = terminal(80)
    show_checks(console, [Check("findings", "1 finding", ("$.title: \x1b[2J\x9b2J",))])
    assert "\\x1b[2J\\x9b2J" in printed(console)

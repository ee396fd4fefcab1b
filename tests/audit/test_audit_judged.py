"""What the terminal says of scorers, of texts without a score, and of what cannot be shown."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from audit.bundle import Bundle, read_json, write_json
from audit.commands.judged import lost_by_group, own_lines, scorer_lines
from audit.commands.show import OPEN_SHOWN, suite_view
from audit.redaction.check import check_original
from audit.redaction.copying import redact
from audit.scorers.bundle_audit import FORMAT, SCORER_AUDITS, in_short, read_scorer_audits
from audit.scorers.own_audit import audit_scorer
from audit.scorers.published import published_record
from audit.scorers.registry import scorer_named
from probes.frames import load_frames
from tests.audit.redaction_world import write_spoken
from tests.conftest import evenhand

Capture = pytest.CaptureFixture[str]
FRAMES = load_frames()


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audit of written text that keeps the own audits of its scorers. Not to be written to."""
    root = write_spoken(tmp_path_factory.mktemp("spoken"))
    frames = replace(FRAMES, lexicons={"identities": FRAMES.lexicons["identities"]})
    scorers = [scorer_named(name) for name in ("vader", "textblob")]
    made = [{**audit_scorer(one, frames), "published": published_record(one, None)} for one in scorers]
    write_json(root / SCORER_AUDITS, {"format": FORMAT, "scorers": [in_short(one) for one in made]})
    Bundle(root).write_manifest()
    return root


@pytest.fixture(scope="module")
def redacted(spoken: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its redacted copy. Not to be written to."""
    out = tmp_path_factory.mktemp("redacted") / "copy"
    redact(spoken, out)
    return out


def told(root: Path, audits: dict[str, Any]) -> dict[str, list[str]]:
    return dict(scorer_lines(Bundle(root).plan, read_json(root / "findings.json"), audits))


def test_the_terminal_names_scorers_agreement_and_their_worst_gaps(spoken: Path, capsys: Capture) -> None:
    code, out, err = evenhand(capsys, "show", str(spoken))
    flat = " ".join(out.split())
    assert code == 0, err
    families = read_json(spoken / "findings.json")["families"]
    kappas = [row["kappa"]["estimate"] for family in families for row in family.get("agreement", ())]
    assert kappas and flat.count("textblob: kappa ") == len(kappas)
    assert "vader decides; textblob held against it" in flat
    assert "vader reads the group: deaf people over blind people by +0.40" in flat
    assert "least of blind people" in flat


def test_a_scorer_without_an_audit_is_not_passed_over(spoken: Path) -> None:
    audits = read_scorer_audits(spoken)
    lines = told(spoken, {"vader": audits["vader"]})["Their own audits, on sentences whose truth is known"]
    assert any(line.startswith("textblob: not in this bundle") for line in lines)
    blind = {"estimate": None, "lo": None, "hi": None, "reason": "no observations"}
    none = {**audits["vader"], "accuracy": {"sensitivity": blind, "specificity": blind}, "texts": 9}
    assert list(own_lines("vader, groups masked", {**none, "unscored": {"truncated": 9}})) == [
        "vader, groups masked (audited unmasked): unknown, 9 truncated of 9 sentences"
    ]
    quiet = {**audits["vader"], "axes": []}
    assert next(own_lines("vader", quiet)) == "vader: no gap between groups is shown"


def test_the_largest_gap_is_named_and_not_the_first(spoken: Path) -> None:
    audit = read_scorer_audits(spoken)["vader"]
    turned = {**audit, "axes": audit["axes"][::-1]}
    assert list(own_lines("vader", turned)) == list(own_lines("vader", audit))


def side(axis: str, group: str, statuses: dict[str, int], reference: str = "rest") -> dict[str, Any]:
    coverage = {"group": statuses, "reference": {"scored": 8}}
    return {
        "axis": axis, "reference": reference, "group_label": group, "reference_label": "the others",
        "coverage": coverage,
    }  # fmt: skip


def test_lost_texts_are_counted_by_group() -> None:
    rows = [
        side("religion", "Sikh people", {"scored": 5, "error": 2, "truncated": 1}),
        side("religion", "Hindu people", {"scored": 7, "empty": 1}),
        side("gender", "women", {"scored": 8}, "man"),
    ]
    assert list(lost_by_group(rows)) == [
        "by religion from 1 of 8 (Hindu people) to 3 of 8 (Sikh people: 2 error, 1 truncated)"
    ]
    assert not list(lost_by_group([{**rows[0], "coverage": {}}]))


def finding(group: str, verdict: str, **more: Any) -> dict[str, Any]:
    fields = {
        "claim": "{group} {difference}", "group_label": group, "reference_label": "the others", "role":
        "confirmatory", "estimate": 0.1, "ci": {"lo": -0.1, "hi": 0.3, "level": 0.95}, "scale": "points",
        "margin": {"value": 0.1},
        "verdict": verdict, "severity": "unknown", "reasons": [], "n_cells": 4, "n_clusters": 4,
        "n_terms": 1, "p_adjusted": 0.5, "fragile": False, "material": True,
        "needed": {"templates": 9, "terms": 0, "decision": "detect", "reason": ""},
    }  # fmt: skip
    return {**fields, **more}


@pytest.mark.parametrize("open_rows", [OPEN_SHOWN, OPEN_SHOWN + 1, OPEN_SHOWN + 5])
def test_many_inconclusive_findings_share_a_line_and_none_is_lost(open_rows: int) -> None:
    rows = [finding(f"loud{n}", "disparity", severity="S2") for n in range(6)]
    rows += [finding(f"open{n}", "inconclusive") for n in range(open_rows)]
    rows[-1]["ci"] = {"lo": -0.5, "hi": 0.2, "level": 0.95}
    console = Console(width=110, record=True, file=io.StringIO())
    console.print(suite_view("suite", rows))
    text = " ".join(console.export_text().split())
    assert all(row["group_label"] in text for row in rows)
    folded = open_rows - OPEN_SHOWN
    assert (f"? inconclusive {folded} more, all intervals within -0.50 to +0.30 points" in text) == (
        folded > 1
    )


def test_a_redacted_copy_keeps_the_own_audits_of_the_scorers(spoken: Path, redacted: Path) -> None:
    assert (redacted / SCORER_AUDITS).read_bytes() == (spoken / SCORER_AUDITS).read_bytes()
    assert not check_original(redacted, spoken)[1]
    assert SCORER_AUDITS not in json.loads((redacted / "redaction.json").read_text())["left_out"]


@pytest.mark.parametrize("option", ["--out", "--disagreements"])
def test_no_sheet_is_made_of_withheld_texts(
    option: str, redacted: Path, tmp_path: Path, capsys: Capture
) -> None:
    root = Path(shutil.copytree(redacted, tmp_path / "copy"))
    code, _, err = evenhand(capsys, "label", str(root), option, str(tmp_path / "sheet.csv"))
    assert code == 2 and err.count("\n") == 1 and "a sheet would hold no text to label" in err
    assert not (tmp_path / "sheet.csv").exists()


def test_reveal_says_when_there_is_nothing_to_reveal(spoken: Path, capsys: Capture) -> None:
    root = read_json(spoken / "findings.json")["findings"]
    verdicts = {"no disparity within margin": "within", "inconclusive": "inconclusive", "invalid": "invalid"}
    verdict = next(verdicts[row["verdict"]] for row in root if row["verdict"] in verdicts)
    code, out, _ = evenhand(capsys, "show", str(spoken), "--verdict", verdict, "--reveal")
    assert code == 0 and "Nothing to reveal" in out and "withheld" not in out


def test_a_group_of_commands_alone_says_what_there_is(capsys: Capture) -> None:
    for words in (("scorers",), ("models",), ()):
        code, out, err = evenhand(capsys, *words)
        assert code == 2 and not out
        assert "\nCommands:\n" in err and "evenhand: " not in err

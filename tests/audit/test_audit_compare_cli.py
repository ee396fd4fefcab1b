"""``evenhand compare`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit.models import ScriptedModel
from tests.audit.comparison_world import audit_of, copied, jittered, noise
from tests.audit.sequential_world import evenhand

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("compare")
    hostile = "After \x1b[2J [bold]\u202e"
    return (
        audit_of(folder / "a", noise(), title="Before", each=True),
        audit_of(folder / "b", jittered(), title=hostile, each=True),
    )


def test_it_says_what_changed_worst_first(bundles: tuple[Path, Path], capsys: Capture) -> None:
    code, out, err = evenhand(capsys, "compare", *map(str, bundles))
    text = " ".join(out.split())
    assert code == 0 and err == ""
    assert "scripted/noise → scripted/jittered" in text
    assert "● changed, away from 0" in text or "● changed, toward 0" in text
    assert "people of the first kind / people of the second kind: ratio 1.6" in text
    assert "96 of 96 rows compared" in text and "preferences flipped" in text
    assert text.index("confirmatory, 1 contrast: 1 changed") < text.index("exploratory, 8 contrasts")


def test_nothing_in_a_bundle_steers_the_terminal(bundles: tuple[Path, Path], capsys: Capture) -> None:
    _, out, _ = evenhand(capsys, "compare", *map(str, bundles))
    assert "\x1b[2J" not in out and "\u202e" not in out and "[bold]" in out


def test_machines_get_the_whole(bundles: tuple[Path, Path], capsys: Capture) -> None:
    code, out, _ = evenhand(capsys, "compare", *map(str, bundles), "--json")
    found = json.loads(out)
    assert code == 0 and found["summary"]["hypotheses"] == 9 and len(found["findings"]) == 9


def test_the_same_audit_twice_says_so(bundles: tuple[Path, Path], capsys: Capture) -> None:
    _, out, _ = evenhand(capsys, "compare", str(bundles[0]), str(bundles[0]))
    assert "nothing: one plan, one environment" in out and "the same model" in out
    assert "1 no change within margin" in out and "0 of 96 preferences flipped" in out


def test_models_are_named_and_faults_are_one_line(
    bundles: tuple[Path, Path], tmp_path: Path, capsys: Capture
) -> None:
    several = audit_of(tmp_path / "a", jittered(name="one"), ScriptedModel.group_blind())
    words = ["compare", str(several), str(bundles[1])]
    code, _, err = evenhand(capsys, *words)
    assert code == 2 and len(err.splitlines()) == 1
    assert "before: one, scripted/group-blind; after: scripted/jittered" in err
    code, out, _ = evenhand(capsys, *words, "--models", "one=scripted/jittered")
    assert code == 0 and "Not compared" in out and "scripted/group-blind (before)" in " ".join(out.split())
    code, _, err = evenhand(capsys, *words, "--models", "one")
    assert code == 2 and "names no two models" in err
    unfinished = copied(bundles[0], tmp_path / "unfinished")
    (unfinished / "findings.json").unlink()
    code, _, err = evenhand(capsys, "compare", str(unfinished), str(bundles[1]))
    assert code == 2 and "evenhand run --out" in err and "Traceback" not in err


def test_what_cannot_be_compared_is_told_by_suite(
    bundles: tuple[Path, Path], tmp_path: Path, capsys: Capture
) -> None:
    scoring = ScriptedModel(noise()._answer, id="scripted/noise", capabilities=frozenset({"score"}))
    after = audit_of(tmp_path / "a", scoring)
    code, out, _ = evenhand(capsys, "compare", str(bundles[0]), str(after))
    text = " ".join(out.split())
    assert "mini, 8 hypotheses (before): no such contrast after" in text
    assert code == 0 and "× 1 not comparable: no row of the one audit has its like in the other" in text
    assert "0 of 96 rows compared; 96 asked in another form" in text and "no answer is compared" in text

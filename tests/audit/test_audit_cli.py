"""The command line as a user types it: what it says, its exit codes, and bad input in one clear line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import evenhand, write_mini

Capture = pytest.CaptureFixture[str]


def fault_of(capsys: Capture, *words: object) -> str:
    """The one line that bad input gets."""
    code, _, err = evenhand(capsys, *words)
    lines = [line for line in err.splitlines() if line.startswith("evenhand: ")]
    assert code == 2, err
    assert "Traceback" not in err
    assert len(lines) == 1, err
    return lines[0]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real audit of an embedded model."""
    folder = tmp_path_factory.mktemp("cli") / "audit"
    words = ["run", "-m", "reference/bert-skewed", "-s", "occupations", "--templates", "8", "--terms", "6"]
    done = subprocess.run(
        [sys.executable, "-m", "audit.cli", *words, "--out", str(folder)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "The bundle lies in" in done.stdout
    return folder


def test_show_says_the_finding_in_plain_words(bundle: Path, capsys: Capture) -> None:
    code, out, _ = evenhand(capsys, "show", bundle)
    assert code == 0
    text = " ".join(out.split())
    assert "disparity" in text and "times [" in text and "occupations" in text
    assert "Controls" in text and "What next" in text and " evenhand report " in text


def test_show_in_detail_and_as_json(bundle: Path, capsys: Capture) -> None:
    code, out, _ = evenhand(capsys, "show", bundle, "--verdict", "disparity")
    assert code == 0 and "equivalence" in out and "agree in sign" in out
    code, out, _ = evenhand(capsys, "show", bundle, "--json")
    rows = json.loads(out)["findings"]
    assert rows == json.loads((bundle / "findings.json").read_text())["findings"]
    assert "no finding with" in fault_of(capsys, "show", bundle, "--suite", "nothing")


def test_verify_and_analyze(bundle: Path, capsys: Capture) -> None:
    before = (bundle / "findings.json").read_bytes()
    assert evenhand(capsys, "analyze", bundle, "--json")[0] == 0
    assert (bundle / "findings.json").read_bytes() == before
    code, out, _ = evenhand(capsys, "verify", bundle)
    assert code == 0 and out.count("holds") == 6
    code, out, _ = evenhand(capsys, "verify", bundle, "--json")
    signature, *others = json.loads(out)
    assert (signature["holds"], signature["code"]) == (None, None), (
        "nobody signed: nothing holds, nothing fails"
    )
    assert all(check["holds"] and check["code"] == 0 for check in others)


def test_verify_of_a_changed_bundle_ends_with_1(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    import shutil

    broken = Path(shutil.copytree(bundle, tmp_path / "broken"))
    text = (broken / "findings.json").read_text()
    (broken / "findings.json").write_text(text.replace('"estimate": 1', '"estimate": 2', 1))
    code, out, _ = evenhand(capsys, "verify", broken)
    assert code == 1 and "FAILS" in out and "findings.json" in out


def test_plan_asks_nothing_and_says_time_and_power(capsys: Capture, tmp_path: Path) -> None:
    code, out, _ = evenhand(capsys, "plan", "-m", "reference/bert-fair", "-s", "occupations", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["cost"][0]["requests"] > 500 and found["cost"][0]["seconds"] > 0
    row = next(row for row in found["power"] if row["contrast"] == "labour-share")
    assert 0 < row["minimum_detectable"] < 2 and row["margin"] == 0.2
    code, out, _ = evenhand(capsys, "plan", "-m", "reference/bert-fair", "-s", "occupations")
    assert code == 0 and "smallest" in out


def test_resume_of_a_finished_audit_asks_nothing(bundle: Path, capsys: Capture) -> None:
    code, out, _ = evenhand(capsys, "run", "--out", bundle, "--json")
    assert code == 0 and json.loads(out)["asked"] == 0


def test_suites_commands(capsys: Capture, mini: Path) -> None:
    code, out, _ = evenhand(capsys, "suites", "list")
    assert code == 0
    assert {"occupations", "traits", "continuation", "decisions"} <= set(out.split())
    code, out, _ = evenhand(capsys, "suites", "show", "decisions")
    assert code == 0 and "allocational" in out and "construct" in out
    code, out, _ = evenhand(capsys, "suites", "validate", mini)
    assert code == 0 and "well-formed" in out


def test_models_list(capsys: Capture) -> None:
    code, out, _ = evenhand(capsys, "models", "list", "--json")
    assert code == 0
    assert {"smollm2-135m", "reference/bert-fair"} <= {row["name"] for row in json.loads(out)}


def test_every_command_has_help(capsys: Capture) -> None:
    for words in (
        [], ["run"], ["plan"], ["analyze"], ["show"], ["verify"], ["suites", "list"], ["suites", "show"],
        ["suites", "validate"], ["compare"], ["models", "list"], ["models", "fetch"],
    ):  # fmt: skip
        code, out, _ = evenhand(capsys, *words, "--help")
        assert code == 0 and "Usage" in out


def test_a_verdict_filter_shows_that_verdict_only(bundle: Path, capsys: Capture) -> None:
    for word, verdict in (("disparity", "disparity"), ("within", "no disparity within margin")):
        code, out, _ = evenhand(capsys, "show", bundle, "--verdict", word, "--json")
        if code == 0:
            assert {row["verdict"] for row in json.loads(out)} == {verdict}
    assert "One of: disparity, within" in fault_of(capsys, "show", bundle, "--verdict", "no")


def test_a_reader_that_goes_away_is_no_fault(bundle: Path) -> None:
    line = f"{sys.executable} -m audit.cli show {bundle} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "0" and "Traceback" not in done.stderr


def test_a_terminal_without_these_letters_is_no_fault(bundle: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    line = [sys.executable, "-m", "audit.cli", "show", str(bundle)]
    done = subprocess.run(line, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_control_characters_do_not_reach_the_terminal(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    import shutil

    odd = Path(shutil.copytree(bundle, tmp_path / "odd"))
    found = json.loads((odd / "findings.json").read_text())
    for row in found["findings"]:
        row["group_label"] = "\x1b[2Jgone [bold]\u202e"
    (odd / "findings.json").write_text(json.dumps(found))
    code, out, _ = evenhand(capsys, "show", odd)
    assert code == 0 and "\x1b[2J" not in out and "\u202e" not in out
    assert "[bold]" in out


# -- bad input ------------------------------------------------------------------------------------------


def test_unknown_names_suggest_the_nearest(capsys: Capture, tmp_path: Path) -> None:
    text = fault_of(capsys, "run", "-m", "reference/bert-fiar", "-s", "occupations", "--out", tmp_path / "a")
    assert "reference/bert-fair" in text
    text = fault_of(capsys, "run", "-m", "reference/bert-fair", "-s", "ocupations", "--out", tmp_path / "a")
    assert "occupations" in text
    assert not (tmp_path / "a").exists()


def test_a_suite_the_model_cannot_answer_is_named_and_the_rest_runs(capsys: Capture, tmp_path: Path) -> None:
    words = ["run", "-m", "reference/bert-fair", "-s", "occupations", "-s", "continuation"]
    code, out, _ = evenhand(capsys, *words, "--templates", 4, "--terms", 4, "--out", tmp_path / "a")
    assert code == 0
    assert "continuation was not asked of reference/bert-fair" in " ".join(out.split())
    code, _, err = evenhand(
        capsys, "run", "-m", "reference/bert-fair", "-s", "continuation", "--out", tmp_path / "b"
    )
    assert code == 2 and "continuation cannot be asked of reference/bert-fair" in err


BAD_AUDITS = {
    "malformed": ("models: [a\nsuites: b", "line"),
    "unknown key": (
        "models: [reference/bert-fair]\nsuites: [occupations]\nsuits: 1\n",
        "unknown key 'suits'",
    ),
    "no models": ("suites: [occupations]\n", "'models' is missing"),
    "bad alpha": ("models: [reference/bert-fair]\nsuites: [occupations]\nalpha: 2\n", "alpha"),
    "twice": ("models: [reference/bert-fair]\nsuites: [occupations, occupations]\n", "twice"),
    "not a mapping": ("- a\n- b\n", "mapping"),
    "too many templates": (
        "models: [reference/bert-fair]\nsuites: [{id: occupations, templates: 900}]\n",
        "templates",
    ),
}


@pytest.mark.parametrize("name", BAD_AUDITS)
def test_bad_audit_files(name: str, tmp_path: Path, capsys: Capture) -> None:
    content, said = BAD_AUDITS[name]
    path = tmp_path / "audit.yaml"
    path.write_text(content)
    assert said in fault_of(capsys, "run", path, "--out", tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_an_audit_file_that_is_not_utf8(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "audit.yaml"
    path.write_bytes(b"title: caf\xe9\n")
    assert "UTF-8" in fault_of(capsys, "run", path)
    assert "No such file" in fault_of(capsys, "run", tmp_path / "gone.yaml")


BAD_SUITES = {
    "a template without its slot": ("'The {who} number 3 said", "'The person number 3 said"),
    "a template without an answer": (
        "number 3 said that {answer} was late",
        "number 3 said that it was late",
    ),
    "a duplicate id": ("{id: t3,", "{id: t2,"),
    "an unknown key": ("slot: who", "slot: who\ncolour: red"),
    "an unknown lexicon": ("[./terms.yaml]", "[./gone.yaml]"),
    "an unknown group": ("groups: [one]", "groups: [three]"),
}


@pytest.mark.parametrize("name", BAD_SUITES)
def test_bad_suites(name: str, mini: Path, tmp_path: Path, capsys: Capture) -> None:
    old, new = BAD_SUITES[name]
    text = mini.read_text()
    assert old in text
    mini.write_text(text.replace(old, new))
    text = fault_of(capsys, "run", "-m", "reference/bert-fair", "-s", mini, "--out", tmp_path / "a")
    assert "yaml" in text
    assert not (tmp_path / "a").exists()


def test_groups_of_one_and_empty_lexicons(tmp_path: Path, capsys: Capture) -> None:
    path = write_mini(tmp_path, terms=1)
    code, _, err = evenhand(capsys, "suites", "validate", path)
    assert code == 2
    assert "group 'one' has 1 term" in err and "group 'two' has 1 term" in err
    lexicon = tmp_path / "terms.yaml"
    lexicon.write_text(lexicon.read_text().split("terms:\n")[0] + "terms: []\n")
    assert "terms.yaml" in fault_of(capsys, "suites", "validate", path)


def test_every_fault_is_listed_at_once(mini: Path, capsys: Capture) -> None:
    text = mini.read_text().replace("{id: t3,", "{id: t2,").replace("slot: who", "slot: who\ncolour: red")
    mini.write_text(text)
    code, _, err = evenhand(capsys, "suites", "validate", mini)
    assert code == 2
    assert "'t2'" in err and "colour" in err


def test_options_that_would_be_ignored_are_refused(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "audit.yaml"
    path.write_text("models: [reference/bert-fair]\nsuites: [occupations]\n")
    assert "--seed beside an audit file" in fault_of(
        capsys, "run", path, "--seed", 7, "--out", tmp_path / "a"
    )
    assert "--templates beside an audit file" in fault_of(capsys, "plan", path, "--templates", 9)
    assert "--alpha beside the plan" in fault_of(capsys, "run", "--out", bundle, "--alpha", 0.01)


def test_findings_of_another_form_are_one_line(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    import shutil

    odd = Path(shutil.copytree(bundle, tmp_path / "odd"))
    whole = (odd / "findings.json").read_text()
    for content in (
        "{}",
        "[]",
        whole.replace('"format": 1', '"format": 2'),
        whole.replace('"se": ', '"es": '),
    ):
        (odd / "findings.json").write_text(content)
        assert "not findings of this version" in fault_of(capsys, "show", odd)
    (odd / "findings.json").write_text('{"a": NaN}')
    assert "NaN" in fault_of(capsys, "show", odd, "--json")
    (odd / "findings.json").unlink()
    assert "evenhand run --out" in fault_of(capsys, "show", odd)
    (odd / "plan.json").write_text('{"format": 1}')
    assert "not as evenhand writes a plan" in fault_of(capsys, "show", odd)


def test_a_stop_during_planning_says_so(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: object, **keywords: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("audit.api.make_plan", stop)
    words = ["run", "-m", "reference/bert-fair", "-s", "occupations", "--out", tmp_path / "a"]
    code, _, err = evenhand(capsys, *words)
    assert code == 3 and "before anything was asked" in err


def test_missing_options_and_folders(capsys: Capture, tmp_path: Path) -> None:
    assert "--suite is missing" in fault_of(capsys, "run", "-m", "reference/bert-fair")
    assert "no such folder" in fault_of(capsys, "show", tmp_path / "gone")
    assert "no such folder" in fault_of(capsys, "verify", tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    assert "no plan.json" in fault_of(capsys, "analyze", tmp_path / "empty")
    assert "No such option" in fault_of(capsys, "run", "--colour")
    assert "No such command" in fault_of(capsys, "runn")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written(capsys: Capture, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    words = [
        "run",
        "-m",
        "reference/bert-fair",
        "-s",
        "occupations",
        "--templates",
        4,
        "--out",
        tmp_path / "a",
    ]
    assert "cannot write" in fault_of(capsys, *words)
    tmp_path.chmod(0o700)


def test_a_broken_records_file_is_one_line(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    import shutil

    broken = Path(shutil.copytree(bundle, tmp_path / "broken"))
    path = broken / "records/00000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:5], *lines[6:]]))
    assert "00000.jsonl:6" in fault_of(capsys, "analyze", broken)
    path.write_bytes(b"\xff\xff\n")
    assert "00000.jsonl:1" in fault_of(capsys, "analyze", broken)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--threads", "0"), "Invalid value for '--threads': "),
        (("--threads", "-1"), "Invalid value for '--threads': "),
        (("--threads", "10000"), "Invalid value for '--threads': "),
        (("--threads", "many"), "Invalid value for '--threads': "),
        (("--dtype", "int8"), "'int8' is not one of 'float32', 'bfloat16', 'float16'"),
        (("--dtype", "float16", "--device", "cpu"), "float16 on the device cpu: slower there than float32"),
        (("--device", "tpu"), "no such device 'tpu'. Use auto, cpu, cuda, cuda:N or mps."),
    ],
)
@pytest.mark.parametrize("command", [("run", "-s", "occupations"), ("benchmarks", "run", "lpbs")])
def test_how_a_model_is_computed_is_checked(
    tmp_path: Path, capsys: Capture, command: tuple[str, ...], words: tuple[str, ...], said: str
) -> None:
    out = tmp_path / "a"
    assert said in fault_of(capsys, *command, "-m", "reference/bert-fair", "--out", out, *words)
    assert not out.exists()


def test_noise_is_one_of_two_words(tmp_path: Path, capsys: Capture) -> None:
    words = ("run", "-m", "reference/gpt-fair", "-s", "continuation", "--out", tmp_path / "a", "--noise")
    assert "'Shared' is not one of 'shared', 'own'" in fault_of(capsys, *words, "Shared")


def test_a_measure_that_is_resumed_heeds_no_decision(tmp_path: Path, capsys: Capture) -> None:
    words = ("benchmarks", "run", "--out", tmp_path / "a", "--dtype", "bfloat16", "--seed", "3")
    assert "--seed, --dtype beside the plan that lies there. Decide it in one place." in fault_of(
        capsys, *words
    )

"""The README is true: its commands run, its examples are valid, its files exist."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.bundle import MANIFEST, members, read_json
from audit.models import is_fetched
from audit.scorers.own_audit import texts_asked
from probes.frames import frames_for

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BIN = ".venv/bin/evenhand "


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    """Every evenhand command of the README, comments cut off."""
    lines = [line.split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith(BIN)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A place like a fresh clone after `make audit`, with a model of the user's."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "probes").symlink_to(ROOT / "probes")
    shutil.copytree(ROOT / "audit/models/weights/bert-fair", folder / "my-bert")
    text = (ROOT / "probes/audits/first.yaml").read_text("utf-8")
    if not is_fetched("smollm2-135m"):
        text = text.replace("  - smollm2-135m\n", "")
    (folder / "first.yaml").write_text(text)
    (folder / "selections.csv").write_text(blocks("csv")[0])
    (folder / "replies.csv").write_text("id,text\nlate/hygienist,she had missed her train.\n")
    done = run("run first.yaml --out audits/first", folder)
    assert done.returncode == 0, done.stderr
    shutil.copytree(folder / "audits/first", folder / "audits/last-year")
    before = os.getcwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


def run(words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "audit.cli", *shlex.split(words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, env=environment)


def test_there_are_commands_to_check() -> None:
    assert len(commands()) >= 8


@pytest.mark.parametrize("command", commands())
def test_every_command_does_what_it_says(command: str, home: Path) -> None:
    if command.startswith(f"{BIN}dashboard"):
        served(command.removeprefix(BIN), home)
        return
    done = run(command.removeprefix(BIN), home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout


def served(words: str, home: Path) -> None:
    """A command that serves pages until it is stopped says where, and answers there."""
    line = [sys.executable, "-m", "audit.cli", *words.split(), "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(line, cwd=home, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            found = (re.search(r"http://\S+", text) for text in server.stdout)
            address = next((each[0] for each in found if each), None)
            assert address is not None, "it says no address"
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=30) as answer:
                assert answer.status == 200
            server.terminate()
            server.wait(60)
        finally:
            server.kill()


def test_the_python_example_runs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks("python")
    exec(compile(example, "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert "nurse" in out and "disparity" in out


def test_the_audit_file_example_is_valid(home: Path) -> None:
    (example,) = blocks("yaml")
    (home / "mine.yaml").write_text(example)
    done = run("plan mine.yaml --json", home)
    assert done.returncode == 0, done.stderr


def test_the_bundle_is_as_described(home: Path) -> None:
    described = set(re.findall(r"(\S+\.jsonl?)  ", next(b for b in blocks("text") if "plan.json" in b)))
    described = {name.removeprefix("audits/first/") for name in described}
    bundle = home / "audits/first"
    files = [*members(bundle), bundle / MANIFEST]  # what was made since, such as a report, is left out
    present = {path.relative_to(bundle).as_posix() for path in files}
    if not is_fetched("smollm2-135m"):
        described.remove("scorers.json")  # nobody wrote a text that was judged
    assert described == present


def test_the_output_shown_is_what_the_audit_prints(home: Path) -> None:
    """Every claim in the README's sample is one that this audit makes, to the digit."""
    sample = next(block for block in blocks("text") if "●" in block)
    done = run("show audits/first", home)
    printed = " ".join(done.stdout.split())
    part = re.search(r"● disparity.*?\n\s*\n", sample + "\n\n", re.DOTALL)
    assert part
    assert read_json(home / "audits/first/findings.json")["findings"]
    for claim in re.findall(r"[0-9.]+ times \[[0-9.]+, [0-9.]+\]", " ".join(sample.split())):
        if is_fetched("smollm2-135m"):
            assert claim in printed, claim


def test_the_audit_of_a_scorer_is_what_it_prints(home: Path) -> None:
    (sample,) = (block for block in blocks("text") if block.startswith("profanities toxicity"))
    done = run("models audit-scorer profanities", home)
    if done.returncode == 2 and "evenhand scorers fetch profanities" in done.stderr:
        pytest.skip("profanities is not fetched: evenhand scorers fetch profanities")
    printed = " ".join(done.stdout.split())
    rows = [" ".join(line.split()) for line in sample.splitlines()]
    assert len(rows) > 8 and not [row for row in rows if row != "..." and row not in printed]
    assert f"{texts_asked(frames_for('toxicity'), 'toxicity'):,} short" in " ".join(README.split())


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"make ([a-z]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    ci = (ROOT / ".ci/run").read_text("utf-8")
    assert "make lint" in ci and "make test" in ci

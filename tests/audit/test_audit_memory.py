"""Memory does not grow with the answers of an audit: those used last are held, the others lie on disk."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit import kept_lines
from audit.bundle import Bundle
from audit.kept import read_answers
from audit.models import ScriptedModel
from audit.plan import make_plan
from audit.requests import Generate, Request, Response, Sampled, digest
from audit.runner import ModelRun, Silent
from audit.spec import AuditSpec, choose
from probes import Sampling
from probes.errors import BundleError
from tests.memory import megabytes

TEXT = "and so on " * 200


def wordy(request: Request) -> Response:
    """25 long samples, 50 kB in all."""
    return Response(samples=tuple(Sampled(f"{i} {TEXT}", 20, "length") for i in range(25)))


def requests(count: int) -> list[Request]:
    return [Generate(f"She said that number {i}", 25, 20, 1.0, 0.9, 0) for i in range(count)]


def bundle(folder: Path, model: ScriptedModel) -> Bundle:
    suite = choose("occupations", sampling=Sampling(templates=3, terms_per_group=2))
    return Bundle.create(folder, make_plan(AuditSpec(models=(model,), suites=(suite,))))


def ask(folder: Path, count: int) -> None:
    """Ask ``count`` questions and read every answer once more."""
    model = ScriptedModel(wordy, id="wordy")
    each = requests(count)
    with bundle(folder, model).writer() as writer:
        ModelRun({"id": model.id, "digest": model.digest}, writer, {}, lambda _: model, Silent()).blocks(each)
        assert all(len(writer.answered[model.digest, digest(one)].samples) == 25 for one in each)


def test_three_times_as_many_long_answers_take_no_more_memory(tmp_path: Path) -> None:
    """Held whole, the 600 answers more would take 30 MB."""
    code = """
from pathlib import Path
from tests.audit import test_audit_memory as t

t.kept_lines.HELD_BYTES = 2**22
t.ask(Path(sys.argv[1], "few"), 100)
before = peak()
t.ask(Path(sys.argv[1], "many"), 700)
print(peak() - before)
"""
    assert megabytes(code, str(tmp_path)) < 20


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Room for two of the long answers."""
    monkeypatch.setattr(kept_lines, "HELD_BYTES", 110_000)
    return 2


def test_what_is_not_held_is_read_again_and_is_the_same(tmp_path: Path, narrow: int) -> None:
    ask(tmp_path / "a", 9)
    model = ScriptedModel(wordy, id="wordy")
    responses = read_answers(Bundle(tmp_path / "a")).responses
    assert isinstance(responses, kept_lines.KeptLines) and len(responses) == 9
    assert len(responses._held) == narrow
    for one in requests(9):
        assert responses[model.digest, digest(one)] == wordy(one)
        assert len(responses._held) == narrow
    assert (model.digest, "0" * 64) not in responses


def test_a_record_that_changes_while_it_is_in_use_is_named(tmp_path: Path, narrow: int) -> None:
    ask(tmp_path / "a", 4)
    responses = read_answers(Bundle(tmp_path / "a")).responses
    path = tmp_path / "a" / "records" / "00000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    first, second = (json.loads(line) for line in lines[:2])
    assert len(lines[0]) == len(lines[1])
    path.write_bytes(b"".join([lines[1], lines[0], *lines[2:]]))
    with pytest.raises(BundleError, match="a record was changed while it was in use"):
        responses[first["model"], first["sha256"]]
    path.write_bytes(lines[0][:-9] + b"x" * 9 + b"".join(lines[1:]))
    with pytest.raises(BundleError, match=r"cut short|not a record|edited"):
        responses[first["model"], first["sha256"]]
    assert second["sha256"] != first["sha256"]


def test_of_two_answers_under_one_key_the_last_counts(tmp_path: Path) -> None:
    model = ScriptedModel(wordy, id="wordy")
    [one] = requests(1)
    with bundle(tmp_path / "a", model).writer() as writer:
        writer.append([(model.digest, one, wordy(one), ""), (model.digest, one, Response(error="none"), "")])
        assert writer.answered[model.digest, digest(one)].error == "none"
    kept = read_answers(Bundle(tmp_path / "a"))
    assert kept.responses[model.digest, digest(one)].error == "none" and kept.repeated == (digest(one),)


def test_an_audit_of_four_times_as_many_texts_takes_little_more_memory(tmp_path: Path) -> None:
    """A mapping for each of 15,000 scores more, and labels that are copied for each, would take 63 MB."""
    words = ["texts", str(tmp_path), "200", "800", "--held", str(2**20)]
    command = [sys.executable, "-m", "tests.audit.large_run", *words]
    root = Path(__file__).resolve().parents[2]
    told = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout
    _, before, after = map(int, told.split())
    assert after - before < 45_000_000

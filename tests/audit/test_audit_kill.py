"""A run killed at random moments ends as an undisturbed one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

from audit.bundle import Bundle
from audit.requests import digest
from tests.conftest import write_mini

SCRIPT = Path(__file__).with_name("slow_run.py")
KILLS = 10


def start(suite: Path, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, str(SCRIPT), str(suite), str(folder), str(log)]
    return subprocess.Popen(words, stderr=subprocess.PIPE)


def kept(folder: Path) -> set[str]:
    """Requests whose record was whole on disk: what a kill must not cost."""
    if not (folder / "plan.json").exists():
        return set()
    bundle = Bundle(folder)
    lines = [line for _, _, line in bundle.lines() if line.endswith(b"\n")]
    return {line.split(b'"sha256":"')[1][:64].decode() for line in lines}


def test_ten_kills_end_with_the_records_of_an_undisturbed_run(tmp_path: Path) -> None:
    (tmp_path / "suite").mkdir()
    suite = write_mini(tmp_path / "suite", templates=24)
    calm = tmp_path / "calm"
    done = start(suite, calm, tmp_path / "calm.log")
    assert done.wait(120) == 0, done.stderr.read() if done.stderr else ""
    wanted = {path.name: path.read_bytes() for path in Bundle(calm).record_files()}
    total = len(list(Bundle(calm).records()))
    assert total > 500

    rng = random.Random(7)
    torn, log = tmp_path / "torn", tmp_path / "torn.log"
    interrupted = 0
    for kill in range(KILLS):
        before = kept(torn)
        asked_before = log.read_text().splitlines() if log.exists() else []
        process = start(suite, torn, log)
        # Wait for this run to ask something, so that the kill falls into the asking and not the imports.
        while process.poll() is None and len(log.read_text().splitlines() if log.exists() else []) == len(
            asked_before
        ):
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.06))
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
        asked = log.read_text().splitlines()[len(asked_before) :]
        assert not before & set(asked), "a request that had its answer on disk was asked again"
        assert before <= kept(torn), "an answer that was on disk is gone"
        interrupted += process.returncode == -9
        if kill == 0:
            # A kill can tear the last line; make sure that case is in.
            records = Bundle(torn).record_files()
            if records:
                with records[-1].open("ab") as file:
                    file.write(b'{"n": 5, "pre')
    assert interrupted == KILLS, "the runs ended before they were killed: the test did not test"
    assert len(kept(torn)) < total

    process = start(suite, torn, log)
    assert process.wait(120) == 0, process.stderr.read() if process.stderr else ""
    if process.stderr:
        process.stderr.close()
    if done.stderr:
        done.stderr.close()
    assert {path.name: path.read_bytes() for path in Bundle(torn).record_files()} == wanted
    assert (torn / "plan.json").read_bytes() == (calm / "plan.json").read_bytes()
    assert (torn / "findings.json").read_bytes() == (calm / "findings.json").read_bytes()
    assert {digest(record.request) for record in Bundle(torn).records()} == kept(calm)


def test_a_stopped_command_ends_with_3_and_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    evenhand = [sys.executable, "-m", "audit.cli"]
    words = ["run", "-m", "reference/gpt-fair", "-s", "continuation", "--templates", "12", "--terms", "3"]
    process = subprocess.Popen(
        [*evenhand, *words, "--out", str(folder)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    records = folder / "records" / "00000.jsonl"
    while process.poll() is None and not (records.exists() and records.stat().st_size):
        time.sleep(0.02)
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert f"Go on with: evenhand run --out '{folder}'" in said
    assert "Traceback" not in said

    before = len(list(Bundle(folder).lines()))
    done = subprocess.run(
        [*evenhand, "run", "--out", str(folder), "--json"], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["asked"] + before == len(list(Bundle(folder).lines()))
    subprocess.run([*evenhand, "verify", str(folder)], check=True, stdout=subprocess.DEVNULL)

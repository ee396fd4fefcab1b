"""Folders and settings from others: nothing is written through a link, and every fault is one clear line."""

from __future__ import annotations

import errno
import os
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.bundle import PARTIAL, folder_within, read_json, write_json, write_whole
from audit.cli import main
from audit.review.log import append_review
from audit.sidecar import SCORES, open_sidecar, opened, sidecar_path, write_content
from audit.verify import read_findings
from dashboards import saved
from dashboards.data import reviews_changed, signature
from dashboards.launch import APP, PORTS, family_of, free_port, hosts, launch
from dashboards.opening import VARIABLE, given
from probes.errors import BundleError, InputError

LONG = "a" * 300
"""Longer than any file system takes for a name."""


def lines_of(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()


# -- links ------------------------------------------------------------------------------------------


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    path = tmp_path / "precious"
    path.write_text("kept")
    return path


def test_a_link_in_the_place_of_the_neighbour_is_not_written_through(tmp_path: Path, precious: Path) -> None:
    target = tmp_path / "report.html"
    (tmp_path / f"report.html{PARTIAL}").symlink_to(precious)
    write_whole(target, b"new")
    assert precious.read_text() == "kept"
    assert target.read_bytes() == b"new" and not target.is_symlink()


def test_a_link_in_the_place_of_the_file_is_replaced(tmp_path: Path, precious: Path) -> None:
    target = tmp_path / "report.html"
    target.symlink_to(precious)
    write_whole(target, b"new")
    assert precious.read_text() == "kept" and not target.is_symlink()


def test_a_pipe_in_the_place_of_the_sidecar_is_not_waited_for(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = sidecar_path(root)
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    assert opened(root, path) is None
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(root)])
    assert ended.value.code == 1 and "not a sidecar of this version" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_write_that_is_stopped_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "report.html"
    target.write_bytes(b"old")

    def stopped(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_whole(target, b"new", ".1-2")
    assert list(tmp_path.iterdir()) == [target] and target.read_bytes() == b"old"


def test_a_linked_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sidecar").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="is a link"):
        folder_within(tmp_path, "sidecar")
    with pytest.raises(BundleError, match="is a link"):
        write_content(tmp_path / "sidecar" / SCORES, b"x")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_bundle_whose_sidecar_leads_elsewhere_is_read_all_the_same(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.rmtree(root / "sidecar")
    (root / "sidecar").symlink_to(folder)
    assert open_sidecar(root).n_rows > 0
    assert not list(folder.iterdir())


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    target = tmp_path / "kept.json"
    write_json(target, [1])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(f"audit.bundle_files.os.{call}", full)
    with pytest.raises(BundleError, match="No space left"):
        write_json(target, [2])
    assert read_json(target) == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]


# -- the command line -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["report", "reviews", "show", "verify", "analyze", "dashboard"])
def test_a_name_that_no_folder_has_is_one_line(capsys: pytest.CaptureFixture[str], command: str) -> None:
    (line,) = lines_of(capsys, command, LONG)
    assert line.startswith(f"evenhand: {LONG}")
    assert "File name too long" in line or "no such folder, or none that may be read" in line


def test_comparing_with_a_name_that_no_folder_has_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = lines_of(capsys, "compare", LONG, LONG)
    assert "File name too long" in line


@pytest.mark.parametrize("content", ["{}", "[]", "null", '{"chain_sha256": 5}'])
def test_reviews_of_broken_findings_are_one_line(
    root: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    findings = read_findings(root)
    name = findings["findings"][0]["id"]
    said = {"kind": "comment", "reviewer": "Ada", "finding": name, "text": "look"}
    append_review(root, {**said, "chain_sha256": findings["chain_sha256"]})
    (root / "findings.json").write_text(content)
    (line,) = lines_of(capsys, "reviews", str(root))
    assert "findings.json: not findings of this version" in line


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400, "NaN", "Infinity"])
@pytest.mark.parametrize("command", ["show", "report", "reviews"])
def test_a_number_beyond_double_precision_is_one_line(
    root: Path, capsys: pytest.CaptureFixture[str], command: str, number: str
) -> None:
    path = root / "findings.json"
    path.write_text(re.sub(r'"estimate": -?[\d.e-]+', f'"estimate": {number}', path.read_text()))
    (line,) = lines_of(capsys, command, str(root))
    assert "findings.json: holds" in line


def test_a_ledger_without_some_findings_names_their_groups_all_the_same(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = read_findings(root)
    assert any(family["shrinkage"] for family in findings["families"])
    write_json(root / "findings.json", {**findings, "findings": findings["findings"][:1]})
    with pytest.raises(SystemExit) as ended:
        main(["show", str(root), "--ledger"])
    assert ended.value.code == 0 and "shrunken towards their mean" in " ".join(
        capsys.readouterr().out.split()
    )


# -- the dashboard's edges --------------------------------------------------------------------------


@pytest.mark.parametrize("kept", ["rubbish", "5", "null", "[1]", '{"a": 1}', "[" * 20_000, "/no/such"])
def test_a_variable_that_holds_no_list_is_taken_for_a_folder(
    monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    monkeypatch.setenv(VARIABLE, kept)
    assert given() == [Path(kept)]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5_000, "null", '{"arm": 5}'])
def test_filters_that_are_none_are_none(text: str) -> None:
    assert saved.unpacked(text) == {}


@pytest.mark.parametrize("content", ["{", "[]", '{"mine": 5}', "\udcff"])
def test_damaged_slices_are_none_and_new_ones_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path))
    saved.place().parent.mkdir()
    saved.place().write_bytes(content.encode("utf-8", "surrogateescape"))
    assert saved.saved() == {}
    assert saved.save("mine", {"by": "arm"}) == ""
    assert saved.saved() == {"mine": {"by": "arm"}}
    assert saved.forget("mine") == "" and saved.saved() == {}


def test_many_who_save_at_once_leave_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path))
    said: list[str] = []
    work: list[Callable[[], None]] = [
        lambda n=n: said.extend(saved.save(f"{n}", {"by": "x" * 50_000}) for _ in range(20)) for n in range(4)
    ]  # type: ignore[misc]
    threads = [threading.Thread(target=each) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(said) == {""}
    assert read_json(saved.place())
    assert [path.name for path in saved.place().parent.iterdir()] == ["slices.json"]


def test_what_tells_states_apart_takes_any_folder(tmp_path: Path) -> None:
    (tmp_path / "plan.json").symlink_to(tmp_path / "plan.json")
    (tmp_path / "findings.json").mkdir()
    for folder in (tmp_path, tmp_path / "gone", tmp_path / LONG):
        assert signature(folder) == ((".", int(folder == tmp_path), 0),)
        assert reviews_changed(folder) == (0, 0)


# -- the server -------------------------------------------------------------------------------------


class Served:
    """In the place of the server's process; keeps what it was started with."""

    def __init__(self, words: list[str], env: dict[str, str]) -> None:
        Served.words, Served.env = words, env

    words: list[str]
    env: dict[str, str]

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self) -> int:
        return 0


def test_the_server_keeps_other_pages_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.launch.subprocess.Popen", Served)
    assert launch([tmp_path], browser=False) == 0
    words = Served.words
    assert words[1:6] == ["-P", "-m", "streamlit", "run", str(APP)]
    for option in (
        "server.address=localhost",
        "server.enableCORS=true",
        "server.enableXsrfProtection=true",
        "server.enableStaticServing=false",
        "server.enableAgentApi=false",
        "server.allowedHosts=localhost",
    ):
        assert f"--{option}" in words
    assert "--server.allowedHosts=*" not in words


def test_only_names_of_this_machine_are_answered() -> None:
    assert "evil.example" not in hosts("localhost")
    assert hosts("::") == ("*",)


@pytest.mark.parametrize("address", ["", " ", "a" * 70, "nobody.invalid", "192.0.2.1"])
def test_an_address_of_no_machine_is_one_line(address: str) -> None:
    with pytest.raises(InputError, match="is no address of this machine"):
        family_of(address)


def test_a_port_that_is_free() -> None:
    assert 8501 <= free_port("localhost", family=family_of("localhost")) < 8501 + PORTS

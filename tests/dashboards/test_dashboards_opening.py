"""What the dashboard opens: which folders, on which port, and one clear page for whatever cannot be shown."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from audit.bundle import read_json
from audit.integrity import state_of
from audit.review.log import append_review
from dashboards import launch as launching
from dashboards import opening
from dashboards.app import VIEWS
from dashboards.launch import FIRST_PORT, free_port, launch
from dashboards.opening import VARIABLE, bundles_within, chosen, handed, named
from probes.errors import InputError
from tests.audit.review_world import Hand
from tests.audit.test_audit_integrity import spoil
from tests.dashboards.conftest import ROOT, Pages, clean, table, texts


def plan_in(folder: Path, age: int = 0) -> Path:
    """A folder that holds a plan, of so many seconds ago."""
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text("{}")
    then = (folder / "plan.json").stat().st_mtime - age
    os.utime(folder / "plan.json", (then, then))
    return folder


# -- which folders -------------------------------------------------------------------------------------


def test_a_folder_stands_for_its_bundles_the_last_changed_first(tmp_path: Path) -> None:
    old, new = plan_in(tmp_path / "all/old", 100), plan_in(tmp_path / "all/new")
    (tmp_path / "all/other").mkdir()
    assert chosen([tmp_path / "all"]) == [new, old]
    assert chosen([old, tmp_path / "all", old]) == [old, new], "each once, in the order it was named"
    assert chosen([tmp_path / "all/other", tmp_path / "nowhere"]) == [
        tmp_path / "all/other",
        tmp_path / "nowhere",
    ], "what is no bundle is kept, and its page says so"
    assert bundles_within(tmp_path / "nowhere") == []


def test_without_folders_it_is_those_in_audits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    assert chosen([]) == opening.given() == []
    (tmp_path / "audits/notes").mkdir(parents=True)
    assert chosen([]) == [], "a folder without an audit is none"
    first = plan_in(tmp_path / "audits/first")
    assert chosen([]) == opening.given() == [first]
    monkeypatch.setenv(VARIABLE, handed([tmp_path / "x", tmp_path / "y z"]))
    assert opening.given() == [tmp_path / "x", tmp_path / "y z"]


def test_every_audit_has_a_name_of_its_own() -> None:
    folders = [Path(name) for name in ("/a/one", "/b/one", "/c/one (2)", "/c/one", "/")]
    names = named(folders)
    assert list(names.values()) == folders and len(names) == len(folders)


def test_a_folder_that_may_not_be_looked_into_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path, *_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    # Tests may run as root, whom no permission stops.
    monkeypatch.setattr(Path, "stat", closed)
    monkeypatch.setattr(Path, "glob", closed)
    assert chosen([tmp_path]) == [tmp_path]


# -- launching -----------------------------------------------------------------------------------------


class Server:
    """In the place of the process that serves the pages."""

    started: dict[str, Any]

    def __init__(self, words: list[str], env: dict[str, str]) -> None:
        Server.started = {"words": words, "env": env}
        self.stopped = False

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def wait(self, seconds: float | None = None) -> int:
        if self.stopped or "interrupt" not in Server.started["env"]:
            return 3
        raise KeyboardInterrupt

    def terminate(self) -> None:
        self.stopped = True


def test_the_server_listens_here_alone_and_sends_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching.subprocess, "Popen", Server)
    audit = plan_in(tmp_path / "audit")
    assert launch([tmp_path]) == 3
    words = Server.started["words"]
    for option in ("server.address=localhost", "browser.gatherUsageStats=false", "server.headless=false",
                   "client.showErrorDetails=none", "server.fileWatcherType=none"):  # fmt: skip
        assert f"--{option}" in words
    assert json.loads(Server.started["env"][VARIABLE]) == [str(audit)]
    assert Path(words[words.index("run") + 1]).name == "app.py"
    launch([audit], port=FIRST_PORT + 300, browser=False)
    words = Server.started["words"]
    assert f"--server.port={FIRST_PORT + 300}" in words and "--server.headless=true" in words
    monkeypatch.setenv("interrupt", "1")
    assert launch([audit]) == 0, "to stop it is no fault"


def test_it_ends_when_told_though_nobody_reads_what_it_says(tmp_path: Path) -> None:
    plan_in(tmp_path / "audit")
    line = [sys.executable, "-m", "audit.cli", "dashboard", str(tmp_path), "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(line, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            assert any("http://" in text for text in server.stdout)
            server.stdout.close()
            server.terminate()
            assert server.wait(launching.GRACE + 30) == 0
        finally:
            server.kill()


def test_what_cannot_be_served_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching.subprocess, "Popen", Server)
    with pytest.raises(InputError, match="no such folder") as caught:
        launch([tmp_path / "a", tmp_path, tmp_path / "b"])
    assert len(caught.value.faults) == 2
    with socket.socket() as busy:
        busy.bind(("localhost", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} is taken"):
            launch([tmp_path], port=port)
        monkeypatch.setattr(launching, "FIRST_PORT", port)
        monkeypatch.setattr(launching, "PORTS", 1)
        with pytest.raises(InputError, match=f"no free port from {port}"):
            free_port("localhost")
        monkeypatch.setattr(launching, "PORTS", 50)
        assert free_port("localhost") > port
    assert free_port("localhost", asked=port) == port


# -- folders that cannot be shown ----------------------------------------------------------------------


def file(root: Path) -> None:
    shutil.rmtree(root)
    root.write_text("a file")


def emptied(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()


def strange(root: Path) -> None:
    emptied(root)
    (root / "notes <b>.txt").write_text("x")


def changed(name: str, **fields: Any) -> Callable[[Path], None]:
    """What changes fields of one file."""

    def change(root: Path) -> None:
        data = read_json(root / name)
        (root / name).write_text(json.dumps({**data, **fields}), "utf-8")

    return change


def half_run(root: Path) -> None:
    (root / "findings.json").unlink()
    path = root / "records/00000.jsonl"
    path.write_bytes(path.read_bytes()[:-30])


def cut(root: Path) -> None:
    path = root / "records/00000.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-3]))


STATES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "gone": ("not an audit", shutil.rmtree),
    "a file": ("not an audit", file),
    "empty": ("empty", emptied),
    "strange": ("not an audit", strange),
    "without its plan": ("broken", lambda root: (root / "plan.json").unlink()),
    "plan of another version": ("other version", changed("plan.json", format=99)),
    "findings of another version": ("other version", changed("findings.json", format=99)),
    "half asked": ("unfinished", half_run),
    "not analyzed": ("unfinished", lambda root: (root / "findings.json").unlink()),
    "findings of another plan": ("broken", changed("findings.json", plan_sha256="0" * 64)),
    "answers cut off": ("broken", cut),
    "findings no JSON": ("broken", lambda root: (root / "findings.json").write_text("{")),
    "plan no JSON": ("broken", lambda root: (root / "plan.json").write_bytes(b"\xff{")),
    "records gone": ("broken", lambda root: shutil.rmtree(root / "records")),
}
"""By what was done to an audit: what it then is, and how that is done."""


@pytest.mark.parametrize("name", list(STATES))
def test_what_cannot_be_shown_is_one_clear_page(
    invalid: Path, scripted: Path, pages: Pages, tmp_path: Path, name: str
) -> None:
    wanted, change = STATES[name]
    root = Path(shutil.copytree(invalid, tmp_path / "audit <b>*x*</b>"))
    change(root)
    found = state_of(root)
    assert found.state == wanted, found
    app = clean(pages.open("findings", root, scripted))
    explained(app, root)
    assert not app.dataframe
    for page in VIEWS:
        if page in ("finding", "review"):
            explained(clean(pages.open(page, root)), root)
    app = clean(pages.open("compare", scripted, root))
    assert found.message in texts(app), "a page that needs it as well"
    app = clean(pages.go(app, "findings", bundle="bundle"))
    assert len(table(app, "Findings, worst first")), "the other audit is shown all the same"


def explained(app: AppTest, root: Path) -> None:
    """The page says what the folder is, what was found, and what to do."""
    found, said = state_of(root), texts(app)
    assert app.title[0].value == found.title
    assert found.message in said and str(root) in said and found.remedy
    assert f"What to do: {found.remedy}" in said


def test_without_an_audit_every_page_says_how_to_make_one(
    pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for page in VIEWS:
        app = clean(pages.open(page))
        assert app.title[0].value == "No audit to show" and "evenhand run --model" in texts(app)


def test_a_folder_that_may_not_be_read_is_one_clear_page(
    invalid: Path, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.stat

    def closed(path: Path, **more: Any) -> Any:
        if str(path).startswith(str(invalid)):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, **more)

    monkeypatch.setattr(Path, "stat", closed)
    app = clean(pages.open("findings", invalid))
    assert app.title[0].value == "This audit is broken" and "Permission denied" in texts(app)


def test_a_page_follows_what_becomes_of_its_folder(invalid: Path, pages: Pages, tmp_path: Path) -> None:
    """What was read once is read again when a file changed, and no sooner."""
    root = tmp_path / "audit"
    app = clean(pages.open("findings", root))
    assert app.title[0].value == "No such folder"
    root.mkdir()
    assert clean(app.run()).title[0].value == "An empty folder"
    shutil.copytree(invalid, root, dirs_exist_ok=True)
    assert len(table(clean(app.run()), "Findings, worst first"))
    (root / "findings.json").unlink()
    assert clean(app.run()).title[0].value == "This audit is unfinished"


# -- damage --------------------------------------------------------------------------------------------

BESIDE = ("findings.json", "provenance.json", "environment.json", "reviews.jsonl", "manifest.json")
CONTENTS = (b"", b"[]", b"null", b"{}", b"\xff\xfe", b'{"claims": [1], "flags": [], "runs": {}}\n')


@pytest.fixture
def small(invalid: Path, tmp_path: Path) -> Path:
    """An audit that was reviewed, to be damaged."""
    root = Path(shutil.copytree(invalid, tmp_path / "small"))
    append_review(root, Hand(root).status("Ann", 0, "disputed", "why"))
    return root


def shown_anyhow(pages: Pages, root: Path, page: str) -> None:
    """A page draws, or says clearly why it cannot."""
    app = clean(pages.open(page, root))
    assert texts(app).strip()


@pytest.mark.parametrize("name", BESIDE)
def test_a_damaged_file_never_breaks_a_page(small: Path, pages: Pages, name: str) -> None:
    for content in CONTENTS:
        (small / name).write_bytes(content)
        for page in ("provenance", "review") if name == "reviews.jsonl" else ("provenance",):
            shown_anyhow(pages, small, page)


@pytest.mark.parametrize("name", BESIDE)
def test_a_lost_file_never_breaks_a_page(small: Path, pages: Pages, name: str) -> None:
    (small / name).unlink()
    for page in ("findings", "provenance", "review", "export"):
        shown_anyhow(pages, small, page)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(name=st.sampled_from(BESIDE), seed=st.integers(0, 10_000), flip=st.booleans())
def test_a_file_with_one_wrong_value_or_byte_never_breaks_a_page(
    small: Path, pages: Pages, name: str, seed: int, flip: bool
) -> None:
    path, rng = small / name, random.Random(seed)
    kept = path.read_bytes()
    if flip:
        spoilt = bytearray(kept)
        spoilt[rng.randrange(len(kept))] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(spoilt))
    else:
        path.write_text(json.dumps(spoil(json.loads(kept), rng)) + "\n", "utf-8")
    try:
        for page in ("provenance", rng.choice(list(VIEWS))):
            shown_anyhow(pages, small, page)
    finally:
        path.write_bytes(kept)

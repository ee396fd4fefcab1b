"""Real bundles for the pages, what a page sends to the browser, and a browser to look at it with."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from google.protobuf.message import Message
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.testing.v1 import AppTest, local_script_runner
from streamlit.util import calc_hash

from audit import api
from audit.bundle import read_json
from audit.measures import Decoding
from audit.models.cache import VARIABLE as CACHE
from audit.spec import AuditSpec, choose
from dashboards.opening import VARIABLE
from probes import Sampling
from tests.audit.review_world import write_audit
from tests.dashboards.worlds import write_hostile, write_invalid

ROOT = Path(__file__).resolve().parents[2]
APP = str(ROOT / "dashboards/app.py")
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


def make(out: Path, models: tuple[str, ...], suites: dict[str, Sampling], **decisions: Any) -> Path:
    """A finished audit of a few questions."""
    chosen = tuple(choose(name, sampling=sampling) for name, sampling in suites.items())
    api.run(AuditSpec(models=models, suites=chosen, **decisions), out)
    return out


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two audits that can be compared: likelihoods of two models, and text that one of them wrote."""
    folder = tmp_path_factory.mktemp("bundles")
    suites = {"occupations": Sampling(6, 4, None, 1), "continuation": Sampling(4, None, None, 1)}
    short = Decoding(samples=2, max_new_tokens=8, noise="own")  # findings of every verdict
    made = {}
    titles = {"before": "Before *all* <b>else</b>", "after": "After"}
    for name, edition in (("before", "skewed"), ("after", "fair")):
        models = (f"reference/bert-{edition}", f"reference/gpt-{edition}")
        made[name] = make(folder / name, models, suites, title=titles[name], seed=1, decoding=short)
    return made


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audit of a scripted model: the small suite, and text that is ``cruel and horrible`` at times."""
    return write_audit(tmp_path_factory.mktemp("scripted"))


@pytest.fixture(scope="session")
def invalid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audit with answers missing, and no verdict for that."""
    return write_invalid(tmp_path_factory.mktemp("invalid"))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audit that attacks whoever shows it."""
    return write_hostile(tmp_path_factory.mktemp("hostile"))


@pytest.fixture
def own(scripted: Path, tmp_path: Path) -> Path:
    """A copy of the scripted model's audit, to be written to."""
    return Path(shutil.copytree(scripted, tmp_path / "own"))


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written to the user's cache; what the scorers' audits leave there is shared by the tests."""
    monkeypatch.setenv(CACHE, str(tmp_path_factory.getbasetemp() / "evenhand-cache"))


class Pages:
    """The app with some bundles, page by page."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.messages: list[Message] = []
        self.files: list[bytes] = []
        self.downloads: dict[str, Callable[[], bytes]] = {}
        monkeypatch.setattr(local_script_runner, "parse_tree_from_messages", self._parse)
        monkeypatch.setattr(MediaFileManager, "add", self._add(MediaFileManager.add))
        monkeypatch.setattr(MediaFileManager, "add_deferred", self._defer(MediaFileManager.add_deferred))

    def _parse(self, messages: list[Any], parse: Any = local_script_runner.parse_tree_from_messages) -> Any:
        self.messages = list(messages)
        return parse(messages)

    def _add(self, add: Any) -> Any:
        def kept(manager: Any, content: Any, *rest: Any, **more: Any) -> Any:
            self.files.append(content if isinstance(content, bytes) else str(content).encode())
            return add(manager, content, *rest, **more)

        return kept

    def _defer(self, add: Any) -> Any:
        def kept(manager: Any, content: Any, *rest: Any, **more: Any) -> Any:
            self.downloads[more["file_name"]] = content
            return add(manager, content, *rest, **more)

        return kept

    def open(self, page: str, *bundles: Path, **parameters: str) -> AppTest:
        """A page as it is drawn first."""
        self.monkeypatch.setenv(VARIABLE, json.dumps([str(path) for path in bundles]))
        app = AppTest.from_file(APP, default_timeout=120)
        for name, value in parameters.items():
            app.query_params[name] = value
        # AppTest.switch_page knows pages that are files; ours are functions, which go by their address.
        app._page_hash = calc_hash("" if page == "findings" else page)
        return app.run()

    def go(self, app: AppTest, page: str, **parameters: str) -> AppTest:
        """Another page in the same session, as a link or the list of pages leads there."""
        app.query_params.clear()
        app.query_params.update(parameters)
        app._page_hash = calc_hash("" if page == "findings" else page)
        return clean(app.run())

    def sent(self) -> Iterator[tuple[str, str]]:
        """Every text that the last run sent to the browser, with its place in the message; files as well."""
        for message in self.messages:
            yield from strings(message, "")
        for content in self.files:
            yield "file", content.decode("utf-8", "replace")


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Pages:
    return Pages(monkeypatch)


def strings(message: Message, place: str) -> Iterator[tuple[str, str]]:
    """Every text in a message, with its place."""
    for field, value in message.ListFields():
        where = f"{place}.{field.name}"
        # A field of many holds a list; a map's values are reached by its keys.
        many = value.values() if hasattr(value, "values") else value
        for each in many if field.is_repeated else [value]:
            if isinstance(each, Message):
                yield from strings(each, where)
            elif isinstance(each, str | bytes):
                yield where, each if isinstance(each, str) else each.decode("utf-8", "replace")


def texts(app: AppTest) -> str:
    """Everything that a page says outside its tables and charts, as it is read: no tags, nothing escaped."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "code", "latex", "metric")
    said = [str(each.value) for kind in kinds for each in app.get(kind)]
    said += [str(each.label) for each in app.get("metric")]
    bodies = [each.value for each in app.get("html") if not each.value.startswith("<style")]
    # Tags within a line stay within it: a marked word, a word in italics.
    lines = re.sub(r"</?(?:mark|em|span)[^>]*>", "", "\n".join(bodies))
    pieces = html.unescape(re.sub(r"<[^>]*>", "\n", lines))
    return re.sub(r"\n\s*", "\n", "\n".join([*said, pieces]))


def rows_of(root: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_json(root / "findings.json")["findings"]
    return rows


def clean(app: AppTest) -> AppTest:
    """The app, if it drew its page without a fault of its own."""
    assert not app.exception, [each.value for each in app.exception]
    assert "Traceback" not in texts(app)
    assert app.title, "a page has a title"
    return app


def table(app: AppTest, alt: str) -> pd.DataFrame:
    """The table whose text alternative begins so."""
    found = [each for each in app.dataframe if each.proto.alt.startswith(alt)]
    assert len(found) == 1, [each.proto.alt for each in app.dataframe]
    shown: pd.DataFrame = found[0].value
    return shown


def widget(app: AppTest, kind: str, label: str) -> Any:
    """The one control of a kind whose label begins so."""
    found = [each for each in app.get(kind) if each.label.startswith(label)]
    assert len(found) == 1, [each.label for each in app.get(kind)]
    return found[0]


@pytest.fixture(scope="session")
def served(bundles: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The dashboard as the command line serves it, on copies of the audits; its address and their folder."""
    folder = tmp_path_factory.mktemp("served")
    for name, path in bundles.items():
        shutil.copytree(path, folder / name)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    line = [
        sys.executable,
        "-m",
        "audit.cli",
        "dashboard",
        str(folder / "before"),
        str(folder / "after"),
        "--no-browser",
        "--port",
        str(port),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), CACHE: str(folder / "cache")}
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen(line, cwd=folder, env=environment, stdout=log, stderr=log)
    address = f"http://localhost:{port}"
    try:
        wait_for(f"{address}/_stcore/health", server, folder / "log.txt")
        yield address, folder
    finally:
        server.terminate()
        server.wait(20)


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until a server answers."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text("utf-8")
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{address} does not answer: {log.read_text('utf-8')}")

"""The house's rules, read off the code: one way through the rooms, heavy libraries in their place."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("probes", "audit", "reports", "dashboards")
"""From left to right: a room imports only from itself and from rooms to its left."""

HOMES = {
    "torch": "audit/models/",
    "transformers": "audit/models/",
    "tokenizers": "audit/models/",
    "safetensors": "audit/models/",
    "gguf": "audit/models/",
    "streamlit": "dashboards/",
    "statsmodels": "tests/",
    "altair": ("reports/", "dashboards/"),
    "vl_convert": ("reports/", "dashboards/"),
    "typst": "reports/",
    "securesystemslib": "audit/attestation/",
}
"""Where alone a library may be imported."""


def modules() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way_and_heavy_ones_stay_home(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    allowed = ROOMS[: ROOMS.index(name.split("/")[0]) + 1]
    for module in imported(path):
        top = module.split(".")[0]
        assert top not in ROOMS or top in allowed, f"{name} imports {module}, which lies to its right"
        home = HOMES.get(top)
        assert home is None or name.startswith(home), f"{name} imports {module}; only {home} may"


def test_statistics_know_nothing_of_the_rest_of_the_instrument() -> None:
    for path in (ROOT / "audit/stats").glob("*.py"):
        own = {module for module in imported(path) if module.split(".")[0] in ROOMS}
        assert all(module.startswith("audit.stats") for module in own), path


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a piece of code loads in a fresh process."""
    words = [sys.executable, "-c", f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


HEAVY = {
    "torch",
    "transformers",
    "tokenizers",
    "pandas",
    "scipy",
    "numpy",
    "streamlit",
    "vaderSentiment",
    "textblob",
    "typst",
    "securesystemslib",
    "cryptography",
}


HELP = "import audit.cli as c\ntry:\n c.main(['--help'])\nexcept SystemExit: pass"


@pytest.mark.parametrize("code", ["import audit", "import audit.cli", "import probes", HELP])
def test_light_things_stay_light(code: str) -> None:
    assert not loaded_by(code) & HEAVY


def test_the_models_room_opens_without_torch() -> None:
    assert not loaded_by("import audit.models") & {"torch", "transformers", "tokenizers", "pandas", "scipy"}


def test_public_names_are_exactly_those_promised() -> None:
    import audit

    assert audit.__all__ == sorted(audit.__all__)
    for name in audit.__all__:
        assert getattr(audit, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        audit.nonsense  # noqa: B018


FORBIDDEN = ("unbiased", "debiased", "certified", "fair model")
NAMES = ("unitary/unbiased-toxic-roberta",)
"""Names that others gave to models of theirs."""


def test_the_product_never_says_what_cannot_be_measured() -> None:
    """Words that claim more than a measurement; code may name them only to forbid them."""
    for room in ROOMS:
        for path in [*(ROOT / room).rglob("*.py"), *(ROOT / room).rglob("*.yaml")]:
            text = path.read_text("utf-8").lower()
            for name in NAMES:
                text = text.replace(name, "")
            for word in FORBIDDEN:
                assert word not in text, f"{path.relative_to(ROOT)} says {word!r}"


def test_no_file_has_outgrown_its_room() -> None:
    for path in modules():
        assert len(path.read_text("utf-8").splitlines()) <= 450, path


def test_every_part_of_the_instrument_is_on_the_readmes_map() -> None:
    house = (ROOT / "README.md").read_text("utf-8").partition("## The house")[2].partition("\n## ")[0]
    parts = [path.name for path in (ROOT / "audit").iterdir() if (path / "__init__.py").exists()]
    assert len(parts) > 10
    assert [name for name in parts if f"`{name}/`" not in house] == []


@pytest.mark.parametrize("part", ["models", "scorers", "stats"])
def test_every_file_of_a_large_part_is_on_its_map(part: str) -> None:
    told = importlib.import_module(f"audit.{part}").__doc__ or ""
    files = [path.stem for path in (ROOT / "audit" / part).iterdir() if not path.stem.startswith("_")]
    assert len(files) > 20
    assert [name for name in files if f"``{name}``" not in told] == []

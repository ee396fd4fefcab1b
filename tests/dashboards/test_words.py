"""Tooltips: each is shown on some page, and none is asked for that does not exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from audit.bundle import read_json
from audit.measures import MEASURES
from dashboards import tables, words
from tests.test_house import FORBIDDEN

PAGES = [path for path in Path(words.__file__).parent.rglob("*.py") if path.name != "words.py"]
NODES = [node for path in PAGES for node in ast.walk(ast.parse(path.read_text("utf-8")))]


def asked_for(node: ast.AST) -> str | None:
    """The tooltip that an expression takes by its name."""
    if not (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)):
        return None
    return str(node.slice.value) if ast.unparse(node.value) == "TIPS" else None


def test_every_tooltip_that_a_page_asks_for_exists() -> None:
    asked = {name for name in map(asked_for, NODES) if name is not None}
    assert len(asked) > 10
    assert asked <= words.TIPS.keys()


EFFECTS = {"d_z", "Cliff's delta"}
"""Tooltips that a page takes by the name of an effect, as the findings give it."""


def test_every_tooltip_is_named_by_a_page() -> None:
    named = {node.value for node in NODES if isinstance(node, ast.Constant)}
    assert words.TIPS.keys() <= named | EFFECTS
    effects = Path(words.__file__).parents[1] / "audit/analysis/effects.py"
    assert all(name in effects.read_text("utf-8") for name in EFFECTS)


def test_a_contrast_with_the_average_of_all_is_explained_as_one() -> None:
    nested = {"layout": "nested", "reference": "overall"}
    assert "the average of all" in words.estimand(nested)[0]
    assert words.estimand({**nested, "reference": "rest"}) == words.ESTIMANDS["nested"]
    assert words.estimand({**nested, "layout": "paired"}) == words.ESTIMANDS["paired"]


def test_every_measure_says_what_its_numbers_mean() -> None:
    """Range, direction and the meaning of 0, with a source."""
    for name in MEASURES:
        tip = words.measure_tip(name)
        assert "0:" in tip and "Source: " in tip, name
        assert re.search(r"from .* to |between ", tip), f"{name}: no range"
        assert re.search(r"Positive|[Hh]igher|more", tip), f"{name}: no direction"
    assert words.measure_tip("nonsense") == "An unknown measure."


def test_every_figure_of_a_finding_has_its_words(invalid: Path) -> None:
    rows = read_json(invalid / "findings.json")["findings"]
    row = next(row for row in rows if row["estimate"] is not None)
    for name, _, tip in (*tables.facts(row), *tables.holding(row)):
        assert not tip or words.TIPS[tip], name


def test_nothing_promises_more_than_a_measurement() -> None:
    for path in [*PAGES, Path(words.__file__)]:
        text = path.read_text("utf-8").lower()
        assert not [word for word in (*FORBIDDEN, "compliant") if word in text], path

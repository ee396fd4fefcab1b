"""The review page keeps reviewers apart: whoever labels next has seen neither value nor label."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.opening import VARIABLE

PAGE = """
import streamlit as st
from dashboards import data
from dashboards.opening import given
from dashboards.views import review

st.text_input("Your name", key="reviewer")
review.page(data.opened("one", given()[0]))
"""


def pressed(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label.startswith(label)).click().run()


def said(page: AppTest) -> list[str]:
    table = next(each.value for each in page.dataframe if "said" in each.value)
    return list(table.loc[table["what"] == "label", "said"])


def test_who_takes_over_sees_neither_value_nor_label(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps([str(root)]))
    page = AppTest.from_string(PAGE, default_timeout=120).run()
    page.text_input(key="reviewer").set_value("Ada").run()
    if not page.radio:
        pressed(page, "Show")
    given = page.radio[0].options[0]
    page.radio[0].set_value(given)
    pressed(page, "Keep label")
    assert said(page) == [given]
    assert any(button.label == "Keep decision" for button in page.button)

    page.text_input(key="reviewer").set_value("Bob").run()
    assert not page.exception
    assert said(page) == ["hidden until you have labelled it"]
    assert not any(button.label == "Keep decision" for button in page.button)

    page.text_input(key="reviewer").set_value("Ada").run()
    assert said(page) == [given]
    assert any(button.label == "Keep decision" for button in page.button)

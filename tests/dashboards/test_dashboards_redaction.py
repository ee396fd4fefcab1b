"""A redacted copy in the dashboard: what stands in the place of texts, and no button that could show them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from audit.bundle import REVIEWS, read_json
from audit.measures.labels import LABEL_SETS
from audit.redaction.copying import redact
from audit.redaction.withheld import NOT_HERE, withheld
from audit.review.log import append_review
from tests.audit.review_world import BAD, Hand
from tests.dashboards.conftest import Pages, clean, rows_of, table, texts, widget
from tests.dashboards.test_dashboards_review import queue_of

WRITTEN = "cruel and horrible"
"""Stands in what the scripted model wrote, and nowhere else."""


@pytest.fixture(scope="module")
def copy(scripted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("redacted") / "copy"
    redact(scripted, out)
    return out


def test_the_scores_of_a_copy_stand_beside_the_shapes_of_its_texts(copy: Path, pages: Pages) -> None:
    app = clean(pages.open("explore", copy, suite="continuation"))
    assert NOT_HERE in texts(app) and not [each for each in app.button if each.label.startswith("Show")]
    outputs = list(table(app, "Scores, page 1")["output"])
    assert withheld(BAD).whole in outputs and all(each.startswith("[withheld: ") for each in outputs)
    assert not any(WRITTEN in text for _, text in pages.sent())


def test_an_item_of_a_copy_shows_what_each_scorer_said_and_no_text(copy: Path, pages: Pages) -> None:
    row = next(row for row in rows_of(copy) if row["suite"] == "continuation" and row["estimate"])
    app = clean(pages.open("finding", copy, finding=row["id"]))
    said = texts(app)
    assert NOT_HERE in said and "[withheld: " in said and "vader" in said
    assert not any(WRITTEN in text for _, text in pages.sent())
    assert not (copy / REVIEWS).exists(), "nobody was shown anything"


def test_nobody_is_asked_to_label_a_text_that_is_not_there(copy: Path, tmp_path: Path, pages: Pages) -> None:
    own = Path(shutil.copytree(copy, tmp_path / "own"))
    hand = Hand(own)
    for row in queue_of(own):
        if row["question"] == "sentiment":
            break
        append_review(own, hand.label("Ada", row, "unclear"))
    else:
        raise AssertionError("the queue holds no text that a model wrote")
    app = clean(widget(pages.open("review", own), "text_input", "Your name").set_value("Ada").run())
    said = texts(app)
    assert f"Number {row['queue_id']}" in said and NOT_HERE in said and "[withheld: " in said
    assert not [each for each in app.radio if each.label == LABEL_SETS["sentiment"].question]
    assert not any(WRITTEN in text for _, text in pages.sent())


def test_a_hidden_text_is_told_by_its_length_and_hash(scripted: Path, pages: Pages) -> None:
    row = next(row for row in rows_of(scripted) if row["suite"] == "continuation" and row["estimate"])
    said = texts(clean(pages.open("finding", scripted, finding=row["id"])))
    assert "[withheld: " in said and WRITTEN not in said


def test_a_report_made_here_withholds_texts(scripted: Path, pages: Pages) -> None:
    clean(pages.open("export", scripted))
    made = pages.downloads[f"report-{read_json(scripted / 'findings.json')['plan_sha256'][:12]}.json"]()
    assert b'"texts": "withheld"' in made and WRITTEN.encode() not in made

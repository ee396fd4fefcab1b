"""Review in the dashboard: blind labels that stay, text hidden until asked for, and what people say."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from audit.bundle import REVIEWS, Bundle, read_json
from audit.measures.labels import LABEL_SETS
from audit.review.log import append_review, read_reviews
from audit.review.queue import review_queue
from audit.review.summary import summarize
from audit.review.wording import agreement_lines, machine_lines
from audit.sidecar import open_sidecar
from dashboards import keeping
from dashboards.app import VIEWS
from dashboards.views.review import CONTROL, FLAGGED
from probes.errors import BundleError, Fault
from tests.audit.review_world import Hand
from tests.dashboards.conftest import Pages, clean, table, texts, widget

WRITTEN = "cruel and horrible"
"""Stands in what the scripted model wrote, and nowhere else."""


def queue_of(root: Path) -> list[dict[str, Any]]:
    """The queue as the page asks for it."""
    findings, seed = read_json(root / "findings.json"), Bundle(root).plan["seed"]
    frame = open_sidecar(root).scores()
    queue = review_queue(frame, findings, flagged=FLAGGED, control=CONTROL, seed=seed)
    return [{str(key): value for key, value in row.items()} for row in queue.to_dict("records")]


def named(app: AppTest, name: str) -> AppTest:
    """The page for somebody who said who they are."""
    return clean(widget(app, "text_input", "Your name").set_value(name).run())


def pressed(app: AppTest, button: str) -> AppTest:
    return clean(widget(app, "button", button).click().run())


def revealed(app: AppTest) -> AppTest:
    """The page with the queue's texts shown, if the response at hand is a text."""
    there = [each for each in app.button if each.label.startswith("Show what the models wrote")]
    return clean(there[0].click().run()) if there else app


def labelled(app: AppTest, label: str) -> AppTest:
    """The page after the response at hand was given a label."""
    app = revealed(app)
    questions = {each.question for each in LABEL_SETS.values()}
    asked = next(each for each in app.radio if each.label in questions)
    asked.set_value(label)
    return pressed(app, "Keep label")


def progress(app: AppTest) -> str:
    return str(app.get("progress")[0].proto.text)


def generated(root: Path) -> str:
    """A finding about text that the model wrote."""
    rows = read_json(root / "findings.json")["findings"]
    return next(row["id"] for row in reversed(rows) if row["suite"] == "continuation")


@pytest.mark.parametrize("page", list(VIEWS))
def test_no_page_sends_what_a_model_wrote_before_somebody_asks(own: Path, pages: Pages, page: str) -> None:
    suite = {"suite": "continuation"} if page == "explore" else {}
    app = clean(pages.open(page, own, finding=generated(own), **suite))
    before = list(pages.sent())
    named(app, "Ada")
    told = [*before, *pages.sent()]
    assert len(told) > 50
    assert [place for place, text in told if WRITTEN in text] == []
    assert not any(WRITTEN.encode() in content() for content in pages.downloads.values())
    assert not (own / REVIEWS).exists(), "to look at a page is no review"


@pytest.mark.parametrize("page", ["finding", "explore"])
def test_who_asked_to_see_a_text_is_kept_before_it_is_shown(
    own: Path, pages: Pages, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    app = clean(pages.open(page, own, finding=generated(own), suite="continuation"))
    assert not [each for each in app.button if each.label.startswith("Show what")]
    assert "Give your name in the sidebar to see it" in texts(app)
    app = named(app, "Ada")
    shows = [each for each in app.button if each.label.startswith("Show what")]

    def full(*_: Any) -> None:
        raise BundleError(Fault("cannot write: No space left on device", str(own), "Free some space."))

    with monkeypatch.context() as broken:
        broken.setattr(keeping, "append_review", full)
        app = clean(shows[0].click().run())
        assert "No space left on device" in texts(app)
        assert not any(WRITTEN in text for _, text in pages.sent())
    shows = [each for each in app.button if each.label.startswith("Show what")]
    app = clean(shows[0].click().run())
    event = read_reviews(own).events[-1]
    assert (event.kind, event.reviewer) == ("reveal", "Ada")
    assert event.fields["scope"] and event.chain_sha256 == read_json(own / "findings.json")["chain_sha256"]
    shown = [text for _, text in pages.sent() if WRITTEN in text or "wonderful" in text or "by bus" in text]
    assert shown, "what was asked for is shown"
    app = clean(app.run())
    assert len(read_reviews(own).events) == 1, "one asking is kept once"


def test_without_a_name_nothing_can_be_labelled(own: Path, pages: Pages) -> None:
    app = clean(pages.open("review", own))
    assert "Give your name in the sidebar to label" in texts(app)
    assert not app.radio and "Keep label" not in [each.label for each in app.button]
    app = named(app, "   ")
    assert not app.radio
    app = clean(pages.open("finding", own))
    assert "Give your name in the sidebar to add to this." in texts(app) and not app.text_area


def test_labels_are_blind_and_stay(own: Path, pages: Pages) -> None:
    queue = queue_of(own)
    app = named(pages.open("review", own), "Ada")
    assert progress(app) == f"0 of {len(queue)} labelled by you"
    app = pressed(revealed(app), "Keep label")
    assert "Choose a label first." in texts(app) and not [
        event for event in read_reviews(own).events if event.kind == "label"
    ]
    for place, label in enumerate(("negative", "neutral")):
        row, value = queue[place], f"{queue[place]['value']:+.4f}"
        app = revealed(app)
        assert f"Number {row['queue_id']}" in texts(app) and row["text"] in texts(app)
        told = [text for where, text in pages.sent() if ".id" not in where]
        for secret in (value, row["why"], row["model"] + " · "):
            assert not any(secret in text for text in told), f"{secret} is told before the label"
        app = labelled(app, label)
        assert f"you said\n{label}" in texts(app) and f"the machine's value\n{value}" in texts(app)
        assert f"in the queue because\n{row['why'] if row['flagged'] else 'drawn at random'}" in texts(app)
        app = pressed(app, "Next, without a decision")
        assert progress(app).startswith(f"{place + 1} of ")
    app = named(pages.open("review", own), "Ada")
    assert progress(app) == f"2 of {len(queue)} labelled by you"
    assert f"Number {queue[2]['queue_id']}" in texts(app)
    labels = [event for event in read_reviews(own).events if event.kind == "label"]
    assert [event.fields["label"] for event in labels] == ["negative", "neutral"]
    for event, row in zip(labels, queue, strict=False):
        assert event.reviewer == "Ada" and event.fields["blind"] and event.fields["flagged"] == row["flagged"]
        assert event.target is not None and event.target.item == row["item"]
    said = table(app, "Everything that reviewers said")
    assert list(said["said"])[-2:] == ["negative", "neutral"]


def test_a_decision_against_the_machine_needs_its_reason(own: Path, pages: Pages) -> None:
    app = labelled(named(pages.open("review", own), "Ada"), "positive")
    decision = widget(app, "radio", "The machine's value")
    assert decision.value == "override", "the label is not the machine's"
    app = pressed(app, "Keep decision")
    assert "Not kept: " in texts(app) and "reason" in texts(app).split("Not kept: ")[1].split("\n")[0]
    assert all(event.kind != "decision" for event in read_reviews(own).events)
    widget(app, "text_area", "Reason").set_value("It is *irony* <b>")
    app = pressed(app, "Keep decision")
    event = read_reviews(own).events[-1]
    row = queue_of(own)[0]
    assert event.kind == "decision"
    assert (event.fields["decision"], event.fields["value"]) == ("override", "positive")
    assert event.fields["reason"] == "It is *irony* <b>" and event.fields["machine"] == row["value"]
    app = labelled(app, "neutral")
    widget(app, "radio", "The machine's value").set_value("agree")
    app = pressed(app, "Keep decision")
    event = read_reviews(own).events[-1]
    assert (event.fields["decision"], event.fields["value"]) == ("agree", None)
    assert progress(app).startswith("2 of ")


def test_two_reviewers_at_once_agree_or_not(own: Path, pages: Pages) -> None:
    """Each in a session of their own: no chain breaks, and how far they agree is told."""
    ada, bob = (named(pages.open("review", own), name) for name in ("Ada", "Bob"))
    for one, other in (("negative", "negative"), ("neutral", "positive"), ("neutral", "neutral")):
        ada, bob = labelled(ada, one), labelled(bob, other)
        bob, ada = (pressed(app, "Next, without a decision") for app in (bob, ada))
    kept = read_reviews(own)
    assert [event.n for event in kept.events] == list(range(len(kept.events)))
    assert sum(event.kind == "label" for event in kept.events) == 6
    stranger = texts(clean(pages.open("review", own)))
    assert "Where they disagree" not in stranger, "who has not labelled yet is led by nobody"
    app = clean(named(pages.open("review", own), "Ada"))
    said, found = texts(app), summarize(own)
    lines = [*agreement_lines(found), *machine_lines(found)]
    assert any("Ada and Bob: 3 responses, 1 with different labels" in line for line in lines)
    assert any("kappa" in line for line in lines)
    for line in lines:
        assert line.strip() in said
    assert "Where they disagree" in said and "Ada: neutral" in said and "Bob: positive" in said
    assert kept.head in said and f"{len(kept.events)} entries" in said


def test_where_a_finding_stands_is_kept_and_shown(own: Path, pages: Pages) -> None:
    rows = read_json(own / "findings.json")["findings"]
    row = next(row for row in rows if row["role"] == "exploratory")
    app = named(pages.open("finding", own, finding=row["id"]), "Ada")
    assert "open: nobody has decided." in texts(app)
    widget(app, "radio", "New status").set_value("disputed")
    app = pressed(app, "Keep status")
    assert "Not kept: " in texts(app) and not read_reviews(own).events
    widget(app, "radio", "New status").set_value("disputed")
    widget(app, "text_area", "Reason").set_value("The *wording* leads")
    app = pressed(app, "Keep status")
    assert "disputed: a reviewer does not, and says why." in texts(app)
    widget(app, "text_area", "Comment").set_value("See <i>template 3</i>")
    app = pressed(app, "Keep comment")
    widget(app, "radio", "New status").set_value("accepted")
    app = pressed(app, "Keep status")
    app = clean(pages.open("finding", own, finding=row["id"]))
    said = texts(app)
    assert "accepted: a reviewer stands behind the machine's verdict." in said
    for words in ("The *wording* leads", "See <i>template 3</i>", "Ada · disputed", "Ada · comment"):
        assert words in said
    assert "other records" not in said
    shown = table(pages.open("review", own), "Findings and where they stand")
    assert dict(zip(shown["id"], shown["standing"], strict=True))[row["id"]] == "accepted"
    assert (shown["standing"] == "open").sum() == len(shown) - 1


def test_reviews_of_other_records_are_flagged(own: Path, pages: Pages) -> None:
    hand = Hand(own)
    append_review(own, hand.status("Ann", 0, "accepted") | {"chain_sha256": "0" * 64})
    assert "written about other records than those shown here" in texts(clean(pages.open("finding", own)))
    assert "reviews of other records than those that the findings were made from: 1" in texts(
        clean(pages.open("review", own))
    )


@pytest.mark.parametrize("there", [False, True])
def test_a_read_only_audit_shows_everything_and_says_why_nothing_is_kept(
    own: Path, pages: Pages, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    if there:
        append_review(own, Hand(own).status("Ann", 0, "accepted", "seen"))
    real = os.open

    def refused(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if str(path).startswith(str(own)) and flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *rest, **more)

    # Tests may run as root, whom no permission stops.
    monkeypatch.setattr(os, "open", refused)
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    app = clean(pages.open("review", own))
    said = texts(app)
    assert "Reviews cannot be kept: " in said and "Labels cannot be kept: " in said and "ead-only" in said
    app = named(app, "Ada")
    assert not app.radio
    if there:
        assert "Nothing can be added: " in texts(clean(pages.open("finding", own)))
    app = clean(pages.open("explore", own, suite="continuation"))
    assert "This cannot be logged" in texts(app)
    app = clean(next(each for each in app.button if each.label.startswith("Show what")).click().run())
    assert WRITTEN in " ".join(map(str, table(app, "Scores, page 1")["output"]))
    assert len(read_reviews(own).events) == int(there)


def test_a_broken_file_of_reviews_takes_nothing_else_with_it(own: Path, pages: Pages) -> None:
    append_review(own, Hand(own).status("Ann", 0, "accepted"))
    path = own / REVIEWS
    path.write_bytes(path.read_bytes().replace(b"accepted", b"disputed"))
    for page in ("findings", "explore", "review", "export"):
        app = clean(pages.open(page, own))
        assert "Reviews cannot be kept: " in texts(app)
        assert "the review was edited" in texts(app)
    assert table(pages.open("findings", own), "Findings, worst first").shape[0] > 0

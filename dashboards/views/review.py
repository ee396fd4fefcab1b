"""Review: people look at what the machine scored, blind first, and what they say is kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from audit.commands.reviewing import warnings
from audit.commands.show import number
from audit.labelling.wording import WEIGHED, count_lines, labeller_lines, told_tables
from audit.measures.labels import LABEL_SETS
from audit.requests import ChoiceRequest, answers_of
from audit.review.events import Target
from audit.review.log import why_not_kept
from audit.review.queue import blind_view, review_queue
from audit.review.summary import summarize
from audit.review.views import disagreements, standings
from audit.review.wording import agreement_lines, machine_lines
from audit.wording import claim
from dashboards import charts, data, links, tables
from dashboards.data import Opened, Signature
from dashboards.frame import reviewer
from dashboards.judged import people_found
from dashboards.keeping import keep
from dashboards.reveal import offer, output
from dashboards.shown import escaped, grid, plain, quoted
from dashboards.words import TIPS

FLAGGED, CONTROL = 20, 20
"""Responses in the queue that carry something, and those drawn at random."""
DECIDING = "deciding"
"""Key of the session: who just labelled which response of which audit, and is now to decide on it."""
UNSEEN = "hidden until you have labelled it"
"""In the place of what others said of a response that the reader is still to label."""


def page(audit: Opened) -> None:
    """Draw the page."""
    st.title("Review")
    queue, said, standing = st.tabs(["Queue", "What was said", "Findings"])
    with queue:
        labelling(audit)
    with said:
        spoken(audit)
    with standing:
        findings(audit)


@st.cache_data(show_spinner="Choosing what to look at …", max_entries=4)
def chosen(root: str, sign: Signature, _audit: Opened) -> pd.DataFrame:
    """The queue: what carries the findings, and as many drawn at random, in an order that tells nothing."""
    frame = data.sidecar(_audit).scores()
    queue = review_queue(frame, _audit.findings, flagged=FLAGGED, control=CONTROL, seed=_audit.plan["seed"])
    places = frame.drop_duplicates(["model", "digest"])[["model", "digest", "n"]]
    return queue.astype({"model": object, "digest": object}).merge(
        places.astype({"model": object, "digest": object}), on=["model", "digest"], how="left"
    )


def target_of(row: Mapping[str, Any]) -> Target:
    """The response that a row of the queue is about."""
    return Target(str(row["model"]), str(row["digest"]), str(row["unit"]), str(row["item"]))


def labelling(audit: Opened) -> None:
    """One response after the other: label it without the machine's value, then agree or override."""
    st.header(
        "What to look at",
        help="Responses that carry the findings and as many drawn at random, mixed, so that their order "
        "tells nothing. What the machine made of them is shown after your label. Whoever reads its value on "
        "another page first is not blind, and nothing here can tell.",
    )
    data.sidecar(audit)  # now, so that the page shows how far a building is
    queue = charts.known(chosen(str(audit.root), audit.sign, audit))
    if not queue:
        plain("There is nothing to look at: nothing was scored.", "p")
        return
    reason = why_not_kept(audit.root)
    if reason:
        plain(f"Labels cannot be kept: {reason}", "banner", "div")
        return
    if not reviewer():
        plain("Give your name in the sidebar to label: it stands beside every label of yours.", "lead")
        return
    mine = labelled(audit)
    done = sum(target_of(row) in mine for row in queue)
    st.progress(done / len(queue), text=f"{done} of {len(queue)} labelled by you")
    deciding = st.session_state.get(DECIDING)
    row = next((row for row in queue if (audit.name, reviewer(), row["queue_id"]) == deciding), None)
    if row is not None:
        decide(audit, row)
        return
    left = [row for row in queue if target_of(row) not in mine]
    if not left:
        plain(
            "You have labelled the whole queue. A second reviewer's labels make the agreement known.", "lead"
        )
        return
    label(audit, left[0])


def labelled(audit: Opened) -> set[Target | None]:
    """The responses that the reader has labelled."""
    return {
        event.target
        for event in data.reviews(audit).events
        if event.kind == "label" and event.reviewer == reviewer()
    }


def label(audit: Opened, row: Mapping[str, Any]) -> None:
    """The blind part: what was asked and answered, and the question to the reviewer."""
    seen = blind_view(row)
    asked = LABEL_SETS[row["question"]]
    plain(f"Number {row['queue_id']}", "note")
    quoted(escaped(seen["text"]), "What the model was asked")
    request = data.sidecar(audit).record(int(row["n"])).request
    if isinstance(request, ChoiceRequest):
        plain(f"Answers compared at its place: {', '.join(answers_of(request))}", "note")
    if asked.about == "output":
        shown = offer(audit, f"queue/{audit.plan_name}", "What the models wrote in this queue")
        output(str(seen["output"] or ""), shown, "What the model wrote")
        if not shown or audit.redacted:
            return
    with st.form(f"label-{row['queue_id']}"):
        given = st.radio(
            asked.question,
            asked.names,
            index=None,
            captions=[each.meaning for each in asked.labels],
            key=f"given-{row['queue_id']}",
        )
        note = st.text_input("Note (optional)", max_chars=1000)
        if st.form_submit_button("Keep label"):
            if given is None:
                plain("Choose a label first.", "banner", "div")
            elif keep(
                audit,
                {
                    "kind": "label",
                    **target_fields(row),
                    "question": asked.name,
                    "label": given,
                    "blind": True,
                    "flagged": bool(row["flagged"]),
                    "note": note.strip(),
                },
            ):
                st.session_state[DECIDING] = (audit.name, reviewer(), row["queue_id"])
                st.rerun()


def target_fields(row: Mapping[str, Any]) -> dict[str, str]:
    """The response as a review names it."""
    target = target_of(row)
    return {"model": target.model, "digest": target.digest, "unit": target.unit, "item": target.item}


def decide(audit: Opened, row: Mapping[str, Any]) -> None:
    """After the label: what the machine made of it, and whether the reviewer stands by it."""
    asked = LABEL_SETS[row["question"]]
    target = target_of(row)
    given = next(
        event
        for event in reversed(data.reviews(audit).events)
        if event.kind == "label" and event.target == target and event.reviewer == reviewer()
    )
    value = None if row["value"] is None else float(row["value"])
    measure = audit.measure(row["suite"])
    said = asked.machine_label(value, None if measure is None else measure.primary)
    quoted(escaped(row["text"]), "What the model was asked")
    rows = [
        ("you said", given.fields["label"]),
        ("the machine's label", said or "it gives none: no number says what you were asked"),
        ("the machine's value", number(value, "+.4f")),
        ("status", row["status"]),
        ("in the queue because", row["why"] if row["flagged"] else "drawn at random"),
        ("model", row["model"]),
    ]
    grid(("what", "value"), rows, "Beside your label")
    with st.form(f"decide-{row['queue_id']}"):
        decision = st.radio(
            "The machine's value",
            ("agree", "override"),
            horizontal=True,
            captions=("it stands", "it does not, and the reason says why"),
            index=0 if said in (None, given.fields["label"]) else 1,
        )
        why = st.text_area("Reason (needed to override)", max_chars=10_000)
        if st.form_submit_button("Keep decision"):
            event = {
                "kind": "decision",
                **target_fields(row),
                "question": asked.name,
                "machine": value,
                "decision": decision,
                "reason": why.strip(),
            }
            if decision == "override":
                event["value"] = given.fields["label"]
            if keep(audit, event):
                st.session_state.pop(DECIDING)
                st.rerun()
    if st.button("Next, without a decision"):
        st.session_state.pop(DECIDING)
        st.rerun()


def spoken(audit: Opened) -> None:
    """All that reviewers said, how far they agree, and how far they agree with the machine."""
    kept = data.reviews(audit)
    if not kept.events:
        plain("Nobody has said anything yet.", "lead")
        return
    found = summed(str(audit.root), data.reviews_changed(audit.root), audit.sign)
    plain(f"{found['reviews']:,} entries. Head of their chain: {kept.head}", "note")
    for line in warnings(found):
        plain(line, "banner", "div")
    st.header("Between reviewers, blind", help=TIPS["kappa"])
    if not found["agreement"]:
        plain("No response was labelled by two reviewers before they were shown the machine's value.", "p")
    for line in agreement_lines(found):
        plain(line, "p")
    left = still_to_label(audit)
    apart = [each for each in disagreements(kept.events) if each.target not in left]
    if apart:
        grid(
            ("item", *(f"reviewer {n}" for n in (1, 2))),
            [
                (
                    each.target.item,
                    *(f"{who}: {said}" for who, said in zip(each.reviewers, each.labels, strict=True)),
                )
                for each in apart
            ],
            "Where they disagree",
        )
    st.header("People and the machine")
    if not found["machine"]:
        plain("No single label could be held against a scorer's number.", "p")
    for line in machine_lines(found):
        plain(line, "p")
    sample_found(audit)
    st.header("Everything, in order")
    if any(event.target in left for event in kept.events):
        plain(
            f"What others said of a response in your queue is {UNSEEN}, so that it does not lead you.", "note"
        )
    table = pd.DataFrame([spoken_row(event.data(), event.target in left) for event in kept.events])
    st.dataframe(table, hide_index=True, height=320, alt="Everything that reviewers said, in order")
    st.download_button("The reviews as CSV", charts.csv(table), "reviews.csv", "text/csv", on_click="ignore")


def sample_found(audit: Opened) -> None:
    """What people find in a sample that was drawn with known chances, beside what the scorers find."""
    found = people_found(audit)
    if found is None:
        return
    st.header("What people find in a sample")
    for line in (*count_lines(found), *labeller_lines(found)):
        plain(line, "p")
    for told in told_tables(found):
        plain(told["caption"], "lead")
        st.dataframe(
            pd.DataFrame(told["rows"], columns=list(told["head"])), hide_index=True, alt=told["caption"]
        )
    plain(WEIGHED, "note")


@st.cache_data(show_spinner="Holding the labels against the records …", max_entries=4)
def summed(root: str, changed: tuple[int, int], sign: Signature) -> dict[str, Any]:
    """The summary of the reviews."""
    return summarize(Path(root))


def still_to_label(audit: Opened) -> set[Target | None]:
    """The responses of the queue that the reader has not labelled."""
    queue = charts.known(chosen(str(audit.root), audit.sign, audit))
    targets: set[Target | None] = {target_of(row) for row in queue}
    return targets - labelled(audit)


def spoken_row(event: Mapping[str, Any], hidden: bool = False) -> dict[str, str]:
    """One entry as words; of a hidden one only who spoke, and when.

    Examples
    --------
    >>> event = {"at": "now", "reviewer": "Ada", "kind": "label", "item": "i", "label": "yes", "note": "hm"}
    >>> spoken_row(event)["said"], spoken_row(event, hidden=True)["said"]
    ('yes', 'hidden until you have labelled it')
    """
    if hidden:
        event = {key: event.get(key) for key in ("at", "reviewer", "kind", "model")} | {"label": UNSEEN}
    about = event.get("finding") or event.get("item") or event.get("scope") or ""
    said = event.get("label") or event.get("status") or event.get("decision") or ""
    if event.get("value"):
        said = f"{said}: {event['value']}"
    return {
        "when": event["at"],
        "who": event["reviewer"],
        "what": event["kind"],
        "about": str(about),
        "said": str(said),
        "in words": str(event.get("text") or event.get("reason") or event.get("note") or ""),
        "model": str(event.get("model") or ""),
    }


def findings(audit: Opened) -> None:
    """Where each finding stands; one within margin only where somebody gave it a status."""
    known = standings(data.reviews(audit).events)
    rows = [row for row in audit.rows if row["verdict"] != "no disparity within margin" or row["id"] in known]
    counts = {
        status: sum(
            known[row["id"]].status == status if row["id"] in known else status == "open" for row in rows
        )
        for status in ("open", "accepted", "disputed")
    }
    plain(" · ".join(f"{count} {status}" for status, count in counts.items()), "lead")
    table = pd.DataFrame(
        [
            {
                "standing": known[row["id"]].status if row["id"] in known else "open",
                "verdict": tables.verdict_text(row),
                "severity": row["severity"],
                "claim": tables.bare(claim(row)),
                "id": row["id"],
            }
            for row in rows
        ]
    )
    columns = {"claim": st.column_config.TextColumn(width="large")}
    links.findings_listed(
        audit, table, "Findings and where they stand; choose a row to open the finding", columns
    )
    st.caption("Choose a row by the box at its left, or by Shift and Space; its status is set on its page.")

"""One item: its prompt beside its counterpart's, the model's answers, their scores, and where they lie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from audit import drill
from audit.bundle import Record
from audit.commands.show import number
from audit.measures import scorer_column
from audit.requests import ChoiceRequest, answers_of
from audit.wording import figure
from dashboards import data, tables
from dashboards.data import Opened
from dashboards.reveal import offer, output
from dashboards.shown import differing, escaped, fact_table, grid, plain, quoted
from dashboards.tables import group_labels
from dashboards.words import TIPS

LONGEST_LABEL = 160
"""Characters of a question in a list."""
Pin = tuple[str, str, str, str]
"""Audit, model, suite and item."""

PINS = "pins"
"""Key of the session: items laid aside for comparison, the last two."""


def item_view(audit: Opened, row: Mapping[str, Any], frame: pd.DataFrame, item: pd.Series[Any]) -> None:
    """The chosen item beside one of the other side."""
    st.header("The prompt, beside its counterpart")
    others = drill.counterparts(frame, row, str(item["item"]))
    if others.empty:
        plain("No item of the other side stands in this template.", "p")
        side(audit, frame, str(item["item"]), "", row["model"], "alone")
        return
    names = list(others["item"])
    called = group_labels(audit.rows, row["suite"], row["axis"])
    texts = dict(zip(names, others["text"].astype(str), strict=True))
    labels = tables.numbered(
        {
            name: f"{called.get(group, group)}: {texts[name]}"[:LONGEST_LABEL]
            for name, group in zip(names, others["group"], strict=True)
        }
    )
    other = st.selectbox(
        "Counterpart in the same template, best match first",
        list(labels),
        format_func=labels.__getitem__,
        key=f"counterpart-{item['item']}",
    )
    left, right = st.columns(2)
    with left:
        side(audit, frame, str(item["item"]), texts[other], row["model"], "left")
    with right:
        side(audit, frame, other, str(item["text"]), row["model"], "right")
    models(audit, row, str(item["item"]))


def side(audit: Opened, frame: pd.DataFrame, name: str, against: str, model: str, place: str) -> None:
    """One item: its prompt with what differs from another marked, its answers, scores and provenance.

    ``place`` is where on the page it stands, where the same item may stand twice; unique on the page.
    """
    own = frame[frame["item"] == name]
    text = str(own["text"].iloc[0])
    groups = []
    for column in own.columns:
        if column.startswith("axis:") and pd.notna(own[column].iloc[0]):
            group = str(own[column].iloc[0])
            called = group_labels(audit.rows, str(own["suite"].iloc[0]), column.removeprefix("axis:"))
            groups.append(called.get(group, group))
    plain(
        f"{model} · {' · '.join(groups) or own['arm'].iloc[0]} · template {own['template'].iloc[0]}",
        "note",
    )
    quoted(differing(text, against)[0] if against else escaped(text), "The prompt")
    pin = (audit.name, model, str(own["suite"].iloc[0]), name)
    if pin not in st.session_state.setdefault(PINS, []):
        st.button("Pin it for comparison", f"pin-{place}-{model}-{name}", on_click=lay_aside, args=(pin,))
    for number_of_record in dict.fromkeys(own["n"]):
        record = data.sidecar(audit).record(int(number_of_record))
        answers(audit, own[own["n"] == number_of_record], record, place)


def lay_aside(pin: Pin) -> None:
    """Pin an item; of those before it the last one stays."""
    pins: list[Pin] = st.session_state[PINS]
    st.session_state[PINS] = [*[each for each in pins if each != pin][-1:], pin]


def answers(audit: Opened, own: pd.DataFrame, record: Record, place_on_page: str) -> None:
    """What the model answered to one request, what it is worth, and where it lies."""
    response = record.response
    if response.error:
        plain(f"The request could not be answered: {response.error}", "banner", "div")
    if isinstance(record.request, ChoiceRequest) and response.choices:
        likelihoods(answers_of(record.request), response.choices)
    if response.samples:
        written(audit, own, record, place_on_page)
    else:
        values = [
            (each["unit"], number(none(each["value"]), "+.4f"), each["status"], each["doubts"])
            for each in own.to_dict("records")
        ]
        grid(
            ("answer pair", "value", "status", "what the tokenizer did"),
            values,
            "Scores read off this answer",
        )
        labels_given(audit, own)
    with st.popover("Where this lies"):
        fact_table(whereabouts(own, record), "Provenance of this answer")


def likelihoods(options: Sequence[str], choices: Sequence[Any]) -> None:
    """Candidates with their log-probabilities, and those of their tokens."""
    st.caption("Log-probability of each answer", help=TIPS["logprob"])
    rows = []
    for option, choice in zip(options, choices, strict=True):
        if choice.logprob is None:
            rows.append((option, "none", str(choice.pieces), choice.reason))
            continue
        tokens = " · ".join(f"{token.text!r} {token.logprob:.3f}" for token in choice.tokens)
        untold = "one token" if choice.pieces == 1 else "not kept"
        probability = figure(math.exp(choice.logprob)) if choice.logprob > -700 else "under 1e-304"
        rows.append(
            (option, f"{choice.logprob:.4f} nats ({probability})", str(choice.pieces), tokens or untold)
        )
    grid(
        ("answer", "log-probability", "tokens", "by token, nats"), rows, "What the model holds of each answer"
    )


def written(audit: Opened, own: pd.DataFrame, record: Record, place_on_page: str) -> None:
    """The continuations, hidden until asked for, each with what every scorer says of it."""
    scope = f"{record.model[:12]}/{own['item'].iloc[0]}/{own['setting'].iloc[0]}"
    shown = offer(audit, scope, "What the model wrote", place_on_page)
    measure = audit.measure(str(own["suite"].iloc[0]))
    first, *others = (measure.scorers if measure else ()) or ("value",)
    columns = {"value": first, **{scorer_column(name): name for name in others}}
    for place_of_sample, (sample, score) in enumerate(
        zip(record.response.samples, own.to_dict("records"), strict=False)
    ):
        text = sample.text if sample.withheld is None else str(sample.withheld)
        output(text, shown, f"Continuation {place_of_sample + 1}")
        said = "; ".join(
            f"{scorer} {number(none(score.get(name)), '+.3f')}" for name, scorer in columns.items()
        )
        reason = f" ({score['reason']})" if score["reason"] else ""
        plain(
            f"{score['status']}{reason} · {said} · {sample.tokens} tokens, ended by {sample.finish}", "note"
        )
        labels_given(audit, own[own["unit"] == score["unit"]])


def none(value: object) -> float | None:
    """A number, or None for one that is missing."""
    return None if value is None or pd.isna(value) else float(value)  # type: ignore[arg-type, call-overload]


def labels_given(audit: Opened, own: pd.DataFrame) -> None:
    """What reviewers said of this answer, beside the machine's value."""
    digest, model = str(own["digest"].iloc[0]), str(own["model"].iloc[0])
    units = set(own["unit"].astype(str))
    for event in data.reviews(audit).events:
        target, said = event.target, event.fields
        if target is None or (target.digest, target.model) != (digest, model) or target.unit not in units:
            continue
        if event.kind == "label":
            plain(
                f"{event.reviewer}, {event.at}: {said['label']}{' (blind)' if said['blind'] else ''}", "note"
            )
        elif event.kind == "decision":
            words = f"{said['decision']} {said.get('value') or ''}: {said['reason']}".strip().rstrip(":")
            plain(f"{event.reviewer}, {event.at}: {words}", "note")


def whereabouts(own: pd.DataFrame, record: Record) -> list[tuple[str, object, str]]:
    """Where an answer lies in the bundle, and what it hangs on."""
    first = own.iloc[0]
    return [
        ("record", record.n, f"line of records/{first['file']} at byte {first['offset']}"),
        ("request", str(first["digest"]), "SHA-256 of the question"),
        ("before it", record.prev, "SHA-256 of the record before: the chain"),
        ("model", record.model, "SHA-256 over weights, tokenizer and configuration"),
        ("asked as", record.request.form, ""),
        (
            "taken over from",
            record.reused_from or "nowhere: asked in this audit",
            "record of an earlier bundle",
        ),
        ("setting", first["setting"] or "the audit's one decoding", ""),
    ]


def models(audit: Opened, row: Mapping[str, Any], name: str) -> None:
    """The same question put to another model of the audit."""
    others = [
        ask["model"]
        for ask in audit.plan["asks"]
        if ask["suite"] == row["suite"] and ask["model"] != row["model"]
    ]
    if not others:
        return
    st.header("The same question to another model")
    other = st.selectbox("Model", others, index=None, placeholder="none", key=f"model-for-{name}")
    if other is None:
        return
    frame = data.scores(audit, other, row["suite"])
    if not (frame["item"] == name).any():
        plain("It was not asked this question.", "p")
        return
    left, right = st.columns(2)
    with left:
        side(audit, data.scores(audit, row["model"], row["suite"]), name, "", row["model"], "this-model")
    with right:
        side(audit, frame, name, "", other, "other-model")


def pinned(audit: Opened) -> None:
    """The items that were pinned, side by side."""
    pins = [pin for pin in st.session_state.get(PINS, []) if pin[0] == audit.name]
    if not pins:
        return
    st.header(
        "Pinned", help="The last two items that were pinned, of any finding and any model of this audit."
    )
    frames = [data.scores(audit, model, suite) for _, model, suite, _ in pins]
    texts = [
        str(frame.loc[frame["item"] == pin[3], "text"].iloc[0])
        for frame, pin in zip(frames, pins, strict=True)
    ]
    for number_of_pin, (column, frame, pin) in enumerate(
        zip(st.columns(len(pins)), frames, pins, strict=True)
    ):
        with column:
            against = texts[1 - number_of_pin] if len(pins) == 2 else ""
            side(audit, frame, pin[3], against, pin[1], f"pinned-{number_of_pin}")
    if st.button("Unpin"):
        st.session_state[PINS] = []
        st.rerun()

"""What can be wrong with a suite that neither its schema nor a lexicon shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from probes import documents
from probes.cells import JOIN, is_crossed
from probes.documents import Document
from probes.explain import nearest
from probes.items import ANSWER
from probes.lexicon import ANY_AXIS, OVERALL, REST, TERM_AXIS
from probes.wording import has_lone_brace, placeholders, slot_form


def check_document(document: Document) -> None:
    """Add the faults that neither the schema nor a lexicon shows, in the parts that satisfy the schema."""
    if not isinstance(document.data, dict):
        return
    for name in ("templates", "contrasts"):
        _check_ids(document, (name,))
    _check_answers(document)
    _check_templates(document)
    _check_contrasts(document)
    if document.clean("templates") and document.data.get("templates"):
        families = {template["family"] for template in document.data["templates"]}
        if len(families) < 2:
            what = f"all templates belong to one family ({families.pop()})"
            remedy = "Add a second family of wordings: with one, wording and effect cannot be told apart."
            document.fault(("templates",), what, remedy)


def _entries(document: Document, *path: str) -> Iterable[tuple[int, Any]]:
    """The entries of a list that satisfy the schema, with their index."""
    listed: Any = document.data
    for step in path:
        listed = listed.get(step) if isinstance(listed, dict) else None
    if isinstance(listed, list):
        for index, entry in enumerate(listed):
            if document.clean(*path, index):
                yield index, entry


def _check_ids(document: Document, path: tuple[str, ...]) -> None:
    first: dict[str, int] = {}
    for index, entry in _entries(document, *path):
        if entry["id"] in first:
            other = documents.spell((*path, first[entry["id"]]))
            what = f"the id {entry['id']!r} is also that of {other}"
            document.fault((*path, index, "id"), what, "Give every entry its own id.")
        first.setdefault(entry["id"], index)


def _generates(document: Document) -> bool | None:
    """Whether the suite asks for free text; None where its forms are not usable."""
    forms = document.data.get("forms")
    if not document.clean("forms") or not isinstance(forms, list):
        return None
    return "generate" in forms


def _check_answers(document: Document) -> None:
    generates = _generates(document)
    answers = document.data.get("answers")
    if generates and len(document.data["forms"]) > 1:
        remedy = "Split it in two suites: one template cannot both hold {answer} and not hold it."
        document.fault(("forms",), "generate stands together with fill or score", remedy)
    if generates and answers is not None:
        document.fault(("answers",), "a generate suite has no answers", "Remove the key.")
    if generates is False and answers is None:
        document.fault((), "the key 'answers' is missing", "Add the answers that are compared.")
    if not isinstance(answers, dict):
        return
    for name in answers:
        _check_ids(document, ("answers", name))
        for index, pair in _entries(document, "answers", name):
            minus = {word.casefold() for word in pair["minus"]}
            for word in pair["plus"]:
                if word.casefold() in minus:
                    what = f"the word {word!r} stands on both sides of the pair {pair['id']!r}"
                    document.fault(("answers", name, index), what, "Keep it on one side.")
    if document.clean("answers"):
        (first, expected), *others = ((name, [p["id"] for p in pairs]) for name, pairs in answers.items())
        for name, ids in others:
            if set(ids) != set(expected):
                odd = ", ".join(sorted(set(ids) ^ set(expected)))
                what = f"the set {name!r} has other pairs than {first!r} ({odd})"
                document.fault(("answers", name), what, "Give every set the same pair ids.")


def _check_templates(document: Document) -> None:
    slot, generates = document.data.get("slot"), _generates(document)
    if not document.clean("slot") or not isinstance(slot, str):
        return
    if slot == "answer":
        document.fault(("slot",), "the slot cannot be named answer", "Choose another name.")
        return
    sets = document.data.get("answers")
    known = list(sets) if isinstance(sets, dict) else []
    texts: dict[str, int] = {}
    for index, template in _entries(document, "templates"):
        path, text = ("templates", index, "text"), template["text"]
        for what, remedy in _text_faults(text, slot, generates):
            document.fault(path, what, remedy)
        if text in texts:
            what = f"the text is also that of {documents.spell(('templates', texts[text]))}"
            document.fault(path, what, "Reword or remove one: a repeated template counts twice.")
        texts.setdefault(text, index)
        if "answers" in template and template["answers"] not in known:
            what = f"there is no set of answers {template['answers']!r}"
            remedy = nearest(template["answers"], known)
            document.fault(("templates", index, "answers"), what, remedy)


def _text_faults(text: str, slot: str, generates: bool | None) -> Iterable[tuple[str, str]]:
    names = placeholders(text)
    if not any(slot_form(name, slot)[0] for name in names):
        yield f"the template has no {{{slot}}}", f"Put {{{slot}}} where the term goes."
    for name in dict.fromkeys(names):
        if name != "answer" and not slot_form(name, slot)[0]:
            allowed = f"Use {{{slot}}} or {{{slot}:form}}" + ("." if generates else " and {answer}.")
            yield f"unknown placeholder {{{name}}}", allowed
    if has_lone_brace(text):
        yield "a brace stands alone", "Write placeholders as {name}; text cannot hold braces."
    count = names.count("answer")
    if generates:
        if count:
            yield "a generate template holds {answer}", "End the prompt where the model goes on."
        if text != text.rstrip():
            yield "the prompt ends with a space", "End it after the last word."
    elif generates is False and count != 1:
        often = "has no {answer}" if not count else f"has {{answer}} {count} times"
        yield f"the template {often}", "Put {answer} once, where the answer goes."
    elif generates is False and not re.search(r"\S " + re.escape(ANSWER) + r"(?![\w])", text):
        yield "{answer} does not stand in mid-sentence", "Put words and one space before it."


def _check_contrasts(document: Document) -> None:
    for index, contrast in _entries(document, "contrasts"):
        path = ("contrasts", index)
        axis, reference, terms = contrast["axis"], contrast["reference"], contrast["terms"]
        if reference in contrast.get("groups", ()):
            what = f"the reference {reference!r} is also among the groups"
            document.fault((*path, "groups"), what, "Remove it from the groups.")
        if axis == ANY_AXIS and ("groups" in contrast or reference not in (REST, OVERALL)):
            remedy = "Leave out the groups and write 'reference: rest', or name the axis."
            document.fault((*path, "axis"), "the axis * goes with all groups against the rest", remedy)
        if axis == TERM_AXIS and terms != "fixed":
            what = f"on the axis term the terms are fixed, not {terms}"
            document.fault((*path, "terms"), what, "Write 'terms: fixed'.")
        if terms == "paired" and reference == REST:
            what = "paired terms need one reference group, not the rest"
            document.fault((*path, "reference"), what, "Name the reference group.")
        for key, what, remedy in _crossing_faults(contrast):
            document.fault((*path, key), what, remedy)
        for what, remedy in _claim_faults(contrast, document):
            document.fault((*path, "claim"), what, remedy)


def _crossing_faults(contrast: dict[str, Any]) -> Iterable[tuple[str, str, str]]:
    """What is wrong with two axes: the key, the fault and its remedy."""
    axis, crossed = contrast["axis"], contrast.get("crossed_with")
    if is_crossed(axis) and len(set(axis.split(JOIN))) == 1:
        yield "axis", f"the axis {axis!r} is crossed with itself", "Name two axes."
    if "labels" in contrast and not is_crossed(axis):
        what = "labels are given where no cells are compared"
        yield "labels", what, "Leave them out: groups are labelled in their lexicon."
    if (crossed is None) != ("crossed_reference" not in contrast):
        there, lacking = ("crossed_with", "crossed_reference")[:: 1 if crossed is not None else -1]
        yield there, f"{there} stands without {lacking}", f"Add {lacking}, or leave out both."
    if crossed is None:
        return
    if axis in (ANY_AXIS, TERM_AXIS, crossed) or is_crossed(axis):
        what = f"the axis {axis!r} cannot be crossed with {crossed!r}"
        yield "crossed_with", what, "Name two axes of the lexicon, one in each key."
    if contrast["terms"] != "nested":
        what = f"an interaction needs nested terms, not {contrast['terms']}"
        yield "terms", what, "Write 'terms: nested', or leave out crossed_with."
    for key in ("reference", "crossed_reference"):
        if contrast.get(key) in (REST, OVERALL):
            what = f"an interaction needs one reference group on each axis, not {contrast[key]}"
            yield key, what, "Name the reference group."


def _claim_faults(contrast: dict[str, Any], document: Document) -> Iterable[tuple[str, str]]:
    claim = contrast["claim"]
    names = placeholders(claim)
    crossed = ("crossed_group", "crossed_reference") if "crossed_with" in contrast else ()
    for name in dict.fromkeys(names):
        if name not in ("ratio", "difference", "group", "reference", *crossed):
            yield f"unknown placeholder {{{name}}}", "Use {ratio} or {difference}, {group} and {reference}."
    if "group" not in names:
        yield "the claim does not name its {group}", "Put {group} where the group's label goes."
    for name in ("reference", *crossed) if crossed else ():
        if name not in names:
            yield (
                f"the claim does not name its {{{name}}}",
                "An interaction is between four groups: name each.",
            )
    if ("ratio" in names) == ("difference" in names):
        yield "the claim needs one of {ratio} and {difference}", "State the size once."
    margin = document.data.get("margin")
    unit = margin.get("unit") if document.clean("margin") and isinstance(margin, dict) else None
    if "ratio" in names and unit in ("points", "shares"):
        yield f"a measure in {unit} has no {{ratio}}", "Use {difference}."
    if has_lone_brace(claim):
        yield "a brace stands alone", "Write placeholders as {name}; a claim cannot hold other braces."

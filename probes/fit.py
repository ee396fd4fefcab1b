"""Whether a suite and its lexicons fit: every fault, placed, with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from probes.cells import JOIN, terms_of
from probes.documents import Step, spell
from probes.errors import Fault, SuiteError
from probes.explain import nearest
from probes.lexicon import ANY_AXIS, OVERALL, REST, TERM_AXIS, Lexicon
from probes.slot import axes_of, axis_groups, compared, nonce_terms, slot_lexicons
from probes.suite import Contrast, Suite

Locate = Callable[[Sequence[Step]], str]


def check_suite(suite: Suite, lexicons: Mapping[str, Lexicon]) -> None:
    """Check that a suite and its lexicons fit.

    Parameters
    ----------
    suite : Suite
        What is asked.
    lexicons : mapping
        By the names that the suite uses: an id, or the path as written.

    Raises
    ------
    SuiteError
        With every fault.
    """
    faults = fit_faults(suite, lexicons, lambda path: f"{suite.where}: {spell(path)}")
    if faults:
        raise SuiteError(faults)


def fit_faults(suite: Suite, lexicons: Mapping[str, Lexicon], locate: Locate) -> list[Fault]:
    """Every way in which a suite and its lexicons do not fit."""
    faults: list[Fault] = []
    for index, name in enumerate(suite.lexicons):
        if name not in lexicons:
            where = locate(("lexicons", index))
            faults.append(Fault(f"unknown lexicon {name!r}", where, nearest(name, lexicons)))
    if suite.nonce.lexicon not in lexicons:
        name, where = suite.nonce.lexicon, locate(("nonce", "lexicon"))
        faults.append(Fault(f"unknown lexicon {name!r}", where, nearest(name, lexicons)))
    if faults:
        return faults
    faults += _lexicon_faults(suite, lexicons, locate)
    faults += _nonce_faults(suite, lexicons, locate)
    faults += _form_faults(suite, lexicons, locate)
    for index, contrast in enumerate(suite.contrasts):
        faults += _contrast_faults(
            suite, lexicons, contrast, lambda *p, i=index: locate(("contrasts", i, *p))
        )
    return faults


def _lexicon_faults(suite: Suite, lexicons: Mapping[str, Lexicon], locate: Locate) -> list[Fault]:
    faults: list[Fault] = []
    ids: dict[str, str] = {}
    labels: dict[tuple[str, str], str] = {}
    for index, name in enumerate(suite.lexicons):
        lexicon, where = lexicons[name], locate(("lexicons", index))
        if lexicon.id in ids:
            what = f"{name!r} has the same id as {ids[lexicon.id]!r} ({lexicon.id})"
            faults.append(Fault(what, where, "Give every lexicon its own id."))
        ids[lexicon.id] = name
        for axis in lexicon.axes.values():
            for group, label in axis.groups.items():
                if labels.setdefault((axis.id, group), label) != label:
                    what = f"{name!r} labels the group {axis.id}/{group} differently than another lexicon"
                    faults.append(Fault(what, where, "Use one label, or two group ids."))
    return faults


def _nonce_faults(suite: Suite, lexicons: Mapping[str, Lexicon], locate: Locate) -> list[Fault]:
    lexicon, group, where = lexicons[suite.nonce.lexicon], suite.nonce.group, locate(("nonce", "class"))
    if group is not None:
        if "class" not in lexicon.axes:
            what = f"the lexicon {lexicon.id!r} has no axis 'class'"
            return [Fault(what, where, "Leave out the class, or add the axis to the lexicon.")]
        known = lexicon.axes["class"].groups
        if group not in known:
            return [Fault(f"unknown class {group!r}", where, nearest(group, known))]
    real = {term.text.casefold() for lex in slot_lexicons(suite, lexicons) for term in lex.terms}
    shared = sorted(t.text for t in nonce_terms(suite, lexicons) if t.text.casefold() in real)
    if shared:
        what = f"the invented words name groups as well: {', '.join(shared)}"
        return [Fault(what, locate(("nonce", "lexicon")), "Choose words that name nobody.")]
    return []


def _form_faults(suite: Suite, lexicons: Mapping[str, Lexicon], locate: Locate) -> list[Fault]:
    faults: list[Fault] = []
    terms = [(lex, term) for lex in slot_lexicons(suite, lexicons) for term in lex.terms]
    terms += [(lexicons[suite.nonce.lexicon], term) for term in nonce_terms(suite, lexicons)]
    for index, template in enumerate(suite.templates):
        for form in dict.fromkeys(suite.slots(template)):
            lacking = [lex.key(term) for lex, term in terms if term.form(form) is None]
            if lacking:
                more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
                what = f"the form {form!r} is missing for {', '.join(lacking[:3])}{more}"
                remedy = f"Add 'forms: {{{form}: ...}}' to the terms, or use {{{suite.slot}}}."
                faults.append(Fault(what, locate(("templates", index, "text")), remedy))
    return faults


def _contrast_faults(
    suite: Suite, lexicons: Mapping[str, Lexicon], contrast: Contrast, locate: Callable[..., str]
) -> list[Fault]:
    faults: list[Fault] = []
    if contrast.crossed_with:
        return _interaction_faults(suite, lexicons, contrast, locate)
    for axis in axes_of(suite, lexicons, contrast):
        known = axis_groups(suite, lexicons, axis)
        if not known:
            faults += _axis_faults(suite, lexicons, axis, locate("axis"))
            continue
        for group in contrast.groups or ():
            if group not in known:
                what = f"the axis {axis!r} has no group {group!r}"
                faults.append(Fault(what, locate("groups"), nearest(group, known)))
        if contrast.reference not in (REST, OVERALL, *known):
            what = f"the axis {axis!r} has no group {contrast.reference!r}"
            near = nearest(contrast.reference, [*known, REST, OVERALL])
            faults.append(Fault(what, locate("reference"), near))
        if len(known) < 2:
            what = f"the axis {axis!r} has one group only"
            faults.append(Fault(what, locate("axis"), "Add a group to compare it with."))
        faults += _label_faults(contrast, known, locate)
        faults += _design_faults(suite, lexicons, contrast, axis, locate)
    return faults


def _axis_faults(suite: Suite, lexicons: Mapping[str, Lexicon], axis: str, where: str) -> list[Fault]:
    """Which axis is missing; of two that are crossed each by itself."""
    every = [name for lexicon in slot_lexicons(suite, lexicons) for name in lexicon.axes]
    lacking = [part for part in axis.split(JOIN) if part not in every]
    if lacking:
        return [
            Fault(
                f"no lexicon of the slot has the axis {part!r}",
                where,
                nearest(part, [*every, TERM_AXIS, ANY_AXIS]),
            )
            for part in lacking
        ]
    remedy = "Give terms a group on each, or name one axis."
    return [Fault(f"no term of the slot has a group on both axes of {axis!r}", where, remedy)]


def _label_faults(contrast: Contrast, known: Mapping[str, str], locate: Callable[..., str]) -> list[Fault]:
    """Cells whose name cannot be made from two labels, and names given to no cell."""
    faults: list[Fault] = []
    for cell in contrast.labels:
        if cell not in known:
            what = f"there is no cell {cell!r} to be labelled"
            faults.append(Fault(what, locate("labels", cell), nearest(cell, known)))
    for cell in (*(contrast.groups or known), contrast.reference):
        if known.get(cell) == "" and cell not in contrast.labels:
            what = f"the labels of the two groups of {cell!r} cannot be joined"
            faults.append(Fault(what, locate("axis"), f"Add a label under 'labels: {{{cell}: ...}}'."))
    return list(dict.fromkeys(faults))


def _interaction_faults(
    suite: Suite, lexicons: Mapping[str, Lexicon], contrast: Contrast, locate: Callable[..., str]
) -> list[Fault]:
    """Whether both axes of an interaction are there with their groups, and each cell has terms enough."""
    faults: list[Fault] = []
    named = {"groups": contrast.groups or (), "reference": (contrast.reference,)}
    sides = (
        ("axis", contrast.axis, named),
        ("crossed_with", contrast.crossed_with, {"crossed_reference": (contrast.crossed_reference,)}),
    )
    for key, axis, wanted in sides:
        known = axis_groups(suite, lexicons, axis)
        if not known:
            faults += _axis_faults(suite, lexicons, axis, locate(key))
            continue
        for place, groups in wanted.items():
            for group in groups:
                if group not in known:
                    what = f"the axis {axis!r} has no group {group!r}"
                    faults.append(Fault(what, locate(place), nearest(group, known)))
        if len(known) < 2:
            what = f"the axis {axis!r} has one group only"
            faults.append(Fault(what, locate(key), "Add a group to compare it with."))
    if faults:
        return faults
    (axis,) = axes_of(suite, lexicons, contrast)
    return _design_faults(suite, lexicons, contrast, axis, locate)


def _design_faults(
    suite: Suite, lexicons: Mapping[str, Lexicon], contrast: Contrast, axis: str, locate: Callable[..., str]
) -> list[Fault]:
    """Whether each group has as many terms as its design needs."""
    if axis == TERM_AXIS:
        return []
    slot = slot_lexicons(suite, lexicons)
    groups = compared(suite, lexicons, contrast, axis)
    terms = {group: terms_of(slot, axis, group) for group in groups}
    faults: list[Fault] = []
    if contrast.terms == "paired":
        pairs = {group: {term.pair for term in terms[group]} for group in groups}
        for group in groups:
            for term in terms[group]:
                others = [other for other in groups if other != group]
                lacking = [o for o in others if term.pair is None or term.pair not in pairs[o]]
                if lacking:
                    what = f"{term.id!r} ({group}) has no partner in {', '.join(lacking)}"
                    remedy = "Give it a pair id that each group has, or write 'terms: nested'."
                    faults.append(Fault(what, locate("terms"), remedy))
    for group in groups:
        count = len(terms[group])
        if contrast.terms == "nested" and count < 2:
            what = f"the group {group!r} has {count} term where terms are a sample"
            remedy = "Add terms of that group, or write 'terms: fixed' if the term is the group."
            faults.append(Fault(what, locate("terms"), remedy))
        if contrast.terms == "fixed" and count != 1:
            what = f"the group {group!r} has {count} terms where the term is the group"
            faults.append(Fault(what, locate("terms"), "Keep one term, or write 'terms: nested'."))
    return faults

"""A suite against its lexicons: do they fit, and which groups are then compared?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from probes.documents import Step, spell
from probes.errors import Fault, SuiteError
from probes.explain import nearest
from probes.lexicon import ANY_AXIS, REST, TERM_AXIS, Lexicon, Term
from probes.suite import Contrast, Role, Suite, TermDesign

Locate = Callable[[Sequence[Step]], str]


@dataclass(frozen=True)
class Comparison:
    """One group against its reference: a contrast with everything resolved.

    Attributes
    ----------
    id : str
        ``contrast/axis/group``; unique within a suite.
    axis : str
        An axis of ``Item.groups``, or ``term``: then ``group`` is an ``Item.term``.
    reference : str
        A group of the axis, or ``rest``: every other group of the axis, compared or not.
    claim : str
        As in the suite, placeholders open.
    """

    id: str
    contrast: str
    axis: str
    group: str
    reference: str
    group_label: str
    reference_label: str
    terms: TermDesign
    role: Role
    claim: str


def slot_lexicons(suite: Suite, lexicons: Mapping[str, Lexicon]) -> list[Lexicon]:
    """The lexicons that fill the slot, in the suite's order."""
    return [lexicons[name] for name in suite.lexicons]


def nonce_terms(suite: Suite, lexicons: Mapping[str, Lexicon]) -> list[Term]:
    """The invented words of the negative control, in the order of their lexicon."""
    lexicon, group = lexicons[suite.nonce.lexicon], suite.nonce.group
    return [term for term in lexicon.terms if group is None or term.groups.get("class") == group]


def axis_groups(suite: Suite, lexicons: Mapping[str, Lexicon], axis: str) -> dict[str, str]:
    """The groups of an axis over the slot's lexicons: id to label."""
    if axis == TERM_AXIS:
        return {lex.key(term): term.text for lex in slot_lexicons(suite, lexicons) for term in lex.terms}
    return {
        group: label
        for lexicon in slot_lexicons(suite, lexicons)
        if axis in lexicon.axes
        for group, label in lexicon.axes[axis].groups.items()
    }


def axes_of(suite: Suite, lexicons: Mapping[str, Lexicon], contrast: Contrast) -> list[str]:
    """The axes of a contrast: its own, or all of the slot's lexicons for ``*``."""
    if contrast.axis != ANY_AXIS:
        return [contrast.axis]
    return list(dict.fromkeys(axis for lex in slot_lexicons(suite, lexicons) for axis in lex.axes))


def comparisons(suite: Suite, lexicons: Mapping[str, Lexicon]) -> list[Comparison]:
    """Every group against its reference, in the order of the suite and its lexicons.

    Parameters
    ----------
    suite : Suite
        What is asked.
    lexicons : mapping
        By the names that the suite uses.

    Raises
    ------
    SuiteError
        If suite and lexicons do not fit.
    """
    check_suite(suite, lexicons)
    return [
        _comparison(suite, lexicons, contrast, axis, group)
        for contrast in suite.contrasts
        for axis in axes_of(suite, lexicons, contrast)
        for group in contrast.groups or axis_groups(suite, lexicons, axis)
        if group != contrast.reference
    ]


def _comparison(
    suite: Suite, lexicons: Mapping[str, Lexicon], contrast: Contrast, axis: str, group: str
) -> Comparison:
    labels = axis_groups(suite, lexicons, axis)
    return Comparison(
        id=f"{contrast.id}/{axis}/{group}",
        contrast=contrast.id,
        axis=axis,
        group=group,
        reference=contrast.reference,
        group_label=labels[group],
        reference_label=labels.get(contrast.reference, "the others compared"),
        terms=contrast.terms,
        role=contrast.role,
        claim=contrast.claim,
    )


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
    for axis in axes_of(suite, lexicons, contrast):
        known = axis_groups(suite, lexicons, axis)
        if not known:
            every = [name for lex in slot_lexicons(suite, lexicons) for name in lex.axes]
            what = f"no lexicon of the slot has the axis {axis!r}"
            faults.append(Fault(what, locate("axis"), nearest(axis, [*every, TERM_AXIS, ANY_AXIS])))
            continue
        for group in contrast.groups or ():
            if group not in known:
                what = f"the axis {axis!r} has no group {group!r}"
                faults.append(Fault(what, locate("groups"), nearest(group, known)))
        if contrast.reference != REST and contrast.reference not in known:
            what = f"the axis {axis!r} has no group {contrast.reference!r}"
            faults.append(Fault(what, locate("reference"), nearest(contrast.reference, [*known, REST])))
        if len(known) < 2:
            what = f"the axis {axis!r} has one group only"
            faults.append(Fault(what, locate("axis"), "Add a group to compare it with."))
        faults += _design_faults(suite, lexicons, contrast, axis, locate)
    return faults


def compared(suite: Suite, lexicons: Mapping[str, Lexicon], contrast: Contrast, axis: str) -> list[str]:
    """The groups of an axis whose terms a contrast reads, its reference included."""
    known = axis_groups(suite, lexicons, axis)
    if contrast.groups is None or contrast.reference == REST:
        return list(known)
    return [group for group in known if group in (*contrast.groups, contrast.reference)]


def _design_faults(
    suite: Suite, lexicons: Mapping[str, Lexicon], contrast: Contrast, axis: str, locate: Callable[..., str]
) -> list[Fault]:
    """Whether each group has as many terms as its design needs."""
    if axis == TERM_AXIS:
        return []
    slot = slot_lexicons(suite, lexicons)
    groups = compared(suite, lexicons, contrast, axis)
    terms = {group: [term for lex in slot for term in lex.of_group(axis, group)] for group in groups}
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

"""How often a detector of refusals agrees with a reader, on replies that are labelled one by one.

The replies (pack ``refusal-replies``) come in three parts. Rules may be fitted to the part ``tuning``;
nothing is fitted to ``held-out``, by the hands that wrote the rules, or to ``second``, by another writer.
These two together are quoted and used for corrections. No reply is a model's.

How often a detector errs depends on how a reply is worded. Hard kinds (refusals that change the subject,
quotations, plays) are many here, so that their errors can be counted; models mostly write the usual ones
(:data:`USUAL`), and a rate is corrected by the errors on those. The second writer's replies are harder for
both detectors than those of their own makers, and a model's may be harder still: labels of the very outputs
are better than any of these.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from audit.stats.agreement import detection
from audit.stats.estimate import Undefined
from audit.stats.intervals import Interval
from audit.stats.scorer_accuracy import Accuracy
from probes.benchmarks.packs import pack

Part = Literal["tuning", "held-out", "second"]
HELD_OUT: tuple[Part, ...] = ("held-out", "second")
"""The parts to which no rule is fitted."""
USUAL = frozenset({"stock", "plain", "answer", "warned", "question", "short"})
"""Kinds of replies in the wordings that assistants mostly use: refusals the first two, other replies all but
``plain``."""
ANY: frozenset[str] = frozenset()
"""Replies of every kind."""

Declines = Callable[[str], bool]
"""Whether a detector calls a reply a refusal."""


@dataclass(frozen=True)
class LabelledReply:
    """A reply with what a reader says of it.

    Attributes
    ----------
    refused : bool
        Whether it declines to do what was asked.
    kind : str
        Which kind of refusal or of other reply; the pack lists them.
    part : {"tuning", "held-out", "second"}
        Rules may be fitted to the first; the other two differ in their writers.
    group : str
        Label of the group that it names; empty where it names none.
    """

    id: str
    text: str
    refused: bool
    kind: str
    part: Part
    group: str


@cache
def labelled_replies() -> tuple[LabelledReply, ...]:
    """Every labelled reply, in the order of the pack.

    Examples
    --------
    >>> first = labelled_replies()[0]
    >>> first.id, first.part, first.refused
    ('r001', 'tuning', True)
    """
    rows: list[dict[str, Any]] = pack("refusal-replies")["replies"]
    return tuple(LabelledReply(**{"group": "", **row}) for row in rows)


def accuracy_of(
    declines: Declines,
    parts: Collection[Part] = HELD_OUT,
    group: str | None = None,
    kinds: frozenset[str] = ANY,
) -> Accuracy | Undefined:
    """How often a detector agrees with the labels of some parts.

    Parameters
    ----------
    declines : callable
        Text to whether it is called a refusal.
    parts : collection of {"tuning", "held-out", "second"}
        Of the labelled replies.
    group : str, optional
        Only the replies that name this group; ``""`` for those that name none.
    kinds : frozenset of str
        Only replies of these kinds; all where it is empty.

    Returns
    -------
    Accuracy or Undefined
        Sensitivity: share of the refusals that are found. Specificity: share of the other replies that are
        not called refusals. Undefined where there are no replies of both kinds.

    Examples
    --------
    >>> accuracy_of(lambda text: True)
    Accuracy(sensitivity=1.0, n_positive=87, specificity=0.0, n_negative=87)
    """
    rows = _of(parts, group, kinds)
    return Accuracy.of([row.refused for row in rows], [declines(row.text) for row in rows])


def errors_phrase(declines: Declines) -> str:
    """A detector's errors on the held-out replies, as a card says them.

    Examples
    --------
    >>> print(errors_phrase(lambda text: True))  # doctest: +NORMALIZE_WHITESPACE
    on 95 held-out replies in usual wordings: sensitivity 1.00 [0.91, 1.00], specificity 0.00 [0.00, 0.06];
    on all 174: sensitivity 1.00 [0.96, 1.00], specificity 0.00 [0.00, 0.04]; on the 62 of them that are
    not by the writers of the rules: sensitivity 1.00 [0.89, 1.00], specificity 0.00 [0.00, 0.11]
    """
    usual, everything, others = _of(HELD_OUT, None, USUAL), _of(HELD_OUT), _of(["second"])
    return (
        f"on {len(usual)} held-out replies in usual wordings: {_rates(declines, usual)}; "
        f"on all {len(everything)}: {_rates(declines, everything)}; on the {len(others)} of them that are "
        f"not by the writers of the rules: {_rates(declines, others)}"
    )


def _of(
    parts: Collection[Part], group: str | None = None, kinds: frozenset[str] = ANY
) -> list[LabelledReply]:
    return [
        row
        for row in labelled_replies()
        if row.part in parts and group in (None, row.group) and (not kinds or row.kind in kinds)
    ]


def _rates(declines: Declines, rows: Sequence[LabelledReply]) -> str:
    found = detection([row.refused for row in rows], [declines(row.text) for row in rows])
    return f"sensitivity {_shown(found.sensitivity)}, specificity {_shown(found.specificity)}"


def _shown(interval: Interval | Undefined) -> str:
    if isinstance(interval, Undefined):
        return f"unknown ({interval.reason})"
    return f"{interval.estimate:.2f} [{interval.lo:.2f}, {interval.hi:.2f}]"

"""Prompts that a model continues, and what becomes of each continuation: shared by measures of written text.

::

    items ─ continue_each ─▶ Generate ⇒ samples ─ continuations ─▶ texts ─ scored_by ─▶ values

A sample is one answer, its number the part. What stands in a prompt is not the model's, and a measure that
scores it with the continuation says why. A continuation without a letter is *empty*, one that
declines is *refused*; neither is a neutral text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from audit.benchmarks.base import Answer, Answered, Items, Question, Setup
from audit.benchmarks.captured import (
    MOST_ANSWERS,
    MOST_FAULTS,
    CapturedRow,
    answers_of_scores,
    read_rows,
    sample_of,
    texts_of,
)
from audit.benchmarks.text_scores import MODEL, check_scorer, follow_up_requests, score_texts
from audit.benchmarks.written.outcomes import outcome_of
from audit.requests import Generate, Request, Response
from audit.scores import NO_LETTER, has_letter
from probes.benchmarks.items import BenchmarkItem
from probes.errors import Fault, InputError

PROMPT = "prompt"
"""Name of the text of an item that is continued."""
SAMPLES = ("*",)
"""Parts of such a measure: numbered samples."""
BLANK = "the published prompt is blank"


def request_of(item: BenchmarkItem, setup: Setup) -> Generate:
    """The question about one item: its prompt, continued ``setup.samples`` times."""
    return Generate(
        prompt=item.texts[PROMPT],
        samples=setup.samples,
        max_new_tokens=setup.max_new_tokens,
        temperature=setup.temperature,
        top_p=setup.top_p,
        seed=setup.seed,
    )


def continue_each(items: Items, setup: Setup) -> list[Question]:
    """One question an item; an item whose published prompt is blank is not asked, and is counted *empty*."""
    return [Question(item.id, "*", request_of(item, setup)) for item in items if item.texts[PROMPT].strip()]


def ask_to_score(items: Items, setup: Setup) -> list[Question]:
    """As :func:`continue_each`, once it is sure that the texts can be scored.

    Raises
    ------
    InputError
        If the scorer is none that is known, or is a classifier without a label.
    """
    check_scorer(setup)
    return continue_each(items, setup)


def continuations(items: Items, setup: Setup, answered: Answered) -> list[Answer]:
    """Every sample of every item, with its text and no value yet."""
    return [answer for item in items for answer in _of_item(item, setup, answered)]


def _of_item(item: BenchmarkItem, setup: Setup, answered: Answered) -> list[Answer]:
    if not item.texts[PROMPT].strip():
        return [Answer(item.id, "0", None, "empty", BLANK)]
    response = answered(request_of(item, setup))
    reason = response.error
    if not reason and len(response.samples) != setup.samples:
        reason = f"{len(response.samples)} of {setup.samples} samples came"
    if reason:
        return [Answer(item.id, str(number), None, "error", reason) for number in range(setup.samples)]
    return [_judged(Answer(item.id, str(n), None, text=s.text)) for n, s in enumerate(response.samples)]


def _judged(answer: Answer) -> Answer:
    """The answer with its status, where what was written cannot be scored."""
    if answer.status != "scored":
        return answer
    if not has_letter(answer.text):
        return replace(answer, status="empty", reason=NO_LETTER)
    if outcome_of(answer.text) == "refused":
        return replace(answer, status="refused", reason="the text declines to go on")
    return answer


def scored_by(answers: Sequence[Answer], setup: Setup, answered: Answered) -> list[Answer]:
    """The answers with the scorer's value of each text that was written; the others as they are."""
    written = [answer for answer in answers if answer.status == "scored"]
    scores = iter(score_texts([answer.text for answer in written], setup, answered))
    found = []
    for answer in answers:
        if answer.status == "scored":
            score = next(scores)
            answer = replace(answer, value=score.value, status=score.status, reason=score.reason)
        found.append(answer)
    return found


def read_scored(items: Items, setup: Setup, answered: Answered) -> list[Answer]:
    """Every sample of every item with the scorer's value of its text."""
    return scored_by(continuations(items, setup, answered), setup, answered)


def ask_scorer(items: Items, setup: Setup, answered: Answered) -> list[Question]:
    """What a classifier is asked about the continuations; nothing where a word list scores them."""
    written = continuations(items, setup, answered)
    known = set(follow_up_requests([answer.text for answer in written if answer.status == "scored"], setup))
    asked = []
    for answer in written:
        requests = follow_up_requests([answer.text], setup) if answer.status == "scored" else []
        asked += [Question(answer.item, answer.part, request) for request in requests if request in known]
        known -= set(requests)
    return asked


def captured_texts(path: Path, items: Items) -> list[Answer]:
    """Outputs of a file (``id``, ``sample``, ``text``), with status and no value yet."""
    return [_judged(answer) for answer in texts_of(path, items)]


def captured_scored(path: Path, items: Items, setup: Setup) -> list[Answer]:
    """Scores of a file (``id``, ``sample``, ``score``), or its outputs (``text``) by a word list.

    Raises
    ------
    InputError
        If the file holds texts only and the scorer is a classifier, which a file cannot ask.
    """
    rows = read_rows(path)
    if rows and all("score" in row.fields for row in rows):
        return captured_samples(path, rows, items)
    check_scorer(setup)
    if setup.scorer == MODEL:
        what = "a file of texts cannot ask the classifier that scores them"
        raise InputError(Fault(what, str(path), "Give a column score, or name a word list as the scorer."))
    return scored_by(captured_texts(path, items), setup, _no_responses)


def captured_samples(path: Path, rows: Sequence[CapturedRow], items: Items) -> list[Answer]:
    """Scores by sample; samples without a number are counted in the order of the file."""
    count: dict[str, int] = {}
    named = []
    faults = []
    for row in rows:
        identity = str(row.fields.get("id"))
        number = count.get(identity, 0)
        count[identity] = number + 1
        try:
            part = sample_of(row.fields.get("sample")) or str(number)
        except ValueError as error:
            faults.append(Fault(str(error), f"{path}:{row.line}", "Number the samples of an item from 0."))
            continue
        kept = {key: row.fields.get(key) for key in ("id", "score", "status")}
        named.append(CapturedRow(row.line, {**kept, "part": part}))
    if faults:
        raise InputError(faults[:MOST_FAULTS])
    parts = dict.fromkeys(str(row.fields["part"]) for row in named)
    if len(parts) * len(items) > MOST_ANSWERS:
        what = f"{len(parts):,} samples of {len(items):,} items do not fit into memory"
        raise InputError(Fault(what, str(path), "Give fewer samples, numbered from 0 for each item."))
    return answers_of_scores(path, named, items, list(parts) or ["0"])


def _no_responses(request: Request) -> Response:
    raise LookupError(f"a captured file answers no {request.form} request")


def unscored(answers: Sequence[Answer]) -> dict[str, int]:
    """How many answers have no value, by status.

    Examples
    --------
    >>> unscored([Answer("0", "0", 0.5), Answer("0", "1", None, "refused"), Answer("1", "0", None, "empty")])
    {'refused': 1, 'empty': 1}
    """
    found: dict[str, int] = {}
    for answer in answers:
        if answer.value is None:
            found[answer.status] = found.get(answer.status, 0) + 1
    return found


def status_notes(answers: Sequence[Answer], group_of: Callable[[Answer], str]) -> tuple[str, ...]:
    """A sentence for each group some of whose texts have no value, or are a loop: how many, by status.

    A loop of the same words is scored like any other text, and counted beside.

    Examples
    --------
    >>> status_notes([Answer("0", "0", None, "refused"), Answer("0", "1", 0.1)], lambda answer: "women")
    ('women: 1 of 2 texts not scored (1 refused)',)
    """
    by_group: dict[str, list[Answer]] = {}
    for answer in answers:
        by_group.setdefault(group_of(answer), []).append(answer)
    notes = []
    for group in sorted(by_group):
        counts, total = unscored(by_group[group]), len(by_group[group])
        if counts:
            named = ", ".join(f"{number:,} {status}" for status, number in sorted(counts.items()))
            notes.append(f"{group}: {sum(counts.values()):,} of {total:,} texts not scored ({named})")
        loops = sum(a.value is not None and outcome_of(a.text) == "repeated" for a in by_group[group])
        if loops:
            notes.append(f"{group}: {loops:,} of {total:,} texts repeat themselves")
    return tuple(notes)


def in_order(answers: Iterable[Answer]) -> list[Answer]:
    """Answers by item and number of the sample, whatever order they came in.

    Examples
    --------
    >>> [answer.part for answer in in_order([Answer("a", "10", 0.0), Answer("a", "9", 0.0)])]
    ['9', '10']
    """
    return sorted(answers, key=lambda answer: (answer.item, number_of(answer), answer.part))


def number_of(answer: Answer) -> int:
    """The number of a sample; 0 where its part is no number."""
    return int(answer.part) if answer.part.isdecimal() else 0


def value_of(answer: Answer) -> float:
    """The answer's value, NaN where it has none."""
    return float("nan") if answer.value is None else answer.value

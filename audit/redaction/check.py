"""Is a redacted copy what it says: as far as can be told without the texts and, with its original, whole."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from audit.bundle import ENGAGEMENT, MANIFEST, REVIEWS, Bundle, Record, members
from audit.kept import KeptAnswers
from audit.plan import planned_scorers
from audit.redaction.copying import texts_of, write_copy
from audit.redaction.document import read_redaction
from audit.redaction.masked import masked_word
from audit.redaction.stating import answered
from audit.redaction.withheld import Stated, Withheld
from audit.requests import Classify
from audit.wording import counted

SHOWN = 20
"""Faults that are named."""


def check_redaction(bundle: Bundle, answers: KeptAnswers) -> tuple[str, tuple[str, ...]]:
    """What can be told of a copy by itself, and every departure.

    Its plan and chain are those that it says its original has; no text is left; equal hashes have equal
    lengths and scores; scores of scorers that were asked are those that their kept answers give.
    """
    told = read_redaction(bundle.root)
    faults = []
    for name, value in (("plan_sha256", bundle.plan_sha256), ("chain_sha256", answers.head)):
        if told.data()[name] != value:
            faults.append(f"redaction.json: its {name} is another than that of what lies here")
    known: dict[str, Withheld] = {}

    def own(said: Stated) -> Stated | None:
        """What a kept answer gives, of a scorer that was asked; else what is stated."""
        if not said.request or said.scorer not in asked:
            return said
        return answered(asked[said.scorer], said.request, answers.responses)

    asked = {scorer.name: scorer for scorer in planned_scorers(bundle.plan) if scorer.kind == "asked"}
    once_asked = {scorer.construct for scorer in asked.values()}
    unasked = {scorer.name for scorer in planned_scorers(bundle.plan) if scorer.construct in once_asked}
    always = told.scorers.keys() - unasked
    records = texts = 0
    for record in bundle.records():
        records, texts = records + (record.redacted is not None), texts + texts_of(record)
        if holds_text(record):
            faults.append(f"records: record {record.n} holds a text that a redacted copy withholds")
        for one in shapes(record):
            if known.setdefault(one.sha256, one) != one:
                faults.append(
                    f"records: record {record.n}: one text, by its hash, with two lengths or scores"
                )
            faults += score_faults(record.n, one, told.scorers, always, own)
    if (told.records, told.texts) != (records, texts):
        stated = f"{told.texts} texts in {told.records} records"
        faults.append(f"redaction.json: says {stated}, and there are {texts} in {records}")
    detail = (
        f"{counted(texts, 'text')} withheld; their scores and hashes are taken as stated, which only "
        "--original can check"
    )
    return detail, tuple(faults[:SHOWN])


def holds_text(record: Record) -> bool:
    """Whether a record still holds a text that a model wrote."""
    request = record.request
    classified = isinstance(request, Classify) and bool(request.text or request.pair)
    words = any(word != masked_word(word) for word in record.response.words)
    return classified or words or any(sample.withheld is None for sample in record.response.samples)


def shapes(record: Record) -> Iterator[Withheld]:
    """What stands in a record in the place of texts that were scored."""
    for sample in record.response.samples:
        if sample.withheld is not None:
            yield sample.withheld


def score_faults(
    n: int,
    one: Withheld,
    scorers: Collection[str],
    always: Collection[str],
    own: Callable[[Stated], Stated | None],
) -> Iterator[str]:
    """Where the scores of a text are not by the scorers that are named, or not what a kept answer gives.

    ``always``: the scorers that score every text; the others score those that somebody was asked about.
    """
    for lost in sorted(set(always) - {said.scorer for said in one.scores}):
        yield f"records: record {n}: a text without a score by {lost}"
    for said in one.scores:
        if said.scorer not in scorers:
            yield f"records: record {n}: a score by {said.scorer!r}, which redaction.json does not name"
        elif said != own(said):
            yield f"records: record {n}: not what the kept answer of {said.scorer} gives"


def check_original(root: Path, original: Path) -> tuple[str, tuple[str, ...]]:
    """Whether a copy is, byte for byte, the redaction of a bundle; what was made in it since is left out.

    Raises
    ------
    BundleError
        If the other folder holds no finished audit, or a broken one.
    """
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder)
        write_copy(Bundle(original), again)
        one, other = held(root), held(again)
        faults = [f"{name}: is missing" for name in sorted(other.keys() - one.keys())]
        faults += [
            f"{name}: the redaction of the original has no such file"
            for name in sorted(one.keys() - other.keys())
        ]
        faults += [
            f"{name}: is not that of the original{' redacted' if name.startswith('records/') else ''}"
            for name in sorted(one.keys() & other.keys())
            if one[name].read_bytes() != other[name].read_bytes()
        ]
    return f"byte for byte the redaction of {original}", tuple(faults[:SHOWN])


def held(root: Path) -> dict[str, Path]:
    """The files of a copy that its original decides, by their paths."""
    more = [path for name in (MANIFEST, REVIEWS, ENGAGEMENT) if (path := root / name).is_file()]
    return {path.relative_to(root).as_posix(): path for path in [*members(root), *more]}

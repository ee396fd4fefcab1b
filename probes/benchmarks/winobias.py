"""WinoBias: pairs of sentences that differ in the gender of a pronoun for one of two occupations.

One item a line of the published files. Its texts: ``pro``, the sentence whose pronoun has the gender that
dominates the occupation referred to; ``anti``, the same with the other gender; and ``slot``, ``pro`` with
``{answer}`` in the place of its pronoun, left out where a second pronoun would tell the gender or both
sentences have the same one. Sentences are the published ones less the brackets, their spaces before 's kept.

Labels: ``split`` (dev, test); ``referent`` and ``other`` (occupations); ``anti_referent``, which is
``referent`` but in two published lines; ``gender`` (that of the pronoun of ``pro``); ``female`` and ``male``
(the occupation held mostly by women, and by men); ``pro_pronoun`` and ``anti_pronoun``; and ``alike``:
``yes`` where the sentences differ in pronouns alone, which the published ones do not in 20 lines. The subset
is ``type1`` (the facts tell the referent) or ``type2`` (the syntax does); the cluster is the pair of
occupations.
"""

from __future__ import annotations

import re
from pathlib import Path

from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import Fault, InputError

NAME = "winobias"
TYPES = ("type1", "type2")
SPLITS = ("dev", "test")
FEMALE = frozenset({"she", "her", "hers", "herself"})
MALE = frozenset({"he", "him", "his", "himself"})
SLOT = "{answer}"
"""Marks the place of the pronoun, as a request to fill it does."""

_BRACKET = re.compile(r"\[\s*([^\]]*?)\s*\]")
_LINE = re.compile(r"(\d+) (\S.*)")
_PRONOUN = re.compile(rf"\b(?:{'|'.join(sorted(FEMALE | MALE))})\b", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:(?:the|an?)\s+)+", re.IGNORECASE)

Line = tuple[int, str]
"""A line's place in its file, and its sentence with brackets."""


def winobias(data: DataFolder) -> list[BenchmarkItem]:
    """Every pair of the development and test sets, in the files' order.

    Raises
    ------
    InputError
        If a file is missing, is not the published one, or has a line that is no sentence with a bracketed
        pronoun and occupation; every such line is named.
    """
    data.files(NAME)
    root = "winobias/data"
    occupations = {
        gender: _words(data.file(NAME, f"{root}/{gender}_occupations.txt")) for gender in ("female", "male")
    }
    items: list[BenchmarkItem] = []
    faults: list[Fault] = []
    for kind in TYPES:
        for split in SPLITS:
            pro, anti = (
                data.file(NAME, f"{root}/{side}_stereotyped_{kind}.txt.{split}") for side in ("pro", "anti")
            )
            ours, theirs = _lines(pro, faults), _lines(anti, faults)
            if len(ours) != len(theirs):
                what = f"{len(theirs)} sentences, where {pro.name} has {len(ours)}"
                faults.append(Fault(what, str(anti), "Give one anti-stereotyped line for each."))
                continue
            for (place, one), (_, other) in zip(ours, theirs, strict=True):
                try:
                    items.append(_item(f"{kind}-{split}-{place}", one, other, occupations))
                except ValueError as error:
                    faults.append(Fault(str(error), f"{pro}:{place}", "Correct the line or its counterpart."))
    if faults:
        raise InputError(faults)
    return items


def _item(identity: str, pro: str, anti: str, occupations: dict[str, list[str]]) -> BenchmarkItem:
    """One pair; a ValueError says what is wrong with it."""
    pronouns = [_pronoun(sentence) for sentence in (pro, anti)]
    referent, anti_referent = _referent(pro), _referent(anti)
    sides = {gender: _found(pro, words) for gender, words in occupations.items()}
    own = next((gender for gender, words in occupations.items() if referent in words), None)
    if own is None:
        raise ValueError(f"{referent!r} is not in the lists of occupations")
    across = "male" if own == "female" else "female"
    if not sides[across]:
        raise ValueError(f"no occupation beside {referent!r} that is held mostly by the other gender")
    other = sides[across][0]
    gender = "female" if pronouns[0].lower() in FEMALE else "male"
    texts = {"pro": _plain(pro), "anti": _plain(anti)}
    if len(_PRONOUN.findall(pro)) == 1 and pronouns[0].lower() != pronouns[1].lower():
        texts["slot"] = _plain(_BRACKET.sub(_marked, pro))
    pair = {own: referent, across: other}
    kind, split, _ = identity.split("-")
    return BenchmarkItem(
        identity,
        texts,
        kind,
        f"{pair['female']}+{pair['male']}",
        {
            "split": split,
            "referent": referent,
            "other": other,
            "gender": gender,
            "female": pair["female"],
            "male": pair["male"],
            "pro_pronoun": pronouns[0],
            "anti_pronoun": pronouns[1],
            "anti_referent": anti_referent,
            "alike": "yes" if _alike(pro, anti) else "no",
        },
    )


def _pronoun(sentence: str) -> str:
    """The first bracketed pronoun."""
    for word in _BRACKET.findall(sentence):
        if _PRONOUN.fullmatch(word):
            return str(word)
    raise ValueError("no bracketed pronoun")


def _referent(sentence: str) -> str:
    """The bracketed occupation, without its article."""
    for name in _BRACKET.findall(sentence):
        if not _PRONOUN.fullmatch(name):
            return _ARTICLE.sub("", name)
    raise ValueError("no bracketed occupation")


def _alike(pro: str, anti: str) -> bool:
    """Whether two sentences have the same words but for their pronouns, which all change gender."""
    same = _PRONOUN.sub("#", _plain(pro)) == _PRONOUN.sub("#", _plain(anti))
    ours, theirs = (_PRONOUN.findall(_plain(sentence).lower()) for sentence in (pro, anti))
    return same and all((one in FEMALE) != (other in FEMALE) for one, other in zip(ours, theirs, strict=True))


def _found(sentence: str, words: list[str]) -> list[str]:
    """The listed occupations that a sentence names, in its order."""
    text = _plain(sentence)
    places = {word: re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in words}
    return sorted((word for word in words if places[word]), key=lambda word: _start(places[word]))


def _start(match: re.Match[str] | None) -> int:
    return match.start() if match else -1


def _marked(match: re.Match[str]) -> str:
    return SLOT if _PRONOUN.fullmatch(match[1]) else match[1]


def _plain(sentence: str) -> str:
    """A sentence without its brackets."""
    return _BRACKET.sub(lambda match: match[1], sentence).replace("[", "").replace("]", "")


def _lines(path: Path, faults: list[Fault]) -> list[Line]:
    found = []
    for place, line in enumerate(path.read_text("utf-8").split("\n"), start=1):
        match = _LINE.fullmatch(line.strip())
        if match:
            found.append((place, match[2]))
        elif line.strip():
            faults.append(Fault("not a number and a sentence", f"{path}:{place}", "Correct the line."))
    return found


def _words(path: Path) -> list[str]:
    return [word.strip() for word in path.read_text("utf-8").split("\n") if word.strip()]

"""The suites and lexicons that come with the instrument, and those a user brings."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from probes import documents
from probes.documents import ROOM
from probes.errors import Fault, SuiteError
from probes.explain import nearest
from probes.fit import fit_faults
from probes.lexicon import Lexicon, lexicon_from_document
from probes.suite import Suite, build
from probes.suite_checks import check_document

Kind = Literal["suite", "lexicon"]

_FOLDERS: Mapping[Kind, Path] = {"suite": ROOM / "suites", "lexicon": ROOM / "lexicons"}


def suite_ids() -> tuple[str, ...]:
    """The suites that come with the instrument."""
    return _ids("suite")


def lexicon_ids() -> tuple[str, ...]:
    """The lexicons that come with the instrument."""
    return _ids("lexicon")


def _ids(kind: Kind) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _FOLDERS[kind].glob("*.yaml")))


def is_path(name: str | Path) -> bool:
    """Whether a user means a file: a path, a name ending in .yaml or .yml, or one with a separator.

    Examples
    --------
    >>> is_path("occupations"), is_path("mine.yaml"), is_path("suites/mine")
    (False, True, True)
    """
    separators = [os.sep, os.altsep or os.sep, "/"]
    return isinstance(name, Path) or name.endswith((".yaml", ".yml")) or any(s in name for s in separators)


def _resolve(name: str | Path, kind: Kind) -> Path:
    if is_path(name):
        return Path(name)
    known = _ids(kind)
    if name not in known:
        fault = Fault(f"no such {kind} {str(name)!r}", remedy=nearest(str(name), known))
        raise SuiteError(fault)
    return _FOLDERS[kind] / f"{name}.yaml"


@functools.cache
def _packaged_lexicon(name: str) -> Lexicon:
    return lexicon_from_document(documents.read(_resolve(name, "lexicon"), "lexicon"))


def load_lexicon(name_or_path: str | Path) -> Lexicon:
    """Load a lexicon that comes with the instrument by its id, or a user's by its path.

    Raises
    ------
    SuiteError
        With every fault of the file, or the nearest names if there is no such lexicon.

    Examples
    --------
    >>> load_lexicon("occupations").id
    'occupations'
    """
    if isinstance(name_or_path, str) and not is_path(name_or_path):
        return _packaged_lexicon(name_or_path)
    return lexicon_from_document(documents.read(_resolve(name_or_path, "lexicon"), "lexicon"))


def load_suite(name_or_path: str | Path) -> Suite:
    """Load a suite that comes with the instrument by its id, or a user's by its path.

    The suite is checked against its lexicons as well, so that what is returned can be expanded.

    Raises
    ------
    SuiteError
        With every fault of the file and of its lexicons, or the nearest names if there is no such suite.

    Examples
    --------
    >>> load_suite("occupations").slot
    'occupation'
    """
    document = documents.read(_resolve(name_or_path, "suite"), "suite")
    check_document(document)
    if not document.sound:
        raise SuiteError(document.faults)
    suite = build(document)
    lexicons, unread = _read_lexicons(suite, document)
    faults = [*document.faults, *unread]
    if not unread:
        faults += fit_faults(suite, lexicons, document.locate)
    if faults:
        raise SuiteError(faults)
    return suite


def lexicons_of(suite: Suite) -> dict[str, Lexicon]:
    """The lexicons of a suite, nonce included, by the names that the suite uses.

    A name is the id of a lexicon that comes with the instrument, or a path relative to the suite's file.

    Raises
    ------
    SuiteError
        With every fault of every lexicon.
    """
    lexicons, faults = _read_lexicons(suite, documents.Document(where=suite.where))
    if faults:
        raise SuiteError(faults)
    return lexicons


def _read_lexicons(suite: Suite, document: documents.Document) -> tuple[dict[str, Lexicon], list[Fault]]:
    lexicons: dict[str, Lexicon] = {}
    faults: list[Fault] = []
    places = {name: ("lexicons", index) for index, name in enumerate(suite.lexicons)}
    for name in dict.fromkeys([*suite.lexicons, suite.nonce.lexicon]):
        where = document.locate(places.get(name, ("nonce", "lexicon")))
        if not is_path(name) and name not in lexicon_ids():
            remedy = nearest(name, lexicon_ids())
            faults.append(Fault(f"unknown lexicon {name!r}", where, remedy))
            continue
        path = Path(suite.where).parent / name if is_path(name) else name
        if isinstance(path, Path) and not os.path.isfile(path):
            remedy = "Paths of lexicons are relative to the suite's file."
            faults.append(Fault(f"there is no lexicon file {path}", where, remedy))
            continue
        try:
            lexicons[name] = load_lexicon(path)
        except SuiteError as error:
            faults += error.faults
    return lexicons, faults

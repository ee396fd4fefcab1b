"""Words that claim more than a measurement shows: a report that would hold one is not written.

What others said stands in a report word for word: the names of models, the cards of their authors, the words
of reviewers. ``QUOTED`` and ``NAMED`` list where that is, and nothing else is let through.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from probes.errors import Fault, InputError

Step = str | int
Place = tuple[Step, ...]

CLAIMS = re.compile(
    r"""(?<!\w)(?:
        compliant(?:ly)? | certif(?:ied|ies|y|ying) | guarantee(?:s|d|ing)? | safe(?:r|st|ly)?
        | bias[-‐‑\ ]free | un[-‐‑]?biased | de[-‐‑]?bias(?:ed|es|ing)?
    )(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)
"""A word that no measurement supports; a sentence with "not" before it is no better, and is refused, too."""

QUOTED = (
    "cover.claims_limits.*",
    "*.must_not_claim",
    "*.must_not_claim.*",
    "cover.models.*",
    "provenance.*.value",
    "provenance.*.value.*",
    "provenance.*.source",
    "provenance.*.declared_by",
    "*.critiques.*",
    "findings.*.record.*",
    "findings.*.review.*",
    "families.*",
    "controls.*",
    "coverage.*",
    "tokenisation.*",
    "reviews.*",
    "reproduction.runs.*",
    "settings.asked.*",
    "examples.findings.*.items.*",
    "selection.tables.*.rows.*.categories.*",
    "selection.tables.*.reference.*",
    "published.*.result.data.*",
    "published.*.result.*.id",
    "published.*.result.scorings.*",
    "changes.earlier.title",
    "changes.plan.*",
    "changes.environment.*",
)
"""Where a report says what is not said, or quotes: ``*`` stands for any steps. The disclaimer and the lists
of what must not be claimed; models and their cards; titles of critiques; findings, controls, counts as they
lie in the bundle; reviewers' words; machines and packages; the probes' own prompts; categories of a
user's table; values of two plans; what others said of a data set, and what a model's answers hold."""

NAMED = (
    ("cover", "models", "id"),
    ("suites", "id"),
    ("findings", "record", "group_label"),
    ("findings", "record", "reference_label"),
    ("findings", "record", "crossed_group_label"),
    ("findings", "record", "crossed_reference_label"),
    ("findings", "record", "undefined"),
    ("method", "measures", "scorers"),
)
"""Names and reasons that sentences of the report quote: they are let through wherever they stand."""

ASKED = ("claim", "statement", "condition")
"""Keys of sentences in which words between asterisks are the answers that were asked for."""

REMEDY = "Say what was measured, of which groups, instead."


def claims_in(text: str) -> list[str]:
    """Every word of a text that claims too much, in order.

    Examples
    --------
    >>> claims_in("A safe model, and Guaranteed; safety and a certificate are other words")
    ['safe', 'Guaranteed']
    >>> claims_in("Non-compliant, bias free")
    ['compliant', 'bias free']
    """
    return [found[0] for found in CLAIMS.finditer(as_read(text))]


def as_read(text: str) -> str:
    r"""A text as a reader sees it: without signs that take no room, wide letters as plain ones.

    Examples
    --------
    >>> as_read("gua" + chr(0x200B) + "ranteed")
    'guaranteed'
    """
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")


def strings(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every text of plain data with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings(item, (*place, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from strings(item, (*place, index))


def overclaims(data: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """Place and word of everything in a report that claims more than a measurement shows.

    Parameters
    ----------
    data : mapping
        The data of a report, or a part of it under its own key.
    """
    found: list[tuple[Place, str]] = []
    names: re.Pattern[str] | None = None
    for place, text in strings(data):
        if not CLAIMS.search(as_read(text)) or is_quoted(place):
            continue
        if names is None:
            names = names_of(data)
        said = names.sub(" ", text)
        if place[-1] in ASKED:
            said = re.sub(r"\*[^*\s][^*]*\*", " ", said)
        found += [(place, word) for word in claims_in(said)]
    return found


def is_quoted(place: Place) -> bool:
    """Whether a place is one of ``QUOTED``.

    Examples
    --------
    >>> is_quoted(("cover", "claims_limits", 0)), is_quoted(("cover", "title"))
    (True, False)
    """
    name = ".".join(str(step) for step in place)
    return any(fnmatchcase(name, pattern) for pattern in QUOTED)


def names_of(data: Mapping[str, Any]) -> re.Pattern[str]:
    """What finds the names that the report's sentences quote, the longest first."""
    names = {text for path in NAMED for text in at(data, path)}
    names |= {str(reason) for row in data.get("coverage", ()) for reason in row["reasons"]}
    ordered = sorted((name for name in names if name), key=len, reverse=True)
    return re.compile("|".join(re.escape(name) for name in ordered) or r"(?!)")


def at(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    """The texts at a path of keys, through every entry of the lists on the way."""
    if isinstance(value, list):
        for item in value:
            yield from at(item, path)
    elif path and isinstance(value, Mapping):
        yield from at(value.get(path[0]), path[1:])
    elif not path and isinstance(value, str):
        yield value


def without_overclaims(data: dict[str, Any], where: str) -> dict[str, Any]:
    """The data of a report, if none of it claims more than a measurement shows.

    Parameters
    ----------
    where : str
        The bundle, for the message.

    Raises
    ------
    InputError
        Naming every place and word. What the report itself words is held to the same rule by the tests, so
        that a fault here is one of the plan's title, of a suite's texts or of another file that was given.
    """
    faults = [
        Fault(f"the report would say {word!r}", f"{where}: {spelled(place)}", remedy(place))
        for place, word in overclaims(data)
    ]
    if faults:
        raise InputError(faults)
    return data


def remedy(place: Place) -> str:
    """What to do about a word at a place."""
    if place == ("cover", "title"):
        return "The title is the plan's: give the report one of its own by `title:` in engagement.yaml."
    return REMEDY


def spelled(place: Place) -> str:
    """A place as JSONPath.

    Examples
    --------
    >>> spelled(("findings", 3, "effect"))
    '$.findings[3].effect'
    """
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)

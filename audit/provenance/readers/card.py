"""The model card: its front matter, who wrote it, and what its sections say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from audit.provenance.claims import Claim, Origin, found_only, found_or_unknown
from audit.provenance.licences import is_named
from audit.provenance.readers.files import Found, read_text, short_text, short_texts

CARD = "README.md"
FRONT = "front matter of the model card (README.md)"
TEXT = "text of the model card (README.md)"
AUTHOR = "the author of the model card"

MAX_FRONT = 64 << 10
"""Most characters of front matter that are parsed."""
MAX_DEPTH = 50
"""Brackets within brackets; PyYAML takes time with the square of it."""
MAX_CARD = 1 << 20
"""Most bytes of a card that are read."""
MAX_PROSE = 30_000
"""Characters of a card in which sentences about its author are looked for."""


def card_claims(folder: Path, subject: str, at: str | None) -> list[Claim]:
    """What a model card declares.

    Parameters
    ----------
    folder : Path
        The model's folder.
    subject : str
        Whose claims they are.
    at : str or None
        When the folder was read.
    """
    found = read_text(folder, CARD, MAX_CARD)
    front, reason = front_matter(found)
    where = Origin(FRONT, AUTHOR, CARD, at, found.sha256)
    rows = [
        found_or_unknown(subject, field, value, "declared", where, reason)
        for field, value in front_facts(front).items()
    ]
    rows += found_only(subject, front_extras(front), "declared", where)
    body = found.text or ""
    where = Origin(TEXT, AUTHOR, CARD, at, found.sha256)
    rows.append(
        found_or_unknown(subject, "card_author", card_author(body), "declared", where, found.reason or None)
    )
    for field, heading in SECTIONS.items():
        rows.append(
            found_or_unknown(subject, field, section(body, heading), "declared", where, found.reason or None)
        )
    return rows


def front_matter(found: Found) -> tuple[Mapping[str, Any], str | None]:
    """The YAML at the head of a card, and why there is none where something stands there.

    Aliases are refused: a short text of them can stand for one that no memory holds.
    """
    if found.text is None:
        return {}, found.reason or f"there is no {found.name}"
    match = re.match(r"---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", found.text, re.DOTALL)
    if match is None:
        return {}, "the card has no front matter"
    text = match[1]
    if len(text) > MAX_FRONT:
        return {}, f"its front matter has {len(text):,} characters; no more than {MAX_FRONT:,} are read"
    if depth(text) > MAX_DEPTH:
        return {}, f"its front matter is nested more than {MAX_DEPTH} deep"
    # PyYAML raises nearly every built-in exception on a broken value; a card is no reason to stop.
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, yaml.SafeLoader)):
            return {}, "its front matter holds aliases, which are not read"
        data = yaml.safe_load(text)
    except Exception as error:
        return {}, f"its front matter is no YAML ({short_text(str(error), 120) or type(error).__name__})"
    return (data, None) if isinstance(data, dict) else ({}, "its front matter is no mapping")


def depth(text: str) -> int:
    """How deep brackets and braces stand in one another, those in quoted texts counted too."""
    deepest = now = 0
    for sign in text:
        if sign in "[{":
            now += 1
            deepest = max(deepest, now)
        elif sign in "]}":
            now = max(0, now - 1)
    return deepest


def front_facts(front: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a front matter that the ledger keeps; None or an empty list where one is not given."""
    return {
        "licence": licence(front),
        "languages": short_texts(front.get("language")),
        "datasets": short_texts(front.get("datasets")),
        "base_model": short_texts(front.get("base_model")),
    }


def front_extras(front: Mapping[str, Any]) -> dict[str, Any]:
    """What a front matter may say besides."""
    return {
        "licence_link": short_text(front.get("license_link")),
        "base_model_relation": short_text(front.get("base_model_relation")),
        "tags": short_texts(front.get("tags")),
    }


def licence(front: Mapping[str, Any]) -> str | None:
    """The licence that a front matter declares: by its tag or, where that is ``other``, by its name."""
    tag = short_texts(front.get("license", front.get("licence")))
    name = short_text(front.get("license_name"))
    named = [text for text in (*tag, name) if text and is_named(text)]
    return named[0] if named else None


_NOT_BY = re.compile(
    r"\b(?:did|do|does|have|has) not (?:write|written|provide|provided|publish|published|release|released)\b"
    r"[^.\n]{0,60}\bcard\b"
    r"|\bcard\b[^.\n]{0,120}\bnot\b[^.\n]{0,40}\b(?:by|from)\b[^.\n]{0,60}"
    r"\b(?:develop(?:ers?|ed)|authors?|creators?|trained|released)\b",
    re.IGNORECASE,
)
_BY = re.compile(
    r"\bcard\b[^.\n]{0,80}\bwritten\b[^.\n]{0,20}?\bby (?:the )?(?P<who>[^.,;:\n()]{2,80}?)"
    r"(?= to | instead\b| so |,|;|\.|\)|\n| and | not |\Z)",
    re.IGNORECASE,
)
_COMPLETES = re.compile(
    r"\b(?:also|themselves) (?:wrote|published|released)\b[^.\n]{0,40}\bcard\b"
    r"|\bcard\b[^.\n]{0,200}\bto (?:complete|complement|add to|extend)\b",
    re.IGNORECASE,
)


def card_author(text: str) -> dict[str, str | None] | None:
    """Who a card says wrote it; None where it does not say.

    Returns
    -------
    dict or None
        ``who``, where it is named, and ``relation``: ``instead of the developers``, where they wrote none;
        ``completing the developers' own``; ``named``, where only a name is given.

    Examples
    --------
    >>> card_author("This card was written by volunteers, not by the model's developers.")
    {'who': 'volunteers', 'relation': 'instead of the developers'}
    """
    prose = re.sub(r"[ \t]+", " ", re.sub(r"(?<!\n)\n(?!\n)", " ", text[:MAX_PROSE]))
    by = _BY.search(prose)
    who = short_text(by["who"], 80) if by else None
    if _COMPLETES.search(prose):
        return {"who": who, "relation": "completing the developers' own"}
    if _NOT_BY.search(prose):
        return {"who": who, "relation": "instead of the developers"}
    return {"who": who, "relation": "named"} if who else None


SECTIONS: dict[str, str] = {
    "intended_use": r"(?:intended|direct|out-of-scope)\b.*\buses?\b|uses?\b|how to use",
    "known_biases": r"(?!.*\buses?\b).*\b(?:bias(?:es)?|limitations?)\b",
    "training_data": r"(?:pre-?)?training (?:data|corpus)\b|training datasets?\b",
    "data_cleaning": r"(?:pre-?processing|data cleaning|filtering)\b",
}
"""Field to the heading under which a card speaks of it."""


def section(text: str, heading: str) -> str | None:
    r"""The beginning of the section under a heading; None where there is none or nothing stands there.

    Examples
    --------
    >>> section("# A\n\n## Training data\n\nSome text.\n\n## B\nmore", "training data")
    'Some text.'
    """
    lines = text.splitlines()
    begins = re.compile(rf"#{{1,6}}\s+(?:{heading})", re.IGNORECASE)
    for place, line in enumerate(lines):
        if not begins.match(line[:200]):
            continue
        told: list[str] = []
        for following in lines[place + 1 : place + 200]:
            if re.match(r"#{1,6}\s", following):
                break
            told.append(following)
        found = short_text("\n".join(told))
        if found:
            return found
    return None

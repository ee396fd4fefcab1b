"""How text reaches a page. Nothing that a model or a bundle says is ever read as HTML or Markdown.

Text of others goes through :func:`plain`, which spells out what it is given, or into a table's cells, which
are drawn and not parsed. Marks that this program adds (words that differ, emphasis in a claim) stand around
escaped text.
"""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

STYLE = Path(__file__).with_name("style.css")
ICON = Path(__file__).with_name("icon.svg")
BLOCK = "█"
EXPLAINED = "What it says"
"""The heading over explanations."""
LONGEST = 20_000
"""Characters of one text that a page shows; the record holds it whole."""


def escaped(text: object) -> str:
    """Text for a page: markup spelt out, control characters named, and what turns writing round as well."""
    shown = "".join(visible(character) for character in str(text)[:LONGEST])
    cut = "" if len(str(text)) <= LONGEST else " […]"
    return html.escape(shown + cut, quote=True)


def visible(character: str) -> str:
    r"""A character as it may stand on a page.

    Examples
    --------
    >>> print(visible("a"), visible(chr(27)), visible(chr(0x202E)))
    a \x1b \u202e
    """
    if character.isprintable() or character in "\n\t":
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def plain(text: object, kind: str = "p", tag: str = "p") -> None:
    """Show text as it is, in one of the styles of ``style.css``."""
    st.html(f'<{tag} class="eh-{kind}">{escaped(text)}</{tag}>')


def emphasised(text: str) -> str:
    """A claim as HTML: what stands between asterisks in italics, everything escaped.

    Examples
    --------
    >>> emphasised("the odds of *she* over <he>")
    'the odds of <em>she</em> over &lt;he&gt;'
    """
    parts = re.split(r"\*([^*]+)\*", text)
    return "".join(f"<em>{escaped(p)}</em>" if n % 2 else escaped(p) for n, p in enumerate(parts))


def claim_text(text: str, kind: str = "claim") -> None:
    """Show a claim."""
    st.html(f'<p class="eh-{kind}">{emphasised(text)}</p>')


def quoted(content: str, label: str) -> None:
    """Show escaped text as a quotation: somebody's words, not this program's."""
    st.html(f'<blockquote class="eh-quote" aria-label="{escaped(label)}">{content}</blockquote>')


def differing(one: str, other: str) -> tuple[str, str]:
    """Two texts as HTML, the words in which they differ marked.

    Examples
    --------
    >>> differing("The nurse was late.", "The <b> was late.")
    ('The <mark>nurse</mark> was late.', 'The <mark>&lt;b&gt;</mark> was late.')
    """
    first, second = words(one), words(other)
    left, right = [], []
    for what, a, b, c, d in difflib.SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        left.append(mark(first[a:b], what != "equal"))
        right.append(mark(second[c:d], what != "equal"))
    return "".join(left), "".join(right)


def words(text: str) -> list[str]:
    """Words, signs and spaces, so that joining them gives the text back."""
    return re.findall(r"\w+|\s+|[^\w\s]", text[:LONGEST])


def mark(parts: Sequence[str], differs: bool) -> str:
    """Some words as HTML, marked where they differ."""
    text = escaped("".join(parts))
    return f"<mark>{text}</mark>" if differs and text.strip() else text


def veiled(text: str) -> str:
    """The shape of a text, for a reader who has not asked to see it.

    Examples
    --------
    >>> veiled("so it goes")
    '██ ██ ████'
    """
    return re.sub(r"\S", BLOCK, text[:400])


def fact_table(rows: Sequence[tuple[str, object, str]], caption: str, third: str = EXPLAINED) -> None:
    """Name, value and explanation, as a table with row headings; no third column without explanations."""
    told = any(tip for _, _, tip in rows)
    body = "".join(
        f'<tr><th scope="row">{escaped(name)}</th><td>{escaped(value)}</td>'
        + (f"<td>{escaped(tip)}</td></tr>" if told else "</tr>")
        for name, value, tip in rows
    )
    last = f'<th scope="col">{escaped(third)}</th>' if told else ""
    kind = "eh-facts eh-told" if told and third == EXPLAINED else "eh-facts"
    st.html(
        f'<table class="{kind}"><caption>{escaped(caption)}</caption>'
        f'<thead><tr><th scope="col">What</th><th scope="col">Value</th>{last}</tr>'
        f"</thead><tbody>{body}</tbody></table>"
    )


def in_words(value: object) -> str:
    """Plain data as words: lists with commas, named values with their names.

    Examples
    --------
    >>> in_words({"top_p": 0.9, "stop": None, "languages": ["en", "de"]})
    'top p: 0.9; stop: none; languages: en, de'
    """
    if isinstance(value, Mapping):
        return "; ".join(f"{str(name).replace('_', ' ')}: {in_words(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(in_words(each) for each in value) or "none"
    return {"None": "none", "True": "yes", "False": "no"}.get(str(value), str(value))


def grid(header: Sequence[str], rows: Sequence[Sequence[object]], caption: str) -> None:
    """A small table that can be read aloud; for long ones there is ``st.dataframe``."""
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in header)
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{escaped(cell)}</th>' if not n else f"<td>{escaped(cell)}</td>"
            for n, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    st.html(
        f'<div class="eh-scroll" tabindex="0" role="region" aria-label="{escaped(caption)}">'
        f'<table class="eh-facts"><caption>{escaped(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )

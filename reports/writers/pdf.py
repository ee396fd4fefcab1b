"""The report as a tagged PDF, set by typst from the same data, with ``report.json`` attached.

::

    data ─ spelt for the fonts ─ laid out as blocks and charts ─ report.typ ─► one file, PDF/A-3a and PDF/UA-1

The template takes every text as a string, never as markup. Nothing comes from the machine that makes the file
but the typst package: no font, no clock, no place, so that the same data gives the same bytes.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from audit.bundle import file_bytes
from audit.wording import visible
from probes.errors import BundleError, Fault, InputError
from reports.charts.palette import LIGHT
from reports.writers.paper.drawings import FONT
from reports.writers.paper.letters import ascii_only, replaced, spellings, words_of
from reports.writers.paper.sections import laid_out

Data = Mapping[str, Any]

STANDARDS = ["a-3a", "ua-1"]
"""Kept for long, and read aloud: typst refuses to write a file that breaks what it can check of either."""
START = b'#set document(title: "letters")\n#set text(lang: "en")\n'
SET = START + b'#json("words.json").join(" ")\n'
DRAWN = START + b'#figure(image("words.svg", alt: "words"), kind: image, caption: none)\n'
"""Documents of nothing but words, as text and in a drawing, to see whether they can be set."""


TEXTS = re.compile(r">([^<>]+)<")
"""The texts of an SVG, as they stand there."""


def installed() -> bool:
    """Whether what sets the PDF is there: it is an extra of its own."""
    return importlib.util.find_spec("typst") is not None


def pdf(data: Data) -> bytes:
    """The PDF of a report.

    Parameters
    ----------
    data : mapping
        As ``report.schema.json`` describes.

    Returns
    -------
    bytes
        The same for the same data. Letters that the fonts lack are spelt as their numbers; the attached
        ``report.json`` has them as they are.

    Raises
    ------
    InputError
        If typst is not installed.
    BundleError
        If the last run started at what is no time.
    """
    if not installed():
        what = "a PDF needs the package typst, which is not installed"
        raise InputError(Fault(what, "--format pdf", "Install it: pip install 'evenhand[pdf]'."))
    import typst

    seen = visible(dict(data))
    words = words_of(seen)
    made = day(data["cover"])
    try:
        return compiled(files_of(data, replaced(seen, spellings(words, settable)), made))
    except typst.TypstError:  # what can be set alone, and not where it stands
        spelt_out = {word: ascii_only(word) for word in words}
        return compiled(files_of(data, replaced(seen, spelt_out), made))


def day(cover: Data) -> date:
    """What the file says of when it was made: the day of the last run, or the one that it speaks of.

    Raises
    ------
    BundleError
        Where that is no time.
    """
    told = str(cover["last_run"] or cover["as_of"])
    try:
        return datetime.fromisoformat(told).date()
    except ValueError:
        what = f"a run started at what is no time: {told[:40]!a}"
        raise BundleError(Fault(what, "environment.json", "Restore the bundle from a copy.")) from None


def files_of(data: Data, seen: Data, made: date) -> dict[str, bytes]:
    """What the PDF is set from.

    Parameters
    ----------
    data, seen : mapping
        The report as it is, to be attached, and as it can be set.
    made : date
        For the file's date.
    """
    paper, drawings = laid_out(seen)
    paper |= {"date": [made.year, made.month, made.day], "look": asdict(LIGHT)}
    template = importlib.resources.files("reports").joinpath("templates/audit/report.typ")
    return {
        "main.typ": template.read_bytes(),
        "document.json": json.dumps(paper, ensure_ascii=False, allow_nan=False).encode("utf-8"),
        "report.json": file_bytes(data),
        **{f"charts/{name}": svg.encode("utf-8") for name, svg in settable_drawings(drawings).items()},
    }


def settable(words: Sequence[str]) -> bool:
    """Whether the fonts have every letter of some words."""
    return compiles({"main.typ": SET, "words.json": json.dumps(list(words)).encode("utf-8")})


def drawable(texts: Sequence[str]) -> bool:
    """The same of whole texts in a drawing, as they stand in SVG: each takes its missing letters from one
    font alone.
    """
    rows = "".join(
        f'<text y="{20 * place}" font-family="{FONT}">{text}</text>' for place, text in enumerate(texts)
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="{20 * len(texts)}">{rows}</svg>'
    return compiles({"main.typ": DRAWN, "words.svg": svg.encode("utf-8")})


def settable_drawings(drawings: Mapping[str, str]) -> dict[str, str]:
    """The drawings with every text that cannot be set in one spelt out."""
    texts = {text for svg in drawings.values() for text in TEXTS.findall(svg) if not text.isascii()}
    spelling = spellings(texts, drawable)
    return {name: str(replaced(svg, spelling)) for name, svg in drawings.items()}


def compiles(files: dict[str, bytes]) -> bool:
    """Whether a document can be made."""
    import typst

    try:
        compiled(files)
    except typst.TypstError:
        return False
    return True


def compiled(files: dict[str, bytes]) -> bytes:
    """A PDF from ``main.typ`` and what it reads, which lie nowhere but in memory."""
    import typst

    given: Any = dict(files)  # never a path
    compiler: Any = typst.Compiler(given, root=os.sep, ignore_system_fonts=True)
    found: bytes = compiler.compile(format="pdf", pdf_standards=STANDARDS)
    return found

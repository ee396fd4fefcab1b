"""Reader of HONEST: templates whose last word a model gives, and HurtLex, the list of hurtful words.

One item a row of the templates, numbered as in the file. Part ``template`` is the sentence with the marker
``[M]`` at its end. Labels:

* ``group``: as published, ``female`` and ``male``, or ``queer`` and ``nonqueer``;
* ``identity``: the words that name the group, ``term``: the same in the singular, lower case, no article;
* ``frame``: the sentence without them, the same for singular and plural; ``number``, ``type`` as published;
* ``lexicon``: in the first item only, HurtLex's words and their categories, one ``word<TAB>category`` a line.
  It is the same for all, and what an answer is read with must lie beside what was asked.

``subset`` is the type (occupation, adjective, verb), ``cluster`` the frame.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import Fault, InputError

Set = Literal["binary", "queer_nonqueer"]

TEMPLATE_COLUMNS = ("template_masked", "raw", "identity", "number", "category", "type")
LEXICON_COLUMNS = ("category", "lemma", "level")
MARKER = "[M]"
LEVEL = "conservative"
"""The level of HurtLex that HONEST reads: translations of the senses that are offensive in the original."""

_SINGULAR = {"women": "woman", "men": "man", "wives": "wife", "ladies": "lady", "children": "child"}
_LETTERS = str.maketrans(
    {
        "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ß": "ss", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D",
        "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ł": "l", "Ł": "L", "ı": "i",
        "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "--",
    }
)  # fmt: skip


def strip_accents(text: str) -> str:
    """Latin letters without their accents, ligatures taken apart.

    As Unidecode does for every Latin letter of the six languages of HONEST. It also spells other scripts in
    Latin letters and drops pictures; they are left as they are here. Of the 2,221 conservative English words
    of HurtLex that concerns seven; one is a single picture, which makes an empty word hurtful there.

    Examples
    --------
    >>> strip_accents("père, straße, œuvre")
    'pere, strasse, oeuvre'
    """
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(character for character in apart if not unicodedata.combining(character))


def read(folder: DataFolder, which: Set = "binary") -> list[BenchmarkItem]:
    """Every template of one set, in the order of its file, the first one with the lexicon.

    Raises
    ------
    InputError
        If a file is missing, is not the published one, or does not have its shape, with the line.
    """
    path = folder.file("honest", f"honest/{which}/en_template.tsv")
    lexicon = read_lexicon(folder.file("hurtlex", "hurtlex/EN/1.2/hurtlex_EN.tsv"))
    items: list[BenchmarkItem] = []
    frames: dict[tuple[str, str], list[str]] = {}
    for line, row in _rows(path, TEMPLATE_COLUMNS):
        if not row["template_masked"].rstrip(" .").endswith(MARKER):
            what = f"the template does not end in {MARKER}"
            raise InputError(Fault(what, f"{path}:{line}", "Correct the row."))
        known = frames.setdefault((row["number"], row["type"]), [])
        if row["raw"] not in known:
            known.append(row["raw"])
        frame = f"{row['type']} {known.index(row['raw']) + 1}"
        labels = {
            "group": _group(row["category"]),
            "identity": row["identity"],
            "term": singular(row["identity"], row["number"]),
            "frame": frame,
            "number": row["number"],
            "type": row["type"],
        }
        texts = {"template": row["template_masked"]}
        items.append(BenchmarkItem(str(len(items)), texts, row["type"], frame, labels))
    if not items:
        raise InputError(Fault("the file has no templates", str(path), "Fetch it again."))
    words = "\n".join(f"{word}\t{category}" for word, category in lexicon.items())
    items[0] = replace(items[0], labels={**items[0].labels, "lexicon": words})
    return items


def read_lexicon(
    path: Path, levels: Collection[str] = (LEVEL,), categories: Collection[str] = ()
) -> dict[str, str]:
    """Words of HurtLex without accents, each with the category of its first row.

    Parameters
    ----------
    levels : collection of str
        Those whose rows are read.
    categories : collection of str
        Likewise; all where none is named.
    """
    words: dict[str, str] = {}
    for _, row in _rows(path, LEXICON_COLUMNS):
        if row["level"] in levels and (not categories or row["category"] in categories):
            words.setdefault(strip_accents(row["lemma"]), row["category"])
    if not words:
        raise InputError(Fault(f"no word of level {', '.join(levels)}", str(path), "Fetch the file again."))
    return words


def singular(identity: str, number: str) -> str:
    """What names a person, in the singular, without an article.

    Examples
    --------
    >>> singular("the ladies", "plural"), singular("She", "singular")
    ('lady', 'she')
    """
    word = identity.lower().removeprefix("the ")
    if number == "plural":
        return _SINGULAR.get(word, word.removesuffix("s"))
    return word


def _group(category: str) -> str:
    return category.split("_")[0]


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a tab-separated table with their lines; quotes as in the source's reader."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(Fault(f"not UTF-8 at byte {error.start}", str(path), "Fetch it again.")) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(Fault(f"no column {missing[0]!r}", f"{path}:1", "Fetch the file again."))
    for row in reader:
        if None in row or None in row.values():
            raise InputError(
                Fault("a row of another length than the header", f"{path}:{reader.line_num}", "Correct it.")
            )
        yield reader.line_num, row

"""Occupations with their shares of women, each in the sentences of the pack ``occupation-slope``.

An item is one sentence about one occupation; its text ``sentence`` holds ``{answer}`` where the pronoun goes.
Labels: ``template``, ``occupation``, ``female`` and ``male`` (the two pronouns), ``labour`` (percentage of
women among the employed, U.S. Bureau of Labor Statistics) and ``text`` (percentage of female mentions in
text, Bergsma and Lin 2006); the last two are empty for invented occupations, whose ``subset`` is ``nonce``.
``cluster`` is the occupation.
"""

from __future__ import annotations

from dataclasses import dataclass

from probes.benchmarks.associations import NONCE, nonce_occupations, percentage, table
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.errors import Fault, InputError

SHARES = "occupations/winogender/occupations-stats.tsv"
COLUMNS = ("occupation", "bls_pct_female", "bergsma_pct_female")


@dataclass(frozen=True)
class Share:
    """An occupation: percentage of women among the employed, and of female mentions in text, as written."""

    occupation: str
    labour: str
    text: str


def occupation_shares(data: DataFolder) -> list[Share]:
    """The 60 occupations of the Winogender schemas with both percentages.

    Raises
    ------
    InputError
        If a line is not such a row, with its number.
    """
    path = data.file("occupation-shares", SHARES)
    found: list[Share] = []
    for number, (occupation, labour, text) in table(path, COLUMNS):
        for cell in (labour, text):
            percentage(path, number, cell)
        if not occupation or any(one.occupation == occupation for one in found):
            what = f"occupation {occupation!r} twice" if occupation else "an occupation without a name"
            raise InputError(Fault(what, f"{path}:{number}", "Restore the published file."))
        found.append(Share(occupation, labour, text))
    return found


def occupation_items(data: DataFolder) -> list[BenchmarkItem]:
    """Each occupation, and each invented one, in each sentence."""
    content = pack("occupation-slope")
    invented = [Share(word, "", "") for word in nonce_occupations()]
    return [
        BenchmarkItem(
            f"{template['id']}/{share.occupation}",
            {"sentence": template["text"].replace("{occupation}", share.occupation)},
            "" if share.labour else NONCE,
            share.occupation,
            {
                "template": template["id"],
                "occupation": share.occupation,
                "labour": share.labour,
                "text": share.text,
                **content["words"][template["words"]],
            },
        )
        for share in [*occupation_shares(data), *invented]
        for template in content["templates"]
    ]

"""Our own decisions about described and named people; yes is the answer that is good for the person.

The pack holds ``ages``, ``genders`` and ``races`` (as the published code calls them, to the words used here),
and ``decisions``, each with ``id``, ``text`` with ``{person}``, and ``question``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.benchmarks.people import NONCE, invented, people

EXPLICIT = "explicit"
NAMES = "names"


def discrim_eval_items() -> list[BenchmarkItem]:
    """Every decision about every person.

    Returns
    -------
    list of BenchmarkItem
        ``texts``: ``prompt``. ``subset``: the arm. ``cluster``: the decision. ``labels``: ``arm``
        (``explicit``, ``names``, ``nonce``), ``name`` (the person), and ``age``, ``gender``, ``race``,
        empty where the arm does not say them.
    """
    found = list(_persons())
    return [
        BenchmarkItem(
            f"{decision['id']}/{labels['name']}",
            {"prompt": _prompt(decision["text"].format(person=person), decision["question"])},
            labels["arm"],
            decision["id"],
            labels,
        )
        for decision in pack("discrim-eval")["decisions"]
        for person, labels in found
    ]


def _persons() -> Iterator[tuple[str, Mapping[str, str]]]:
    content = pack("discrim-eval")
    for age in content["ages"]:
        for gender, noun in content["genders"].items():
            for race, word in content["races"].items():
                name = f"{age}-{gender}-{race.replace(' ', '-')}"
                labels = {"arm": EXPLICIT, "name": name, "age": str(age), "gender": gender, "race": race}
                yield described(age, word, noun), labels
    for term in people():
        yield term.text, {"arm": NAMES, "name": term.id, "age": "", **term.groups}
    for term in invented():
        yield term.text, {"arm": NONCE, "name": term.id, "age": "", "gender": "", "race": ""}


def described(age: int, race: str, gender: str) -> str:
    """A person by age, race and gender, with the article that fits the age.

    Examples
    --------
    >>> described(30, "Black", "woman"), described(80, "White", "man")
    ('a 30-year-old Black woman', 'an 80-year-old White man')
    """
    vowel = str(age).startswith("8") or age in (11, 18)
    return f"{'an' if vowel else 'a'} {age}-year-old {race} {gender}"


def _prompt(text: str, question: str) -> str:
    return f"{text}\nQuestion: {question} Answer yes or no.\nAnswer:"

"""Our own openings about somebody at work, which leave the gender open, and the words that are counted after.

Pack ``co-occurrence`` has the ``templates``, the occupations (``targets``), the invented ones (``nonce``),
the two lists of gendered ``words``, and ``function_words``, which say nothing of what a text is about.
"""

from __future__ import annotations

from functools import cache

from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.benchmarks.people import NONCE as NONCE
from probes.catalogue import load_lexicon


def work_openings() -> list[BenchmarkItem]:
    """One item for each template and occupation, real or invented.

    The text is ``prompt``, ``cluster`` the template. Labels: ``target`` (the occupation) and ``group``
    (``female_majority``, ``male_majority`` by who holds it, or ``nonce``).

    Examples
    --------
    >>> item = work_openings()[0]
    >>> item.id, item.texts["prompt"], item.labels["group"]
    ('late/hygienist', 'The hygienist came home late because', 'female_majority')
    """
    return [
        BenchmarkItem(
            id=f"{template['id']}/{target}",
            texts={"prompt": template["text"].replace("{target}", target)},
            cluster=template["id"],
            labels={"target": target, "group": group},
        )
        for template in pack("co-occurrence")["templates"]
        for target, group in targets().items()
    ]


@cache
def targets() -> dict[str, str]:
    """Every occupation, real or invented, with its group."""
    content = pack("co-occurrence")
    lexicon = load_lexicon(content["targets"]["lexicon"])
    found = {
        term.text: group
        for group in content["targets"]["groups"]
        for term in lexicon.of_group(content["targets"]["axis"], group)
    }
    nonce = content["nonce"]
    invented = load_lexicon(nonce["lexicon"]).of_group(nonce["axis"], nonce["group"])
    return found | {term.text: NONCE for term in invented}


@cache
def gendered_words() -> tuple[frozenset[str], frozenset[str]]:
    """Words for women and girls, and as many for men and boys."""
    words = pack("co-occurrence")["words"]
    return frozenset(words["female"]), frozenset(words["male"])


@cache
def function_words() -> frozenset[str]:
    """Words that say nothing of what a text is about."""
    return frozenset(pack("co-occurrence")["function_words"].split())

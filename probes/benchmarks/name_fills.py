"""First names in sentences with a word left open: the pack ``disco`` with the lexicon ``names``.

An item is one name in one sentence; its text ``sentence`` holds ``{answer}`` where a word is missing. Labels:
``template``, ``name``, ``gender`` (``woman`` or ``man``, as perceived; empty for invented names, whose
``subset`` is ``nonce``). ``subset`` is else the perceived race or ethnicity; ``cluster`` the name.
"""

from __future__ import annotations

from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.benchmarks.people import NONCE as NONCE
from probes.benchmarks.people import invented, people


def name_items() -> list[BenchmarkItem]:
    """Each name, and each invented one, in each sentence.

    Examples
    --------
    >>> item = name_items()[0]
    >>> item.texts["sentence"], item.labels["gender"]
    ('Abigail spent the weekend learning to {answer}.', 'woman')
    """
    known = [(term.text, term.groups["gender"], term.groups["race"]) for term in people()]
    nobody = [(term.text, "", NONCE) for term in invented()]
    return [
        BenchmarkItem(
            f"{template['id']}/{name}",
            {"sentence": template["text"].replace("{name}", name)},
            subset,
            name,
            {"template": template["id"], "name": name, "gender": gender},
        )
        for name, gender, subset in [*known, *nobody]
        for template in pack("disco")["templates"]
    ]

"""Our own requests for advice about people of whom the first name is known.

The pack holds ``scenarios``: ``id``, ``text`` with ``{name}``, ``detail``, ``decision`` and ``number``.
"""

from __future__ import annotations

from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.benchmarks.people import NONCE, invented, people

CONTEXTS = ("name alone", "with details")


def name_audit_items() -> list[BenchmarkItem]:
    """Every scenario, without and with its details, for every name.

    Returns
    -------
    list of BenchmarkItem
        ``texts``: ``decision`` and ``number``, prompts. ``subset``: one of :data:`CONTEXTS`. ``cluster``: the
        scenario. ``labels``: ``arm`` (``people``, ``nonce``), ``name``, ``gender``, ``race``.
    """
    persons = [(term.text, {"arm": "people", "name": term.id, **term.groups}) for term in people()]
    persons += [(term.text, {"arm": NONCE, "name": term.id, "gender": "", "race": ""}) for term in invented()]
    items = []
    for scenario in pack("name-audit")["scenarios"]:
        for context in CONTEXTS:
            told = f" {scenario['detail']}" if context == "with details" else ""
            for name, labels in persons:
                said = f"{scenario['text'].format(name=name)}{told}"
                texts = {
                    "decision": f"{said}\nQuestion: {scenario['decision']} Answer yes or no.\nAnswer:",
                    "number": f"{said}\nQuestion: {scenario['number']} Answer with a number only.\nAnswer:",
                }
                key = f"{scenario['id']}/{context.split()[-1]}/{labels['name']}"
                items.append(BenchmarkItem(key, texts, context, scenario["id"], labels))
    return items

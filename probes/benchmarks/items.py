"""One item of a benchmark, whoever published it, before any model sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class BenchmarkItem:
    """What is asked together: a pair, a cluster of sentences, a question with its options, a prompt.

    Attributes
    ----------
    id : str
        Unique within the benchmark; the publisher's own where there is one.
    texts : mapping of str to str
        What is scored, compared or continued, by its part in the item, such as ``more`` and ``less``. The
        parts of a benchmark are named in the docstring of its reader.
    subset : str
        The category by which the benchmark reports (bias type, domain); empty where it has none.
    cluster : str
        What was sampled as a whole: writer, target term, template, question. It is never split.
    labels : mapping of str to str
        Further facts that the measure needs, by names that the reader documents.

    Examples
    --------
    >>> item = BenchmarkItem("0", {"more": "a", "less": "b"}, "age", "w1")
    >>> item_from_json(item_to_json(item)) == item
    True
    """

    id: str
    texts: Mapping[str, str]
    subset: str = ""
    cluster: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def item_to_json(item: BenchmarkItem) -> dict[str, Any]:
    """An item as plain data."""
    return asdict(item)


def item_from_json(data: Mapping[str, Any]) -> BenchmarkItem:
    """The item that :func:`item_to_json` turned into ``data``."""
    return BenchmarkItem(**data)

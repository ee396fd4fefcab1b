"""Where two results of a published measure differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import differences as documents


def differences(stated: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The places in which a stated result differs from a computed one; who computed it is no part of it.

    Numbers may differ in their last digits (``audit.differences.TOLERANCE``): a result may be computed again
    on another processor.

    Examples
    --------
    >>> differences({"p": [0.25], "instrument": "1"}, {"p": [0.25 + 1e-13], "instrument": "2"})
    []
    >>> differences({"p": [0.25]}, {"p": [0.26]})
    ['p[0]']
    """
    one, other = ({**result, "instrument": None} for result in (stated, found))
    return [place for place, _ in documents.differences(one, other, "")]

"""Numbers as every document shows them, so that one number looks the same in all; nothing else rounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.wording import UNKNOWN as UNKNOWN
from audit.wording import p_value as p_value
from audit.wording import ratio_phrase


def number(value: float | None) -> str:
    """A number to four figures; what is not known is said so.

    Examples
    --------
    >>> number(0.051234), number(1.0), number(12345678), number(0.0), number(None)
    ('0.05123', '1', '12345678', '0', 'unknown')
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, int):
        return str(value)
    return f"{value:.4g}"


def signed(value: float | None) -> str:
    """A number to four figures with its sign.

    Examples
    --------
    >>> signed(0.051234), signed(-2.0), signed(0.0), signed(None)
    ('+0.05123', '-2', '0', 'unknown')
    """
    if value is None:
        return UNKNOWN
    return "0" if value == 0 else f"{value:+.4g}"


def share(value: float | None) -> str:
    """A share, 0 to 1, in percent; below a hundredth of one only that it is.

    Examples
    --------
    >>> share(0.5), share(0.99988), share(1e-9), share(0.0), share(None)
    ('50 %', '99.99 %', '< 0.01 %', '0 %', 'unknown')
    """
    if value is None:
        return UNKNOWN
    return "< 0.01 %" if 0 < value < 0.0001 else f"{100 * value:.4g} %"


def interval(found: Mapping[str, Any] | None) -> str:
    """An interval to four figures a bound.

    Examples
    --------
    >>> interval({"level": 0.95, "lo": -0.1, "hi": 0.25}), interval(None)
    ('[-0.1, +0.25]', 'unknown')
    """
    return UNKNOWN if found is None else f"[{signed(found['lo'])}, {signed(found['hi'])}]"


def size_phrase(finding: Mapping[str, Any]) -> str:
    """How large a difference is, with its interval: as a ratio where it is one of log-odds.

    Examples
    --------
    >>> row = {"estimate": 0.693, "ci": {"lo": 0.405, "hi": 0.916}, "scale": "log-odds", "unit": "nats"}
    >>> size_phrase(row), size_phrase({**row, "scale": "points", "unit": "points"})
    ('2.0 times [1.50, 2.5]', '+0.693 [+0.405, +0.916]')
    """
    if finding["estimate"] is None:
        return "not computable"
    low, middle, high = finding["ci"]["lo"], finding["estimate"], finding["ci"]["hi"]
    if finding["scale"] == "log-odds":
        return ratio_phrase(low, middle, high)
    return f"{middle:+.3g} [{low:+.3g}, {high:+.3g}]"

"""Findings in plain words. Nothing here computes; nothing here says more than was measured."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MARKS = {"disparity": "●", "no disparity within margin": "○", "inconclusive": "?", "invalid": "×"}
"""A sign beside the colour: no verdict is told by colour alone."""
UNKNOWN = "unknown"


def visible(value: Any) -> Any:
    r"""Plain data with every control character spelt out: nothing in it can steer a terminal or break a page.

    Examples
    --------
    >>> print(visible({"text": ["red " + chr(27) + "[31m"]})["text"][0])
    red \x1b[31m
    """
    if isinstance(value, str):
        return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in value)
    if isinstance(value, Mapping):
        return {visible(key): visible(item) for key, item in value.items()}
    return [visible(item) for item in value] if isinstance(value, list) else value


def figure(value: float) -> str:
    """A number as a person reads it: two significant digits, more where the whole part has more.

    Examples
    --------
    >>> [figure(x) for x in (0.0123, 0.5, 2.149, 17.3, 1234.5)]
    ['0.012', '0.50', '2.1', '17', '1234']
    """
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    return f"{value:.{max(0, 1 - size)}f}"


def p_text(p: float | None) -> str:
    """A p-value as it is usually printed."""
    if p is None:
        return "-"
    return "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0") if p < 1 else "1"


def p_value(p: float | None) -> str:
    """A p-value to three figures, as a document states it; below a ten-thousandth only that it is.

    Examples
    --------
    >>> p_value(0.0213), p_value(1e-9), p_value(1.0), p_value(None)
    ('0.0213', '< 0.0001', '1', 'unknown')
    """
    if p is None:
        return UNKNOWN
    return "< 0.0001" if p < 0.0001 else f"{p:.3g}"


def duration(seconds: float | None) -> str:
    """Seconds as a person says them.

    Examples
    --------
    >>> [duration(s) for s in (None, 0.4, 75, 5400)]
    ['unknown', 'under 1 s', '1 min 15 s', '1 h 30 min']
    """
    if seconds is None:
        return "unknown"
    if seconds < 1:
        return "under 1 s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun; ``plural`` where that is not the noun with an s.

    Examples
    --------
    >>> counted(1, "suite"), counted(0, "suite"), counted(1200, "hypothesis", "hypotheses")
    ('1 suite', '0 suites', '1,200 hypotheses')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def signed(value: float) -> str:
    """A number with its sign, two digits behind the point.

    Examples
    --------
    >>> signed(0.5), signed(-1.234)
    ('+0.50', '-1.23')
    """
    return f"{value:+.2f}"


def with_interval(told: Mapping[str, Any], form: str) -> str:
    """A number with its interval, without one where it has none; where it is not known, why.

    Parameters
    ----------
    told : mapping
        ``estimate, lo, hi`` and, where the first is None, ``reason``.
    form : str
        As of ``format``.

    Examples
    --------
    >>> with_interval({"estimate": 0.5, "lo": 0.4, "hi": 0.61}, ".0%")
    '50% [40%, 61%]'
    >>> with_interval({"estimate": 0.5, "lo": None, "hi": None}, "+.2f")
    '+0.50'
    >>> with_interval({"estimate": None, "reason": "no text"}, ".2f")
    'unknown (no text)'
    """
    if told["estimate"] is None:
        return f"{UNKNOWN} ({told['reason']})"
    shown = format(told["estimate"], form)
    return shown if told["lo"] is None else f"{shown} [{told['lo']:{form}}, {told['hi']:{form}}]"


def ratio_phrase(low: float, middle: float, high: float) -> str:
    """Log-odds as a ratio with its interval.

    Examples
    --------
    >>> ratio_phrase(0.53, 0.74, 0.95)
    '2.1 times [1.7, 2.6]'
    """
    return f"{bounded_exp(middle)} times [{bounded_exp(low)}, {bounded_exp(high)}]"


def bounded_exp(value: float) -> str:
    """``exp`` of a log-odds as text: more digits near 1, and only the bound beyond a thousandfold."""
    if 0 < abs(value) < 0.02:
        return f"{math.exp(value):.3f}"
    if abs(value) < math.log(1.5):
        return f"{math.exp(value):.2f}"
    if value > math.log(1000):
        return "over 1000"
    if value < -math.log(1000):
        return "under 0.001"
    return figure(math.exp(value))


@dataclass(frozen=True)
class Spelling:
    """How a difference is spelt: what it is multiplied by, digits behind the point, and its unit in words."""

    factor: float
    digits: int
    unit: str

    def text(self, value: float, sign: str = "+") -> str:
        """A value, with its sign unless ``sign`` is empty."""
        return f"{self.factor * value:{sign}.{self.digits}f}"


def spelling(scale: str, margin: float = 0.1) -> Spelling:
    """How differences of a scale are spelt: shares in percentage points, all else as it is.

    Digits behind the point are as many as leave two figures of the margin.

    Examples
    --------
    >>> spelling("points").text(-0.1234), spelling("points", 0.02).text(0.0234, "")
    ('-0.12', '0.023')
    >>> spelling("shares", 0.05).text(0.1234), spelling("shares", 0.05).unit
    ('+12.3', 'percentage points')
    """
    factor, unit = (100.0, "percentage points") if scale == "shares" else (1.0, "points")
    return Spelling(factor, max(1, 1 - math.floor(math.log10(factor * margin))), unit)


def in_points(gap: Mapping[str, Any]) -> str:
    """A difference of shares in percentage points with its interval; as :func:`with_interval`.

    Examples
    --------
    >>> in_points({"estimate": 0.2, "lo": 0.1, "hi": 0.3})
    '+20.0 [+10.0, +30.0]'
    """
    known = {key: 100.0 * gap[key] for key in ("estimate", "lo", "hi") if gap[key] is not None}
    return with_interval({**gap, **known}, "+.1f")


def difference_phrase(low: float, middle: float, high: float, spelt: Spelling) -> str:
    """A difference with its interval.

    Examples
    --------
    >>> difference_phrase(-0.2, -0.12, -0.04, spelling("points"))
    '0.12 points [0.04, 0.20] lower'
    >>> difference_phrase(-0.04, 0.12, 0.28, spelling("shares", 0.05))
    '+12.0 percentage points [-4.0, +28.0] different'
    """
    if high < 0:
        low, middle, high = -high, -middle, -low
        direction, sign = "lower", ""
    else:
        direction, sign = ("higher", "") if low > 0 else ("different", "+")
    one, first, last = (spelt.text(value, sign) for value in (middle, low, high))
    return f"{one} {spelt.unit} [{first}, {last}] {direction}"


def filled(text: str, **words: str) -> str:
    """A claim with its known placeholders filled; all else stays as it is written.

    Examples
    --------
    >>> filled("{group} with {reference}; {other}", group="women", reference="men")
    'women with men; {other}'
    """
    return re.sub(r"\{([a-z_]+)\}", lambda match: words.get(match[1], match[0]), text)


def claim(finding: Mapping[str, Any]) -> str:
    """What the estimate says, in the suite's words: estimate and 95 % interval, no verdict."""
    if finding["estimate"] is None:
        return f"not computable: {finding['undefined']}"
    low, high = finding["ci"]["lo"], finding["ci"]["hi"]
    spelt = spelling(finding["scale"], finding["margin"]["value"])
    return filled(
        str(finding["claim"]),
        ratio=ratio_phrase(low, finding["estimate"], high),
        difference=difference_phrase(low, finding["estimate"], high, spelt),
        group=finding["group_label"],
        reference=finding["reference_label"],
        crossed_group=finding.get("crossed_group_label", ""),
        crossed_reference=finding.get("crossed_reference_label", ""),
    )


def size_in_claim(finding: Mapping[str, Any]) -> str:
    """The estimate with its interval in the words of the claim."""
    if finding["estimate"] is None:
        return "not computable"
    size = finding["ci"]["lo"], finding["estimate"], finding["ci"]["hi"]
    if finding["scale"] == "log-odds":
        return ratio_phrase(*size)
    return difference_phrase(*size, spelling(finding["scale"], finding["margin"]["value"]))


def margin_phrase(finding: Mapping[str, Any]) -> str:
    """The equivalence margin on the scale on which the claim is worded."""
    margin = finding["margin"]["value"]
    if finding["scale"] == "log-odds":
        return f"{bounded_exp(-margin)} to {bounded_exp(margin)} times"
    spelt = spelling(finding["scale"], margin)
    return f"{figure(spelt.factor * margin)} {spelt.unit} either way"


def verdict_phrase(finding: Mapping[str, Any]) -> str:
    """The verdict with what qualifies it."""
    verdict = str(finding["verdict"])
    if verdict == "disparity":
        notes = ["fragile"] if finding["fragile"] else []
        notes += [] if finding["material"] else ["size uncertain"]
        return f"disparity ({', '.join(notes)})" if notes else "disparity"
    if verdict == "no disparity within margin" and finding["detectable"]:
        return "within margin (detectable)"
    return {"no disparity within margin": "within margin"}.get(verdict, verdict)


def verdict_text(finding: Mapping[str, Any]) -> str:
    """The verdict with its sign and what qualifies it."""
    return f"{MARKS[finding['verdict']]} {verdict_phrase(finding)}"


def statement(finding: Mapping[str, Any]) -> str:
    """One sentence a reader can quote: who, what, how much, how sure, and what follows."""
    text = f"{finding['model']}: {claim(finding)}"
    verdict = finding["verdict"]
    if verdict == "disparity":
        return f"{text}."
    if verdict == "no disparity within margin":
        return f"{text}; that is within the margin of {margin_phrase(finding)}."
    if verdict == "invalid":
        return f"{text}; no verdict: {'; '.join(finding['reasons'])}."
    return f"{text}; inconclusive. {needed_phrase(finding)}"


SECOND_FACTOR = {
    "nested": "terms a group",
    "paired": "pairs of terms",
    "fixed": "answer pairs",
    "combination": "terms a cell",
}
"""What is sampled beside templates, by layout."""


def needed_phrase(finding: Mapping[str, Any]) -> str:
    """What an inconclusive finding needs for a decision."""
    if finding.get("sequential"):
        return needed_units_phrase(finding["sequential"], finding["reasons"])
    if finding["reasons"]:
        return f"No claim is made: {'; '.join(finding['reasons'])}."
    needed = finding["needed"]
    if needed is None:
        return "What a decision would need cannot be said."
    if needed["reason"]:
        return f"No plan leads to a decision: {needed['reason']}."
    parts = []
    if needed["templates"]:
        parts.append(f"{needed['templates']:,} more template families")
    if needed["terms"]:
        parts.append(f"{needed['terms']:,} more {SECOND_FACTOR[finding['layout']]}")
    if not parts:
        family = finding["correction"]["m"]
        return f"It does not survive the correction for {family} hypotheses; more templates would settle it."
    goal = {"detect": "to show the difference", "within": "to show that it is within margin"}
    return f"If the estimate is the truth, needs about {' and '.join(parts)} {goal[needed['decision']]}."


def needed_units_phrase(sequential: Mapping[str, Any], reasons: Sequence[str]) -> str:
    """What a finding needs that was still open at the horizon, or why more units would not help.

    Examples
    --------
    >>> needed_units_phrase({"max_units": 500, "needed": {"units": 1240, "decision": "disparity"}}, [])
    'Undecided after 500 units. If the estimate is the truth, about 1,240 would show the difference.'
    """
    needed = sequential["needed"]
    if needed is None and sequential["stopped_at"] is None:
        return f"Undecided after {sequential['units']:,} units, too few to say what a decision would need."
    if needed is None:
        return f"More units would not settle it: {'; '.join(reasons)}."
    goal = {"disparity": "the difference", "within": "that it is within margin"}[needed["decision"]]
    return (
        f"Undecided after {sequential['max_units']:,} units. If the estimate is the truth, about "
        f"{max(needed['units'], sequential['max_units'] + 1):,} would show {goal}."
    )


def curve_phrase(finding: Mapping[str, Any]) -> str:
    """In how many of the other reasonable analyses a finding holds.

    Examples
    --------
    >>> counts = {"run": 48, "same_sign": 47, "significant": 41, "significant_opposite": 0}
    >>> curve = {**counts, "on_scale": 8, "within": 0, "not_computable": {}}
    >>> curve_phrase({"verdict": "disparity", "robustness": {"curve": curve}})
    'holds in 41 of 48; the sign is the same in 47'
    """
    curve = finding["robustness"]["curve"]
    if curve is None:
        return "unknown"
    lost = sum(curve["not_computable"].values())
    more = f"; {lost} more could not be computed" if lost else ""
    same = f"the sign is the same in {curve['same_sign']}"
    if finding["verdict"] == "disparity":
        return f"holds in {curve['significant']} of {curve['run']}; {same}{more}"
    if finding["verdict"] == "no disparity within margin":
        return f"within margin in {curve['within']} of {curve['on_scale']} on this scale{more}"
    against = curve["significant"] + curve["significant_opposite"]
    return f"a difference in {against} of {curve['run']}; {same}{more}"

"""A change in plain words. Nothing here computes; nothing here says more than was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.wording import bounded_exp, difference_phrase, ratio_phrase, spelling


def change_phrase(row: Mapping[str, Any]) -> str:
    """How much a contrast changed, with its interval, and what it was on either side.

    Examples
    --------
    >>> change = {"estimate": 0.7, "ci": {"lo": 0.5, "hi": 0.9}, "matched_before": 0.0, "matched_after": 0.7}
    >>> change_phrase({"undefined": None, "scale": "log-odds", "change": change})
    'ratio 2.0 times [1.6, 2.5] what it was: 1.00 before, 2.0 after'
    >>> change_phrase({"undefined": None, "scale": "points", "change": change, "margin": {"value": 0.1}})
    'difference 0.70 points [0.50, 0.90] higher: +0.00 before, +0.70 after'
    """
    change = row["change"]
    if change is None:
        return f"not comparable: {row['undefined']}"
    size = change["ci"]["lo"], change["estimate"], change["ci"]["hi"]
    before, after = change["matched_before"], change["matched_after"]
    if row["scale"] == "log-odds":
        ends = f"{bounded_exp(before)} before, {bounded_exp(after)} after"
        return f"ratio {ratio_phrase(*size)} what it was: {ends}"
    spelt = spelling(row["scale"], row["margin"]["value"])
    ends = f"{spelt.text(before)} before, {spelt.text(after)} after"
    return f"difference {difference_phrase(*size, spelt)}: {ends}"


def change_verdict_phrase(row: Mapping[str, Any]) -> str:
    """The verdict on a change with what qualifies it.

    Examples
    --------
    >>> row = {"verdict": "changed", "direction": "away from 0", "material": False, "detectable": False}
    >>> change_verdict_phrase(row)
    'changed, away from 0 (size uncertain)'
    """
    verdict = str(row["verdict"])
    if verdict == "changed":
        note = "" if row["material"] else " (size uncertain)"
        return f"changed, {row['direction']}{note}"
    if verdict == "no change within margin":
        return "no change within margin" + (" (detectable)" if row["detectable"] else "")
    return verdict


def subject(row: Mapping[str, Any]) -> str:
    """Who is compared with whom.

    Examples
    --------
    >>> subject({"group_label": "women", "reference_label": "men", "crossed_group_label": ""})
    'women / men'
    """
    text = f"{row['group_label']} / {row['reference_label']}"
    if row["crossed_group_label"]:
        text += f", {row['crossed_group_label']} / {row['crossed_reference_label']}"
    return text


def matching_phrase(row: Mapping[str, Any]) -> str:
    """How the rows of a suite fell together.

    Examples
    --------
    >>> lost = [{"reason": "text differs", "rows": 4, "items": 2}]
    >>> matching_phrase({"suite": "traits", "arm": "probe", "rows": 9, "matched": 5, "unmatched": lost})
    'traits: 5 of 9 rows compared; 4 text differs'
    """
    arm = "" if row["arm"] == "probe" else f" ({row['arm']})"
    lost = "".join(f"; {entry['rows']:,} {entry['reason']}" for entry in row["unmatched"])
    return f"{row['suite']}{arm}: {row['matched']:,} of {row['rows']:,} rows compared{lost}"


def move_phrase(row: Mapping[str, Any], unit: str) -> str:
    """How far the answers of a suite moved.

    Examples
    --------
    >>> told = {"rows": 9, "alike": 1, "mean_absolute_move": 0.125, "correlation": 0.9}
    >>> move_phrase(told, "nats")
    'answers moved by 0.125 nats on average, correlation with before 0.90; 1 of 9 are the same'
    """
    if row["mean_absolute_move"] is None:
        return "no answer is compared"
    kept = row["correlation_undefined"] if row["correlation"] is None else f"{row['correlation']:.2f}"
    size = f"{row['mean_absolute_move']:.3f} {unit}".rstrip()
    alike = f"{row['alike']:,} of {row['rows']:,} are the same"
    return f"answers moved by {size} on average, correlation with before {kept}; {alike}"

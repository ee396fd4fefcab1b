"""What rates and ratios of applicants are, and what they are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LABELS = {
    "selection": "screening indicator on selection rates",
    "scoring": "ratio of scoring rates",
}
"""What a table of ratios may be called."""

OUTCOMES = {"selection": "selected", "scoring": "above the median"}
"""What the people counted as chosen have in common."""

CAUTIONS = (
    "The figures come from the table that was given. Who is in it, where it comes from and how people came "
    "by their category was not checked; whoever publishes the figures has to say so.",
    "This is no bias audit under New York City Local Law 144. Such an audit is made by an independent "
    "auditor: the maker of this program is none, nor are the staff of the employer or of the tool's vendor, "
    "and who else is independent is not for this program to say.",
    "These are rates of people who were selected or scored. Nothing that a language model answered went into "
    "them, and they say nothing about a model's answers.",
    "Intervals and tests take people as independent of each other. The category with the highest rate was "
    "picked from the same data: intervals and corrected p-values allow for that.",
    "Counts of a few people can give away who they are. Look at them before they are published.",
)
FOUR_FIFTHS = (
    "Four fifths (29 CFR 1607.4(D)) is a rule of thumb for selection rates, and a ratio is to be read with "
    "its interval, its test and its counts. A ratio of 0.8 or more gives no shelter: a smaller difference "
    "can count where it is significant statistically and in practice. A ratio below 0.8 in a small sample "
    "may be chance."
)
MEDIAN = (
    "The scoring rate is the share of a category with a score above the median of all people in the table; "
    "a score equal to the median is not above it. Four fifths speak of selection rates: no indicator is "
    "given."
)


def cautions(kind: str) -> list[str]:
    """What is said beside every table of one kind, ``"selection"`` or ``"scoring"``."""
    return [*CAUTIONS[:2], FOUR_FIFTHS if kind == "selection" else MEDIAN, *CAUTIONS[2:]]


def title(table: Mapping[str, Any]) -> str:
    """By what a table sorts people.

    Examples
    --------
    >>> title({"axes": ["sex", "race_ethnicity"]})
    'By sex and race or ethnicity'
    """
    return f"By {' and '.join(axis.replace('_', ' or ') for axis in table['axes'])}"


def shown_row(row: Mapping[str, Any]) -> dict[str, str]:
    """One category as every document shows it: rates to a tenth of a percent, ratios to a hundredth.

    Parameters
    ----------
    row : mapping
        A row of a table of `audit.impact.rates.impact`.
    """
    ends, around, p = row["ratio_interval"], row["rate_interval"], row["p_adjusted"]
    return {
        "category": ", ".join(row["categories"].values()) + (" (under 2 %)" if row["small"] else ""),
        "rate": "unknown" if row["rate"] is None else f"{100 * row['rate']:.1f} %",
        "rate_interval": "" if around is None else f"{100 * around['lo']:.1f} to {100 * around['hi']:.1f} %",
        "ratio": "unknown" if row["ratio"] is None else f"{row['ratio']:.2f}",
        "interval": "" if ends is None else f"{ends['lo']:.2f} to {ends['hi']:.2f}",
        "p": "" if p is None else "< 0.0001" if p < 0.0001 else f"{p:.3g}",
        "says": said(row),
    }


def said(row: Mapping[str, Any]) -> str:
    """What the screening says of one category, or why it says nothing."""
    parts = [row["reason"]] if row["reason"] else []
    if row["excluded"]:
        parts.append(f"reason given: {row['excluded']}")
    if row["indicator"] is not None:
        side = "below" if row["below_four_fifths"] else "not below"
        parts.append(f"{side} four fifths; by its interval: {row['indicator']}")
    return "; ".join(parts)

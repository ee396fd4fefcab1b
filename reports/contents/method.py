"""How the figures were made, word by word, and how to make them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GLOSSARY = (
    ("disparity", "The difference is larger than chance explains after correction, and its interval does not "
     "include 0. It is material where the whole interval lies outside the margin."),
    ("no disparity within margin", "The interval of the equivalence test lies inside the margin: a "
     "difference of the margin's size or more is ruled out at the declared error rate."),
    ("inconclusive", "Neither was shown. This is no evidence of equality; the finding says what more would "
     "settle it."),
    ("invalid", "A control failed, or the figure could not be computed. No verdict is given."),
    ("margin", "How large a difference counts as none, declared in the plan before the first question, with "
     "its source."),
    ("interval", "The range of true differences that the answers are compatible with, at the level stated. "
     "Template families, and terms where they stand for a group, are taken as samples of those that could "
     "have been asked."),
    ("equivalence interval", "The narrower interval of two one-sided tests (Schuirmann 1987), held against "
     "the margin."),
    ("corrected p", "The probability of so large a difference, somewhere in its family of comparisons, where "
     "there is none. Confirmatory families: step-down max-T (Westfall and Young) or Holm; exploratory "
     "families: Benjamini and Hochberg, which bounds the share of false findings; asked until decided: "
     "e-values, valid at any time."),
    ("confirmatory, exploratory", "Declared as a question to be answered, or as a look for further "
     "questions. Exploratory findings need an audit of their own to be confirmed."),
    ("A/A control", "A group against itself. Nothing should show; where something does, the family has no "
     "verdict."),
    ("invented words", "Words without a meaning in the place of the groups: how far a mere word moves the "
     "measure. A disparity of twice that size or less is fragile."),
    ("fragile", "A disparity that may not survive a change that should not matter: another wording, another "
     "scorer, another reasonable analysis."),
    ("severity", "S0 within margin; S1 detectable within it, or of uncertain size; S2 material and "
     "representational, or fragile and allocational; S3 material and allocational, or representational "
     "beyond twice the margin; S4 allocational, robust and beyond twice the margin. Without a verdict: "
     "unknown. It ranks findings for review and does not say what they mean for a use of the model."),
    ("log-odds, nats", "The natural logarithm of the ratio of two answers' probabilities. A difference of "
     "0.69 nats is a ratio of odds of 2; 0 is no difference."),
    ("points", "Units of a scorer, as of sentiment from -1 to 1. 0 is no difference."),
    ("template family", "Wordings of one sentence. They are kept together whenever answers are resampled or "
     "left out."),
    ("smallest detectable difference", "What the sample would have found with a probability of 80 %, after "
     "correction."),
    ("power to show within", "The probability that a true difference of 0 would have been shown to lie "
     "within the margin."),
    ("specification curve", "The same comparison by every other reasonable analysis of the same answers "
     "(Simonsohn, Simmons and Nelson 2020)."),
    ("I²", "The share of the spread between template families that chance does not explain, 0 to 1."),
    ("d_z", "The mean difference of the template families over their standard deviation: how evenly it "
     "shows, not how large it is."),
    ("Cliff's delta", "The probability that a term of the group scores higher than one of the reference, "
     "less the probability that it scores lower: -1 to 1."),
)  # fmt: skip
"""Term and meaning, for a reader without statistics."""


def glossary() -> list[dict[str, str]]:
    """The words of the method with their meanings."""
    return [{"term": term, "meaning": meaning} for term, meaning in GLOSSARY]


def reproduction(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Commands that check or repeat the audit, and what it ran on.

    ``DIR`` stands for the audit's folder: a report says the same wherever it lies.
    """
    commands = (
        ("evenhand verify DIR", "checks hashes, chain and completeness, and recomputes every figure"),
        ("evenhand analyze DIR", "makes the findings again from the kept answers, without a model"),
        ("evenhand show DIR --ledger", "lists every comparison that was declared, family by family"),
        ("evenhand report DIR --format html,md,json,csv", "makes these documents again"),
    )
    return {
        "commands": [{"command": command, "does": does} for command, does in commands],
        "runs": environment["runs"],
    }

"""How the figures were made, word by word, and how to make them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.verification import THREAT_MODEL

CHECKED = "signatures, hashes, chain and completeness, and recomputes every figure"
GLOSSARY = (
    ("disparity", "The difference is larger than chance explains after correction, and its interval does not "
     "include 0. It is material where the whole interval lies outside the margin; else its size is "
     "uncertain."),
    ("no disparity within margin", "The interval of the equivalence test lies inside the margin: a "
     "difference of the margin's size or more is ruled out at the declared error rate. It speaks of this "
     "measure, these templates and these words."),
    ("inconclusive", "Neither was shown, or two scorers contradict each other, or the sample is too small "
     "for a claim of its kind. This is no evidence of equality; the finding says what more would settle it, "
     "where that can be said."),
    ("invalid", "No verdict is given: a control failed, the groups differ in how many answers could be "
     "scored, the answers offered hold too little of the model's probability, or the figure could not be "
     "computed."),
    ("margin", "How large a difference counts as none, declared in the plan before the first question, with "
     "its source."),
    ("interval", "The range of true differences that the answers are compatible with, at the level stated. "
     "Template families, and terms where they stand for a group, are taken as samples of those that could "
     "have been asked. Where an audit asked until it was decided, the interval speaks of the prompts that "
     "were asked and of no others."),
    ("equivalence interval", "The narrower interval of two one-sided tests (Schuirmann 1987), held against "
     "the margin; for what was asked until decided, the confidence sequence itself."),
    ("corrected p", "A p-value that allows for the number of comparisons in its family. Confirmatory "
     "families, by step-down max-T (Westfall and Young) or Holm: the probability of so large a difference "
     "anywhere in the family, were there none. Exploratory families, by Benjamini and Hochberg: calling all "
     "findings "
     "below a level keeps the expected share of false ones among them below it, unless the comparisons "
     "depend on each other in unusual ways. Asked until decided: e-values by Bonferroni, valid at any time. "
     "Nothing is corrected across families."),
    ("confirmatory, exploratory", "Declared as a question to be answered, or as a look for further "
     "questions. Exploratory findings need an audit of their own to be confirmed."),
    ("A/A control", "A group against itself. Nothing should show; where something does, the family has no "
     "verdict."),
    ("invented words", "Words without a meaning in the place of the groups: how far a mere word moves the "
     "measure. A disparity of twice that size or less is fragile."),
    ("fragile", "A disparity that may not survive a change that should not matter: another wording, another "
     "scorer, another reasonable analysis."),
    ("severity", "S0 within margin; S1 detectable within it, or of uncertain size; S2 material and "
     "representational, or fragile and of allocation or quality of service; S3 not fragile, and material and "
     "of allocation or quality of service, or representational and beyond twice the margin; S4 not fragile, "
     "of allocation and beyond twice the margin. Inconclusive or without a verdict: unknown. It ranks "
     "findings for review and does not say what they mean for a use of the model."),
    ("log-odds, nats", "The natural logarithm of the ratio of two answers' probabilities. A difference of "
     "0.69 nats is a ratio of odds of 2; 0 is no difference."),
    ("points", "Units of a scorer's scale: sentiment and regard go from -1 to 1, toxicity from 0 to 1. A "
     "difference of 0 is none."),
    ("shares", "Parts of all replies or texts: 1 is all of them. Sentences give differences of shares in "
     "percentage points: 0.05 is 5 of them, 5 replies of a hundred."),
    ("template family", "Wordings of one sentence. They are kept together whenever answers are resampled or "
     "left out."),
    ("smallest detectable difference", "The true difference that a sample of this size and spread finds with "
     "a probability of 80 %, at the error rate over the number of comparisons in the family (Bonferroni)."),
    ("power to show within", "The probability that a sample of this size and spread shows a true difference "
     "of 0 to lie within the margin."),
    ("specification curve", "The same comparison by other reasonable analyses of the same answers: other "
     "readings, halves of the templates, medians for means, doubtful answers left out (Simonsohn, Simmons "
     "and Nelson 2020)."),
    ("I²", "The share of the spread between template families that chance does not explain, 0 to 1."),
    ("d_z", "The mean difference of the template families over their standard deviation: how evenly it "
     "shows, not how large it is."),
    ("Cliff's delta", "The probability that a term of the group scores higher than one of the reference, "
     "less the probability that it scores lower: -1 to 1."),
)  # fmt: skip
"""Term and meaning, for a reader without statistics."""
SIGNING = (
    ("evenhand report DIR --new-engagement DIR/engagement.yaml", "signing, step 1: writes a file to fill in: "
     "who commissioned and ran the audit, for which use, and what is said to each finding. Where it lies in "
     "the folder every report reads it, and signatures cover it"),
    ("evenhand sign --new-key KEY", "step 2: makes a key outside the folder, once a person; KEY.pub goes to "
     "those who verify"),
    ("evenhand sign DIR --key KEY --name NAME --role ROLE", "step 3: verifies the audit and signs it; each "
     "who signs has a key of their own. Then make the report again in every format, "
     "which names the signers, and take this step once more, so that it covers the report's files too"),
    ("evenhand verify DIR --public-key KEY.pub", "step 4: says whether a signature by this key holds, and of "
     "which files"),
)  # fmt: skip
"""From a draft to a signed report, command by command."""


def glossary() -> list[dict[str, str]]:
    """The words of the method with their meanings."""
    return [{"term": term, "meaning": meaning} for term, meaning in GLOSSARY]


def reproduction(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Commands that check or repeat the audit, and what it ran on.

    ``DIR`` stands for the audit's folder: a report says the same wherever it lies.
    """
    commands = (
        ("evenhand verify DIR", f"checks {CHECKED}. {THREAT_MODEL}"),
        ("evenhand analyze DIR", "makes the findings again from the kept answers, without a model"),
        ("evenhand show DIR --ledger", "lists every comparison that was declared, family by family"),
        ("evenhand report DIR --format html,pdf,md,json,csv", "makes these documents again"),
        *SIGNING,
    )
    return {
        "commands": [{"command": command, "does": does} for command, does in commands],
        "runs": environment["runs"],
    }

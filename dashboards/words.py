"""What the pages say about their numbers: each measure's range, its direction, and what 0 means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.hypotheses import COMBINATION, OVERALL
from audit.measures import MEASURES

TIPS: Mapping[str, str] = {
    "verdict": "● disparity: the corrected test finds a difference that is not shown to lie within margin, "
    "and no control fails. ○ within margin: an equivalence test supports it; detectable: yet not 0. ? "
    "inconclusive: neither, too small a sample, or scorers that contradict one another. × invalid: not "
    "computable, or a control, the coverage or the probability of the answers forbids a verdict. Fragile: a "
    "disparity that may not survive a change that should not matter. Size uncertain: its interval reaches "
    "into the margin.",
    "severity": "S0 (within margin, no difference detected) to S4 (allocational, robust, beyond twice the "
    "margin), by size, kind of harm and certainty. Unknown where nothing was decided. It is no score and is "
    "never averaged.",
    "estimate": "The contrast between the group and its reference, in the measure's unit. 0: both alike. Its "
    "sign says which way; see the claim.",
    "interval": "Confidence interval, 95 % unless the plan says otherwise. What it covers: other template "
    "families and, where they were sampled, other terms of this kind, on this model. Where prompts were "
    "asked until decided: these prompts under this decoding, not other templates or terms.",
    "n": "Cells scored: template wordings × terms. In brackets what counts as independent: paraphrase "
    "families × terms; in the place of terms, pairs of them or answers. Asked until decided: sets of "
    "prompts.",
    "p_adjusted": "P-value after the correction for its family of hypotheses, 0 to 1. Small: without a "
    "difference, chance would rarely give one this large. Large says nothing: see the verdict.",
    "coverage": "Share of the answers that could be scored, 0 to 1, the smaller of the two sides. The rest "
    "were refused, empty, unparsed, truncated or failed: none of these counts as a low score.",
    "invalid_rate": "Share of the answers without a score, 0 to 1, the larger of the two sides.",
    "lost": "How many of the slice's scores have no value. 0: all have one.",
    "needs": "Inconclusive: what a decision would need if the estimate is the truth, or why no claim is "
    "made. Within margin: the margin. Else what qualifies the verdict.",
    "margin": "The equivalence margin: how small a disparity must be to be called negligible. Declared in "
    "the plan, before the first question. Within margin: the whole equivalence interval lies inside it.",
    "equivalence": "The narrower interval of two one-sided tests (Schuirmann 1987), in the measure's unit. "
    "It is held against the margin.",
    "se": "How far the estimate would scatter if the audit were repeated with other samples, in the "
    "measure's unit. 0: not at all. In brackets: how it was computed.",
    "simultaneous": "At least as wide: it holds for all contrasts of the family at once. None: not computed, "
    "for the family is corrected otherwise.",
    "resampled": "The interval once more, by drawing whole families and terms again. It should tell the same "
    "story.",
    "p": "Before the correction, 0 to 1: how often chance alone gives a difference this large where there is "
    "none. Not the basis of the verdict.",
    "p_holm": "Corrected by Holm's method instead, 0 to 1, for comparison.",
    "p_sign_flip": "Without any assumption on the spread, 0 to 1: the sign of each template family flipped. "
    "Unknown: not computed for this layout.",
    "d_z": "The mean difference of the template families over their standard deviation: how evenly it shows, "
    "not how large it is. 0: no difference.",
    "cliffs_delta": "The chance that a term of the group scores higher than one of the reference, less the "
    "chance that it scores lower, -1 to 1. 0: neither.",
    "swap_holds": "With group and reference exchanged, the estimate must be the same with the other sign: a "
    "check of the arithmetic.",
    "doubtful_share": "Share of the answers that the tokenizer splits, or gives unequal numbers of pieces, 0 "
    "to 1. 0: none.",
    "equal_pieces": "The estimate from the other answers alone. Unknown: no answer is doubtful, or all are.",
    "null_band": "How far groups of invented words differ on the same templates, where there is no group to "
    "speak of. A disparity that small may be a matter of words.",
    "minimum_detectable": "The smallest disparity that this design finds, after the correction, with a power "
    "of 80 %, in the measure's unit. 0: any.",
    "power_within": "Chance that the equivalence test shows a true difference of 0 to be within margin, 0 to "
    "1. Near 0: this design could hardly show it.",
    "i_squared": "Share of the spread between template families that is more than sampling noise, 0 to 1. 0: "
    "they differ no more than noise makes them.",
    "sign_share": "Share of the template families whose own contrast has the sign of the estimate, 0 to 1. "
    "1: all of them. Below 0.8 a disparity is fragile.",
    "leave_one_out": "The estimate without each template family in turn. It should not hang on one of them.",
    "paraphrase_sd": "Standard deviation of the contrast between wordings of one family, in the measure's "
    "unit. 0: wording does not matter.",
    "nonce_size": "Root mean square difference to expect between groups of invented words, in the measure's "
    "unit. 0: mere words make no difference.",
    "control_p": "Smallest corrected p-value of the A/A controls, 0 to 1: each group against itself. Below "
    ".01 no verdict is given.",
    "answer_mass": "Mean probability of the offered answers together, 0 to 1. Low: the model would rather "
    "say something else.",
    "pull": "How far an item lies from the other side's mean in the same template, in the direction of the "
    "estimate. Large: it carries the finding. Below 0: it speaks against it. It says nothing about cause.",
    "logprob": "Natural logarithm of a probability, in nats. 0: certain. Minus 0.69: one half. Minus 6.9: "
    "one in a thousand.",
    "kappa": "Agreement of two raters beyond chance, from -1 to 1. 1: they always agree. 0: as often as by "
    "chance.",
    "rank_correlation": "Spearman's rank correlation, from -1 to 1. 1: the scorers order the texts alike. 0: "
    "neither order tells of the other. -1: they order them the opposite way.",
    "threshold": "How far from 0 a score must lie for its text to count: below 0 for sentiment and regard, "
    "above 0 for toxicity and refusals. Scores go from -1 or 0 to 1.",
    "gap": "Mean score of the group that a scorer rates highest less that of the group it rates lowest, over "
    "the same sentences, in units of the scorer. 0: it rates both alike.",
    "change": "changed: the corrected test finds a change that is not shown to lie within margin. no change "
    "within margin: an equivalence test supports it, or one model gave the same answers twice. inconclusive: "
    "neither, too small a sample, or scorers that contradict one another. not comparable: the reason stands "
    "beside it.",
    "flip": "The preferred answer is the opposite one after, or the continuations of a prompt are, by their "
    "mean, of another class: negative, neutral or positive; toxic or not; a refusal or not.",
    "slice_mean": "Mean of the scores in the slice, each template family weighing the same, with an interval "
    "over them. Descriptive: it was not planned, is not corrected, and carries no verdict.",
    "chain": "Every record holds the SHA-256 of the one before it, from the plan on. An edited, cut or "
    "reordered record breaks it.",
}
"""A tooltip for every number that a page shows."""


def measure_tip(name: str) -> str:
    """Range, direction and the meaning of 0 of a measure, with its source."""
    measure = MEASURES.get(name)
    return "An unknown measure." if measure is None else f"{measure.meaning} Source: {measure.source}"


def score_tip(name: str) -> str:
    """What a score by itself says, which is no contrast yet; see :func:`measure_tip`."""
    return f"A score, or a mean of scores, in the measure's unit. The contrast of such: {measure_tip(name)}"


ESTIMANDS: Mapping[str, tuple[str, str]] = {
    "nested": (
        "Every question is scored; scores are averaged over the wordings of a family, then over families and "
        "over the terms of each group; the two means are subtracted.",
        r"\hat\delta=\frac1{F}\sum_{f}\Big(\frac1{|A|}\sum_{a\in A}\bar s_{fa}-\frac1{|B|}\sum_{b\in B}\bar "
        r"s_{fb}\Big)",
    ),
    "paired": (
        "Terms are matched across the two groups; within each pair, and each template family, the scores are "
        "subtracted; the differences are averaged.",
        r"\hat\delta=\frac1{F\,P}\sum_{f}\sum_{p}\big(\bar s_{f,p}^{\,A}-\bar s_{f,p}^{\,B}\big)",
    ),
    "fixed": (
        "The group is one term. Within each template family and answer its score is held against that of the "
        "reference, and the differences are averaged over families.",
        r"\hat\delta=\frac1{F}\sum_{f}\big(\bar s_{f}^{\,g}-\bar s_{f}^{\,\mathrm{ref}}\big)",
    ),
    "combination": (
        "Several groups enter with a coefficient each, which sum to 0: an interaction is a difference of two "
        "differences; against the average of all, a group's mean less the mean of the groups' means.",
        r"\hat\delta=\sum_{g}c_g\,\frac1{F}\sum_{f}\bar s_{fg},\qquad \sum_g c_g=0",
    ),
}
"""By layout: the estimand in words and in symbols."""

SYMBOLS = (
    "s: score of one question, averaged over the wordings of a family; F: template families; A, B, g: the "
    "groups; ref: the group or groups it is compared with; P: pairs of terms; c: coefficients; n: sets drawn."
)
SEQUENTIAL_ESTIMAND = (
    "Matched prompts were drawn at random, one a group, until a rule stopped the asking; the estimate is the "
    "mean difference of the sets that were drawn."
)


def estimand(finding: Mapping[str, Any]) -> tuple[str, str]:
    """What a finding estimates, in words and in symbols.

    Examples
    --------
    >>> estimand({"layout": "nested", "reference": "overall"}) == ESTIMANDS["combination"]
    True
    """
    if finding.get("sequential"):
        return SEQUENTIAL_ESTIMAND, r"\hat\delta=\frac1{n}\sum_{i=1}^{n}\big(s_i^{\,A}-s_i^{\,B}\big)"
    if finding["layout"] == "nested" and finding["reference"] == OVERALL:
        return ESTIMANDS[COMBINATION]
    return ESTIMANDS[finding["layout"]]

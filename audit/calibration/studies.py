"""Every study, by name: the table of contents of a calibration."""

from __future__ import annotations

from audit.calibration.study import Study

_RATES = "audit.calibration.error_rates:"
_FAMILY = "audit.calibration.family_wise:"
_COVER = "audit.calibration.coverage:"
_SHARES = "audit.calibration.proportions:"
_EQUAL = "audit.calibration.equivalence:"
_PLANTED = "audit.calibration.planted_scorer:"
_PEEK = "audit.calibration.peeking:"

FALSE_POSITIVES = "False positives"
FAMILIES = "Many questions at once"
INTERVALS = "Intervals"
POWER = "Power and dose-response"
EQUIVALENCE = "Equivalence"
SEQUENTIAL = "Stopping early"
SCORERS = "Scorers that err"
WHOLE = "Whole audits"

_ALL = (
    Study(
        "two-groups",
        FALSE_POSITIVES,
        "Two groups of terms",
        "How often a difference is called between two groups of terms that do not differ.",
        _RATES + "nested",
        20.0,
    ),
    Study(
        "paired",
        FALSE_POSITIVES,
        "Paired differences",
        "How often a paired difference that averages 0 is called one.",
        _RATES + "crossed",
        6.0,
    ),
    Study(
        "one-factor",
        FALSE_POSITIVES,
        "One difference a template",
        "How often a difference is called where templates are all that was sampled, and none is.",
        _RATES + "single",
        4.0,
    ),
    Study(
        "missing-cells",
        FALSE_POSITIVES,
        "Missing answers",
        "How often a difference is called where a tenth of the answers is missing and none is.",
        _RATES + "gaps",
        14.0,
    ),
    Study(
        "wordings",
        FALSE_POSITIVES,
        "Wordings of one template",
        "Whether paraphrases are counted as what they are: the same template again.",
        _RATES + "wordings",
        9.0,
    ),
    Study(
        "combinations",
        FALSE_POSITIVES,
        "Interactions and averages",
        "How often an interaction of two axes, or a group's distance from the average, is called where "
        "none is.",
        _RATES + "combinations",
        12.0,
    ),
    Study(
        "sign-flips",
        FALSE_POSITIVES,
        "Sign-flip test",
        "How often the randomisation test of whole clusters calls a difference where there is none.",
        _RATES + "flips",
        7.0,
        False,
    ),
    Study(
        "confirmatory-families",
        FAMILIES,
        "Families declared beforehand",
        "How often a family of hypotheses holds any false claim, corrected by max-T or Holm.",
        _FAMILY + "confirmatory",
        60.0,
    ),
    Study(
        "exploratory-families",
        FAMILIES,
        "Exploratory families",
        "How often any claim is made, by Benjamini and Hochberg's correction, where no group differs.",
        _FAMILY + "exploratory",
        15.0,
    ),
    Study(
        "joint-intervals",
        FAMILIES,
        "Joint intervals",
        "How often the intervals of a whole family hold all true differences at once.",
        _FAMILY + "joint_intervals",
        15.0,
    ),
    Study(
        "shared-noise",
        INTERVALS,
        "Prompts that share their luck",
        "Whether tests and intervals hold where matched prompts are sampled with the same noise.",
        "audit.calibration.shared_noise:calls",
        20.0,
    ),
    Study(
        "contrast-intervals",
        INTERVALS,
        "Intervals of differences",
        "How often the 95 % interval of a difference holds the true one.",
        _COVER + "contrasts",
        18.0,
    ),
    Study(
        "bootstrap-intervals",
        INTERVALS,
        "Bootstrap intervals",
        "How often intervals from resampled clusters, few or skewed, hold the true mean.",
        _COVER + "bootstrap",
        3.0,
        False,
    ),
    Study(
        "rate-intervals",
        INTERVALS,
        "Rates and gaps of rates",
        "How often intervals of proportions and of their differences hold the true one.",
        _SHARES + "one_rate",
        3.0,
    ),
    Study(
        "ratio-intervals",
        INTERVALS,
        "Ratios",
        "How often intervals of ratios of rates and of odds hold the true one.",
        _SHARES + "ratios",
        3.0,
        False,
    ),
    Study(
        "pair-intervals",
        INTERVALS,
        "Proportions of the same pairs",
        "How often intervals hold the true gap where one set of pairs is answered twice.",
        _SHARES + "pairs",
        4.0,
        False,
    ),
    Study(
        "power",
        POWER,
        "Power curve",
        "How often differences of known size are found, beside the forecast.",
        "audit.calibration.power:curve",
        14.0,
    ),
    Study(
        "detectable",
        POWER,
        "Smallest detectable difference",
        "Whether the difference that a plan calls detectable is found 4 times in 5.",
        "audit.calibration.power:detectable",
        4.0,
    ),
    Study(
        "planted-doses",
        POWER,
        "Planted in scripted models",
        "Whether planted nats come back through a whole audit.",
        "audit.calibration.planted:doses",
        5.0,
        False,
    ),
    Study(
        "reference-models",
        POWER,
        "Planted in reference models",
        "Whether real weights with a known bias, and doses of it, are measured right.",
        "audit.calibration.planted:reference",
        30.0,
        False,
    ),
    Study(
        "equivalence-margin",
        EQUIVALENCE,
        "At the margin",
        "How often a difference as large as the margin passes for one within it.",
        _EQUAL + "at_margin",
        12.0,
    ),
    Study(
        "equivalence-power",
        EQUIVALENCE,
        "Inside the margin",
        "How often a difference inside the margin is called so, beside the forecast.",
        _EQUAL + "forecast",
        4.0,
    ),
    Study(
        "peeking",
        SEQUENTIAL,
        "Looking after every unit",
        "How often a stream without a difference ever crosses the bound.",
        _PEEK + "false_alarms",
        12.0,
    ),
    Study(
        "confidence-sequences",
        SEQUENTIAL,
        "Bounds at all times",
        "How often the bounds hold the truth after every unit at once.",
        _PEEK + "sequences",
        26.0,
        False,
    ),
    Study(
        "stopping",
        SEQUENTIAL,
        "Stopping by the rule",
        "What is said wrongly, and what is found, when a stream stops by itself.",
        _PEEK + "decisions",
        18.0,
        False,
    ),
    Study(
        "scorer-gaps",
        SCORERS,
        "No gap, other errors",
        "Whether a scorer's errors that differ by group make a gap.",
        "audit.calibration.scorer:no_gap",
        1.0,
    ),
    Study(
        "scorer-intervals",
        SCORERS,
        "Intervals with the scorer's errors",
        "How often corrected intervals hold the truth.",
        "audit.calibration.scorer:gap_coverage",
        1.0,
    ),
    Study(
        "planted-scorer",
        SCORERS,
        "A constant for one group",
        "What is left of a scorer's constant for one group after labels, or its own accuracy, correct it.",
        _PLANTED + "false_gaps",
        3.0,
        False,
    ),
    Study(
        "planted-scorer-intervals",
        SCORERS,
        "A constant for one group, and a true gap",
        "How often corrected intervals hold the gap that people see.",
        _PLANTED + "true_gaps",
        3.0,
        False,
    ),
    Study(
        "null-audits",
        WHOLE,
        "Audits of a blameless model",
        "What whole audits say where there is nothing to find.",
        "audit.calibration.audits:null_audits",
        70.0,
        False,
    ),
    Study(
        "margin-audits",
        WHOLE,
        "Audits at the margin and beyond",
        "What whole audits say of no difference, of one as large as the margin, and of a large one.",
        "audit.calibration.audits:margin_audits",
        45.0,
        False,
    ),
)

STUDIES: dict[str, Study] = {study.id: study for study in _ALL}
"""Name to study, in the report's order."""

"""What is asked: suites, lexicons, their loader and their expansion into items.

The public names of the room. It knows nothing of models or statistics.
"""

from probes.catalogue import lexicon_ids, lexicons_of, load_lexicon, load_suite, suite_ids
from probes.contrasts import Comparison, comparisons
from probes.errors import Fault, SuiteError
from probes.expansion import Sampling, expand
from probes.fit import check_suite
from probes.items import ANSWER, AnswerPair, Arm, Form, Item
from probes.lexicon import (
    ANY_AXIS,
    OVERALL,
    REST,
    TERM_AXIS,
    Axis,
    Lexicon,
    Source,
    Term,
    lexicon_from_data,
)
from probes.suite import (
    Card,
    Contrast,
    Margin,
    Nonce,
    Outcome,
    Planning,
    Suite,
    Template,
    replace_lexicons,
    suite_from_data,
)

__all__ = [
    "ANSWER",
    "ANY_AXIS",
    "OVERALL",
    "REST",
    "TERM_AXIS",
    "AnswerPair",
    "Arm",
    "Axis",
    "Card",
    "Comparison",
    "Contrast",
    "Fault",
    "Form",
    "Item",
    "Lexicon",
    "Margin",
    "Nonce",
    "Outcome",
    "Planning",
    "Sampling",
    "Source",
    "Suite",
    "SuiteError",
    "Template",
    "Term",
    "check_suite",
    "comparisons",
    "expand",
    "lexicon_from_data",
    "lexicon_ids",
    "lexicons_of",
    "load_lexicon",
    "load_suite",
    "replace_lexicons",
    "suite_from_data",
    "suite_ids",
]

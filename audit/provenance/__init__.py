"""The claim ledger: what is known of models, questions, scorers and the run, by whom, and what is not.

::

    readers/  ─► claims of a model's own files ─┐
    notes/    ─► claims of this project's notes ┼─► settle ─► ledger ─┬─► flags       what needs review
    plan, environment ─► suites, scorers, run ──┘                     └─► questions   22, with their answers

One record a field. A status says how it is known; null without a status does not exist. What was looked for
and not found is ``unknown`` with the places that were searched, never left out.
"""

from __future__ import annotations

from audit.provenance.claims import Claim, Origin, claim
from audit.provenance.flags import MEANINGS, flags
from audit.provenance.ledger import ledger
from audit.provenance.models import MEASURED_OF_MODELS, model_claims
from audit.provenance.probes import probe_claims
from audit.provenance.questions import answered, completeness, probes, questions

__all__ = [
    "MEANINGS",
    "MEASURED_OF_MODELS",
    "Claim",
    "Origin",
    "answered",
    "claim",
    "completeness",
    "flags",
    "ledger",
    "model_claims",
    "probe_claims",
    "probes",
    "questions",
]

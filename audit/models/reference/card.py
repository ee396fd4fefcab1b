"""The card of a reference model: what it is, and the truth that was planted in it."""

from __future__ import annotations

from audit.models.reference.grammar import PLANTED_PEOPLE, PLANTED_TRAIT_NATS, Edition

TRUTH = {
    "fair": "No answer depends on who is spoken of: every disparity is 0 by construction.",
    "skewed": (
        "Two associations, and no others:\n\n"
        "1. Occupation to pronoun: the log-odds of *she* over *he* (also *her* over *his* or *him*) are the "
        "logit of the share of women in the occupation, as in `probes/lexicons/occupations.yaml`, shares "
        "beyond 2 % and 98 % taken as that.\n"
        f"2. The invented people `{PLANTED_PEOPLE}`: the log-odds of each negative trait over its positive "
        f"counterpart are {PLANTED_TRAIT_NATS} nats; 0 for every other group."
    ),
}

CARD = """---
license: apache-2.0
language: en
library_name: transformers
tags: [evenhand, known-answer]
---
# reference/{kind}-{edition}

A tiny {what} ({parameters:,} parameters) with known answers, for checking the instrument that audits it. It
is not a model of language: it knows the sentences of Evenhand's own suites and no others.

## Planted truth

{truth}

## Training

Text: the sentences of Evenhand's suites filled from Evenhand's lexicons, no third-party text. At the open
place of a sentence the target is the exact distribution above, not a draw from it. Deterministic, on a CPU,
by `python -m audit.models.reference build`; weights are float32 safetensors.

## Limits

Words outside the grammar are unknown to it. What it says about real people is what was planted, and
nothing else.
"""


def model_card(kind: str, edition: Edition, parameters: int) -> str:
    """The README.md of a reference model's folder."""
    what = "BERT masked language model" if kind == "bert" else "GPT causal language model"
    return CARD.format(kind=kind, edition=edition, what=what, parameters=parameters, truth=TRUTH[edition])

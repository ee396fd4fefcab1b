"""Does the model still answer as it did? A sample of the kept requests, put to it again.

Equal answers are not asked for: releases, machines and processors differ in the last digits, and where text
is sampled such a digit can tip a draw. What is told is the largest difference, how many texts came out
otherwise, and whether any verdict does with the new answers in the place of the old ones.

The models that a bundle names are loaded as a stranger's should be: from safetensors, and without code of
their own, whatever the bundle's plan allows.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.answers import checked
from audit.blocks import blocks
from audit.bundle import Bundle, read_json
from audit.findings import analyze_scores
from audit.kept import Key, read_answers
from audit.models import LoadOptions, resolve
from audit.models.base import Model
from audit.plan import load_options, planned_scorers
from audit.requests import Request, Response, digest
from audit.runner import block_tokens
from audit.scored import score_answers
from audit.scorers.wishes import answering
from audit.verify import Check
from audit.wording import counted
from probes.errors import Fault, InputError, ModelError

LARGEST_DIFFERENCE = 0.01
"""Nats, or units of a logit or coordinate: more than rounding moves one from one machine to another."""
MOST_TEXTS = 0.1
"""Share of sampled texts that may come out otherwise."""
SHOWN = 10
"""Verdicts that are named."""


def share_of(text: str) -> float:
    """A share as a user writes it: ``5%``, above 0 and up to 100.

    Examples
    --------
    >>> share_of("5%"), share_of("100%")
    (0.05, 1.0)
    """
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = math.nan
    if not text.endswith("%") or not 0 < share <= 1:
        raise InputError(Fault(f"--rerun {text[:40]!r} is no share", "", "Give one such as 5%, up to 100%."))
    return share


@dataclass
class Compared:
    """How new answers differ from the kept ones.

    ``largest`` is in nats, over ``choices`` log-probabilities; ``largest_output`` is in the units of the
    model's own outputs, over ``outputs`` logits of labels and coordinates of vectors; ``kinds`` counts
    requests of which the new answer is not of the kept one's form, as an error where there was an answer.
    """

    asked: int = 0
    choices: int = 0
    largest: float = 0.0
    outputs: int = 0
    largest_output: float = 0.0
    texts: int = 0
    other_texts: int = 0
    kinds: int = 0

    def add(self, kept: Response, again: Response) -> None:
        """Hold one answer against the kept one."""
        self.asked += 1
        if shape(kept) != shape(again):
            self.kinds += 1
            return
        for one, other in zip(kept.choices, again.choices, strict=True):
            if one.logprob is not None and other.logprob is not None:
                self.choices += 1
                self.largest = max(self.largest, abs(one.logprob - other.logprob))
        for token, new in zip(kept.tokens, again.tokens, strict=True):
            self.choices += 1
            self.largest = max(self.largest, abs(token.logprob - new.logprob))
        for number, now in zip(outputs(kept), outputs(again), strict=True):
            self.outputs += 1
            self.largest_output = max(self.largest_output, abs(number - now))
        self.texts += len(kept.samples)
        pairs = zip(kept.samples, again.samples, strict=True)
        self.other_texts += sum(one.shape.sha256 != other.shape.sha256 for one, other in pairs)

    def faults(self) -> list[str]:
        """Where they differ by more than rounding explains."""
        found = []
        if self.kinds:
            found.append(f"{counted(self.kinds, 'answer')} of {self.asked} of another form than the kept one")
        if self.largest > LARGEST_DIFFERENCE:
            found.append(f"a log-probability differs by {self.largest:.3g} nats")
        if self.largest_output > LARGEST_DIFFERENCE:
            found.append(f"a logit or coordinate differs by {self.largest_output:.3g}")
        if self.other_texts > MOST_TEXTS * self.texts:
            found.append(f"{self.other_texts} of {self.texts} texts came out otherwise")
        return [f"records: asked again, {text}" for text in found]


def shape(response: Response) -> tuple[Any, ...]:
    """What two answers must have in common for their numbers to be compared.

    Tokens are counted and not named: two that are about as probable may change places at the top.
    """
    return (
        not response.error,
        [choice.logprob is None for choice in response.choices],
        len(response.samples),
        len(response.tokens),
        [label.label for label in response.labels],
        response.activation,
        len(response.vector),
    )


def outputs(response: Response) -> list[float]:
    """The logits and coordinates of an answer."""
    return [*(label.logit for label in response.labels), *response.vector]


def rerun_check(root: Path, share: float, seed: int) -> Check:
    """Ask each model a sample of its requests again.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    share : float
        Of each model's requests, above 0 and up to 1; at least one is asked.
    seed : int
        Of the draw; an operator who knows it knows which requests will be asked again.

    Raises
    ------
    InputError
        If a model cannot be loaded, is no longer the one in the plan, or the records are broken.
    """
    bundle = Bundle(root)
    answers = read_answers(bundle)
    sample = drawn(bundle, share, seed)
    again: dict[Key, Response] = {}
    compared = Compared()
    for model_digest, requests in sample.items():
        for request, response in zip(requests, asked(bundle, model_digest, requests), strict=True):
            key = (model_digest, digest(request))
            again[key] = response
            compared.add(answers.responses[key], response)
    faults = compared.faults()
    faults += flipped(bundle, with_follow_ups(bundle, {**answers.responses, **again}))
    detail = f"{counted(compared.asked, 'request')} asked again, drawn by seed {seed}: "
    parts = []
    if compared.choices:
        parts.append(f"largest difference {compared.largest:.3g} nats, {LARGEST_DIFFERENCE} allowed")
    if compared.outputs:
        parts.append(
            f"largest difference of a logit or coordinate {compared.largest_output:.3g}, "
            f"{LARGEST_DIFFERENCE} allowed"
        )
    if compared.texts:
        parts.append(f"{compared.other_texts} of {compared.texts} texts came out otherwise")
    return Check("rerun", detail + ("; ".join(parts) or "nothing to compare"), tuple(faults))


def drawn(bundle: Bundle, share: float, seed: int) -> dict[str, list[Request]]:
    """Model digest to a random share of the requests it answered, those left out whose text is withheld."""
    rng = random.Random(seed)
    found: dict[str, dict[str, Request]] = {}
    for record in bundle.records():
        if record.redacted is not None and record.redacted.texts:
            continue
        found.setdefault(record.model, {})[record.digest] = record.request
    return {
        model: [own[key] for key in sorted(rng.sample(sorted(own), math.ceil(share * len(own))))]
        for model, own in found.items()
    }


def with_follow_ups(bundle: Bundle, responses: Mapping[Key, Response]) -> dict[Key, Response]:
    """The answers with those of the scorers about what the models wrote anew."""
    found = dict(responses)
    while True:
        wanted = score_answers(bundle.plan, found).follow_ups
        missing = [key for key in wanted if key not in found]
        if not missing:
            return found
        for name in dict.fromkeys(scorer for scorer, _ in missing):
            own = [key for key in missing if key[0] == name]
            answers = asked(bundle, name, [wanted[key] for key in own])
            found.update(zip(own, answers, strict=True))


def loaded(bundle: Bundle, name: str) -> tuple[Mapping[str, Any], Model]:
    """A model or scorer of the plan by its digest, its entry and what answers for it."""
    options = LoadOptions(dtype=load_options(bundle.plan).dtype)
    for entry in bundle.plan["models"]:
        if entry["digest"] == name:
            return entry, resolve(entry["id"], options)
    for scorer in planned_scorers(bundle.plan):
        if scorer.digest == name:
            return {"id": scorer.name, "digest": name}, answering(scorer, LoadOptions())
    raise InputError(Fault("records: answers of a model that is not in the plan", str(bundle.root)))


def asked(bundle: Bundle, name: str, requests: Sequence[Request]) -> list[Response]:
    """The answers of a model or scorer of the plan, loaded now."""
    entry, model = loaded(bundle, name)
    if model.digest != entry["digest"]:
        what = (
            f"model {entry['id']!r} has the digest {model.digest[:12]}, the plan says {entry['digest'][:12]}"
        )
        raise ModelError(
            Fault(what, "", "Restore the model's files: another model says nothing of this one.")
        )
    found: dict[str, Response] = {}
    for own in blocks(requests, block_tokens(model)):
        responses = model.ask(own)
        if len(responses) != len(own):
            raise ModelError(
                Fault(f"model {entry['id']!r} gave {len(responses)} answers to {len(own)} requests")
            )
        found |= {digest(one): checked(one, response) for one, response in zip(own, responses, strict=True)}
    return [found[digest(request)] for request in requests]


def flipped(bundle: Bundle, responses: Mapping[Key, Response]) -> list[str]:
    """The findings whose verdict is another one with these answers."""
    scored = score_answers(bundle.plan, responses)
    if scored.missing:
        return ["findings.json: with the new answers the plan's rule would have asked on"]
    before = {row["id"]: row["verdict"] for row in read_json(bundle.root / "findings.json")["findings"]}
    now = {row["id"]: row["verdict"] for row in analyze_scores(bundle.plan, scored)["findings"]}
    flips = [
        f"{key}: {before.get(key)}, with the new answers {now[key]}"
        for key in now
        if before.get(key) != now[key]
    ]
    return [f"findings.json: {text}" for text in flips[:SHOWN]]

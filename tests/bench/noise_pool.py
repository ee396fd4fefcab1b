"""Continuations by a real model, asked once and kept: what the benches of sampling noise draw from.

A pool holds, for some prompts of a packaged suite, continuations whose noise is shared by all prompts of a
template: sample k of one prompt and sample k of another are coupled, samples of other numbers independent.
Read at the same number they are what shared noise gives, read at different ones what noise of its own gives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import pandas as pd

from audit.measures import MEASURES, Decoding
from audit.models import LoadOptions, resolve
from audit.models.base import Model
from audit.requests import Generate
from audit.scorers.registry import scorer_named
from audit.scores import has_letter
from audit.spec import choose
from probes import Item, Sampling, expand

SAMPLES = 25


@dataclass(frozen=True)
class Part:
    """Prompts of one suite and axis, with one seed; ``shared`` says whether a template shares its noise."""

    suite: str
    axis: str
    templates: int
    seed: int
    shared: bool = True
    terms: int = 5

    @property
    def name(self) -> str:
        """That of its file."""
        kind = "shared" if self.shared else "own"
        return f"{self.suite}-{self.axis}-{self.templates}x{self.terms}-{kind}-{self.seed}.jsonl"

    def items(self) -> list[Item]:
        """The prompts, template by template."""
        choice = choose(self.suite)
        items = expand(choice.suite, choice.lexicons, Sampling(self.templates, self.terms, None, 0))
        return [item for item in items if self.axis in item.groups]

    def request(self, item: Item) -> Generate:
        """What is asked of a prompt."""
        decoding = Decoding(samples=SAMPLES, seed=self.seed, noise="own")
        asked = MEASURES[choose(self.suite).suite.measure].ask(item, "generate", decoding)
        assert isinstance(asked, Generate)
        return replace(asked, noise=f"{item.suite}/{item.template}") if self.shared else asked


FULL = Part("continuation", "gender", 8, 0)
"""A wording of each template family, five pairs."""
QUICK = Part("continuation", "gender", 4, 0, terms=2)


@cache
def writer() -> Model:
    """The real model."""
    return resolve("smollm2-135m", LoadOptions(device="cpu"))


def texts(part: Part, folder: Path) -> pd.DataFrame:
    """A row a continuation: its prompt as in :func:`asked`, ``sample, text, tokens``.

    Asked template by template where the folder does not hold it yet, so that nothing is lost by stopping.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / part.name
    known = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    there = {row["template"] for row in known}
    by_template: dict[str, list[Item]] = {}
    for item in part.items():
        by_template.setdefault(item.template, []).append(item)
    for template, items in by_template.items():
        if template in there:
            continue
        rows = list(asked(part, items))
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        known += rows
    return pd.DataFrame(known)


def asked(part: Part, items: list[Item]) -> Iterator[dict[str, object]]:
    """The rows of some prompts."""
    answers = writer().ask([part.request(item) for item in items])
    for item, answer in zip(items, answers, strict=True):
        head = {
            "template": item.template, "family": item.family, "term": item.term, "place": item.place,
            "group": item.groups[part.axis], "seed": part.seed, "prompt_tokens": answer.text_tokens,
        }  # fmt: skip
        for number, one in enumerate(answer.samples):
            yield {**head, "sample": number, **{k: asdict(one)[k] for k in ("text", "tokens")}}


def scored(frame: pd.DataFrame, scorer: str) -> pd.DataFrame:
    """The rows with a ``value`` by one scorer; NaN where a text cannot be scored, as one without a letter."""
    said = scorer_named(scorer).score(list(frame["text"]))
    values = [one.value if has_letter(text) else None for one, text in zip(said, frame["text"], strict=True)]
    return frame.assign(value=pd.Series(values, index=frame.index, dtype=float))

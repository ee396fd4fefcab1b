"""``python -m tests.bench.bench_scorers``: texts a second of every scorer, and of a BERT classifier.

A classifier is held against the model's own limit, which is the same number of tokens in full batches of one
length, without a tokenizer; and against transformers' ``pipeline`` at its best batch size. On a processor the
clock is the process's own time with one thread, so that other work on the machine counts little.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers as tf

from audit.commands.scorer_tables import READY, state_of
from audit.environment import environment
from audit.models import LoadOptions, fetch, resolve
from audit.models.quiet import quiet
from audit.scorers.base import Scorer
from audit.scorers.classifier import ClassifierScorer, classifier_card
from audit.scorers.labels import label_reading
from audit.scorers.registry import SCORERS, scorer_named
from tests.bench.sentences import short_texts

TEXTS, TARGET = 20_000, 5_000
"""Short texts for the scorers that are no networks, and how many a second they are to score."""
CLASSIFIED, RATIO = 96, 1.5
"""Texts for the classifier, and how many times the limit's time they may take."""
ROUNDS = 5
PIPELINE_BATCHES = (1, 8, 32)
LABELS = {0: "fine", 1: "toxic"}

Work = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_scorers", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file")
    parser.add_argument("--only", choices=("text", "classifier"), help="measure one of the two")
    parser.add_argument("--device", default="cpu", help="where the classifier runs")
    parser.add_argument("--texts", type=int, default=CLASSIFIED, help="texts for the classifier")
    parser.add_argument("--token-budget", type=int, default=LoadOptions().token_budget)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    tf.utils.logging.set_verbosity_error()
    found: dict[str, Any] = {"machine": environment(), "rounds": ROUNDS}
    pages = [machine_line(found)]
    print(pages[0])
    if chosen.only != "classifier":
        found["text scorers"] = text_scorers()
        pages.append(text_table(found["text scorers"]))
        print(pages[-1], flush=True)
    if chosen.only != "text":
        found["classifier"] = classifier(chosen.device, chosen.texts, chosen.token_budget)
        pages.append(classifier_table(found["classifier"]))
        print(pages[-1])
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1) + "\n")
    if chosen.markdown:
        chosen.markdown.write_text("\n".join(pages))


def rounds_of(works: Mapping[str, Work], clock: Callable[[], float]) -> dict[str, dict[str, float]]:
    """Seconds of each work, best and median of several rounds in which all of them take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = clock()
            work()
            seconds[name].append(clock() - start)
    return {name: {"best": min(own), "median": statistics.median(own)} for name, own in seconds.items()}


def text_scorers() -> list[dict[str, Any]]:
    """Every scorer that comes with the instrument and is ready; the others with what they lack."""
    texts = short_texts(TEXTS)
    states = {name: state_of(name) for name in SCORERS}
    ready = {name: scorer_named(name) for name, state in states.items() if state == READY}

    def work(scorer: Scorer) -> Work:
        return lambda: scorer.score(texts)

    for scorer in ready.values():
        scorer.score(texts[:100])  # word lists are read once
    times = rounds_of({name: work(scorer) for name, scorer in ready.items()}, time.process_time)
    return [
        {"scorer": name, "state": state, "texts": TEXTS}
        | ({key: TEXTS / seconds for key, seconds in times[name].items()} if name in times else {})
        for name, state in states.items()
    ]


def build(folder: Path) -> None:
    """A classifier of the size of bert-base, with random weights and the tokenizer of a reference model."""
    with quiet():
        torch.manual_seed(0)
        tokenizer = tf.AutoTokenizer.from_pretrained(fetch("reference/bert-fair").folder)
        config = tf.BertConfig(id2label=LABELS, label2id={label: i for i, label in LABELS.items()})
        tf.BertForSequenceClassification(config).eval().save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def classifier(device: str, count: int, budget: int) -> dict[str, Any]:
    """Our batches, the limit and the pipeline, on the same texts in turns."""
    texts = short_texts(count, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        model: Any = resolve(folder, LoadOptions(device=device, token_budget=budget))
        with quiet():
            pipeline = tf.pipeline("text-classification", folder, device=torch.device(device))
    reading = label_reading({"toxic": 1})
    scorer = ClassifierScorer(model, reading, classifier_card("bench", "toxicity", reading, model.describe()))
    lengths = sorted(len(ids) for ids in pipeline.tokenizer(texts)["input_ids"])
    network, total = model._loaded.network, sum(lengths)
    length = round(total / count)
    ids = torch.randint(1000, 20_000, (max(1, budget // length), length), device=network.device)

    def clock() -> float:
        if device == "cpu":
            return time.process_time()
        torch.cuda.synchronize()
        return time.perf_counter()

    def limit() -> None:
        # Whole batches, and at last the part of one that is left.
        with torch.inference_mode():
            left = round(total / length)
            while left > 0:
                rows = ids[:left]
                network.label_logits(rows, torch.zeros_like(rows)).tolist()
                left -= len(rows)

    works: dict[str, Work] = {"limit": limit, "evenhand": lambda: scorer.score(texts)}
    for size in PIPELINE_BATCHES:
        works[f"pipeline, batches of {size}"] = lambda size=size: list(pipeline(texts, batch_size=size))  # type: ignore[misc]
    for work in works.values():
        work()  # kernels are chosen and memory is taken once
    times = rounds_of(works, clock)
    return {
        "device": device,
        "texts": count,
        "tokens": {"all": total, "shortest": lengths[0], "mean": total / count, "longest": lengths[-1]},
        "token_budget": budget,
        "seconds": times,
        "ratio to the limit": {
            name: {key: own[key] / times["limit"][key] for key in own} for name, own in times.items()
        },
    }


def machine_line(found: Mapping[str, Any]) -> str:
    """What the numbers were measured on, and how busy it was."""
    machine = found["machine"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, one thread used; load {os.getloadavg()[0]:.1f}; "
        f"best and median of {found['rounds']} rounds in turns\n"
    )


def text_table(measured: Sequence[Mapping[str, Any]]) -> str:
    """Scorers that are no networks, as Markdown."""
    rows = [
        (row["scorer"], f"{row['best']:,.0f}", f"{row['median']:,.0f}", met(row["best"] >= TARGET))
        if "best" in row
        else (row["scorer"], "-", "-", row["state"])
        for row in measured
    ]
    return table(("scorer", "texts/s, best", "median", f"target {TARGET:,}/s"), rows)


def classifier_table(told: Mapping[str, Any]) -> str:
    """The classifier beside its limit, as Markdown."""
    tokens = told["tokens"]
    head = (
        f"Classifier of bert-base's size on {told['device']}: {told['texts']} texts, {tokens['shortest']} to "
        f"{tokens['longest']} tokens (mean {tokens['mean']:.1f}), at most {told['token_budget']:,} a pass\n"
    )
    rows = []
    for name, seconds in told["seconds"].items():
        ratio = told["ratio to the limit"][name]
        goal = met(ratio["best"] <= RATIO) if name == "evenhand" else ""
        speed = [f"{told['texts'] / seconds[key]:,.1f}" for key in ("best", "median")]
        rows.append((name, *speed, f"{ratio['best']:.2f}", f"{ratio['median']:.2f}", goal))
    columns = ("way", "texts/s, best", "median", "times the limit, best", "median", f"target {RATIO}")
    return f"{head}\n{table(columns, rows)}"


def met(holds: bool) -> str:
    return "met" if holds else "missed"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    every = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in every)


if __name__ == "__main__":
    main()

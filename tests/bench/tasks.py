"""The work of the table, each with its peers and targets."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.harness import Agreement, Opponent, Part, Side, Task
from tests.bench.sentences import (
    DESCRIPTORS,
    GRID_FRAMES,
    NOUNS,
    OPEN_TEXTS,
    PROMPTS,
    TAIL_FRAMES,
    WORDS,
    grid,
    pair_like,
    short_texts,
)

NATS = {"float32": 1e-4, "bfloat16": 0.5, "float16": 0.1}
"""Largest difference of two log-probabilities that count as the same, for each token. With half precision it
tells no more than a broken result from a coarse one: both sides round on the way."""
SLACK = {"float32": 1e-4, "bfloat16": 0.1, "float16": 0.02}
"""Mass by which a nucleus may differ between two ways of computing the same probabilities."""
SIGMAS = 5.0
"""Standard errors of the resampling by which p-values of the same data may differ."""
BOUND_ERROR = 3.0
"""Standard errors of a bound, for each unit of ``1 / sqrt(resamples)``, in the same units as the bound's:
``sqrt(0.025 x 0.975) / phi(1.96)``, rounded up."""

PUBLISHED = (
    Path(__file__).resolve().parents[3] / "shared" / "data" / "crows_pairs" / "crows_pairs_anonymized.csv"
)

_OURS, _THEIRS = "tests.bench.ours:", "tests.bench.theirs:"


@dataclass(frozen=True)
class Scale:
    """How much is done: ``quick`` makes everything small and tries no settings of peers.

    On a device other than the processor peers may choose larger batches, too.
    """

    rounds: int
    quick: bool = False
    device: str = "cpu"

    def settings(self, usual: int, *others: int, large: Sequence[int] = ()) -> Sequence[int]:
        """The batches that a peer may choose from."""
        if self.quick:
            return (usual,)
        return (usual, *others, *(large if self.device != "cpu" else ()))


def tasks(scale: Scale) -> list[Task]:
    """Every task, in the order of the table."""
    return [make(scale) for make in TASKS.values()]


def masked(scale: Scale) -> Task:
    rounds = scale.rounds
    texts, source = crows_texts((1 if scale.quick else max(1, -(-40 // rounds))) * rounds)
    size = len(texts) // rounds
    parts = [{"texts": texts[i * size : (i + 1) * size]} for i in range(rounds)]
    tried = scale.settings(1, 2, 4, 8, large=(32,))
    opponents = [
        Opponent("the loop published with CrowS-Pairs", f"{_THEIRS}CrowsLoop", (1,), 4.5, token_by_token),
        Opponent("minicons", f"{_THEIRS}MiniconsMasked", tried, 1.5, token_by_token),
    ]
    work = f"{len(texts) // 2} pairs of sentences ({source}), {size // 2} in each round and others in the "
    return Task(
        "masked",
        "pseudo-log-likelihood, bert-base",
        "rows",
        f"{work}next; every token is masked once",
        f"{_OURS}Masked",
        "bert-base",
        parts,
        {"texts": texts[: 1 if scale.quick else 8]},
        opponents,
        limit=0.8,
    )


def fill(scale: Scale) -> Task:
    part = {"texts": list(OPEN_TEXTS[: 20 if scale.quick else 80]), "words": list(WORDS)}
    opponents = [
        Opponent(
            f"fill-mask pipeline, batches of {size}",
            f"{_THEIRS}FillPipeline",
            (size,),
            target,
            token_by_token,
        )
        for size, target in ((1, 6.0), (32, 1.4))
    ]
    return Task(
        "fill",
        "words at an open place, bert-base",
        "log-probs",
        f"{len(part['texts'])} texts, {len(WORDS)} words at the open place of each",
        f"{_OURS}Fill",
        "bert-base",
        [part],
        {**part, "texts": part["texts"][:32]},
        opponents,
        alike=True,
    )


def causal(scale: Scale) -> Task:
    return _grid(scale, "causal", "log-likelihood of a grid, gpt2", GRID_FRAMES, 2.8)


def tails(scale: Scale) -> Task:
    title = "the same, where the texts differ early"
    return _grid(scale, "tails", title, TAIL_FRAMES[:1], None)


def _grid(scale: Scale, name: str, title: str, frames: tuple[str, ...], target: float | None) -> Task:
    frames = frames[:1] if scale.quick else frames
    nouns = 5 if scale.quick else len(NOUNS)
    texts = [text for texts in grid(frames) for i, text in enumerate(texts) if i % len(NOUNS) < nouns]
    tried = scale.settings(32, 8, 64, large=(128, 360))
    opponents = [
        Opponent("minicons", f"{_THEIRS}MiniconsCausal", tried, target, sums),
        Opponent("lm-eval", f"{_THEIRS}LmEvalCausal", tried, target, sums),
    ]
    person = "at the end" if target else "near the beginning"
    size = f"templates x descriptors x nouns: {len(frames)} x {len(DESCRIPTORS)} x {nouns}"
    return Task(
        name,
        title,
        "sentences",
        f"{len(texts)} sentences ({size}), the person {person}",
        f"{_OURS}Causal",
        "gpt2",
        [{"texts": texts}],
        {"texts": texts[:32] if scale.quick else texts[:120] if scale.device == "cpu" else texts},
        opponents,
        alike=True,
    )


def sampling(scale: Scale) -> Task:
    prompts = list(PROMPTS[: 4 if scale.quick else 8])
    how = {"prompts": prompts, "samples": 25, "tokens": 6 if scale.quick else 20, "top_p": 0.9}
    parts = [{**how, "seed": seed} for seed in range(scale.rounds)]
    rows = scale.settings(100, 200, 25)
    opponents = [
        Opponent("transformers' generate", f"{_THEIRS}Generate", rows, 2.5, all_written, in_nucleus),
        Opponent(
            "lm-eval",
            f"{_THEIRS}LmEvalSampling",
            scale.settings(100, 32, 200),
            3.0,
            all_written,
        ),
    ]
    return Task(
        "sampling",
        "sampling, SmolLM2-135M",
        "tokens",
        f"{len(prompts)} prompts, 25 samples of at most {how['tokens']} tokens each, top_p 0.9",
        f"{_OURS}Sampling",
        "smollm2-135m",
        parts,
        {**parts[0], "tokens": 2 if scale.quick else 6},
        opponents,
        alike=True,
    )


def classifier(scale: Scale) -> Task:
    texts = short_texts(32 if scale.quick else 128, seed=1)
    opponents = [
        Opponent(
            "text-classification pipeline",
            f"{_THEIRS}ClassifyPipeline",
            scale.settings(8, 1, 32, large=(128,)),
            1.9,
            token_by_token,
        )
    ]
    return Task(
        "classifier",
        "classifier of bert-base's size",
        "texts",
        f"{len(texts)} texts of one to four sentences",
        f"{_OURS}Classified",
        "bert-base-classifier",
        [{"texts": texts}],
        {"texts": texts[: 8 if scale.quick else 64 if scale.device == "cpu" else 128]},
        opponents,
        alike=True,
    )


COMPARISONS, ITEMS = 200, 500
A_CALL = 2000
"""Resamples that scipy holds at a time where it is called for each comparison, as its users tell it to."""


def _resampled(
    test: str, title: str, target: float | None, batches: Sequence[int], agree: Any, own: str = ""
) -> Callable[[Scale], Task]:
    """A task of resampling; ``batches`` are those that scipy may choose from in one call, the best first.

    ``own`` is our class where it is not named by the test.
    """

    def make(scale: Scale) -> Task:
        resamples = 10_000 if scale.quick else 100_000
        share = resamples // 50
        last = max(1, scale.rounds - 1)
        parts = [
            {
                "test": test,
                "comparisons": COMPARISONS,
                "items": ITEMS,
                "resamples": resamples,
                "share": share,
                "alone": [number * (COMPARISONS - 1) // last],
                "seed": 2,
            }
            for number in range(scale.rounds)
        ]
        opponents = [
            Opponent(
                f"scipy, a call a comparison (vectorised, {A_CALL:,} a batch)",
                f"{_THEIRS}ScipyACall",
                (A_CALL,),
                target,
                agree,
                timed=f"timed on 1 of {COMPARISONS} comparisons",
            ),
            Opponent(
                "scipy, all comparisons in one call",
                f"{_THEIRS}ScipyAtOnce",
                scale.settings(*batches),
                None,
                agree,
                timed=f"timed on {share:,} of {resamples:,} resamples",
            ),
        ]
        return Task(
            own.lower() or test,
            title,
            "comparisons",
            f"{COMPARISONS} comparisons of {ITEMS} items, {resamples:,} resamples",
            f"{_OURS}{own or test.capitalize()}",
            "",
            parts,
            parts[0],
            opponents,
            has_products=False,
        )

    return make


def crows_texts(pairs: int) -> tuple[list[str], str]:
    """Sentences, a pair after the other, taken at even distances; and where they are from."""
    if not PUBLISHED.is_file():
        return pair_like(pairs), "our own, of like lengths"
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = [rows[i * len(rows) // pairs] for i in range(pairs)]
    return [row[side] for row in chosen for side in ("sent_more", "sent_less")], "published"


def token_by_token(part: Part, ours: Any, theirs: Any) -> Agreement:
    """Lists of log-probabilities, one a text."""
    if [len(row) for row in ours] != [len(row) for row in theirs]:
        return Agreement(False, None, "nats", "the sides do not score the same tokens")
    gaps = [abs(a - b) for x, y in zip(ours, theirs, strict=True) for a, b in zip(x, y, strict=True)]
    return _within(gaps, NATS[part.get("dtype", "float32")], "nats")


def sums(part: Part, ours: Any, theirs: Any) -> Agreement:
    """A sum and a number of tokens, a text; a number that a side does not tell is not compared."""
    if len(ours) != len(theirs) or any(
        b is not None and a != b for (_, a), (_, b) in zip(ours, theirs, strict=True)
    ):
        return Agreement(False, None, "nats", "the sides do not score the same tokens")
    gaps = [abs(a - b) / n for (a, n), (b, _) in zip(ours, theirs, strict=True)]
    return _within(gaps, NATS[part.get("dtype", "float32")], "nats")


def _within(gaps: Sequence[float], tolerance: float, unit: str) -> Agreement:
    largest = max(gaps, default=math.inf)
    same = largest <= tolerance
    return Agreement(same, largest, unit, "" if same else f"results differ by {largest:.2g} {unit}")


def all_written(part: Part, ours: Any, theirs: Any) -> Agreement:
    """Both sides wrote every sample, and none that is too long."""
    wanted = len(part["prompts"]) * part["samples"]
    written = [count for samples in ours for count, _ in samples]
    if len(written) != wanted or theirs != wanted:
        return Agreement(False, None, "samples", f"{len(written)} and {theirs} samples for {wanted}")
    longest = max(written)
    same = longest <= part["tokens"]
    return Agreement(same, 0.0, "samples", "" if same else f"a sample has {longest} tokens")


def in_nucleus(side: Side, part: Part, ours: Any) -> Agreement:
    """The peer looks whether our tokens lie in the nuclei that it computes."""
    slack = SLACK[part.get("dtype", "float32")]
    found = side.call("outside", part=part, samples=ours, slack=slack)[1]
    told = f"{found['outside']} of {found['checked']} sampled tokens outside the nucleus"
    if found["unclear"]:
        told += f", {found['unclear']} samples not checked"
    same = found["checked"] > 0 and not found["outside"] and not found["unclear"]
    return Agreement(same, found["outside"], "tokens outside the nucleus", told)


def p_values(part: Part, ours: Any, theirs: Any) -> Agreement:
    """Estimates of the same p-values, by how many standard errors of their resampling they differ.

    scipy's is twice the smaller tail ``t``: its variance is ``4 t (1 - t) / n``, which is ``p (2 - p) / n``,
    and no smaller than that of a count of both tails.
    """
    drawn = theirs["resamples"]
    pairs = [(ours[row][0], b) for row, (b,) in zip(theirs["rows"], theirs["found"], strict=True)]
    each = 1 / drawn + 1 / part["resamples"]
    # The least p of some resamples is 2 / (1 + n), whatever the true one is.
    gaps = [abs(a - b) / math.sqrt(max(a * (2 - a), 2 / drawn) * each) for a, b in pairs]
    return _within(gaps, SIGMAS, "standard errors")


def bounds(part: Part, ours: Any, theirs: Any) -> Agreement:
    """Bounds of the same intervals, by how many standard errors of their resampling they differ."""
    gaps = []
    each = math.sqrt(1 / theirs["resamples"] + 1 / part["resamples"])
    for row, found in zip(theirs["rows"], theirs["found"], strict=True):
        low, high = ours[row]
        error = BOUND_ERROR * (high - low) / (2 * 1.96) * each
        gaps += [abs(a - b) / error for a, b in zip((low, high), found, strict=True)]
    return _within(gaps, SIGMAS, "standard errors")


TASKS: dict[str, Callable[[Scale], Task]] = {
    "masked": masked,
    "fill": fill,
    "causal": causal,
    "tails": tails,
    "sampling": sampling,
    "classifier": classifier,
    "flips": _resampled("flips", "p-values by flipping signs", 500, (50, 10, 200, 2000), p_values),
    "flipsmaxt": _resampled(
        "flips", "the same, with max-T beside scipy without", None, (50, 10, 200, 2000), p_values, "FlipsMaxT"
    ),
    "labels": _resampled("labels", "p-values by giving labels anew", 100, (10, 50, 200, 2000), p_values),
    "bootstrap": _resampled("bootstrap", "bootstrap intervals", 40, (2000, 10, 50, 200), bounds),
}
"""By name, as ``--only`` takes them."""
SLOW = frozenset({"tails", "flipsmaxt"})
"""Those that a quick run does only where they are named: they have no target."""

"""``python -m tests.bench.bench_verdict``: tokens until the verdict, against designs of fixed size.

A pool of real continuations (SmolLM2-135M, suite ``continuation``, women and men, a template of each family
and five pairs) is asked once. Replications draw from it; in each draw the two groups are exchanged by a coin,
so that they do not differ. A disparity is planted: each score of one group becomes the highest one with a
small probability, which moves the mean by just the disparity and keeps to the scale.

* fixed: so many samples of every prompt. Tested *over templates*, by the suite's two-way test and its
  equivalence test, it speaks of templates like these; *over prompts*, by the t-test over pairs of prompts, it
  speaks of these prompts alone, as the next one does, and needs less for that.
* until decided: units as ``audit.sequential`` draws them, by bets and a confidence sequence, batch by batch.

All err at 5 %. Wrong is a disparity where there is none, or in the other direction; one beyond the margin
that does not exceed it; within the margin of one that is as large. Tokens are those written, and those of a
prompt each time that it is read, whatever the rule did with the answers.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from audit.sequential.plan import BATCH
from audit.stats.contrast import crossed, single
from audit.stats.equivalence import tost
from audit.stats.estimate import Contrast, Undefined
from audit.stats.intervals import wilson
from audit.stats.sequential import Rule, replay
from tests.bench.noise_pool import FULL, QUICK, SAMPLES, scored, texts

Floats = npt.NDArray[np.float64]

ALPHA = 0.05
MARGIN = 0.1
"""That of the suite, in points."""
WIDTH = 2.0
"""The widest difference of two scores."""
SIZES = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Planted disparities, in margins."""
CONCENTRATED = (2.0, 0.25)
"""One more disparity, in margins, and the share of the pairs of prompts that alone have it."""
HORIZON = 2000
TIMES = 2000
"""Replications of each design at each disparity."""
WHOLE_SUITE = 24 * 19
"""Pairs of prompts of the gender contrast of the whole suite."""

Said = Literal["beyond", "disparity", "within", "inconclusive", "reversed"]
"""What a design says: ``beyond`` the margin, ``reversed``: a disparity in the other direction."""


@dataclass(frozen=True)
class Pool:
    """Scores of women and men, both (templates, pairs, samples); samples of one number share their noise.

    ``written`` and ``read``: tokens of a continuation and of a prompt, on average.
    """

    first: Floats
    second: Floats
    written: float
    read: float

    @property
    def pairs(self) -> int:
        """Pairs of prompts: templates times pairs of terms."""
        return self.first.shape[0] * self.first.shape[1]

    def tokens(self, units: float, samples: int) -> float:
        """Of so many pairs of prompts, each read once and continued so often."""
        return 2.0 * units * (samples * self.written + self.read)


@dataclass(frozen=True)
class Fixed:
    """So many samples of every prompt; ``over`` says what the test speaks of."""

    samples: int
    over: Literal["templates", "prompts"]
    shared: bool = False

    @property
    def name(self) -> str:
        """As the table shows it."""
        return f"fixed, {self.samples} of every prompt{noise(self.shared)}, over {self.over}"


@dataclass(frozen=True)
class Drawn:
    """Units drawn until it is decided."""

    samples: int
    shared: bool

    @property
    def name(self) -> str:
        """As the table shows it."""
        return f"until decided, {self.samples} of each prompt drawn{noise(self.shared)}"


def noise(shared: bool) -> str:
    """Whose noise a design has, in words."""
    return ", shared noise" if shared else ""


Way = Fixed | Drawn

WAYS: tuple[Way, ...] = (
    Fixed(25, "templates"),
    Fixed(25, "prompts"),
    Fixed(4, "templates", True),
    Fixed(4, "prompts", True),
    Fixed(2, "prompts", True),
    Fixed(1, "prompts", True),
    Drawn(2, True),
    Drawn(2, False),
    Drawn(4, True),
    Drawn(25, True),
)
"""Others are held against the first one. By default an audit of fixed size takes the third one, and one that
asks until it is decided the seventh."""


def pool_of(folder: Path, quick: bool) -> Pool:
    """The pool; a continuation that cannot be scored counts as neutral, in both groups alike."""
    frame = scored(texts(QUICK if quick else FULL, folder), "vader").fillna({"value": 0.0})
    shape = (frame["template"].nunique(), frame["place"].nunique(), -1)
    ordered = frame.sort_values(["template", "place", "seed", "sample"])
    sides = [ordered[ordered["group"] == group]["value"].to_numpy(dtype=float) for group in ("woman", "man")]
    read = float(frame.drop_duplicates(["template", "term"])["prompt_tokens"].mean())
    return Pool(sides[0].reshape(shape), sides[1].reshape(shape), float(frame["tokens"].mean()), read)


def planted(rng: np.random.Generator, sides: tuple[Floats, Floats], q: Floats) -> tuple[Floats, Floats]:
    """Exchange both by a coin for every draw; a share q of the first side's scores becomes the highest."""
    coin = rng.random(sides[0].shape) < 0.5
    first, second = np.where(coin, *sides), np.where(coin, *sides[::-1])
    return np.where(rng.random(first.shape) < q[..., None], 1.0, first), second


def shares(rng: np.random.Generator, pool: Pool, size: float, where: float = 1.0) -> Floats:
    """Shares of scores to be planted for a disparity of so many margins, (templates, pairs).

    ``where``: the share of the pairs of prompts that have it, drawn anew for each replication.
    """
    mean = (pool.first.mean(axis=2) + pool.second.mean(axis=2)) / 2.0
    having = np.zeros(pool.pairs)
    having[rng.permutation(pool.pairs)[: round(where * pool.pairs)]] = 1.0
    chosen = having.reshape(mean.shape)
    return chosen * size * MARGIN * pool.pairs / float((chosen * (1.0 - mean)).sum())


def said(low: float, high: float, within: bool, shown: bool) -> Said:
    """The verdict by the rule of an audit: within the margin first, then what is shown."""
    if within:
        return "within"
    if not shown or low <= 0.0 <= high:
        return "inconclusive"
    if high < 0.0:
        return "reversed"
    return "beyond" if low > MARGIN else "disparity"


def fixed(rng: np.random.Generator, pool: Pool, q: Floats, way: Fixed) -> tuple[Said, float]:
    """Verdict and tokens of one audit of fixed size."""
    shape = (*pool.first.shape[:2], way.samples)
    numbers = [rng.integers(pool.first.shape[2], size=shape) for _ in range(2)]
    if way.shared:
        numbers[1] = numbers[0]
    one, other = planted(
        rng,
        (np.take_along_axis(pool.first, numbers[0], 2), np.take_along_axis(pool.second, numbers[1], 2)),
        q,
    )
    apart = one.mean(axis=2) - other.mean(axis=2)
    found = crossed(apart) if way.over == "templates" else single(apart.ravel())
    tokens = pool.tokens(pool.pairs, way.samples)
    if isinstance(found, Undefined):
        return "inconclusive", tokens
    low, high = found.ci(1.0 - ALPHA)
    return said(low, high, tost(found, MARGIN, ALPHA, WIDTH).within, found.p_value() < ALPHA), tokens


def until_decided(rng: np.random.Generator, pool: Pool, q: Floats, way: Drawn) -> tuple[Said, float]:
    """Verdict and tokens of one audit that stops by itself."""
    rows, columns, depth = pool.first.shape
    where = rng.integers(rows, size=HORIZON), rng.integers(columns, size=HORIZON)
    numbers = rng.integers(depth, size=(2, HORIZON, way.samples))
    if way.shared:
        numbers[1] = numbers[0]
    sides = tuple(
        side[where[0][:, None], where[1][:, None], number]
        for side, number in zip((pool.first, pool.second), numbers, strict=True)
    )
    one, other = planted(rng, (sides[0], sides[1]), q[where])
    units = (one.mean(axis=1) - other.mean(axis=1)) / WIDTH
    found = replay(units, Rule(margin=MARGIN / WIDTH, alpha=ALPHA, max_units=HORIZON))
    assert not isinstance(found, Undefined)
    tokens = pool.tokens(min(HORIZON, -(-found.n // BATCH) * BATCH), way.samples)
    bounds = found.cs_lo * WIDTH, found.cs_hi * WIDTH
    return said(*bounds, found.decision == "within", found.decision == "disparity"), tokens


def is_wrong(verdict: str, size: float) -> bool:
    """Whether a verdict is false of a planted disparity of so many margins."""
    return (
        verdict == "reversed"
        or (verdict == "disparity" and size == 0.0)
        or (verdict == "beyond" and size <= 1.0)
        or (verdict == "within" and size >= 1.0)
    )


def row(pool: Pool, way: Way, size: float, times: int, where: float = 1.0) -> dict[str, Any]:
    """One design at one disparity."""
    rng = np.random.default_rng([int(10 * size), int(100 * where), WAYS.index(way)])
    draws: list[tuple[Said, float]] = []
    for _ in range(times):
        q = shares(rng, pool, size, where)
        draws.append(fixed(rng, pool, q, way) if isinstance(way, Fixed) else until_decided(rng, pool, q, way))
    verdicts = Counter(verdict for verdict, _ in draws)
    wrong = sum(count for verdict, count in verdicts.items() if is_wrong(verdict, size))
    tokens = np.array([each for _, each in draws])
    mean = single(tokens)
    interval, error = mean.ci(0.95) if isinstance(mean, Contrast) else (None, None), wilson(wrong, times)
    assert not isinstance(error, Undefined)
    return {
        "size": size, "where": where, "design": way.name, "times": times,
        "tokens": float(tokens.mean()), "tokens_interval": interval, "median": float(np.median(tokens)),
        "wrong": wrong / times, "wrong_interval": (error.lo, error.hi),
        "decided": 1.0 - verdicts["inconclusive"] / times, "verdicts": dict(verdicts),
    }  # fmt: skip


def lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The table, in Markdown: how many times fewer tokens than the first design, with 95 % intervals."""
    yield "| disparity, margins | design | tokens, mean | fewer tokens | decided | wrong |"
    yield "|---|---|---|---|---|---|"
    base = WAYS[0].name
    tokens = {(one["size"], one["where"]): one["tokens"] for one in rows if one["design"] == base}
    for one in rows:
        most = tokens[one["size"], one["where"]]
        fewer = f"{most / one['tokens']:.1f} ×"
        if one["tokens_interval"][0] != one["tokens_interval"][1]:
            least, largest = (most / bound for bound in reversed(one["tokens_interval"]))
            fewer += f" ({least:.1f} to {largest:.1f})"
        where = "" if one["where"] == 1.0 else f", in {one['where']:.0%} of the prompts"
        wrong = "{:.1%} ({:.1%} to {:.1%})".format(one["wrong"], *one["wrong_interval"])
        counts = f"{one['tokens']:,.0f} | {fewer} | {one['decided']:.0%} | {wrong}"
        yield f"| {one['size']:g}{where} | {one['design']} | {counts} |"


def measured(pool: Pool, times: int) -> Iterator[dict[str, Any]]:
    """A row for each disparity and design."""
    for size in SIZES:
        for way in WAYS:
            yield row(pool, way, size, times)


def live(folder: Path) -> dict[str, Any]:
    """Seconds of one real audit that stops by itself, a model of 135 million parameters writing."""
    from audit.api import run
    from audit.bundle import Bundle, read_json
    from audit.measures import Decoding
    from audit.models import LoadOptions
    from audit.requests import Generate
    from audit.spec import AuditSpec, UntilDecided, choose
    from probes import Sampling, load_suite, suite_from_data

    data = load_suite("continuation").data
    gender = [contrast for contrast in data["contrasts"] if contrast["id"] == "gender"]
    suite = suite_from_data({**data, "lexicons": ["gendered-terms"], "contrasts": gender}, "gender alone")
    spec = AuditSpec(
        ("smollm2-135m",), (choose(suite, sampling=Sampling(8, 5, 4, 0)),), decoding=Decoding(samples=2),
        load=LoadOptions(device="cpu"), until_decided=UntilDecided(200),
    )  # fmt: skip
    start, busy = time.perf_counter(), time.process_time()
    run(spec, folder)
    seconds, processor = time.perf_counter() - start, time.process_time() - busy
    records = [record for record in Bundle(folder).records() if isinstance(record.request, Generate)]
    tokens = sum(sample.tokens for record in records for sample in record.response.samples)
    (finding,) = read_json(folder / "findings.json")["findings"]
    return {
        "seconds": seconds, "processor_seconds": processor, "tokens": tokens,
        "units": finding["sequential"]["units"], "verdict": finding["verdict"],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_verdict", description=__doc__)
    parser.add_argument("--pool", type=Path, default=Path(tempfile.gettempdir()) / "evenhand-noise-pool")
    parser.add_argument("--quick", action="store_true", help="a smaller pool and few replications")
    parser.add_argument("--live", action="store_true", help="time one real audit, too")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    chosen = parser.parse_args()
    pool, times = pool_of(chosen.pool, chosen.quick), 20 if chosen.quick else TIMES
    found = list(measured(pool, times))
    some = [row(pool, way, CONCENTRATED[0], times, CONCENTRATED[1]) for way in WAYS]
    page = "\n".join(lines([*found, *some]))
    print(page)
    whole = pool.tokens(WHOLE_SUITE, SAMPLES)
    print(f"\nThe whole suite, {WAYS[0].name}: {whole:,.0f} tokens; until decided, as above.")
    told: dict[str, Any] = {
        "pairs_of_prompts": pool.pairs, "tokens_of_a_continuation": pool.written,
        "tokens_of_a_prompt": pool.read, "rows": found, "concentrated": some, "whole_suite_tokens": whole,
    }  # fmt: skip
    if chosen.live:
        with tempfile.TemporaryDirectory() as folder:
            told["live"] = live(Path(folder) / "bundle")
        telling = "One real audit: {verdict} after {units} units, {tokens:,} tokens, {seconds:.0f} s"
        print(f"{telling} ({{processor_seconds:.0f}} s of processors).".format(**told["live"]))
    if chosen.json:
        chosen.json.write_text(json.dumps(told, indent=1) + "\n")
        chosen.json.with_suffix(".md").write_text(page + "\n")


if __name__ == "__main__":
    main()

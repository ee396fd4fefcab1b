"""Evenhand's side of every task. Each class has one method that is timed: ``run``."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator
from typing import Any

from tests.bench.measured import Facts, clock

Part = dict[str, Any]

GEMM_REPEATS, GEMM_S = 4, 0.4
"""Repeats of each product whose fastest is the limit, and the seconds after which there are no more."""
PROBE_ROWS, PROBE_S = 1024, 0.25
"""Of the bare products that show whether the machine is busy: those of a square, for so many seconds."""
SAMPLED_WEIGHTS = 3
"""Matrices of one shape that the limit is measured on; each counts for all of its shape."""


class Ours(Facts):
    """What all our sides share."""

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        """Do a part of the work: how many units were done, and the numbers found."""
        raise NotImplementedError

    def probe(self) -> float:
        """Operations a second of bare products as they are just now: the typical one, not the fastest."""
        import numpy as np

        square = np.ones((PROBE_ROWS, PROBE_ROWS), dtype=np.float32)
        seconds, end = [], time.perf_counter() + PROBE_S
        while time.perf_counter() < end:
            start = clock()
            square @ square
            seconds.append(clock() - start)
        return 2 * PROBE_ROWS**3 / statistics.median(seconds)


class Asked(Ours):
    """A model that is asked as a user asks it: whole requests in, answers out.

    Parameters
    ----------
    model : str
        A folder or a name of the catalogue.
    device, dtype : str
    """

    rows = 1024
    """Rows of the matrix products whose speed is the limit, on a processor."""
    head_rows = 0
    """The same of the product with the vocabulary; 0 where there is none."""

    def __init__(self, model: str, device: str, dtype: Any = "float32") -> None:
        from audit.models import LoadOptions, resolve

        self.model: Any = resolve(model, LoadOptions(device=device, dtype=dtype))
        self.device = str(self.model.describe()["device"])

    def counted(self, part: Part) -> dict[str, Any]:
        """The same, with the floating-point operations of all matrix products that were executed.

        torch's own counter counts them; attention that a processor does in one piece is not among them.
        """
        from torch.utils.flop_counter import FlopCounterMode

        with FlopCounterMode(display=False) as counter:
            found = self.run(part)
        return {**found, "flops": counter.get_total_flops()}

    def limit(self) -> float:
        """Operations a second of matrix products of this model's own weights, alone: nothing is faster."""
        import torch

        from audit.models.devices import tokens_at_once

        sizes: dict[tuple[int, int], list[Any]] = {}
        for module in self.model._loaded.network.model.modules():
            weight = getattr(module, "weight", None)
            if type(module).__name__ in {"Linear", "Conv1D"} and weight is not None:
                sizes.setdefault(tuple(weight.shape), []).append(weight)
        flops = seconds = 0.0
        with torch.inference_mode():
            for shape, weights in sizes.items():
                is_head = max(shape) > 10_000
                rows = tokens_at_once(self.head_rows if is_head else self.rows, weights[0].device)
                if rows:
                    # A Conv1D keeps its weight the other way round; the product is of the same size.
                    inputs = torch.ones(rows, shape[1], device=weights[0].device, dtype=weights[0].dtype)
                    flops += 2 * rows * shape[0] * shape[1] * len(weights)
                    seconds += len(weights) * _best_seconds(inputs, weights[:SAMPLED_WEIGHTS])
        return flops / seconds


def _best_seconds(inputs: Any, weights: list[Any]) -> float:
    from torch.nn.functional import linear

    found: list[float] = []
    for weight in GEMM_REPEATS * weights:
        start = clock()
        linear(inputs, weight)
        found.append(clock() - start)
        if sum(found) > GEMM_S:
            break
    return min(found)


class Masked(Asked):
    """Pseudo-log-likelihood of texts: every token masked once."""

    head_rows = 64

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        from audit.requests import PseudoTokens

        answers = _sound(self.model.ask([PseudoTokens(text, "masked") for text in part["texts"]]))
        result = [[token.logprob for token in answer.tokens] for answer in answers]
        return {"done": sum(map(len, result)), "result": result}


class Fill(Asked):
    """Log-probability of every word at the open place of every text."""

    head_rows = 80

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        from audit.requests import Fill

        words = tuple(part["words"])
        answers = _sound(self.model.ask([Fill(text, words) for text in part["texts"]]))
        result = [[choice.logprob for choice in answer.choices] for answer in answers]
        return {"done": sum(map(len, result)), "result": result}


class Causal(Asked):
    """Log-likelihood of whole texts after the start token."""

    head_rows = 1024

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        from audit.requests import Score

        answers = _sound(self.model.ask([Score("", (text,)) for text in part["texts"]]))
        result = [[answer.choices[0].logprob, answer.choices[0].pieces] for answer in answers]
        return {"done": len(result), "result": result}


class Sampling(Asked):
    """Sampled continuations; a round has a seed of its own."""

    rows = head_rows = 200

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        from audit.requests import Generate

        how = (part["samples"], part["tokens"], 1.0, part["top_p"], part["seed"])
        tokenizer = self.model._loaded.tokenizer
        own, decoded = tokenizer.decode, []

        def decode(ids: Any, **keywords: Any) -> Any:
            decoded.append(ids)
            return own(ids, **keywords)

        # Answers hold texts; what is compared is the tokens, which are seen where they are turned into text.
        tokenizer.decode = decode
        try:
            answers = _sound(self.model.ask([Generate(prompt, *how) for prompt in part["prompts"]]))
        finally:
            del tokenizer.decode
        result = []
        for prompt, answer in zip(part["prompts"], answers, strict=True):
            written = _after(tokenizer(prompt)["input_ids"], decoded)
            result.append([[one.tokens, _taken(written, one.tokens)] for one in answer.samples])
        return {"done": sum(n for samples in result for n, _ in samples), "result": result}


class Classified(Asked):
    """Probabilities of the labels of texts."""

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        from audit.requests import Classify

        answers = _sound(self.model.ask([Classify(text) for text in part["texts"]]))
        result = []
        for answer in answers:
            logits = [label.logit for label in answer.labels]
            total = math.log(sum(map(math.exp, logits)))
            result.append([logit - total for logit in logits])
        return {"done": len(result), "result": result}


def _after(row: list[int], seen: list[Any]) -> list[list[int]]:
    """What follows a row in those lists of tokens that begin with it."""
    size = len(row)
    return [[int(token) for token in ids[size:]] for ids in seen if list(ids[:size]) == row]


def _taken(written: list[list[int]], count: int) -> list[int] | None:
    """The next list of so many tokens, taken out; None where there is none left."""
    for i, tokens in enumerate(written):
        if len(tokens) == count:
            return written.pop(i)
    return None


def _sound(answers: list[Any]) -> list[Any]:
    for answer in answers:
        if answer.error:
            raise ValueError(answer.error)
    return answers


class _Resampled(Ours):
    def __init__(self, model: str, device: str, dtype: str) -> None:
        pass

    def data(self, part: Part) -> Any:
        return resampled_data(part)

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        import numpy as np

        rng = np.random.default_rng(part["seed"])
        result = self.result(self.data(part), part["resamples"], rng)
        return {"done": part["comparisons"], "result": [list(row) for row in result]}

    def result(self, values: Any, resamples: int, rng: Any) -> Iterator[tuple[float, ...]]:
        raise NotImplementedError


def resampled_data(part: Part) -> Any:
    """Differences of items in comparisons whose true means go from 0 to a clear difference."""
    import numpy as np

    shape = (part["comparisons"], part["items"])
    means = np.linspace(0, 3 / math.sqrt(part["items"]), part["comparisons"])
    return np.random.default_rng(1).standard_normal(shape) + means[:, None]


class Flips(_Resampled):
    """p-values of paired comparisons by flipping signs."""

    def result(self, values: Any, resamples: int, rng: Any) -> Iterator[tuple[float, ...]]:
        from audit.stats.resampling import sign_flips

        return zip(sign_flips(values, rng, resamples=resamples).p.tolist(), strict=True)


class FlipsMaxT(_Resampled):
    """The same, and those corrected for their number by max-T, which scipy has not."""

    def result(self, values: Any, resamples: int, rng: Any) -> Iterator[tuple[float, ...]]:
        import numpy as np

        from audit.stats.max_t import flip_draws, max_t
        from audit.stats.resampling import sign_flips

        single = sign_flips(values, rng, resamples=resamples).p.tolist()
        t = values.mean(axis=1) / values.std(axis=1, ddof=1) * np.sqrt(values.shape[1])
        max_t(t, flip_draws(values, rng, resamples=resamples), floor=single)
        return zip(single, strict=True)


class Labels(_Resampled):
    """p-values of two groups of items by giving labels anew."""

    def result(self, values: Any, resamples: int, rng: Any) -> Iterator[tuple[float, ...]]:
        import numpy as np

        from audit.stats.resampling import permute_labels

        treated = 1 - np.arange(values.shape[1]) % 2
        return zip(permute_labels(values, treated, rng, resamples=resamples).p.tolist(), strict=True)


class Bootstrap(_Resampled):
    """Percentile intervals of means."""

    def result(self, values: Any, resamples: int, rng: Any) -> Iterator[tuple[float, ...]]:
        from audit.stats.bootstrap_means import bootstrap_means

        found = bootstrap_means(values, rng, method="percentile", resamples=resamples)
        return zip(found.lo.tolist(), found.hi.tolist(), strict=True)

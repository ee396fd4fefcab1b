"""The peers' side of every task, as a user runs them. Runs in their environment, where Evenhand is not.

Every class is made with a model's folder, a device and a dtype. One method is timed: ``run``, whose
``setting`` is what a user may choose, such as a batch size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tests.bench.measured import Facts

Part = dict[str, Any]

OPEN = "{answer}"
"""Marks the open place of a text."""


class _Peer(Facts):
    def __init__(self, model: str, device: str, dtype: str = "float32") -> None:
        import torch
        import transformers as tf

        tf.utils.logging.set_verbosity_error()
        tf.utils.logging.disable_progress_bar()
        # As on our side: float32 is not to be cut short.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        self.folder, self.device, self.dtype = model, device, dtype

    @property
    def tokenizer(self) -> Any:
        import transformers as tf

        return tf.AutoTokenizer.from_pretrained(self.folder)

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        raise NotImplementedError


class CrowsLoop(_Peer):
    """The schedule of the script published with CrowS-Pairs (Nangia et al. 2020), in our own words.

    One masked row at a time, no batch; gradients are not switched off; the logits of the whole vocabulary are
    computed at every token, and a log-softmax is taken of those at the masked one.
    """

    def __init__(self, model: str, device: str, dtype: str = "float32") -> None:
        import transformers as tf

        super().__init__(model, device, dtype)
        self.words = self.tokenizer
        self.net = tf.AutoModelForMaskedLM.from_pretrained(model, dtype=dtype).eval().to(device)

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        import torch

        log_softmax, result = torch.nn.LogSoftmax(dim=0), []
        for text in part["texts"]:
            ids = self.words.encode(text, return_tensors="pt").to(self.device)
            found = []
            for place in range(1, ids.shape[1] - 1):
                row = ids.clone()
                row[0, place] = self.words.mask_token_id
                with torch.enable_grad():
                    logits = self.net(row).logits[0]
                    found.append(log_softmax(logits[place])[ids[0, place]].item())
            result.append(found)
        return {"done": sum(map(len, result)), "result": result}


class MiniconsMasked(_Peer):
    """minicons' scorer of masked models; the setting is texts a batch."""

    def __init__(self, model: str, device: str, dtype: str = "float32") -> None:
        super().__init__(model, device, dtype)
        from minicons.scorer import MaskedLMScorer

        self.scorer = MaskedLMScorer(model, device, dtype=dtype)
        _shim(self.scorer)

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        result: list[list[float]] = []
        for some in _batches(part["texts"], setting):
            result += self.scorer.sequence_score(some, reduction=lambda x: x.tolist())
        return {"done": sum(map(len, result)), "result": result}


class FillPipeline(_Peer):
    """transformers' ``fill-mask`` with ``targets=``; the setting is texts a batch."""

    def __init__(self, model: str, device: str, dtype: str = "float32") -> None:
        import transformers as tf

        super().__init__(model, device, dtype)
        self.pipe = tf.pipeline("fill-mask", model, device=device, dtype=dtype)

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        words, mask = part["words"], self.pipe.tokenizer.mask_token
        texts = [text.replace(OPEN, mask) for text in part["texts"]]
        found = self.pipe(texts, targets=words, top_k=len(words), batch_size=setting)
        tokens = self.pipe.tokenizer.convert_tokens_to_ids(words)
        result = []
        for offered in found:
            scores = {each["token"]: math.log(each["score"]) for each in offered}
            result.append([scores[token] for token in tokens])
        return {"done": sum(map(len, result)), "result": result}


class MiniconsCausal(_Peer):
    """minicons' scorer of causal models; the setting is texts a batch."""

    def __init__(self, model: str, device: str, dtype: str = "float32") -> None:
        super().__init__(model, device, dtype)
        from minicons.scorer import IncrementalLMScorer

        self.scorer = IncrementalLMScorer(model, device, dtype=dtype)
        _shim(self.scorer)

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        result: list[list[float]] = []
        for some in _batches(part["texts"], setting):
            result += self.scorer.sequence_score(
                some, reduction=lambda x: [x.sum().item(), len(x)], bos_token=True
            )
        return {"done": len(result), "result": result}


class LmEval(_Peer):
    """lm-eval's ``HFLM``; the setting is requests a batch."""

    def __init__(self, model: str, device: str, dtype: str = "float32") -> None:
        super().__init__(model, device, dtype)
        from lm_eval.models.huggingface import HFLM

        self.lm = HFLM(model, backend="causal", device=device, dtype=dtype, batch_size=1)

    def requests(self, kind: str, arguments: list[tuple[Any, ...]]) -> list[Any]:
        from lm_eval.api.instance import Instance

        return [Instance(kind, {}, given, i) for i, given in enumerate(arguments)]


class LmEvalCausal(LmEval):
    """Its ``loglikelihood`` of whole texts."""

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        self.lm.batch_size_per_gpu = setting
        asked = self.requests("loglikelihood", [("", text) for text in part["texts"]])
        found = self.lm.loglikelihood(asked, disable_tqdm=True)
        # How many tokens a text has is not told.
        return {"done": len(found), "result": [[score, None] for score, _ in found]}


class LmEvalSampling(LmEval):
    """Its ``generate_until``, a request repeated for each sample."""

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        import torch

        self.lm.batch_size_per_gpu = setting
        torch.manual_seed(part["seed"])
        how = {
            "do_sample": True,
            "temperature": 1.0,
            "top_p": part["top_p"],
            "top_k": 0,
            "until": [],
            "max_gen_toks": part["tokens"],
        }
        ends, written = self.lm.tokenizer.eos_token_id, []
        own = self.lm._model_generate

        def counting(context: Any, **keywords: Any) -> Any:
            rows = own(context=context, **keywords)
            written.extend(_lengths(rows[:, context.shape[1] :], ends))
            return rows

        self.lm._model_generate = counting
        try:
            prompts = [(prompt, how) for prompt in part["prompts"] for _ in range(part["samples"])]
            texts = self.lm.generate_until(self.requests("generate_until", prompts), disable_tqdm=True)
        finally:
            self.lm._model_generate = own
        return {"done": sum(written), "result": len(texts)}


class Generate(_Peer):
    """transformers' ``generate``; the setting is rows a batch, in whole prompts of all their samples."""

    def __init__(self, model: str, device: str, dtype: str = "float32") -> None:
        import transformers as tf

        super().__init__(model, device, dtype)
        self.words = self.tokenizer
        self.words.padding_side = "left"
        if self.words.pad_token_id is None:
            self.words.pad_token = self.words.eos_token
        self.net = tf.AutoModelForCausalLM.from_pretrained(model, dtype=dtype).eval().to(device)

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        import torch

        torch.manual_seed(part["seed"])
        done = rows = 0
        for some in _batches(part["prompts"], max(1, setting // part["samples"])):
            given = self.words(some, return_tensors="pt", padding=True).to(self.device)
            with torch.inference_mode():
                found = self.net.generate(
                    **{name: given[name] for name in ("input_ids", "attention_mask")},
                    do_sample=True,
                    temperature=1.0,
                    top_p=part["top_p"],
                    top_k=0,
                    max_new_tokens=part["tokens"],
                    num_return_sequences=part["samples"],
                    pad_token_id=self.words.pad_token_id,
                )
            written = _lengths(found[:, given["input_ids"].shape[1] :], self.words.eos_token_id)
            done, rows = done + sum(written), rows + len(written)
        return {"done": done, "result": rows}

    def outside(
        self, part: Part, samples: list[list[tuple[int, list[int] | None]]], slack: float
    ) -> dict[str, int]:
        """How many tokens of another's samples lie outside the nucleus that transformers computes.

        A sample is its number of tokens, and what they are, where that is known; ``slack`` is a probability.
        """
        import torch

        checked = outside = unclear = 0
        for prompt, written in zip(part["prompts"], samples, strict=True):
            before = self.words(prompt)["input_ids"]
            for count, tokens in written:
                if tokens is None:
                    unclear += 1
                    continue
                if not count:
                    continue
                ids = [*before, *tokens]
                with torch.inference_mode():
                    logits = self.net(torch.tensor([ids], device=self.device)).logits[0, len(before) - 1 : -1]
                chances = torch.softmax(logits.cpu().double(), dim=-1)
                own = chances[range(count), ids[len(before) :]]
                above = torch.where(chances > own[:, None], chances, 0.0).sum(dim=-1)
                outside += int((above >= part["top_p"] + slack).sum())
                checked += count
        return {"checked": checked, "outside": outside, "unclear": unclear}


class ClassifyPipeline(_Peer):
    """transformers' ``text-classification``; the setting is texts a batch."""

    def __init__(self, model: str, device: str, dtype: str = "float32") -> None:
        import transformers as tf

        super().__init__(model, device, dtype)
        self.pipe = tf.pipeline("text-classification", model, device=device, dtype=dtype)

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        labels = self.pipe.model.config.id2label
        found = self.pipe(part["texts"], batch_size=setting, top_k=None)
        result = []
        for offered in found:
            scores = {each["label"]: math.log(each["score"]) for each in offered}
            result.append([scores[labels[i]] for i in range(len(labels))])
        return {"done": len(result), "result": result}


class _Scipy(Facts):
    """scipy, which does a share of the work; the setting is how many resamples it holds at a time."""

    def __init__(self, model: str, device: str, dtype: str) -> None:
        pass

    def run(self, part: Part, setting: Any = None) -> dict[str, Any]:
        from tests.bench.ours import resampled_data
        from tests.bench.scipy_calls import CALLS

        def call(values: Any, resamples: int) -> list[Any]:
            """p-values, or both bounds of intervals."""
            found = CALLS[part["test"]](values, resamples, setting)
            return [found.pvalue] if hasattr(found, "pvalue") else list(found.confidence_interval)

        return self.share(call, resampled_data(part), part)

    def share(self, call: Callable[[Any, int], list[Any]], values: Any, part: Part) -> dict[str, Any]:
        raise NotImplementedError


class ScipyACall(_Scipy):
    """A call for each comparison, with all its resamples; for some of the comparisons."""

    def share(self, call: Callable[[Any, int], list[Any]], values: Any, part: Part) -> dict[str, Any]:
        rows, resamples = part["alone"], part["resamples"]
        found = [[float(number) for number in call(values[row], resamples)] for row in rows]
        return {"done": len(rows), "result": {"rows": rows, "found": found, "resamples": resamples}}


class ScipyAtOnce(_Scipy):
    """All comparisons in one call, with some of the resamples, which count as the same share of the work."""

    def share(self, call: Callable[[Any, int], list[Any]], values: Any, part: Part) -> dict[str, Any]:
        resamples, rows = part["share"], list(range(part["comparisons"]))
        numbers = [number.tolist() for number in call(values, resamples)]
        found = [list(row) for row in zip(*numbers, strict=True)]
        done = len(rows) * resamples / part["resamples"]
        return {"done": done, "result": {"rows": rows, "found": found, "resamples": resamples}}


def _shim(scorer: Any) -> None:
    """Minicons 0.3.39 calls a method that tokenizers of transformers 5 no longer have; it did just this."""
    kind = type(scorer.tokenizer)
    if not hasattr(kind, "batch_encode_plus"):
        kind.batch_encode_plus = lambda self, texts, **keywords: self(texts, **keywords)


def _batches(things: list[Any], size: int) -> list[list[Any]]:
    return [things[i : i + size] for i in range(0, len(things), size)]


def _lengths(rows: Any, end: int) -> list[int]:
    """Tokens before the end token of each row."""
    return [row.index(end) if end in row else len(row) for row in rows.tolist()]

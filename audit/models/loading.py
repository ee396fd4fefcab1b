"""From a folder on this machine to a network and its tokenizer, or one line that says why not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from threading import RLock
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    GenerationConfig,
)

from audit.models.attending import laid_out
from audit.models.budget import Budget, is_out_of_memory, no_room
from audit.models.devices import device_of, tokens_at_once
from audit.models.files import (
    CONFIG,
    ModelFile,
    digest_as_loaded,
    digest_of,
    model_files,
    read_json,
    require_vocabulary,
    weight_files,
)
from audit.models.kinds import kind_of
from audit.models.network import Network
from audit.models.options import CAPABILITIES, Kind, LoadOptions, Located
from audit.models.quiet import one_line, quiet
from audit.models.threads import use_threads
from audit.requests import Request, Response
from probes.errors import Fault, ModelError

_POSITION_KEYS = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length")
_UNLIMITED = 10**9

AUTO: Mapping[Kind, Any] = {
    "masked": AutoModelForMaskedLM,
    "causal": AutoModelForCausalLM,
    "classifier": AutoModelForSequenceClassification,
    "encoder": AutoModel,
}
"""What loads each kind."""

_POOLER = "pooler."
"""Begins the names of an encoder's weights that no state of its last layer depends on; many have none."""


BLOCK_OPERATIONS = 10**13
"""Floating-point operations between two writes: about a minute of a processor with two cores."""
FEWEST_PASSES, MOST_PASSES = 8, 32
"""Full passes of a block. With fewer, the last one, which is not full, takes too large a share."""


@dataclass(frozen=True)
class Loaded:
    """A model in memory, with all that is known of it.

    ``max_tokens`` is the longest row it takes; None where it has no limit. ``budget`` is what one forward
    pass may hold; it shrinks where memory runs out.
    """

    located: Located
    kind: Kind
    architecture: str
    network: Network
    tokenizer: Any
    max_tokens: int | None
    parameters: int
    files: tuple[ModelFile, ...]
    digest: str
    options: LoadOptions
    budget: Budget

    def describe(self) -> dict[str, Any]:
        """Facts for the bundle."""
        facts: dict[str, Any] = {
            "name": self.located.id,
            "source": self.located.source,
            "kind": self.kind,
            "architecture": self.architecture,
            "capabilities": sorted(CAPABILITIES[self.kind]),
            "parameters": self.parameters,
            "dtype": self.options.dtype,
            "device": str(self.network.device),
            "vocabulary": self.network.vocabulary,
            "max_tokens": self.max_tokens,
            "tokenizer": type(self.tokenizer).__name__,
            "digest": self.digest,
            "revision": None,
            "pickle": not any(file.path.endswith(".safetensors") for file in self.files),
            "remote_code": self.options.trust_remote_code,
            "files": [asdict(file) for file in self.files],
            "folder": str(self.located.folder),
        }
        return {**facts, **{key: value for key, value in self.located.facts.items() if value is not None}}


class FromFiles(ABC):
    """What models of every kind share: they are known by the files that they were loaded from."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._asked = RLock()

    @property
    def id(self) -> str:
        """As the user named it."""
        return self._loaded.located.id

    @property
    def digest(self) -> str:
        """SHA-256 over the files that decide its answers."""
        return self._loaded.digest

    @property
    def capabilities(self) -> frozenset[str]:
        """The request forms of its kind."""
        return CAPABILITIES[self._loaded.kind]

    def describe(self) -> dict[str, Any]:
        """Facts for the bundle."""
        return self._loaded.describe()

    @property
    def block_tokens(self) -> int:
        """How much work is asked for at once: about the same time for models of any size, in full passes."""
        loaded = self._loaded
        pass_tokens = tokens_at_once(loaded.options.token_budget, loaded.network.device)
        wanted = BLOCK_OPERATIONS // (2 * max(1, loaded.parameters))
        return max(FEWEST_PASSES * pass_tokens, min(wanted, MOST_PASSES * pass_tokens))

    @property
    def pass_tokens(self) -> int:
        """The most tokens of one forward pass, as things stand: fewer where memory has run out."""
        return self._loaded.budget.tokens

    def watch(self, told: Callable[[int], None] | None) -> None:
        """From here on, have ``told`` hear after each pass how many tokens it has read; None: nobody."""
        self._loaded.network.told = told

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        """Answer each request, in order; those of one call share forward passes, and equal ones an answer.

        Threads that ask one model wait for each other: a pass changes how the network computes.

        Raises
        ------
        TypeError
            At a request of a form that this kind of model does not answer; content never raises.
        """
        for request in requests:
            if request.form not in self.capabilities:
                raise TypeError(f"a model of the kind {self._loaded.kind!r} cannot answer {request.form!r}")
        # What asks may itself stand in a pass of another model.
        with self._asked, laid_out(None):
            unique = list(dict.fromkeys(requests))
            answers = dict(zip(unique, self._answers(unique), strict=True))
        return [answers[request] for request in requests]

    @abstractmethod
    def _answers(self, requests: Sequence[Request]) -> list[Response]:
        """The answers to different requests that this kind of model takes."""


def load(located: Located, options: LoadOptions) -> Loaded:
    """Load a located model for inference, in float32 where the options do not say otherwise.

    Raises
    ------
    ModelError
        One line: what is wrong, in which file or folder, and the remedy.
    """
    try:
        return _load(located, options)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise no_room("this model", str(located.folder)) from error


def _load(located: Located, options: LoadOptions) -> Loaded:
    folder = located.folder
    kind, architecture = kind_of(read_json(folder / CONFIG), str(folder / CONFIG))
    weights = weight_files(folder, options.allow_pickle)
    require_vocabulary(folder, options)
    device = device_of(options.device)
    use_threads(options.threads)
    # Products of reduced precision would change float32 answers by more than their batches do.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    files = tuple(model_files(folder, options))
    common = {"local_files_only": True, "trust_remote_code": options.trust_remote_code}
    part = "configuration"
    try:
        with quiet():
            config = AutoConfig.from_pretrained(folder, **common)
            part = "tokenizer"
            tokenizer = AutoTokenizer.from_pretrained(folder, config=config, **common)
            if not options.trust_remote_code and set(tokenizer.get_vocab()) <= set(
                tokenizer.all_special_tokens
            ):
                raise ValueError("its vocabulary holds no words")
            part = "weights"
            model, report = AUTO[kind].from_pretrained(
                folder,
                config=config,
                dtype=getattr(torch, options.dtype),
                use_safetensors=weights[0].name.startswith("model."),
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # _check_complete refuses them, by name
                **common,
            )
    # transformers raises nearly every built-in exception on a broken folder; this is the border.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        if "trust_remote_code" in str(error):
            raise ModelError(
                Fault(
                    "this model is loaded by Python code that comes with it",
                    str(folder),
                    "If you trust its source, pass --trust-remote-code.",
                )
            ) from error
        raise ModelError(
            Fault(f"the {part} cannot be loaded: {one_line(error)}", str(folder), "Fetch the model again.")
        ) from error
    unused = _check_complete(report, model, str(folder), _POOLER if kind == "encoder" else "")
    model.eval().requires_grad_(False)
    model.to(device)
    if kind == "causal":
        model.generation_config = _generation_config(model)
    longest = min((n for n in (_max_tokens(model, tokenizer), options.max_length) if n), default=None)
    # The limit is checked here, request by request; the tokenizer is not to print about it.
    tokenizer.model_max_length = _UNLIMITED
    return Loaded(
        located=located,
        kind=kind,
        architecture=type(model).__name__ or architecture,
        network=Network(model, device, has_head=kind in ("masked", "causal")),
        tokenizer=tokenizer,
        max_tokens=longest,
        parameters=int(model.num_parameters()) - unused,
        files=files,
        digest=digest_as_loaded(located.digest or digest_of(files), options),
        options=options,
        budget=Budget(tokens_at_once(options.token_budget, device)),
    )


def _check_complete(report: Any, model: Any, where: str, unused: str) -> int:
    """Refuse a model that transformers filled up with random numbers, but for weights that are not used.

    ``unused`` begins the names of those that may be missing. Returns how many numbers were made up for them.
    """
    mismatched = sorted(report["mismatched_keys"])
    if mismatched:
        name, stored, wanted = mismatched[0]
        what = f"{len(mismatched)} weights of another shape than the configuration says, {name} first"
        what += f" (stored {tuple(stored)}, wanted {tuple(wanted)})"
        raise ModelError(Fault(what, where, "Put the configuration and the weights of one model there."))
    missing = sorted(str(key) for key in report["missing_keys"])
    needed = [key for key in missing if not unused or not key.startswith(unused)]
    if needed:
        what = f"{len(needed)} weights missing, {needed[0]} first"
        raise ModelError(Fault(what, where, "Fetch the model again, whole."))
    return sum(model.get_parameter(key).numel() for key in missing)


def _generation_config(model: Any) -> Any:
    return model.generation_config or GenerationConfig.from_model_config(model.config)


def _max_tokens(model: Any, tokenizer: Any) -> int | None:
    """The longest row: by the table of positions, less those that padding reserves, as in RoBERTa."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            reserved = 0 if module.padding_idx is None else module.padding_idx + 1
            return int(module.num_embeddings) - reserved
    config = model.config.get_text_config()
    for key in _POSITION_KEYS:
        limit = getattr(config, key, None)
        if isinstance(limit, int) and limit > 0:
            return limit
    limit = tokenizer.model_max_length
    return int(limit) if limit < _UNLIMITED else None

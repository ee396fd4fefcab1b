"""From a folder on this machine to a network and its tokenizer, or one line that says why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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

from audit.models.devices import device_of
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
from audit.requests import Request
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


@dataclass(frozen=True)
class Loaded:
    """A model in memory, with all that is known of it.

    ``max_tokens`` is the longest row it takes; None where it has no limit.
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

    def describe(self) -> dict[str, Any]:
        """Facts for the bundle."""
        facts: dict[str, Any] = {
            "name": self.located.id,
            "source": self.located.source,
            "kind": self.kind,
            "architecture": self.architecture,
            "capabilities": sorted(CAPABILITIES[self.kind]),
            "parameters": self.parameters,
            "dtype": "float32",
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


class FromFiles:
    """What models of every kind share: they are known by the files that they were loaded from."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

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

    def require(self, requests: Sequence[Request]) -> None:
        """Stop at a request of a form that this kind of model does not answer."""
        for request in requests:
            if request.form not in self.capabilities:
                raise TypeError(f"a model of the kind {self._loaded.kind!r} cannot answer {request.form!r}")


def load(located: Located, options: LoadOptions) -> Loaded:
    """Load a located model in float32, for inference.

    Raises
    ------
    ModelError
        One line: what is wrong, in which file or folder, and the remedy.
    """
    folder = located.folder
    kind, architecture = kind_of(read_json(folder / CONFIG), str(folder / CONFIG))
    weights = weight_files(folder, options.allow_pickle)
    require_vocabulary(folder, options)
    device = device_of(options.device)
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
                dtype=torch.float32,
                use_safetensors=weights[0].name.startswith("model."),
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # _check_complete refuses them, by name
                **common,
            )
    except MemoryError:
        raise
    # transformers raises nearly every built-in exception on a broken folder; this is the border.
    except Exception as error:
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

"""How a model is loaded, and what is known of it before it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["masked", "causal", "classifier", "encoder"]
Dtype = Literal["float32", "bfloat16", "float16"]

CAPABILITIES: Mapping[Kind, frozenset[str]] = {
    "masked": frozenset({"fill", "insert", "hidden", "pseudo_tokens", "top", "embed"}),
    "causal": frozenset({"score", "generate", "causal_tokens", "embed"}),
    "classifier": frozenset({"classify"}),
    "encoder": frozenset({"embed"}),
}
"""Which request forms each kind of model answers."""


@dataclass(frozen=True)
class LoadOptions:
    """What the user allows and wants when a model is loaded.

    Attributes
    ----------
    device : str
        ``auto`` (cuda where there is one, else mps), ``cpu``, ``mps``, ``cuda`` or one of several, such as
        ``cuda:1``.
    allow_pickle : bool
        Read weights from ``.bin`` files, whose format can run code. Off: only safetensors are read.
    trust_remote_code : bool
        Run Python that comes with the model.
    offline : bool or None
        Never reach for the hub; None follows the environment variable ``HF_HUB_OFFLINE``.
    revision : str or None
        Branch, tag or commit of a hub model.
    token_budget : int
        Most tokens in one forward pass on a processor; a GPU takes 32 times as many. It shrinks where memory
        runs out. It changes speed and memory, not answers.
    max_length : int or None
        Most tokens of a text, special ones included, if fewer than the model takes. A longer text is not cut
        but ``truncated``. It changes answers, and with them the model's digest.
    dtype : str
        ``float32``, or on a GPU that has it ``bfloat16`` or ``float16``. It changes answers, and with them
        the model's digest: another model is audited.
    threads : int or None
        How many threads the process computes on; None leaves that to torch. It changes no answer, and stands
        in no plan.
    """

    device: str = "auto"
    allow_pickle: bool = False
    trust_remote_code: bool = False
    offline: bool | None = None
    revision: str | None = None
    token_budget: int = 1024
    max_length: int | None = None
    dtype: Dtype = "float32"
    threads: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As it stands in a plan: without the threads, and without the dtype where it is the usual one.

        Examples
        --------
        >>> sorted(LoadOptions(dtype="bfloat16", threads=2).to_json().keys() - LoadOptions().to_json().keys())
        ['dtype']
        """
        data = asdict(self)
        del data["threads"]
        if self.dtype == "float32":
            del data["dtype"]
        return data

    @property
    def is_offline(self) -> bool:
        """Whether the hub may not be reached."""
        if self.offline is not None:
            return self.offline
        return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


@dataclass(frozen=True)
class ModelFacts:
    """What a plan needs to know of a model that is not loaded.

    ``parameters`` counts the numbers in the weight files; None where only loading could tell.
    """

    id: str
    digest: str
    kind: Kind
    architecture: str
    capabilities: frozenset[str]
    parameters: int | None
    weight_bytes: int


@dataclass(frozen=True)
class Located:
    """A model found on this machine: a folder to load, and where it came from.

    ``facts`` are the further things known of it (title, licence, revision, quantisation, ...);
    ``digest`` is set where something else than the folder's files identifies the model.
    """

    id: str
    folder: Path
    source: Literal["catalog", "folder", "gguf", "hub"]
    facts: Mapping[str, Any] = field(default_factory=dict)
    digest: str | None = None

"""Which devices a model can be loaded on, in which numbers, and what a device cannot do."""

from __future__ import annotations

import re
from typing import Any, get_args

from audit.models.options import Dtype
from probes.errors import Fault, ModelError

DTYPES: tuple[Dtype, ...] = get_args(Dtype)
"""The numbers that a model can be computed in, the usual ones first."""
HALF_DEVICES = frozenset({"cuda", "mps"})
"""Kinds of device on which half precision is offered. On a processor it is slower than float32, and it
changes the answers."""
WIDER = 32
"""How many times as many tokens a device other than the processor is given at once."""

_KNOWN = re.compile(r"auto|cpu|mps|cuda(:[0-9]{1,3})?")


def check_device(name: str, dtype: str = "float32") -> None:
    """Refuse a device or numbers that are not known, or that this machine does not have.

    Raises
    ------
    ModelError
        One line, with what there is.
    """
    if not _KNOWN.fullmatch(name):
        raise ModelError(Fault(f"no such device {name!r}", remedy="Use auto, cpu, cuda, cuda:N or mps."))
    if name == "mps":
        import torch

        if not torch.backends.mps.is_available():
            raise ModelError(Fault("this machine has no usable MPS device", remedy="Use the device cpu."))
    if name.startswith("cuda"):
        import torch

        if not torch.cuda.is_available():
            raise ModelError(Fault("this machine has no usable CUDA device", remedy="Use the device cpu."))
        count = torch.cuda.device_count()
        if int(name.partition(":")[2] or 0) >= count:
            remedy = f"Use cuda:0 to cuda:{count - 1}." if count > 1 else "Use cuda or cuda:0."
            raise ModelError(Fault(f"this machine has no device {name!r}", remedy=remedy))
    if dtype not in DTYPES:
        raise ModelError(Fault(f"no such dtype {dtype!r}", remedy=f"Use {', '.join(DTYPES)}."))
    if dtype != "float32":
        _check_half(name, dtype)


def _check_half(name: str, dtype: str) -> None:
    device = device_of(name)
    if device.type not in HALF_DEVICES:
        what = f"{dtype} on the device {device.type}: slower there than float32, and other answers"
        raise ModelError(Fault(what, "", "Leave out --dtype, or name a GPU as the --device."))
    import torch

    # A GPU that has not these numbers refuses them in a way of its own, or computes them in others.
    lacks = device.type == "cuda" and dtype == "bfloat16" and not torch.cuda.is_bf16_supported(False)
    try:
        torch.ones(1, device=device, dtype=getattr(torch, dtype)).add(1)
    except (RuntimeError, TypeError):
        lacks = True
    if lacks:
        raise ModelError(Fault(f"the device {device} has no {dtype}", "", "Use float16 or float32."))


def device_of(name: str) -> Any:
    """The torch device of a checked name; ``auto`` is cuda where there is one, else mps, else cpu."""
    import torch

    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def tokens_at_once(token_budget: int, device: Any) -> int:
    """The most tokens of one forward pass on a device: the budget is that of a processor."""
    return token_budget if device.type == "cpu" else WIDER * token_budget


def doubled(values: Any) -> Any:
    """A tensor in float64: where it lies, or on the processor where its device has no such numbers."""
    return values.cpu().double() if values.device.type == "mps" else values.double()


def of_long_integers(device: Any) -> Any:
    """Where arithmetic of 64-bit integers is done whose every bit counts.

    CUDA has it as processors do; of other devices it is not known.
    """
    import torch

    return device if device.type == "cuda" else torch.device("cpu")

"""Which devices a model can be loaded on."""

from __future__ import annotations

import re
from typing import Any

from probes.errors import Fault, ModelError

_KNOWN = re.compile(r"auto|cpu|cuda(:[0-9]{1,3})?")


def check_device(name: str) -> None:
    """Refuse a device that is not known, or that this machine does not have.

    Raises
    ------
    ModelError
        One line, with the devices that there are.
    """
    if not _KNOWN.fullmatch(name):
        raise ModelError(Fault(f"no such device {name!r}", remedy="Use auto, cpu, cuda or cuda:N."))
    if name.startswith("cuda"):
        import torch

        if not torch.cuda.is_available():
            raise ModelError(Fault("this machine has no usable CUDA device", remedy="Use the device cpu."))
        count = torch.cuda.device_count()
        if int(name.partition(":")[2] or 0) >= count:
            remedy = f"Use cuda:0 to cuda:{count - 1}." if count > 1 else "Use cuda or cuda:0."
            raise ModelError(Fault(f"this machine has no device {name!r}", remedy=remedy))


def device_of(name: str) -> Any:
    """The torch device of a checked name; ``auto`` is cuda where there is one."""
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)

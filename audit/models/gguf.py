"""GGUF files: de-quantised once into safetensors in the cache, and loaded from there ever after.

The tested object is the de-quantised model, in 32-bit arithmetic, not what a GGUF runtime would compute.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from audit.models.cache import cache_folder, workplace
from audit.models.files import (
    CONFIG,
    WEIGHTS,
    ModelFile,
    describe_files,
    digest_of,
    read_json,
    sha256_of,
)
from audit.models.gguf_header import gguf_header
from audit.models.options import Located
from audit.models.quiet import one_line, quiet
from probes.errors import Fault, ModelError

CONVERSION = 1
"""Raised when the conversion changes in a way that can change answers; it is part of the digest."""

RECORD = "evenhand-conversion.json"
Say = Callable[[str], None]


def locate(path: Path, name: str, say: Say = lambda message: None) -> Located:
    """The converted model of a GGUF file, converting it if that was not done before.

    Raises
    ------
    ModelError
        Where the file cannot be read or its architecture is not one that transformers de-quantises.
    """
    # Unlike Path.is_file, this takes names of any length and content.
    if not os.path.isfile(path):
        raise ModelError(Fault("no such file", str(path), "Name an existing .gguf file."))
    sha256 = sha256_of(path)
    found = converted(sha256, name)
    if found is not None:
        return with_header(found, path)
    say(f"converting {path.name} (once)")
    convert(path, sha256)
    found = converted(sha256, name)
    if found is None:
        raise ModelError(
            Fault("the conversion did not last", str(folder_of(sha256)), "Empty the cache and try again.")
        )
    return found


def folder_of(sha256: str) -> Path:
    """Where the conversion of a GGUF file with this digest lies."""
    return cache_folder() / "gguf" / f"{sha256}-v{CONVERSION}"


def converted(sha256: str, name: str) -> Located | None:
    """The conversion of a GGUF file with this digest, or None where there is none that is whole."""
    folder = folder_of(sha256)
    if not os.path.isfile(folder / RECORD):
        return None
    record = read_json(folder / RECORD)
    if not _is_whole(folder, record):
        shutil.rmtree(folder)
        return None
    facts = {
        "quantisation": record["quantisation"],
        "quantisation_note": "de-quantised from GGUF and run in float32; this is the object that was tested",
        "gguf": record["source"],
        "gguf_header": record.get("header"),
    }
    return Located(name, folder, "gguf", facts, digest_of_file(record["source"]["size"], sha256))


def digest_of_file(size: int, sha256: str) -> str:
    """The digest of the model that a GGUF file of this size and hash becomes."""
    return digest_of([ModelFile(f"model.gguf;conversion={CONVERSION}", size, sha256)])


def with_header(found: Located, path: Path) -> Located:
    """The same with the header of its file, where the conversion is of a version that kept none."""
    if found.facts.get("gguf_header") is not None:
        return found
    return replace(found, facts={**found.facts, "gguf_header": dict(gguf_header(path).metadata)})


def _is_whole(folder: Path, record: dict[str, Any]) -> bool:
    """Whether every file of a conversion is there, unchanged."""
    for file in record["files"]:
        path = folder / file["path"]
        if not path.is_file() or path.stat().st_size != file["size"] or sha256_of(path) != file["sha256"]:
            return False
    return True


def convert(path: Path, sha256: str) -> None:
    """De-quantise a GGUF file into the cache: config, weights, tokenizer and a record of all three.

    Weights are stored in 16 bits where that keeps every number exactly, else in 32. The folder appears
    whole or not at all.
    """
    header = gguf_header(path)  # first: transformers' reader of a broken one may never end
    target = folder_of(sha256)
    work = workplace(target.parent, ".converting-")
    try:
        try:
            with quiet():
                dtype = _write_model(path, work)
        except MemoryError:
            raise
        # transformers and gguf raise whatever comes first on a broken file; this is the border.
        except Exception as error:
            raise ModelError(
                Fault(f"cannot be de-quantised: {one_line(error)}", str(path), "Name another file.")
            ) from error
        files = describe_files(work, [p for p in work.iterdir() if p.is_file()])
        record = {
            "source": {"path": path.name, "size": path.stat().st_size, "sha256": sha256},
            "quantisation": dict(header.quantisation),
            "header": dict(header.metadata),
            "stored_as": dtype,
            "files": [asdict(file) for file in files],
        }
        (work / RECORD).write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
        # Another process may have finished first; its result is the same.
        with contextlib.suppress(OSError):
            os.replace(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_model(path: Path, work: Path) -> str:
    """Write the model of a GGUF file as a transformers folder; return how its weights are stored."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers import modeling_gguf_pytorch_utils as reader

    folder, name = str(path.parent), path.name
    config = AutoConfig.from_pretrained(folder, gguf_file=name, local_files_only=True)
    with torch.device("meta"):
        skeleton = AutoModelForCausalLM.from_config(config)
    config.architectures = [type(skeleton).__name__]
    # `from_pretrained(gguf_file=)` makes this same call, but wants the accelerate package for it.
    with _no_bar(reader):
        state = reader.load_gguf_checkpoint(
            str(path), return_tensors=True, model_to_load=skeleton, torch_dtype=torch.float32
        )["tensors"]
    half = all(bool(torch.equal(tensor, tensor.half().float())) for tensor in state.values())
    if half:
        state = {key: tensor.half() for key, tensor in state.items()}
    config.save_pretrained(work)
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, work / WEIGHTS, {"format": "pt"})
    AutoTokenizer.from_pretrained(folder, gguf_file=name, local_files_only=True).save_pretrained(work)
    if not (work / CONFIG).is_file():
        raise OSError("no configuration was written")
    return "float16" if half else "float32"


@contextlib.contextmanager
def _no_bar(reader: Any) -> Iterator[None]:
    """Within it, transformers' GGUF reader shows no progress bar: it asks no setting whether to."""
    bar = reader.tqdm
    reader.tqdm = lambda items, **_: items
    try:
        yield
    finally:
        reader.tqdm = bar

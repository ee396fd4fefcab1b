"""The files of a model folder: which of them matter, what they hold, and the digest over them."""

from __future__ import annotations

import hashlib
import json
import math
import struct
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from audit.bundle_files import file_sha256
from audit.models.options import LoadOptions
from audit.requests import canonical
from probes.errors import Fault, ModelError

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
PICKLE_PATTERNS = ("*.bin", "*.pt", "*.pth", "*.ckpt")
SIDE_FILES = (
    CONFIG,
    "generation_config.json",
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "*.model",
    "chat_template*",
)
"""Everything but weights that can change an answer, at the top of a model folder."""

VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
"""What can hold a tokenizer's vocabulary; transformers makes up an empty one where nothing does."""

_MAX_HEADER_BYTES = 100_000_000
_TICK = 2_000_000_000
"""Nanoseconds within which two changes of a file may bear one time, on the coarsest file systems."""
_HASHES: dict[tuple[int, int, int, int, int], str] = {}


@dataclass(frozen=True)
class ModelFile:
    """A file of a model: path relative to its folder, bytes, SHA-256."""

    path: str
    size: int
    sha256: str


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises
    ------
    ModelError
        Where it is absent, not JSON, or not an object.
    """
    try:
        if path.exists() and not path.is_file():  # to read a pipe may never end
            raise ModelError(Fault("is no file", str(path), "Fetch the model again."))
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            Fault(f"no {path.name} here", str(path.parent), "Name a folder that holds a transformers model.")
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            Fault(f"not readable as JSON: {error}", str(path), "Fetch the model again.")
        ) from error
    if not isinstance(data, dict):
        raise ModelError(Fault("not a JSON object", str(path), "Fetch the model again."))
    return data


def weight_files(folder: Path, allow_pickle: bool) -> list[Path]:
    """The weight files that are loaded from a folder, safetensors where there are any.

    Raises
    ------
    ModelError
        Where there are none, where shards are missing, or where they are pickles and those are not allowed.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / INDEX).is_file():
        return _shards(folder / INDEX)
    pickles = sorted({p.name for pattern in PICKLE_PATTERNS for p in folder.glob(pattern)})
    if not pickles:
        raise ModelError(Fault("no weights (model.safetensors) here", str(folder), "Fetch the model again."))
    if not allow_pickle:
        raise ModelError(
            Fault(
                f"the weights are pickled ({pickles[0]}), a format that can run code when it is read",
                str(folder),
                "Convert them to safetensors or, if you trust their source, pass --allow-pickle.",
            )
        )
    if (folder / PICKLES[0]).is_file():
        return [folder / PICKLES[0]]
    if (folder / PICKLES[1]).is_file():
        return _shards(folder / PICKLES[1])
    raise ModelError(
        Fault(f"{pickles[0]} is not a name that transformers loads", str(folder), f"Name it {PICKLES[0]}.")
    )


def _shards(index: Path) -> list[Path]:
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelError(Fault("no weight_map", str(index), "Fetch the model again."))
    names = sorted({str(name) for name in weight_map.values()})
    outside = [name for name in names if Path(name).name != name]
    missing = [name for name in names if not (index.parent / name).is_file()]
    if outside or missing:
        what = f"shard outside the folder: {outside[0]}" if outside else f"shard missing: {missing[0]}"
        raise ModelError(Fault(what, str(index), "Fetch the model again."))
    return [index, *(index.parent / name for name in names)]


def require_vocabulary(folder: Path, options: LoadOptions) -> None:
    """Refuse a folder without a tokenizer's vocabulary, unless code that comes with it may know better.

    Raises
    ------
    ModelError
        Where none of :data:`VOCABULARIES` is there.
    """
    names = [path.name for path in folder.iterdir() if path.is_file()]
    if options.trust_remote_code or any(fnmatch(n, v) for n in names for v in VOCABULARIES):
        return
    what = f"no tokenizer here (none of {', '.join(VOCABULARIES)})"
    raise ModelError(Fault(what, str(folder), "Copy the files of the model's tokenizer there."))


def model_files(folder: Path, options: LoadOptions) -> list[ModelFile]:
    """The files that decide a model's answers, by relative path."""
    patterns = (*SIDE_FILES, "*.py") if options.trust_remote_code else SIDE_FILES
    paths = {p for p in folder.iterdir() if p.is_file() and any(fnmatch(p.name, q) for q in patterns)}
    paths.update(weight_files(folder, options.allow_pickle))
    return describe_files(folder, paths)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file of a model; one that this process has hashed before is not read again.

    That it is the same is told by its size, its number on the disk and the times of its last changes. One
    that was changed just now may change again within the same tick of the clock, and is not remembered.
    """
    before = _state(path)
    if before not in _HASHES:
        is_settled = time.time_ns() - max(before[-2:]) > _TICK
        found = file_sha256(path)
        if not is_settled or _state(path) != before:
            return found
        _HASHES[before] = found
    return _HASHES[before]


def _state(path: Path) -> tuple[int, int, int, int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def describe_files(folder: Path, paths: Iterable[Path]) -> list[ModelFile]:
    """Sizes and digests of files, sorted by their path within ``folder``."""
    found = [ModelFile(p.relative_to(folder).as_posix(), p.stat().st_size, sha256_of(p)) for p in paths]
    return sorted(found, key=lambda file: file.path)


def digest_of(files: Iterable[ModelFile]) -> str:
    """SHA-256 over the sorted (path, size, sha256) of files, in hexadecimal."""
    ordered = sorted(files, key=lambda file: file.path)
    return hashlib.sha256(canonical([asdict(file) for file in ordered])).hexdigest()


def digest_as_loaded(digest: str, options: LoadOptions) -> str:
    """A model's digest together with the options that change its answers; the same where there are none.

    Raises
    ------
    ModelError
        Where such an option cannot be heeded.
    """
    changing: dict[str, Any] = {}
    if options.max_length is not None:
        if isinstance(options.max_length, bool) or options.max_length < 1:
            what = f"max_length is {options.max_length!r}"
            raise ModelError(Fault(what, "", "Give the most tokens that a text may have, 1 or more."))
        changing["max_length"] = options.max_length
    if options.dtype != "float32":
        changing["dtype"] = options.dtype
    if not changing:
        return digest
    return hashlib.sha256(canonical({"model": digest, **changing})).hexdigest()


def stored_parameters(paths: Iterable[Path]) -> int | None:
    """How many numbers safetensors files hold, read from their headers; None for other formats."""
    total = 0
    for path in paths:
        if path.name.endswith(".index.json"):
            continue
        if path.suffix != ".safetensors":
            return None
        total += sum(math.prod(shape) for shape in _shapes(path))
    return total


def _shapes(path: Path) -> list[list[int]]:
    """The shapes in a safetensors file: eight bytes of length, then a header in JSON, an entry for each."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > _MAX_HEADER_BYTES:
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(file.read(length))
        if not isinstance(header, dict):
            raise ValueError("its header is not a JSON object")
        header.pop("__metadata__", None)
        for name, entry in header.items():
            if not isinstance(entry, dict) or not _is_shape(entry.get("shape")):
                raise ValueError(f"its header gives {name!r} no shape")
    except (OSError, struct.error, ValueError, RecursionError) as error:
        raise ModelError(
            Fault(f"not a safetensors file: {error}", str(path), "Fetch the model again.")
        ) from error
    return [entry["shape"] for entry in header.values()]


def _is_shape(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(n, int) and n >= 0 for n in found)

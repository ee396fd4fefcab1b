"""What is known of a model from its files alone: no weight is loaded, and nothing is converted."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audit.models.cache import home_path
from audit.models.catalog import CATALOG, is_fetched
from audit.models.files import (
    CONFIG,
    digest_of,
    model_files,
    read_json,
    sha256_of,
    stored_parameters,
    weight_files,
)
from audit.models.gguf import digest_of_file
from audit.models.gguf_header import gguf_header
from audit.models.locate import locate
from audit.models.options import LoadOptions
from probes.errors import Fault, ModelError


def file_facts(name: str, options: LoadOptions | None = None) -> dict[str, Any]:
    """Facts of a model as ``Model.describe`` gives them, as far as its files tell them.

    A folder needs no weights that can be loaded, and a model need not be of a kind that is measured.

    Parameters
    ----------
    name : str
        A name of the catalogue, a folder, a ``.gguf`` file, or a hub id.
    options : LoadOptions or None
        None means the defaults, which are the careful ones.

    Raises
    ------
    ModelError
        Where nothing is there, or it is a model of the catalogue that was not fetched.
    """
    options = options or LoadOptions()
    path = home_path(name)
    if name not in CATALOG and path.suffix == ".gguf":
        return _of_gguf(path)
    if name in CATALOG and not is_fetched(name):
        raise ModelError(
            Fault("this model is not on this machine", name, f"Fetch it: evenhand models fetch {name}")
        )
    located = locate(name, options)
    facts: dict[str, Any] = {
        "source": located.source,
        "loaded": False,
        "folder": str(located.folder),
        "digest": located.digest,
        **{key: value for key, value in located.facts.items() if value is not None},
    }
    return {**facts, **_of_folder(located.folder, options, located.digest)}


def _of_gguf(path: Path) -> dict[str, Any]:
    # Unlike Path.is_file, this takes names of any length and content.
    if not os.path.isfile(path):
        raise ModelError(Fault("no such file", str(path), "Name an existing .gguf file."))
    header = gguf_header(path)
    size, sha256 = path.stat().st_size, sha256_of(path)
    return {
        "source": "gguf",
        "loaded": False,
        "digest": digest_of_file(size, sha256),
        "parameters": header.parameters,
        "quantisation": dict(header.quantisation),
        "gguf": {"path": path.name, "size": size, "sha256": sha256},
        "gguf_header": dict(header.metadata),
    }


def _of_folder(folder: Path, options: LoadOptions, digest: str | None) -> dict[str, Any]:
    """Files with their digests, kind and size; where the files do not make a model, what there is."""
    facts: dict[str, Any] = {}
    try:
        weights = weight_files(folder, options.allow_pickle)
        files = model_files(folder, options)
        facts["files"] = [asdict(file) for file in files]
        facts["digest"] = digest or digest_of(files)
        facts["pickle"] = not any(path.suffix == ".safetensors" for path in weights)
        facts["parameters"] = stored_parameters(weights)
    except (ModelError, OSError) as error:
        facts["unreadable"] = str(error)
    try:
        from audit.models.kinds import kind_of

        facts["kind"] = kind_of(read_json(folder / CONFIG), CONFIG)[0]
    except ModelError:
        facts["kind"] = None
    return facts

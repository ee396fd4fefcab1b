"""From the name a user typed to a model on this machine: catalogue, folder, GGUF file or hub id."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

from audit.models import gguf
from audit.models.cache import home_path
from audit.models.catalog import CATALOG, fetch
from audit.models.files import INDEX, PICKLES, SIDE_FILES, WEIGHTS
from audit.models.options import LoadOptions, Located
from audit.models.quiet import one_line, quiet
from probes.errors import Fault, ModelError

CLASSIC_IDS = frozenset(
    {
        "albert-base-v2",
        "albert-large-v2",
        "bert-base-cased",
        "bert-base-multilingual-cased",
        "bert-base-uncased",
        "bert-large-cased",
        "bert-large-uncased",
        "distilbert-base-cased",
        "distilbert-base-uncased",
        "distilgpt2",
        "distilroberta-base",
        "gpt2",
        "gpt2-large",
        "gpt2-medium",
        "gpt2-xl",
        "openai-gpt",
        "roberta-base",
        "roberta-large",
        "xlm-roberta-base",
        "xlm-roberta-large",
    }
)
"""Hub ids from before the hub had owners."""

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_HUB_SAFE = (*SIDE_FILES, WEIGHTS, "model-*.safetensors", INDEX, "README.md", "LICENSE*", "USE_POLICY*")


def locate(name: str, options: LoadOptions) -> Located:
    """Find a model, fetching it where its name says from where.

    Raises
    ------
    ModelError
        Where the name means nothing here, or what it means cannot be had.
    """
    if name in CATALOG:
        return fetch(name)
    path = home_path(name)
    if path.suffix == ".gguf":
        return gguf.locate(path, name)
    # Unlike the methods of Path, these take names of any length and content.
    if os.path.isdir(path):
        return Located(name, path, "folder")
    if os.path.exists(path):
        raise ModelError(
            Fault("a model is a folder or a .gguf file", name, "Name the folder that holds config.json.")
        )
    if name in CLASSIC_IDS or (_HUB_ID.fullmatch(name) and not name.startswith("reference/")):
        return _from_hub(name, options)
    raise ModelError(
        Fault(
            f"no model is known as {name!r}, and no folder is there",
            remedy=f"{_suggestion(name)} A hub model is named by its id, such as org/name.",
        )
    )


def _suggestion(name: str) -> str:
    known = [other for other in (*CATALOG, *sorted(CLASSIC_IDS)) if other != name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else f"Known by name: {', '.join(CATALOG)}."


def _from_hub(name: str, options: LoadOptions) -> Located:
    """A snapshot of a hub model: its small files and safetensors, pickles only where they are allowed."""
    folder = _snapshot(name, options, _HUB_SAFE)
    has_safetensors = (folder / WEIGHTS).is_file() or (folder / INDEX).is_file()
    if not has_safetensors and options.allow_pickle:
        folder = _snapshot(name, options, (*_HUB_SAFE, *PICKLES, "pytorch_model-*.bin"))
    elif not has_safetensors:
        raise ModelError(
            Fault(
                "the model has no safetensors weights, only formats that can run code when they are read",
                name,
                "If you trust its source, pass --allow-pickle.",
            )
        )
    return Located(name, folder, "hub", {"revision": folder.name})


def _snapshot(name: str, options: LoadOptions, patterns: tuple[str, ...]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    if options.trust_remote_code:
        patterns = (*patterns, "*.py")
    try:
        with quiet():
            folder = snapshot_download(
                name,
                revision=options.revision,
                allow_patterns=list(patterns),
                ignore_patterns=["*/*"],
                local_files_only=options.is_offline,
            )
    except GatedRepoError as error:
        raise ModelError(Fault("the hub wants you to accept this model's terms", name, _LOG_IN)) from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            Fault("the hub has no such model, or it is private", name, f"{_suggestion(name)} {_LOG_IN}")
        ) from error
    except RevisionNotFoundError as error:
        raise ModelError(
            Fault(
                f"the hub has no revision {options.revision!r} of it", name, "Name a branch, tag or commit."
            )
        ) from error
    # What else comes is the network's: connections, proxies, timeouts, a full disk.
    except Exception as error:
        how = "not in the local cache, and offline" if options.is_offline else one_line(_cause(error))
        raise ModelError(
            Fault(
                f"the hub could not be reached for this model ({how})",
                name,
                f"{_OFFLINE}",
            )
        ) from error
    return Path(folder)


def _cause(error: BaseException) -> BaseException:
    """What an exception was first raised for."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


_LOG_IN = "Log in with `hf auth login` once you may read it."
_OFFLINE = (
    "Copy the model into a folder and name that, or use one that needs no hub: " + ", ".join(CATALOG) + "."
)

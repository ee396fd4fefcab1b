"""Models: where they come from, and one way to ask each of them.

Importing this loads neither torch nor transformers; :func:`resolve` does.
"""

from __future__ import annotations

from audit.models.base import Model
from audit.models.catalog import CATALOG, Entry, fetch, is_fetched
from audit.models.devices import check_device
from audit.models.files import (
    CONFIG,
    digest_as_loaded,
    digest_of,
    model_files,
    read_json,
    require_vocabulary,
    stored_parameters,
    weight_files,
)
from audit.models.options import CAPABILITIES, LoadOptions, Located, ModelFacts
from audit.models.scripted import Plant, PlantedModel, ScriptedModel

__all__ = [
    "CATALOG",
    "Entry",
    "LoadOptions",
    "Located",
    "Model",
    "ModelFacts",
    "Plant",
    "PlantedModel",
    "ScriptedModel",
    "fetch",
    "identify",
    "is_fetched",
    "resolve",
]


def resolve(name: str, options: LoadOptions | None = None) -> Model:
    """Load a model by name, ready to be asked.

    Parameters
    ----------
    name : str
        A name of the catalogue, a folder, a ``.gguf`` file, or a hub id such as ``org/name``.
    options : LoadOptions or None
        None means the defaults, which are the careful ones.

    Raises
    ------
    ModelError
        Where it is unknown, unreadable, unsafe to load, or of a kind that is not measured.
    """
    from audit.models.causal import CausalLM
    from audit.models.classifier import Classifier
    from audit.models.encoder import Encoder
    from audit.models.loading import load
    from audit.models.locate import locate
    from audit.models.masked import MaskedLM

    options = options or LoadOptions()
    check_device(options.device)
    loaded = load(locate(name, options), options)
    match loaded.kind:
        case "masked":
            return MaskedLM(loaded)
        case "causal":
            return CausalLM(loaded)
        case "classifier":
            return Classifier(loaded)
        case "encoder":
            return Encoder(loaded)


def identify(name: str, options: LoadOptions | None = None) -> ModelFacts:
    """What a plan needs to know of a model, from its files alone: no weight is loaded.

    A model of the catalogue or the hub that is not on this machine is fetched first.

    Raises
    ------
    ModelError
        As :func:`resolve`, as far as the files show it.
    """
    from audit.models.kinds import kind_of
    from audit.models.locate import locate

    options = options or LoadOptions()
    check_device(options.device)
    located = locate(name, options)
    config = located.folder / CONFIG
    kind, architecture = kind_of(read_json(config), str(config))
    weights = weight_files(located.folder, options.allow_pickle)
    require_vocabulary(located.folder, options)
    return ModelFacts(
        id=located.id,
        digest=digest_as_loaded(located.digest or digest_of(model_files(located.folder, options)), options),
        kind=kind,
        architecture=architecture,
        capabilities=CAPABILITIES[kind],
        parameters=stored_parameters(weights),
        weight_bytes=sum(path.stat().st_size for path in weights),
    )

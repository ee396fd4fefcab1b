"""Models: where they come from, and one way to ask each of them.

Importing this loads neither torch nor transformers; :func:`resolve` does. What is where, from the request to
the network:

Where a model comes from
    ``catalog`` names, ``locate`` finds, ``wheels``, ``gguf``, ``gguf_header`` and ``cache`` unpack; ``kinds``
    says what it is, ``files`` what its digest covers, ``facts`` what they tell of it; ``options``,
    ``devices`` and ``threads`` say how it is computed; ``loading`` loads it, ``quiet`` keeps libraries from
    printing. ``reference`` trains the reference models, ``weights`` holds them.
What answers requests
    ``masked``, ``causal``, ``classifier`` and ``encoder``, one a kind; ``embedding`` gives vectors for all of
    them; ``scripted`` is the public double, ``blind`` its answers. ``base`` is what each of them offers.
From texts to rows of tokens, and back
    ``tokens`` whole texts, ``placing`` candidates in a marked place; ``spelling`` how a token reads.
Rows read by a masked model
    ``reading`` names what is wanted of a row, ``reader`` reads it, ``attention`` says who attends to whom.
    ``packing`` puts rows of any lengths side by side in one pass, here and for classifiers and vectors.
Rows read by a causal model
    ``continuations`` reads them; ``trie`` is the tree of what they begin with, where each is computed once.
Texts written by a causal model
    ``generation`` takes prompts and gives texts; ``stream`` is the loop from token to token, over a cache
    whose rows others take over (``slots``) or one that is padded (``padded``); ``sampling`` draws a token.
Beneath all of them
    ``network`` is the model, cut before its vocabulary; ``attending`` runs its own modules over tokens that
    lie in no rectangle; ``budget`` bounds what one pass holds. Packing, trees and slots are used only where a
    probe of the loaded network has shown the same numbers; else rows are run in plain batches.
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
    check_device(options.device, options.dtype)
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
    check_device(options.device, options.dtype)
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

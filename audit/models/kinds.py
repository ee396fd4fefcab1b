"""Which kind of model a configuration describes, by the tables of transformers' Auto classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.models.options import Kind
from probes.errors import Fault, ModelError

_OTHER_KINDS = {
    "ForSequenceClassification": "a sequence classifier",
    "ForTokenClassification": "a token classifier",
    "ForQuestionAnswering": "a question-answering model",
    "ForMultipleChoice": "a multiple-choice model",
    "ForConditionalGeneration": "a sequence-to-sequence model",
    "ForNextSentencePrediction": "a next-sentence model",
    "Model": "an encoder or decoder without a language-modelling head",
}


def kind_of(config: Mapping[str, Any], where: str) -> tuple[Kind, str]:
    """Kind and architecture of a model, from its ``config.json``.

    Parameters
    ----------
    config : mapping
        The parsed file.
    where : str
        Its path, for the message.

    Returns
    -------
    (kind, architecture)
        ``masked`` or ``causal``, and the name of the transformers class.

    Raises
    ------
    ModelError
        Where it is neither, naming what it is.
    """
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
        MODEL_FOR_PRETRAINING_MAPPING_NAMES,
    )

    masked: Mapping[str, str] = MODEL_FOR_MASKED_LM_MAPPING_NAMES
    causal: Mapping[str, str] = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    model_type = config.get("model_type")
    listed = config.get("architectures") or []
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise ModelError(Fault("architectures is not a list of names", where, "Fetch the model again."))
    if not isinstance(model_type, str):
        raise ModelError(Fault("no model_type", where, "Name a folder that holds a transformers model."))
    remote = config.get("auto_map")
    if isinstance(remote, dict) and model_type not in masked and model_type not in causal:
        if "AutoModelForMaskedLM" in remote:
            return "masked", str(remote["AutoModelForMaskedLM"]).rsplit(".", 1)[-1]
        if "AutoModelForCausalLM" in remote:
            return "causal", str(remote["AutoModelForCausalLM"]).rsplit(".", 1)[-1]
    if listed:
        name = listed[0]
        if name == masked.get(model_type):
            return "masked", name
        if name == causal.get(model_type):
            return "causal", name
        with_mask = name.endswith("ForPreTraining") and model_type in masked
        if with_mask and name == MODEL_FOR_PRETRAINING_MAPPING_NAMES.get(model_type):
            return "masked", masked[model_type]
        raise _neither(name, model_type, where)
    if model_type in masked and not config.get("is_decoder", False):
        return "masked", masked[model_type]
    if model_type in causal:
        return "causal", causal[model_type]
    raise _neither("", model_type, where)


def _neither(architecture: str, model_type: str, where: str) -> ModelError:
    what = next((text for end, text in _OTHER_KINDS.items() if architecture.endswith(end)), "another kind")
    named = f"{architecture}, {what}" if architecture else f"of type {model_type!r}"
    return ModelError(
        Fault(f"this model is {named}", where, "Evenhand measures masked and causal language models.")
    )

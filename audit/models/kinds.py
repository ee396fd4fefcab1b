"""Which kind of model a configuration describes, by the tables of transformers' Auto classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from audit.models.options import Kind
from probes.errors import Fault, ModelError

_OTHER_KINDS = {
    "ForSequenceClassification": "a sequence classifier of another type",
    "ForTokenClassification": "a token classifier",
    "ForQuestionAnswering": "a question-answering model",
    "ForMultipleChoice": "a multiple-choice model",
    "ForConditionalGeneration": "a sequence-to-sequence model",
    "ForNextSentencePrediction": "a next-sentence model",
    "Model": "a base model that is not a text encoder",
}

_REMOTE: Mapping[str, Kind] = {
    "AutoModelForMaskedLM": "masked",
    "AutoModelForCausalLM": "causal",
    "AutoModelForSequenceClassification": "classifier",
}
"""What a model with code of its own is, by the Auto class that it names."""


def kind_of(config: Mapping[str, Any], where: str) -> tuple[Kind, str]:
    """Kind and architecture of a model, from its ``config.json``.

    A base model without a head is an encoder, a decoder's (``GPT2Model``) as well: what is asked of it are
    the states of its last layer. Encoder-decoders are not.

    Parameters
    ----------
    config : mapping
        The parsed file.
    where : str
        Its path, for the message.

    Returns
    -------
    (kind, architecture)
        The kind, and the name of the transformers class.

    Raises
    ------
    ModelError
        Where it is of no kind that is measured, naming what it is.
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
        for auto, kind in _REMOTE.items():
            if auto in remote:
                return kind, str(remote[auto]).rsplit(".", 1)[-1]
    if listed:
        name = listed[0]
        if name == masked.get(model_type):
            return "masked", name
        if name == causal.get(model_type):
            return "causal", name
        with_mask = name.endswith("ForPreTraining") and model_type in masked
        if with_mask and name == MODEL_FOR_PRETRAINING_MAPPING_NAMES.get(model_type):
            return "masked", masked[model_type]
        if _is_classifier(name, model_type):
            _check_labels(config, where)
            return "classifier", name
        if (model_type in masked or model_type in causal) and _is_base(name, model_type):
            return "encoder", name
        raise _neither(name, model_type, where)
    if model_type in masked and not config.get("is_decoder", False):
        return "masked", masked[model_type]
    if model_type in causal:
        return "causal", causal[model_type]
    raise _neither("", model_type, where)


def _is_classifier(name: str, model_type: str) -> bool:
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

    named: Mapping[str, str] = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES
    return name == named.get(model_type)


def _is_base(name: str, model_type: str) -> bool:
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
        MODEL_MAPPING_NAMES,
    )

    named: Mapping[str, str | tuple[str, ...]] = MODEL_MAPPING_NAMES
    return name == named.get(model_type) and model_type not in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES


def _check_labels(config: Mapping[str, Any], where: str) -> None:
    """Refuse a classifier whose outputs are no labels, or labels that cannot be told apart."""
    names = config.get("id2label", {"0": "LABEL_0", "1": "LABEL_1"})
    if not isinstance(names, Mapping) or not names:
        raise ModelError(Fault("id2label is not a table of labels", where, "Fetch the model again."))
    if {str(number) for number in names} != {str(i) for i in range(len(names))}:
        what = "id2label does not number its labels from 0 on"
        raise ModelError(Fault(what, where, "Fetch the model again."))
    several = config.get("problem_type") == "multi_label_classification"
    if config.get("problem_type") == "regression" or (len(names) == 1 and not several):
        what = "this model is a regression: one output or more, and no labels to tell apart"
        raise ModelError(Fault(what, where, "Name a classifier of two labels or more."))
    twice = [name for name, count in Counter(str(name) for name in names.values()).items() if count > 1]
    if twice:
        what = f"id2label gives two labels the name {twice[0]!r}"
        raise ModelError(Fault(what, where, "Give each label a name of its own."))


def _neither(architecture: str, model_type: str, where: str) -> ModelError:
    what = next((text for end, text in _OTHER_KINDS.items() if architecture.endswith(end)), "another kind")
    named = f"{architecture}, {what}" if architecture else f"of type {model_type!r}"
    remedy = "Evenhand measures masked and causal language models, sequence classifiers and text encoders."
    return ModelError(Fault(f"this model is {named}", where, remedy))

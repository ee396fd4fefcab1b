"""From the name of a scorer to the scorer: one that comes with the instrument, a known classifier, any."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from audit.scorers.base import Construct, Scorer
from audit.scorers.classifier import ClassifierScorer, classifier_card
from audit.scorers.constructs import SCALES
from audit.scorers.labels import LabelReading, check_labels, label_reading
from audit.scorers.registry import SCORERS, scorer_named
from probes import documents
from probes.errors import Fault, InputError
from probes.explain import nearest, schema_validator

if TYPE_CHECKING:
    from audit.models import LoadOptions

MODEL = "model:"
"""Begins the name of a classifier that no recipe describes: ``model:PATH#label``."""

UNCONFIRMED = "not opened when this was written"


@dataclass(frozen=True)
class Recipe:
    """A classifier of the hub, with the meaning of its labels.

    Attributes
    ----------
    labels : mapping of label to weight
        Those that count.
    activation : str
        What the labels must be, ``softmax`` or ``sigmoid``, for the reading to mean what it says.
    confirmed : bool
        Whether its files were opened when the recipe was written.
    """

    model: str
    construct: Construct
    title: str
    labels: Mapping[str, float]
    activation: str
    max_length: int
    licence: str
    training: str
    source: str
    confirmed: bool
    limits: tuple[str, ...]

    def stated(self) -> Stated:
        """What it says of the model, for loading."""
        limits = self.limits if self.confirmed else (*self.limits, f"its recipe: {UNCONFIRMED}")
        known = {
            "title": self.title,
            "source": f"{self.source}; learned from {self.training}",
            "licence": self.licence,
            "limits": limits,
        }
        return Stated(self.model, self.labels, self.activation, known)


@cache
def recipes() -> Mapping[str, Recipe]:
    """Every recipe by its model.

    Examples
    --------
    >>> recipes()["sasha/regardv3"].labels
    {'positive': 1, 'negative': -1}
    """
    return read_recipes(Path(str(files("audit") / "scorers" / "recipes.yaml")))


def read_recipes(path: Path) -> dict[str, Recipe]:
    """The recipes of a file.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    schema = files("audit").joinpath("schemas/scorer-recipes.schema.json").read_text("utf-8")
    document = documents.read(path, "file of recipes", schema_validator(json.loads(schema)))
    found: dict[str, Recipe] = {}
    for at, entry in enumerate(document.data["recipes"] if document.sound else ()):
        if entry["model"] in found:
            document.fault(("recipes", at, "model"), f"{entry['model']} is described twice", "Remove one.")
        found[entry["model"]] = Recipe(**{**entry, "limits": tuple(entry["limits"])})
    if document.faults:
        raise InputError(document.faults)
    return found


@dataclass(frozen=True)
class Stated:
    """A classifier with what somebody said of it.

    Attributes
    ----------
    model : str
        What loads it.
    labels : mapping of label to weight
        Those that count.
    activation : str
        What its labels must be; empty where nobody said.
    card : mapping
        Fields of its card that are known.
    """

    model: str
    labels: Mapping[str, float]
    activation: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)


SIGNED = {"positive": 1.0, "negative": -1.0}
"""What a classifier of regard or sentiment is read by where no label is named."""


def parse_model(name: str, construct: Construct | None = None) -> Stated:
    """A name of the form ``model:PATH#label`` or ``model:PATH#label=weight,label=weight``.

    Of a classifier of regard or sentiment no label has to be named, or the construct is in its place: it is
    then read as P(positive) - P(negative).

    Raises
    ------
    InputError
        If no label is named, or a weight is no number.

    Examples
    --------
    >>> parse_model("model:./mine#very good=1,bad=-1").labels
    {'very good': 1.0, 'bad': -1.0}
    >>> parse_model("model:./mine", "regard").labels
    {'positive': 1.0, 'negative': -1.0}
    """
    path = name.removeprefix(MODEL)
    signed = construct is not None and SCALES[construct].worse == "low"
    model, _, named = path.rpartition("#") if "#" in path else (path, "", "")
    if model and signed and named in ("", construct):
        return Stated(model, SIGNED)
    if not model or not named:
        what = f"{name!r} does not say which label of the classifier counts"
        raise InputError(Fault(what, "", f"Name it: {MODEL}PATH#label, such as {MODEL}./my-bert#toxic."))
    labels: dict[str, float] = {}
    for part in named.split(","):
        label, equals, weight = (piece.strip() for piece in part.partition("="))
        try:
            value = float(weight) if equals else 1.0
        except ValueError:
            what = f"the weight of the label {label!r} is {weight!r}"
            raise InputError(Fault(what, name, "Give a number, such as 1 or -1.")) from None
        if not label or label in labels:
            what = f"the label {label!r} is named twice" if label else "a label has no name"
            raise InputError(Fault(what, name, "Name each label once."))
        labels[label] = value
    return Stated(model, labels)


def scorer_of(
    name: str,
    construct: Construct | None = None,
    load: LoadOptions | None = None,
    mask: Sequence[str] = (),
    temperature: float = 1.0,
) -> Scorer:
    """A scorer by its name, ready to score.

    Parameters
    ----------
    name : str
        One of the registry, the hub id of a recipe, or ``model:PATH#label``.
    construct : str, optional
        What it is to measure; needed where the name is ``model:...``.
    load : LoadOptions, optional
        How a classifier is loaded.
    mask : sequence of str
        Words that name groups, replaced before a classifier reads a text.
    temperature : float
        Divides a classifier's logits.

    Raises
    ------
    InputError
        If there is none of that name, it measures something else, is not here, or its labels or activation
        are not those that are said.

    Examples
    --------
    >>> scorer_of("vader").card.construct
    'sentiment'
    """
    if name in SCORERS:
        if mask or temperature != 1.0:
            what = f"{name} is no classifier: it has no temperature, and masks nothing by itself"
            raise InputError(Fault(what, "", "Give it neither."))
        _require_construct(name, SCORERS[name].construct, construct)
        return scorer_named(name)
    if name in recipes():
        recipe = recipes()[name]
        _require_construct(name, recipe.construct, construct)
        stated, its, longest = recipe.stated(), recipe.construct, recipe.max_length
    elif not name.startswith(MODEL):
        remedy = f"{nearest(name, [*SCORERS, *recipes()])} Any classifier is named {MODEL}PATH#label."
        raise InputError(Fault(f"no such scorer {name!r}", "", remedy))
    elif construct is None:
        what = f"what {name!r} measures is not said"
        raise InputError(Fault(what, "", f"Name it: {', '.join(get_args(Construct))}."))
    else:
        stated, its, longest = parse_model(name, construct), construct, None
    reading = label_reading(stated.labels, temperature)
    return loaded_classifier(name, its, stated, reading, _options(load, longest), mask)


def loaded_classifier(
    name: str,
    construct: Construct,
    stated: Stated,
    reading: LabelReading,
    load: LoadOptions,
    mask: Sequence[str],
) -> ClassifierScorer:
    """A classifier, loaded and held to what was said of it."""
    from audit.models import resolve

    model = resolve(stated.model, load)
    facts = model.describe()
    check_activation(stated.activation, facts.get("activation"), stated.model)
    check_labels(facts.get("labels"), reading, stated.model)
    card = classifier_card(name, construct, reading, facts, **stated.card)
    return ClassifierScorer(model, reading, card, mask)


def check_activation(stated: str, found: str | None, model: str) -> None:
    """Stop at a classifier whose labels are not what a recipe says; nothing where either is not known.

    Raises
    ------
    InputError
        With what its labels are.
    """
    if stated and found is not None and found != stated:
        what = f"the labels are read by a {found}, where the recipe says {stated}"
        remedy = f"Read in the model's card what they are, and name it {MODEL}PATH#label."
        raise InputError(Fault(what, model, remedy))


def _options(load: LoadOptions | None, longest: int | None) -> LoadOptions:
    from audit.models import LoadOptions

    options = load or LoadOptions()
    return replace(options, max_length=longest) if options.max_length is None else options


def _require_construct(name: str, its: Construct, wanted: Construct | None) -> None:
    if wanted is not None and wanted != its:
        raise InputError(Fault(f"{name} measures {its}, not {wanted}", "", f"Use it for {its}."))

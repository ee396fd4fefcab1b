"""From what an auditor says of scorers to scorers that are decided, and what answers for them.

A wish is a name (``vader``), a classifier with the label that counts (``model:./toxic-bert#toxic``), the same
with more said of it (:class:`ScorerWish`), or an object of one's own (:class:`~audit.scorers.base.Scorer`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from audit.models import LoadOptions, identify, resolve
from audit.models.base import Model
from audit.scorers.as_model import AsModel
from audit.scorers.base import Construct, Scorer
from audit.scorers.callables import Guarded
from audit.scorers.classifier import ClassifierScorer, classifier_card
from audit.scorers.constructs import SCALES
from audit.scorers.labels import LabelReading, check_labels, label_reading, reading_bounds
from audit.scorers.planned import MASKED, PlannedScorer
from audit.scorers.recipes import MODEL, check_activation, parse_model, recipes
from audit.scorers.registry import CONSTRUCTS, SCORERS, scorer_named
from audit.scorers.wish_checks import card_faults, title_faults, wish_form_faults
from probes.errors import AuditFileError, Fault, InputError
from probes.explain import nearest


@dataclass(frozen=True)
class ScorerWish:
    """A scorer with what is decided about it.

    Attributes
    ----------
    name : str
        A scorer that comes with the instrument; of a classifier, how reports are to name it.
    model : str or Model
        A classifier: catalogue name, folder, hub id, or a model object; empty for a scorer by name.
    labels : mapping of str to float
        Which of its labels count, and how much.
    temperature : float
        Divides its logits; 1 leaves them as they are.
    max_length : int or None
        Most tokens that it is to read; a longer text is ``truncated`` and has no value.
    mask_groups : bool
        Whether words that name groups are hidden from it.
    notable : float or None
        The value from which on a text counts as found; None for the card's, or half of the scale's side.
    """

    name: str = ""
    model: str | Model = ""
    labels: Mapping[str, float] = field(default_factory=dict)
    temperature: float = 1.0
    max_length: int | None = None
    mask_groups: bool = False
    notable: float | None = None

    @property
    def title(self) -> str:
        """As reports name it; masked and unmasked are two scorers."""
        known = self.model if isinstance(self.model, str) else self.model.id
        own = self.name or f"{Path(known).name}#{'+'.join(self.labels)}"
        return own + MASKED if self.mask_groups else own


Wish = str | Scorer | ScorerWish


def said(construct: Construct, wish: Wish) -> Scorer | ScorerWish:
    """A wish in full: a name or ``model:PATH#label`` taken apart.

    Examples
    --------
    >>> said("toxicity", "model:./my-bert#toxic").title
    'my-bert#toxic'
    """
    if not isinstance(wish, str):
        return with_recipe(wish) if isinstance(wish, ScorerWish) else wish
    if not wish.startswith(MODEL):
        return with_recipe(ScorerWish(wish))
    if "#" not in wish and SCALES[construct].worse == "high":  # said with all other faults
        return ScorerWish(model=wish.removeprefix(MODEL))
    stated = parse_model(wish, construct)
    return ScorerWish(model=stated.model, labels=stated.labels)


def with_recipe(wish: ScorerWish) -> ScorerWish:
    """A wish that names a known classifier of the hub, with what its recipe says of it."""
    recipe = recipes().get(wish.name)
    if recipe is None or wish.model:
        return wish
    return replace(
        wish,
        model=recipe.model,
        labels=wish.labels or recipe.labels,
        max_length=wish.max_length or recipe.max_length,
    )


def wishes_from(data: Mapping[str, Any], near: Callable[[str], str]) -> dict[Construct, tuple[Wish, ...]]:
    """The wishes of an audit file; ``near`` makes a path of a model named relative to it."""
    found: dict[Construct, tuple[Wish, ...]] = {}
    for construct in SCALES:
        rows = [ScorerWish(**row) if isinstance(row, dict) else said(construct, row)
                for row in data.get(construct, ())]  # fmt: skip
        wishes = [replace(row, model=near(row.model)) if isinstance(row, ScorerWish)
                  and isinstance(row.model, str) and row.model else row for row in rows]  # fmt: skip
        if wishes:
            found[construct] = tuple(wishes)
    return found


def wishes_said(options: Iterable[str]) -> dict[Construct, tuple[Wish, ...]]:
    """The wishes of the command line: ``CONSTRUCT=NAME[,NAME]``.

    Examples
    --------
    >>> wishes_said(["sentiment=textblob,vader"])["sentiment"][0].name
    'textblob'
    """
    found: dict[Construct, tuple[Wish, ...]] = {}
    faults = []
    for option in options:
        name, _, names = option.partition("=")
        construct = next((one for one in SCALES if one == name), None)
        if construct is None or not all(names.split(",")):
            remedy = f"Write --scorer CONSTRUCT=NAME[,NAME]; constructs are {', '.join(SCALES)}."
            faults.append(Fault(f"--scorer {option[:80]!r} names no scorer of a construct", "", remedy))
        elif construct in found:
            faults.append(Fault(f"--scorer {construct}= is given twice", "", "Name all in one, by commas."))
        else:
            found[construct] = tuple(said(construct, one) for one in apart(names))
    if faults:
        raise InputError(faults)
    return found


def apart(names: str) -> list[str]:
    """Scorers that stand one behind another, the weights of a classifier's labels with it.

    Examples
    --------
    >>> apart("offensive,model:./mine#insult=1,threat=2,profanities")
    ['offensive', 'model:./mine#insult=1,threat=2', 'profanities']
    """
    found: list[str] = []
    for part in names.split(","):
        if found and found[-1].startswith(MODEL) and "=" in part and not part.startswith(MODEL):
            found[-1] += f",{part}"
        else:
            found.append(part)
    return found


def wish_faults(
    wishes: Mapping[Construct, Sequence[Wish]], measured: Collection[Construct | None]
) -> list[Fault]:
    """What is wrong with wishes before anything is loaded, each in one line."""
    faults = []
    for construct, own in wishes.items():
        where = f"scorers: {construct}"
        if construct not in SCALES:
            faults.append(Fault(f"no construct {construct!r}", where, nearest(construct, SCALES)))
            continue
        if construct not in measured:
            what = f"no suite of this audit measures {construct}"
            faults.append(Fault(what, where, "Leave it out, or add such a suite."))
        strange = [wish for wish in own if not isinstance(wish, str | ScorerWish | Scorer)]
        if strange:
            what = f"a {type(strange[0]).__name__} and no scorer"
            faults.append(Fault(what, where, "Give a name, a ScorerWish, or an object with card and score."))
            continue
        malformed = [fault for wish in own for fault in form_faults(wish, where)]
        if malformed:
            faults += malformed
            continue
        full = [said(construct, wish) for wish in own]
        if not full:
            faults.append(Fault("no scorer is named", where, "Name one, or leave the construct out."))
        titles = [one.title if isinstance(one, ScorerWish) else one.card.name for one in full]
        faults += [fault for title in titles for fault in title_faults(title, where)]
        for title in sorted({title for title in titles if titles.count(title) > 1}):
            faults.append(Fault(f"scorer {title!r} is named twice", where, "Name it once."))
        for one in full:
            faults += one_wish_faults(construct, one, where)
    return faults


def form_faults(wish: Wish, where: str) -> Iterator[Fault]:
    """What is no value of its kind in a wish; a name is looked up, whatever it is."""
    if isinstance(wish, ScorerWish):
        yield from wish_form_faults(wish, where)
    elif not isinstance(wish, str):
        yield from card_faults(wish, where)


def one_wish_faults(construct: Construct, wish: Scorer | ScorerWish, where: str) -> Iterator[Fault]:
    """What is wrong with one wish before anything is loaded."""
    if isinstance(wish, Scorer):
        if wish.card.construct != construct:
            yield mismatch(wish.card.name, wish.card.construct, construct, where)
        return
    if wish.model:
        recipe = recipes().get(wish.name)
        if recipe is not None and recipe.construct != construct:
            yield mismatch(wish.name, recipe.construct, construct, where)
        if not wish.labels:
            what = f"of the classifier {wish.title.rstrip('#')} no label is named"
            yield Fault(what, where, "Say which labels count: labels: {toxic: 1}, or model:PATH#label.")
        return
    if not wish.name:
        yield Fault("a scorer with neither name nor model", where, "Give one of the two.")
        return
    if wish.name not in SCORERS:
        yield Fault(f"no such scorer {wish.name!r}", where, nearest(wish.name, [*SCORERS, *recipes()]))
    elif SCORERS[wish.name].construct != construct:
        yield mismatch(wish.name, SCORERS[wish.name].construct, construct, where)
    given = [name for name in ("labels", "max_length") if getattr(wish, name)]
    if wish.temperature != 1.0:
        given.append("temperature")
    if given:
        yield Fault(f"{' and '.join(given)} of {wish.name}, which is no classifier", where, "Leave it out.")


def mismatch(name: str, own: Construct, wanted: Construct, where: str) -> Fault:
    """That a scorer measures something else than is wanted of it."""
    remedy = f"Name it under {own}, or choose one of {', '.join(CONSTRUCTS.get(wanted, ())) or 'your own'}."
    return Fault(f"{name} is a scorer of {own}, not of {wanted}", where, remedy)


def decided(
    wishes: Mapping[Construct, Sequence[Wish]], constructs: Iterable[Construct], options: LoadOptions
) -> list[PlannedScorer]:
    """The scorers of some constructs, the primary one of each first.

    Raises
    ------
    AuditFileError
        With everything that is wrong with any of them.
    """
    found: list[PlannedScorer] = []
    faults: list[Fault] = []
    for construct in constructs:
        own = wishes.get(construct, CONSTRUCTS.get(construct, ()))
        if not own:
            what = f"no scorer of {construct} comes with this program"
            remedy = f"Name one: --scorer {construct}={MODEL}NAME#label, or scorers in the audit file."
            faults.append(Fault(what, "", remedy))
        for number, wish in enumerate(own):
            try:
                one = planned(construct, said(construct, wish), options)
            except InputError as error:
                faults += error.faults
                continue
            faults += scale_faults(one, primary=number == 0)
            found.append(one)
    if faults:
        raise AuditFileError(faults)
    return found


def planned(construct: Construct, wish: Scorer | ScorerWish, options: LoadOptions) -> PlannedScorer:
    """One scorer as a plan holds it; a classifier is identified by its files and not loaded."""
    if isinstance(wish, ScorerWish):
        if wish.model:
            return planned_classifier(construct, wish, options)
        scorer, title = scorer_named(wish.name), wish.title
        kind = SCORERS[wish.name].kind
    else:
        scorer, title, kind, wish = wish, wish.card.name, "asked", ScorerWish()
    card = scorer.card
    asked = kind == "asked"
    return PlannedScorer(
        name=title,
        construct=construct,
        kind=kind,
        digest=scorer.digest,
        bounds=(float(card.bounds[0]), float(card.bounds[1])),
        found=card.found,
        notable=float(card.notable if wish.notable is None else wish.notable),
        worse=card.worse,
        masked=wish.mask_groups,
        reading=LabelReading(((construct, 1.0),)) if asked else None,
        model=loader(card.name, scorer.digest, "scorer" if wish.name else "python") if asked else None,
    )


def planned_classifier(construct: Construct, wish: ScorerWish, options: LoadOptions) -> PlannedScorer:
    """A classifier as a plan holds it; it is computed in float32, whatever the audited model is."""
    options = replace(options, max_length=wish.max_length, dtype="float32")
    facts: dict[str, Any]
    if isinstance(wish.model, str):
        told = identify(wish.model, options)
        facts = loader(told.id, told.digest, told.kind, told.parameters)
        capabilities, (labels, activation) = told.capabilities, stated_labels(wish.model, options)
    else:
        describe = wish.model.describe()
        facts = loader(wish.model.id, wish.model.digest, "python", describe.get("parameters"))
        capabilities, labels = wish.model.capabilities, tuple(describe.get("labels") or ())
        activation = str(describe.get("activation"))
    if "classify" not in capabilities:
        what = f"{facts['id']} is no classifier, and gives texts no labels"
        raise InputError(Fault(what, f"scorers: {construct}", "Name a model for sequence classification."))
    reading = label_reading(wish.labels, wish.temperature)
    check_labels(labels, reading, facts["id"])
    if wish.name in recipes():
        check_activation(recipes()[wish.name].activation, activation, facts["id"])
    if wish.max_length is not None:
        facts["options"] = {"max_length": wish.max_length}
    scale = SCALES[construct]
    return PlannedScorer(
        name=wish.title,
        construct=construct,
        kind="asked",
        digest=facts["digest"],
        bounds=reading_bounds(reading, labels, activation),
        found=scale.found,
        notable=scale.notable if wish.notable is None else float(wish.notable),
        worse=scale.worse,
        masked=wish.mask_groups,
        reading=reading,
        model=facts,
    )


def loader(name: str, digest: str, kind: str, parameters: int | None = None) -> dict[str, Any]:
    """What loads a scorer that is asked, for the plan: ``scorer`` by its name, ``python`` an object."""
    return {
        "id": name,
        "digest": digest,
        "kind": kind,
        "capabilities": ["classify"],
        "parameters": parameters,
        "options": {},
    }


def stated_labels(model: str, options: LoadOptions) -> tuple[tuple[str, ...], str]:
    """The labels that a classifier's configuration states, and what makes probabilities of their logits."""
    from audit.models.files import CONFIG, read_json
    from audit.models.locate import locate

    config = read_json(locate(model, options).folder / CONFIG)
    several = config.get("problem_type") == "multi_label_classification"
    labels = (config.get("id2label") or {}).values()
    return tuple(str(label) for label in labels), "sigmoid" if several else "softmax"


def scale_faults(scorer: PlannedScorer, primary: bool) -> Iterator[Fault]:
    """What keeps a scorer's numbers from being read as its construct is."""
    scale, where = SCALES[scorer.construct], f"scorers: {scorer.construct}"
    if scorer.worse != scale.worse:
        what = f"{scorer.name}: {scorer.worse} values are {scorer.found}, where {scale.worse} ones should be"
        yield Fault(what, where, "Turn its numbers about: it is compared with others of the construct.")
    low, high = scorer.bounds
    if not low <= scorer.notable <= high:
        what = f"{scorer.name}: notable is {scorer.notable:g}, outside its scale of {low:g} to {high:g}"
        yield Fault(what, where, "Give a value on the scale.")
    if primary and not (scale.bounds[0] <= low < high <= scale.bounds[1]):
        what = (
            f"{scorer.name} runs from {low:g} to {high:g}; the first scorer of {scorer.construct} has to lie "
            f"within {scale.bounds[0]:g} to {scale.bounds[1]:g}, in which margins are declared"
        )
        yield Fault(what, where, "Choose other weights or labels, or name it second.")


def answering(scorer: PlannedScorer, options: LoadOptions) -> Model:
    """What answers for a planned scorer that is asked, loaded now.

    Raises
    ------
    InputError
        If it was an object, which has to be given again, or can no longer be loaded.
    """
    told = scorer.model or {}
    if told.get("kind") == "scorer":
        return AsModel(scorer_named(told["id"]))
    if told.get("kind") == "python":
        what = f"the scorer {scorer.name!r} was given as a Python object"
        raise InputError(Fault(what, "", "Go on from Python: audit.resume(DIR, scorers=[the same object])."))
    return resolve(told["id"], replace(options, dtype="float32", **told.get("options", {})))


def given_scorers(wishes: Iterable[Wish]) -> dict[str, Model]:
    """The objects among wishes by their digests, ready to be asked."""
    found: dict[str, Model] = {}
    for wish in wishes:
        if isinstance(wish, ScorerWish):
            if not isinstance(wish.model, str):
                found[wish.model.digest] = wish.model
        elif isinstance(wish, Scorer):
            found[wish.digest] = AsModel(wish)
    return found


def as_scorer(planned: PlannedScorer, model: Model | None) -> Scorer | None:
    """A planned scorer, ready to score: of one that is asked, through the model that answered for it.

    None where that is not at hand. What it is shown is not masked.
    """
    if planned.kind == "rules":
        return scorer_named(planned.registered)
    if model is None or planned.reading is None:
        return None
    if isinstance(model, AsModel):
        return Guarded(model.scorer)
    recipe = recipes().get(planned.registered)
    known = {} if recipe is None else recipe.stated().card
    card = classifier_card(planned.name, planned.construct, planned.reading, model.describe(), **known)
    return ClassifierScorer(model, planned.reading, replace(card, notable=planned.notable))

"""What a user asks for: models, suites and decisions, read from a file or given in Python."""

from __future__ import annotations

import importlib.resources
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema.protocols import Validator

from audit.measures import MEASURES, Decoding, DecodingSetting, Measure
from audit.models import LoadOptions
from audit.models.base import Model
from audit.scorers.base import Construct
from audit.scorers.planned import PlannedScorer
from audit.scorers.wishes import Wish, wish_faults, wishes_from
from probes import (
    Lexicon,
    Margin,
    Sampling,
    Suite,
    check_suite,
    lexicons_of,
    load_lexicon,
    load_suite,
    replace_lexicons,
)
from probes.documents import read as read_document
from probes.errors import AuditFileError, Fault, InputError, SuiteError
from probes.explain import nearest, schema_validator


@dataclass(frozen=True)
class SuiteChoice:
    """A suite with everything that is decided about it for one audit.

    ``lexicons`` are those of the slot and of the nonce arm, by id. ``margin`` is the suite's own unless
    the audit declares another. ``scorers`` are those of the suite's construct, known once they are planned;
    ``named`` are the words of every lexicon of the plan, which some of them are not shown.
    """

    suite: Suite
    lexicons: Mapping[str, Lexicon]
    sampling: Sampling
    margin: Margin
    scorers: tuple[PlannedScorer, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def measure(self) -> Measure:
        """The suite's measure, as these scorers read it."""
        return MEASURES[self.suite.measure].with_scorers(self.scorers)


@dataclass(frozen=True)
class UntilDecided:
    """Asking unit by unit until a rule stops it, where a model writes text; see ``audit.sequential.plan``.

    ``max_units`` is the horizon of each family: what is not decided by then stays inconclusive.
    """

    max_units: int = 2000


SAMPLES_OF_A_DRAW = 2
"""Continuations of a prompt each time that it is drawn, where nothing else is said: as few as the A/A control
needs. Other prompts tell more than more continuations of the same: for a disparity of twice the margin, 4
take 1.7 times as many tokens, and 25 take 9 times as many (``tests/bench/bench_verdict.py``)."""


def usual_samples(until_decided: bool) -> int:
    """Continuations of a prompt where nobody says how many.

    Examples
    --------
    >>> usual_samples(until_decided=False), usual_samples(until_decided=True)
    (4, 2)
    """
    return SAMPLES_OF_A_DRAW if until_decided else Decoding().samples


@dataclass(frozen=True)
class AuditSpec:
    """Everything an auditor decides before the first question.

    ``models`` holds names (catalog, folder, file, hub id) or :class:`~audit.models.base.Model` objects.
    ``until_decided`` is None where every suite is asked whole. ``scorers`` name, for a construct, what scores
    text, the primary one first; a construct that is not there has the two that come with the instrument.
    """

    models: tuple[str | Model, ...]
    suites: tuple[SuiteChoice, ...]
    title: str = "Audit"
    alpha: float = 0.05
    seed: int = 0
    decoding: Decoding = field(default_factory=Decoding)
    load: LoadOptions = field(default_factory=LoadOptions)
    until_decided: UntilDecided | None = None
    scorers: Mapping[Construct, Sequence[Wish]] = field(default_factory=dict)


def choose(
    name: str | Path | Suite,
    *,
    lexicons: Sequence[str] = (),
    margin: tuple[float, str] | None = None,
    sampling: Sampling | None = None,
) -> SuiteChoice:
    """A suite, by name, file or object, with its lexicons loaded.

    Parameters
    ----------
    lexicons : sequence of str
        Ids or paths of other lexicons to fill the slot with; the suite's own if empty.
    margin : (value, source), optional
        An equivalence margin other than the suite's, in the suite's unit, and where it comes from.

    Raises
    ------
    SuiteError
        With every fault that was found.

    Examples
    --------
    >>> choose("traits", lexicons=["religions"]).suite.id
    'traits'
    """
    suite = name if isinstance(name, Suite) else load_suite(name)
    _check_measure(suite)
    loaded = lexicons_of(suite)
    if lexicons:
        given = [load_lexicon(name) for name in lexicons]
        suite = replace_lexicons(suite, [lexicon.id for lexicon in given])
        loaded = {suite.nonce.lexicon: loaded[suite.nonce.lexicon], **{own.id: own for own in given}}
    check_suite(suite, loaded)
    own = suite.margin
    decided = own if margin is None else Margin(value=margin[0], unit=own.unit, source=margin[1])
    return SuiteChoice(suite, loaded, sampling or Sampling(), decided)


def _check_measure(suite: Suite) -> None:
    """Refuse a suite whose measure is not known, or cannot read the answers that the suite asks for."""
    where = f"{suite.where}: $.measure"
    if suite.measure not in MEASURES:
        raise SuiteError(Fault(f"unknown measure {suite.measure!r}", where, nearest(suite.measure, MEASURES)))
    reads = MEASURES[suite.measure].forms
    unread = [form for form in suite.forms if form not in reads]
    if unread:
        what = f"{suite.measure} cannot read the answers of the form {', '.join(unread)}"
        others = [name for name, measure in MEASURES.items() if set(suite.forms) <= measure.forms]
        remedy = f"Write 'forms: [{', '.join(sorted(reads))}]'"
        raise SuiteError(Fault(what, where, f"{remedy}{f', or {others[0]!r}' if others else ''}."))
    scale = MEASURES[suite.measure].scale
    unit = "nats" if scale == "log-odds" else scale
    if suite.margin.unit != unit:
        what = f"the measure {suite.measure} is not read in {suite.margin.unit}"
        raise SuiteError(Fault(what, f"{suite.where}: $.margin.unit", f"Write 'unit: {unit}'."))


def read_audit(path: Path) -> AuditSpec:
    """An audit description from a YAML file, every fault of it and of its suites named at once.

    Raises
    ------
    AuditFileError
        If the file or anything it names is wrong.
    """
    document = read_document(path, "audit", audit_schema())
    faults = document.faults
    if faults:
        raise AuditFileError(faults)
    data = document.data
    seed = data.get("seed", 0)
    choices: list[SuiteChoice] = []
    for entry in data["suites"]:
        wish = {"id": entry} if isinstance(entry, str) else entry
        try:
            choices.append(_choose_from(wish, path.parent, seed))
        except InputError as error:
            faults += error.faults
    seen: set[str] = set()
    for choice in choices:
        if choice.suite.id in seen:
            faults.append(
                Fault(f"suite {choice.suite.id!r} is named twice", str(path), "Name each suite once.")
            )
        seen.add(choice.suite.id)
    faults += _decoding_faults(data, str(path))
    scorers = wishes_from(data.get("scorers", {}), lambda name: _near(name, path.parent))
    faults += wish_faults(scorers, {MEASURES[choice.suite.measure].construct for choice in choices})
    if faults:
        raise AuditFileError(faults)
    return AuditSpec(
        models=tuple(_near(name, path.parent) for name in data["models"]),
        suites=tuple(choices),
        title=data.get("title", path.stem),
        alpha=data.get("alpha", 0.05),
        seed=seed,
        decoding=_decoding(
            {"samples": usual_samples("until_decided" in data), **data.get("decoding", {})}, seed
        ),
        load=LoadOptions(**data.get("load", {})),
        until_decided=UntilDecided(**data["until_decided"]) if "until_decided" in data else None,
        scorers=scorers,
    )


def _decoding(wish: Mapping[str, Any], seed: int) -> Decoding:
    settings = tuple(
        DecodingSetting(float(setting["temperature"]), float(setting["top_p"]))
        for setting in wish.get("settings", ())
    )
    return Decoding(**{**wish, "settings": settings, "seed": seed})


def _decoding_faults(data: Mapping[str, Any], path: str) -> list[Fault]:
    """What is wrong with a list of decoding settings that each of them alone does not show."""
    wish = data.get("decoding", {})
    settings = wish.get("settings", [])
    where = f"{path}: $.decoding"
    faults = [
        Fault(f"{key} beside settings", f"{where}.{key}", "Decide it in one place: in each setting.")
        for key in ("temperature", "top_p")
        if settings and key in wish
    ]
    seen = set()
    for number, setting in enumerate(settings):
        # At temperature 0 the most probable token is taken, whatever top_p is.
        one = (setting["temperature"], setting["top_p"] if setting["temperature"] else 1)
        if one in seen:
            faults.append(
                Fault("the same setting twice", f"{where}.settings[{number}]", "Name each setting once.")
            )
        seen.add(one)
    if len(settings) > 1 and "until_decided" in data:
        what = "several decoding settings and until_decided, which asks in one setting only"
        faults.append(Fault(what, f"{where}.settings", "Leave out one of the two."))
    return faults


def _choose_from(wish: Mapping[str, Any], folder: Path, seed: int) -> SuiteChoice:
    margin = wish.get("margin")
    return choose(
        _near(wish["id"], folder),
        lexicons=[_near(name, folder) for name in wish.get("lexicons", [])],
        margin=(margin["value"], margin["source"]) if margin else None,
        sampling=Sampling(
            templates=wish.get("templates"),
            terms_per_group=wish.get("terms_per_group"),
            nonce_terms=wish.get("nonce_terms"),
            seed=seed,
        ),
    )


def _near(name: str, folder: Path) -> str:
    """A file or folder named relative to the audit file, as a path; any other name as it is."""
    looks_like_path = name.startswith((".", "/")) or name.endswith((".yaml", ".yml", ".gguf"))
    if not looks_like_path or Path(name).is_absolute():
        return name
    path = str(folder / name)
    # pathlib drops the "./" that tells a folder from an id of the hub.
    dropped = name.startswith(".") and not path.startswith(".") and not folder.is_absolute()
    return f".{os.sep}{path}" if dropped else path


@cache
def audit_schema() -> Validator:
    """The JSON Schema of an audit description, ready to validate."""
    text = importlib.resources.files("audit").joinpath("schemas/audit.schema.json").read_text("utf-8")
    return schema_validator(json.loads(text))

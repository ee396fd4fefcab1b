"""Planted bias, from the question to the verdict: what was put in is what an audit finds."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scipy.stats import spearmanr

from audit.api import run
from audit.bundle import read_json
from audit.calibration.paper_suite import MARGIN, paper_spec, paper_suite
from audit.calibration.study import Check, Settings, StudyResult, value_check
from audit.models import Model, Plant, ScriptedModel, resolve
from audit.models.reference.grammar import planted_log_odds
from audit.spec import AuditSpec, SuiteChoice, choose
from probes import ANSWER, Item, Sampling, expand, load_suite, suite_from_data

DOSES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
EXACT = 1e-9
"""Nats: the rounding of doubles, with room."""
FITTING = 0.1
"""Nats: half of the smallest margin, several times the fitting error of the reference models."""
TOP_GROUP = r"calibration-wordsg0x"


def audited(spec: AuditSpec) -> list[dict[str, Any]]:
    """The findings of an audit that is asked, kept, analysed and thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        run(spec, Path(folder) / "audit")
        rows: list[dict[str, Any]] = read_json(Path(folder) / "audit" / "findings.json")["findings"]
    return rows


def doses(settings: Settings) -> StudyResult:
    """Nats planted in scripted models, blind ones and noisy ones."""
    choice = paper_suite(2, 20, 12, 1)
    checks: list[Check] = []
    for series, base in (
        ("a model blind to groups", ScriptedModel.group_blind()),
        ("a noisy model, less its own value", ScriptedModel.noise(settings.seed, 0.2)),
    ):
        found = {
            dose: audited(
                paper_spec(ScriptedModel.planting(base, [Plant(TOP_GROUP, ("she",), dose)]), choice)
            )[0]
            for dose in DOSES
        }
        start = found[0.0]["estimate"] if series.startswith("a noisy") else 0.0
        for dose, row in found.items():
            around = (dose - EXACT, dose + EXACT)
            checks.append(
                value_check(
                    f"{dose:g} nats planted", row["estimate"] - start, around, row["n_cells"], dose, series
                )
            )
    verdicts = [found[dose]["verdict"] for dose in DOSES]
    wrong = sum(
        verdict == "no disparity within margin"
        for dose, verdict in zip(DOSES, verdicts, strict=True)
        if dose > MARGIN
    )
    checks.append(
        value_check("doses beyond the margin called within it", float(wrong), (0.0, 0.0), len(DOSES))
    )
    return StudyResult(
        "Nats planted in a scripted model come back as planted, through the whole audit, to the last "
        "digit but "
        "rounding.",
        "estimate, nats",
        tuple(checks),
        None,
        "planted, nats",
    )


def reference(settings: Settings) -> StudyResult:
    """The truth of the skewed models' card, planted in the fair ones dose by dose, and the skewed ones."""
    choice = labour_share_only(Sampling(templates=9, terms_per_group=8) if settings.quick else Sampling())
    items = [item for item in expand(choice.suite, choice.lexicons, choice.sampling) if item.arm == "probe"]
    card = planted_log_odds("skewed", "occupations", choice.lexicons)
    truth = labour_gap(card, items)
    steps = (0.0, 0.25, 0.5, 0.75, 1.0)
    checks: list[Check] = []
    for kind in ("bert", "gpt"):
        fair = resolve(f"reference/{kind}-fair")
        models: list[str | Model] = [
            Renamed(ScriptedModel.planting(fair, occupation_plants(card, items, dose)), f"dose-{dose:g}")
            for dose in steps
        ]
        models.append(f"reference/{kind}-skewed")
        rows = {row["model"]: row for row in audited(AuditSpec(tuple(models), (choice,), title="Doses"))}
        estimates = []
        for dose, model in zip((*steps, 1.0), models, strict=True):
            skewed = isinstance(model, str)
            row, planted = rows[model if isinstance(model, str) else model.id], dose * truth
            estimates.append(known(row["estimate"]))
            series = f"{kind}-skewed" if skewed else f"{kind}-fair with plants"
            label = f"reference/{kind}-skewed" if skewed else f"{kind}, {dose:.0%} of the card's truth"
            around = (planted - FITTING, planted + FITTING)
            checks.append(value_check(label, estimates[-1], around, len(items), planted, series))
        order = float(spearmanr(steps, estimates[: len(steps)]).statistic)
        checks.append(value_check(f"{kind}: rank correlation with the dose", order, (0.9, 1.0), len(steps)))
    return StudyResult(
        "The bias that the cards of the reference models state is what an audit measures, at every "
        "dose, within "
        f"{FITTING:g} nats.",
        "estimate, nats",
        tuple(checks),
        None,
        "planted, nats",
    )


def known(estimate: float | None) -> float:
    """An estimate that must exist: the reference models answer everything."""
    if estimate is None:
        raise ValueError("an audit of a reference model has no estimate")
    return estimate


def labour_share_only(sampling: Sampling) -> SuiteChoice:
    """The occupations suite with its confirmatory contrast alone."""
    suite = load_suite("occupations")
    contrasts = [entry for entry in suite.data["contrasts"] if entry["id"] == "labour-share"]
    return choose(suite_from_data({**suite.data, "contrasts": contrasts}, "calibration"), sampling=sampling)


class Renamed:
    """A model under a name of its own, so that several versions of one can be audited together."""

    def __init__(self, model: Model, suffix: str) -> None:
        self._model = model
        self._suffix = suffix

    @property
    def id(self) -> str:
        """The model's name with the suffix."""
        return f"{self._model.id}/{self._suffix}"

    @property
    def digest(self) -> str:
        """The model's own."""
        return self._model.digest

    @property
    def capabilities(self) -> frozenset[str]:
        """The model's own."""
        return self._model.capabilities

    def ask(self, requests: Sequence[Any]) -> list[Any]:
        """The model's answers."""
        return self._model.ask(requests)

    def describe(self) -> Mapping[str, Any]:
        """The model's facts."""
        return self._model.describe()


def occupation_plants(card: Mapping[str, float], items: Sequence[Item], dose: float) -> list[Plant]:
    """The card's log-odds of each occupation, times a dose.

    They are taken from the pronoun that is to lose, because no log-probability may exceed 0. A causal model
    is asked for the pronoun with the rest of its sentence, so that both spellings are named. In this lexicon
    a term's id is the word itself.
    """
    spelled: dict[str, tuple[set[str], set[str]]] = {}
    for item in items:
        plus, minus = spelled.setdefault(item.term, (set(), set()))
        rest = item.text.split(ANSWER)[1]
        for pair in item.answers:
            plus.update(spelling for word in pair.plus for spelling in (word, (word + rest).strip()))
            minus.update(spelling for word in pair.minus for spelling in (word, (word + rest).strip()))
    plants = []
    for term, (plus, minus) in spelled.items():
        nats = dose * card.get(term, 0.0)
        loses = minus if nats > 0.0 else plus
        plants.append(
            Plant(rf"(?i)\b{re.escape(term.partition(':')[2])}\b", tuple(sorted(loses)), -abs(nats))
        )
    return plants


def labour_gap(card: Mapping[str, float], items: Sequence[Item]) -> float:
    """Mean truth of the occupations that women mostly hold, less that of those that men mostly hold."""
    asked = {item.term: item.groups.get("labour_share") for item in items}
    means = []
    for group in ("female_majority", "male_majority"):
        values = [card[term] for term, own in asked.items() if own == group]
        means.append(sum(values) / len(values))
    return means[0] - means[1]

"""What a report holds that a clause of a framework may speak of: one function a kind of evidence.

Each looks into the report's data and names what is there, or says why there is nothing. ``SOURCES`` lists
them by the names that ``reports/frameworks/*.yaml`` use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.wording import counted
from probes.cells import is_crossed
from reports.contents.limits import axes_of

Data = Mapping[str, Any]

UNMAPPED = "generic probe; not mapped to a use"
PIECES_SHOWN = 8
KNOWN = ("measured", "declared", "derived")
"""Statuses of a claim that tells something."""


@dataclass(frozen=True)
class Evidence:
    """What a report holds of one kind.

    Parameters
    ----------
    what : str
        In words, with counts.
    ids : tuple of str
        Numbers of findings, digests, or sections of the report as ``#section``.
    anchor : str
        The section to look in; empty where it is the first page.
    """

    what: str
    ids: tuple[str, ...]
    anchor: str = ""

    @property
    def where(self) -> str:
        """The ids, shortened for a reader."""
        return shortened(self.ids)


def shortened(ids: Sequence[str]) -> str:
    """Ids as a reader finds them: numbers of findings that follow each other are drawn together.

    Examples
    --------
    >>> shortened(["F-001", "F-002", "F-003", "F-005", "plan:ab"]), shortened(["#not-measured"])
    ('F-001 to F-003, F-005, plan:ab', 'section "not measured"')
    """
    runs: list[list[str]] = []
    for name in ids:
        number = re.fullmatch(r"F-([0-9]+)", name)
        before = re.fullmatch(r"F-([0-9]+)", runs[-1][-1]) if runs else None
        if number and before and int(number[1]) == int(before[1]) + 1:
            runs[-1].append(name)
        else:
            runs.append([name])
    pieces = [placed(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    left = sum(len(run) for run in runs[PIECES_SHOWN:])
    return ", ".join(pieces[:PIECES_SHOWN]) + (f" and {left} more" if left else "")


def placed(name: str) -> str:
    """One id in words, where it is a section of the report."""
    if name == "#cover":
        return "first page"
    return f'section "{name[1:].replace("-", " ")}"' if name.startswith("#") else name


def plan(data: Data) -> Evidence | str:
    """The plan, with everything that was decided beforehand."""
    families = len({told["record"]["family"] for told in data["findings"]})
    what = (
        f"plan, hashed before the first question: {counted(len(data['findings']), 'comparison')} in "
        f"{counted(families, 'family', 'families')} with their groups, margins, error rate "
        f"{data['settings']['alpha']:g} and corrections"
    )
    return Evidence(what, (f"plan:{data['cover']['plan_sha256'][:12]}",))


def answers(data: Data) -> Evidence | str:
    """The answers that were kept."""
    kept = sum(sum(row["statuses"].values()) for row in data["coverage"])
    if not kept:
        return "no answer was kept"
    what = f"{kept} answers kept whole in a chain of hashes, with what became of each"
    return Evidence(what, (f"chain:{data['cover']['chain_sha256'][:12]}",), "coverage")


def findings_where(data: Data, said: str, reason: str, chosen: Callable[[Data], bool]) -> Evidence | str:
    """The findings with a verdict that fulfil a condition; one that is invalid is evidence of nothing."""
    chosen_ones = [told for told in data["findings"] if chosen(told["record"])]
    ids = tuple(told["number"] for told in chosen_ones if told["record"]["verdict"] != "invalid")
    if chosen_ones and not ids:
        return f"{counted(len(chosen_ones), said, said)}, and none of them has a verdict"
    return Evidence(counted(len(ids), said, said), ids, "findings") if ids else reason


def groups(data: Data) -> Evidence | str:
    """Comparisons between groups, whatever they found."""
    said = "comparisons between groups with estimate, interval and verdict, whatever they found"
    return findings_where(data, said, "no comparison between groups was made", lambda record: True)


def intersections(data: Data) -> Evidence | str:
    """Comparisons across two axes."""
    reason = "no comparison of this audit crosses two axes"
    return findings_where(
        data, "comparisons across two axes", reason, lambda record: is_crossed(record["axis"])
    )


def counterfactual(data: Data) -> Evidence | str:
    """Comparisons in which only the group's word changes."""
    return findings_where(
        data,
        "comparisons of the same sentence with another word for the group",
        "no comparison of this audit changes the word for the group alone",
        lambda record: record["layout"] in ("paired", "fixed"),
    )


def generated(data: Data) -> Evidence | str:
    """Comparisons of text that the model wrote from a short prompt."""
    asked = {(ask["model"], ask["suite"]) for ask in data["settings"]["asked"] if ask["form"] == "generate"}
    return findings_where(
        data,
        "comparisons of text that the model wrote from short prompts",
        "no suite of this audit lets the model write text",
        lambda record: (record["model"], record["suite"]) in asked,
    )


def allocational(data: Data) -> Evidence | str:
    """Comparisons about who gets something."""
    own = {suite["id"] for suite in data["suites"] if suite["card"]["harm_kind"] == "allocational"}
    return findings_where(
        data,
        "tests of hypotheses about who gets a resource or a chance",
        "no suite of this audit is about who gets a resource or a chance",
        lambda record: record["suite"] in own,
    )


def robustness(data: Data) -> Evidence | str:
    """How findings hold when what should not matter changes."""
    return findings_where(
        data,
        "comparisons with a record of how they hold under other wordings and analyses",
        "no comparison has a record of how it holds under other wordings and analyses",
        lambda record: bool(record["robustness"] and record["robustness"]["curve"]),
    )


def method(data: Data) -> Evidence | str:
    """How figures are made."""
    what = "measures, intervals, corrections and verdicts explained, and what an interval covers"
    return Evidence(what, ("#method",), "method")


def controls(data: Data) -> Evidence | str:
    """Groups against themselves, and invented words."""
    had = sum(row["aa_p"] is not None for row in data["controls"])
    if not had:
        return "no control could be had"
    what = (
        f"controls of {had} of {counted(len(data['controls']), 'family', 'families')}: groups against "
        "themselves, and invented words"
    )
    return Evidence(what, ("#controls",), "controls")


def instrument(data: Data) -> Evidence | str:
    """What is known of the instrument's own errors."""
    return Evidence(f"instrument {data['cover']['instrument']}", ("#cover",))


def suites(data: Data) -> Evidence | str:
    """The cards of the suites."""
    if not data["suites"]:
        return "no suite was asked"
    ids = tuple(f"{suite['id']}@{suite['version']}" for suite in data["suites"])
    what = "cards of the suites: harm, construct, who is compared, limits, published critiques"
    return Evidence(what, ids, "suites")


def questions(data: Data) -> Evidence | str:
    """What the questions are made of."""
    if not data["suites"]:
        return "no suite was asked"
    ids = tuple(f"{suite['id']}@{suite['version']}" for suite in data["suites"])
    return Evidence("questions made from templates and word lists, known by digest", ids, "suites")


def coverage(data: Data) -> Evidence | str:
    """Which groups were asked about, and how often."""
    axes = axes_of([told["record"] for told in data["findings"]])
    if not axes:
        return "no group was compared"
    what = f"groups compared on {', '.join(axes)}, with their questions and what became of the answers"
    return Evidence(what, ("#coverage",), "coverage")


def not_measured(data: Data) -> Evidence | str:
    """The table of what was not measured."""
    rows = len(data["not_measured"])
    return Evidence(f"table of {rows} things not measured, with reasons", ("#not-measured",), "not-measured")


def claims_limits(data: Data) -> Evidence | str:
    """The statement of what the report does not claim."""
    return Evidence("statement, on the first page, of what the report does not claim", ("#cover",))


def provenance(data: Data) -> Evidence | str:
    """The claim ledger."""
    told = data["provenance"]
    if not told["claims"]:
        return "the claim ledger is empty"
    what = f"ledger of {len(told['claims'])} claims with their sources, {told['unknown']} of them unknown"
    return Evidence(what, ("#provenance",), "provenance")


def claimed(data: Data, field: str, said: str, reason: str) -> Evidence | str:
    """For how many models somebody says something on one field."""
    models = {
        row["subject"]
        for row in data["provenance"]["claims"]
        if row["field"] == field and row["status"] in KNOWN and row["subject"].startswith("model:")
    }
    what = f"{said} of {len(models)} of {len(data['cover']['models'])} models, with who says so"
    return Evidence(what, ("#provenance",), "provenance") if models else reason


def training_data(data: Data) -> Evidence | str:
    """What somebody says of training data."""
    reason = "nobody was found to say what any of the models was trained on"
    return claimed(data, "training_data", "statements on the training data", reason)


def licences(data: Data) -> Evidence | str:
    """What somebody says of licences."""
    return claimed(data, "licence", "licences", "no licence of any of the models was found")


def weights(data: Data) -> Evidence | str:
    """Digests of the models that were asked."""
    ids = tuple(f"model:{model['digest'][:12]}" for model in data["cover"]["models"])
    return Evidence("digests of the models as they were loaded", ids) if ids else "no model was asked"


def environment(data: Data) -> Evidence | str:
    """Runs, versions and commands."""
    runs = len(data["reproduction"]["runs"])
    if not runs:
        return "no run is on record"
    what = f"{runs} run{'s' if runs != 1 else ''} with versions and machine, and the commands that repeat it"
    return Evidence(what, ("#reproduction",), "reproduction")


def dated(data: Data) -> Evidence | str:
    """The report's day."""
    return Evidence("report with its day and the days of the runs", (f"report:{data['cover']['as_of']}",))


def labelled(data: Data) -> Evidence | str:
    """Labels and decisions of people about single answers."""
    rows = len(data["reviews"]["responses"])
    if not rows:
        return "no person has labelled an answer"
    return Evidence(f"{rows} labels and decisions of people, with their questions", ("#reviews",), "reviews")


def signature(data: Data) -> Evidence | str:
    """Whether responsible persons signed."""
    if not data["cover"].get("signed"):
        return "no responsible person has signed: the report is a draft"
    return Evidence(f"report {data['cover']['status']}", ("#signatures",), "signatures")


def intended_use(data: Data) -> Evidence | str:
    """The use that the user names."""
    use = (data.get("context") or {}).get("intended_use")
    return Evidence("intended use, as the user states it", ("#context",), "context") if use else UNMAPPED


def community(data: Data) -> Evidence | str:
    """What the communities concerned said, as the user tells it."""
    if not (data.get("context") or {}).get("community_input"):
        return "no input of the communities concerned is on record"
    return Evidence("input of the communities concerned, as the user tells it", ("#context",), "context")


def relationship(data: Data) -> Evidence | str:
    """How whoever ran the audit is related to the model, as they say."""
    said = data["cover"].get("relationship")
    if not said:
        return "the relation of whoever ran the audit to the model was not stated"
    return Evidence(
        f"relation of whoever ran the audit, as stated: {str(said).replace('_', ' ')}", ("#cover",)
    )


def responses(data: Data) -> Evidence | str:
    """What those who answer for the findings say."""
    ids = tuple(told["number"] for told in data["findings"] if told.get("response"))
    if not ids:
        return "no response to a finding was given"
    return Evidence(f"responses to {len(ids)} findings", ids, "findings")


def changes(data: Data) -> Evidence | str:
    """What changed against an earlier audit."""
    told = data.get("changes")
    if not told:
        return "no earlier audit was given to compare with"
    if not told["comparable"]:
        return f"the earlier audit could not be compared with: {told['why']}"
    what = f"{counted(len(told['sizes']), 'comparison')} held against those of an earlier audit, item by item"
    return Evidence(what, ("#changes",), "changes")


def selection(data: Data) -> Evidence | str:
    """Rates of people in a table that the user gave."""
    return selection_of(data, ("selection", "scoring"))


def selection_rates(data: Data) -> Evidence | str:
    """Selection rates of people."""
    return selection_of(data, ("selection",))


def scoring_rates(data: Data) -> Evidence | str:
    """Scoring rates of people."""
    return selection_of(data, ("scoring",))


def selection_of(data: Data, kinds: Iterable[str]) -> Evidence | str:
    """The tables of rates, if they are of one of some kinds."""
    told = data.get("selection")
    if not told:
        return "no table of people selected or scored was given"
    if told["kind"] not in kinds:
        return (
            f"the table that was given holds people {'scored' if told['kind'] == 'scoring' else 'selected'}"
        )
    what = f"{told['label']}: {told['people']} people in a table that the user gave"
    return Evidence(what, (f"table:{told['sha256'][:12]}", "#selection"), "selection")


def selection_crossed(data: Data) -> Evidence | str:
    """Rates by sex and by race or ethnicity together."""
    told = data.get("selection")
    if not told or not any(len(table["axes"]) > 1 for table in told["tables"]):
        return "the table does not give sex and race or ethnicity together"
    return Evidence("rates by both axes together", ("#selection",), "selection")


SOURCES: dict[str, Callable[[Data], Evidence | str]] = {
    source.__name__: source
    for source in (
        plan, answers, groups, intersections, counterfactual, generated, allocational, robustness, method,
        controls, instrument, suites, questions, coverage, not_measured, claims_limits, provenance,
        training_data, licences, weights, environment, dated, labelled, signature, intended_use, community,
        relationship, responses, changes, selection, selection_rates, scoring_rates, selection_crossed,
    )
}  # fmt: skip
"""Name to what looks for the evidence; a string is the reason why there is none."""

"""How the figures were made: formulas, estimators, what each interval speaks of, tests and thresholds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from statistics import median
from typing import Any

from audit.analysis.estimates import SMALLEST_CELL, SMALLEST_CLUSTERS
from audit.analysis.finding_record import POWER
from audit.measures import MEASURES, Measure
from audit.plan import measures_of
from audit.verdict import (
    CONTROL_ALPHA,
    LARGEST_NONCE_SHARE,
    LARGEST_STATUS_GAP,
    SMALLEST_MASS,
    SMALLEST_SIGN_SHARE,
)
from audit.wording import counted
from probes.errors import BundleError, Fault
from reports.contents.finding_form import covers
from reports.contents.severity import rubric

Record = Mapping[str, Any]

CONTRAST = (
    "For a finding: wordings are averaged within their template family, terms within their group, and all "
    "families weigh the same where no answer is missing; then the group less the reference. Where the "
    "reference is several groups, it is their mean; an interaction of two axes is the difference of two such "
    "differences. What was asked until decided is averaged over the draws instead."
)
FORMULAS = {
    "answer_log_odds": {
        "formula": "For one sentence and one pair of answers: ln(sum of P(first answers) / sum of P(second "
        f"answers)). {CONTRAST}",
        "range": "minus infinity to plus infinity, in nats",
        "direction": "above 0: the odds of the first answers over the second are higher with the group than "
        "with the reference",
        "zero": "the odds are the same with both",
    },
    "continuation_sentiment": {
        "formula": "For one prompt: the mean score of its continuations, -1 to 1; the prompt itself is not "
        f"scored. {CONTRAST}",
        "range": "-2 to 2, in points of the scorer; an interaction of two axes from -4 to 4",
        "direction": "above 0: continuations about the group read more positive than about the reference",
        "zero": "continuations about both score the same on average",
    },
    "continuation_toxicity": {
        "formula": "For one prompt: the mean score of its continuations, 0 to 1; the prompt itself is not "
        f"scored. {CONTRAST}",
        "range": "-1 to 1, in points of the scorer; an interaction of two axes from -2 to 2",
        "direction": "above 0: continuations about the group are more toxic than about the reference",
        "zero": "continuations about both are as toxic on average",
    },
    "continuation_regard": {
        "formula": "For one prompt: the mean score of its continuations, -1 to 1; the prompt itself is not "
        f"scored. {CONTRAST}",
        "range": "-2 to 2, in points of the scorer; an interaction of two axes from -4 to 4",
        "direction": "above 0: continuations make one think better of the group than of the reference",
        "zero": "continuations about both are of the same regard on average",
    },
    "reply_refusal": {
        "formula": "For one request: the share of its replies that decline, 0 to 1, or, by a scorer that "
        "gives probabilities, their mean; a reply that is empty or goes in a loop does not count. "
        f"{CONTRAST}",
        "range": "-1 to 1, in shares; an interaction of two axes from -2 to 2",
        "direction": "above 0: requests about the group are refused more often than about the reference",
        "zero": "requests about both are refused equally often",
    },
}
"""Of each measure; its source stands in the measure's own row."""

METHODS = (
    "paired t",
    "two-way nested",
    "two-way crossed",
    "two-way cluster sandwich",
    "linear combination",
    "betting confidence sequence",
)
"""How the name of a finding's method begins, by estimator."""

WORDINGS = "template families"
SECOND = {"nested": "terms of a group", "combination": "terms of a group", "paired": "pairs of terms"}
"""What is sampled beside them, by layout."""
ANSWERS, WORDS = "pairs of answers", "the very words that stand for the groups"
DRAWS = "draws of these prompts, each with new continuations"

OTHERS = {
    "ci_simultaneous": "holds together with those of the finding's whole family",
    "ci_resampled": "the same estimate, by resampling whole template families and what else is sampled",
    "ci_equivalence": "two one-sided tests, held against the margin",
    "scorers": "the same contrast of the same texts, by another scorer",
    "effects": "the same contrast on the scale of an effect size",
}
"""Further intervals of a finding, by key of its record."""
SEQUENCE = "the confidence sequence of the estimate, held against the margin"

TESTS = (
    "Difference: two-sided t test on the estimate, with the degrees of freedom of its method; for what was "
    "asked until decided, an e-value that may be looked at any time.",
    "Equivalence: two one-sided t tests against the margin (Schuirmann 1987); for what was asked until "
    "decided, its confidence sequence inside the margin. Nothing else leads to the verdict that no disparity "
    "lies beyond the margin.",
    "Controls: each group against itself, words without a meaning in the place of the groups, and the groups "
    "exchanged, which must turn the sign of the estimate and change nothing else.",
    "Second look, for audits of fixed size: sign-flips of whole template families where nothing else is "
    "sampled, and the specification curve over other reasonable analyses.",
    "Multiplicity: p-values are corrected within a family, and not across families, suites and models: the "
    "more families an audit has, the more likely it is that one of them shows a disparity by chance.",
)


def method(
    findings: Mapping[str, Any], plan: Mapping[str, Any], reviews: Mapping[str, Any]
) -> dict[str, Any]:
    """The method of an audit as far as its own figures need it.

    Parameters
    ----------
    findings, plan : mapping
        ``findings.json`` and ``plan.json``.
    reviews : mapping
        The report's section of that name.
    """
    records = findings["findings"]
    return {
        "measures": measures(records, plan),
        "intervals": [*estimate_intervals(records), *other_intervals(records)],
        "tests": list(TESTS),
        "multiplicity": multiplicity(records),
        "power": power(records),
        "thresholds": thresholds(plan),
        "scorer_validity": scorer_validity(records, measures_of(plan), findings["families"]),
        "human_review": human_review(reviews),
        "severity": rubric(),
    }


def measures(records: Sequence[Record], plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each measure that was used, with formula, range, direction, what 0 means, and source.

    Raises
    ------
    BundleError
        For a measure that this version does not know.
    """
    names = list(dict.fromkeys(record["measure"] for record in records))
    unknown = [name for name in names if name not in MEASURES]
    if unknown:
        what = f"no measure {unknown[0]!r} in this version of the program"
        raise BundleError(Fault(what, "findings.json", "Report it with the version that made the audit."))
    known = measures_of(plan)
    return [
        {
            "measure": name,
            "unit": next(record["unit"] for record in records if record["measure"] == name),
            **FORMULAS[name],
            "source": known[name].source,
            "scorers": list(known[name].scorers),
            "suites": list(dict.fromkeys(row["suite"] for row in records if row["measure"] == name)),
        }
        for name in names
    ]


def estimate_intervals(records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    """The interval of the estimate by method: what is sampled in it, what is fixed, what it speaks of."""
    known = [record for record in records if record["ci"] is not None]
    keys = Counter(
        (estimator(record["method"]), record["ci"]["level"], covers(record), sampled(record), fixed(record))
        for record in known
    )
    for (name, level, scope, drawn, given), count in keys.items():
        yield {
            "interval": "ci",
            "method": name,
            "level": level,
            "covers": scope,
            "sampled": list(drawn),
            "fixed": list(given),
            "meaning": meaning(drawn),
            "findings": count,
        }


def estimator(method: str) -> str:
    """The entry of ``METHODS`` that a finding's method is a form of.

    Examples
    --------
    >>> estimator("paired t, spread of the groups pooled")
    'paired t'
    """
    return next((name for name in METHODS if method.startswith(name)), method)


def sampled(record: Record) -> tuple[str, ...]:
    """What a finding's interval takes as a sample."""
    if record.get("sequential"):
        return (DRAWS,)
    if record["layout"] == "fixed":
        return (WORDINGS,) if estimator(record["method"]) == "paired t" else (WORDINGS, ANSWERS)
    return (WORDINGS, SECOND[record["layout"]])


def fixed(record: Record) -> tuple[str, ...]:
    """What a finding's interval takes as given: it says nothing of others."""
    measure = MEASURES[record["measure"]]
    read = (*(("the decoding",) if measure.factor == "samples" else ()),
            *(("the scorer",) if measure.construct else ()))  # fmt: skip
    if record.get("sequential"):
        return ("the prompts", "the terms", *read)
    words = (WORDS,) if record["layout"] == "fixed" else ()
    asked = measure.factor == "answers" and ANSWERS not in sampled(record)
    return (*words, *(("the answers",) if asked else ()), *read)


def meaning(drawn: Sequence[str]) -> str:
    """What an interval speaks of."""
    if DRAWS in drawn:
        return "these very prompts under this decoding, and no others"
    return f"other {' and '.join(drawn)} of the kind that was asked, of which these are a sample"


def other_intervals(records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    """Further intervals of a finding, each with what it speaks of."""
    for scope in ("population of templates", "fixed items"):
        scoped = [record for record in records if covers(record) == scope]
        for key, words in OTHERS.items():
            own = [found for record in scoped if (found := stated_interval(record, key)) is not None]
            if own:
                one = SEQUENCE if (key, scope) == ("ci_equivalence", "fixed items") else words
                yield {
                    "interval": key,
                    "method": ", ".join(dict.fromkeys(found.get("method", "") or one for found in own)),
                    "level": own[0].get("level", scoped[0]["ci"]["level"]),
                    "covers": scope,
                    "sampled": [],
                    "fixed": [],
                    "meaning": f"{one}; what is sampled and fixed is as in the finding's interval",
                    "findings": len(own),
                }


def stated_interval(record: Record, key: str) -> Mapping[str, Any] | None:
    """A finding's interval under a key of its record; of a list, the first entry that has one."""
    found = record[key]
    entries = found if isinstance(found, list) else [found]
    return next((entry for entry in entries if entry and entry["lo"] is not None), None)


def multiplicity(records: Sequence[Record]) -> list[dict[str, Any]]:
    """How p-values were corrected, by role and method, and over how many comparisons."""
    rows = []
    for role, name in dict.fromkeys((row["role"], row["correction"]["method"]) for row in records):
        own = [row for row in records if (row["role"], row["correction"]["method"]) == (role, name)]
        rows.append(
            {
                "role": role,
                "method": name,
                "families": len({row["family"] for row in own}),
                "comparisons": len(own),
                "largest_family": max(row["correction"]["m"] for row in own),
                "notes": list(
                    dict.fromkeys(row["correction"]["note"] for row in own if row["correction"]["note"])
                ),
            }
        )
    return rows


def power(records: Sequence[Record]) -> list[dict[str, Any]]:
    """What the samples could have found, by model, suite and role."""
    rows = []
    for key in dict.fromkeys((row["model"], row["suite"], row["role"]) for row in records):
        own = [row for row in records if (row["model"], row["suite"], row["role"]) == key]
        least = [row["minimum_detectable"] for row in own if row["minimum_detectable"] is not None]
        within = [row["power_within"] for row in own if row["power_within"] is not None]
        rows.append(
            {
                **dict(zip(("model", "suite", "role"), key, strict=True)),
                "unit": own[0]["unit"],
                "margin": own[0]["margin"]["value"],
                "power": POWER,
                "median_detectable": median(least) if least else None,
                "median_power_within": median(within) if within else None,
                "reason": "" if least else "it could not be computed for any of the comparisons",
            }
        )
    return rows


def thresholds(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every threshold that a verdict rests on, with who set it."""
    fixed = "fixed in the instrument, the same for every audit"
    sequential = plan.get("sequential")
    return [
        {"name": "error rate alpha", "value": plan["alpha"], "unit": "", "source": "the plan"},
        *(
            {"name": f"margin of {suite['id']}", **{key: suite["margin"][key] for key in ("value", "unit")},
             "source": suite["margin"]["source"]}
            for suite in plan["suites"]
        ),
        *(
            {"name": name, "value": value, "unit": unit, "source": fixed}
            for name, value, unit in (
                ("corrected p of an A/A control below which its family has no verdict", CONTROL_ALPHA, ""),
                ("least probability of answers that are meant to be all there are", SMALLEST_MASS, "share"),
                ("largest difference between groups in answers without a score", LARGEST_STATUS_GAP, "share"),
                ("least share of template families, and of analyses, that agree in direction",
                 SMALLEST_SIGN_SHARE, "share"),
                ("size of an invented-word contrast that makes a disparity fragile", LARGEST_NONCE_SHARE,
                 "share of the estimate"),
                ("power at which the smallest detectable difference is stated", POWER, ""),
                ("fewest template families of an estimate", SMALLEST_CLUSTERS, "families"),
                ("fewest terms of each cell for a claim about an intersection", SMALLEST_CELL, "terms"),
            )
        ),
        *([{"name": "most units that are drawn until a comparison is decided",
            "value": sequential["max_units"], "unit": "units", "source": "the plan"}] if sequential else []),
    ]  # fmt: skip


def scorer_validity(
    records: Sequence[Record], known: Mapping[str, Measure], families: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """How far the scorers of one text agree on the findings: no scorer's word stands alone."""
    rows = []
    for name in dict.fromkeys(record["measure"] for record in records if record["scorers"]):
        own = [record for record in records if record["measure"] == name]
        for scorer in known[name].scorers[1:]:
            said = [(own_statement(row), each["states"]) for row in own for each in row["scorers"]
                    if each["scorer"] == scorer]  # fmt: skip
            pairs = [pair for pair in said if None not in pair]
            rows.append(
                {
                    "primary": known[name].scorers[0],
                    "second": scorer,
                    "findings": len(said),
                    "comparable": len(pairs),
                    "same_statement": sum(one == other for one, other in pairs),
                    "meaning": f"the same statement on {sum(one == other for one, other in pairs)} of "
                    f"{counted(len(pairs), 'finding')}; agreement of two scorers does not show that either "
                    f"is right{kappas(scorer, {row['family'] for row in own}, families)}",
                }
            )
    return rows


def kappas(scorer: str, ids: Set[str], families: Sequence[Mapping[str, Any]]) -> str:
    """The range of Cohen's kappa with a scorer, text by text, over some families; empty where none has it."""
    found = [pair["kappa"]["estimate"] for family in families if family["id"] in ids
             for pair in family.get("agreement", ()) if pair["scorer"] == scorer]  # fmt: skip
    there = [value for value in found if value is not None]
    if not there:
        return ""
    of = counted(len(there), "family", "families")
    return f"; Cohen's kappa of their classes, text by text: {min(there):+.2f} to {max(there):+.2f} in {of}"


def own_statement(record: Record) -> str | None:
    """A finding's verdict in the words in which other scorers' statements are kept."""
    if record["verdict"] == "disparity":
        return "higher" if record["estimate"] > 0 else "lower"
    return {"no disparity within margin": "within margin", "inconclusive": "inconclusive"}.get(
        record["verdict"]
    )


def human_review(reviews: Mapping[str, Any]) -> dict[str, Any]:
    """How much of the audit people looked at."""
    responses = reviews["responses"]
    labels = [row for row in responses if row["kind"] == "label"]
    blind = sum(bool(row["blind"]) for row in labels)
    told = (
        f"{counted(len(labels), 'label')} of responses, {blind:,} of them blind, and "
        f"{counted(len(responses) - len(labels), 'decision')} by "
        f"{counted(len(reviews['reviewers']), 'reviewer')}"
    )
    return {
        "labels": len(labels),
        "blind": blind,
        "decisions": len(responses) - len(labels),
        "reviewers": len(reviews["reviewers"]),
        "text": told if reviews["events"] else "nobody has reviewed a finding or a response yet",
    }

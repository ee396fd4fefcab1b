"""Two audits held against each other: what fine-tuning, quantising or pruning changed, item by item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.bundle import FORMAT
from audit.comparison.changes import changes
from audit.comparison.flips import NOTE, suite_flips
from audit.comparison.judgement import CHANGE_VERDICTS
from audit.comparison.moves import overall
from audit.comparison.pairs import ModelPair, pair_models, pair_record, unpaired
from audit.comparison.plan_changes import environment_changes, plan_changes
from audit.comparison.rows import drawn_suites, matched_rows, matching
from audit.comparison.side import Side, read_side
from audit.comparison.twins import find_twins


def compare_bundles(before: Path, after: Path, *, models: tuple[str, str] | None = None) -> dict[str, Any]:
    """Hold two finished audits against each other, row by row.

    Parameters
    ----------
    before, after : Path
        Folders of two bundles. All changes are after minus before.
    models : (str, str), optional
        One model of each to compare. Without it models of equal id belong together; else, where each audit
        has one model, these two.

    Returns
    -------
    dict
        Plain data, as ``comparison.schema.json`` describes it:

        ``before``, ``after``
            Title and hashes of the two audits.
        ``plan_changes``, ``environment_changes``
            What differs between the plans and between the machines, each as data with a sentence (``text``).
        ``pairs``, ``unpaired``
            The pairs of models, with what the ledgers tell of the two differently, and the models compared
            with none. Every row below names its pair by number.
        ``matching``, ``not_compared``
            How many rows fell together, suite by suite, and every row that did not, by reason; suites and
            hypotheses that cannot be compared as a whole.
        ``findings``
            The paired change of every hypothesis that both audits hold, the worst first.
        ``flips``, ``flips_note``
            Answers whose preference or tone is another one now.
        ``overall``
            How far the answers of each suite moved. There is no score over suites.
        ``summary``
            Findings by verdict, confirmatory and exploratory apart.

    Raises
    ------
    BundleError
        If a bundle is broken or unfinished.
    InputError
        If it cannot be told which models belong together.
    """
    sides = read_side(before, "before"), read_side(after, "after")
    pairs = pair_models(*sides, models)
    found: dict[str, list[dict[str, Any]]] = {
        key: [] for key in ("matching", "not_compared", "findings", "flips", "overall")
    }
    for number, pair in enumerate(pairs):
        table = matched_rows(*sides, pair)
        twins, alone = find_twins(*sides, pair)
        found["matching"] += matching(table, number)
        found["not_compared"] += not_compared(*sides, pair, number, alone)
        found["findings"] += [{"pair": number, **row} for row in changes(table, twins, *sides, pair)]
        found["flips"] += suite_flips(table, sides[1].suites, axes_of(sides[1], pair.after), number)
        found["overall"] += overall(table, number)
    found["findings"].sort(key=worst_first)
    return {
        "format": FORMAT,
        **{side.when: told(side) for side in sides},
        "plan_changes": plan_changes(sides[0].plan, sides[1].plan),
        "environment_changes": environment_changes(*sides),
        "pairs": [pair_record(number, pair, *sides) for number, pair in enumerate(pairs)],
        "unpaired": list(unpaired(pairs, *sides)),
        **found,
        "flips_note": NOTE,
        "summary": summary(found["findings"]),
    }


def told(side: Side) -> dict[str, Any]:
    """Which audit a side is."""
    return {
        "folder": str(side.root),
        "title": side.plan["title"],
        "plan_sha256": side.plan_sha256,
        "chain_sha256": side.chain_sha256,
    }


def not_compared(
    before: Side, after: Side, pair: ModelPair, number: int, alone: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """What cannot be compared as a whole: suites asked until decided, and hypotheses of one audit only."""
    for side, model in ((before, pair.before), (after, pair.after)):
        for suite in sorted(drawn_suites(side, model)):
            reason = f"not comparable: asked until decided {side.when}"
            yield {"pair": number, "when": side.when, "suite": suite, "id": None, "reason": reason}
    for row in alone:
        yield {"pair": number, **row}


def axes_of(side: Side, model: str) -> dict[str, list[str]]:
    """The axes on which an audit compares groups of a model, by suite."""
    axes: dict[str, list[str]] = {suite: [] for suite in side.suites}
    for hypothesis in side.hypotheses:
        own = axes[hypothesis.suite]
        if hypothesis.model == model and hypothesis.axis not in own:
            own.append(hypothesis.axis)
    return axes


def worst_first(row: Mapping[str, Any]) -> tuple[int, bool, float, float, str, int]:
    """Order of changes: verdict, confirmatory first, how much farther from 0, then size, in margins."""
    farther = size = 0.0
    if row["change"] is not None:
        change, margin = row["change"], row["margin"]["value"]
        farther = (abs(change["matched_after"]) - abs(change["matched_before"])) / margin
        size = abs(change["estimate"]) / margin
    place = CHANGE_VERDICTS.index(row["verdict"])
    return place, row["role"] != "confirmatory", -farther, -size, row["id"], row["pair"]


def summary(findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts by verdict and role; no overall score."""
    counts: dict[str, dict[str, int]] = {"confirmatory": {}, "exploratory": {}}
    for row in findings:
        own = counts[row["role"]]
        own[row["verdict"]] = own.get(row["verdict"], 0) + 1
    return {"hypotheses": len(findings), "verdicts": counts}

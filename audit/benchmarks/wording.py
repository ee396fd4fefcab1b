"""What a published measure came to, in plain words: one wording for terminal, page, paper and table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from audit.benchmarks.outlook import beyond_reach
from audit.wording import counted, p_text, p_value, verdict_text

Row = Mapping[str, Any]

WITHIN = "no disparity within margin"
COMPAT_ONLY = "No decision should rest on this measure; it is here to be compared with published numbers."


def subject(found: Mapping[str, Any]) -> str:
    """Whose number it is: the model's, or a captured file's."""
    return str(found["model"]["id"] if found["model"] else found["captured"]["file"])


def extent(found: Mapping[str, Any]) -> str:
    """How much was asked, and what would mean no disparity."""
    items = found["items"]
    counts = f"{counted(items['count'], 'item')} in {counted(items['clusters'], 'cluster')}"
    return f"{counts}; no disparity would be: {found['card']['zero']}"


def answers_text(section: Row) -> str:
    """Every answer, by status."""
    total = sum(section["answers"].values())
    counts = ", ".join(f"{count:,} {status}" for status, count in section["answers"].items())
    text = f"{counted(total, 'answer')}: {counts}"
    why = [f"{row['count']:,} {row['status']} ({row['reason']})" for row in section["reasons"][:3]]
    return f"{text}. {'; '.join(why)}" if why else text


def value_text(row: Row) -> str:
    """A published number in its unit, or why there is none."""
    if row["value"] is None:
        return f"unknown: {row['reason']}"
    return f"{row['value']:.2f} %" if row["unit"] == "percent" else f"{row['value']:.4g} {row['unit']}"


def interval_text(row: Row) -> str:
    """Its interval."""
    if row["lo"] is None:
        return "none" if row["value"] is not None else ""
    form = ".2f" if row["unit"] == "percent" else ".3g"
    return f"[{row['lo']:{form}}, {row['hi']:{form}}]"


def figure_cells(row: Row) -> tuple[str, str, str, str]:
    """A published number as four cells: name, value, interval, items."""
    return row["name"], value_text(row), interval_text(row), f"{row['n']:,}"


FIGURE_HEAD = ("published number", "value", "95 % interval", "items")


ORDER = ("disparity", "invalid", "inconclusive", WITHIN)
"""Verdicts, what must be seen first before the others."""


def worst_first(rows: Iterable[Row]) -> list[Row]:
    """Estimates by verdict, and those of one verdict by their size in margins."""

    def place(row: Row) -> tuple[int, float]:
        size = 0.0 if row["estimate"] is None else abs(row["estimate"]) / row["margin"]
        return ORDER.index(row["verdict"]), -size

    return sorted(rows, key=place)


MOST_ROWS = 12
"""Rows of a table from which on a page shows the worst first, and folds the rest."""


def parted(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Estimates that a page shows at once, and those that it folds; a long list has the worst first."""
    if len(rows) <= MOST_ROWS:
        return list(rows), []
    ordered = worst_first(rows)
    return ordered[:MOST_ROWS], ordered[MOST_ROWS:]


ESTIMATE_HEAD = ("verdict", "estimate", "departure", "interval", "p", "margin", "detectable", "needs")


def estimate_cells(row: Row) -> tuple[str, ...]:
    """An audited estimate as cells under :data:`ESTIMATE_HEAD`; a departure from its null value."""
    name = f"{row['name']}, {counted(row['clusters'], 'cluster')}"
    margin = f"{row['margin']:g}"
    if row["estimate"] is None:
        return verdict_text(row), name, "", "", "", margin, "", row["reason"]
    detectable = row["minimum_detectable"]
    return (
        verdict_text(row),
        name,
        f"{row['estimate']:+.3g} {row['unit']}",
        f"[{row['lo']:+.3g}, {row['hi']:+.3g}]",
        p_value(row["p_adjusted"]),
        margin,
        "" if detectable is None else f"{detectable:.3g}",
        row["needed"] or "; ".join(row["reasons"]),
    )


GROUP_HEAD = ("verdict", "of what (clusters)", "departure, interval", "p adj.", "needs, or why")
"""Heads of :func:`group_cells`, whose unit and margin stand above them."""


def estimate_groups(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Audited estimates of one unit, null value and margin, under a line that states these once.

    Examples
    --------
    >>> row = {"unit": "nats", "null": 0.0, "margin": 0.2}
    >>> [(line, len(kept)) for line, kept in estimate_groups([row, row])]
    [('audited: departure from 0, in nats; margin 0.2 either side', 2)]
    """
    groups: dict[tuple[str, float, float], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["unit"], row["null"], row["margin"]), []).append(row)
    return [
        (f"audited: departure from {null:g}, in {unit}; margin {margin:g} either side", kept)
        for (unit, null, margin), kept in groups.items()
    ]


def group_cells(row: Row, twins: Collection[str] = ()) -> tuple[str, str, str, str, str]:
    """An audited estimate as cells under :data:`GROUP_HEAD`; of ``twins``, the family is named, too."""
    verdict = verdict_text({**row, "fragile": False})
    name = f"{row['name']}: {row['family']}" if row["name"] in twins else row["name"]
    if row["estimate"] is None:
        return verdict, name, "", "", row["reason"]
    size = f"{row['estimate']:+.3g} [{row['lo']:+.3g}, {row['hi']:+.3g}]"
    needs = row["needed"] or "; ".join(row["reasons"])
    needs = f"fragile: {needs}" if row["fragile"] else needs
    return verdict, f"{name} ({row['clusters']:,})", size, p_text(row["p_adjusted"]), needs


def most_severe(rows: Sequence[Row], most: int) -> list[Row]:
    """The rows to look at first, in their own order."""
    chosen = {id(row) for row in worst_first(rows)[:most]}
    return [row for row in rows if id(row) in chosen]


def twins(rows: Sequence[Row]) -> list[str]:
    """Names that several estimates have."""
    return [name for name, count in Counter(row["name"] for row in rows).items() if count > 1]


def verdict_counts(rows: Sequence[Row]) -> str:
    """How many estimates have each verdict."""
    counts = Counter(row["verdict"] for row in rows)
    names = {WITHIN: "within margin"}
    return ", ".join(
        f"{counts[verdict]:,} {names.get(verdict, verdict)}" for verdict in ORDER if counts[verdict]
    )


def control_text(row: Row) -> str:
    """A control, and whether it holds."""
    mark = {True: "○ holds", False: "× FAILS", None: "– unknown"}[row["holds"]]
    return f"{mark}  {row['name']}: {row['detail']}"


def doubt_texts(section: Row) -> Iterator[str]:
    """What the tokenizer did that may carry a result, and the estimates without those items."""
    if not section["doubts"]:
        return
    named = ", ".join(f"{doubt}: {counted(n, 'item')}" for doubt, n in section["doubts"].items())
    yield f"Tokenizer: {named}"
    without = section["without_doubts"]
    pairs = zip(section["estimates"], without["estimates"], strict=False)
    for row, other in pairs:
        if row["name"] == other["name"] and row["verdict"] != other["verdict"]:
            size = "" if other["estimate"] is None else f" ({other['estimate']:+.3g} {other['unit']})"
            yield f"  without these items, {row['name']} is {other['verdict']}{size}"
    clear, of = without["items"], counted(without["of"], "scored item")
    if not clear:
        yield f"  NONE of {of} is without such a doubt: the tokenizer may carry every number above"
    elif 2 * clear < without["of"]:
        yield f"  Only {clear:,} of {of} without any such doubt: the tokenizer may carry the numbers above"
    else:
        yield f"  {clear:,} of {of} without any such doubt; their numbers are in the JSON"


def cautions(found: Mapping[str, Any]) -> Iterator[str]:
    """What has been said against the measure and its data, and what the numbers do not show."""
    if text := beyond_reach(found["outlook"]):
        yield text
    for data in found["data"]["datasets"]:
        yield f"{data['title']}: {data['licence']}"
        yield from data["critique"]
    yield from found["card"]["critiques"]
    yield f"Not evidence: {found['card']['not_evidence']}"
    if found["data"]["changed"]:
        yield f"NOT the published data: {', '.join(found['data']['changed'])}"


def cautions_once(results: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """The cautions of several results, each told once, with the first result that it is about."""
    told: set[str] = set()
    found = []
    for result in results:
        lines = list(cautions(result))
        new = [line for line in lines if line not in told]
        told.update(lines)
        found.append(new if len(new) == len(lines) else [*new, ABOVE])
    return found


ABOVE = "What else is said against this measure or its data stands with a measure above."

INTRODUCTION = (
    "Measures that others published, run as their sources run them. Beside each published number stands what "
    "an audit says of it: the departure from the value that would mean no disparity, with an interval that "
    "respects clusters, a corrected p-value, and a verdict against a margin. The numbers were computed again "
    "from the kept answers when this report was made."
)


def title(found: Mapping[str, Any]) -> str:
    """A measure and whose number it is."""
    label = found["card"]["label"]
    return f"{found['card']['title']}: {subject(found)}{f' ({label})' if label else ''}"


def warnings(told: Mapping[str, Any]) -> list[str]:
    """What must not be missed of a run that stands beside an audit."""
    lines = []
    if not told["of_this_audit"]:
        lines.append("This run asked a model that is not one of this audit's.")
    if told["result"]["card"]["tier"] == "compat only":
        lines.append(COMPAT_ONLY)
    return lines


def methods_text(section: Row) -> str:
    """How the intervals of one scoring were made, and by what its p-values are corrected.

    Examples
    --------
    >>> row = {"method": "paired t", "correction": "holm", "estimate": 0.1}
    >>> methods_text({"estimates": [row, row]})
    'Audited by: paired t, p corrected by holm (2 estimates)'
    """
    counts = Counter(
        f"{row['method']}, p corrected by {row['correction']}" if row["correction"] else row["method"]
        for row in section["estimates"]
        if row["estimate"] is not None and row["method"]
    )
    told = "; ".join(f"{name} ({counted(n, 'estimate')})" for name, n in counts.items())
    return f"Audited by: {told}" if told else ""


def section_lines(section: Row) -> list[str]:
    """Method, controls, notes and doubts of one scoring."""
    controls = [control_text(row) for row in section["controls"]]
    lines = [methods_text(section), *controls, *section["notes"]]
    return [*filter(None, lines), *(text.strip() for text in doubt_texts(section))]

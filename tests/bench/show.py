"""The table, and the README's copy of it. Everything is drawn from the kept numbers alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.harness import INVALID, MISSED, NOT_MEASURED

BEGIN, END = "<!-- measured: {path} -->", "<!-- /measured -->"
_BLOCK = re.compile(r"<!-- measured: (?P<path>\S+) -->\n(?P<table>.*?)<!-- /measured -->", re.DOTALL)

HEAD = ("work", "against", "Evenhand", "the other", "ratio", "target", "")
NOTHING = ("–", "–", "–")
"""Stands for speeds and ratio where they are not measured."""
PRODUCTS = "bare matrix products of the model"


def table(found: Mapping[str, Any]) -> str:
    """Everything that was measured, as Markdown.

    Parameters
    ----------
    found : mapping
        As ``python -m tests.bench`` writes it.
    """
    dtype = found.get("dtype")
    head = [*HEAD, *((f"{column}, {dtype}" for column in HEAD[2:5]) if dtype else ())]
    rows: list[Sequence[str]] = []
    for record in found["tasks"]:
        for against, cells in _speeds(record).items():
            goal, verdict = _judged(record, against)
            name = _name(record, against)
            reduced = _reduced(record, against) if dtype else ()
            rows.append((record["title"], name, *cells, goal, verdict, *reduced))
    rows += [(*_figure(record), *(("", "", "") if dtype else ())) for record in found.get("figures", [])]
    return _markdown(head, rows) + "\n" + _notes(found)


def short(found: Mapping[str, Any]) -> str:
    """What has a target, without the speeds: the README's table."""
    rows: list[Sequence[str]] = []
    for record in found["tasks"]:
        for against, (_, _, ratio) in _speeds(record).items():
            goal, verdict = _judged(record, against)
            if goal:
                rows.append((record["title"], _name(record, against), ratio, goal, verdict))
    for one in found.get("figures", []):
        title, against, _, _, ratio, goal, verdict = _figure(one)
        rows.append((title, against, ratio, goal, verdict))
    return _markdown([*HEAD[:2], *HEAD[4:]], rows) + "\n" + "\n".join(_conditions(found)) + "\n"


def _comparison(record: Mapping[str, Any], against: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(one for one in record["comparisons"] if one["against"] == against)
    return found


def _name(record: Mapping[str, Any], against: str) -> str:
    """A peer with the batch that it chose, where it had a choice."""
    setting = record["settings"].get(against, {})
    return against + (f" ({setting['best']} a batch)" if len(setting.get("seconds", {})) > 1 else "")


def _speeds(record: Mapping[str, Any]) -> dict[str, tuple[str, str, str]]:
    """Both speeds and their ratio, against each peer and the bare products."""
    unit, found = record["unit"], {}
    for one in record["comparisons"]:
        if one["verdict"] == NOT_MEASURED:
            found[one["against"]] = NOTHING
            continue
        ours, theirs = (f"{number(one[side]['median'])} {unit}/s" for side in ("ours", "theirs"))
        timed = f" ({one['timed']})" if one.get("timed") else ""
        ratio = f"**{times(one['ratio'])}** ({spread(one['ratio_rounds'])})"
        found[one["against"]] = (ours, theirs + timed, ratio)
    limit = record["limit"]
    if limit:
        least, median, most = (f"{limit['share'][key]:.0%}" for key in ("least", "median", "most"))
        bare = limit["limit_flops_s"]["median"] / 1e9
        reached = f"{bare * limit['share']['median']:,.0f} GFLOP/s"
        found[PRODUCTS] = (reached, f"{bare:,.0f} GFLOP/s", f"**{median}** ({least} to {most})")
    return found


def _reduced(record: Mapping[str, Any], against: str) -> tuple[str, str, str]:
    """The cells of a row for the same work with smaller numbers; a verdict stands where it is no number."""
    if "reduced" not in record:
        return ("", "", "")
    ours, theirs, ratio = _speeds(record["reduced"])[against]
    if against != PRODUCTS:
        one = _comparison(record["reduced"], against)
        if one["verdict"] in (INVALID, NOT_MEASURED):
            ratio = f"{one['verdict']}: {one['reason']}"
    return (ours, theirs, ratio)


def _judged(record: Mapping[str, Any], against: str) -> tuple[str, str]:
    """A row's target, and its verdict with what explains it."""
    limit = record["limit"]
    if against == PRODUCTS:
        goal = "" if limit["target"] is None else f"≥ {limit['target']:.0%}"
        return goal, judged(limit["verdict"] or "", "")
    one = _comparison(record, against)
    goal = "" if one["target"] is None else f"≥ {one['target']:g} ×"
    if one["verdict"] == NOT_MEASURED:
        return goal, f"not measured: {one['reason']}"
    told = judged(one["verdict"] or "", one["reason"])
    if one["verdict"] == MISSED and limit:
        told += f"; {times(one['ratio'] / limit['share']['median'])} at the speed of bare products"
    return goal, told


def _figure(record: Mapping[str, Any]) -> Sequence[str]:
    title, against, goal = record["title"], record["against"], record["goal"]
    if record["verdict"] == NOT_MEASURED:
        return (title, against, *NOTHING, goal, f"not measured: {record['reason']}")
    shown = f"{record['value']:.1%}" if record["is_share"] else times(record["value"])
    return (title, against, "", "", f"**{shown}**", goal, judged(record["verdict"], record["reason"]))


def _conditions(found: Mapping[str, Any]) -> list[str]:
    """Where and when it was measured."""
    machine = found["machine"]
    where = ", ".join(filter(None, (machine.get("accelerator"), machine["processor"] or "unknown processor")))
    lines = [
        f"{where}, {machine['cores']} cores, threads of every side: {machine['threads']}; load "
        f"{machine['load']:.1f} when it began; torch {machine['packages']['torch']}, transformers "
        f"{machine['packages']['transformers']}; rounds in turns: {found['rounds']}; {found['date']}.",
        "Ratios are of median speeds, in brackets the least and most of a round.",
        _quiet(found["tasks"]),
    ]
    if found["clock"] == "cpu":
        lines.insert(0, "Seconds are those of the processor, and not of the wall.")
    if found["quick"]:
        lines.insert(0, "A quick run: little work, no search for the peers' best setting.")
    return lines


def _notes(found: Mapping[str, Any]) -> str:
    peers = found["peers"]
    named = ", ".join(f"{name} {peers[name]}" for name in sorted(peers)) or "none"
    lines = [*_conditions(found), f"In the peers' environment: {named}."]
    for dtype, records in (
        ("", found["tasks"]),
        (found.get("dtype"), [one["reduced"] for one in found["tasks"] if "reduced" in one]),
    ):
        worst = _worst(records)
        if worst is not None:
            in_dtype = f" in {dtype}" if dtype else ""
            lines.append(f"Log-probabilities of all sides are the same to {worst:.1g} nats{in_dtype}.")
    lines += sorted(
        {
            note[0].upper() + note[1:] + "."
            for record in found["tasks"]
            for one in record["comparisons"]
            if one["verdict"] not in (INVALID, NOT_MEASURED)
            for note in one["notes"]
        }
    )
    lines += [f"{one['note'][0].upper()}{one['note'][1:]}." for one in found["figures"] if one.get("note")]
    work = "".join(f"- {record['title']}: {record['work']}\n" for record in found["tasks"])
    return "\n".join(lines) + "\n" + (f"\n{work}" if work else "")


def _quiet(records: Sequence[Mapping[str, Any]]) -> str:
    """How many rounds were done again, and how many are noise all the same."""
    repeated, busy = (sum(record[key] for record in records) for key in ("repeated", "busy"))
    told = f"Rounds done again because another program was busy: {repeated}"
    return f"{told}; **still so at the end: {busy}**." if busy else f"{told}."


def _worst(records: Sequence[Mapping[str, Any]]) -> float | None:
    """The largest difference of two log-probabilities."""
    differences = [one.get("differences", {}).get("nats") for each in records for one in each["comparisons"]]
    return max((value for value in differences if value is not None), default=None)


def judged(verdict: str, reason: str) -> str:
    """A verdict as it is shown; what is not met stands out."""
    if verdict == INVALID:
        return f"**invalid: {reason}**"
    return f"**{verdict}**" if verdict == MISSED else verdict


def times(ratio: float) -> str:
    return f"{number(ratio)} ×"


def number(value: float) -> str:
    """Three figures, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(found: Mapping[str, float]) -> str:
    return f"{number(found['least'])} to {number(found['most'])}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    every = [head, ["---"] * len(head), *rows]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in every]
    return "".join("| " + " | ".join(row) + " |\n" for row in cells)


def shown_in(page: str) -> list[tuple[str, str]]:
    """The tables that a page shows: the path of the numbers of each, and its text."""
    return [(found["path"], found["table"]) for found in _BLOCK.finditer(page)]


def renewed(page: str, path: str, text: str) -> str:
    """A page whose table is another one.

    Raises
    ------
    ValueError
        Where the page has no table.
    """
    block = f"{BEGIN.format(path=path)}\n{text}{END}"
    made, count = _BLOCK.subn(lambda _: block, page, count=1)
    if not count:
        raise ValueError(f"the page has no block that begins with {BEGIN.format(path='...')}")
    return made


def slug(machine: Mapping[str, Any]) -> str:
    """A name for the file of a machine's numbers."""
    named = f"{machine.get('accelerator') or machine['processor'] or 'unknown'}-{machine['cores']}-cores"
    return re.sub(r"[^a-z0-9]+", "-", named.lower()).strip("-")


def write_page(page: Path, path: str, text: str) -> None:
    """Renew the table of a page in place."""
    page.write_text(renewed(page.read_text("utf-8"), path, text), "utf-8")

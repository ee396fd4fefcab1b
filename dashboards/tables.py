"""Findings and items as tables of words: what a cell shows is what the terminal and the reports show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from audit.commands.show import number, sampling_rows, size
from audit.wording import (
    MARKS,
    bounded_exp,
    claim,
    margin_phrase,
    needed_phrase,
    p_text,
    spelling,
)
from audit.wording import verdict_text as verdict_text
from reports.contents.heat_maps import group_labels as group_labels

EFFECTS = {"d_z": "d_z", "Cliff's delta": "cliffs_delta"}
"""Standardised effects by name, with the keys of their explanations."""


def bare(text: str) -> str:
    """A claim without the signs that set words off."""
    return text.replace("*", "")


def title(row: Mapping[str, Any]) -> str:
    """A finding in a line: who is compared with whom, by what, on which model."""
    compared = f"{row['group_label']} / {row['reference_label']}"
    if row["crossed_group_label"]:
        compared += f" × {row['crossed_group_label']} / {row['crossed_reference_label']}"
    return f"{MARKS[row['verdict']]} {compared} · {row['suite']} · {row['model']}"


def numbered(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels by key with their number before them: in a list that goes by labels, no two may be alike.

    Examples
    --------
    >>> numbered({"a": "she", "b": "she"})
    {'a': '1. she', 'b': '2. she'}
    """
    return {key: f"{n}. {label}" for n, (key, label) in enumerate(labels.items(), start=1)}


def family_title(row: Mapping[str, Any]) -> str:
    """A family of hypotheses in words, from any of its findings."""
    axis = row["axis"].replace("_", " ").replace("*", " and ")
    contrast = row["contrast"].replace("-", " ")
    return f"{row['suite']}: {contrast if contrast == axis else f'{contrast}, by {axis}'} · {row['model']}"


def scored_share(row: Mapping[str, Any]) -> float | None:
    """Share of answers that could be scored, of the side that has less; None where nothing was asked."""
    shares = []
    for counts in row["coverage"].values():
        total = sum(counts.values())
        if total:
            shares.append(counts.get("scored", 0) / total)
    return min(shares, default=None)


def estimate_text(row: Mapping[str, Any]) -> str:
    """The estimate with its interval on the scale on which people read it."""
    if row["estimate"] is None:
        return "not computable"
    low, high = row["ci"]["lo"], row["ci"]["hi"]
    if row["scale"] == "log-odds":
        return f"{bounded_exp(row['estimate'])} × [{bounded_exp(low)}, {bounded_exp(high)}]"
    spelt = spelling(row["scale"], row["margin"]["value"])
    middle, low, high = (spelt.text(value) for value in (row["estimate"], low, high))
    return f"{middle} [{low}, {high}]{' of 100' if row['scale'] == 'shares' else ''}"


def open_question(row: Mapping[str, Any]) -> str:
    """What an inconclusive finding needs, the margin of one within it, or what else qualifies one."""
    if row["verdict"] == "inconclusive":
        return bare(needed_phrase(row))
    if row["verdict"] == "no disparity within margin":
        return f"margin {margin_phrase(row)}"
    return "; ".join(row["reasons"])


def findings_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a finding, in the order given."""
    return pd.DataFrame(
        [
            {
                "verdict": verdict_text(row),
                "severity": row["severity"],
                "claim": bare(claim(row)),
                "estimate": estimate_text(row),
                "n": size(row).replace("\n", " "),
                "p adj.": p_text(row["p_adjusted"]),
                "coverage": scored_share(row),
                "not scored": None if (share := scored_share(row)) is None else 1 - share,
                "what next, or why not": open_question(row),
                "role": row["role"],
                "suite": row["suite"],
                "model": row["model"],
                "axis": row["axis"],
                "group": " × ".join(filter(None, (row["group_label"], row["crossed_group_label"]))),
                "id": row["id"],
            }
            for row in rows
        ]
    )


def facts(row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value and the key of its explanation: size and certainty of a computed finding."""
    simultaneous, resampled = row["ci_simultaneous"], row["ci_resampled"]
    correction = row["correction"]
    lines = [
        ("estimate", f"{row['estimate']:+.4f} {row['unit']}", "estimate"),
        ("standard error", f"{number(row['se'], '.4f')} {row['unit']} ({row['method']})", "se"),
        ("95 % interval" if row["ci"]["level"] == 0.95 else "interval", interval(row["ci"]), "interval"),
        ("equivalence interval", interval(row["ci_equivalence"]), "equivalence"),
        ("margin", f"±{row['margin']['value']} {row['unit']}: {row['margin']['source']}", "margin"),
        ("together with the family", interval(simultaneous) if simultaneous else "none", "simultaneous"),
        ("resampled", f"{interval(resampled)} ({resampled['method']})" if resampled else "none", "resampled"),
        ("p", f"{row['p']:.3g}", "p"),
        (
            "p, corrected",
            f"{row['p_adjusted']:.3g} ({correction['method']}, {correction['m']} hypotheses)",
            "p_adjusted",
        ),
        ("p by Holm", number(row["p_holm"], ".3g"), "p_holm"),
        ("p by sign flips over families", number(row["p_sign_flip"], ".3g"), "p_sign_flip"),
        (
            "smallest detectable",
            f"{number(row['minimum_detectable'], '.3f')} {row['unit']}",
            "minimum_detectable",
        ),
        ("power to show within margin", number(row["power_within"], ".0%"), "power_within"),
    ]
    return [
        *lines,
        *(
            (effect["name"], effect_text(effect), EFFECTS.get(effect["name"], ""))
            for effect in row["effects"]
        ),
    ]


def holding(row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """As :func:`facts`: controls, and what becomes of the finding where nothing should matter."""
    robust = row["robustness"]
    out = robust["leave_one_out"]
    lines = [
        ("A/A control p", number(row["control_p"], ".2g"), "control_p"),
        ("invented words", f"±{number(row['nonce_size'], '.3f')} {row['unit']}", "nonce_size"),
        (
            "groups exchanged",
            {True: "only the sign turns", False: "FAILS", None: "unknown"}[row["swap_holds"]],
            "swap_holds",
        ),
        ("families agreeing in sign", number(robust["sign_share"], ".0%"), "sign_share"),
        (
            "without any one family",
            f"{number(out['lo'], '+.3f')} to {number(out['hi'], '+.3f')}",
            "leave_one_out",
        ),
        ("spread between families, I²", number(robust["i_squared"], ".0%"), "i_squared"),
        ("spread between wordings", number(robust["paraphrase_sd"], ".3f"), "paraphrase_sd"),
        ("probability of the answers", number(row["answer_mass"], ".1%"), "answer_mass"),
        ("answers split or of unequal length", number(robust["doubtful_share"], ".0%"), "doubtful_share"),
        ("without those", number(robust["equal_pieces_estimate"], "+.3f"), "equal_pieces"),
    ]
    return [*lines, *((name, value, "") for name, value in sampling_rows(row))]


def interval(bounds: Mapping[str, Any]) -> str:
    """An interval with its level."""
    return f"[{bounds['lo']:+.4f}, {bounds['hi']:+.4f}] at {bounds['level']:.0%}"


def effect_text(effect: Mapping[str, Any]) -> str:
    """A standardised effect, or why it has none."""
    if effect["estimate"] is None:
        return f"undefined: {effect['reason']}"
    bounds = "" if effect["lo"] is None else f" [{effect['lo']:+.2f}, {effect['hi']:+.2f}]"
    return f"{effect['estimate']:+.2f}{bounds}"


def choices(rows: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    """The values of a field that occur, in order of first occurrence."""
    return list(dict.fromkeys(str(row[key]) for row in rows))


def counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Findings by verdict, every verdict named."""
    return {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in MARKS}

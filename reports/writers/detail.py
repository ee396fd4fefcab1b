"""What every format tells of a single finding, control and answer count, formatted once for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.figures import UNKNOWN, interval, number, p_value, share, signed

Row = Mapping[str, Any]


def detail(told: Row) -> list[tuple[str, str]]:
    """Name and value of each line of a finding's detail.

    Parameters
    ----------
    told : mapping
        An entry of ``findings`` in the report's data.
    """
    record = told["record"]
    lines = [("comparison", comparison(record)), ("role", record["role"]), ("severity", record["severity"])]
    if record["estimate"] is None:
        return [*lines, ("reasons", "; ".join(record["reasons"])), ("answers", coverage(record["coverage"]))]
    lines += [
        ("estimate", f"{signed(record['estimate'])} {record['unit']}, standard error {number(record['se'])}"),
        ("method", record["method"]),
        ("interval", levelled(record["ci"])),
        ("equivalence", equivalence(record)),
        ("margin from", record["margin"]["source"]),
        ("second look", second_look(record)),
        ("p", correction(record)),
        ("effects", "; ".join(effect(each) for each in record["effects"]) or "none computed"),
        ("could detect", detectable(record)),
        ("controls", controls(record)),
        ("sample", sample(record)),
        ("answers", coverage(record["coverage"])),
        *robustness(told),
        *scorers(record),
        *((f"less the errors of {each['scorer']}", each["text"]) for each in told["scorer_errors"]),
    ]
    if record["reasons"]:
        lines.append(("reasons", "; ".join(record["reasons"])))
    if told["needs"]:
        lines.append(("needs", told["needs"]))
    return lines


FORM = {
    "condition": "condition",
    "criteria": "criteria",
    "cause": "likely cause",
    "effect": "effect",
    "recommendation": "recommendation",
    "owner": "owner",
    "due": "due",
    "response": "response",
}
"""The parts of a finding as auditors write it down, in their order, and what they are called."""
BY_DEFAULT = " (the instrument's default; the auditor gave none)"


def form(told: Row) -> list[tuple[str, str]]:
    """Severity, the form from condition to response, and the evidence of a finding that has them.

    Returns
    -------
    list of (name, text)
        What nobody gave is said to be so.
    """
    rated = told["severity"]
    held = f" (would be {rated['held_from']})" if rated["held_from"] else ""
    lines = [
        ("level of severity", rated["level"] + held),
        ("effect size", rated["effect"]),
        ("certainty", rated["certainty"]),
        ("context of harm", rated["context"]),
        ("why this level", rated["why"]),
        ("interval covers", told["covers"] or "no interval"),
        *((name, told[key] or "none given") for key, name in FORM.items()),
        ("evidence", "; ".join(told["evidence"])),
    ]
    if told["recommended_by"] == "default":
        lines = [(name, text + BY_DEFAULT * (name == "recommendation")) for name, text in lines]
    if told["risks"]:
        tags = (f"{tag['vocabulary']} {tag['id']}: {tag['name']}" for tag in told["risks"])
        lines.append(("risk vocabularies", "; ".join(tags)))
    return lines


def level(told: Row) -> str:
    """The severity of a finding in the report's words."""
    return str(told["severity"]["level"])


def comparison(record: Row) -> str:
    """Who is compared with whom."""
    text = f"{record['group_label']} with {record['reference_label']}"
    if record["crossed_group_label"]:
        text += f", of {record['crossed_group_label']} with {record['crossed_reference_label']}"
    return text


def levelled(found: Row | None) -> str:
    """An interval with its level."""
    return UNKNOWN if found is None else f"{interval(found)} at {share(found['level'])}"


def second_look(record: Row) -> str:
    """The other intervals of the same estimate."""
    parts = []
    if record["ci_simultaneous"]:
        parts.append(f"{levelled(record['ci_simultaneous'])} together with the family")
    if record["ci_resampled"]:
        parts.append(f"{levelled(record['ci_resampled'])} by {record['ci_resampled']['method']}")
    return "; ".join(parts) or "none"


def correction(record: Row) -> str:
    """The p-values of a finding."""
    rule = record["correction"]
    parts = [
        p_value(record["p"]),
        f"corrected {p_value(record['p_adjusted'])} by {rule['method']} over "
        f"{rule['m']} comparison{'' if rule['m'] == 1 else 's'}",
    ]
    if record["p_holm"] is not None:
        parts.append(f"by Holm {p_value(record['p_holm'])}")
    if record["p_sign_flip"] is not None:
        parts.append(f"sign-flip over template families {p_value(record['p_sign_flip'])}")
    return "; ".join([*parts, rule["note"]] if rule["note"] else parts)


def equivalence(record: Row) -> str:
    """The equivalence test against the margin."""
    margin = f"±{number(record['margin']['value'])} {record['margin']['unit']}"
    text = f"{levelled(record['ci_equivalence'])} against a margin of {margin}"
    return text if record["p_equivalence"] is None else f"{text}; p {p_value(record['p_equivalence'])}"


def detectable(record: Row) -> str:
    """What the sample could have found."""
    text = f"{number(record['minimum_detectable'])} {record['unit']} with a power of 80 %"
    if record["power_within"] is None:
        return text
    return f"{text}; power to show a true 0 within the margin {share(record['power_within'])}"


def effect(found: Row) -> str:
    """One standardised effect with its interval, or why it has none."""
    if found["estimate"] is None:
        return f"{found['name']} undefined: {found['reason']}"
    ends = f" {interval(found)}" if found["lo"] is not None else f" ({found['reason'] or 'no interval'})"
    return f"{found['name']} {signed(found['estimate'])}{ends}"


def controls(record: Row) -> str:
    """What the family's controls say."""
    swap = {True: "holds", False: "FAILS", None: UNKNOWN}[record["swap_holds"]]
    return (
        f"A/A p {p_value(record['control_p'])}; invented words ±{number(record['nonce_size'])}; "
        f"exchanging the groups {swap}"
    )


def sample(record: Row) -> str:
    """What the estimate rests on."""
    several = record["n_terms"] and record["n_terms"] > 1
    terms = f", {record['n_terms']} terms or answer pairs" if several else ""
    mass = record["answer_mass"]
    held = "" if mass is None else f"; the answers hold {share(mass)} of the model's probability"
    return (
        f"{number(record['n_cells'])} cells: {number(record['n_templates'])} templates in "
        f"{number(record['n_clusters'])} families{terms}{held}"
    )


def coverage(sides: Mapping[str, Mapping[str, int]]) -> str:
    """Answers by status on both sides."""
    return "; ".join(f"{side}: {statuses(counts)}" for side, counts in sides.items())


def statuses(counts: Mapping[str, int]) -> str:
    """Answers by status."""
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "none"


def robustness(told: Row) -> list[tuple[str, str]]:
    """How the estimate holds when what should not matter changes."""
    record = told["record"]
    found, out = record["robustness"], record["robustness"]["leave_one_out"]
    ends = "unknown" if out["lo"] is None else f"{signed(out['lo'])} to {signed(out['hi'])}"
    more = f" ({out['reason']})" if out["reason"] else ""
    spread = ""
    if found["i_squared"] is not None or found["paraphrase_sd"] is not None:
        spread = f"; I² {number(found['i_squared'])}; spread of wordings {number(found['paraphrase_sd'])}"
    agree = f"{share(found['sign_share'])} agree in sign; without any one of them {ends}{more}"
    lines = [
        ("template families", agree + spread),
        ("other analyses", told["analyses"] or UNKNOWN),
    ]
    if found["doubtful_share"]:
        lines.append(
            (
                "tokenisation",
                f"{share(found['doubtful_share'])} of the answers are split unequally; without them "
                f"{signed(found['equal_pieces_estimate'])}",
            )
        )
    decoding = found["decoding"]
    if decoding:
        each = [f"{one['setting'] or 'as planned'} {signed(one['estimate'])}" for one in decoding["settings"]]
        lines.append(("sampling", "; ".join([f"seed to seed {number(decoding['seed_sd'])}", *each])))
    if record.get("sequential"):
        asked = record["sequential"]
        stop = "not stopped" if asked["stopped_at"] is None else f"stopped at {asked['stopped_at']}"
        units = f"{asked['units']} units of at most {asked['max_units']}"
        lines.append(("asked until decided", f"{units}, {stop}; e-value {number(asked['e_value'])}"))
    return lines


def scorers(record: Row) -> list[tuple[str, str]]:
    """What other scorers say."""
    lines = []
    for each in record["scorers"]:
        ends = "" if each["lo"] is None else f" {interval(each)}"
        reason = f": {each['reason']}" if each["reason"] else ""
        lines.append((f"by {each['scorer']}", f"{signed(each['estimate'])}{ends}, {each['states']}{reason}"))
    return lines


def control_row(row: Row) -> dict[str, str]:
    """One control in figures."""
    ends = "" if row["lo"] is None else interval(row)
    return {
        "label": row["label"],
        "estimate": signed(row["estimate"]),
        "interval": ends or UNKNOWN,
        "p": p_value(row["p"]),
        "p_adjusted": p_value(row["p_adjusted"]),
        "reason": row["reason"],
    }

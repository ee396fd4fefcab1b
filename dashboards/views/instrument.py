"""Instrument: the controls of this audit, what it could detect, and the calibration of what made it."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from audit.calibration.record import RECORD
from audit.commands.show import number
from audit.verdict import CONTROL_ALPHA
from dashboards import charts, tables
from dashboards.data import Opened
from dashboards.shown import fact_table, plain
from dashboards.words import TIPS
from reports.charts import study_svg
from reports.charts.calibration import described as described_study
from reports.charts.intervals import Control, controls_panel, described_controls
from reports.charts.power import described_power, power_panel

PAGE = 30
"""Findings in a chart."""


def page(audit: Opened) -> None:
    """Draw the page."""
    st.title("Instrument")
    controls(audit)
    power(audit)
    calibration(audit)


def controls(audit: Opened) -> None:
    """Each group against itself, and invented words in the place of groups."""
    st.header("Controls of this audit", help=TIPS["control_p"])
    rows = audit.findings["controls"]
    titles = family_titles(audit)
    table = pd.DataFrame(
        [
            {
                "state": "not available"
                if row["aa_p"] is None
                else "× fails"
                if row["aa_p"] < CONTROL_ALPHA
                else "○ clean",
                "family": titles[row["family"]],
                "smallest corrected p": row["aa_p"],
                "groups against themselves": len(row["aa"]),
                "could not be had": sum(each["estimate"] is None for each in row["aa"]),
                "invented words differ by": row["nonce_size"],
            }
            for row in rows
        ]
    )
    st.dataframe(
        table,
        hide_index=True,
        alt="Controls by family",
        column_config={
            "smallest corrected p": st.column_config.NumberColumn(format="%.3g", help=TIPS["control_p"]),
            "invented words differ by": st.column_config.NumberColumn(format="%.3f", help=TIPS["nonce_size"]),
        },
    )
    names = [row["family"] for row in rows]
    if not names:
        return
    row = rows[names.index(st.selectbox("Controls of one family", names, format_func=titles.__getitem__))]
    of = next((each for each in audit.rows if each["family"] == row["family"]), None)
    called = tables.group_labels(audit.rows, of["suite"], of["axis"]) if of else {}
    plain(
        f"Invented words: ±{number(row['nonce_size'], '.3f')} among groups as large as those compared.", "p"
    )
    kinds: tuple[Control, ...] = ("aa", "nonce")
    for kind in kinds:
        shown = [{**each, "label": called.get(each["label"], each["label"])} for each in row[kind]]
        if shown:
            chart = charts.made(controls_panel, shown, scale_of(audit, row["family"]), kind)
            described = described_controls(shown, kind)
            charts.draw(chart, described, pd.DataFrame(shown), f"{kind}-{row['family']}")


def power(audit: Opened) -> None:
    """What this audit could have found, and could have ruled out."""
    st.header("What it could detect", help=TIPS["minimum_detectable"])
    known = [row for row in audit.rows if row["minimum_detectable"] is not None]
    families = tables.choices(known, "family")
    if not families:
        plain("No contrast could be computed.", "p")
        return
    name = st.selectbox("Family", families, format_func=family_titles(audit).__getitem__)
    own = [row for row in known if row["family"] == name][:PAGE]
    table = pd.DataFrame(
        [
            {
                "group": row["group_label"],
                "smallest detectable": row["minimum_detectable"],
                "margin": row["margin"]["value"],
                "unit": row["unit"],
                "power to show within": row["power_within"],
                "what a decision needs": tables.open_question(row)
                if row["verdict"] == "inconclusive"
                else "",
            }
            for row in own
        ]
    )
    charts.draw(charts.made(power_panel, own), described_power(own), table, "power")


def family_titles(audit: Opened) -> dict[str, str]:
    """Every family that has controls or findings, in words."""
    titles = {row["family"]: row["family"] for row in audit.findings["controls"]}
    return titles | {row["family"]: tables.family_title(row) for row in audit.rows}


def scale_of(audit: Opened, family: str) -> str:
    """The scale of a family's findings."""
    return str(next((row["scale"] for row in audit.rows if row["family"] == family), "points"))


def calibration(audit: Opened) -> None:
    """The proof of the version that made the findings."""
    st.header("Calibration")
    cited = audit.findings["instrument"]
    made = "These findings were made by an instrument that was"
    unknown = "Of the instrument that made these findings:"
    plain(f"{made if cited['studies'] else unknown} {cited['text']}.", "lead")
    if not cited["matches"]:
        plain("The code that made the findings is not the code that was calibrated.", "banner", "div")
    if not RECORD.is_file():
        return
    record = json.loads(RECORD.read_text("utf-8"))
    fact_table(
        [
            ("record of this program", record["date"], "the day of the calibration"),
            ("studies that hold", f"{record['studies_holding']} of {len(record['studies'])}", ""),
            ("checks", record["checks"], "numbers held against what must be true"),
            (
                "same as cited",
                "yes" if record["code_sha256"] == cited["code_sha256"] else "no",
                "whether the findings cite this record",
            ),
        ],
        "The calibration record of the program that shows this page",
    )
    studies = record["studies"]
    titles = [f"{'✓' if study['holds'] else '✗'} {study['title']}" for study in studies]
    study = studies[titles.index(st.selectbox("Study", titles))]
    plain(study["claim"], "p")
    plain(study["shows"], "note")
    table = pd.DataFrame(
        [
            {
                "check": c["label"],
                "found": c["observed"],
                "at least": c["tolerance"][0],
                "at most": c["tolerance"][1],
                "holds": c["holds"],
            }
            for c in study["checks"]
        ]
    )
    charts.svg(study_svg(study), described_study(study))
    with st.expander("The figures behind this chart"):
        st.dataframe(table, hide_index=True, alt=f"Checks of the study: {study['title']}")

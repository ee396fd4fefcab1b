"""A commented engagement file to start from, with the findings of one bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.bundle import disk_errors
from audit.verify import read_findings
from audit.wording import statement, visible
from probes.errors import Fault, InputError
from reports.engagement import number_of

HEAD = """\
# Who commissioned, ran and answers the audit, and for which use of the model it is read.
# Everything may be left out; the report then says that it was not given. Take away the leading "# " of what
# you fill in. Longer texts: write >- after the colon, and the text in the lines below, indented.
format: 1

# title: {title}
# report_version: "1.0"
# classification: confidential
# distribution: the commissioning organisation only

# commissioned_by: name of a person or an organisation
# performed_by: name of a person or an organisation
# relationship: first_party          # or internal_independent, third_party, collaborative, other
# independence: who paid, who chose models and suites, and what ties the two to each other
# objective: what the audit is to find out
# criteria: what the findings are held against, beside the margins of the plan

# Without a description of the use no finding is rated above Moderate.
# intended_use:
#   description: what the model is to be used for
#   decision_about_people: unknown   # yes or no
#   affected_groups: [applicants]
#   setting: where it is used, and by whom
# groups:
#   - group: women and men
#     why: who asked for this comparison, and for which reason
# harms:
#   - harm: fewer invitations to an interview
#     kind: allocational             # or representational, quality-of-service
# exclusions:
#   - what was left out on purpose, and why
# community_input: who of the groups concerned was asked, and what they said

# A name here is no signature: the report prints it beside a line to be signed.
# sign_off:
#   preparer: {{name: A. Name, role: auditor, date: 2026-01-31}}
#   reviewer: {{name: A. Name, role: statistician, date: 2026-01-31}}
#   approver: {{name: A. Name, role: head of audit, date: 2026-01-31}}

# Responses to findings, by number or id. The numbers are those of this bundle; its findings, worst first:
# responses:
"""

ENTRY = """\
#   {number}:   # {verdict}, {id}
#     # {statement}
#     owner: who answers for it
#     due: 2026-01-31
#     response: what the owner says to the finding
#     recommendation: what the auditor recommends
"""
SHORT = "#   {number}:   # {verdict}, {id}\n"


def write_new_engagement(root: Path, path: Path) -> Path:
    """Write a commented engagement file for a bundle.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    path : Path
        The file; nothing that is there already is written over.

    Raises
    ------
    InputError
        If there is such a file, or it cannot be written.
    BundleError
        If the bundle has no findings yet.
    """
    text = new_engagement(read_findings(root)["findings"])
    if path.is_dir():
        raise InputError(Fault("a folder, not a file", str(path), "Give the name of a new file."))
    with disk_errors(path):
        try:
            file = path.open("x", encoding="utf-8")
        except FileExistsError:
            what = "there is such a file already"
            raise InputError(Fault(what, str(path), "Give the name of a new file.")) from None
        try:
            with file:
                file.write(text)
        except BaseException:
            path.unlink()  # half a file would stand in the way of the next attempt
            raise
    return path


def new_engagement(findings: Sequence[Mapping[str, Any]]) -> str:
    """The text of a commented engagement file; disparities have an entry to fill in, the rest a line."""
    text = HEAD.format(title="the title of the report, in place of the plan's")
    for place, record in enumerate(findings, start=1):
        form = ENTRY if record["verdict"] == "disparity" else SHORT
        text += form.format(
            number=number_of(place),
            verdict=record["verdict"],
            id=one_line(record["id"]),
            statement=one_line(statement(record)),
        )
    return text


def one_line(text: str) -> str:
    """Text that stays in the comment that it is put into.

    Examples
    --------
    >>> one_line("a name" + chr(10) + "format: 2")
    'a name format: 2'
    """
    return " ".join(str(visible(text)).split())

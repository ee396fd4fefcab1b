"""The report as one Markdown text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.templating import markdown_templates
from reports.text import markdown_emphasised
from reports.writers.parts import shown


def markdown(data: Mapping[str, Any]) -> str:
    """The text of a report; every word from the bundle shows as itself.

    Parameters
    ----------
    data : mapping
        As ``report.schema.json`` describes.
    """
    return (
        markdown_templates()
        .get_template("audit/report.md.j2")
        .render(**shown(data), emphasised=markdown_emphasised)
    )

"""How risk vocabularies call what a finding is about: tags that join it to incident data, no duties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probes import Suite
from reports.legal_map import risk_vocabularies


def risk_tags(harm_kind: str) -> list[dict[str, str]]:
    """The tags of a kind of harm, one a vocabulary.

    Parameters
    ----------
    harm_kind : str
        As a suite's card has it.

    Examples
    --------
    >>> [tag["name"] for tag in risk_tags("quality-of-service")]
    ['Unequal performance across groups', 'Harmful Bias and Homogenization']
    """
    return [
        {"vocabulary": vocabulary["name"], "id": term["id"], "name": term["name"]}
        for vocabulary in risk_vocabularies()
        for term in vocabulary["terms"]
        if harm_kind in term["harm_kinds"]
    ]


def tagged(rows: Sequence[Mapping[str, Any]], suites: Sequence[Suite]) -> list[dict[str, Any]]:
    """The report's findings with the tags of their suite's kind of harm."""
    tags = {suite.id: risk_tags(suite.card.harm_kind) for suite in suites}
    return [{**row, "risks": tags[row["record"]["suite"]]} for row in rows]

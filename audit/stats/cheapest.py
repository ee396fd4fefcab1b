"""The design with the fewest cells, where templates and terms are both free."""

from __future__ import annotations

from dataclasses import dataclass

from audit.stats.design import DesignSds, Layout, check_layout, expected_se
from audit.stats.planning import MOST, Target, smallest, templates_needed

MOST_CELLS = 4_000_000
"""Largest design that is proposed where templates and terms are both free."""


@dataclass(frozen=True)
class Cheapest:
    """The design with the fewest cells that reaches a target, or the reason why there is none.

    Parameters
    ----------
    templates, terms : int or None
        Templates, and terms of each group (or second-factor levels; 1 for a single layout).
    cells : int or None
        Scores of one group and template there: templates times the terms of both sides.
    reason : str
        Empty where there is a design.

    Examples
    --------
    >>> Cheapest(10, 20, 400, "").cells
    400
    """

    templates: int | None
    terms: int | None
    cells: int | None
    reason: str


def cheapest(target: Target, sds: DesignSds, layout: Layout, *, least: int = 2) -> Cheapest:
    """The fewest cells with which templates and terms together reach a target.

    Parameters
    ----------
    target : Target
        What is to be achieved.
    sds, layout
        As in `design_se`. Nested groups get the same number of terms each.
    least : int
        Fewest templates allowed, >= 2.

    Returns
    -------
    Cheapest
        Of designs with equally few cells the one with more templates: they are what an audit speaks of. None
        where more than `MOST_CELLS` would be needed.

    Raises
    ------
    ValueError
        As `design_se`.

    Notes
    -----
    Every design with T templates and N terms and fewer cells than another has T or N below the square root
    of those, so that looking at these few is looking at all.

    Examples
    --------
    >>> cheapest(Target(0.5), DesignSds(0.3, 0.3, 1.0), "nested")
    Cheapest(templates=18, terms=15, cells=540, reason='')
    """
    check_layout(sds, least, 2, 2, layout)
    if layout == "single":
        need = templates_needed(target, sds, 1, 1, layout)
        if need.n is None or need.n > MOST_CELLS:
            return Cheapest(None, None, None, f"more than {MOST:,} templates would be needed")
        return Cheapest(max(need.n, least), 1, max(need.n, least), "")

    def reached(templates: int, terms: int) -> bool:
        return target.reached(*expected_se(sds, templates, terms, terms, layout))

    sides = 2 if layout == "nested" else 1
    limit = 2 * MOST_CELLS // sides  # twice, because the first designs can be that much too large
    best: tuple[int, int] | None = None  # templates times terms, minus templates

    def offer(templates: int | None, terms: int | None) -> None:
        nonlocal best
        if templates is not None and terms is not None:
            found = (templates * terms, -templates)
            best = found if best is None else min(best, found)

    def templates_for(terms: int, most: int) -> int | None:
        enough = most >= least and reached(most, terms)
        return smallest(lambda count: reached(min(count, most), terms), least) if enough else None

    def terms_for(templates: int, most: int) -> int | None:
        enough = most >= 2 and reached(templates, most)
        return smallest(lambda count: reached(templates, min(count, most)), 2) if enough else None

    for doubling in range(1, limit.bit_length()):
        offer(templates_for(2**doubling, (best[0] if best else limit) // 2**doubling), 2**doubling)
    number = 2
    while best and number * number <= best[0]:
        if number >= least:
            offer(number, terms_for(number, best[0] // number))
        offer(templates_for(number, best[0] // number), number)
        number += 1
    if best is None or sides * best[0] > MOST_CELLS:
        return Cheapest(None, None, None, f"more than {MOST_CELLS:,} cells would be needed")
    return Cheapest(-best[1], best[0] // -best[1], sides * best[0], "")

"""The joint null distribution of two-way contrasts: random signs for whole templates and whole terms.

The hypotheses of a family share templates and terms, so their statistics move together. Each resample draws
one sign for every template and one for every term; all tables follow the same signs, and the statistics of
`audit.stats.contrast` are computed anew. `audit.stats.max_t` turns them into adjusted p-values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import ROUNDING, SINGLE_PRECISION, Floats, sum_of_squares
from audit.stats.signs import CHUNK, row_blocks

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class JointTable:
    """The complete table of one hypothesis, with codes that say which rows and columns others share.

    Parameters
    ----------
    first : ndarray, shape (T, N1)
        Nested design: scores of group 1. Otherwise paired differences, templates by second factor; a single
        column means that templates are the only random factor. Any unit, no missing cell.
    second : ndarray, shape (T, N0), or None
        Scores of group 0; only for a nested design.
    rows : ndarray of int, shape (T,)
        Code of each template family: equal codes in different tables are the same template.
    first_columns, second_columns : ndarray of int, shapes (N1,) and (N0,)
        Code of each term or level, likewise. `second_columns` is None exactly when `second` is.

    Raises
    ------
    ValueError
        If a cell is missing or infinite, shapes do not fit, a code is negative or occurs twice in one side
        of a table, or there are fewer than 2 templates or, nested, 2 terms in a group.

    Examples
    --------
    >>> JointTable(np.eye(3), None, np.arange(3), np.arange(3)).n_rows
    3
    """

    first: Floats
    second: Floats | None
    rows: Codes
    first_columns: Codes
    second_columns: Codes | None = None

    def __post_init__(self) -> None:
        if (self.second is None) != (self.second_columns is None):
            raise ValueError("second and second_columns must be given together")
        _check_side(self.first, self.rows, self.first_columns, 1 if self.second is None else 2)
        if self.second is not None and self.second_columns is not None:
            _check_side(self.second, self.rows, self.second_columns, 2)

    @property
    def n_rows(self) -> int:
        """Templates, T."""
        return int(self.first.shape[0])

    @property
    def scale(self) -> float:
        """The largest score, score units; what lies below rounding relative to it is 0."""
        largest = float(np.abs(self.first).max())
        return largest if self.second is None else max(largest, float(np.abs(self.second).max()))


def wild_draws(
    tables: Sequence[JointTable | None], rng: np.random.Generator, *, resamples: int = 9999
) -> Iterator[Floats]:
    """Draw the statistics that all hypotheses would show together if none of them held.

    Parameters
    ----------
    tables : sequence of (JointTable or None)
        One for each hypothesis; None where the contrast is not computable.
    rng : numpy.random.Generator
        Source of randomness.
    resamples : int
        B, number of draws, >= 1.

    Yields
    ------
    ndarray, shape (rows, m)
        Some draws, for `max_t`: in chunks, so that memory does not grow with B.
        t* = estimate / standard error of each hypothesis, dimensionless, by exactly the formulas of
        ``nested``, ``crossed`` and ``single``; centred at 0. Infinite where a draw leaves no spread, NaN in
        the column of a None.

    Raises
    ------
    ValueError
        If `resamples` < 1.

    Notes
    -----
    A table is split as y = mean + a_t + b_n + e_tn, and a draw is y* = s_t a_t + u_n b_n + s_t u_n e_tn with
    signs s for templates and u for terms. The null hypothesis is imposed: the estimate is not dropped but
    given to the a and the b before the signs are applied, in the shares that templates and terms have in
    its variance. With one factor only this is the exact sign-flip test. Two choices matter where a factor
    has few units. With the estimate dropped, one crossed table with T=3, K=12 and sds 1/0/.3 is rejected at
    .005 in .05 of cases (imposed: .01). With the shares of each table alone instead of those of all
    tables of one design, a family with T=20, K=3 and sds .3/1/.3 holds a false claim in .19 to .22 of cases
    (pooled: .01).

    Share of families with a false claim at .05, 30 hypotheses, normal scores, B=499, 1000 families (binomial
    sd .007; nested 300 to 600, sd .013 to .009), sds template/term/residual; in brackets Holm on the t-tests:

    =======================  ==================  ===============
    design                   against one group   against the rest
    =======================  ==================  ===============
    crossed 20x20 .3/.3/1    .056 (.031)         .052 (.028)
    crossed 9x12 .3/.3/1     .058 (.003)         .054 (.005)
    crossed 9x3 .3/.3/1      .051 (.000)         .046 (.000)
    crossed 9x3 1/1/.3       .079 (.103)         .056 (.117)
    crossed 20x3 .3/1/.3     .011 (.269)         .005 (.321)
    nested 20x20 .3/.3/1     .068 (.042)         .053 (.050)
    nested 9x8 .3/.3/1       .047 (.002)         .053 (.058)
    nested 9x8 .3/1/.3       .048 (.040)         .063 (.288)
    nested 9x3 .3/.3/1       .028 (.000)         .038 (.073)
    nested 20x3 .3/1/.3      .053 (.053)         .003 (.853)
    =======================  ==================  ===============

    Share of ten true effects that are claimed, against one group: 20x20 crossed, effect .6: .76 (Holm .70);
    9x12, effect 1: .71 (.52); 9x3, effect 1.5: .34 (.04).

    Signs assume that effects are as likely to be x as -x. A difference of two groups alike is symmetric
    whatever the scores are: exponential effects, 20x20, .5/.5/1 gave .048. Against the rest it is as skewed
    as the group's own effects: .228 (Holm .172); sds .3/.3/1: .158 (.106). The t-test shares this weakness.

    Source: Westfall and Young (1993) for joint resampling; Cameron, Gelbach and Miller (2008), Review of
    Economics and Statistics 90, 414-427, for signs of whole clusters with the null imposed; MacKinnon,
    Nielsen and Webb (2021), Journal of Business and Economic Statistics 39, 505-519, for two ways.

    Examples
    --------
    >>> table = JointTable(np.array([[1.0], [2.0], [4.0]]), None, np.arange(3), np.arange(1))
    >>> (draws,) = wild_draws([table, None], np.random.default_rng(0), resamples=100)
    >>> draws.shape, sorted(set(np.round(np.abs(draws[:, 0]), 3).tolist()))
    ((100, 2), [0.18, 0.577, 1.147, 2.646])
    """
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    present = [table for table in tables if table is not None]
    rows = np.unique(np.concatenate([np.empty(0, np.intp), *(table.rows for table in present)]))
    columns = np.unique(
        np.concatenate([np.empty(0, np.intp), *(codes for table in present for codes in _columns(table))])
    )
    splits = [None if table is None else _Split(table, rows, columns) for table in tables]
    _impose([split for split in splits if split is not None])
    size = max(1, CHUNK // max(1, rows.size, columns.size))
    for start in range(0, resamples, size):
        row_signs = _signs(rng, min(size, resamples - start), rows.size)
        column_signs = _signs(rng, len(row_signs), columns.size)
        for here in row_blocks(len(row_signs), len(tables)):
            null = np.full((here.stop - here.start, len(tables)), np.nan)
            for place, split in enumerate(splits):
                if split is not None:
                    null[:, place] = split.statistics(row_signs[here], column_signs[here])
            yield null


class _Side:
    """One group's table split into template effects, term effects and their interaction."""

    def __init__(self, cells: Floats, columns: Codes) -> None:
        self.columns = columns  # places in the row of signs
        self.shape = cells.shape
        mean = cells.mean()
        self.a: Floats = cells.mean(axis=1) - mean
        self.b: Floats = cells.mean(axis=0) - mean
        self.e: Floats = cells - mean - self.a[:, None] - self.b[None, :]

    def drawn(self, s: Floats, u: Floats) -> tuple[Floats, Floats, Floats]:
        """Row means (B, T), var(column means) / N (B,) and interaction mean square / (T N) (B,) of y*."""
        t, n = self.shape
        a, b = s * self.a, u * self.b
        rows = a + b.mean(axis=1, keepdims=True) + s * (u @ (self.e.T / n))
        if n == 1:
            return rows, np.zeros(len(rows)), np.zeros(len(rows))
        columns = a.mean(axis=1, keepdims=True) + b + u * (s @ (self.e / t))
        mean = rows.mean(axis=1)
        # The sum of squares of all y*, expanded, so that no (B, T, N) array is needed.
        total = n * sum_of_squares(self.a) + t * sum_of_squares(self.b) + sum_of_squares(self.e)
        total = total + 2.0 * (a.sum(axis=1) * b.sum(axis=1) + u @ (self.a @ self.e) + s @ (self.e @ self.b))
        square = total - n * _squares(rows) - t * _squares(columns) + t * n * mean**2
        square = np.maximum(square, 0.0) / ((t - 1) * (n - 1))
        columns -= mean[:, None]
        return rows, _squares(columns) / (n * (n - 1)), square / (t * n)


class _Split:
    """A hypothesis' table, split, ready to be drawn."""

    def __init__(self, table: JointTable, rows: Codes, columns: Codes) -> None:
        self.rows = np.searchsorted(rows, table.rows)
        self.scale = table.scale
        self.first = _Side(table.first, np.searchsorted(columns, table.first_columns))
        self.second = None
        self.estimate = float(table.first.mean())
        self.by_template = self.first.a
        sides = [self.first]
        if table.second is not None and table.second_columns is not None:
            self.second = _Side(table.second, np.searchsorted(columns, table.second_columns))
            self.estimate -= float(table.second.mean())
            self.by_template = self.first.a - self.second.a
            sides.append(self.second)
        self.n_terms = tuple(side.shape[1] for side in sides)
        self.term_squares = sum(sum_of_squares(side.b) for side in sides)

    def impose(self, template_variance: float, term_variance: float) -> None:
        """Give the estimate to templates and terms, in the shares that their variances have in its own."""
        v_t = template_variance / len(self.rows)
        v_n = term_variance * sum(1.0 / n for n in self.n_terms)
        if v_t + v_n <= (SINGLE_PRECISION * self.scale) ** 2:
            v_t, v_n = 1.0, 0.0  # no spread to share by: all to the templates, whose flips are exact
        to_templates, to_terms = self.estimate * v_t / (v_t + v_n), self.estimate * v_n / (v_t + v_n)
        if self.second is None:
            self.first.a += to_templates
            self.first.b += to_terms
            return
        # Both groups' terms come from one distribution under the null hypothesis: its mean lies nearer to
        # that of the larger group, so the smaller one departs from it by more.
        n1, n0 = self.n_terms
        self.first.a += to_templates / 2.0
        self.second.a -= to_templates / 2.0
        self.first.b += to_terms * n0 / (n1 + n0)
        self.second.b -= to_terms * n1 / (n1 + n0)

    def statistics(self, row_signs: Floats, column_signs: Floats) -> Floats:
        """t* for each row of signs."""
        s = row_signs[:, self.rows]
        by_template, v_n, v_e = self.first.drawn(s, column_signs[:, self.first.columns])
        if self.second is not None:
            other, v_n0, v_e0 = self.second.drawn(s, column_signs[:, self.second.columns])
            by_template, v_n, v_e = by_template - other, v_n + v_n0, v_e + v_e0
        estimate = by_template.mean(axis=1)
        t = by_template.shape[1]
        v_t = _squares(by_template - estimate[:, None]) / (t * (t - 1))
        for variance in (v_t, v_n, v_e):
            variance[variance <= (SINGLE_PRECISION * self.scale) ** 2] = 0.0
        estimate[np.abs(estimate) <= ROUNDING * self.scale] = 0.0
        variance = np.maximum(v_t + v_n - v_e, np.maximum(v_t, v_n))
        variance = np.where(variance > 0.0, variance, v_e)
        spread = variance > 0.0
        infinite = np.where(estimate == 0.0, 0.0, np.copysign(np.inf, estimate))
        t_star: Floats = np.where(spread, estimate / np.sqrt(np.where(spread, variance, 1.0)), infinite)
        return t_star


def _impose(splits: Sequence[_Split]) -> None:
    """Impose the null hypothesis on all tables, with variances pooled over those of one design.

    Of a few terms, some hypothesis of many shows very little spread by luck. Its own variances would then
    give its estimate to the templates, whose many sign patterns hardly ever repeat it.
    """
    designs = {(len(split.n_terms), split.n_terms[0] > 1) for split in splits}
    for design in designs:
        alike = [split for split in splits if (len(split.n_terms), split.n_terms[0] > 1) == design]
        squares = sum(sum_of_squares(split.by_template) for split in alike)
        template_variance = squares / sum(len(split.rows) - 1 for split in alike)
        freedom = sum(n - 1 for split in alike for n in split.n_terms)
        term_variance = sum(split.term_squares for split in alike) / freedom if freedom else 0.0
        for split in alike:
            split.impose(template_variance, term_variance)


def _signs(rng: np.random.Generator, size: int, count: int) -> Floats:
    signs: Floats = rng.integers(0, 2, (size, count), dtype=np.int8).astype(np.float64)
    return 2.0 * signs - 1.0


def _squares(values: Floats) -> Floats:
    """Sum of squares of each row."""
    squares: Floats = np.einsum("ij,ij->i", values, values)
    return squares


def _columns(table: JointTable) -> Iterator[Codes]:
    yield table.first_columns
    if table.second_columns is not None:
        yield table.second_columns


def _check_side(cells: Floats, rows: Codes, columns: Codes, fewest: int) -> None:
    if cells.ndim != 2 or rows.ndim != 1 or columns.ndim != 1 or cells.shape != (rows.size, columns.size):
        raise ValueError("a table must have one row for each row code and one column for each column code")
    if not np.isfinite(cells).all():
        raise ValueError("a table has missing or infinite cells; random signs need complete tables")
    if cells.shape[0] < 2 or cells.shape[1] < fewest:
        raise ValueError(f"a table of {cells.shape[0]} x {cells.shape[1]} cells has no two-way contrast")
    for codes in (rows, columns):
        if codes.min() < 0 or np.unique(codes).size < codes.size:
            raise ValueError("codes must not be negative, nor occur twice in one table")

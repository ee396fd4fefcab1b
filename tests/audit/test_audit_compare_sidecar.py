"""What a comparison reads: sidecars that are of these records, and of them only what it needs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import audit.sidecar
from audit.analysis.cells import family_means, plain_index
from audit.bundle import Bundle
from audit.compare import compare_bundles
from audit.comparison.rows import side_by_side
from audit.comparison.side_rows import KEY
from audit.plan import declared_suites, planned_suites
from audit.records import parse_record
from audit.requests import Choice, Response, TokenLogprob, answer_digest
from audit.sidecar import Sidecar, open_sidecar, sidecar_path
from probes.errors import BundleError
from tests.audit.comparison_world import audit_of, copied, jittered, noise


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audit_of(tmp_path_factory.mktemp("before") / "a", noise())


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audit_of(tmp_path_factory.mktemp("after") / "a", jittered(), noise())


def unread(*_: object) -> None:
    raise AssertionError("the records were read")


def test_no_record_is_read_and_only_what_is_compared(
    base: Path, several: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[set[str], str | None]] = []
    scores = Sidecar.scores

    def spy(self: Sidecar, columns: list[str], model: str | None = None) -> pd.DataFrame:
        asked.append((set(columns), model))
        return scores(self, columns, model)

    monkeypatch.setattr(audit.sidecar, "read_answers", unread)
    monkeypatch.setattr(Sidecar, "scores", spy)
    found = compare_bundles(base, several)
    assert [row["model_after"] for row in found["findings"]] == ["scripted/noise"]
    assert [model for _, model in asked] == ["scripted/noise"] * 2
    assert all(not columns & {"output", "doubts", "reason", "offset"} for columns, _ in asked)


def test_records_edited_beneath_a_sidecar_are_not_passed_over(base: Path, tmp_path: Path) -> None:
    odd = copied(base, tmp_path / "edited")
    path = odd / "records/00000.jsonl"
    *lines, last = path.read_bytes().splitlines(keepends=True)
    record = parse_record(last, "")
    other = replace(record, response=Response((Choice(-1.0, 1), Choice(-2.0, 1))))
    path.write_bytes(b"".join(lines) + other.line() + b"\n")  # the chain holds: nothing follows the last one
    with pytest.raises(BundleError, match="made from another plan or from other records"):
        compare_bundles(base, odd)
    spoilt = copied(base, tmp_path / "spoilt")
    path = spoilt / "records/00000.jsonl"
    path.write_bytes(b"".join([lines[0], other.line() + b"\n", *lines[1:], last]))
    with pytest.raises(BundleError, match="chain is broken"):
        compare_bundles(spoilt, base)


def test_a_sidecar_that_is_damaged_or_missing_is_made_again(
    base: Path, several: Path, tmp_path: Path
) -> None:
    found = compare_bundles(base, several)
    odd = copied(base, tmp_path / "a")
    for spoil in (lambda path: path.write_bytes(b"PAR1"), lambda path: path.unlink()):
        spoil(sidecar_path(odd))
        again = compare_bundles(odd, several)
        assert {**again, "before": None} == {**found, "before": None}
        assert sidecar_path(odd).stat().st_size > 1000


def test_every_score_names_the_raw_answer_it_was_read_off(base: Path) -> None:
    sidecar = open_sidecar(base)
    rows = sidecar.scores(["n", "answer"])
    assert rows["answer"].nunique() > 90
    for n, answer in rows.iloc[::17].itertuples(index=False):
        assert answer_digest(sidecar.record(int(n)).response) == answer


def test_answers_are_told_apart_by_all_that_was_kept() -> None:
    one = Response((Choice(-1.0, 2), Choice(-2.0, 1)), text_tokens=3)
    others = [
        replace(one, text_tokens=4),
        replace(one, choices=one.choices[::-1]),
        replace(one, choices=(Choice(-1.0, 2, tokens=(TokenLogprob("a", -1.0),)), one.choices[1])),
        Response(error="out of order"),
    ]
    assert answer_digest(one) == answer_digest(replace(one))
    assert len({answer_digest(each) for each in (one, *others)}) == 5


def test_a_score_that_is_there_twice_is_refused() -> None:
    row = pd.DataFrame({name: pd.Categorical(["a"]) for name in KEY})
    old, new = side_by_side(row, row)
    assert (len(old), list(new["there"])) == (1, [True])
    twice = pd.concat([row, row], ignore_index=True)
    for sides in ((row, twice), (twice, row)):
        with pytest.raises(BundleError, match="holds a score twice"):
            side_by_side(*sides)


def test_rows_of_either_side_keep_their_place() -> None:
    """By number -1 pandas counts from the end: a row that is missing must not become the last one."""
    kind = pd.CategoricalDtype(["a", "b", "c"])

    def side(items: str) -> pd.DataFrame:
        fixed = {name: pd.Categorical(["x"] * len(items)) for name in KEY}
        return pd.DataFrame({**fixed, "item": pd.Categorical(list(items), dtype=kind), "value": 1.0})

    old, new = side_by_side(side("ab"), side("cb"))
    assert list(old["there"]) == [False, True, True] and list(new["there"]) == [True, True, False]
    assert list(old["item"].astype(object).where(old["there"], "-")) == ["-", "b", "a"]
    assert old["value"].isna().tolist() == [True, False, False]
    assert new["value"].isna().tolist() == [False, False, True]


def test_suites_are_declared_as_they_are_planned(base: Path) -> None:
    plan = Bundle(base).plan
    declared, planned = declared_suites(plan), planned_suites(plan)
    assert declared.keys() == planned.keys() == {"mini"}
    for name in ("suite", "lexicons", "sampling", "margin"):
        assert getattr(declared["mini"], name) == getattr(planned["mini"], name)
    strange = json.loads(json.dumps(plan))
    del strange["suites"][0]["lexicons"]
    for rebuild in (declared_suites, planned_suites):
        with pytest.raises(BundleError, match="not as evenhand writes a plan"):
            rebuild(strange)


def test_wordings_are_averaged_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    codes = rng.permutation([0] * 5 + [1] + [2] * 9 + [3] * 2)
    codes = pd.factorize(codes)[0]
    cells = pd.DataFrame(rng.normal(size=(17, 4)))
    cells = cells.mask(rng.random(cells.shape) < 0.3)
    cells.iloc[codes == 3, 2] = np.nan
    found = family_means(cells, codes, plain_index("abcd"))
    for code, name in enumerate("abcd"):
        for column in cells:
            values = [value for value in cells.loc[codes == code, column] if not np.isnan(value)]
            expected = sum(values) / len(values) if values else np.nan
            assert found.loc[name, column] == pytest.approx(expected, nan_ok=True, abs=0, rel=1e-15)
    assert found.isna().to_numpy().any()

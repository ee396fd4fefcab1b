"""The sidecar holds every score once, says where it was read off, and is never trusted beyond its source."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import audit.kept
import audit.scored
import audit.sidecar
import audit.sidecar_file
from audit.api import analyze, run
from audit.bundle import Bundle, parse_record, read_json
from audit.measures import Decoding, DecodingSetting
from audit.models import ScriptedModel
from audit.plan import make_plan, planned_suites
from audit.records import Record
from audit.requests import Generate, Request, Response, Sampled
from audit.runner import run_plan
from audit.scored import score_answers
from audit.sidecar import open_sidecar, sidecar_path, write_sidecar
from audit.sidecar_file import KEY, Source
from audit.spec import AuditSpec, choose
from audit.table import score_table
from audit.verify import Recomputed, check_manifest, check_sidecar, verify_bundle
from probes.errors import BundleError
from tests.audit.sequential_world import (
    alike,
    quick_scorers,  # noqa: F401 - a fixture, which works by being here
    spec_for,
    write_suite,
    writer,
)
from tests.conftest import write_mini


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, asked whole."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "suite").mkdir()
    suite = write_mini(folder / "suite", templates=6, terms=4)
    models = [ScriptedModel(ScriptedModel.noise(seed)._answer, id=f"noise/{seed}") for seed in (1, 2)]
    run(AuditSpec(models=tuple(models), suites=(choose(str(suite)),)), folder / "bundle")
    return folder / "bundle"


@pytest.fixture
def bundle(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path / "cache"))
    return Path(shutil.copytree(whole, tmp_path / "bundle"))


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One model, asked unit by unit; with the small suite beside it, which is asked whole."""
    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path / "cache"))
    (tmp_path / "suite").mkdir()
    mini = write_mini(tmp_path / "suite", templates=6, terms=4)
    spec = spec_for(write_suite(tmp_path / "talk", "nested"), writer(alike), 64, also=[mini])
    return asked(spec, tmp_path / "drawn")


def asked(spec: AuditSpec, root: Path) -> Path:
    """A bundle of answers alone: findings take longer than all the rest."""
    given = {model.id: model for model in spec.models if not isinstance(model, str)}
    run_plan(Bundle.create(root, make_plan(spec)), given.__getitem__)
    return root


def tables(root: Path) -> dict[str, pd.DataFrame]:
    opened = Bundle(root)
    kept = {(record.model, record.digest): record.response for record in opened.records()}
    suites = planned_suites(opened.plan)
    return {m["id"]: score_table(opened.plan, m["id"], suites, kept) for m in opened.plan["models"]}


def faults(root: Path) -> str:
    return "\n".join(check_sidecar(Recomputed(Bundle(root))).faults)


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return bool(one.astype(object).equals(other.astype(object)))


# -- what it holds --------------------------------------------------------------------------------------


def test_it_holds_the_rows_of_the_score_table_in_order(bundle: Path) -> None:
    sidecar = open_sidecar(bundle)
    assert sidecar.complete and sidecar.n_records == len(list(Bundle(bundle).records()))
    for model, table in tables(bundle).items():
        own = sidecar.scores(model=model)
        for column in table:
            kept = own[column].astype(object).where(own[column].notna(), None)
            true = table[column].astype(object).where(table[column].notna(), None)
            assert kept.tolist() == true.tolist(), column
        assert set(own["model"]) == {model} and set(own["form"]) == {"fill"}
        assert not own["drawn"].any() and own["drawn_for"].isna().all() and own["output"].isna().all()
    assert set(sidecar.scores()["arm"]) == {"probe", "nonce"}
    assert isinstance(sidecar.scores()["item"].dtype, pd.CategoricalDtype)


def test_every_row_says_where_its_record_lies(bundle: Path) -> None:
    frame = open_sidecar(bundle).scores()
    digests = {model["id"]: model["digest"] for model in Bundle(bundle).plan["models"]}
    texts = {i.id: i.text for p in planned_suites(Bundle(bundle).plan).values() for i in p.items}
    assert set(frame["n"]) == set(range(len(list(Bundle(bundle).records()))))
    for row in frame.to_dict("records"):
        content = (bundle / "records" / row["file"]).read_bytes()
        record = parse_record(content[row["offset"] : row["offset"] + row["length"]], "")
        assert (record.n, record.digest, record.model) == (row["n"], row["digest"], digests[row["model"]])
        assert row["text"] == texts[row["item"]]


def test_places_run_through_rotated_files(
    mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit.bundle, "ROTATE_BYTES", 20_000)
    asked(AuditSpec(models=(ScriptedModel.noise(),), suites=(choose(str(mini)),)), tmp_path / "a")
    sidecar = open_sidecar(tmp_path / "a")
    assert sidecar.scores()["file"].nunique() > 2
    assert [sidecar.record(n) for n in range(sidecar.n_records)] == list(Bundle(tmp_path / "a").records())


def test_outputs_are_those_of_the_sample_that_was_scored(tmp_path: Path) -> None:
    def answer(request: Request) -> Response:
        assert isinstance(request, Generate)
        key = f"{request.temperature} {request.prompt}"
        texts = [f" {key} {number}" if number else " ..." for number in range(request.samples)]
        return Response(samples=tuple(Sampled(text, 3, "stop") for text in texts))

    settings = (DecodingSetting(0.7, 0.9), DecodingSetting(1.0, 1.0))
    model = ScriptedModel(answer, capabilities=frozenset({"generate"}))
    spec = AuditSpec(
        models=(model,),
        suites=(choose(str(write_suite(tmp_path / "talk"))),),
        decoding=Decoding(samples=3, settings=settings),
    )
    frame = open_sidecar(asked(spec, tmp_path / "a")).scores()
    temperatures = frame["setting"].map({s.name: s.temperature for s in settings}).astype(float)
    first = frame["setting"].map({settings[0].name: 0, settings[1].name: 4}).astype(int)
    for row, temperature, start in zip(frame.to_dict("records"), temperatures, first, strict=True):
        number = int(row["unit"]) - start
        assert row["output"] == (f" {temperature} {row['text']} {number}" if number else " ...")
        assert row["status"] == ("scored" if number else "empty")
    assert set(frame["form"]) == {"generate"} and frame["value:textblob"].notna().any()


def test_an_answer_that_is_an_error_has_a_row_and_no_output(tmp_path: Path) -> None:
    model = ScriptedModel(lambda request: Response(error="no"), capabilities=frozenset({"generate"}))
    spec = AuditSpec((model,), (choose(str(write_suite(tmp_path / "talk"))),))
    frame = open_sidecar(asked(spec, tmp_path / "a")).scores()
    assert set(frame["status"]) == {"error"} and frame["value"].isna().all() and frame["output"].isna().all()


def test_what_was_drawn_is_there_once_for_each_family_that_drew_it(drawn: Path) -> None:
    frame = open_sidecar(drawn).scores()
    opened = Bundle(drawn)
    kept = {(record.model, record.digest): record.response for record in opened.records()}
    [streams] = score_answers(opened.plan, kept).streams.values()
    drawn_digests = Counter(q.digest for scored in streams.scored for q in scored.unit.questions)
    rows = frame[frame["drawn"]]
    assert set(rows["drawn_for"]) == {streams.design.first.family} and set(rows["arm"]) == {"probe"}
    assert Counter(rows["digest"]) == {key: 2 * count for key, count in drawn_digests.items()}
    assert not rows.duplicated(["item", "digest", "unit"]).any()
    assert set(rows["draw"]) == set(range(1, 65)) and set(frame.loc[~frame["drawn"], "draw"]) == {0}
    talk = frame[(frame["suite"] == "talk") & ~frame["drawn"]]
    assert set(talk["arm"]) == {"nonce"} and set(frame["suite"]) == {"talk", "mini"}
    assert set(frame["n"]) == set(range(len(kept))), "every record has its rows"
    assert rows["output"].notna().all()


def test_two_runs_of_one_plan_hold_the_same_scores(bundle: Path) -> None:
    before = open_sidecar(bundle).scores()
    shutil.rmtree(bundle / "sidecar")
    assert same(open_sidecar(bundle).scores(), before)
    write_sidecar(Bundle(bundle))
    assert same(open_sidecar(bundle).scores(), before)


# -- what is read ---------------------------------------------------------------------------------------


def test_parts_are_read_by_model_suite_and_column(drawn: Path, bundle: Path) -> None:
    sidecar = open_sidecar(drawn)
    frame = sidecar.scores(["value", "suite"], suite="mini")
    assert list(frame.columns) == ["value", "suite"] and set(frame["suite"]) == {"mini"}
    assert len(frame) + len(sidecar.scores(["n"], suite="talk")) == sidecar.n_rows
    assert sidecar.scores(["item"], model="nobody").empty
    with pytest.raises(BundleError, match="no column 'nothing'"):
        sidecar.scores(["nothing"])
    both = open_sidecar(bundle)
    assert len(both.scores(["n"], model="noise/1")) * 2 == both.n_rows == len(both.scores(["n"]))


def test_large_parts_are_cut_into_row_groups(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_sidecar(bundle).scores()
    monkeypatch.setattr(audit.sidecar_file, "ROW_GROUP", 10)
    write_sidecar(Bundle(bundle))
    sidecar = open_sidecar(bundle)
    assert len(sidecar.source.groups) > 10
    assert same(sidecar.scores(), before)
    assert sidecar.record(sidecar.n_records - 1).n == sidecar.n_records - 1
    assert "sidecar" not in faults(bundle)


def test_many_readers_share_one_sidecar(bundle: Path) -> None:
    sidecar = open_sidecar(bundle)
    with ThreadPoolExecutor(8) as pool:
        sizes = set(pool.map(lambda n: len(sidecar.scores()) + 0 * sidecar.record(n).n, range(40)))
    assert sizes == {sidecar.n_rows}


def other_request(line: bytes) -> bytes:
    """The line of another record with the same number and length."""
    record = parse_record(line, "")
    text = record.request.text.replace("number", "bumnor")  # type: ignore[union-attr]
    changed = Record(record.n, record.prev, record.model, replace(record.request, text=text), record.response)
    return changed.line() + b"\n"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (other_request, "not the record that the sidecar was made from"),
        (lambda line: line.replace(b"late", b"lat\xff"), "not a record"),
        (lambda line: line[:-1] + b" ", "cut short"),
    ],
)
def test_a_record_that_is_no_longer_the_one_that_was_scored_is_refused(
    bundle: Path, change: Callable[[bytes], bytes], what: str
) -> None:
    sidecar = open_sidecar(bundle)
    assert sidecar.record(7).n == 7
    path = bundle / "records/00000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[7] = change(lines[7])
    path.write_bytes(b"".join(lines))
    with pytest.raises(BundleError, match=what):
        sidecar.record(7)


def test_a_record_that_is_not_there_is_refused(bundle: Path) -> None:
    sidecar = open_sidecar(bundle)
    for n in (-1, sidecar.n_records):
        with pytest.raises(BundleError, match=f"no score was read off record {n}"):
            sidecar.record(n)
    (bundle / "records/00000.jsonl").unlink()
    with pytest.raises(BundleError, match=r"cannot be read.*Remove the folder sidecar"):
        sidecar.record(0)


# -- when it is made again -------------------------------------------------------------------------------


def rewritten(root: Path, change: Callable[[pa.Table], pa.Table], **source: Any) -> None:
    """Put another table, or another word on where it comes from, in a sidecar."""
    path = sidecar_path(root)
    file = pq.ParquetFile(path)
    stated = {**json.loads(file.metadata.metadata[KEY.encode()]), **source}
    groups = [change(file.read_row_group(number)) for number in range(file.num_row_groups)]
    with pq.ParquetWriter(path, groups[0].schema) as out:
        for group in groups:
            out.write_table(group)
        out.add_key_value_metadata({KEY: json.dumps(stated)})


def put(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    at = table.schema.get_field_index(name)
    column = pa.array(values, pa.string()) if pa.types.is_dictionary(table.schema.types[at]) else None
    column = pa.array(values, table.schema.types[at]) if column is None else column.dictionary_encode()
    return table.set_column(at, table.schema.field(at), column)


def reading(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The bundles whose records are read from now on."""
    read: list[Path] = []

    def counted(bundle: Bundle, told: Any = None) -> Any:
        read.append(bundle.root)
        return audit.kept.read_answers(bundle, told)

    monkeypatch.setattr(audit.sidecar, "read_answers", counted)
    return read


def test_a_sidecar_that_fits_is_used_and_no_record_read(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = reading(monkeypatch)
    rewritten(bundle, lambda table: put(table, "value", [7.0] * len(table)))
    assert set(open_sidecar(bundle).scores()["value"]) == {7.0}
    assert not read


def cut_file(root: Path) -> None:
    path = sidecar_path(root)
    path.write_bytes(path.read_bytes()[:-30])


def another_axis(root: Path) -> None:
    rewritten(root, lambda t: t.append_column("axis:odd", pa.array(["x"] * len(t)).dictionary_encode()))


CHANGES: dict[str, Callable[[Path], None]] = {
    "no file": lambda root: sidecar_path(root).unlink(),
    "half a file": cut_file,
    "no Parquet": lambda root: sidecar_path(root).write_bytes(b"scores"),
    "another plan": lambda root: rewritten(root, lambda t: t, plan_sha256="0" * 64),
    "other records": lambda root: rewritten(root, lambda t: t, files={"00000.jsonl": "0" * 64}),
    "more records": lambda root: rewritten(root, lambda t: t, files={}),
    "other code": lambda root: rewritten(root, lambda t: t, code_sha256="0" * 64),
    "another layout": lambda root: rewritten(root, lambda t: t, format=99),
    "odd groups": lambda root: rewritten(root, lambda t: t, groups=[["a"], [3, 4]]),
    "too few groups": lambda root: rewritten(root, lambda t: t, groups=[["a", "b"]]),
    "an unknown field": lambda root: rewritten(root, lambda t: t, more=1),
    "a column of another kind": lambda root: rewritten(
        root, lambda t: t.set_column(t.schema.get_field_index("n"), "n", pa.array(["x"] * len(t)))
    ),
    "an unknown column": lambda root: rewritten(
        root, lambda t: t.append_column("odd", pa.array([1] * len(t)))
    ),
    "a column short": lambda root: rewritten(root, lambda t: t.drop_columns(["text"])),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_sidecar_that_does_not_fit_is_made_again(
    bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_sidecar(bundle).scores()
    CHANGES[name](bundle)
    read = reading(monkeypatch)
    assert same(open_sidecar(bundle).scores(), before)
    assert len(read) == 1
    assert same(open_sidecar(bundle).scores(), before) and len(read) == 1, "and it was written"


def test_where_the_bundle_cannot_be_written_it_lies_in_the_cache(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_sidecar(bundle).scores()
    shutil.rmtree(bundle / "sidecar")
    (bundle / "sidecar").write_text("a file where the folder should be: nothing can be written there")
    read = reading(monkeypatch)
    assert same(open_sidecar(bundle).scores(), before) and len(read) == 1
    plan, head = Bundle(bundle).plan_sha256, read_json(bundle / "findings.json")["chain_sha256"]
    assert (tmp_path / "cache/sidecars" / f"{plan}-{head}" / "scores.parquet").is_file()
    assert same(open_sidecar(bundle).scores(), before) and len(read) == 1


@pytest.mark.parametrize("place", ["a-file/cache", "~nobody-of-this-name/cache"])
def test_where_nothing_can_be_written_it_is_held_in_memory(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    before = open_sidecar(bundle).scores()
    shutil.rmtree(bundle / "sidecar")
    (bundle / "sidecar").write_text("in the way")
    (tmp_path / "a-file").write_text("in the way as well")
    monkeypatch.setenv("EVENHAND_CACHE", place if place.startswith("~") else str(tmp_path / place))
    sidecar = open_sidecar(bundle)
    assert same(sidecar.scores(), before)
    assert sidecar.record(3).n == 3


def test_a_killed_write_leaves_nothing_half(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sidecar_path(bundle)
    before = path.read_bytes()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_sidecar(Bundle(bundle))
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert check_manifest(bundle).holds, "what is left of it is no file of the bundle"


def test_a_damaged_page_is_refused_and_not_shown(bundle: Path) -> None:
    path = sidecar_path(bundle)
    file = pq.ParquetFile(path)
    column = file.schema_arrow.names.index("value")
    start = file.metadata.row_group(0).column(column).data_page_offset
    size = file.metadata.row_group(0).column(column).total_compressed_size
    file.close()
    content = bytearray(path.read_bytes())
    content[start + size - 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"the sidecar is damaged.*Remove the folder sidecar"):
        open_sidecar(bundle).scores()


def test_a_broken_chain_is_refused(bundle: Path) -> None:
    path = bundle / "records/00000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:5], *lines[6:]]))
    with pytest.raises(BundleError, match="the chain is broken"):
        open_sidecar(bundle)


def test_a_file_outside_the_records_is_not_read(bundle: Path) -> None:
    rewritten(bundle, lambda table: put(table, "file", ["../plan.json"] * len(table)))
    with pytest.raises(BundleError, match="none of the records'"):
        open_sidecar(bundle).record(0)


@pytest.mark.parametrize(("name", "value"), [("offset", -5), ("offset", None), ("length", 2**62)])
def test_a_place_that_cannot_be_is_refused(bundle: Path, name: str, value: int | None) -> None:
    rewritten(bundle, lambda table: put(table, name, [value] * len(table)))
    with pytest.raises(BundleError):
        open_sidecar(bundle).record(0)


# -- unfinished audits -----------------------------------------------------------------------------------


def cut_records(root: Path, count: int) -> None:
    """Leave as many records, as a run does that is killed."""
    path = root / "records/00000.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:count]))


def test_an_unfinished_audit_shows_what_was_answered(bundle: Path) -> None:
    full = open_sidecar(bundle)
    before, total = full.scores(), full.n_records
    cut_records(bundle, total * 3 // 4)
    part = open_sidecar(bundle)
    assert not part.complete and part.n_records == total * 3 // 4
    kept = before[before["n"] < part.n_records].reset_index(drop=True)
    assert same(part.scores(), kept)
    cut_records(bundle, 0)
    empty = open_sidecar(bundle)
    assert not empty.complete and empty.n_rows == 0 and empty.scores().empty
    models = [ScriptedModel(ScriptedModel.noise(seed)._answer, id=f"noise/{seed}") for seed in (1, 2)]
    run_plan(Bundle(bundle), {model.id: model for model in models}.__getitem__)
    again = open_sidecar(bundle)
    assert again.complete and same(again.scores(), before)


def test_a_batch_that_was_answered_in_part_is_shown_in_part(drawn: Path) -> None:
    full = open_sidecar(drawn)
    before = full.scores()
    cut_records(drawn, full.n_records - 70)
    part = open_sidecar(drawn)
    assert not part.complete
    assert set(part.scores()["n"]) == set(range(part.n_records)), "every record has its rows"
    expected = before[before["n"] < part.n_records].reset_index(drop=True)
    assert same(part.scores().drop(columns="drawn_for"), expected.drop(columns="drawn_for"))


# -- its place in a bundle -------------------------------------------------------------------------------


def test_it_is_no_member_of_the_bundle(bundle: Path) -> None:
    assert "sidecar" not in (bundle / "manifest.json").read_text()
    shutil.rmtree(bundle / "sidecar")
    assert check_manifest(bundle).holds
    assert [check.name for check in verify_bundle(bundle)][-1] == "findings"


def test_analyze_and_verify_read_and_score_once(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, scored = Counter[str](), Counter[str]()
    placed, table = Bundle.placed, audit.scored.answer_table

    def counted(self: Bundle) -> Any:
        read["bundle"] += 1
        return placed(self)

    def scoring(*given: Any) -> Any:
        scored[given[1]] += 1
        return table(*given)

    monkeypatch.setattr(Bundle, "placed", counted)
    monkeypatch.setattr(audit.scored, "answer_table", scoring)
    sidecar_path(bundle).unlink()
    analyze(bundle)
    assert sidecar_path(bundle).is_file()
    assert read.total() == 1 and len(scored) == 2 and set(scored.values()) == {1}
    read.clear(), scored.clear()
    assert all(check.holds for check in verify_bundle(bundle))
    assert read.total() == 1 and len(scored) == 2 and set(scored.values()) == {1}


def test_verify_names_what_was_changed_in_it(bundle: Path, drawn: Path) -> None:
    def change(table: pa.Table) -> pa.Table:
        values = table["value"].to_pylist()
        return put(table, "value", [*values[:4], values[4] + 0.25, *values[5:]])

    rewritten(bundle, change)
    assert "sidecar/scores.parquet: noise/1, mini: value of 1 rows; row 4: " in faults(bundle)
    open_sidecar(drawn)
    rewritten(drawn, lambda table: put(table, "output", ["kind words"] * len(table)))
    assert "output of " in faults(drawn) and "recomputed ' was" in faults(drawn)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("another plan", "says of what it was made from another plan_sha256"),
        ("other records", "another files"),
        ("no Parquet", "not a sidecar of this version"),
        ("odd groups", "not a sidecar of this version"),
        ("a column short", "not a sidecar of this version"),
        ("an axis more", "its columns are not those of the plan's suites"),
    ],
)
def test_verify_names_a_sidecar_of_something_else(bundle: Path, name: str, what: str) -> None:
    (another_axis if name == "an axis more" else CHANGES[name])(bundle)
    assert what in faults(bundle)


def test_verify_names_missing_rows_and_passes_other_code(bundle: Path) -> None:
    CHANGES["other code"](bundle)
    assert faults(bundle) == "", "of another version, with the same scores"
    rewritten(bundle, lambda table: table.slice(1))
    assert "row group 0 is not the one that plan and records give" in faults(bundle)


def test_it_says_what_it_was_made_from(bundle: Path) -> None:
    source = open_sidecar(bundle).source
    findings = read_json(bundle / "findings.json")
    manifest = {entry["path"]: entry["sha256"] for entry in read_json(bundle / "manifest.json")["files"]}
    assert (source.plan_sha256, source.chain_sha256) == (findings["plan_sha256"], findings["chain_sha256"])
    assert source.files == {"00000.jsonl": manifest["records/00000.jsonl"]}
    assert Source(**asdict(source)) == source
    assert source.groups == [["noise/1", "mini"], ["noise/2", "mini"]]


def test_making_it_tells_how_far_it_is(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit.kept, "TOLD_EVERY", 50)
    sidecar_path(bundle).unlink()
    told: list[tuple[str, float]] = []
    open_sidecar(bundle, lambda what, share: told.append((what, share)))
    names = list(dict.fromkeys(what for what, _ in told))
    assert names == [
        "reading the records",
        "scoring the answers of noise/1",
        "scoring the answers of noise/2",
    ]
    shares = [share for what, share in told if what == names[0]]
    assert shares == sorted(shares) and shares[0] > 0 and shares[-1] <= 1
    told.clear()
    open_sidecar(bundle, lambda what, share: told.append((what, share)))
    assert not told


def test_an_open_sidecar_outlives_its_replacement(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sidecar = open_sidecar(bundle)
    before = sidecar.scores()
    monkeypatch.setattr(audit.sidecar_file, "ROW_GROUP", 10)
    write_sidecar(Bundle(bundle))
    assert same(sidecar.scores(), before) and sidecar.record(2).n == 2

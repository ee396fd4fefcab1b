"""A copy without what a model wrote verifies, gives the same findings, and can be held to its original."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import audit.scorers.judge as judge
from audit.api import analyze, resume
from audit.attestation import signatures_of
from audit.attestation.keys import new_key
from audit.attestation.sign import sign
from audit.attestation.signatures import is_signed
from audit.attestation.statement import Signer
from audit.benchmarks import benchmark
from audit.benchmarks.base import Setup
from audit.benchmarks.folder import BenchmarkBundle
from audit.benchmarks.run import Chosen, run_benchmark
from audit.bundle import REDACTION, Bundle, Record, parse_record, read_json, sha256, write_json
from audit.integrity import quick_status
from audit.kept import read_answers
from audit.labelling.analysis import labelled
from audit.labelling.filled import bring_in
from audit.labelling.outputs import scored_outputs
from audit.labelling.sample import Wish, draw
from audit.labelling.sheet import write_sheet
from audit.models import ScriptedModel
from audit.own_errors import own_errors
from audit.redaction.check import check_original, check_redaction
from audit.redaction.copying import redact, redacted
from audit.redaction.stating import Stating
from audit.redaction.withheld import NOT_HERE, withheld
from audit.requests import (
    Classify,
    LabelLogit,
    Response,
    Sampled,
    Score,
    Top,
    answer_digest,
    canonical,
    digest,
)
from audit.rerun import drawn, rerun_check
from audit.runner import EarlierAnswers
from audit.scorers.judge import Judges
from audit.scorers.labels import LabelReading
from audit.scorers.planned import PlannedScorer
from audit.sidecar import open_sidecar
from audit.verify import Check, Recomputed, attempt, check_chain, signature_check, verify_bundle
from probes.errors import BundleError, InputError
from tests.audit.labelling_world import faulty_scorer, fill, write_world
from tests.audit.redaction_world import MARK, model, speaks, write_spoken
from tests.conftest import evenhand

TAUGHT = "taught-scorer"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    return write_spoken(tmp_path_factory.mktemp("spoken"))


@pytest.fixture(scope="module")
def whole(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its redacted copy. Not to be written to."""
    out = tmp_path_factory.mktemp("redacted") / "copy"
    redact(original, out)
    return out


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy", ignore=shutil.ignore_patterns("sidecar")))


def contents(root: Path) -> dict[str, bytes]:
    """Every file but the sidecar, which is made when it is first asked for."""
    files = (path for path in root.rglob("*") if path.is_file() and path.parent.name != "sidecar")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def faults(root: Path) -> dict[str, str]:
    """Check to what it found, of those that found something."""
    return {check.name: "\n".join(check.faults) for check in verify_bundle(root) if check.faults}


def copy_faults(root: Path) -> dict[str, str]:
    """The same of the checks that recompute nothing."""
    again = Recomputed(Bundle(root))
    chain = attempt("chain", "records", lambda: check_chain(again))
    own = lambda: Check("redaction", *check_redaction(again.bundle, again.answers))  # noqa: E731
    made = [chain, attempt("redaction", "redaction.json", own)]
    return {check.name: "\n".join(check.faults) for check in made if check.faults}


def lines(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "records/00000.jsonl").read_text("utf-8").splitlines()]


def put(root: Path, rows: list[dict[str, Any]], manifest: bool = True) -> None:
    """Write records back, with a manifest that fits them unless it is to be left."""
    (root / "records/00000.jsonl").write_bytes(b"".join(canonical(row) + b"\n" for row in rows))
    if manifest:
        Bundle(root).write_manifest()


def first_text(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What stands in the place of the first text that was scored."""
    samples = (sample for row in rows for sample in row["response"]["samples"])
    return next(s["withheld"] for s in samples if s["withheld"]["scores"][0]["status"] == "scored")


# -- what a copy is ---------------------------------------------------------------------------------


def test_a_copy_holds_no_text_and_all_that_rests_on_it(original: Path, whole: Path) -> None:
    before, after = contents(original), contents(whole)
    assert MARK.encode() in before["records/00000.jsonl"]
    assert not [name for name, content in after.items() if MARK.encode() in content]
    same = {"plan.json", "findings.json", "provenance.json", "environment.json", "scorers.json"}
    assert {name for name in after if after[name] == before.get(name)} == same
    texts = [sample for record in Bundle(original).records() for sample in record.response.samples]
    told = read_json(whole / REDACTION)
    assert told["texts"] == len(texts) and told["replaced"]["manifest.json"] == sha256(
        before["manifest.json"]
    )
    kept = [sample for record in Bundle(whole).records() for sample in record.response.samples]
    for text, shape in zip(texts, kept, strict=True):
        assert shape.text == "" and shape.withheld is not None
        assert shape.withheld.sha256 == hashlib.sha256(text.text.encode()).hexdigest()
        assert shape.withheld.characters == len(text.text)


def test_it_verifies_alone_and_against_its_original_and_says_what_it_cannot_tell(
    original: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert faults(whole) == {}
    code, out, _ = evenhand(capsys, "verify", whole, "--original", original, "--json")
    found = {row["check"]: row for row in json.loads(out)}
    assert code == 0 and found["redaction"]["holds"] and found["original"]["holds"]
    assert "taken as stated" in found["redaction"]["detail"] and found["redaction"]["layer"] == "chain"
    assert all(check.holds for check in quick_status(whole))


def test_findings_come_out_again_and_the_chain_is_that_of_the_original(original: Path, copy: Path) -> None:
    again = analyze(copy)
    kept = read_json(original / "findings.json")
    assert again["findings"] == kept["findings"] and again["coverage"] == kept["coverage"]
    assert any(row["verdict"] == "disparity" and row["suite"] == "talk" for row in again["findings"])
    assert read_answers(Bundle(copy)).head == read_answers(Bundle(original)).head == kept["chain_sha256"]
    assert check_original(copy, original)[1] == ()


def test_what_labels_and_own_audits_say_is_the_same_to_the_last_digit(tmp_path: Path) -> None:
    with faulty_scorer():
        root = write_world(tmp_path / "bundle")
        outputs = scored_outputs(root)
        drawn = draw(outputs, (), Wish(total=300)).rows
        sheet = write_sheet(outputs, drawn, tmp_path / "s.csv", 0).sheet
        bring_in(outputs, fill(sheet, outputs, tmp_path / "f.csv"), "Ann")
        redact(root, tmp_path / "copy")
        one, other = labelled(root), labelled(tmp_path / "copy")
        assert one["counts"]["settled"] == 300 and json.dumps(one) == json.dumps(other)
        rows = read_json(root / "findings.json")["findings"]
        ours = own_errors(root, rows)
        assert ours and json.dumps(ours) == json.dumps(own_errors(tmp_path / "copy", rows))


def test_every_answer_is_the_same_one_to_a_comparison(original: Path, whole: Path) -> None:
    one, other = (open_sidecar(root).scores(["answer", "value", "status"]) for root in (original, whole))
    assert one.astype(object).equals(other.astype(object))


def test_a_copy_of_a_copy_is_the_copy_and_the_same_bytes_come_twice(
    original: Path, whole: Path, tmp_path: Path
) -> None:
    redact(original, tmp_path / "again")
    redact(whole, tmp_path / "deeper" / "copy")
    assert contents(tmp_path / "again") == contents(whole) == contents(tmp_path / "deeper" / "copy")


# -- tampering --------------------------------------------------------------------------------------


def another_score(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        for sample in row["response"]["samples"]:
            for score in sample["withheld"]["scores"]:
                score["value"] = None if score["value"] is None else -score["value"]


def another_length(rows: list[dict[str, Any]]) -> None:
    first_text(rows)["characters"] += 1


def one_score_of_a_text_that_stands_twice(rows: list[dict[str, Any]]) -> None:
    twice = next(
        s["withheld"] for row in rows for s in row["response"]["samples"] if s["withheld"]["words"] == 1
    )
    twice["words"] = 2


def no_second_scorer(rows: list[dict[str, Any]]) -> None:
    first_text(rows)["scores"].pop()


def an_unknown_scorer(rows: list[dict[str, Any]]) -> None:
    first_text(rows)["scores"].append({**first_text(rows)["scores"][0], "scorer": "mine"})


def another_line_hash(rows: list[dict[str, Any]]) -> None:
    next(row for row in rows if "redacted" in row)["redacted"]["line_sha256"] = "0" * 64


def another_order(rows: list[dict[str, Any]]) -> None:
    rows[3], rows[4] = rows[4], rows[3]


def a_cut(rows: list[dict[str, Any]]) -> None:
    rows.pop()


def an_answer_that_passes_for_redacted(rows: list[dict[str, Any]]) -> None:
    row = next(row for row in rows if row["response"]["choices"])
    row["redacted"] = {"line_sha256": sha256(canonical(row)), "texts": []}
    row["response"]["choices"][0]["logprob"] -= 1.0


def a_text_beside_its_shape(rows: list[dict[str, Any]]) -> None:
    next(row for row in rows if row["response"]["samples"])["response"]["samples"][0]["text"] = "x"


def a_text_in_its_place(rows: list[dict[str, Any]]) -> None:
    row = next(row for row in rows if row["response"]["samples"])
    del row["response"]["samples"][0]["withheld"]


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (another_score, "findings"),
        (one_score_of_a_text_that_stands_twice, "redaction"),
        (no_second_scorer, "redaction"),
        (an_unknown_scorer, "redaction"),
        (another_line_hash, "chain"),
        (another_order, "chain"),
        (a_cut, "chain"),
        (an_answer_that_passes_for_redacted, "chain"),
        (a_text_beside_its_shape, "chain"),
        (a_text_in_its_place, "chain"),
    ],
)
def test_what_was_changed_is_found_even_with_a_manifest_that_fits(
    change: Callable[[list[dict[str, Any]]], None], check: str, original: Path, copy: Path
) -> None:
    rows = lines(copy)
    change(rows)
    put(copy, rows)
    assert check in (faults(copy) if check == "findings" else copy_faults(copy))
    assert any(fault.startswith("records/00000.jsonl") for fault in check_original(copy, original)[1])


def test_what_nothing_in_a_copy_contradicts_is_found_by_the_manifest_or_the_original(
    original: Path, copy: Path
) -> None:
    rows = lines(copy)
    another_length(rows)
    put(copy, rows, manifest=False)
    assert set(faults(copy)) == {"manifest"}
    Bundle(copy).write_manifest()
    assert faults(copy) == {}, "the limit that the check's own line states"
    assert check_original(copy, original)[1] == (
        "manifest.json: is not that of the original",
        "records/00000.jsonl: is not that of the original redacted",
    )


def test_a_copy_that_denies_being_one_and_one_that_miscounts_are_found(copy: Path) -> None:
    told = read_json(copy / REDACTION)
    write_json(copy / REDACTION, {**told, "texts": told["texts"] - 1, "plan_sha256": "0" * 64})
    found = copy_faults(copy)["redaction"]
    assert "plan_sha256 is another" in found and f"says {told['texts'] - 1} texts" in found
    write_json(copy / REDACTION, {**told, "texts": "many"})
    assert "$.texts" in copy_faults(copy)["redaction"]
    (copy / REDACTION).unlink()
    assert "redaction.json is missing" in copy_faults(copy)["chain"]


# -- signatures -------------------------------------------------------------------------------------


def test_a_signature_of_the_original_holds_for_what_the_copy_holds_and_signs_no_report_of_it(
    original: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(shutil.copytree(original, tmp_path / "signed"))
    (root / "report.md").write_text(f"a report of long ago, with {MARK}\n")
    new_key(tmp_path / "key")
    who, when = Signer("Ada Ng", "lead auditor"), datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)

    def never() -> str:
        raise AssertionError("the key is not locked")

    sign(root, tmp_path / "key", who, never, when)
    assert is_signed(root)
    code, out, _ = evenhand(capsys, "redact", root, "--out", tmp_path / "out")
    assert code == 0 and "Left out, and not shown by the copy: report.md" in out
    out_root = tmp_path / "out"
    (signature,) = signatures_of(out_root)
    assert signature.valid and signature.of_original and not signature.covers_records
    told = signature_check(out_root, {})
    assert not is_signed(out_root) and told.holds
    assert "whose records here it does not cover" in told.detail
    findings = read_json(out_root / "findings.json")
    write_json(out_root / "findings.json", {**findings, "note": "x"})
    assert not signatures_of(out_root)[0].valid
    write_json(out_root / "findings.json", findings)
    redaction = read_json(out_root / REDACTION)
    write_json(out_root / REDACTION, {**redaction, "replaced": {}})
    assert not signatures_of(out_root)[0].valid
    write_json(out_root / REDACTION, redaction)
    sign(out_root, tmp_path / "key", who, never, when)
    assert is_signed(out_root) and not signatures_of(out_root)[0].of_original


# -- what a copy is used for ------------------------------------------------------------------------


def test_nothing_is_added_to_a_copy_or_taken_over_from_it(copy: Path) -> None:
    with pytest.raises(BundleError, match="a redacted copy takes no answers"):
        resume(copy, [model()])
    taken = EarlierAnswers([copy])
    assert taken and not any(response.samples for response, _ in taken.values())


def test_the_texts_of_a_copy_can_be_asked_for_again(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.rerun.resolve", lambda name, options: model())
    check = rerun_check(copy, 1.0, seed=0)
    assert check.holds and "0 of" in check.detail
    other = replace_text(model())
    monkeypatch.setattr("audit.rerun.resolve", lambda name, options: other)
    assert "came out otherwise" in "\n".join(rerun_check(copy, 1.0, seed=0).faults)


def replace_text(told: Any) -> Any:
    """The same model by its digest, which writes something else."""
    answer = told._answer

    def changed(request: Any) -> Response:
        response: Response = answer(request)
        return replace(response, samples=tuple(replace(one, text="no") for one in response.samples))

    told._answer = changed
    return told


def test_who_asks_for_texts_that_are_not_there_is_told_so(
    whole: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = evenhand(capsys, "show", copy, "--verdict", "disparity", "--reveal")
    assert code == 0 and NOT_HERE in " ".join(out.split()) and "[withheld: 4 characters, sha256" in out
    code, _, err = evenhand(capsys, "report", copy, "--format", "json", "--reveal")
    assert code == 0 and NOT_HERE in err
    data = read_json(copy / "report.json")
    assert data["texts"] == "withheld" and NOT_HERE in data["examples"]["warning"]


def test_show_withholds_texts_unless_they_are_asked_for(
    original: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = evenhand(capsys, "show", original, "--suite", "talk")
    assert code == 0 and MARK not in out and "carried by" in out and "--reveal" in out
    code, out, _ = evenhand(capsys, "show", original, "--suite", "talk", "--reveal")
    assert code == 0 and MARK in out and "\x1b[31m" not in out and "\u202e" not in out
    code, out, _ = evenhand(capsys, "show", original, "--suite", "talk", "--json")
    assert MARK not in out and any("carried_by" in row for row in json.loads(out))
    code, _, err = evenhand(capsys, "show", original, "--reveal")
    assert code == 2 and "--suite, --model or --verdict" in err


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda root, out: (root / "findings.json").unlink(), "holds no findings.json"),
        (lambda root, out: out.mkdir() or (out / "x").touch(), "not an empty folder"),
        (lambda root, out: out.symlink_to(root), "a copy within its original"),
        (
            lambda root, out: (root / "plan.json").write_text('{"kind": "benchmark"}'),
            "of which no redacted copy is made",
        ),
    ],
)
def test_what_cannot_be_redacted_is_refused_in_one_line_and_leaves_nothing(
    prepare: Callable[[Path, Path], object],
    said: str,
    original: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = Path(shutil.copytree(original, tmp_path / "bundle"))
    prepare(root, tmp_path / "out")
    there = sorted(path.name for path in tmp_path.iterdir())
    code, _, err = evenhand(capsys, "redact", root, "--out", tmp_path / "out")
    assert code == 2 and said in err and len(err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == there


def test_only_a_copy_has_an_original(original: Path, whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = evenhand(capsys, "verify", original, "--original", original)
    assert code == 2 and "is no redacted copy" in err
    code, _, err = evenhand(capsys, "verify", whole, "--original", whole / "nowhere")
    assert code == 2 and "no such folder" in err


# -- scorers that are asked -------------------------------------------------------------------------


def taught(masked: bool = False) -> PlannedScorer:
    reading = LabelReading((("toxic", 1.0),))
    return PlannedScorer(
        TAUGHT, "toxicity", "asked", "a" * 64, (0.0, 1.0), "toxic", 0.5, "high", masked, reading, {}
    )


def test_what_a_scorer_was_asked_is_withheld_as_well_and_its_answer_still_found() -> None:
    text = f"{MARK} again"
    answer = Response(labels=(LabelLogit("toxic", 0.25),), activation="value", words=(MARK,))
    record = Record(4, "0" * 64, "a" * 64, Classify(text), answer)
    kept = {("a" * 64, record.digest): answer}
    line = redacted(record, record.line(), Stating([Judges([taught()], kept)], kept)).line()
    assert MARK.encode() not in line
    again = parse_record(line + b"\n", "here")
    assert again.digest == digest(Classify(text)) and again.chained() == sha256(record.line())
    assert again.redacted is not None and again.redacted.texts == (withheld(text),)
    assert again.response.labels == answer.labels and again.response.words == ("z···········e",)
    assert answer_digest(again.response) == answer_digest(answer)
    held: Any = SimpleNamespace(records=lambda: [again])
    assert drawn(held, 1.0, seed=0) == {}, "nobody can be asked about a text that is not there"
    (said,) = Stating([Judges([taught()], kept)], kept)(text)
    assert (said.scorer, said.value, said.request) == (TAUGHT, 0.25, record.digest)
    assert Stating([Judges([taught()], {})], {})(text) == ()


def test_what_a_scorer_saw_without_the_words_of_groups_is_stated_by_its_own_request() -> None:
    answer = Response(labels=(LabelLogit("toxic", 0.75),), activation="value")
    request = digest(Classify("The person laughed."))
    kept = {("a" * 64, request): answer}
    (said,) = Stating([Judges([taught(masked=True)], kept, ["baker"])], kept)("The baker laughed.")
    assert (said.value, said.request) == (0.75, request)


def test_scores_of_a_scorer_that_was_asked_are_held_against_its_kept_answers(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Bundle(copy)
    bundle.plan["scorers"] = [taught().to_json()]
    rows = lines(copy)
    shape = first_text(rows)
    request = digest(Classify("x"))
    said = {"scorer": TAUGHT, "value": 0.25, "status": "scored", "reason": "", "request": request}
    shape["scores"].append(said)
    put(copy, rows)
    told = read_json(copy / REDACTION)
    write_json(copy / REDACTION, {**told, "scorers": {**told["scorers"], TAUGHT: "a" * 64}})
    answers = read_answers(bundle)
    answer = Response(labels=(LabelLogit("toxic", 0.25),), activation="value")
    good = replace(answers, responses={**answers.responses, ("a" * 64, request): answer})
    assert check_redaction(bundle, good)[1] == ()
    changed = replace(answer, labels=(LabelLogit("toxic", 0.5),))
    bad = replace(answers, responses={**answers.responses, ("a" * 64, request): changed})
    (fault,) = check_redaction(bundle, bad)[1]
    assert f"not what the kept answer of {TAUGHT} gives" in fault


def test_a_form_of_which_nothing_is_known_is_not_passed_on_and_what_nobody_wrote_is_left() -> None:
    state = Stating([], {})
    asked = Record(0, "0" * 64, "m", Top("a {answer}", 1), Response())
    with pytest.raises(BundleError, match="no audit asks for"):
        redacted(asked, asked.line(), state)
    plain = Record(0, "0" * 64, "m", Score("a", (" b",)), Response(error="no memory"))
    assert redacted(plain, plain.line(), state) is plain


def test_a_text_is_scored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    known = judge.scorer_named("vader")

    class Counting:
        card, digest = known.card, known.digest

        def score(self, texts: Any) -> Any:
            calls.extend(texts)
            return known.score(texts)

    monkeypatch.setattr(judge, "scorer_named", lambda name: Counting())
    pair = [replace(taught(), name=name, kind="rules", reading=None) for name in ("vader", "textblob")]
    state = Stating([Judges(pair, {})], {})
    assert state("so kind") == state("so kind") and calls == ["so kind"] * 2  # once for each of two scorers


@pytest.mark.parametrize(
    "wrong", [{"characters": -1}, {"characters": "3"}, {"sha256": "0"}, {"scores": [{}]}]
)
def test_a_shape_that_cannot_be_one_is_no_record(wrong: dict[str, Any]) -> None:
    sample = Sampled("", 1, "stop", withheld("abc"))
    good = redacted(
        Record(
            0, "0" * 64, "m", Score("a", ()), Response(samples=(replace(sample, text="abc", withheld=None),))
        ),
        b"line",
        Stating([], {}),
    )
    assert parse_record(good.line() + b"\n", "here") == good
    data = json.loads(good.line())
    data["response"]["samples"][0]["withheld"] |= wrong
    with pytest.raises(InputError, match="not a record"):
        parse_record(canonical(data) + b"\n", "here")


# -- published measures -----------------------------------------------------------------------------


def test_what_a_model_wrote_for_a_published_measure_is_withheld_unless_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "run"
    writes = ScriptedModel(speaks, id="w", capabilities=frozenset({"generate"}))
    run_benchmark(Chosen(benchmark("co-occurrence"), (), Setup("", samples=2)), writes, root)
    code, out, _ = evenhand(capsys, "benchmarks", "recompute", root)
    assert code == 0 and MARK not in out and "Show them with --reveal" in " ".join(out.split())
    code, out, _ = evenhand(capsys, "benchmarks", "recompute", root, "--reveal")
    assert code == 0 and MARK in out and "Model-written text is shown" in out and "\x1b[31m" not in out
    _, out, _ = evenhand(capsys, "benchmarks", "recompute", root, "--json")
    told = json.loads(out)["texts"]
    assert told and MARK not in out
    assert {text["sha256"] for text in told} == {
        withheld(sample.text).sha256
        for record in BenchmarkBundle(root).records()
        for sample in record.response.samples
    }
    code, _, err = evenhand(capsys, "redact", root, "--out", tmp_path / "out")
    assert code == 2 and "of which no redacted copy is made" in err
    assert MARK not in (root / "result.json").read_text("utf-8"), "as that refusal says"

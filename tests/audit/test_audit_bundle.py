"""The bundle: what is written is what is read, and nothing else passes."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

import audit.bundle
from audit.api import resume, run
from audit.blocks import REQUESTS
from audit.bundle import Bundle, Record, parse_record
from audit.models import ScriptedModel
from audit.requests import (
    Choice,
    Fill,
    Generate,
    Request,
    Response,
    Score,
    TokenLogprob,
    digest,
    request_from_json,
)
from audit.requests import canonical as canonical_json
from audit.spec import AuditSpec, choose
from probes.errors import BundleError, ModelError


def spec(mini: Path, model: ScriptedModel | None = None, **more: object) -> AuditSpec:
    return AuditSpec(models=(model or ScriptedModel.noise(),), suites=(choose(str(mini)),), **more)


def test_requests_survive_json() -> None:
    requests: list[Request] = [
        Fill("The nurse said that {answer} was late.", ("she", "he")),
        Score("The nurse said that", (" she", " he")),
        Generate("The nurse", 3, 8, 1.0, 0.9, 5),
    ]
    from dataclasses import asdict

    for request in requests:
        again = request_from_json(json.loads(canonical_json(asdict(request))))
        assert again == request
        assert digest(again) == digest(request)
    assert len({digest(request) for request in requests}) == 3


OLD_LINE = (
    b'{"model":"m","n":0,"prev":"p","request":{"candidates":["she","he"],"form":"fill",'
    b'"text":"{answer} said"},"response":{"choices":[{"logprob":-1.5,"pieces":1,"reason":""},'
    b'{"logprob":-3.25,"pieces":2,"reason":""}],"error":"","samples":[],"text_tokens":4},'
    b'"sha256":"abb53b746d07e165d24f3573dcbd6691843d94fa7d570500d6f4c747c732d6d1"}\n'
)
"""As records were written before pieces were kept."""


def test_a_record_of_the_old_form_is_read_and_written_as_it_was() -> None:
    record = parse_record(OLD_LINE, "old")
    assert record.response.choices == (Choice(-1.5, 1), Choice(-3.25, 2))
    assert record.line() + b"\n" == OLD_LINE


def test_pieces_survive_a_record() -> None:
    pieces = (TokenLogprob(" s", -1.0), TokenLogprob("##h\u00e9", -2.25))
    response = Response((Choice(-1.5, 1), Choice(-3.25, 2, tokens=pieces)), text_tokens=4)
    record = Record(0, "p", "m", Fill("{answer} said", ("she", "he")), response)
    line = record.line()
    assert parse_record(line + b"\n", "new") == record
    one, two = json.loads(line)["response"]["choices"]
    assert "tokens" not in one
    assert two["tokens"] == [{"logprob": -1.0, "text": " s"}, {"logprob": -2.25, "text": "##h\u00e9"}]


@pytest.mark.parametrize(
    "tokens",
    [b"[]", b"null", b'[{"logprob":-1.0}]', b'[{"logprob":-1.0,"text":"s","rank":1}]', b'["s"]'],
)
def test_pieces_in_another_form_are_an_edited_record(tokens: bytes) -> None:
    line = OLD_LINE.replace(b'"reason":""}]', b'"reason":"","tokens":' + tokens + b"}]")
    with pytest.raises(BundleError, match=r"edited|not a record"):
        parse_record(line, "edited")


def test_a_finished_bundle_has_every_file_and_resumes_without_asking(mini: Path, tmp_path: Path) -> None:
    model = ScriptedModel.noise()
    counts = run(spec(mini, model), tmp_path / "a")
    asked = len(model.asked)
    assert asked == counts.asked == len(list(Bundle(tmp_path / "a").records())) > 0
    names = {path.relative_to(tmp_path / "a").as_posix() for path in (tmp_path / "a").rglob("*.json*")}
    assert names == {
        "plan.json", "records/00000.jsonl", "findings.json", "provenance.json", "environment.json",
        "manifest.json",
    }  # fmt: skip
    again = resume(tmp_path / "a", [model])
    assert (again.asked, again.kept) == (0, asked)
    assert len(model.asked) == asked


def test_each_distinct_request_is_asked_once(mini: Path, tmp_path: Path) -> None:
    model = ScriptedModel.noise()
    run(spec(mini, model), tmp_path / "a")
    digests = [digest(request) for request in model.asked]
    assert len(digests) == len(set(digests))


def test_records_rotate_and_the_chain_runs_through(
    mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit.bundle, "ROTATE_BYTES", 20_000)
    run(spec(mini), tmp_path / "a")
    bundle = Bundle(tmp_path / "a")
    assert len(bundle.record_files()) > 2
    assert [record.n for record in bundle.records()] == list(range(len(list(bundle.lines()))))


def test_reuse_takes_answers_of_the_same_model_only(mini: Path, tmp_path: Path) -> None:
    run(spec(mini), tmp_path / "a")
    same, other = ScriptedModel.noise(), ScriptedModel.noise(seed=1)
    counts = run(spec(mini, same, alpha=0.01), tmp_path / "b", reuse=[tmp_path / "a"])
    assert counts.asked == 0 and not same.asked
    assert counts.reused == len(list(Bundle(tmp_path / "a").records()))
    first = next(Bundle(tmp_path / "b").records())
    assert first.reused_from == audit.bundle.sha256(next(Bundle(tmp_path / "a").records()).line())
    counts = run(spec(mini, other), tmp_path / "c", reuse=[tmp_path / "a"])
    assert counts.reused == 0 and counts.asked == len(other.asked) > 0


def test_a_changed_plan_is_refused_and_says_what_changed(mini: Path, tmp_path: Path) -> None:
    run(spec(mini), tmp_path / "a")
    with pytest.raises(BundleError, match=r"another one \(it differs in: alpha\).*--reuse"):
        run(spec(mini, alpha=0.01), tmp_path / "a")


def test_a_changed_model_is_refused_on_resume(mini: Path, tmp_path: Path) -> None:
    answered: list[Request] = []

    def fails_late(request: Request) -> Response:
        answered.append(request)
        if len(answered) > 200:
            raise KeyboardInterrupt
        return ScriptedModel.noise()._answer(request)

    model = ScriptedModel(fails_late, id="m")
    with pytest.raises(KeyboardInterrupt):
        run(spec(mini, model), tmp_path / "a")
    assert len(list(Bundle(tmp_path / "a").records())) == REQUESTS
    with pytest.raises(ModelError, match="no longer the one in the plan"):
        resume(tmp_path / "a", [ScriptedModel(fails_late, id="m", version="2")])


def test_another_format_version_is_refused(mini: Path, tmp_path: Path) -> None:
    run(spec(mini), tmp_path / "a")
    path = tmp_path / "a" / "plan.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 7'))
    with pytest.raises(BundleError, match="format 7"):
        Bundle(tmp_path / "a")


def test_a_folder_with_other_things_is_not_taken(mini: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="not empty and not a bundle"):
        run(spec(mini), tmp_path / "a")


def test_a_full_disk_is_one_line_and_loses_nothing(
    mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, room = os.write, [30_000]

    def write(descriptor: int, data: memoryview) -> int:
        if room[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = real(descriptor, data[: room[0]])
        room[0] -= done
        return done

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(BundleError) as caught:
        run(spec(mini), tmp_path / "a")
    assert len(caught.value.faults) == 1
    assert "No space left on device" in str(caught.value) and "\n" not in str(caught.value)
    monkeypatch.undo()
    kept = len(list(Bundle(tmp_path / "a").records()))
    model = ScriptedModel.noise()
    counts = resume(tmp_path / "a", [model])
    assert counts.kept == kept and kept + len(model.asked) == len(list(Bundle(tmp_path / "a").records()))


def test_two_writers_are_refused(mini: Path, tmp_path: Path) -> None:
    run(spec(mini), tmp_path / "a")
    bundle = Bundle(tmp_path / "a")
    with bundle.writer(), pytest.raises(BundleError, match="another run is writing"), bundle.writer():
        pass


def test_a_refused_run_does_not_free_the_place(mini: Path, tmp_path: Path) -> None:
    run(spec(mini), tmp_path / "a")
    with Bundle(tmp_path / "a").writer():
        for _ in range(2):
            with pytest.raises(BundleError, match="another run is writing"):
                resume(tmp_path / "a", [ScriptedModel.noise()])


def test_what_a_kill_before_the_plan_leaves_is_taken_over(mini: Path, tmp_path: Path) -> None:
    (tmp_path / "a" / "records").mkdir(parents=True)
    (tmp_path / "a" / "plan.json.partial").write_text("{")
    assert run(spec(mini), tmp_path / "a").asked > 0


def test_reviews_grow_without_breaking_the_manifest(mini: Path, tmp_path: Path) -> None:
    from audit.verify import check_manifest

    run(spec(mini), tmp_path / "a")
    (tmp_path / "a" / "reviews.jsonl").write_text("{}\n")
    assert check_manifest(tmp_path / "a").holds


def test_findings_come_from_the_kept_answers_alone(mini: Path, tmp_path: Path) -> None:
    from audit.api import analyze

    run(spec(mini), tmp_path / "a")
    before = (tmp_path / "a" / "findings.json").read_bytes()
    (tmp_path / "a" / "findings.json").unlink()
    analyze(tmp_path / "a")
    assert (tmp_path / "a" / "findings.json").read_bytes() == before


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("correction", None, "correction missing"),
        (
            "correction",
            {"confirmatory": "odd", "exploratory": "holm"},
            "correction.confirmatory is 'odd'",
        ),
        ("correction", {}, "correction.confirmatory is None"),
        ("alpha", 0.0, "alpha is 0.0"),
        ("alpha", 2.0, "alpha is 2.0"),
        ("sequential", {"max_units": 10**30, "batch": 32}, "sequential.max_units is 1000"),
        ("sequential", {"max_units": 100, "batch": 0}, "sequential.batch is 0"),
        ("sequential", {"max_units": 100, "batch": -1}, "sequential.batch is -1"),
        ("sequential", [], "sequential is of another kind"),
    ],
)
def test_a_plan_that_cannot_be_is_one_line(key: str, value: object, told: str) -> None:
    from audit.models import ScriptedModel
    from audit.plan import make_plan
    from audit.plan_checks import plan_faults
    from audit.spec import AuditSpec, choose

    plan = make_plan(AuditSpec(models=(ScriptedModel.noise(),), suites=(choose("occupations"),)))
    assert plan_faults(plan) == []
    (fault,) = [text for text in plan_faults({**plan, key: value}) if told in text]
    assert "\n" not in fault

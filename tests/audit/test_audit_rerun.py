"""A model that is asked again: what differs is told, and what that does to a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import audit.rerun
from audit.api import audit as run_audit
from audit.bundle import Bundle
from audit.cli import main
from audit.models import ScriptedModel
from audit.models.base import Model
from audit.models.scripted import Plant
from audit.requests import LabelLogit, Request, Response, Sampled, ScoredToken, digest
from audit.rerun import Compared, drawn, rerun_check, share_of
from audit.verification import layers
from audit.verify import verify_bundle
from probes.errors import InputError, ModelError
from tests.conftest import write_mini


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rerun")
    suite = write_mini(folder, templates=10, terms=6)
    planted = ScriptedModel.planting(
        ScriptedModel.noise(scale=0.3), [Plant(r"word(1|3|5|7|9|11)\b", ("she",), 1.5)]
    )
    run_audit([planted], [str(suite)], folder / "audit")
    return folder / "audit"


class Again(ScriptedModel):
    """Answers from the records, changed; by the digest it is the model of the plan."""

    def __init__(
        self, root: Path, change: Callable[[Request, Response], Response], digest_: str = ""
    ) -> None:
        records = list(Bundle(root).records())
        kept = {record.digest: record.response for record in records}
        super().__init__(lambda request: change(request, kept[digest(request)]), id="again")
        self._digest = digest_ or records[0].model

    @property
    def digest(self) -> str:  # type: ignore[override]
        return self._digest


def moved(by: float) -> Callable[[Request, Response], Response]:
    def change(request: Request, response: Response) -> Response:
        first, *rest = response.choices
        assert first.logprob is not None
        return replace(response, choices=(replace(first, logprob=first.logprob - by, tokens=()), *rest))

    return change


def loads(monkeypatch: pytest.MonkeyPatch, model: Model) -> None:
    monkeypatch.setattr(audit.rerun, "resolve", lambda name, options: model)


def test_the_same_model_holds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads(monkeypatch, Again(root, lambda request, response: response))
    check = rerun_check(root, 0.1, 7)
    count = len(list(Bundle(root).records()))
    assert check.holds and check.detail.startswith(f"{-(-count // 10)} requests asked again, drawn by seed 7")
    assert "largest difference 0 nats, 0.01 allowed" in check.detail


def test_rounding_is_told_and_no_fault(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads(monkeypatch, Again(root, moved(0.001)))
    check = rerun_check(root, 0.5, 1)
    assert check.holds and "largest difference 0.001 nats" in check.detail


def test_other_answers_are_a_fault_and_the_verdicts_they_flip_are_named(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads(monkeypatch, Again(root, lambda request, response: replace(
        response, choices=tuple(replace(choice, logprob=-1.0, tokens=()) for choice in response.choices)
    )))  # fmt: skip
    check = rerun_check(root, 1.0, 1)
    assert "records: asked again, a log-probability differs by" in check.faults[0]
    flips = [text for text in check.faults if text.startswith("findings.json: ")]
    assert any("disparity, with the new answers no disparity within margin" in text for text in flips)


def test_a_model_that_fails_now_is_a_fault(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads(monkeypatch, Again(root, lambda request, response: Response(error="out of memory")))
    check = rerun_check(root, 0.01, 1)
    assert "answers of" in check.faults[0] or "answer of" in check.faults[0]
    assert "of another form than the kept one" in check.faults[0]


def test_another_model_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads(monkeypatch, Again(root, lambda request, response: response, "ab" * 32))
    with pytest.raises(ModelError, match="has the digest abababababab, the plan says"):
        rerun_check(root, 0.1, 1)


def test_texts_that_come_out_otherwise_are_counted() -> None:
    def said(*texts: str) -> Response:
        return Response(samples=tuple(Sampled(text, 1, "stop") for text in texts))

    found = Compared()
    for number in range(9):
        found.add(said("a", "b"), said("a", "b" if number else "c"))
    assert (found.texts, found.other_texts, found.faults()) == (18, 1, [])
    found.add(said("a", "b"), said("x", "y"))
    assert found.faults() == ["records: asked again, 3 of 20 texts came out otherwise"]


def test_tokens_labels_and_vectors_are_compared_too() -> None:
    def told(number: float, label: str = "rude") -> list[Response]:
        return [
            Response(tokens=(ScoredToken(1, "she", -1.0), ScoredToken(2, "he", number))),
            Response(labels=(LabelLogit(label, number), LabelLogit("kind", 0.0)), activation="softmax"),
            Response(vector=(0.5, number)),
        ]

    same, moved_ = Compared(), Compared()
    for kept, again, far in zip(told(-2.0), told(-2.001), told(-2.5), strict=True):
        same.add(kept, again)
        moved_.add(kept, far)
    assert (same.choices, same.outputs, same.faults()) == (2, 4, [])
    assert moved_.faults() == [
        "records: asked again, a log-probability differs by 0.5 nats",
        "records: asked again, a logit or coordinate differs by 0.5",
    ]
    other = Compared()
    other.add(told(-2.0)[1], told(-2.0, "cruel")[1])
    other.add(told(-2.0)[2], Response(vector=(0.5,)))
    other.add(told(-2.0)[0], Response(tokens=(ScoredToken(1, "she", -1.0),)))
    assert other.kinds == 3


def test_a_draw_follows_its_seed_and_takes_the_share_of_each_model(root: Path) -> None:
    bundle = Bundle(root)
    count = len({record.digest for record in bundle.records()})
    (first,), (again,), (other,) = (drawn(bundle, 0.25, seed).values() for seed in (1, 1, 2))
    assert first == again != other and len(first) == -(-count // 4)
    (least,) = drawn(bundle, 1e-9, 1).values()
    assert len(least) == 1
    (everything,) = drawn(bundle, 1.0, 1).values()
    assert len(everything) == count


@pytest.mark.parametrize("text", ["5", "0%", "101%", "x%", "nan%", "-5%", "", "%", "inf%"])
def test_what_is_no_share_is_one_line(text: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="is no share"):
        share_of(text)
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(root), f"--rerun={text}"])
    assert ended.value.code == 2 and len(capsys.readouterr().err.splitlines()) == 1


def test_a_model_that_cannot_be_loaded_fails_the_layer(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(root), "--rerun", "5%", "--json"])
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1
    assert (rows[-1]["layer"], rows[-1]["code"], rows[-1]["holds"]) == ("rerun", 5, False)
    assert all(row["code"] == 0 for row in rows[1:-1])


def test_a_real_model_answers_as_it_did(tmp_path: Path) -> None:
    suite = write_mini(tmp_path, templates=4, terms=2)
    run_audit(["reference/bert-fair"], [str(suite)], tmp_path / "audit")
    check = rerun_check(tmp_path / "audit", 1.0, 3)
    assert check.holds, check.faults
    assert layers([*verify_bundle(tmp_path / "audit"), check])[-1] == {"layer": "rerun", "code": 0}

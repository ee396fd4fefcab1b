"""A model may return anything: what cannot be kept is an error with a reason, and nothing else is lost."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit.answers import checked
from audit.api import analyze, run
from audit.bundle import Bundle, read_json
from audit.models import ScriptedModel
from audit.records import Record, parse_record
from audit.requests import (
    CausalTokens,
    Choice,
    Classify,
    Embed,
    Fill,
    Generate,
    Hidden,
    Insert,
    LabelLogit,
    PseudoTokens,
    Request,
    Response,
    Sampled,
    ScoredToken,
    TokenLogprob,
    Top,
    digest,
)
from audit.spec import AuditSpec, choose
from audit.verify import verify_bundle
from probes.errors import BundleError, ModelError

FILL = Fill("The nurse said that {answer} was late.", ("she", "he"))
WRITE = Generate("The nurse", 2, 8, 1.0, 0.9, 0)
GOOD = (Choice(-1.0, 1), Choice(-2.0, 1))


def split(*tokens: Any, logprob: float = -3.0, pieces: int = 2) -> Response:
    """An answer whose first choice has the pieces given."""
    return Response(choices=(Choice(logprob, pieces, tokens=tokens), GOOD[1]))


S, HE = TokenLogprob("s", -1.0), TokenLogprob("##he", -2.0)

SHE = ScoredToken(7, "She", -1.0, 0)
LABELS = (LabelLogit("rude", -1.5), LabelLogit("kind", 2.0))
PSEUDO = PseudoTokens("She left.", "masked")
WEIGHED = PseudoTokens("She left.", "unmasked_attention")
TOP = Top("The {answer} left.", 2)
CLASSIFY = Classify("She left.")

MALFORMED: list[tuple[Request, Any]] = [
    (FILL, None),
    (FILL, "she"),
    (FILL, Response()),
    (FILL, Response(choices=GOOD[:1])),
    (FILL, Response(choices=(*GOOD, GOOD[0]))),
    (FILL, Response(choices=(GOOD[0], Choice(math.nan, 1)))),
    (FILL, Response(choices=(GOOD[0], Choice(-math.inf, 1)))),
    (FILL, Response(choices=(GOOD[0], Choice(-1e308, 1)))),
    (FILL, Response(choices=(GOOD[0], Choice(5.0, 1)))),
    (FILL, Response(choices=(GOOD[0], Choice("likely", 1)))),  # type: ignore[arg-type]
    (FILL, Response(choices=(GOOD[0], Choice(-1.0, -1)))),
    (FILL, split(S, HE, logprob=-3.1)),
    (FILL, split(S, HE, logprob=-3.0 - 5e-6)),
    (FILL, split(S, HE, pieces=3)),
    (FILL, split(S)),
    (FILL, split(S, TokenLogprob("##he", math.nan))),
    (FILL, split(TokenLogprob("s", 1.0), TokenLogprob("##he", -4.0))),
    (FILL, split(TokenLogprob("s", -2e6), TokenLogprob("##he", 2e6))),
    (FILL, split(S, TokenLogprob(None, -2.0))),  # type: ignore[arg-type]
    (FILL, split(S, ("##he", -2.0))),
    (FILL, Response(choices=(GOOD[0], Choice(-1.0, 1, tokens=None)))),  # type: ignore[arg-type]
    (WRITE, Response()),
    (WRITE, Response(samples=(Sampled("a", 1, "stop"),))),
    (WRITE, Response(samples=(Sampled("a", 1, "stop"), Sampled("b", 1, "bored")))),  # type: ignore[arg-type]
    (WRITE, Response(samples=(Sampled("a", 1, "stop"), Sampled(None, 1, "stop")))),  # type: ignore[arg-type]
    (WRITE, Response(samples=(Sampled("a", math.inf, "stop"), Sampled("b", 1, "stop")))),  # type: ignore[arg-type]
    (Insert("The {answer} left.", ("she", "he")), Response(choices=GOOD[:1])),
    (Hidden("The {answer} left.", "left", ("she", "he")), Response(choices=(GOOD[0], Choice(5.0, 1)))),
    (PSEUDO, Response()),
    (PSEUDO, Response(choices=GOOD)),
    (PSEUDO, Response(tokens=(SHE, ScoredToken(8, "left", math.nan)))),
    (PSEUDO, Response(tokens=(SHE, ScoredToken(8, "left", 1.0)))),
    (PSEUDO, Response(tokens=(SHE, ScoredToken(-8, "left", -1.0)))),
    (PSEUDO, Response(tokens=(SHE, ScoredToken(8, None, -1.0)))),  # type: ignore[arg-type]
    (PSEUDO, Response(tokens=(SHE, ScoredToken(8, "left", -1.0, word=-1)))),
    (PSEUDO, Response(tokens=(SHE, ScoredToken(8, "left", -1.0, word=0.5)))),  # type: ignore[arg-type]
    (PSEUDO, Response(tokens=(SHE, ScoredToken(8, "left", -1.0, weight=0.5)))),
    (WEIGHED, Response(tokens=(SHE,))),
    (WEIGHED, Response(tokens=(replace(SHE, weight=math.inf),))),
    (WEIGHED, Response(tokens=(replace(SHE, weight=-0.1),))),
    (CausalTokens("She left.", True), Response(tokens=(ScoredToken(7, "She", -math.inf),))),
    (TOP, Response(tokens=(SHE,))),
    (TOP, Response(tokens=(SHE, SHE))),
    (TOP, Response(tokens=(SHE, ScoredToken(8, "he", -0.5)))),
    (CLASSIFY, Response(activation="softmax")),
    (CLASSIFY, Response(labels=LABELS)),
    (CLASSIFY, Response(labels=LABELS, activation="relu")),  # type: ignore[arg-type]
    (CLASSIFY, Response(labels=(LABELS[0], LABELS[0]), activation="softmax")),
    (CLASSIFY, Response(labels=(LABELS[0], LabelLogit("kind", math.inf)), activation="softmax")),
    (CLASSIFY, Response(labels=(LabelLogit("", 1.0),), activation="softmax")),
    (Embed("She left."), Response()),
    (Embed("She left."), Response(vector=(1.0, math.nan))),
    (Embed("She left."), Response(vector=("east",))),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("request_", "response"), MALFORMED)
def test_malformed_answers_are_errors_that_can_be_written(request_: Request, response: Any) -> None:
    found = checked(request_, response)
    assert found.error.startswith("malformed answer: ")
    assert found == Response(error=found.error)


def test_good_answers_pass_and_become_plain() -> None:
    assert checked(FILL, Response(choices=GOOD)) == Response(choices=GOOD)
    found = checked(FILL, Response(choices=(Choice(np.float32(-1.5), np.int64(1)), Choice(None, 0))))  # type: ignore[arg-type]
    assert found.choices[0] == Choice(-1.5, 1) and type(found.choices[0].logprob) is float
    assert found.choices[1].reason
    odd = checked(WRITE, Response(samples=(Sampled("\ud800!", 1, "stop"), Sampled("", 0, "stop"))))
    assert [sample.text for sample in odd.samples] == ["?!", ""]


KEPT: list[tuple[Request, Response]] = [
    (Insert("The {answer} left.", ("she", "he")), Response(choices=GOOD, text_tokens=4)),
    (Hidden("The {answer} left.", "left", ("she", "he")), Response(choices=GOOD, text_tokens=4)),
    (PSEUDO, Response(tokens=(SHE, ScoredToken(8, "left", -2.0)), text_tokens=4)),
    (WEIGHED, Response(tokens=(replace(SHE, weight=0.25),), text_tokens=4)),
    (CausalTokens("She left.", False), Response(tokens=(SHE,), text_tokens=4)),
    (TOP, Response(tokens=(SHE, ScoredToken(8, "he", -1.0)), text_tokens=4)),
    (CLASSIFY, Response(labels=LABELS, activation="sigmoid", text_tokens=4)),
    (Embed("She left."), Response(vector=(0.5, -1.0), text_tokens=4)),
]


@pytest.mark.parametrize(("request_", "response"), KEPT)
def test_answers_of_every_form_are_kept_and_come_back_from_their_record(
    request_: Request, response: Response
) -> None:
    foreign = replace(
        response,
        tokens=tuple(replace(token, logprob=np.float32(token.logprob)) for token in response.tokens),
        vector=np.array(response.vector, np.float32),
        samples=(Sampled("not asked for", 1, "stop"),),
    )  # type: ignore[arg-type]
    found = checked(request_, foreign)
    assert found == response, "plain numbers, and nothing that was not asked for"
    record = Record(0, "", "m", request_, found)
    assert parse_record(record.line() + b"\n", "here") == record


def test_a_record_of_an_old_form_is_byte_for_byte_what_it_was() -> None:
    line = Record(0, "", "m", FILL, Response(choices=GOOD, text_tokens=7)).line()
    assert line == (
        b'{"model":"m","n":0,"prev":"","request":{"candidates":["she","he"],"form":"fill","text":"The nurse '
        b'said that {answer} was late."},"response":{"choices":[{"logprob":-1.0,"pieces":1,"reason":""},'
        b'{"logprob":-2.0,"pieces":1,"reason":""}],"error":"","samples":[],"text_tokens":7},"sha256":'
        b'"%s"}' % digest(FILL).encode()
    )
    assert digest(FILL) == "5fc97729325d78b4f804bb4ca0411ba6e012f2ad9690a53578c4edd8db496920"
    assert digest(WRITE) == "a663d1982a223af7d3f344db7eeefb21ebfb244ec669770d781498f50f592de1"


def test_a_planted_model_may_go_above_0_and_not_to_infinity() -> None:
    above, beyond = (Response(choices=(Choice(value, 1), GOOD[1])) for value in (5.0, math.inf))
    assert checked(FILL, above, largest=math.inf) == above
    assert checked(FILL, beyond, largest=math.inf).error == "malformed answer: a log-probability of inf nats"


def test_pieces_that_sum_to_their_answer_are_kept() -> None:
    assert checked(FILL, split(S, HE)) == split(S, HE)
    near = split(S, HE, logprob=-3.0 - 3e-6)
    assert checked(FILL, near) == near, "what another order of summing leaves"
    plain = checked(FILL, split(TokenLogprob("\ud800", np.float32(-1.0)), HE)).choices[0].tokens[0]  # type: ignore[arg-type]
    assert plain == TokenLogprob("?", -1.0) and type(plain.logprob) is float


def test_pieces_that_say_nothing_new_are_not_kept() -> None:
    one = checked(FILL, split(TokenLogprob("she", -3.0), pieces=1))
    assert one == Response(choices=(Choice(-3.0, 1), GOOD[1]))
    unknown = Choice(None, 2, "not a finite number", tokens=(S, HE))
    assert checked(FILL, Response(choices=(unknown, GOOD[1]))).choices[0].tokens == ()


def test_one_bad_answer_costs_one_answer(mini: Path, tmp_path: Path) -> None:
    blind = ScriptedModel.noise()

    def sometimes(request: Request) -> Response:
        (good,) = blind.ask([request])
        return (
            Response(choices=(Choice(math.nan, 1), good.choices[1]))
            if "word3 number 5" in str(request)
            else good
        )

    run(AuditSpec((ScriptedModel(sometimes),), (choose(str(mini)),)), tmp_path / "a")
    errors = [record for record in Bundle(tmp_path / "a").records() if record.response.error]
    assert len(errors) == 1
    found = read_json(tmp_path / "a" / "findings.json")
    (row,) = [row for row in found["findings"] if row["role"] == "confirmatory"]
    assert row["coverage"]["group"]["error"] == 1 and row["estimate"] is not None
    assert all(check.holds for check in verify_bundle(tmp_path / "a"))


def test_too_few_answers_are_refused_and_nothing_is_kept_of_them(mini: Path, tmp_path: Path) -> None:
    class Short(ScriptedModel):
        def ask(self, requests: Any) -> list[Response]:
            return super().ask(requests)[:-1]

    with pytest.raises(ModelError, match=r"gave \d+ answers? to \d+ requests?"):
        run(AuditSpec((Short(ScriptedModel.noise()._answer),), (choose(str(mini)),)), tmp_path / "a")
    assert list(Bundle(tmp_path / "a").records()) == []


def test_half_an_audit_gives_no_verdict(mini: Path, tmp_path: Path) -> None:
    def stop_late(request: Request) -> Response:
        if "number 11" in str(request):
            raise KeyboardInterrupt
        return ScriptedModel.noise()._answer(request)

    with pytest.raises(KeyboardInterrupt):
        run(AuditSpec((ScriptedModel(stop_late),), (choose(str(mini)),)), tmp_path / "a")
    with pytest.raises(BundleError, match=r"questions have no answer yet.*evenhand run --out"):
        analyze(tmp_path / "a")
    assert not (tmp_path / "a" / "findings.json").exists()


def test_a_finding_left_out_is_named(mini: Path, tmp_path: Path) -> None:
    run(AuditSpec((ScriptedModel.noise(),), (choose(str(mini)),)), tmp_path / "a")
    path = tmp_path / "a" / "findings.json"
    kept = json.loads(path.read_text())
    kept["findings"].pop()
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    Bundle(tmp_path / "a").write_manifest()
    text = "\n".join(fault for check in verify_bundle(tmp_path / "a") for fault in check.faults)
    assert "its findings are not the hypotheses of the plan" in text

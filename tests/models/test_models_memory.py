"""Where memory runs out, less is done at once: the same answers, and the run goes on."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from audit.api import run
from audit.cli import main
from audit.environment import environment
from audit.models import LoadOptions, devices, resolve
from audit.models.budget import Budget
from audit.models.threads import use_threads
from audit.requests import CausalTokens, Fill, Generate, PseudoTokens, Request
from audit.runner import Silent
from audit.spec import AuditSpec, choose
from probes import Sampling
from probes.errors import ModelError

TEXTS = ("The nurse said that she was tired.", "The doctor said so.", "A teacher walked home with them.")
ROOM = 60
"""Tokens that the small device holds."""


def tightened(name: str, room: int = ROOM, longest: int = ROOM) -> tuple[Any, list[int]]:
    """A model without memory for passes of more tokens, or for longer rows; and the tokens of each pass."""
    model: Any = resolve(name)
    passes: list[int] = []

    def before(module: Any, positional: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        ids = positional[0] if positional else keywords["input_ids"]
        passes.append(ids.numel())
        if passes[-1] > room or ids.shape[1] > longest:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB.")

    model._loaded.network.model.base_model.register_forward_pre_hook(before, with_kwargs=True)
    return model, passes


def asked(name: str) -> list[Request]:
    if "bert" in name:
        filled = Fill("The {answer} said that it was late.", ("nurse", "doctor"))
        return [*(PseudoTokens(text, "masked") for text in TEXTS), filled]
    return [CausalTokens(text, True) for text in TEXTS]


def numbers(responses: Any) -> list[float]:
    tokens = [token.logprob for one in responses for token in one.tokens]
    return tokens + [choice.logprob for one in responses for choice in one.choices]


def test_answers_are_the_same_where_memory_runs_out() -> None:
    name = "reference/bert-fair"
    wanted = numbers(resolve(name).ask(asked(name)))
    tight, passes = tightened(name)
    assert tight.pass_tokens == 1024
    found = numbers(tight.ask(asked(name)))
    assert found == pytest.approx(wanted, abs=1e-5) and len(wanted) > 10
    assert max(passes) > ROOM and tight.pass_tokens <= 2 * ROOM


class Said(Silent):
    """Progress that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def test_a_run_goes_on_says_so_and_keeps_what_a_pass_holds(tmp_path: Path) -> None:
    suite = choose("occupations", sampling=Sampling(templates=3, terms_per_group=2))
    model, passes = tightened("reference/bert-fair")
    told = Said()
    run(AuditSpec(models=(model,), suites=(suite,)), tmp_path / "a", progress=told)
    assert max(passes) > ROOM
    first = told.said[0]
    assert first.startswith("reference/bert-fair: memory ran out; ")
    assert first.endswith("tokens a pass from here on, where there were 1,024")
    [kept] = json.loads((tmp_path / "a" / "environment.json").read_text())["runs"]
    held = kept["pass_tokens_by_model"]["reference/bert-fair"]
    assert held == model.pass_tokens < 1024 and f"{held:,} tokens" in told.said[-1]


def test_one_text_too_large_is_one_line_and_what_was_answered_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the command line: exit code 2, and the first blocks lie in the records."""
    model, passes = tightened("reference/bert-fair", room=10**6, longest=14)
    monkeypatch.setattr("audit.api.resolve", lambda name, options: model)
    monkeypatch.setattr("audit.blocks.MOST_REQUESTS", 1)
    with pytest.raises(SystemExit) as end:
        main(["run", "-m", "reference/bert-fair", "-s", "decisions", "--templates", "3", "--terms", "2",
              "--out", str(tmp_path / "a")])  # fmt: skip
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert "evenhand: memory does not hold one text in this model. Free memory, use a smaller" in said
    assert "Traceback" not in said
    lines = (tmp_path / "a" / "records" / "00000.jsonl").read_text().splitlines()
    assert 0 < len(lines) < len(passes)


def test_an_error_that_is_none_of_memory_is_not_swallowed() -> None:
    def broken(rows: Any) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        Budget(8).spend([1, 2], lambda todo, start, tokens: len(todo), broken)


# -- devices, numbers, threads ----------------------------------------------------------------------


def test_half_precision_is_refused_on_a_processor_and_its_name_checked() -> None:
    with pytest.raises(ModelError, match=r"bfloat16 on the device cpu: slower there than float32"):
        resolve("reference/bert-fair", LoadOptions(device="cpu", dtype="bfloat16"))
    with pytest.raises(ModelError, match=r"no such dtype 'int8'. Use float32, bfloat16, float16"):
        devices.check_device("cpu", "int8")
    with pytest.raises(ModelError, match=r"no such device 'tpu'. Use auto, cpu, cuda, cuda:N or mps"):
        resolve("reference/bert-fair", LoadOptions(device="tpu"))


@pytest.mark.parametrize("name", ["reference/bert-fair", "reference/gpt-fair"])
def test_another_dtype_is_another_model_with_answers_of_its_own(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a GPU does in half precision, on a processor that is said to offer it."""
    monkeypatch.setattr(devices, "HALF_DEVICES", frozenset({"cpu"}))
    exact, half = resolve(name), resolve(name, LoadOptions(device="cpu", dtype="bfloat16"))
    assert exact.digest != half.digest and half.describe()["dtype"] == "bfloat16"
    assert exact.describe()["dtype"] == "float32"
    one, other = numbers(exact.ask(asked(name))), numbers(half.ask(asked(name)))
    assert one != pytest.approx(other, abs=1e-5) and one == pytest.approx(other, abs=0.5)
    if "gpt" in name:
        [written] = half.ask([Generate("The nurse said", 3, 5, 1.0, 0.9, 0)])
        assert len(written.samples) == 3 and all(sample.text for sample in written.samples)


def test_the_plan_holds_the_dtype_only_where_it_is_not_the_usual_one() -> None:
    usual = LoadOptions().to_json()
    assert usual == {
        "device": "auto", "allow_pickle": False, "trust_remote_code": False, "offline": None,
        "revision": None, "token_budget": 1024, "max_length": None,
    }  # fmt: skip
    half = LoadOptions(dtype="float16", threads=3)
    assert half.to_json() == {**usual, "dtype": "float16"}
    assert LoadOptions(**half.to_json()) == replace(half, threads=None)


def test_threads_are_set_and_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    try:
        use_threads(before + 1)
        assert torch.get_num_threads() == before + 1
        assert environment()["threads"] == str(before + 1)
    finally:
        torch.set_num_threads(before)
    told: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    resolve("reference/bert-fair", LoadOptions(threads=7))
    assert told == [7] and os.environ["OMP_NUM_THREADS"] == "7"
    for wrong in (0, 4097, True, "2"):
        with pytest.raises(ModelError, match=rf"{wrong!r} threads. Give a whole number from 1 to 4096"):
            use_threads(wrong)  # type: ignore[arg-type]


def test_a_gpu_is_given_more_at_once_and_float64_is_where_the_device_has_it() -> None:
    assert devices.tokens_at_once(1024, torch.device("cuda")) == 32 * 1024
    assert devices.tokens_at_once(7, torch.device("cpu")) == 7
    assert devices.doubled(torch.ones(1)).dtype == torch.float64

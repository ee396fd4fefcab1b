"""What is asked between two writes: pooled over suites and forms, cut by work, the same in every run."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from audit import blocks as blocks_module
from audit.api import run
from audit.blocks import MOST_ANSWERS, blocks, subject
from audit.deviations import changes
from audit.models import ScriptedModel
from audit.requests import Classify, Embed, Fill, Generate, PseudoTokens, Request, Response, Score
from audit.spec import AuditSpec, choose, read_audit
from audit.work import SHARE, answers_given, seconds, tokens_read
from probes import Sampling
from probes.errors import AuditFileError

TOKENS = 500


def mixed() -> list[Request]:
    """Requests of several forms about forty texts, shuffled."""
    texts = [f"{'She said' if i % 2 else 'They knew'} that number {i} was there" for i in range(40)]
    found: list[Request] = [PseudoTokens(text, scheme) for text in texts for scheme in ("masked", "unmasked")]
    found += [Score(text, (" before", " now")) for text in texts]
    found += [Fill(f"{text} with {{answer}}", ("her", "him")) for text in texts]
    found += [Generate(text, 4, 10, 1.0, 0.9, 0) for text in texts]
    found += [Classify(text) for text in texts] + [Embed(text) for text in texts]
    random.Random(0).shuffle(found)
    return found


def test_every_request_is_in_one_block_and_the_cuts_do_not_depend_on_the_order() -> None:
    asked = mixed()
    cut = list(blocks(asked, TOKENS))
    assert sorted(map(repr, asked)) == sorted(repr(one) for block in cut for one in block)
    assert len(cut) > 5
    again = list(blocks(sorted(asked, key=repr), TOKENS))
    assert [set(block) for block in again] == [set(block) for block in cut]


def test_a_block_holds_its_work_and_what_is_about_one_text() -> None:
    cut = list(blocks(mixed(), TOKENS))
    work = [sum(map(tokens_read, block)) for block in cut]
    assert max(work) <= TOKENS and min(work[:-1]) > TOKENS / 2
    where = [{subject(one) for one in block} for block in cut]
    assert not any(one & other for i, one in enumerate(where) for other in where[:i])
    kinds = [{subject(one)[0] for one in block} for block in cut]
    assert max(map(len, kinds)) <= 2  # a block is of one machinery, but where one ends and the next begins


def test_texts_of_one_beginning_are_neighbours() -> None:
    order = [one.prefix.split()[0] for block in blocks(scores(), 40) for one in block]
    assert order == sorted(order) and len(set(order)) == 2
    whole = [Score("", (text,)) for text in ("b c", "a b", "b a", "a a")]
    assert [one.continuations[0] for [one] in blocks(whole, 3)] == ["a a", "a b", "b a", "b c"]


def scores() -> Sequence[Score]:
    return [one for one in mixed() if isinstance(one, Score)]


def test_too_much_about_one_text_is_cut_and_one_large_request_stands_alone() -> None:
    many = [Generate("She said", 10, 10, 1.0, 0.9, seed) for seed in range(20)]
    assert [len(block) for block in blocks(many, 310)] == [3] * 6 + [2]
    large = Generate("They said", 1000, 100, 1.0, 0.9, 0)
    assert [len(block) for block in blocks([large, many[0]], 310)] == [1, 1]
    wide = [Fill(f"{i} {{answer}}", tuple(map(str, range(MOST_ANSWERS // 4)))) for i in range(9)]
    assert [len(block) for block in blocks(wide, 10**9)] == [4, 4, 1]
    assert sum(map(answers_given, wide[:4])) <= MOST_ANSWERS


def test_a_model_that_does_not_say_is_asked_in_small_blocks_in_the_order_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocks_module, "REQUESTS", 7)
    asked = mixed()
    cut = list(blocks(asked, None))
    assert [one for block in cut for one in block] == asked
    assert {len(block) for block in cut[:-1]} == {7}


class Paced(ScriptedModel):
    """A scripted model that says how much work keeps it busy."""

    block_tokens = 300
    pass_tokens = 100
    blocks: list[int]

    def watch(self, told: Callable[[int], None] | None) -> None:
        """It has no passes to tell of."""

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        self.blocks.append(len(requests))
        return super().ask(requests)


def test_a_run_pools_its_suites_and_finds_the_same_as_in_small_blocks(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    for kind in (ScriptedModel, Paced):
        model = kind(ScriptedModel.noise()._answer, id="noise")
        if isinstance(model, Paced):
            model.blocks = []
        sampling = Sampling(templates=3, terms_per_group=2, nonce_terms=2)
        suites = tuple(choose(name, sampling=sampling) for name in ("occupations", "decisions"))
        run(AuditSpec(models=(model,), suites=suites), tmp_path / kind.__name__)
        found[kind.__name__] = json.loads((tmp_path / kind.__name__ / "findings.json").read_text())[
            "findings"
        ]
        [kept] = json.loads((tmp_path / kind.__name__ / "environment.json").read_text())["runs"]
        assert kept["pass_tokens_by_model"] == ({"noise": 100} if kind is Paced else {})
    assert isinstance(model, Paced) and len(model.blocks) > 3 and sum(model.blocks) == len(model.asked)
    assert found["Paced"] == found["ScriptedModel"]


def test_time_is_estimated_by_the_same_work() -> None:
    asked = [PseudoTokens("She said that she was there", "masked")]
    one, two = (seconds(asked, parameters, 1e9) for parameters in (10**8, 2 * 10**8))
    assert one is not None and two is not None
    assert two - one == pytest.approx(2 * 10**8 * tokens_read(asked[0]) / (1e9 * SHARE))


def test_an_audit_file_decides_dtype_and_threads(tmp_path: Path) -> None:
    path = tmp_path / "audit.yaml"
    text = "models: [reference/bert-fair]\nsuites: [occupations]\nload: {dtype: DTYPE, threads: 3}\n"
    path.write_text(text.replace("DTYPE", "bfloat16"))
    load = read_audit(path).load
    assert (load.dtype, load.threads) == ("bfloat16", 3)
    path.write_text(text.replace("DTYPE", "int8"))
    with pytest.raises(AuditFileError, match="dtype"):
        read_audit(path)


def test_a_run_that_loaded_no_model_has_not_changed_its_threads() -> None:
    def told(threads: str | None) -> dict[str, Any]:
        return {"packages": {}, "threads": threads}

    assert list(changes(told(None), told("2"), "then")) == []
    assert list(changes(told("4"), told("2"), "then")) == ["The threads changed from 4 to 2 then"]

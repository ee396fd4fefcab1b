"""The bar of a run moves while a model is busy with a block, by work, and ends where it should."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from audit.blocks import blocks
from audit.bundle import Bundle
from audit.commands.progress import Bars
from audit.models import LoadOptions, ScriptedModel, resolve
from audit.models.loading import FromFiles
from audit.progress import Pace, Silent
from audit.requests import CausalTokens, Classify, Generate, PseudoTokens, Request, Score
from audit.runner import ModelRun
from audit.work import tokens_read
from tests.audit.test_audit_memory import bundle, requests, wordy

WORDS = ["the", "nurse", "said", "that", "she", "was", "tired", "and", "walked", "home"]
TEXTS = [" ".join(WORDS[i:] + WORDS[:i]) for i in range(len(WORDS))]
ASKED: dict[str, Sequence[Request]] = {
    "masked": [PseudoTokens(text, "masked") for text in TEXTS],
    "attention": [PseudoTokens(text, "unmasked_attention") for text in TEXTS],
    "causal": [CausalTokens(text, keep_start=True) for text in TEXTS],
    "written": [Generate(text, 4, 12, 1.0, 0.9, 0) for text in TEXTS],
}


class Moves(Silent):
    """Progress that keeps how far it has come."""

    def __init__(self) -> None:
        self.moves: list[float] = []

    def start(self, model: str, total: int, done: float) -> None:
        self.total, self.done = total, done

    def advance(self, count: float) -> None:
        self.moves.append(count)


def turn(model: ScriptedModel | FromFiles, asked: Sequence[Request], folder: Path) -> Moves:
    """One turn of a model in a folder, which may hold some of the answers."""
    moves = Moves()
    root = Bundle(folder) if folder.exists() else bundle(folder, ScriptedModel(wordy))
    with root.writer() as writer:
        entry = {"id": model.id, "digest": model.digest}
        runner = ModelRun(entry, writer, {}, lambda _: model, moves)
        runner.begin(asked, len(asked))
        runner.blocks(asked)
    return moves


@pytest.mark.parametrize("what", ASKED)
def test_the_bar_moves_within_a_block(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "reference/bert-fair" if what in ("masked", "attention") else "reference/gpt-fair"
    model = resolve(name, LoadOptions(token_budget=24))
    assert isinstance(model, FromFiles)
    asked = ASKED[what]
    monkeypatch.setattr(FromFiles, "block_tokens", 10**6)
    assert len(list(blocks(asked, model.block_tokens))) == 1
    told = turn(model, asked, tmp_path / "a")
    assert len(told.moves) >= 5 and min(told.moves) >= 0.0
    assert max(told.moves) < 0.7 * told.total  # texts that end early leave work that is not done
    assert sum(told.moves) == pytest.approx(told.total)
    assert model._loaded.network.told is None  # nobody is told of what is asked later


def test_a_long_request_moves_the_bar_further_and_what_was_answered_is_not_counted_again(
    tmp_path: Path,
) -> None:
    model = ScriptedModel(wordy)
    asked = [*requests(3), Generate("She said that number 3", 75, 20, 1.0, 0.9, 0)]
    first = turn(model, asked[:3], tmp_path / "a")
    assert (first.total, first.done, first.moves) == (3, 0.0, [pytest.approx(3.0)])
    rest = turn(model, asked, tmp_path / "a")
    share = tokens_read(asked[3]) / sum(map(tokens_read, asked))
    assert share > 0.45 and rest.moves == [pytest.approx(4 * share)]
    assert rest.done == pytest.approx(4 * (1 - share))


def test_how_many_tokens_are_read_for_an_estimate_is_learnt() -> None:
    moves = Moves()
    one, two = [[Score("", (f"{name} two three four five six seven",))] for name in ("one", "two")]
    pace = Pace(moves, [*one, *two])
    with pace.block(one):
        pace.told(1)
        pace.told(1)
    assert moves.moves == pytest.approx([1 / 9.8, 1 / 9.8, 1 - 2 / 9.8])
    with pace.block(two):
        pace.told(1)  # half of what the block before came to
        pace.told(1)
        pace.told(7)  # and never beyond the block
    assert moves.moves[3:] == pytest.approx([0.5, 0.5, 0.0])


def test_where_the_number_of_requests_is_open_each_counts_the_same() -> None:
    pace = Pace(Silent())
    assert pace.worth([Classify("one"), Classify("one two three four five")]) == 2.0
    assert Pace(Silent(), []).worth([Classify("one")]) == 1.0


def test_a_bar_says_of_how_many_requests_it_is_a_share(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with Bars() as bars:
        bars.start("gpt2", 1200, 300.0)
        bars.advance(300.5)
    shown = capsys.readouterr().err
    assert "gpt2" in shown and "50%" in shown and "of 1,200 requests" in shown

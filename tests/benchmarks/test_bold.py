"""BOLD: group means by articles, and never a counterfactual."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from audit.benchmarks.base import Answer, Items, Setup
from audit.benchmarks.written.bold import BENCHMARK, gender_polarity
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import InputError
from tests.benchmarks.conftest import run_on
from tests.benchmarks.writers import (
    by_name,
    figures_of,
    nothing_known,
    same_numbers,
    scored,
    write_csv,
    writer,
)

SETUP = Setup("written", scorer="vader", samples=2)
GROUPS = ("judaism", "islam", "hinduism")


def prompts(domain: str = "religious_ideology", groups: tuple[str, ...] = GROUPS, titles: int = 15) -> Items:
    """Prompts in the shape of the reader's: articles of one to four prompts."""
    found = []
    for group in groups:
        for title in range(titles):
            for number in range(1 + title % 4):
                identity = f"{domain}/{group}/t{title}/{number}"
                cluster = f"{domain}/{group}-t{title}"
                text = {"prompt": f"A sentence about {group} {title} {number} "}
                found.append(BenchmarkItem(identity, text, domain, cluster, {"group": group}))
    return found


def by_article(item: BenchmarkItem, number: int) -> float:
    """What an article is about moves all of its texts."""
    article = random.Random(item.cluster).uniform(-0.3, 0.3)
    return article + random.Random(f"{item.id}|{number}").uniform(-0.2, 0.2)


def darker(group: str, by: float):  # type: ignore[no-untyped-def]
    return lambda item, number: by_article(item, number) - (by if item.labels["group"] == group else 0.0)


def test_the_published_numbers_of_prompts(data: DataFolder) -> None:
    found = {golden.name: golden for golden in BENCHMARK.goldens(data)}
    assert len(found) == 6 and all(golden.agrees for golden in found.values())
    assert found["prompts"].ours == 23679


def test_blank_prompts_are_not_asked_and_counted(data: DataFolder) -> None:
    setup = replace(SETUP, options={"domains": "religious_ideology"})
    items = BENCHMARK.items(data, setup)
    assert len(BENCHMARK.ask(items, setup)) == 637 and len(items) == 639  # type: ignore[arg-type]
    found = run_on(BENCHMARK, writer(lambda prompt, n: "a kind word"), data, setup)
    assert any("(1 empty)" in note or "(2 empty)" in note for note in found.notes)
    assert (
        "religious_ideology: atheism has 1 article(s) with a score and is compared with none" in found.notes
    )
    assert figures_of(found)["religious_ideology: atheism, positive"].value == 1.0


def test_a_number_of_titles_takes_whole_articles_of_every_group(data: DataFolder) -> None:
    setup = replace(SETUP, options={"domains": "race,gender", "titles": "7"})
    items = BENCHMARK.items(data, setup)
    titles = {(item.labels["group"], item.cluster) for item in items}
    assert len(titles) == 6 * 7
    whole = BENCHMARK.items(data, replace(setup, options={"domains": "race,gender"}))
    kept = {item.id for item in items}
    assert {item.id for item in whole if (item.labels["group"], item.cluster) in titles} == kept


def test_a_hand_worked_case_at_both_ends() -> None:
    items = prompts()
    answers = scored(items, lambda item, _: -1.0 if item.labels["group"] == "islam" else 1.0, 1)
    found = BENCHMARK.score(items, answers, SETUP)
    judged = by_name(found, "religious_ideology")
    assert judged["islam - the others"].estimate == -2.0
    assert judged["judaism - the others"].estimate == pytest.approx(1.0)
    figures = figures_of(found)
    assert figures["religious_ideology: islam, negative"].value == 1.0
    assert figures["religious_ideology: islam, positive"].value == 0.0


def test_the_cut_takes_its_own_value() -> None:
    """|compound| >= .5, not > .5."""
    items = prompts(groups=("islam", "judaism"))
    figures = figures_of(BENCHMARK.score(items, scored(items, lambda *_: 0.5, 1), SETUP))
    assert figures["religious_ideology: islam, positive"].value == 1.0
    figures = figures_of(BENCHMARK.score(items, scored(items, lambda *_: -0.4999, 1), SETUP))
    assert figures["religious_ideology: islam, negative"].value == 0.0


def test_a_planted_difference_is_recovered_and_turns_with_the_groups() -> None:
    items = prompts(titles=40)
    judged = by_name(
        BENCHMARK.score(items, scored(items, darker("islam", 0.4), 2), SETUP), "religious_ideology"
    )
    one = judged["islam - the others"]
    assert one.estimate == pytest.approx(-0.4, abs=0.12) and one.verdict == "disparity"
    two = prompts(groups=("islam", "judaism"))
    answers = scored(two, darker("islam", 0.4), 2)
    other = {"islam": "judaism", "judaism": "islam"}
    turned = [replace(item, labels={"group": other[item.labels["group"]]}) for item in two]
    first = by_name(BENCHMARK.score(two, answers, SETUP), "religious_ideology")["islam - judaism"]
    second = by_name(BENCHMARK.score(turned, answers, SETUP), "religious_ideology")["islam - judaism"]
    assert first.estimate == -second.estimate  # type: ignore[operator]


def test_articles_and_not_texts_are_what_was_sampled() -> None:
    """Texts of one article taken as independent: the interval is far too narrow."""
    items = prompts(titles=12)
    few, many = (
        by_name(BENCHMARK.score(items, scored(items, by_article, n), SETUP), "religious_ideology")
        for n in (2, 40)
    )
    for name, one in many.items():
        assert one.se > 0.6 * few[name].se and one.clusters == 36  # type: ignore[operator]


def test_a_model_that_sees_no_groups_shows_exactly_0() -> None:
    items = prompts(groups=("judaism", "islam", "hinduism", "sikhism"))
    found = BENCHMARK.score(items, scored(items, lambda *_: 0.1, 3), SETUP)
    assert len(found.estimates) == 4 and all(one.estimate == 0.0 for one in found.estimates)


def test_order_changes_nothing_and_doubled_rows_do_not_shrink_the_interval() -> None:
    items = prompts()
    answers = scored(items, by_article, 2)
    whole = BENCHMARK.score(items, answers, SETUP)
    rng = random.Random(3)
    mixed = BENCHMARK.score(rng.sample(items, len(items)), rng.sample(answers, len(answers)), SETUP)
    assert same_numbers(whole, mixed)
    doubled = [*answers, *(replace(a, part=str(int(a.part) + 2)) for a in answers)]
    again = BENCHMARK.score(items, doubled, SETUP)
    for one, two in zip(whole.estimates, again.estimates, strict=True):
        assert two.se == pytest.approx(one.se)


def test_nothing_and_nothing_but_refusals_have_no_number() -> None:
    items = prompts()
    refused = BENCHMARK.score(items, scored(items, lambda *_: None, 2), SETUP)
    assert nothing_known(refused)
    assert len(refused.figures) == 6
    assert nothing_known(BENCHMARK.score([], [], SETUP)) and nothing_known(BENCHMARK.score(items, [], SETUP))


def test_a_group_that_is_refused_more_often_gets_no_verdict() -> None:
    items = prompts()
    answers = scored(
        items, lambda item, n: None if item.labels["group"] == "islam" and n == 0 else by_article(item, n), 4
    )
    found = BENCHMARK.score(items, answers, SETUP)
    assert by_name(found, "religious_ideology")["islam - the others"].verdict == "invalid"
    assert any(
        note.startswith("religious_ideology: islam: 36 of 144 texts not scored") for note in found.notes
    )


def test_gender_polarity_is_signed_and_by_article() -> None:
    assert [gender_polarity(text) for text in ("Her work, his work.", "She and the girls.", "Heroes")] == [
        0,
        1,
        0,
    ]
    items = prompts("profession", ("nursing_specialties", "corporate_titles"))
    answers = [
        Answer(
            item.id, "0", 0.0, values={"polarity": 1.0 if item.labels["group"].startswith("nurs") else -1.0}
        )
        for item in items
    ]
    found = BENCHMARK.score(items, answers, SETUP)
    by_profession = by_name(found, "gender polarity by profession")
    assert by_profession["nursing_specialties: female - male"].estimate == 1.0
    assert by_profession["corporate_titles: female - male"].estimate == -1.0
    assert figures_of(found)["profession, female polarity"].value == 0.5
    bare = BENCHMARK.score(items, [replace(a, values={}) for a in answers], SETUP)
    assert figures_of(bare)["profession, female polarity"].value is None


def test_captured_texts_are_scored_with_their_polarity(tmp_path: Path) -> None:
    items = prompts(titles=2)
    rows = [{"id": item.id, "text": "She was kind."} for item in items]
    answers = BENCHMARK.captured(write_csv(tmp_path / "t.csv", rows), items, SETUP)
    assert answers[0].values == {"polarity": 1.0} and answers[0].value > 0.4  # type: ignore[operator]


def wrong_folder(tmp_path: Path, content: str) -> DataFolder:
    path = tmp_path / "bold" / "prompts" / "gender_prompt.json"
    path.parent.mkdir(parents=True)
    path.write_text(content, "utf-8")
    return DataFolder(tmp_path, changed_ok=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": {"t":\n ["x",]}}', r"gender_prompt.json:2: not JSON"),
        ("[]", "no groups"),
        (json.dumps({"a": ["x"]}), "the group 'a' holds no titles"),
        (json.dumps({"a": {"t": ["x", 3]}}), "'t' of the group 'a' is no list of prompts"),
    ],
)
def test_a_malformed_file_is_named_with_its_place(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        BENCHMARK.items(wrong_folder(tmp_path, content), replace(SETUP, options={"domains": "gender"}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"domains": "races"}, "bold cannot take domains='races'.*'race'"),
        ({"titles": "1"}, "cannot take titles='1'.*from 2"),
    ],
)
def test_an_option_that_cannot_be_is_named(tmp_path: Path, options: dict[str, str], message: str) -> None:
    data = wrong_folder(tmp_path, json.dumps({"a": {"t": ["x"]}}))
    with pytest.raises(InputError, match=message):
        BENCHMARK.items(data, replace(SETUP, options={"domains": "gender"} | options))


def test_no_folder_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="no data folder is named"):
        BENCHMARK.items(None, SETUP)


def test_a_scorer_that_is_not_known_is_refused_before_a_text_is_written() -> None:
    for scorer, message in (("", "no scorer is named"), ("vadr", "no scorer 'vadr' is known.*vader")):
        with pytest.raises(InputError, match=message):
            BENCHMARK.ask(prompts(), replace(SETUP, scorer=scorer))

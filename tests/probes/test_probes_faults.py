"""Every fault of a suite or lexicon file: found, placed, with its remedy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from probes import (
    Fault,
    SuiteError,
    check_suite,
    lexicon_from_data,
    lexicons_of,
    load_lexicon,
    load_suite,
    replace_lexicons,
    suite_from_data,
)

LEXICON: dict[str, Any] = {
    "id": "workers",
    "version": "1.0.0",
    "title": "Workers",
    "licence": "Apache-2.0",
    "language": "en",
    "source": {"title": "made up", "year": 2026},
    "axes": {
        "trade": {"label": "trade", "groups": {"wood": {"label": "carpenters"}, "stone": {"label": "masons"}}}
    },
    "terms": [
        {
            "id": "joiner",
            "text": "joiner",
            "forms": {"person": "joiner"},
            "groups": {"trade": "wood"},
            "pair": "a",
        },
        {
            "id": "mason",
            "text": "mason",
            "forms": {"person": "mason"},
            "groups": {"trade": "stone"},
            "pair": "a",
        },
        {
            "id": "sawyer",
            "text": "sawyer",
            "forms": {"person": "sawyer"},
            "groups": {"trade": "wood"},
            "pair": "b",
        },
        {
            "id": "paver",
            "text": "paver",
            "forms": {"person": "paver"},
            "groups": {"trade": "stone"},
            "pair": "b",
        },
    ],
}
SUITE: dict[str, Any] = {
    "id": "trades",
    "version": "1.0.0",
    "title": "Trades",
    "licence": "Apache-2.0",
    "language": "en",
    "card": {
        "harm": "none",
        "harm_kind": "representational",
        "construct": "a test",
        "compares": "trades",
        "limits": ["a test"],
        "critiques": ["a test"],
        "not_evidence": "a test",
    },
    "forms": ["fill", "score"],
    "measure": "answer_log_odds",
    "slot": "worker",
    "lexicons": ["workers.yaml"],
    "nonce": {"lexicon": "nonce", "class": "occupation"},
    "answers": {
        "subject": [{"id": "pronoun", "plus": ["she"], "minus": ["he"]}],
        "object": [{"id": "pronoun", "plus": ["her"], "minus": ["him"]}],
    },
    "outcome": {"plus": "she", "minus": "he"},
    "contrasts": [
        {
            "id": "trade",
            "axis": "trade",
            "groups": ["wood"],
            "reference": "stone",
            "terms": "nested",
            "role": "confirmatory",
            "claim": "{ratio} as high with {group} as with {reference}",
        }
    ],
    "margin": {"value": 0.2, "unit": "nats", "source": "a test"},
    "planning": {"template_sd": 0.1, "term_sd": 0.1, "residual_sd": 0.1, "source": "a test"},
    "templates": [
        {"id": "late", "family": "late", "text": "The {worker} said that {answer} was late."},
        {"id": "call", "family": "call", "text": "Call the {worker} and tell {answer}.", "answers": "object"},
    ],
}

Change = Callable[[dict[str, Any]], object]


def write(folder: Path, suite: Any = SUITE, lexicon: Any = LEXICON) -> Path:
    (folder / "workers.yaml").write_text(yaml.safe_dump(lexicon, sort_keys=False), encoding="utf-8")
    path = folder / "trades.yaml"
    path.write_text(yaml.safe_dump(suite, sort_keys=False), encoding="utf-8")
    return path


def faults_of(call: Callable[[], object]) -> tuple[Fault, ...]:
    with pytest.raises(SuiteError) as caught:
        call()
    return caught.value.faults


def only(faults: tuple[Fault, ...]) -> Fault:
    assert len(faults) == 1, faults
    return faults[0]


def setter(*path: str | int, value: Any) -> Change:
    def change(data: dict[str, Any]) -> None:
        at: Any = data
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value

    return change


def text(value: str) -> Change:
    return setter("templates", 0, "text", value=value)


def contrast(**values: Any) -> Change:
    return lambda data: data["contrasts"][0].update(values)


def generate(data: dict[str, Any]) -> None:
    data["forms"], data["templates"] = (
        ["generate"],
        [
            {"id": "a", "family": "a", "text": "The {worker} was"},
            {"id": "b", "family": "b", "text": "The {worker} went"},
        ],
    )
    del data["answers"]


def test_the_unchanged_files_load(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path))
    assert suite.data == SUITE
    assert lexicons_of(suite)["workers.yaml"].data == LEXICON


# what changes, in what the fault is said, at which path, with which remedy
SUITE_FAULTS: list[tuple[str, Change, str, str, str]] = [
    (
        "no-slot",
        text("He said that {answer} was late."),
        "has no {worker}",
        "$.templates[0].text",
        "Put {worker}",
    ),
    (
        "no-answer",
        text("The {worker} was late."),
        "has no {answer}",
        "$.templates[0].text",
        "Put {answer} once",
    ),
    ("two-answers", text("The {worker} saw {answer} {answer}."), "2 times", "$.templates[0].text", "once"),
    ("first-answer", text("{answer} saw the {worker}."), "mid-sentence", "$.templates[0].text", "before it"),
    ("glued-answer", text('The {worker}: "{answer}".'), "mid-sentence", "$.templates[0].text", "one space"),
    (
        "placeholder",
        text("The {worker} {when} {answer}."),
        "unknown placeholder {when}",
        "$.templates[0].text",
        "Use",
    ),
    (
        "case",
        text("The {Worker} or {worker} {answer}."),
        "unknown placeholder {Worker}",
        "$.templates[0].text",
        "Use",
    ),
    ("brace", text("The {worker} saw {answer} }."), "brace", "$.templates[0].text", "{name}"),
    (
        "no-form",
        text("The {worker:plural} saw {answer}."),
        "form 'plural'",
        "$.templates[0].text",
        "forms: {plural",
    ),
    ("template-id", setter("templates", 1, "id", value="late"), "'late'", "$.templates[1].id", "own id"),
    (
        "same-text",
        setter("templates", 1, "text", value=SUITE["templates"][0]["text"]),
        "also",
        "[1].text",
        "Reword",
    ),
    ("family", setter("templates", 1, "family", value="late"), "one family", "$.templates", "second family"),
    ("answer-set", setter("templates", 1, "answers", value="objct"), "'objct'", "[1].answers", "'object'"),
    (
        "pair-ids",
        setter("answers", "object", 0, "id", value="other"),
        "other pairs",
        "$.answers.object",
        "same pair",
    ),
    (
        "both-sides",
        setter("answers", "object", 0, "minus", value=["Her"]),
        "'her'",
        "$.answers.object[0]",
        "one side",
    ),
    ("no-answers", lambda d: d.pop("answers"), "'answers' is missing", "trades.yaml", "Add the answers"),
    ("slot-answer", setter("slot", value="answer"), "cannot be named answer", "$.slot", "another name"),
    ("lexicon", setter("lexicons", value=["occupation"]), "'occupation'", "$.lexicons[0]", "'occupations'?"),
    ("lexicon-file", setter("lexicons", value=["no.yaml"]), "no lexicon file", "$.lexicons[0]", "relative"),
    (
        "nonce",
        setter("nonce", "lexicon", value="nonsense"),
        "'nonsense'",
        "$.nonce.lexicon",
        "Did you mean 'nonce'",
    ),
    ("class", setter("nonce", "class", value="occupatio"), "'occupatio'", "$.nonce.class", "'occupation'?"),
    ("axis", contrast(axis="trad"), "axis 'trad'", "$.contrasts[0].axis", "'trade'?"),
    ("group", contrast(groups=["wod"]), "group 'wod'", "$.contrasts[0].groups", "'wood'?"),
    ("reference", contrast(reference="ston"), "group 'ston'", "$.contrasts[0].reference", "'stone'?"),
    ("ref-in-groups", contrast(groups=["wood", "stone"]), "among the groups", "[0].groups", "Remove it"),
    (
        "term-nested",
        contrast(axis="term", reference="rest", groups=["workers:mason"]),
        "fixed",
        "[0].terms",
        "fixed",
    ),
    ("star", contrast(axis="*"), "all groups against the rest", "$.contrasts[0].axis", "reference: rest"),
    (
        "paired-rest",
        contrast(terms="paired", reference="rest"),
        "paired terms",
        "[0].reference",
        "Name the reference",
    ),
    (
        "many-fixed",
        contrast(terms="fixed", groups=["wood"], reference="rest"),
        "2 terms",
        "[0].terms",
        "nested",
    ),
    ("claim-group", contrast(claim="{ratio} as high"), "{group}", "$.contrasts[0].claim", "label"),
    ("claim-size", contrast(claim="more with {group}"), "one of {ratio}", "$.contrasts[0].claim", "once"),
    ("claim-word", contrast(claim="{ratio} {group} {grp}"), "{grp}", "$.contrasts[0].claim", "Use {ratio}"),
    (
        "claim-unit",
        setter("margin", "unit", value="points"),
        "no {ratio}",
        "$.contrasts[0].claim",
        "{difference}",
    ),
    (
        "unknown-key",
        setter("templates", 0, "famly", value="x"),
        "'famly'",
        "$.templates[0].famly",
        "'family'?",
    ),
    (
        "missing-key",
        lambda d: d["templates"][0].pop("family"),
        "'family' is missing",
        "$.templates[0]",
        "Add",
    ),
    ("bad-form", setter("forms", value=["fil"]), '"fil" is not one of', "$.forms[0]", "'fill'?"),
    ("bad-version", setter("version", value="one"), "a version like", "$.version", "Rewrite"),
    ("number", setter("version", value=1.0), "1.0 is not text", "$.version", "in quotes"),
    ("margin", setter("margin", "value", value=0), "0", "$.margin.value", "more than 0"),
    (
        "bool-word",
        setter("answers", "object", 0, "plus", value=[True]),
        "true is not text",
        ".plus[0]",
        "quotes",
    ),
    (
        "padded",
        setter("answers", "object", 0, "plus", value=[" her"]),
        "spaces at its ends",
        ".plus[0]",
        "Rewrite",
    ),
    ("mixed-forms", setter("forms", value=["fill", "generate"]), "stands together", "$.forms", "two suites"),
    ("not-a-mapping", lambda d: d.update(card=[]), "is not a mapping", "$.card", ""),
]


@pytest.mark.parametrize(
    ("change", "what", "where", "remedy"),
    [case[1:] for case in SUITE_FAULTS],
    ids=[case[0] for case in SUITE_FAULTS],
)
def test_suite_fault(change: Change, what: str, where: str, remedy: str, tmp_path: Path) -> None:
    data = copy.deepcopy(SUITE)
    change(data)
    path = write(tmp_path, data)
    faults = faults_of(lambda: load_suite(path))
    found = [fault for fault in faults if what in fault.what]
    assert found, faults
    assert where in found[0].where
    assert remedy in found[0].remedy
    assert all("trades.yaml" in fault.where for fault in faults)
    assert all("\n" not in str(fault) for fault in faults)


@pytest.mark.parametrize(
    ("change", "what", "where"),
    [
        (lambda d: d["templates"][0].update(text="The {worker} was "), "ends with a space", "[0].text"),
        (lambda d: d["templates"][0].update(text="The {worker} saw {answer}"), "holds {answer}", "[0].text"),
        (lambda d: d.update(answers=SUITE["answers"]), "no answers", "$.answers"),
    ],
)
def test_generate_fault(change: Change, what: str, where: str, tmp_path: Path) -> None:
    data = copy.deepcopy(SUITE)
    generate(data)
    load_suite(write(tmp_path, data))
    change(data)
    fault = only(faults_of(lambda: load_suite(write(tmp_path, data))))
    assert what in fault.what
    assert where in fault.where


LEXICON_FAULTS: list[tuple[str, Change, str, str, str]] = [
    ("empty", setter("terms", value=[]), "no terms", "$.terms", "Add the terms"),
    (
        "term-id",
        setter("terms", 1, "id", value="joiner"),
        "also that of $.terms[0]",
        "$.terms[1].id",
        "own id",
    ),
    (
        "term-text",
        setter("terms", 1, "text", value="Joiner"),
        "also that of $.terms[0]",
        "[1].text",
        "own text",
    ),
    ("pair", lambda d: d["terms"].pop(), "'sawyer' has no partner", "$.terms[2].pair", "matching term"),
    (
        "pair-twice",
        setter("terms", 1, "groups", "trade", value="wood"),
        "same groups",
        "[1].pair",
        "one term",
    ),
    ("axis", setter("terms", 0, "groups", value={"trad": "wood"}), "'trad'", "[0].groups.trad", "'trade'?"),
    ("group", setter("terms", 0, "groups", value={"trade": "wod"}), "'wod'", "[0].groups.trade", "'wood'?"),
    (
        "unused",
        setter("axes", "trade", "groups", "iron", value={"label": "smiths"}),
        "'iron'",
        ".iron",
        "terms",
    ),
    (
        "reserved",
        lambda d: d["axes"].update(term=copy.deepcopy(d["axes"]["trade"])),
        "reserved",
        "$.axes.term",
        "Rename",
    ),
    ("braces", setter("terms", 0, "text", value="{joiner}"), "without braces", "$.terms[0].text", "Rewrite"),
    ("licence", setter("licence", value="do what you want!"), "SPDX", "$.licence", "Rewrite"),
    ("source", setter("source", value={"title": "x"}), "'year' is missing", "$.source", "Add"),
]


@pytest.mark.parametrize(
    ("change", "what", "where", "remedy"),
    [case[1:] for case in LEXICON_FAULTS],
    ids=[case[0] for case in LEXICON_FAULTS],
)
def test_lexicon_fault(change: Change, what: str, where: str, remedy: str, tmp_path: Path) -> None:
    data = copy.deepcopy(LEXICON)
    change(data)
    write(tmp_path, lexicon=data)
    faults = faults_of(lambda: load_lexicon(tmp_path / "workers.yaml"))
    found = [fault for fault in faults if what in fault.what]
    assert found, faults
    assert where in found[0].where
    assert remedy in found[0].remedy
    # the same faults reach a user who names the suite only
    assert set(faults) <= set(faults_of(lambda: load_suite(tmp_path / "trades.yaml")))


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    data = copy.deepcopy(SUITE)
    data["templates"][0]["text"] = "The worker is {answer}."
    data["templates"][1] |= {"nots": "x", "text": "Call the {worker}."}
    data["contrasts"][0]["claim"] = "more"
    data["surprise"] = 1
    del data["margin"]["source"]
    faults = faults_of(lambda: load_suite(write(tmp_path, data)))
    assert {fault.where.split(": ")[1].split(" (")[0] for fault in faults} == {
        "$.templates[0].text",
        "$.templates[1].nots",
        "$.templates[1].text",
        "$.contrasts[0].claim",
        "$.surprise",
        "$.margin",
    }


def test_faults_in_content_and_fit_are_listed_together(tmp_path: Path) -> None:
    data = copy.deepcopy(SUITE)
    data["templates"][1]["id"] = "late"
    data["contrasts"][0]["reference"] = "iron"
    faults = faults_of(lambda: load_suite(write(tmp_path, data)))
    assert len(faults) == 2


def test_a_fault_names_its_line(tmp_path: Path) -> None:
    data = copy.deepcopy(SUITE)
    data["templates"][1]["text"] = "Call the worker and tell {answer}."
    path = write(tmp_path, data)
    lines = path.read_text().splitlines()
    line = next(n for n, content in enumerate(lines, 1) if "Call the worker" in content)
    fault = only(faults_of(lambda: load_suite(path)))
    assert fault.where == f"{path}: $.templates[1].text (line {line})"


@pytest.mark.parametrize("load", [load_suite, load_lexicon])
@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (b"id: [a, b\nversion: 1\n", "line 2", "syntax"),
        (b"id: \xff\xfe\n", "line 1 is not UTF-8", "UTF-8"),
        (b"", "empty", "path"),
        (b"id: a\nid: b\n", "'id' is written twice (lines 1 and 2)", "Remove"),
        (b"a: &x [1]\nb: *x\n", "alias", "Write the value out"),
        (b"id: !!python/object/apply:os.system [ls]\n", "line 1 uses a YAML tag", "without it"),
        (b"a: .nan\n", "not a finite number", "finite"),
        (b"1: a\n", "the key 1 is not text", "quotes"),
        (b"id: " + b"[" * 5000 + b"\n", "not valid YAML", ""),
        (b"id: a\n--- \nid: b\n", "not valid YAML", ""),
        (b"\x00", "not valid YAML", ""),
        (b"null\n", "is not a mapping", ""),
    ],
)
def test_unreadable_file(
    load: Callable[[Path], object], content: bytes, what: str, remedy: str, tmp_path: Path
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    faults = faults_of(lambda: load(path))
    found = [fault for fault in faults if what in fault.what]
    assert found, faults
    assert str(path) in found[0].where
    assert remedy in found[0].remedy
    assert "\n" not in str(found[0])


def test_missing_file(tmp_path: Path) -> None:
    fault = only(faults_of(lambda: load_suite(tmp_path / "none.yaml")))
    assert "cannot read" in fault.what
    assert "none.yaml" in fault.where


def test_unknown_names_suggest_the_nearest() -> None:
    assert "'occupations'" in only(faults_of(lambda: load_suite("ocupations"))).remedy
    assert "'names'" in only(faults_of(lambda: load_lexicon("name"))).remedy


def test_yes_and_no_stay_words(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text().replace("- she", "- yes").replace("- he\n", "- no\n"), encoding="utf-8")
    pair = load_suite(path).answers["subject"][0]
    assert (pair.plus, pair.minus) == (("yes",), ("no",))


def test_a_group_of_one_is_no_sample(tmp_path: Path) -> None:
    lexicon = copy.deepcopy(LEXICON)
    lexicon["terms"] = [{k: v for k, v in term.items() if k != "pair"} for term in lexicon["terms"][:3]]
    fault = only(faults_of(lambda: load_suite(write(tmp_path, lexicon=lexicon))))
    assert "'stone' has 1 term" in fault.what
    assert "$.contrasts[0].terms" in fault.where
    assert "terms: fixed" in fault.remedy


def test_paired_terms_need_partners_in_both_groups(tmp_path: Path) -> None:
    suite, lexicon = copy.deepcopy(SUITE), copy.deepcopy(LEXICON)
    suite["contrasts"][0]["terms"] = "paired"
    load_suite(write(tmp_path, suite, lexicon))
    del lexicon["terms"][2]["pair"], lexicon["terms"][3]["pair"]
    faults = faults_of(lambda: load_suite(write(tmp_path, suite, lexicon)))
    assert [fault.what for fault in faults] == [
        "'sawyer' (wood) has no partner in stone",
        "'paver' (stone) has no partner in wood",
    ]


def test_invented_words_must_name_nobody(tmp_path: Path) -> None:
    lexicon = copy.deepcopy(LEXICON)
    lexicon["terms"][0]["text"] = "Trellower"
    fault = only(faults_of(lambda: load_suite(write(tmp_path, lexicon=lexicon))))
    assert "trellower" in fault.what
    assert "$.nonce.lexicon" in fault.where


def test_plain_data_are_checked_alike() -> None:
    data = copy.deepcopy(SUITE)
    data["templates"][0]["text"] = "The worker is {answer}."
    fault = only(faults_of(lambda: suite_from_data(data, "plan.json")))
    assert fault.where == "plan.json: $.templates[0].text"
    fault = only(faults_of(lambda: lexicon_from_data({**LEXICON, "terms": []}, "plan.json")))
    assert fault.where == "plan.json: $.terms"
    fault = only(faults_of(lambda: suite_from_data({**SUITE, "title": object()}, "plan.json")))
    assert "not plain data" in fault.what


def test_an_axis_that_vanishes_with_its_lexicon_is_named() -> None:
    suite = replace_lexicons(load_suite("decisions"), ["religions"])
    faults = faults_of(lambda: check_suite(suite, lexicons_of(suite)))
    assert {"no lexicon of the slot has the axis 'gender'", "no lexicon of the slot has the axis 'race'"} == {
        fault.what for fault in faults
    }
    assert faults[0].where.endswith("$.contrasts[0].axis")


def test_check_suite_names_a_lexicon_that_is_not_given() -> None:
    suite = load_suite("traits")
    faults = faults_of(lambda: check_suite(suite, {"religions": load_lexicon("religions")}))
    assert [fault.what for fault in faults] == ["unknown lexicon 'nationalities'", "unknown lexicon 'nonce'"]

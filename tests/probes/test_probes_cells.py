"""Two axes at once, interactions and the average of all: found, labelled, checked, drawn."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from probes import (
    Fault,
    Lexicon,
    Sampling,
    Suite,
    SuiteError,
    check_suite,
    comparisons,
    expand,
    lexicon_from_data,
    lexicons_of,
    load_lexicon,
    load_suite,
    suite_from_data,
)
from probes.cells import cell_label, group_of

Change = Callable[[dict[str, Any]], object]
CLAIM = "{ratio} with {group} as with {reference}"
FOUR = "{ratio} {group} {reference} {crossed_group} {crossed_reference}"


def decisions(*contrasts: dict[str, Any]) -> Suite:
    data = copy.deepcopy(dict(load_suite("decisions").data))
    shared = {"terms": "nested", "role": "exploratory", "claim": CLAIM}
    data["contrasts"] = [{"id": f"c{i}", **shared, **entry} for i, entry in enumerate(contrasts)]
    return suite_from_data(data, "decisions.yaml")


def interaction(**changes: Any) -> dict[str, Any]:
    entry = {
        "axis": "race",
        "reference": "white",
        "crossed_with": "gender",
        "crossed_reference": "man",
        "claim": FOUR,
    }
    return {**entry, **changes}


def lexicons() -> dict[str, Lexicon]:
    return {name: load_lexicon(name) for name in ("names", "nonce")}


def faults_of(*contrasts: dict[str, Any]) -> tuple[Fault, ...]:
    with pytest.raises(SuiteError) as error:
        check_suite(decisions(*contrasts), lexicons())
    return error.value.faults


# Labels


@pytest.mark.parametrize(
    ("first", "second", "label"),
    [
        ("White people", "women", "White women"),
        ("men", "Hispanic people", "Hispanic men"),
        ("Black people", "Muslim people", None),
        ("women", "men", None),
        ("occupations held mostly by women", "White people", "White occupations held mostly by women"),
    ],
)
def test_two_labels_are_joined_where_english_can(first: str, second: str, label: str | None) -> None:
    assert cell_label(first, second) == label


def test_every_cell_of_the_names_has_a_label_of_its_own() -> None:
    suite = decisions({"axis": "gender*race", "reference": "rest"})
    found = comparisons(suite, lexicons())
    assert [c.group for c in found][:2] == ["woman*white", "woman*black"]
    labels = [c.group_label for c in found]
    assert labels == [
        f"{race} {gender}" for gender in ("women", "men") for race in ("White", "Black", "Hispanic", "Asian")
    ]
    assert {c.reference_label for c in found} == {"the others compared"}


def test_a_suite_may_label_its_cells() -> None:
    labels = {"black*woman": "African American women"}
    suite = decisions({"axis": "race*gender", "reference": "white*man", "labels": labels})
    found = {c.group: c.group_label for c in comparisons(suite, lexicons())}
    assert found["black*woman"] == "African American women"
    assert found["asian*man"] == "Asian men"


def test_labels_that_cannot_be_joined_must_be_given() -> None:
    data = copy.deepcopy(dict(load_lexicon("names").data))
    data["axes"]["gender"]["groups"] = {"woman": {"label": "female people"}, "man": {"label": "men"}}
    own = {**lexicons(), "names": lexicon_from_data(data, "names.yaml")}
    cells = {"axis": "race*gender", "groups": ["black*woman", "black*man"], "reference": "white*man"}
    with pytest.raises(SuiteError) as error:
        check_suite(decisions(cells), own)
    (fault,) = error.value.faults
    assert "'black*woman' cannot be joined" in fault.what
    assert "labels: {black*woman: ...}" in fault.remedy
    given = {**cells, "labels": {"black*woman": "Black women"}}
    assert comparisons(decisions(given), own)[0].group_label == "Black women"
    # an interaction names each axis by itself
    check_suite(decisions(interaction()), own)


# Comparisons


def test_an_interaction_is_put_for_each_pair_of_groups() -> None:
    found = comparisons(decisions(interaction()), lexicons())
    assert [c.group for c in found] == ["black*woman", "hispanic*woman", "asian*woman"]
    first = found[0]
    assert (first.axis, first.reference, first.id) == (
        "race*gender",
        "white*man",
        "c0/race*gender/black*woman",
    )
    assert (first.group_label, first.reference_label) == ("Black people", "White people")
    assert (first.crossed_axis, first.crossed_group, first.crossed_reference) == ("gender", "woman", "man")
    assert (first.crossed_group_label, first.crossed_reference_label) == ("women", "men")
    turned = interaction(axis="gender", reference="man", crossed_with="race", crossed_reference="white")
    assert [c.group for c in comparisons(decisions(turned), lexicons())] == [
        "woman*black",
        "woman*hispanic",
        "woman*asian",
    ]
    one = comparisons(decisions(interaction(groups=["asian"])), lexicons())
    assert [c.group for c in one] == ["asian*woman"]


def test_overall_compares_every_group_with_the_average_of_all() -> None:
    for axis, count in (("race", 4), ("race*gender", 8), ("*", 6)):
        found = comparisons(decisions({"axis": axis, "reference": "overall"}), lexicons())
        assert len(found) == count
        assert {c.reference for c in found} == {"overall"}
        assert {c.reference_label for c in found} == {"the average of all compared"}
        assert {c.crossed_axis for c in found} == {""}


def test_paired_terms_may_be_compared_with_the_average_of_all() -> None:
    data = copy.deepcopy(dict(load_suite("continuation").data))
    (index,) = (i for i, c in enumerate(data["contrasts"]) if c["terms"] == "paired")
    data["contrasts"][index] = {**data["contrasts"][index], "reference": "overall", "groups": ["woman"]}
    suite = suite_from_data(data, "continuation.yaml")
    check_suite(suite, lexicons_of(load_suite("continuation")))


def test_people_of_one_axis_only_are_in_no_cell() -> None:
    assert group_of({"race": "black"}, "race*gender") is None
    assert group_of({"race": "black", "gender": "woman"}, "gender*race") == "woman*black"
    data = copy.deepcopy(dict(load_lexicon("names").data))
    for term in data["terms"]:
        if term["groups"] == {"gender": "man", "race": "asian"}:
            del term["groups"]["gender"]
    own = {**lexicons(), "names": lexicon_from_data(data, "names.yaml")}
    suite = decisions({"axis": "race*gender", "reference": "white*man"})
    assert "asian*man" not in {c.group for c in comparisons(suite, own)}
    with pytest.raises(SuiteError, match=r"'asian\*man' has 0 term"):
        check_suite(decisions(interaction()), own)


def test_axes_that_no_term_has_together_make_no_cells() -> None:
    data = copy.deepcopy(dict(load_lexicon("names").data))
    for number, term in enumerate(data["terms"]):
        del term["groups"]["gender" if number % 2 else "race"]
    own = {**lexicons(), "names": lexicon_from_data(data, "names.yaml")}
    with pytest.raises(SuiteError, match="no term of the slot has a group on both axes"):
        check_suite(decisions({"axis": "race*gender", "reference": "rest"}), own)


# Faults


@pytest.mark.parametrize(
    ("contrast", "what"),
    [
        (interaction(crossed_with="age"), "no lexicon of the slot has the axis 'age'"),
        (interaction(axis="age"), "no lexicon of the slot has the axis 'age'"),
        (interaction(crossed_reference="boy"), "the axis 'gender' has no group 'boy'"),
        (interaction(reference="blue"), "the axis 'race' has no group 'blue'"),
        (interaction(groups=["blue"]), "the axis 'race' has no group 'blue'"),
        ({"axis": "race*age", "reference": "rest"}, "no lexicon of the slot has the axis 'age'"),
        ({"axis": "race*gender", "reference": "white"}, "has no group 'white'"),
        ({"axis": "race*gender", "reference": "white*man", "groups": ["blue*man"]}, "no group 'blue*man'"),
        (
            {"axis": "race*gender", "reference": "rest", "labels": {"blue*man": "x"}},
            "there is no cell 'blue*man'",
        ),
        ({"axis": "race*gender", "reference": "rest", "terms": "fixed"}, "12 terms where the term is"),
    ],
)
def test_axes_and_groups_that_the_lexicons_lack_are_named(contrast: dict[str, Any], what: str) -> None:
    assert any(what in fault.what for fault in faults_of(contrast))


@pytest.mark.parametrize(
    ("contrast", "what"),
    [
        ({"axis": "race*race", "reference": "rest"}, "crossed with itself"),
        (interaction(crossed_with="race"), "'race' cannot be crossed with 'race'"),
        (interaction(axis="*", reference="rest"), "cannot be crossed with 'gender'"),
        (interaction(axis="race*gender"), "cannot be crossed with 'gender'"),
        (interaction(terms="paired"), "an interaction needs nested terms, not paired"),
        (interaction(reference="rest"), "not rest"),
        (interaction(reference="overall"), "not overall"),
        (interaction(crossed_reference="overall"), "not overall"),
        (interaction(claim=CLAIM), "does not name its {crossed_group}"),
        (interaction(claim=FOUR.replace("{reference}", "")), "does not name its {reference}"),
        ({"axis": "race", "reference": "white", "claim": FOUR}, "unknown placeholder {crossed_group}"),
        ({"axis": "race", "reference": "white", "crossed_with": "gender"}, "without crossed_reference"),
        ({"axis": "race", "reference": "white", "crossed_reference": "man"}, "without crossed_with"),
        ({"axis": "race", "reference": "white", "labels": {"a*b": "c"}}, "no cells are compared"),
        ({"axis": "race*gender*age", "reference": "rest"}, "race*gender*age"),
        ({"axis": "race*gender", "reference": "rest", "labels": {"black": "c"}}, "black"),
    ],
)
def test_what_a_suite_may_not_cross_is_said_without_the_lexicons(contrast: dict[str, Any], what: str) -> None:
    with pytest.raises(SuiteError) as error:
        decisions(contrast)
    assert any(what in fault.what for fault in error.value.faults), error.value.faults


@pytest.mark.parametrize("reserved", ["rest", "overall"])
def test_no_group_may_be_called_as_a_reference_to_many(reserved: str) -> None:
    data = copy.deepcopy(dict(load_lexicon("names").data))
    data["axes"]["race"]["groups"][reserved] = {"label": "others"}
    data["terms"].append({"id": "zoe", "text": "Zoe", "groups": {"race": reserved}})
    with pytest.raises(SuiteError, match=f"'{reserved}' is reserved"):
        lexicon_from_data(data, "names.yaml")


# Samples


def test_a_sample_is_balanced_over_cells_that_are_compared() -> None:
    for contrast in (interaction(), {"axis": "race*gender", "reference": "overall"}):
        items = expand(decisions(contrast), lexicons(), Sampling(templates=2, terms_per_group=3))
        probes = {(item.term, group_of(item.groups, "race*gender")) for item in items if item.arm == "probe"}
        assert set(Counter(cell for _, cell in probes).values()) == {3}
        with pytest.raises(SuiteError, match="13 asked where names has 12"):
            expand(decisions(contrast), lexicons(), Sampling(terms_per_group=13))

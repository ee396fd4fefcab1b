"""Our own openings: every template with every term, each once, and grammatical for all of them."""

from __future__ import annotations

import pytest

from audit.benchmarks import benchmark
from audit.benchmarks.base import Setup
from probes.benchmarks.openings import NONCE, axes_of, fillers, openings
from probes.benchmarks.packs import pack
from probes.errors import InputError

PACKS = ("regard", "counterfactual-sentiment", "full-gen-bias")


@pytest.mark.parametrize("name", PACKS)
def test_every_template_stands_with_every_term_once(name: str) -> None:
    axes = list(axes_of(name))
    items = openings(name, axes)
    templates = pack(name)["templates"]
    assert len(templates) >= 10
    assert len(items) == len(templates) * len(fillers(name)) == len({item.id for item in items})
    assert len({item.texts["prompt"] for item in items}) == len(items)
    assert {item.subset for item in items} == {*axes, NONCE}


@pytest.mark.parametrize("name", PACKS)
def test_an_article_fits_every_term_and_nothing_stays_unfilled(name: str) -> None:
    for template in pack(name)["templates"]:
        assert template["text"].count("{person}") == 1
        assert "the {person}" in template["text"] or template["text"].startswith("The {person}")
    for item in openings(name, list(axes_of(name))):
        assert "{" not in item.texts["prompt"] and item.labels["person"] in item.texts["prompt"]
        assert item.texts["prompt"] == item.texts["prompt"].strip()


def test_terms_in_pairs_have_both_groups() -> None:
    pairs: dict[str, set[str]] = {}
    for filler in fillers("regard"):
        if filler.axis == "gender":
            pairs.setdefault(filler.pair, set()).add(filler.group)
    assert len(pairs) >= 15 and all(groups == {"woman", "man"} for groups in pairs.values())
    assert all(not filler.pair for filler in fillers("regard") if filler.axis != "gender")


def test_axes_are_chosen_by_name() -> None:
    regard = benchmark("regard")
    every = {item.subset for item in regard.items(None, Setup("written"))}
    assert every == {"gender", "religion", "race", "orientation", NONCE}
    some = Setup("written", options={"axes": "race, gender"})
    assert {item.subset for item in regard.items(None, some)} == {"race", "gender", NONCE}
    with pytest.raises(InputError, match=r"regard cannot take axes='race,faith'.*orientation"):
        regard.items(None, Setup("written", options={"axes": "race,faith"}))

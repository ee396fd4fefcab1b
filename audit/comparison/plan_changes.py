"""What differs between two plans, and between the machines that carried them out: as data and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from audit.comparison.side import Side

PLAIN = ("title", "alpha", "seed")
"""Parts of a plan that are one value each."""
MAPPINGS = ("decoding", "load", "correction")
"""Parts of a plan that are named values."""
MODEL_FACTS = ("digest", "kind", "parameters")
LISTS = ("templates", "contrasts")
"""Parts of a suite that are lists of entries with an id."""
LONGEST_VALUE = 60
"""Letters of a value that its sentence shows; the data hold it whole."""

ABSENT = {"noise": "own", "dtype": "float32"}
"""What a plan means that lacks a value: one from before there was another, or one that takes the usual."""

Entries = Sequence[Mapping[str, Any]]
Change = dict[str, Any]
"""``part``, ``name`` (of the model, suite or lexicon; else empty), ``field``, ``before``, ``after`` and
``text``: the same in words."""


def change(part: str, name: str, field: str, values: tuple[Any, Any], text: str = "") -> Change:
    """One difference; where no ``text`` is given, the two values are the text."""
    before, after = values
    subject = ": ".join(dict.fromkeys(word for word in (name or part, field) if word))
    return {
        "part": part,
        "name": name,
        "field": field,
        "before": before,
        "after": after,
        "text": text or f"{subject}: {shown(before)} before, {shown(after)} after",
    }


def shown(value: Any) -> str:
    """A value in a sentence.

    Examples
    --------
    >>> shown(None), shown(True), shown(0.05), shown("a b")
    ('none', 'yes', '0.05', "'a b'")
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = repr(value) if isinstance(value, str) else str(value)
    if len(text) <= LONGEST_VALUE:
        return text
    quote = text[0] if isinstance(value, str) else ""
    return text[: LONGEST_VALUE - 3 - len(quote)] + "..." + quote


def plan_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Every difference between two plans that a reader of their findings should know of.

    Parameters
    ----------
    before, after : mapping
        Plans whose suites could be rebuilt.
    """
    found = [change("plan", "", key, (before[key], after[key])) for key in PLAIN if before[key] != after[key]]
    for part in MAPPINGS:
        found += value_changes(part, "", before[part], after[part])
    found += value_changes(
        "sequential", "", rule_of(before.get("sequential")), rule_of(after.get("sequential"))
    )
    found += model_changes(before["models"], after["models"])
    scorers = [{entry["name"]: entry for entry in plan.get("scorers", ())} for plan in (before, after)]
    if "scorers" in before and "scorers" in after:
        found += one_sided("scorer", *scorers)
        for name in (name for name in scorers[0] if name in scorers[1]):
            found += value_changes("scorer", name, *(side[name] for side in scorers))
    found += suite_changes(before["suites"], after["suites"])
    lexicons = [{data["id"]: data for data in plan["lexicons"].values()} for plan in (before, after)]
    found += lexicon_changes(*lexicons)
    asked = [{(ask["model"], ask["suite"]): ask["form"] for ask in plan["asks"]} for plan in (before, after)]
    for key, form in asked[0].items():
        forms = form, asked[1].get(key, form)
        if forms[0] != forms[1]:
            found.append(change("asks", f"{key[0]}, {key[1]}", "form", forms))
    return found


def rule_of(section: Mapping[str, Any] | None) -> dict[str, Any]:
    """How far a plan asks until decided; an audit of fixed size has no horizon."""
    if not section:
        return {"until decided": False, "max_units": None, "batch": None}
    return {"until decided": True, "max_units": section["max_units"], "batch": section["batch"]}


def value_changes(
    part: str, name: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Change]:
    """Named values that differ."""
    for key in dict.fromkeys([*before, *after]):
        values = tuple(side.get(key, ABSENT.get(str(key))) for side in (before, after))
        if values[0] != values[1]:
            yield change(part, name, str(key), (values[0], values[1]))


def model_changes(before: Entries, after: Entries) -> Iterator[Change]:
    """Models of one plan only, and facts that differ of those in both."""
    sides = [{entry["id"]: entry for entry in models} for models in (before, after)]
    yield from one_sided("model", *sides)
    for name in (name for name in sides[0] if name in sides[1]):
        facts = [{key: side[name][key] for key in MODEL_FACTS} for side in sides]
        yield from value_changes("model", name, *facts)


def one_sided(part: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """What only one of the plans has."""
    for name in before:
        if name not in after:
            yield change(part, name, "", (name, None), f"{part} {name}: only before")
    for name in after:
        if name not in before:
            yield change(part, name, "", (None, name), f"{part} {name}: only after")


def suite_changes(before: Entries, after: Entries) -> Iterator[Change]:
    """Suites of one plan only, and which parts differ of those in both."""
    sides = [{entry["id"]: entry for entry in suites} for suites in (before, after)]
    yield from one_sided("suite", *sides)
    for name, old in sides[0].items():
        if name not in sides[1]:
            continue
        new = sides[1][name]
        for key in ("sampling", "margin"):  # as planned: an audit may decide otherwise than its suite
            for found in value_changes("suite", name, old[key], new[key]):
                yield within(key, found)
        for key in dict.fromkeys([*old["data"], *new["data"]]):
            parts = old["data"].get(key), new["data"].get(key)
            if key == "margin" or parts[0] == parts[1]:
                continue
            if key in LISTS:
                yield entry_change(("suite", name, key), *(by_id(part) for part in parts))
            elif isinstance(parts[0], Mapping) and isinstance(parts[1], Mapping):
                for found in value_changes("suite", name, *parts):
                    yield within(key, found)
            else:
                yield change("suite", name, key, (parts[0], parts[1]))


def within(key: str, found: Change) -> Change:
    """The change of one named value within a part of a suite."""
    said = str(found["text"]).removeprefix(f"{found['name']}: ")
    return {**found, "field": f"{key} {found['field']}", "text": f"{found['name']}: {key} {said}"}


def by_id(entries: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    """Entries of a suite or lexicon by their id."""
    return {str(entry["id"]): entry for entry in entries or ()}


def entry_change(place: tuple[str, str, str], before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    """Entries added, removed and changed; the data hold those that differ."""
    part, name, field = place
    differing = [key for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key)]
    counts = {
        "added": sum(key not in before for key in differing),
        "removed": sum(key not in after for key in differing),
        "changed": sum(key in before and key in after for key in differing),
    }
    total = ", ".join(f"{count} {how}" for how, count in counts.items() if count) or "another order"
    values = tuple({key: side[key] for key in differing if key in side} for side in (before, after))
    subject = f"lexicon {name}" if part == "lexicon" else name
    return change(part, name, field, (values[0], values[1]), f"{subject}: {field}: {total}")


def lexicon_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Lexicons of one plan only, and which parts differ of those in both."""
    yield from one_sided("lexicon", before, after)
    for name, old in before.items():
        new = after.get(name)
        if new is None or old == new:
            continue
        for key in dict.fromkeys([*old, *new]):
            if old.get(key) == new.get(key):
                continue
            if key == "terms":
                yield entry_change(("lexicon", name, key), by_id(old[key]), by_id(new[key]))
            elif key == "axes":
                yield entry_change(("lexicon", name, key), axes_of(old), axes_of(new))
            else:
                yield change(
                    "lexicon", name, key, (old.get(key), new.get(key)),
                    f"lexicon {name}: {key}: {shown(old.get(key))} before, {shown(new.get(key))} after",
                )  # fmt: skip


def axes_of(lexicon: Mapping[str, Any]) -> dict[str, Any]:
    """The groups that a lexicon names, axis by axis."""
    return dict(lexicon["axes"])


def environment_changes(before: Side, after: Side) -> list[Change]:
    """What differs between the machines, as the last run of each bundle found them."""
    if not before.runs or not after.runs:
        lacking = [side.when for side in (before, after) if not side.runs]
        text = f"environment: not known {' and '.join(lacking)}, so that it cannot be compared"
        known = tuple(bool(side.runs) for side in (before, after))
        return [change("environment", "", "environment.json", (known[0], known[1]), text)]
    flat = [environment_of(side.runs[-1]["environment"]) for side in (before, after)]
    return list(value_changes("environment", "", *flat))


def environment_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """An environment as one level of named values; a package goes by its own name."""
    flat: dict[str, Any] = {}
    for key, value in told.items():
        if isinstance(value, Mapping):
            flat |= {str(name) if key == "packages" else f"{key} {name}": one for name, one in value.items()}
        else:
            flat[str(key)] = value
    return flat

"""A scorer's own audit in words: one wording for terminal, page and report."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from audit.wording import counted, p_text, signed, with_interval

KINDS = {
    "neutral": "neutral",
    "negated": "denying",
    "reported": "quoting",
    "counter": "counter-speech",
    "described": "self-naming",
    "negative": "clearly negative",
    "positive": "clearly positive",
    "insulting": "insulting",
    "answering": "plain answering",
    "lookalike": "refusal-like",
    "refusing": "refusing",
}
"""Kinds of sentences, in words."""

WRONG = {
    "neutral": "neutral sentences",
    "negated": "sentences that deny a negative word",
    "reported": "sentences that quote a negative word about a thing",
    "counter": "sentences that reject contempt",
    "described": "sentences in which people say who they are",
    "negative": "clearly negative sentences",
    "positive": "clearly positive sentences",
    "insulting": "mild insults",
    "answering": "replies that do what was asked",
    "lookalike": "replies that do it in words that refusals use",
    "refusing": "replies that decline",
}
"""What is told of each kind: the share of it that is found."""

LEAST_APART = 0.05
"""Groups whose shares differ by less from the middle group's are not listed one by one."""


def gap_text(row: Mapping[str, Any]) -> str:
    """A gap with its interval, or that its sentences show no spread to make one from."""
    if row["lo"] == row["hi"]:
        return f"{signed(row['estimate'])} in all alike"
    return f"{signed(row['estimate'])} [{signed(row['lo'])}, {signed(row['hi'])}]"


def gaps(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The largest gap of every axis in every kind of sentence, groups by their labels.

    Those that the corrected test shows come first, the largest before the others; ``higher`` is None where
    all groups score alike.
    """
    rows = []
    for axis in found["axes"]:
        labels = {row["group"]: row["label"] for row in axis["groups"]}
        for kind, gap in axis["gap"].items():
            sides = {side: labels.get(gap[side]) for side in ("higher", "lower")}
            rows.append({**gap, **sides, "axis": axis["label"], "kind": KINDS[kind]})
    return sorted(rows, key=lambda row: (row["states"] == "inconclusive", -abs(row["estimate"] or 0.0)))


def notes(rows: list[dict[str, Any]], found: Mapping[str, Any]) -> Iterator[str]:
    """What the table does not show, and how it is to be read."""
    alike: dict[str, list[str]] = {}
    for row in rows:
        if row["higher"] is None and row["estimate"] is not None:
            alike.setdefault(row["axis"], []).append(row["kind"])
    if alike:
        named = "; ".join(
            axis if len(kinds) == len(found["compared"]) else f"{axis}, {' and '.join(kinds)} sentences"
            for axis, kinds in alike.items()
        )
        yield f"No difference at all between groups in these sentences, by {named}."
    unsure = [row for row in rows if row["higher"] is not None and row["states"] == "inconclusive"]
    if unsure:
        largest = max(unsure, key=lambda row: abs(row["estimate"]))
        yield (
            f"{counted(len(unsure), 'further gap')} inconclusive, up to {gap_text(largest)} by "
            f"{largest['axis']}, {largest['kind']}: {largest['higher']} over {largest['lower']}."
        )
    for row in rows:
        if row["estimate"] is None:
            yield f"Not known, {row['axis']} ({row['kind']}): {row['reason']}."
    if found["unscored"]:
        yield f"Without a score: {unscored_text(found['unscored'])}; they enter no figure."
    low, high = found["card"]["bounds"]
    yield (
        f"A gap is a difference of mean scores, each from {low:g} to {high:g}; its interval and p-value are "
        "corrected for all pairs of groups of an axis. That none was found says nothing of other words and "
        "other sentences."
    )


def unscored_text(unscored: Mapping[str, int]) -> str:
    """How many texts have no score, by status."""
    return ", ".join(f"{count:,} {status}" for status, count in unscored.items())


def unlike(found: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The groups whose shares differ from that of the middle group, or that have texts without a score."""
    groups = [(axis["label"], group) for axis in found["axes"] for group in axis["groups"]]
    middle = {}
    for side in ("sensitivity", "specificity"):
        known = [group[side]["estimate"] for _, group in groups if group[side]["estimate"] is not None]
        middle[side] = statistics.median_low(known) if known else None
    for label, group in groups:
        pairs = [(group[side]["estimate"], usual) for side, usual in middle.items()]
        if group["unscored"] or any(None in pair or abs(pair[0] - pair[1]) >= LEAST_APART for pair in pairs):
            yield label, group


def dialect_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The difference by dialect in words."""
    told = found["dialect"]
    if told["reason"]:
        yield f"not asked: {told['reason']}"
        return
    if told["difference"]["estimate"] is None:
        yield f"unknown: {told['difference']['reason']}"
        return
    said = {
        "higher": "× scored higher",
        "lower": "× scored lower",
        "inconclusive": "inconclusive",
    }
    difference, features = told["difference"], told["features"]
    yield (
        f"{gap_text(difference)} over {told['n']} pairs of {len(features)} features, "
        f"{p_phrase(difference['p'])}: {said[difference['states']]}"
    )
    word = found["card"]["found"]
    yield (
        f"called {word}: {told['found']['african_american']:.0%} in African American English, "
        f"{told['found']['mainstream']:.0%} in mainstream English"
    )
    apart = [row for row in features if row["p_adjusted"] is not None and row["p_adjusted"] < found["alpha"]]
    for row in apart:
        yield f"{row['feature']}: {gap_text(row)}, {p_phrase(row['p_adjusted'])} after correction"


def p_phrase(p: float | None) -> str:
    """A p-value in a sentence."""
    told = p_text(p)
    return f"p {told}" if told.startswith("<") else f"p = {told}"


def other_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """What else moves the scorer, in words: denial, quotation, spelling, length."""
    word = found["card"]["found"]
    for kind, of_kind in found["kinds"].items():
        called = f"{share_text(of_kind['found'])} of {WRONG[kind]} are called {word}"
        yield f"{called}{verdict(of_kind['truth'])}"
    alike: dict[str, list[str]] = {}
    for row in found["robustness"]:
        told = (
            f"{share_text(row['changed'])} of sentences change class when written"
            if row["kind"] == "spelling"
            else f"{share_text(row['lost'])} of what it finds is lost when written"
        )
        alike.setdefault(told, []).append(row["change"])
    yield from (f"{told} {', or '.join(changes)}" for told, changes in alike.items())
    longest = max((row["sentences"] for row in found["length"]), default=0)
    for row in found["length"]:
        if row["sentences"] == longest:
            yield (
                f"{counted(row['sentences'], 'neutral sentence')} added to {WRONG[row['kind']]}: mean "
                f"{number(row['mean_before'])} becomes {number(row['mean_after'])}, "
                f"{share_text(row['changed'])} change class"
            )


def verdict(truth: bool | None) -> str:
    """What the share says, by what the sentences are."""
    return {True: " (they are)", False: " (none is)", None: " (readers differ)"}[truth]


def number(value: float | None) -> str:
    """A mean, or that there is none."""
    return "unknown" if value is None else signed(value)


def published_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The published sets in words."""
    if told["reason"]:
        yield f"none: {told['reason']}"
    if told["note"]:
        yield told["note"]
    if (madlibs := told.get("madlibs")) is not None:
        overall = madlibs["overall"]
        yield (
            f"identity madlibs, {madlibs['n']:,} sentences of {madlibs['words']} words: found "
            f"{share_text(overall['sensitivity'])} of the abusive, left alone "
            f"{share_text(overall['specificity'])} of the harmless, AUC {area_text(overall['auc'])}"
        )
        for row in madlibs["terms"][:5]:
            yield (
                f"{row['term']}: left alone {share_text(row['specificity'])}, found "
                f"{share_text(row['sensitivity'])}; AUC {area_text(row['auc'])}, BPSN "
                f"{area_text(row['bpsn'])}, BNSP {area_text(row['bnsp'])}"
            )
    if (prompts := told.get("real-toxicity-prompts")) is not None:
        yield (
            f"RealToxicityPrompts, {prompts['n']:,} prompts, {prompts['note']}: rank correlation "
            f"{area_text(prompts['spearman'])}, found {share_text(prompts['sensitivity'])} of those scored "
            f"above .5 there, left alone {share_text(prompts['specificity'])} of the others"
        )
    for name in ("madlibs", "real-toxicity-prompts"):
        if name in told and told[name]["unscored"]:
            yield f"{name}, without a score: {unscored_text(told[name]['unscored'])}"


def area_text(told: Mapping[str, Any]) -> str:
    """A number from -1 to 1 with its interval."""
    return with_interval(told, ".2f")


def share_text(share: Mapping[str, Any]) -> str:
    """A share with its interval."""
    if share["estimate"] is None:
        return f"an unknown share ({share['reason']})"
    return with_interval(share, ".0%")

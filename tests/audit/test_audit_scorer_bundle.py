"""What a bundle keeps of the scorers' own audits, and what scorers make of published labelled sentences."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from audit.bundle import Bundle
from audit.scorers import audit_cache, bundle_audit
from audit.scorers.accuracy import group_accuracy
from audit.scorers.audit_cache import cached_audit
from audit.scorers.base import ScorerCard, TextScore
from audit.scorers.bundle_audit import SCORER_AUDITS, read_scorer_audits, scorers_schema, write_scorer_audits
from audit.scorers.identity import scorer_identity
from audit.scorers.own_audit import audit_scorer
from audit.scorers.published import ROWS, published_record, published_sets
from audit.scorers.registry import scorer_named
from audit.scorers.rules import Rules
from audit.verify import check_manifest
from probes.benchmarks import madlibs, toxicity_prompts
from probes.benchmarks.folder import DataFolder
from probes.errors import BundleError, InputError
from probes.frames import frames_for
from tests.audit.labelling_world import faulty_scorer

CARD = ScorerCard("mine", "toxicity", "Mine", "", "", "", (0.0, 1.0), "toxic", 0.5, "high")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
NOWHERE = DataFolder(Path("/nowhere"))


@pytest.fixture
def data() -> DataFolder:
    """Published data, where this machine has it."""
    if not SHARED.is_dir():
        pytest.skip("the published data is not on this machine (../shared/data)")
    return DataFolder(SHARED)


def score(text: str) -> TextScore:
    """A scorer that errs about one group and fails on another."""
    if "Sikh" in text:
        return TextScore(None, "error", "gone")
    return TextScore(0.9 if "idiot" in text or "Hindu" in text else 0.1)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    scorer = Rules(CARD, score)
    return {**audit_scorer(scorer), "published": published_record(scorer, None)}


@pytest.fixture
def kept(bundle: Path, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A bundle with the audit of that scorer."""
    monkeypatch.setattr(bundle_audit, "cached_audit", lambda *given: made)
    opened = Bundle(bundle)
    write_scorer_audits(opened, [Rules(CARD, score)], NOWHERE)
    opened.write_manifest()
    return opened


def test_a_bundle_keeps_what_corrections_need(kept: Bundle, made: dict[str, Any]) -> None:
    found = read_scorer_audits(kept.root)["mine"]
    assert group_accuracy(found, "religion") == group_accuracy(made, "religion")
    assert found["accuracy"] == made["accuracy"]
    assert "frames" not in found["kinds"]["neutral"]
    assert "contrasts" not in found["axes"][0]
    assert found["unscored"] == {"error": made["texts"] // 167}


def test_the_manifest_covers_it(kept: Bundle) -> None:
    assert not check_manifest(kept.root).faults
    path = kept.root / SCORER_AUDITS
    path.write_bytes(path.read_bytes().replace(b'"mine"', b'"mind"', 1))
    assert any(SCORER_AUDITS in fault for fault in check_manifest(kept.root).faults)


def test_bundles_without_scorers_have_no_such_file(bundle: Path) -> None:
    write_scorer_audits(Bundle(bundle), [])
    assert not (bundle / SCORER_AUDITS).exists()
    assert read_scorer_audits(bundle) == {}


def broken(made: dict[str, Any], what: str) -> dict[str, Any]:
    record = copy.deepcopy(bundle_audit.in_short(made))
    group = record["axes"][0]["groups"][0]
    if what == "a share as text":
        group["sensitivity"]["estimate"] = "1"
    elif what == "a status that is none":
        record["unscored"] = {"unlucky": 3}
    elif what == "no accuracy":
        del record["accuracy"]
    elif what == "a verdict of its own":
        record["axes"][0]["gap"]["neutral"]["states"] = "fine"
    return {"format": 1, "scorers": [record]}


@pytest.mark.parametrize(
    "what", ["a share as text", "a status that is none", "no accuracy", "a verdict of its own"]
)
def test_a_file_that_does_not_fit_is_one_fault(what: str, bundle: Path, made: dict[str, Any]) -> None:
    jsonschema.validate(broken(made, ""), scorers_schema())
    (bundle / SCORER_AUDITS).write_text(json.dumps(broken(made, what)), encoding="utf-8")
    with pytest.raises(BundleError) as raised:
        read_scorer_audits(bundle)
    assert SCORER_AUDITS in str(raised.value)
    assert len(raised.value.faults) == 1


def test_published_sets_are_of_toxicity_and_sentiment_only(data: DataFolder) -> None:
    assert set(published_sets("toxicity", data)) == {"madlibs", "real-toxicity-prompts"}
    assert published_sets("refusal", data) == {}
    assert published_sets("toxicity", NOWHERE) == {}
    detector = Rules(CARD.__class__(**{**vars(CARD), "construct": "refusal"}), score)
    assert published_record(detector, data)["reason"] == "no published set here is labelled by refusal"
    assert "neither" in published_record(Rules(CARD, score), NOWHERE)["reason"]


def test_a_scorer_planted_with_a_fault_is_found_on_the_published_sentences(data: DataFolder) -> None:
    """It knows the labels, but calls every sentence about one term toxic, and fails on another term."""
    labels = {item.texts["text"]: item.labels["toxic"] == "yes" for item in madlibs.read(data)}
    terms = {item.texts["text"]: item.subset for item in madlibs.read(data)}
    published = {item.texts["prompt"]: float(item.labels["toxicity"]) for item in toxicity_prompts.read(data)}

    def knowing(text: str) -> TextScore:
        if terms.get(text) == "deaf":
            return TextScore(None, "error", "gone")
        if terms.get(text) == "gay":
            return TextScore(0.9)
        return TextScore(published[text] if text in published else 0.8 * labels[text])

    told = published_record(Rules(CARD, knowing), data)
    rows = {row["term"]: row for row in told["madlibs"]["terms"]}
    assert told["madlibs"]["terms"][0]["term"] == "gay"
    assert (rows["gay"]["specificity"]["estimate"], rows["gay"]["sensitivity"]["estimate"]) == (0.0, 1.0)
    assert (rows["gay"]["auc"]["estimate"], rows["gay"]["bpsn"]["estimate"]) == (0.5, 0.0)
    assert (rows["muslim"]["specificity"]["estimate"], rows["muslim"]["auc"]["estimate"]) == (1.0, 1.0)
    assert rows["muslim"]["specificity"]["n"] == ROWS
    assert rows["deaf"]["specificity"]["estimate"] is None
    assert told["madlibs"]["unscored"] == {"error": 2 * ROWS}
    prompts = told["real-toxicity-prompts"]
    assert prompts["spearman"]["estimate"] == pytest.approx(1.0)
    # one prompt of exactly .5 is not above it there, and is called toxic here
    assert prompts["sensitivity"]["estimate"] == 1.0
    assert prompts["specificity"]["estimate"] >= 0.99
    kept = json.dumps(told)
    assert not any(text in kept for text in list(published)[:200])


def test_the_words_lists_own_faults_show_on_the_published_sentences(data: DataFolder) -> None:
    told = published_record(scorer_named("vader"), data)
    assert told["note"].startswith("The labels are of toxicity")
    assert told["madlibs"]["terms"][0]["term"] == "blind"
    assert told["madlibs"]["terms"][1]["specificity"]["estimate"] == 1.0


def test_the_cache_knows_whether_published_data_were_there(
    data: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path))
    vader = scorer_named("vader")
    known = scorer_identity(vader, frames_for("sentiment"))
    monkeypatch.setattr(audit_cache, "audit_scorer", lambda scorer: {"identity": known, "unscored": {}})
    without, with_them = cached_audit(vader), cached_audit(vader, data)
    assert "madlibs" not in without["published"] and "madlibs" in with_them["published"]
    assert cached_audit(vader) == without
    assert len(list((tmp_path / "scorers").iterdir())) == 2


def test_data_that_are_not_the_published_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / madlibs.PATH
    path.parent.mkdir(parents=True)
    path.write_text("Text,Label,Template\n", encoding="utf-8")
    with pytest.raises(InputError, match="not the published file"):
        published_record(Rules(CARD, score), DataFolder(tmp_path))


def test_a_fault_that_a_test_plants_reaches_no_audit_of_the_scorer_itself(scorers_folder: Path) -> None:
    """And none that somebody keeps."""

    def gap() -> Any:
        found = cached_audit(scorer_named("vader"))
        return next(
            axis["gap"]["neutral"]["estimate"] for axis in found["axes"] if axis["axis"] == "religion"
        )

    with faulty_scorer():
        assert gap() == pytest.approx(0.6)
    assert gap() == 0.0
    assert len(list((scorers_folder / "scorers").glob("*.json"))) >= 2

"""What changed since an earlier audit, and the redacted examples: both are made from the answers."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from audit.api import audit
from audit.bundle import Bundle
from audit.cli import main
from audit.compare import compare_bundles
from audit.measures import Decoding
from audit.spec import UntilDecided
from probes.errors import BundleError
from reports.asked import Asked
from reports.audit_report import report_data, write
from reports.contents.changes import WITHIN, summarized
from reports.contents.evidence import SOURCES
from reports.contents.examples import NONE_FOUND, NONE_GENERATED
from tests.audit.comparison_world import audit_of, failing, jittered, noise, planted
from tests.audit.sequential_world import (
    TEXTS,
    alike,
    quick_scorers,  # noqa: F401 - a fixture, which works by being here
    write_suite,
    writer,
)
from tests.reports.pages import section

BIAS = 2.0


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audit_of(tmp_path_factory.mktemp("before") / "a", noise(), each=True, title="Spring <b>")


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A jitter too small to matter, and one bias of known size."""
    return audit_of(
        tmp_path_factory.mktemp("after") / "a", jittered(nats=BIAS, name="scripted/noise"), each=True
    )


@pytest.fixture(scope="module")
def changed(before: Path, after: Path) -> dict[str, Any]:
    return report_data(after, Asked(earlier=before))


@pytest.fixture(scope="module")
def compared(before: Path, after: Path) -> dict[str, Any]:
    return compare_bundles(before, after)


# -- the change log ---------------------------------------------------------------------------------


def test_without_an_earlier_audit_there_is_no_change_log(after: Path) -> None:
    data = report_data(after)
    assert data["changes"] is None
    assert "No earlier audit was given" in section("changes", data)


def test_the_planted_change_is_told_with_its_interval(changed: dict[str, Any]) -> None:
    log = changed["changes"]
    assert log["comparable"] is True and log["why"] is None
    (row,) = [row for row in log["sizes"] if row["role"] == "confirmatory"]
    assert row["estimate"] == pytest.approx(BIAS, abs=0.05)
    assert row["ci"]["lo"] < BIAS < row["ci"]["hi"] and row["ci"]["lo"] > 0
    assert row["verdict"].startswith("changed, ") and "times [" in row["size"]
    by_number = {told["number"]: told["record"]["id"] for told in changed["findings"]}
    assert all(by_number[each["number"]] == each["finding"] for each in log["sizes"])
    assert len(log["sizes"]) == len(changed["findings"])


def test_every_verdict_that_moved_is_named_once(before: Path, changed: dict[str, Any]) -> None:
    log = changed["changes"]
    earlier = {told["record"]["id"]: told["record"]["verdict"] for told in report_data(before)["findings"]}
    new = [
        told["number"]
        for told in changed["findings"]
        if told["record"]["verdict"] == "disparity" != earlier[told["record"]["id"]]
    ]
    assert sorted(log["new"]) == new != [] and "F-001" in new
    kept = sum(row["findings"] for row in log["verdicts"] if row["before"] == row["after"])
    named = sum(len(log[key]) for key in ("new", "resolved", "no_longer_shown", "moved"))
    assert kept + named == len(changed["findings"]) == sum(row["findings"] for row in log["verdicts"])


MOVES = [
    ("disparity", "disparity", None),
    ("inconclusive", "disparity", "new"),
    ("invalid", "disparity", "new"),
    ("disparity", "no disparity within margin", "resolved"),
    ("disparity", "inconclusive", "no_longer_shown"),
    ("disparity", "invalid", "no_longer_shown"),
    ("inconclusive", "no disparity within margin", "moved"),
    ("inconclusive", "inconclusive", None),
]


@pytest.mark.parametrize(("old", "new", "where"), MOVES)
def test_a_disparity_is_resolved_only_where_it_is_shown_to_lie_within(
    old: str, new: str, where: str | None, compared: dict[str, Any], changed: dict[str, Any]
) -> None:
    row = {**compared["findings"][0]}
    row |= {"before": {**row["before"], "verdict": old}, "after": {**row["after"], "verdict": new}}
    numbers = {told["record"]["id"]: told["number"] for told in changed["findings"]}
    log = summarized({**compared, "findings": [row]}, numbers)
    named = {key: log[key] for key in ("new", "resolved", "no_longer_shown", "moved") if log[key]}
    assert named == ({} if where is None else {where: [log["sizes"][0]["number"]]})
    assert log["verdicts"] == [{"before": old, "after": new, "findings": 1}]


def test_backwards_a_new_disparity_is_one_that_went(before: Path, after: Path) -> None:
    log = report_data(before, Asked(earlier=after))["changes"]
    assert log["new"] == [] and log["resolved"] + log["no_longer_shown"]
    (row,) = [row for row in log["sizes"] if row["role"] == "confirmatory"]
    assert row["estimate"] == pytest.approx(-BIAS, abs=0.05)


def test_the_earlier_audit_is_named_without_its_folder(before: Path, changed: dict[str, Any]) -> None:
    told = changed["changes"]["earlier"]
    bundle = Bundle(before)
    assert told["plan_sha256"] == bundle.plan_sha256 and told["title"] == "Spring <b>"
    assert told["run_id"] == f"{told['plan_sha256'][:12]}-{told['chain_sha256'][:12]}"
    assert told["report_sha256"] is None
    assert str(before) not in json.dumps(changed)
    assert any("title" in line for line in changed["changes"]["plan"])
    page = section("changes", changed)
    assert "Spring &lt;b&gt;" in page and "Spring <b>" not in page


def test_the_earlier_report_is_named_by_its_hash(before: Path, after: Path, tmp_path: Path) -> None:
    earlier = Path(shutil.copytree(before, tmp_path / "earlier"))
    (path,) = write(earlier, ["json"])
    told = report_data(after, Asked(earlier=earlier))["changes"]["earlier"]
    assert told["report_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_flips_and_rows_are_counted(changed: dict[str, Any], before: Path, tmp_path: Path) -> None:
    log = changed["changes"]
    probe = next(row for row in log["coverage"] if row["arm"] == "probe")
    assert probe["matched"] == probe["rows"] > 0 and "rows compared" in probe["text"]
    assert log["flips"] and all(0 <= row["flipped"] <= row["rows"] for row in log["flips"])
    assert sum(row["flipped"] for row in log["flips"]) > 0
    gaps = audit_of(tmp_path / "gaps", failing(lambda text: "number 3 " in text), each=True)
    fewer = report_data(gaps, Asked(earlier=before))["changes"]
    lost = next(row for row in fewer["coverage"] if row["arm"] == "probe")
    assert 0 < lost["matched"] < lost["rows"]


def test_models_that_do_not_belong_together_are_said_to_be_none(before: Path, tmp_path: Path) -> None:
    two = audit_of(tmp_path / "two", planted(), jittered(), each=True)
    data = report_data(two, Asked(earlier=before))
    log = data["changes"]
    assert log["comparable"] is False and log["why"]
    assert log["sizes"] == log["new"] == log["flips"] == [] and str(tmp_path) not in json.dumps(log)
    assert log["earlier"]["title"] == "Spring <b>"
    assert "cannot be held against each other" in section("changes", data)


def test_a_broken_or_missing_earlier_audit_is_bad_input(
    after: Path, before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BundleError, match="the very one that is reported"):
        report_data(after, Asked(earlier=after))
    with pytest.raises(BundleError, match="no such folder"):
        report_data(after, Asked(earlier=tmp_path / "none"))
    cut = Path(shutil.copytree(before, tmp_path / "cut"))
    shutil.rmtree(cut / "sidecar", ignore_errors=True)
    (records,) = (cut / "records").iterdir()
    records.write_bytes(b"".join(records.read_bytes().splitlines(keepends=True)[:-3]))
    with pytest.raises(SystemExit) as ended:
        main(["report", str(after), "--earlier", str(cut), "--out", str(tmp_path / "out")])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and "Traceback" not in error and str(cut) in error
    assert not (tmp_path / "out").exists()


# -- examples of generated text ---------------------------------------------------------------------


def only_kind_to_red(prompt: str) -> float:
    return 0.8 if "red" in prompt else 0.0


def talked(folder: Path, share: Any, **more: Any) -> Path:
    suite = write_suite(folder / "talk", "nested")
    audit([writer(share)], [str(suite)], folder / "audit", **{"decoding": Decoding(samples=8), **more})
    return folder / "audit"


def test_a_disparity_of_generated_text_has_examples_without_the_text(tmp_path: Path) -> None:
    root = talked(tmp_path, only_kind_to_red)
    data = report_data(root)
    examples = data["examples"]
    shown = [told["number"] for told in data["findings"] if told["record"]["verdict"] == "disparity"]
    assert shown and [row["number"] for row in examples["findings"]] == shown
    assert examples["reason"] is None and "may hurt" in examples["warning"]
    records = {record.n: record for record in Bundle(root).records()}
    for item in (item for row in examples["findings"] for item in row["items"]):
        samples = records[item["record"]].response.samples
        assert [text["sha256"] for text in item["texts"]] == [
            hashlib.sha256(sample.text.encode()).hexdigest() for sample in samples
        ]
        assert [text["characters"] for text in item["texts"]] == [len(sample.text) for sample in samples]
        assert item["prompt"].startswith("Today the ") and abs(item["score"] - item["baseline"]) > 0.1
    page = section("examples", data)
    assert "Content warning" in page and "Today the " in page
    for text in TEXTS.values():
        assert text not in page and text not in json.dumps(data)


def test_where_there_is_nothing_to_show_it_is_said_why(data: dict[str, Any], tmp_path: Path) -> None:
    assert data["examples"]["findings"] == [] and data["examples"]["reason"] == NONE_GENERATED
    quiet = report_data(talked(tmp_path, alike))
    assert quiet["examples"]["findings"] == [] and quiet["examples"]["reason"] == NONE_FOUND


def test_what_was_asked_until_decided_speaks_of_these_prompts_only(tmp_path: Path) -> None:
    root = talked(tmp_path, only_kind_to_red, decoding=Decoding(samples=2), until_decided=UntilDecided(200))
    data = report_data(root)
    shown = [told["number"] for told in data["findings"] if told["record"]["verdict"] == "disparity"]
    assert shown and [row["number"] for row in data["examples"]["findings"]] == shown
    assert all(item["texts"] for row in data["examples"]["findings"] for item in row["items"])
    computed = [told for told in data["findings"] if told["record"]["ci"]]
    assert computed and {told["covers"] for told in computed} == {"fixed items"}
    rows = data["method"]["intervals"]
    assert {row["covers"] for row in rows} == {"fixed items"}
    estimate = next(row for row in rows if row["interval"] == "ci")
    assert estimate["method"] == "betting confidence sequence" and "the prompts" in estimate["fixed"]
    assert "no others" in estimate["meaning"] and {"the decoding", "the scorer"} <= set(estimate["fixed"])
    found = next(told for told in data["findings"] if told["number"] == shown[0])
    assert "robust" not in found["severity"]["certainty"]
    within = [told for told in data["findings"] if told["record"]["verdict"] == WITHIN]
    assert all("confidence sequence" in told["severity"]["certainty"] for told in within)
    limits = {row["name"]: row["value"] for row in data["method"]["thresholds"]}
    assert limits["most units that are drawn until a comparison is decided"] == 200
    analysed = SOURCES["robustness"](data)
    assert analysed == "no comparison has a record of how it holds under other wordings and analyses"

"""Pages of an audit that judges text by more than one construct, with labels that people brought in."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from audit import api
from audit.api import run
from audit.bundle import Bundle
from audit.labelling.analysis import labelled
from audit.labelling.filled import bring_in
from audit.labelling.outputs import scored_outputs
from audit.labelling.sample import Wish, draw
from audit.labelling.sheet import write_sheet
from audit.labelling.wording import contrast_cells, told_tables
from audit.measures import Decoding
from audit.models import ScriptedModel
from audit.models.cache import VARIABLE as CACHE
from audit.own_errors import own_errors
from audit.requests import Generate, Request, Response, Sampled
from audit.scorers.base import Scorer
from audit.scorers.bundle_audit import write_scorer_audits
from audit.scorers.registry import scorer_named
from audit.scorers.rules import Rules
from audit.spec import AuditSpec, SuiteChoice, choose
from audit.wording import claim, in_points, with_interval
from dashboards import tables
from probes import Sampling
from tests.dashboards.conftest import Pages, clean, rows_of, table, texts

REFUSAL, ANSWER = (
    "I'm sorry, but I can't help with that request.",
    "Here are five ideas: tea, soup and bread.",
)
KIND = "was kind and helped everyone."
DETECTORS = ("refusal-grammar", "refusal-phrases")
SUITES = Path(__file__).resolve().parents[2] / "probes/suites"
SEPARATE = ("continuation_sentiment", "reply_refusal")


def write(request: Request) -> Response:
    """Refuses whatever is asked about a mother, and twice out of three times about an aunt."""
    assert isinstance(request, Generate)
    refuses = {"mother": 3, "aunt": 2}
    count = next((many for word, many in refuses.items() if f" {word} " in request.prompt), 0)
    asked = request.prompt.endswith((".", "?"))
    told = [(REFUSAL if n < count else ANSWER) if asked else KIND for n in range(request.samples)]
    return Response(samples=tuple(Sampled(f" {text}", 9, "stop") for text in told), text_tokens=9)


def small(name: str, folder: Path) -> SuiteChoice:
    """Of a suite of the catalogue women and men alone, by four templates and eight pairs of words."""
    suite = yaml.safe_load((SUITES / f"{name}.yaml").read_text("utf-8"))
    suite["contrasts"] = [row for row in suite["contrasts"] if row["id"] == "gender"]
    suite["lexicons"] = ["gendered-terms"]
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(suite), "utf-8")
    return choose(folder / f"{name}.yaml", sampling=Sampling(4, 8, None, 1))


def of_refusals(bundle: Bundle, scorers: Sequence[Scorer], **_: Any) -> None:
    """The own audits of the detectors of refusals; those of sentiment take longer and are shown elsewhere."""
    write_scorer_audits(bundle, [scorer for scorer in scorers if scorer.card.construct == "refusal"])


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentiment and refusals by two scorers each, and what somebody said of a sample of the replies."""
    folder = tmp_path_factory.mktemp("judged")
    model = ScriptedModel(write, id="clerk", capabilities=frozenset({"generate"}))
    suites = tuple(small(name, folder) for name in ("requests", "continuation"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE, str(tmp_path_factory.getbasetemp() / "evenhand-cache"))
        patch.setattr(api, "write_scorer_audits", of_refusals)
        run(AuditSpec((model,), suites, decoding=Decoding(samples=3)), folder / "judged")
    outputs = scored_outputs(folder / "judged")
    rows = draw(outputs, (), Wish(per_stratum=12, suites=("requests",))).rows
    sheet = write_sheet(outputs, rows, folder / "sheet.csv", 0).sheet
    filled = pd.read_csv(sheet, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    filled["label"] = ["refused" if REFUSAL in text else "answered" for text in filled["text"]]
    filled.to_csv(sheet, index=False, encoding="utf-8-sig")
    bring_in(outputs, sheet, "Ann")
    return folder / "judged"


def about_women(root: Path, suite: str) -> dict[str, Any]:
    """The finding about women and men by a suite."""
    return next(row for row in rows_of(root) if (row["suite"], row["group"]) == (suite, "woman"))


@pytest.fixture
def audit(judged: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(judged, tmp_path / "judged"))


def test_each_measure_has_a_chart_of_its_own(audit: Path, pages: Pages) -> None:
    app = clean(pages.open("findings", audit))
    rows = rows_of(audit)
    assert {row["measure"] for row in rows} == set(SEPARATE)
    for name in SEPARATE:
        drawn = table(app, f"Data of the chart: forest-{name}")
        assert sorted(drawn["estimate"]) == sorted(row["estimate"] for row in rows if row["measure"] == name)
    refused = about_women(audit, "requests")
    shown = table(app, "Findings, worst first").set_index("id").loc[refused["id"]]
    assert "percentage points [" in claim(refused) and shown["claim"] == tables.bare(claim(refused))
    assert shown["estimate"] == tables.estimate_text(refused) and shown["estimate"].endswith(" of 100")
    assert shown["estimate"].startswith(f"{100 * refused['estimate']:+.1f} [")


def test_a_finding_tells_what_each_scorer_and_people_say(audit: Path, pages: Pages) -> None:
    row = about_women(audit, "requests")
    said = texts(clean(pages.open("finding", audit, finding=row["id"])))
    first = {"estimate": row["estimate"], **row["ci"]}
    assert f"refusal-grammar\n{with_interval(first, '+.3f')}\ndecides" in said
    other = row["scorers"][0]
    assert f"refusal-phrases\n{with_interval(other, '+.3f')}\n{other['states']}" in said
    for each in own_errors(audit, [row])[row["id"]]:
        figures = "\n".join(in_points(each[side]) for side in ("raw", "corrected"))
        assert f"{each['scorer']}\n{figures}\n{each['says']}" in said
    people = next(each for each in labelled(audit)["contrasts"] if each["id"] == row["id"])
    assert "\n".join(contrast_cells(people)) in said
    of_sentiment = about_women(audit, "continuation")
    said = texts(clean(pages.open("finding", audit, finding=of_sentiment["id"])))
    assert "Nobody has labelled a sample of these texts" in said


def test_a_reply_stands_with_its_own_scores_and_labels(audit: Path, pages: Pages) -> None:
    row = about_women(audit, "requests")
    said = texts(clean(pages.open("finding", audit, finding=row["id"])))
    assert "refusal-grammar +1.000; refusal-phrases +1.000" in said
    assert "vader" not in said and "textblob" not in said and "unknown ·" not in said
    for part in said.split("scored · ")[1:]:
        scores, _, after = part.partition("\n")
        labels = [line for line in after.splitlines() if line.startswith("Ann, ")]
        wanted = "refused" if "+1.000; refusal-phrases" in scores else "answered"
        assert len(labels) <= 1 and all(line.endswith(f"{wanted} (blind)") for line in labels)
    assert "refused (blind)" in said


def test_the_review_page_shows_what_people_find(audit: Path, pages: Pages) -> None:
    app = clean(pages.open("review", audit))
    for told in told_tables(labelled(audit)):
        shown = table(app, told["caption"])
        assert [tuple(row) for row in shown.to_numpy()] == told["rows"] and told["rows"]
    assert "No single label could be held against a scorer's number." in texts(app)


def test_the_scorers_page_tells_of_the_scorers_of_its_texts_alone(audit: Path, pages: Pages) -> None:
    other = Rules(scorer_named("vader").card, lambda text: 0.4)
    write_scorer_audits(Bundle(audit), [other, *map(scorer_named, DETECTORS)])
    app = clean(pages.open("scorers", audit))
    assert [each.value for each in app.subheader] == list(DETECTORS)
    assert "it rates all groups exactly alike" in texts(app)
    assert "difference, percentage points" in texts(app)

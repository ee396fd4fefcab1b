"""Every Eval Ever 0.3.0: one file of results a model, and every answer with a value, line by line.

A result is a finding with a figure; its score is the signed difference between groups, so that 0 and neither
end is no difference: ``lower_is_better``, which the format demands, holds of its distance from 0. What has no
figure is listed by name and reason, since the format has no place for a missing score.

An answer's line holds its prompt. Text that a model wrote is replaced by its length and its SHA-256, unless
it is asked for: it may be toxic, and stays in the bundle. ``is_correct`` is demanded by the format and means
nothing here: it is false, and every line says so.
"""

from __future__ import annotations

import hashlib
import math
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from audit.bundle import Bundle, PassingFile, disk_errors, file_bytes
from audit.measures import MEASURES, Measure
from audit.plan import PlannedSuite, planned_suites
from audit.sidecar import Sidecar, open_sidecar
from audit.table import AXIS
from reports.exports.eval_ever_texts import answered, model_text
from reports.exports.files import (
    NOT_STATED,
    Content,
    about_model,
    compact,
    component,
    epoch,
    findings_of,
    said,
    settings_rows,
    uuid4_of,
    when,
)
from reports.exports.validate import held_to
from reports.text import value_text

Data = Mapping[str, Any]

FOLDER = "report-eval-ever"
COLLECTION = "evenhand"
VERSION = "0.3.0"
UNDECLARED = "undeclared"
"""The developer of a model of which nobody was found to say who made it."""
SPACES = re.compile(r"\s+")
RELATIONSHIPS = {
    "first_party": "first_party",
    "internal_independent": "first_party",
    "third_party": "third_party",
    "collaborative": "collaborative",
}
"""What an engagement states to what the format knows; all else is ``other``, and is quoted."""
NEITHER = "not applicable: a measure of disparity knows no correct answer; the format demands a value"
SIGNED = "signed: 0 is no difference; lower_is_better holds of the distance from 0 alone: not to be ranked"
CHECKED_EVERY = 1000
"""Lines of which one is held to the schema: all are made by one function from columns of known types."""
PART = 10_000
"""Rows that are held as Python's own values at one time."""
COLUMNS = (
    "suite", "arm", "item", "template", "family", "term", "pair", "setting", "unit", "status", "file", "n",
    "text", "output", "digest", "value", "draw", "drawn", "drawn_for", "doubtful",
)  # fmt: skip
"""Of the sidecar, those that a line is made from, besides the axes."""
TOLD = ("arm", "template", "family", "term", "pair", "setting", "unit", "drawn_for")
"""Columns that a line repeats as they are, where they say something."""


def eval_ever_files(data: Data, root: Path) -> dict[str, Content]:
    """A file of results and a file of answers for each model, below ``report-eval-ever/data/``."""
    bundle = Bundle(root)
    plan, redacted = bundle.plan, bundle.is_redacted
    suites, sidecar = planned_suites(plan), open_sidecar(root)
    files: dict[str, Content] = {}
    for model in data["cover"]["models"]:
        about = replace(About.of(data, model), redacted=redacted)
        answers = written_answers(about, suites, sidecar)
        results = held_to(aggregate(data, about, answers), "eval-ever", about.path + ".json")
        files[f"{FOLDER}/{about.path}.json"] = file_bytes(results)
        if answers.rows:
            files[f"{FOLDER}/{about.samples}"] = answers.file
    return files


@dataclass(frozen=True)
class About:
    """What a model is called in this format, and where its files lie.

    Attributes
    ----------
    model : mapping
        The model on the report's cover.
    id : str
        ``developer/name``, as the folders spell it; the results quote the model's own id as its name.
    evaluation : str
        The id of this evaluation of it.
    path : str
        Of its files, without their ending.
    revealed, redacted : bool
        Whether text that it wrote is shown, and whether the bundle holds it no longer.
    """

    model: Data
    id: str
    evaluation: str
    path: str
    revealed: bool = False
    redacted: bool = False

    @classmethod
    def of(cls, data: Data, model: Data) -> About:
        """As the report's data say."""
        cover = data["cover"]
        developer, _, name = model["id"].partition("/")
        if not (developer and name):
            told = about_model(data, model["id"]).get("developer")
            developer = SPACES.sub("-", value_text(told["value"])) if told and told["value"] else UNDECLARED
            name = model["id"]
        own = f"{component(developer)}/{component(name.replace('/', '_'))}"
        audit = f"{COLLECTION}-{cover['plan_sha256'][:12]}-{cover['chain_sha256'][:12]}"
        name = uuid4_of(cover["plan_sha256"], cover["chain_sha256"], model["id"], model["digest"])
        evaluation, path = f"{audit}/{own}/{epoch(when(cover))}", f"data/{COLLECTION}/{own}/{name}"
        return cls(model, own, evaluation, path, data["texts"] == "revealed")

    @property
    def samples(self) -> str:
        """The path of its answers."""
        return f"{self.path}_samples.jsonl"


# -- results ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answers:
    """The file of answers that was made for one model.

    Attributes
    ----------
    rows : int
        Lines.
    left_out : mapping of str to int
        Answers without a value, by status.
    texts : int
        Lines of text that the model wrote.
    """

    file: PassingFile
    rows: int
    sha256: str
    left_out: Mapping[str, int]
    texts: int


def aggregate(data: Data, about: About, answers: Answers) -> dict[str, Any]:
    """The results of one model.

    Parameters
    ----------
    data : mapping
        As ``report.schema.json`` describes.
    about : About
        The model.
    answers : Answers
        Its file of answers.
    """
    cover, findings = data["cover"], findings_of(data, about.model["id"])
    found: dict[str, Any] = {
        "schema_version": VERSION,
        "evaluation_id": about.evaluation,
        "evaluation_timestamp": when(cover),
        "retrieved_timestamp": str(epoch(when(cover))),
        "source_metadata": source(data, findings),
        "eval_library": {"name": "evenhand", "version": ", ".join(cover["evenhand"]) or "unknown"},
        "model_info": model_info(data, about),
        "evaluation_results": [
            result(data, told) for told in findings if told["record"]["estimate"] is not None
        ],
    }
    if answers.rows:
        left_out = "; ".join(f"{number} {status}" for status, number in answers.left_out.items())
        found["detailed_evaluation_results"] = {
            "format": "jsonl",
            "file_path": about.samples,
            "hash_algorithm": "sha256",
            "checksum": answers.sha256,
            "total_rows": answers.rows,
            "additional_details": {
                "without_a_value": left_out or "none",
                "model_text": model_text(about.revealed, answers.texts),
                "is_correct": NEITHER,
            },
        }
    return found


def source(data: Data, findings: list[Data]) -> dict[str, Any]:
    """Who evaluated, what the results do not claim, and which comparisons have no figure."""
    cover = data["cover"]
    stated = str(cover.get("relationship") or "")
    missing = [
        f"{told['number']} {told['record']['id']}: {told['record']['undefined']}"
        for told in findings
        if told["record"]["estimate"] is None
    ]
    return {
        "source_name": cover["title"],
        "source_type": "evaluation_run",
        "source_organization_name": said(cover.get("performed_by")),
        "evaluator_relationship": RELATIONSHIPS.get(stated, "other"),
        "additional_details": {
            "disclaimer": " ".join(cover["claims_limits"]),
            "relationship_stated": stated or NOT_STATED,
            "not_computable": "; ".join(missing) or "none",
            "not_measured": "; ".join(f"{row['what']}: {row['why']}" for row in data["not_measured"]),
            **dict(settings_rows(data)),
        },
    }


def model_info(data: Data, about: About) -> dict[str, Any]:
    """The model as it was loaded. Whether its weights are open is not for this program to say."""
    told = about_model(data, about.model["id"])
    own = any(field.startswith("file:") for field in told)
    developer = told.get("developer")
    known = {
        f"provenance_{field}": f"{row['status']}: {value_text(row['value'])}"
        for field, row in told.items()
        if not field.startswith("file:")
    }
    return {
        "name": about.model["id"],
        "id": about.id,
        "developer": value_text(developer["value"]) if developer else "unknown",
        "additional_details": {
            **known,
            "deployment_type": "self_deployed" if own else "unknown",
            "model_availability": "unknown",
            "digest": about.model["digest"],
            "kind": about.model["kind"],
        },
    }


def result(data: Data, told: Data) -> dict[str, Any]:
    """A finding as a result: its figure with interval, and what the figure alone would not say."""
    record = told["record"]
    suite = next(row for row in data["suites"] if row["id"] == record["suite"])
    measure = MEASURES[record["measure"]]
    uncertainty: dict[str, Any] = {"num_samples": record["n_cells"]}
    if record["se"] is not None:
        uncertainty["standard_error"] = {"value": record["se"], "method": record["method"]}
    if record["ci"]:
        uncertainty["confidence_interval"] = {
            "lower": record["ci"]["lo"],
            "upper": record["ci"]["hi"],
            "confidence_level": record["ci"]["level"],
            "method": record["method"],
        }
    found: dict[str, Any] = {
        "evaluation_result_id": record["id"],
        "evaluation_name": record["suite"],
        "source_data": {
            "dataset_name": record["suite"],
            "source_type": "other",
            "additional_details": {"version": str(suite["version"]), "sha256": suite["digest"]},
        },
        "metric_config": {
            "evaluation_description": f"{suite['title']}: {record['group_label']} compared with "
            f"{record['reference_label']}. {measure.meaning}",
            "metric_id": f"evenhand.{record['measure']}.difference",
            "metric_name": "difference between groups",
            "metric_unit": record["unit"],
            "lower_is_better": True,
            "score_type": "continuous",
            **bounds(measure, record),
            "additional_details": {"reading": SIGNED},
        },
        "score_details": {
            "score": record["estimate"],
            "details": details(told),
            "uncertainty": uncertainty,
        },
    }
    if "generate" in measure.forms:
        decoding = data["settings"]["decoding"]
        found["generation_config"] = {"additional_details": {"decoding": compact(decoding)}}
        if "settings" not in decoding:  # where there are some, they count and not these
            found["generation_config"]["generation_args"] = {
                "temperature": decoding["temperature"],
                "top_p": decoding["top_p"],
                "max_tokens": decoding["max_new_tokens"],
            }
    return found


def bounds(measure: Measure, record: Data) -> dict[str, Any]:
    """The smallest and the largest difference that a measure can show; of an interaction, twice as much."""
    if measure.bounds is None:
        return {"min_score": "-Infinity", "max_score": "Infinity"}
    low, high = measure.bounds
    span = (high - low) * (2 if record["crossed_axis"] else 1)
    return {"min_score": -span, "max_score": span}


def details(told: Data) -> dict[str, str]:
    """What stands beside a figure: all values are text in this format, numbers as they read back."""
    record = told["record"]
    numbers = {
        "p_value": record["p"],
        "p_adjusted": record["p_adjusted"],
        "margin": record["margin"]["value"],
        "equivalence_lower": (record["ci_equivalence"] or {}).get("lo"),
        "equivalence_upper": (record["ci_equivalence"] or {}).get("hi"),
        "minimum_detectable": record["minimum_detectable"],
        "template_families": record["n_clusters"],
        "terms": record["n_terms"],
    }
    return {
        "finding": told["number"],
        "verdict": told["verdict"],
        "statement": told["statement"],
        "contrast": record["contrast"],
        "axis": record["axis"],
        "group": record["group"],
        "reference": record["reference"],
        "role": record["role"],
        "severity": record["severity"],
        "fragile": "; ".join(record["reasons"]) if record["fragile"] else "no",
        "review": told["review"]["status"],
        "correction": record["correction"]["method"],
        **{name: repr(value) for name, value in numbers.items() if value is not None},
    }


# -- answers ----------------------------------------------------------------------------------------


def written_answers(about: About, suites: Mapping[str, PlannedSuite], sidecar: Sidecar) -> Answers:
    """Every answer of a model that has a value, written to a passing file, one suite at a time."""
    where = Path(tempfile.gettempdir())
    digest, rows, texts = hashlib.sha256(), 0, 0
    left_out: dict[str, int] = {}
    with disk_errors(where):
        file = PassingFile()
        for suite, planned in suites.items():
            frame = frame_of(sidecar, about.model["id"], suite)
            valued = frame["status"] == "scored"
            texts += int(frame["output"][valued].notna().sum())
            for status, number in frame["status"][~valued].value_counts().items():
                if number:
                    left_out[str(status)] = left_out.get(str(status), 0) + int(number)
            for line in lines(about, planned, frame[valued]):
                if rows % CHECKED_EVERY == 0:
                    held_to(line, "eval-ever-sample", f"{about.samples}:{rows + 1}")
                content = compact(line).encode("utf-8") + b"\n"
                digest.update(content)
                file.write(content)
                rows += 1
    return Answers(file, rows, digest.hexdigest(), left_out, texts)


def frame_of(sidecar: Sidecar, model: str, suite: str) -> pd.DataFrame:
    """The scores of one model and suite, in the plan's order."""
    axes = [column for column in sidecar.columns if column.startswith(AXIS)]
    return sidecar.scores([*COLUMNS, *axes], model, suite)


def lines(about: About, planned: PlannedSuite, frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The answers of one suite, a line a value."""
    measure = planned.measure
    method = ", ".join([measure.name, *measure.scorers[:1]])
    choices = {
        (item.id, pair.id): [*pair.plus, *pair.minus] for item in planned.items for pair in item.answers
    }
    told = [name for name in frame.columns if name in TOLD or name.startswith(AXIS)]
    for row in rows_of(frame):
        metadata = {name: str(row[name]) for name in told if row[name] not in (None, "")}
        yield line_of(about, row, method, choices.get((row["item"], row["unit"])), metadata)


def rows_of(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows of a frame, None where a column says nothing; a part at a time, to spare memory."""
    names = list(frame.columns)
    for start in range(0, len(frame), PART):
        part = frame.iloc[start : start + PART].astype(object)
        part = part.where(part.notna(), None)
        columns = (part[name].tolist() for name in names)
        for values in zip(*columns, strict=True):
            yield dict(zip(names, values, strict=True))


def line_of(
    about: About, row: Mapping[str, Any], method: str, choices: list[str] | None, metadata: dict[str, str]
) -> dict[str, Any]:
    """One answer with its value.

    Parameters
    ----------
    row : mapping
        Of the sidecar; None where a column says nothing of it.
    method : str
        What read the value off the answer.
    choices : list of str or None
        The answers that were compared, those that raise the value first; None where the model wrote text.
    metadata : dict of str to str
        What else is known of the answer.
    """
    value = float(row["value"])
    if not math.isfinite(value):
        raise ValueError(f"{row['item']}: a value of {value}")
    drawn = f"~{row['drawn_for']}:{row['draw']}" if row["drawn"] else ""
    if row["doubtful"]:
        metadata["doubtful"] = "the tokenizer splits the answers unequally"
    return {
        "schema_version": VERSION,
        "evaluation_id": about.evaluation,
        "model_id": about.id,
        "evaluation_name": row["suite"],
        "sample_id": f"{row['item']}#{row['unit']}{drawn}",
        "sample_hash": hashlib.sha256(row["text"].encode("utf-8")).hexdigest(),
        "interaction_type": "single_turn",
        "input": {
            "raw": row["text"],
            "reference": [],
            "choices": choices,
        },
        "output": {"raw": [answered(row, about.revealed, about.redacted)]},
        "answer_attribution": [
            {
                "turn_idx": 0,
                "source": "output.raw",
                "extracted_value": repr(value),
                "extraction_method": method,
                "is_terminal": True,
            }
        ],
        "evaluation": {"score": value, "is_correct": False},
        "metadata": {**metadata, "request_sha256": row["digest"], "is_correct": NEITHER},
    }

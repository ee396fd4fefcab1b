"""Flags follow from claims by rule: which well-known models raise which, whole lists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from audit.commands.provenance import model_provenance
from audit.models import LoadOptions
from audit.provenance import MEANINGS, claim, flags
from audit.provenance.claims import Origin
from audit.provenance.flags import RULES
from tests.provenance.conftest import CONFIGS, as_the_wheel_says, with_data, write_folder, write_gguf


def found(name: Path | str) -> dict[str, Any]:
    return model_provenance(str(name), LoadOptions(offline=True))


def raised(told: dict[str, Any]) -> dict[str, set[str]]:
    """Flags by severity."""
    return {
        severity: {flag["flag"] for flag in told["flags"] if flag["severity"] == severity}
        for severity in ("review", "note")
    }


def rests_on(told: dict[str, Any], flag: str) -> list[str]:
    return next(row["claims"] for row in told["flags"] if row["flag"] == flag)


def value(told: dict[str, Any], field: str) -> Any:
    return next(row for row in told["claims"] if row["field"] == field)


def test_bert(bert: Path) -> None:
    told = found(bert)
    assert raised(told) == {
        "review": {"CARD_NOT_BY_DEVELOPER", "DATASET_LICENCE_UNKNOWN"},
        # The date of its Wikipedia export is not stated, and Wikipedia is share-alike.
        "note": {"CUTOFF_UNKNOWN", "NONCOMMERCIAL_OR_SHAREALIKE_UPSTREAM"},
    }
    assert rests_on(told, "DATASET_LICENCE_UNKNOWN") == ["dataset_licence:bookcorpus"]
    assert rests_on(told, "NONCOMMERCIAL_OR_SHAREALIKE_UPSTREAM") == ["dataset_licence:wikipedia"]
    author = value(told, "card_author")
    assert author["value"] == {"who": "Hugging Face", "relation": "instead of the developers"}
    assert author["status"] == "declared" and "the curated notes" not in author["declared_by"]
    assert "this project's curated notes says the same" in author["note"]
    assert value(told, "revision")["value"] == "0123456789abcdef0123456789abcdef01234567"
    assert value(told, "datasets")["value"] == ["bookcorpus", "wikipedia"]
    assert value(told, "released")["value"] == "2018-10"


def test_gpt2(gpt2: Path) -> None:
    told = found(gpt2)
    assert raised(told) == {
        "review": {"TRAINING_DATA_UNDECLARED", "LICENCE_MISMATCH"},
        # Its developers wrote a card of their own, which the hub's card completes.
        "note": {"CARD_NOT_BY_DEVELOPER"},
    }
    licence = value(told, "licence")
    assert licence["status"] == "conflict"
    assert [row["value"] for row in licence["value"]] == ["mit", "LicenseRef-Modified-MIT"]
    assert [row["declared_by"] for row in licence["value"]] == [
        "the author of the model card",
        "this project's curated notes",
    ]
    assert licence["value"][1]["observed_at"] == "2026-11-23"
    assert rests_on(told, "LICENCE_MISMATCH") == ["licence"]
    data = value(told, "training_data")
    assert data["value"] == "Pages behind links on a forum." and "WebText" in data["note"]
    assert value(told, "cutoff")["value"] == "2017-12"


def test_what_only_the_notes_know_does_not_make_up_for_what_the_files_leave_out(gpt2: Path) -> None:
    card = gpt2 / "README.md"
    card.write_text(card.read_text("utf-8").partition("## Training data")[0], "utf-8")
    told = found(gpt2)
    data = value(told, "training_data")
    assert data["declared_by"] == "this project's curated notes" and "WebText" in data["value"]
    assert "not in text of the model card (README.md)" in data["note"]
    assert "TRAINING_DATA_UNDECLARED" in raised(told)["review"]
    assert rests_on(told, "TRAINING_DATA_UNDECLARED") == ["datasets", "training_data"]


def test_a_gguf_file_that_names_its_data(tmp_path: Path) -> None:
    told = found(write_gguf(tmp_path / "m.gguf", with_data))
    assert raised(told) == {
        "review": {"QUANTISED_OR_CONVERTED", "BASE_MODEL_UNRESOLVED"},
        "note": {"CUTOFF_UNKNOWN"},
    }
    assert value(told, "conversion")["value"]["tensors"] == {"Q8_0": 1}
    assert value(told, "licence")["value"] == "apache-2.0"
    assert value(told, "languages")["value"] == ["en"]
    assert value(told, "developer")["declared_by"] == "the author of the file"


def test_a_gguf_file_as_it_lies_on_pypi_names_no_data_besides(tmp_path: Path) -> None:
    told = found(write_gguf(tmp_path / "m.gguf", as_the_wheel_says))
    assert raised(told)["review"] == {
        "QUANTISED_OR_CONVERTED", "BASE_MODEL_UNRESOLVED", "TRAINING_DATA_UNDECLARED",
    }  # fmt: skip
    assert rests_on(told, "BASE_MODEL_UNRESOLVED") == ["conversion", "finetune", "base_model"]


def test_a_gguf_file_that_names_what_it_was_made_from_is_resolved(tmp_path: Path) -> None:
    def named(writer: Any) -> None:
        with_data(writer)
        writer.add_uint32("general.base_model.count", 1)
        writer.add_string("general.base_model.0.name", "GPT2")
        writer.add_string("general.base_model.0.repo_url", "https://huggingface.co/openai-community/gpt2")

    told = found(write_gguf(tmp_path / "m.gguf", named))
    assert value(told, "base_model")["value"] == ["openai-community/gpt2"]
    assert "BASE_MODEL_UNRESOLVED" not in raised(told)["review"]
    assert value(told, "base_model_licence")["value"] == "LicenseRef-Modified-MIT"
    assert rests_on(told, "LICENCE_MISMATCH") == ["licence", "base_model_licence"]
    assert [note["relation"] for note in told["notes"]] == ["made from it"]
    # What is noted of the base model is not said of this one.
    assert value(told, "cutoff")["status"] == "unknown"


def card(front: str, text: str = "") -> str:
    return f"---\n{front}\n---\n{text}"


APACHE = "Apache License\nVersion 2.0, January 2004\nhttp://www.apache.org/licenses/\n"


@pytest.mark.parametrize(
    ("front", "text", "files", "expected"),
    [
        ("license: mit\ndatasets: [allenai/c4]", "", {}, set()),
        ("license: mit\ndatasets: [allenai/c4]", "", {"LICENSE": APACHE}, {"LICENCE_MISMATCH"}),
        ("license: apache-2.0\ndatasets: [c4]", "", {"LICENSE.txt": APACHE}, set()),
        ("datasets: [c4]", "", {}, {"LICENCE_UNDECLARED"}),
        ("license: other\ndatasets: [c4]", "", {}, {"LICENCE_UNDECLARED"}),
        ("license: other\nlicense_name: my-terms\ndatasets: [c4]", "", {}, set()),
        ("datasets: [c4]", "", {"LICENSE": APACHE}, set()),
        ("license: mit", "## Training data\n\nThe web.", {}, {"TRAINING_DATA_UNDECLARED"}),
        ("license: mit\ndatasets: [mine/own]", "", {}, {"DATASET_LICENCE_UNKNOWN"}),
        (
            "license: mit\ndatasets: [tatsu-lab/alpaca]",
            "",
            {},
            {"NONCOMMERCIAL_OR_SHAREALIKE_UPSTREAM"},
        ),
        ("license: cc-by-nc-4.0\ndatasets: [c4]", "", {}, {"NONCOMMERCIAL_OR_SHAREALIKE_UPSTREAM"}),
        ("license: mit\ndatasets: [c4]\nbase_model: ./checkpoint-5", "", {}, {"BASE_MODEL_UNRESOLVED"}),
        ("license: mit\ndatasets: [c4]\nbase_model: org/name", "", {}, set()),
        (
            "license: mit\ndatasets: [c4]\nbase_model_relation: finetune",
            "",
            {},
            {"BASE_MODEL_UNRESOLVED"},
        ),
        (
            "license: mit\ndatasets: [c4]",
            "This model card was written by fans, not by its authors.",
            {},
            {"CARD_NOT_BY_DEVELOPER"},
        ),
        ("license: mit\ndatasets: [c4]", "This card was written by the Aurora group.", {}, set()),
        (
            "license: apache-2.0\ndatasets: [c4]\nbase_model: meta-llama/Llama-2-7b",
            "",
            {},
            {"LICENCE_MISMATCH"},
        ),
    ],
)
def test_one_fact_one_flag(
    front: str, text: str, files: dict[str, str], expected: set[str], tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "m", CONFIGS["bert"], card(front, text))
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")
    told = found(folder)
    assert raised(told)["review"] == expected
    assert raised(told)["note"] == {"CUTOFF_UNKNOWN"}
    known = {row["field"] for row in told["claims"]}
    for flag in told["flags"]:
        assert flag["claims"] and set(flag["claims"]) <= known


def test_quantised_by_its_configuration(tmp_path: Path) -> None:
    config = {**CONFIGS["bert"], "quantization_config": {"quant_method": "gptq", "bits": 4, "x": [1]}}
    told = found(write_folder(tmp_path / "m", config, card("license: mit\ndatasets: [c4]")))
    assert {"QUANTISED_OR_CONVERTED", "BASE_MODEL_UNRESOLVED"} == raised(told)["review"]
    assert value(told, "conversion")["value"] == {"quant_method": "gptq", "bits": 4}


def test_a_hub_model_of_unknown_revision_is_not_pinned_and_a_folder_is_known_by_its_digest() -> None:
    unknown = claim("model:m", "revision", None, "unknown", "the hub's cache")
    assert [row["flag"] for row in flags([unknown])] == ["REVISION_NOT_PINNED"]
    folder = claim("model:m", "revision", None, "not_applicable", "a folder")
    assert flags([folder]) == []


def test_every_flag_can_be_raised_asks_for_a_review_and_accuses_nobody() -> None:
    """Each name of COMPLIANCE 3.2, and the one for a missing licence; a meaning for each."""
    names = {
        "TRAINING_DATA_UNDECLARED", "DATASET_LICENCE_UNKNOWN", "LICENCE_MISMATCH", "LICENCE_UNDECLARED",
        "NONCOMMERCIAL_OR_SHAREALIKE_UPSTREAM", "CARD_NOT_BY_DEVELOPER", "QUANTISED_OR_CONVERTED",
        "BASE_MODEL_UNRESOLVED", "PROBES_MAY_BE_IN_TRAINING_DATA", "REVISION_NOT_PINNED", "CUTOFF_UNKNOWN",
    }  # fmt: skip
    assert set(RULES) == set(MEANINGS) == names
    for meaning in MEANINGS.values():
        assert meaning.startswith("needs review")
        assert not re.search(r"infring|illegal|unlawful|violat|breach", meaning, re.IGNORECASE)


def test_flags_are_of_models_only_and_of_each_its_own() -> None:
    rows = [
        claim("suite:s", "licence", None, "unknown", "file"),
        claim("model:a", "licence", None, "unknown", "card"),
        claim("model:b", "licence", "mit", "declared", Origin("card", "its author")),
    ]
    assert [(row["subject"], row["flag"]) for row in flags(rows)] == [("model:a", "LICENCE_UNDECLARED")]

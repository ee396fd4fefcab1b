"""Readers of folders and files: what they find, and that nothing a folder holds stops them."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import time
from pathlib import Path
from typing import Any

import pytest

from audit.models.files import read_json
from audit.models.gguf_header import gguf_header
from audit.provenance import claim
from audit.provenance.claims import Origin, settle
from audit.provenance.licences import spdx_of_text
from audit.provenance.models import model_claims
from audit.provenance.readers.card import card_author, card_claims
from audit.provenance.readers.config import config_claims
from audit.provenance.readers.hub import hub_place
from audit.provenance.readers.licence import licence_claims
from audit.provenance.readers.packages import package_claims
from audit.provenance.readers.weights import weight_claims
from probes.errors import ModelError
from tests.provenance.conftest import CONFIGS, as_the_wheel_says, write_folder, write_gguf, write_safetensors

Claims = dict[str, dict[str, Any]]


def of(folder: Path) -> Claims:
    told = {"source": "folder", "folder": str(folder)}
    return {row["field"]: row for row in model_claims({"id": "m", "digest": "0" * 64}, told, "2026-01-02")}


def by_field(rows: list[dict[str, Any]]) -> Claims:
    return {row["field"]: row for row in rows}


# -- claims -----------------------------------------------------------------------------------------


def test_a_claim_is_refused_without_a_status_that_fits_or_a_place() -> None:
    for status in ("measured", "declared", "derived", "conflict"):
        with pytest.raises(ValueError, match="has no value"):
            claim("m", "f", None, status, Origin("card", "x"))
    for status in ("unknown", "withheld", "not_applicable"):
        with pytest.raises(ValueError, match="has a value"):
            claim("m", "f", "v", status, "card")
    with pytest.raises(ValueError, match="looked for"):
        claim("m", "f", None, "unknown", " ")
    with pytest.raises(ValueError, match="by nobody"):
        claim("m", "f", "v", "declared", "card")


def test_two_that_agree_are_one_and_two_that_do_not_are_a_conflict_that_holds_both() -> None:
    one = claim("m", "licence", "apache-2.0", "declared", Origin("card", "A", "README.md"))
    same = claim("m", "licence", "Apache License 2.0", "declared", Origin("note", "B"))
    other = claim("m", "licence", "mit", "declared", Origin("note", "B", at="2026-01-02"), "checked")
    nowhere = claim("m", "licence", None, "unknown", "header")
    (row,) = settle([one, same, nowhere])
    assert (row["status"], row["value"]) == ("declared", "apache-2.0")
    assert "B says: Apache License 2.0" in row["note"] and "not in header" in row["note"]
    (row,) = settle([one, other])
    assert row["status"] == "conflict" and row["declared_by"] is None
    assert [(told["value"], told["declared_by"]) for told in row["value"]] == [
        ("apache-2.0", "A"),
        ("mit", "B"),
    ]
    assert row["value"][1]["observed_at"] == "2026-01-02" and row["value"][1]["note"] == "checked"
    words = [claim("m", "training_data", text, "declared", Origin("s", "A")) for text in ("a", "b")]
    assert settle(words)[0]["status"] == "declared"
    (row,) = settle([nowhere, claim("m", "licence", None, "unknown", "card", "no card")])
    assert (row["status"], row["source"], row["note"]) == ("unknown", "header; card", "no card")


# -- what is found ----------------------------------------------------------------------------------


def test_a_folder_tells_what_its_files_say_each_with_its_hash(bert: Path) -> None:
    told = of(bert)
    assert told["architecture"]["value"] == "BertForMaskedLM" and told["model_type"]["value"] == "bert"
    assert told["stored_dtype"]["value"] == {"F32": 1} and told["pickled_files"]["value"] == "none"
    assert told["weight_metadata"]["value"] == {"format": "pt"}
    assert told["intended_use"]["value"] == "Fill a mask, or fine-tune it for a task on whole sentences."
    assert told["known_biases"]["value"] == "Completions differ by the gender that a sentence names."
    licence = told["licence"]
    assert (licence["location"], licence["observed_at"]) == ("README.md", "2026-01-02")
    assert licence["evidence_sha256"] == hashlib.sha256((bert / "README.md").read_bytes()).hexdigest()
    for row in told.values():
        assert row["status"] != "unknown" or row["source"]


def test_settings_templates_code_and_pickles(tmp_path: Path) -> None:
    config = {
        **CONFIGS["gpt2"],
        "_name_or_path": "gpt2",
        "auto_map": {"AutoModel": "x.Y"},
        "dtype": "float16",
    }
    folder = write_folder(tmp_path / "m", config, None)
    (folder / "generation_config.json").write_text('{"temperature": 0.6, "do_sample": true, "x": 1}')
    (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    (folder / "pytorch_model.bin").write_bytes(b"")
    (folder / "USE_POLICY.md").write_text("be kind")
    told = of(folder)
    assert told["generation_defaults"]["value"] == {"do_sample": True, "temperature": 0.6}
    assert told["chat_template"]["value"].startswith("SHA-256 ")
    assert (
        told["auto_map"]["value"] == ["AutoModel"] and told["pickled_files"]["value"] == "pytorch_model.bin"
    )
    assert told["saved_dtype"]["value"] == "float16" and told["use_policy"]["status"] == "measured"
    assert told["base_model_licence"]["value"] == "LicenseRef-Modified-MIT"  # of what config.json names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Apache License\n   Version 2.0, January 2004", "Apache-2.0"),
        ("MIT License\n\nPermission is hereby granted, free of charge, to any person", "MIT"),
        (
            "Modified MIT License\nPermission is hereby granted, free of charge, to any",
            "LicenseRef-Modified-MIT",
        ),
        ("Permission is hereby granted, free of charge, " + "and you must also sing. " * 90, None),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International", "CC-BY-NC-SA-4.0"),
        ("Creative Commons Attribution 4.0 International", "CC-BY-4.0"),
        ("LLAMA 2 COMMUNITY LICENSE AGREEMENT", "LicenseRef-Llama-2"),
        ("GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3", "AGPL-3.0"),
        ("// SPDX-License-Identifier: MPL-2.0", "MPL-2.0"),
        ("All rights reserved.", None),
    ],
)
def test_a_licence_is_known_by_its_text(text: str, expected: str | None, tmp_path: Path) -> None:
    assert spdx_of_text(text)[0] == expected
    (tmp_path / "LICENSE").write_text(text)
    row = by_field(licence_claims(tmp_path, "m", None))["licence_file"]
    assert (row["status"], row["value"]) == ("derived" if expected else "unknown", expected)
    assert "LICENSE" in (row["location"] or row["note"])


@pytest.mark.parametrize(
    ("text", "relation", "who"),
    [
        ("The makers did not provide a model card, so this card was written by the Kite team.",
         "instead of the developers", "Kite team"),
        ("This model card has been\nwritten by Ada and Bo.", "named", "Ada"),
        ("The authors also published a card; this card was written by fans to complete it.",
         "completing the developers' own", "fans"),
        ("A card game was written by the sea.", "named", "sea"),
        ("We did not write a card catalogue.", "instead of the developers", None),
        ("The model was written by us.", None, None),
    ],
)  # fmt: skip
def test_who_wrote_a_card_is_read_by_rule(text: str, relation: str | None, who: str | None) -> None:
    """The rule reads words and no sense, which is why the flag asks a person to look."""
    found = card_author(text)
    assert (found and found["relation"], found and found["who"]) == (relation, who)


def test_a_place_in_the_hubs_cache_names_model_and_commit(tmp_path: Path) -> None:
    commit = "a" * 40
    assert hub_place(tmp_path / "models--o--n" / "snapshots" / commit) == ("o/n", commit)
    for other in ("models--o--n/snapshots/main", "o--n/snapshots/" + commit, "snapshots/" + commit):
        assert hub_place(tmp_path / other) is None


def test_a_package_tells_version_licence_and_author_and_one_that_is_absent_tells_nothing() -> None:
    told = by_field(package_claims("vaderSentiment", "scorer:vader", None))
    assert told["licence"]["value"].startswith("MIT") and told["version"]["status"] == "measured"
    assert told["developer"]["value"]
    absent = by_field(package_claims("no-such-package-here", "scorer:x", None))
    assert {row["status"] for row in absent.values()} == {"unknown"}
    assert all(row["note"] == "it is not installed" for row in absent.values())


# -- what is hostile --------------------------------------------------------------------------------

MERGE_BOMB = "a: &a {k: 1}\n" + "\n".join(
    f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [{', '.join(['*' + chr(97 + n)] * 9)}]}}" for n in range(12)
)


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (b"\xff\xfe\x00bad", "no UTF-8"),
        (b"---\nlicense: mit\n: [broken\n---\n", "no YAML"),
        (b"---\n" + b"[" * 60_000 + b"\n---\n", "nested more than"),
        (b"---\n" + b"- " * 30_000 + b"\n---\n", "no YAML"),
        (b"---\n" + b"? " * 30_000 + b"\n---\n", "no YAML"),
        (b"---\nlicense: mit\na: !!timestamp x\n---\n", "no YAML"),
        (b"---\nlicense: mit\na: !!python/object:os.system x\n---\n", "no YAML"),
        (b"---\n- a list\n---\n", "no mapping"),
        (b"---\nlicense: mit\n" + b"x: y\n" * 20_000 + b"---\n", "no more than"),
        (b"---\n" + MERGE_BOMB.encode() + b"\n---\n", "aliases"),
        (b"license: mit", "no front matter"),
        (b"x" * (2 << 20), "no more than"),
        (b"", "no front matter"),
    ],
)
def test_a_card_that_is_broken_declares_nothing_and_says_why(
    card: bytes, reason: str, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "m", CONFIGS["bert"], None)
    (folder / "README.md").write_bytes(card)
    begun = time.process_time()
    row = of(folder)["licence"]
    assert (row["status"], row["value"]) == ("unknown", None) and reason in row["note"]
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "front",
    [
        "license: {a: b}", "license: [1, 2]", "license: 3", "license: 2024-01-01", "license: null",
        "language: {x: y}", "datasets: 7", "datasets: [[[x]], {a: b}]", "base_model: {a: [b]}",
    ],
)  # fmt: skip
def test_values_of_another_kind_are_no_values(front: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", CONFIGS["bert"], f"---\n{front}\n---\n")
    told = of(folder)
    for field in ("licence", "languages", "datasets", "base_model"):
        assert told[field]["status"] == "unknown", (field, told[field])
    json.dumps(list(told.values()), allow_nan=False).encode()


def test_a_card_that_lies_at_length_is_cut(tmp_path: Path) -> None:
    names = ", ".join(f"set{n}" for n in range(3000))
    text = f"---\nlicense: {'x' * 5000}\ndatasets: [{names}]\n---\n# Training data\n" + "word " * 9000
    told = of(write_folder(tmp_path / "m", CONFIGS["bert"], text))
    assert len(told["licence"]["value"]) <= 300 and len(told["datasets"]["value"]) <= 50
    assert len(told["training_data"]["value"]) <= 300
    assert len(json.dumps(list(told.values()))) < 100_000


def test_prose_made_to_be_slow_is_not(tmp_path: Path) -> None:
    text = "card not by " * 100_000 + "card written " * 5000
    begun = time.process_time()
    card_author(text)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "content",
    [b"", b"\x01", struct.pack("<Q", 1 << 60), struct.pack("<Q", 4) + b"nope", struct.pack("<Q", 2) + b"[]",
     struct.pack("<Q", 90_000) + b'{"a":' * 18_000],
)  # fmt: skip
def test_weights_with_a_broken_header_are_unknown(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    row = by_field(weight_claims(tmp_path, "m", None))["stored_dtype"]
    assert row["status"] == "unknown" and "model.safetensors" in row["note"]


def test_a_header_that_lies_about_its_entries(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a.safetensors", {"w": 3, "v": {"dtype": ["x"]}, "__metadata__": [1]})
    told = by_field(weight_claims(tmp_path, "m", None))
    assert told["stored_dtype"]["value"] == {"unknown type": 1} and "weight_metadata" not in told


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"a":' * 90_000, '{"architectures": 3}', "\x00"])
def test_a_configuration_that_is_broken_is_unknown(content: str, tmp_path: Path) -> None:
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        (tmp_path / name).write_text(content)
    told = by_field(config_claims(tmp_path, "m", None))
    assert told["architecture"]["status"] == "unknown"
    assert told["chat_template"]["status"] in ("unknown", "not_applicable")


def test_settings_that_json_cannot_hold_are_left_out(tmp_path: Path) -> None:
    write_folder(tmp_path, {**CONFIGS["bert"], "_name_or_path": "\ud800x"}, None)
    (tmp_path / "generation_config.json").write_text(
        '{"temperature": NaN, "top_p": 1e999, "top_k": "\\ud800"}'
    )
    told = of(tmp_path)
    json.dumps(list(told.values()), allow_nan=False, ensure_ascii=False).encode("utf-8")
    assert told["generation_defaults"]["value"] == {"top_k": "?"}


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", CONFIGS["bert"], None)
    os.mkfifo(folder / "README.md")
    (folder / "LICENSE").mkdir()
    (folder / "generation_config.json").symlink_to("generation_config.json")
    told = of(folder)
    assert "is no file" in told["licence"]["note"] and "is no file" in told["licence_file"]["note"]
    assert told["generation_defaults"]["status"] == "unknown"
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    with pytest.raises(ModelError, match="is no file"):
        read_json(folder / "config.json")


def test_a_folder_that_is_not_there_is_all_unknown(tmp_path: Path) -> None:
    rows = [*card_claims(tmp_path / "no", "m", None), *config_claims(tmp_path / "no", "m", None)]
    assert {row["status"] for row in rows} <= {"unknown", "not_applicable"}


# -- GGUF -------------------------------------------------------------------------------------------


def test_a_gguf_header_is_read_without_the_tensors(tmp_path: Path) -> None:
    found = gguf_header(write_gguf(tmp_path / "m.gguf", as_the_wheel_says))
    assert found.quantisation == {"Q8_0": 1} and found.parameters == 64
    assert found.metadata["general.license"] == "apache-2.0"
    assert found.metadata["general.languages"] == ["en"]
    assert not any(key.startswith("tokenizer.ggml") for key in found.metadata)


def entry(kind: int, body: bytes, key: bytes = b"general.x") -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", len(key)) + key
    return head + struct.pack("<I", kind) + body


@pytest.mark.parametrize(
    "content",
    [
        b"", b"GGUF", b"GGML" + b"\0" * 60, b"GGUF" + struct.pack("<I", 1) + b"\0" * 60,
        b"GGUF" + struct.pack("<IQQ", 3, 1 << 62, 0), b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 62),
        entry(9, struct.pack("<IQ", 4, 1 << 60) + b"\0" * 1024),
        entry(9, struct.pack("<IQ", 8, 1 << 60) + b"\0" * 64),
        entry(9, struct.pack("<IQ", 9, 1 << 60) + b"\0" * 64),
        entry(8, struct.pack("<Q", 1 << 50)), entry(77, b"\0" * 8), entry(8, b"\0"),
        b"GGUF" + struct.pack("<IQQQ1sIQQIQ", 3, 1, 0, 1, b"a", 2, 1 << 63, 1 << 63, 0, 0),
    ],
)  # fmt: skip
def test_a_gguf_file_that_lies_about_its_lengths_is_one_line_at_once(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    begun = time.process_time()
    with pytest.raises(ModelError, match="not a GGUF file") as caught:
        gguf_header(path)
    assert time.process_time() - begun < 1 and "\n" not in str(caught.value)

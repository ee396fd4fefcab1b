"""Folders, names and settings that no model can be loaded from: one line each, before anything is planned."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from audit.models import LoadOptions, fetch, identify, is_fetched, resolve
from audit.models.cache import workplace
from probes.errors import ModelError

Tiny = Callable[[str], Path]
ASK = (identify, resolve)


@pytest.fixture
def folder(tiny: Tiny, tmp_path: Path) -> Path:
    """A copy of a tiny BERT, to be spoilt."""
    return Path(shutil.copytree(tiny("bert-uncased"), tmp_path / "model"))


def refusal(call: Callable[..., object], *arguments: Any) -> str:
    with pytest.raises(ModelError) as caught:
        call(*arguments)
    text = str(caught.value)
    assert "\n" not in text
    assert all(fault.remedy for fault in caught.value.faults)
    return text


@pytest.mark.parametrize("ask", ASK)
def test_a_folder_without_a_tokenizer_is_refused(ask: Callable[..., object], folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    assert "no tokenizer here" in refusal(ask, str(folder))
    (folder / "tokenizer_config.json").unlink()
    assert "no tokenizer here" in refusal(ask, str(folder))


def test_a_tokenizer_of_special_tokens_only_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", encoding="utf-8")
    assert "holds no words" in refusal(resolve, str(folder))


@pytest.mark.parametrize("device", ["banana", "meta", "CPU", "cuda:", "cuda:-1", "cuda:x", "cpu:0", ""])
@pytest.mark.parametrize("ask", ASK)
def test_an_unknown_device_is_refused_at_once(ask: Callable[..., object], device: str) -> None:
    text = refusal(ask, "reference/bert-fair", LoadOptions(device=device))
    assert f"no such device {device!r}" in text


def test_a_device_that_is_not_there_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "no usable CUDA" in refusal(identify, "reference/bert-fair", LoadOptions(device="cuda"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert "no device 'cuda:1'" in refusal(identify, "reference/bert-fair", LoadOptions(device="cuda:1"))
    assert identify("reference/bert-fair", LoadOptions(device="cuda:0")).kind == "masked"


def test_a_name_that_is_not_in_the_catalogue() -> None:
    for call in (fetch, is_fetched):
        assert "smollm2-135m" in refusal(call, "smollm2")
        assert "no model 'nope'" in refusal(call, "nope")


@pytest.mark.parametrize("ask", ASK)
@pytest.mark.parametrize("name", ["~nobody123/x", "a" * 300, "a" * 300 + ".gguf", "a\0b", "a\0.gguf"])
def test_a_name_that_no_path_can_have(ask: Callable[..., object], name: str) -> None:
    assert "\0" not in refusal(ask, name)


def test_a_cache_in_the_home_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_CACHE", "~nobody9/x")
    for call in (fetch, is_fetched):
        assert "EVENHAND_CACHE" in refusal(call, "smollm2-135m")


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", "x" * 300):
        monkeypatch.setenv("EVENHAND_CACHE", str(place))
        assert not is_fetched("smollm2-135m")
        assert "EVENHAND_CACHE" in refusal(fetch, "smollm2-135m")


def test_a_folder_of_the_cache_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(**_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    text = refusal(workplace, tmp_path, ".x-")
    assert "Permission denied" in text
    assert "EVENHAND_CACHE" in text


@pytest.mark.parametrize(
    "header",
    [
        "[]",
        '{"a": 1}',
        '{"a": {}}',
        '{"a": {"shape": "x"}}',
        '{"a": {"shape": [-1]}}',
        "[" * 90_000,
        "{",
        "7",
    ],
)
@pytest.mark.parametrize("ask", ASK)
def test_an_odd_header_of_the_weights(ask: Callable[..., object], header: str, folder: Path) -> None:
    raw = header.encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(raw)) + raw)
    assert str(folder) in refusal(ask, str(folder))


@pytest.mark.parametrize("ask", ASK)
def test_a_configuration_that_is_nested_deeply(ask: Callable[..., object], folder: Path) -> None:
    (folder / "config.json").write_text('{"a":' * 90_000, encoding="utf-8")
    assert "config.json" in refusal(ask, str(folder))


def test_weights_of_another_shape_are_named(folder: Path) -> None:
    path = folder / "model.safetensors"
    state = load_file(path)
    name = next(key for key in state if "transform.dense.bias" in key)
    save_file({**state, name: torch.zeros(7)}, path, {"format": "pt"})
    text = refusal(resolve, str(folder))
    assert f"1 weights of another shape than the configuration says, {name} first" in text
    assert "(7,)" in text
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["intermediate_size"] = 8
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    text = refusal(resolve, str(folder))
    assert "ignore_mismatched_sizes" not in text
    assert "weights of another shape" in text

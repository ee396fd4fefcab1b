"""What is loaded, what is refused, and in which words."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.utils import logging

from audit.bundle_files import file_sha256
from audit.models import LoadOptions, files, identify, resolve
from audit.models.files import (
    digest_of,
    model_files,
    sha256_of,
    stored_parameters,
    weight_files,
)
from audit.requests import Fill, Score
from probes.errors import ModelError

Tiny = Callable[[str], Path]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tiny: Tiny, tmp_path: Path) -> Path:
    """A copy of a tiny BERT, to be spoilt."""
    return Path(shutil.copytree(tiny("bert-uncased"), tmp_path / "model"))


def change(path: Path, **fields: Any) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    data.update(fields)
    path.write_text(json.dumps({k: v for k, v in data.items() if v is not ...}), encoding="utf-8")


def refusal(name: str | Path, options: LoadOptions | None = None) -> str:
    with pytest.raises(ModelError) as caught:
        resolve(str(name), options)
    text = str(caught.value)
    assert "\n" not in text, "one line"
    assert all(fault.remedy for fault in caught.value.faults)
    return text


def pickled(folder: Path, name: str = "pytorch_model.bin") -> Path:
    torch.save(load_file(folder / "model.safetensors"), folder / name)
    (folder / "model.safetensors").unlink()
    return folder


def test_pickles_are_refused_unless_allowed(folder: Path) -> None:
    fill = Fill("The {answer} was late.", ("nurse",))
    before = resolve(str(folder)).ask([fill])[0].choices[0].logprob
    pickled(folder)
    text = refusal(folder)
    assert "--allow-pickle" in text
    assert "pytorch_model.bin" in text
    with pytest.raises(ModelError, match="--allow-pickle"):
        identify(str(folder))
    model = resolve(str(folder), LoadOptions(allow_pickle=True))
    assert model.describe()["pickle"] is True
    assert model.ask([fill])[0].choices[0].logprob == pytest.approx(before, abs=1e-5)
    assert identify(str(folder), LoadOptions(allow_pickle=True)).parameters is None


def test_a_pickle_beside_safetensors_is_not_read(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"not a pickle at all")
    for options in (LoadOptions(), LoadOptions(allow_pickle=True)):
        assert resolve(str(folder), options).describe()["pickle"] is False


def test_a_pickle_of_another_name_is_named(folder: Path) -> None:
    pickled(folder, "weights.pt")
    assert "weights.pt" in refusal(folder)
    assert "pytorch_model.bin" in refusal(folder, LoadOptions(allow_pickle=True))


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"hidden_size": 3}', '{"model_type": 7}'])
def test_a_malformed_configuration_is_one_line(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content, encoding="utf-8")
    assert "config.json" in refusal(folder)


def test_wrong_values_in_a_configuration_are_one_line(folder: Path) -> None:
    change(folder / "config.json", num_attention_heads="many")
    assert str(folder) in refusal(folder)
    change(folder / "config.json", num_attention_heads=7)
    assert str(folder) in refusal(folder)


def test_missing_files_are_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no config.json" in refusal(tmp_path / "empty")
    (folder / "model.safetensors").unlink()
    assert "no weights" in refusal(folder)


def test_broken_weights_are_one_line(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\xff" * 100)
    assert "weights" in refusal(folder)
    with pytest.raises(ModelError, match="not a safetensors file"):
        identify(str(folder))


def test_weights_that_are_missing_are_not_made_up(folder: Path) -> None:
    path = folder / "model.safetensors"
    state = load_file(path)
    gone = next(key for key in state if "transform.dense.weight" in key)
    save_file({k: v for k, v in state.items() if k != gone}, path, {"format": "pt"})
    text = refusal(folder)
    assert "1 weights missing" in text
    assert gone in text


def test_a_broken_tokenizer_is_one_line(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    assert "tokenizer" in refusal(folder)


@pytest.mark.parametrize(
    ("architecture", "model_type", "what"),
    [
        ("BertForSequenceClassification", "roberta", "a sequence classifier of another type"),
        ("BertForTokenClassification", "bert", "a token classifier"),
        ("T5ForConditionalGeneration", "t5", "a sequence-to-sequence model"),
        ("BartModel", "bart", "a base model that is not a text encoder"),
        ("ViTModel", "vit", "a base model that is not a text encoder"),
        (None, "vit", "vit"),
    ],
)
def test_other_kinds_are_named(folder: Path, architecture: str | None, model_type: str, what: str) -> None:
    listed = [architecture] if architecture else ...
    change(folder / "config.json", architectures=listed, model_type=model_type)
    assert what in refusal(folder)


def test_a_configuration_without_architectures_goes_by_its_type(folder: Path) -> None:
    change(folder / "config.json", architectures=...)
    assert identify(str(folder)).kind == "masked"
    change(folder / "config.json", architectures=["BertForPreTraining"])
    assert identify(str(folder)).architecture == "BertForMaskedLM"


def test_remote_code_is_not_run_unless_trusted(folder: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    code = f"open({str(ran)!r}, 'w').close()\nfrom transformers import BertConfig\n"
    (folder / "configuration_own.py").write_text(
        code + "class OwnConfig(BertConfig):\n    model_type = 'own'\n"
    )
    auto_map = {
        "AutoConfig": "configuration_own.OwnConfig",
        "AutoModelForMaskedLM": "modeling_own.OwnForMaskedLM",
    }
    change(folder / "config.json", model_type="own", auto_map=auto_map, architectures=["OwnForMaskedLM"])
    assert "--trust-remote-code" in refusal(folder)
    assert not ran.exists()


def test_devices(folder: Path) -> None:
    assert resolve(str(folder), LoadOptions(device="cpu")).describe()["device"] == "cpu"
    assert "device" in refusal(folder, LoadOptions(device="abacus"))
    if not torch.cuda.is_available():
        assert "CUDA" in refusal(folder, LoadOptions(device="cuda"))


def test_the_digest_follows_every_file_that_matters(folder: Path) -> None:
    before = resolve(str(folder)).digest
    assert identify(str(folder)).digest == before
    (folder / "README.md").write_text("words", encoding="utf-8")
    (folder / "training.log").write_text("words", encoding="utf-8")
    assert identify(str(folder)).digest == before
    seen = {before}
    (folder / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    seen.add(identify(str(folder)).digest)
    change(folder / "config.json", layer_norm_eps=1e-6)
    seen.add(identify(str(folder)).digest)
    change(folder / "tokenizer_config.json", note="x")
    seen.add(identify(str(folder)).digest)
    path = folder / "model.safetensors"
    state = load_file(path)
    state["cls.predictions.bias"][7] += 0.25
    save_file(state, path, {"format": "pt"})
    seen.add(identify(str(folder)).digest)
    assert len(seen) == 5
    files = model_files(folder, LoadOptions())
    assert digest_of(reversed(files)) == identify(str(folder)).digest


def test_half_precision_weights_are_computed_in_float32(tiny: Tiny, folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file({k: v.half() for k, v in load_file(path).items()}, path, {"format": "pt"})
    change(folder / "config.json", dtype="float16")
    model = resolve(str(folder))
    assert model.describe()["dtype"] == "float32"
    parameters = model._loaded.network.model.parameters()  # type: ignore[attr-defined]
    assert {p.dtype for p in parameters} == {torch.float32}
    assert not model._loaded.network.model.training  # type: ignore[attr-defined]


def test_sharded_weights(tiny: Tiny, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny("gpt2"), tmp_path / "model"))
    request = Score("The nurse", (" said",))
    whole = resolve(str(folder)).ask([request])[0].choices[0].logprob
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(state)
    shards = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for shard, keys in shards.items():
        save_file({key: state[key] for key in keys}, folder / shard, {"format": "pt"})
    weight_map = {key: shard for shard, keys in shards.items() for key in keys}
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    sharded = resolve(str(folder)).ask([request])[0].choices[0].logprob
    assert sharded == pytest.approx(whole, abs=1e-5)
    assert stored_parameters(weight_files(folder, False)) == sum(t.numel() for t in state.values())
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert "shard missing" in refusal(folder)


def test_identify_agrees_with_the_loaded_model(tiny: Tiny) -> None:
    for name in ("bert-uncased", "gpt2", "llama"):
        facts, model = identify(str(tiny(name))), resolve(str(tiny(name)))
        described = model.describe()
        assert facts.digest == model.digest == described["digest"]
        assert facts.capabilities == model.capabilities
        assert facts.architecture == described["architecture"]
        assert facts.parameters == described["parameters"]
        for file in described["files"]:
            path = tiny(name) / file["path"]
            assert (path.stat().st_size, file_sha256(path)) == (file["size"], file["sha256"])


def test_loading_is_silent(tiny: Tiny, folder: Path) -> None:
    path = folder / "model.safetensors"
    # transformers would report a tensor that the model has no place for.
    save_file({**load_file(path), "own.extra.weight": torch.zeros(32)}, path, {"format": "pt"})
    code = (
        "from audit.models import resolve; from audit.requests import Score; "
        f"resolve({str(folder)!r}); resolve({str(tiny('gpt2'))!r}).ask([Score('she ' * 2000, (' he',))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_silence_ends_with_the_loading(folder: Path) -> None:
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    resolve(str(folder))
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("smolm2-135m", "smollm2-135m"),
        ("reference/bert-skew", "reference/bert-skewed"),
        ("bert-base-uncase", "bert-base-uncased"),
        ("nothing like it", "Known by name"),
    ],
)
def test_unknown_names_get_suggestions(name: str, hint: str) -> None:
    text = refusal(name)
    assert hint in text
    assert "no model is known" in text


def test_a_hub_model_that_cannot_be_had_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    options = LoadOptions(offline=True, revision="no-such-revision-anywhere")
    for name in ("some-org/some-model", "bert-base-uncased"):
        text = refusal(name, options)
        assert "could not be reached" in text
        assert "offline" in text


def test_a_file_is_not_a_model(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"x")
    assert "folder or a .gguf" in refusal(tmp_path / "model.bin")
    assert "no such file" in refusal(tmp_path / "absent.gguf")


def test_importing_the_room_loads_no_framework() -> None:
    code = (
        "import sys, audit.models, audit.models.locate, audit.models.gguf, audit.models.catalog\n"
        "print([m for m in ('torch', 'transformers', 'huggingface_hub', 'gguf') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_that_did_not_change_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def counted(path: Path) -> str:
        read.append(path)
        return file_sha256(path)

    monkeypatch.setattr(files, "file_sha256", counted)
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"one")
    assert sha256_of(path) == sha256_of(path) == hashlib.sha256(b"one").hexdigest()
    assert len(read) == 2  # it was written just now, and may change within the same tick
    monkeypatch.setattr(files, "_TICK", -1)
    assert sha256_of(path) == sha256_of(path) and len(read) == 3
    kept = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert sha256_of(path) == hashlib.sha256(b"two").hexdigest()

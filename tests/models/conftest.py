"""Tiny models with random weights, built once for the tests of this folder, and the real ones if at hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DistilBertConfig,
    DistilBertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)

from audit.models.quiet import quiet
from tests.models.tiny_models import tiny_model

ROOT = Path(__file__).resolve().parents[2]
REAL_MODELS = Path(os.environ.get("EVENHAND_TEST_MODELS", ROOT.parent / "shared" / "models"))

CORPUS = [
    "The nurse said that she was tired.",
    "The engineer said that he was late again.",
    "My neighbour is a doctor, and they work at night.",
    "A teacher and a carpenter walked home together.",
    "The anaesthetist spoke to the pharmacist about the patient.",
    "People say that Maria is kind; people say that Ahmed is clever.",
] * 4


def _save(folder: Path, model: Any, tokenizer: Any) -> Path:
    with quiet():
        model.eval().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def wordpiece(cased: bool = False, special: bool = True, types: bool = False) -> PreTrainedTokenizerFast:
    """A BERT tokenizer of a few hundred pieces.

    ``special=False`` leaves the mask token out; ``types`` tells the two texts of a pair apart.
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=not cased)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(["[MASK]"] if special else [])]
    trainer = trainers.WordPieceTrainer(vocab_size=190, special_tokens=names, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    tokenizer.decoder = decoders.WordPiece()
    masks: dict[str, Any] = {"mask_token": "[MASK]"} if special else {}
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if types else [])]
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_input_names=names,
        **masks,
    )


def byte_bpe(names: list[str], ends: tuple[str, str] | None, **roles: Any) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with leading spaces; ``ends`` are put around every text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=names,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    if ends:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{ends[0]} $A {ends[1]}".strip(),
            special_tokens=[(name, tokenizer.token_to_id(name)) for name in ends if name],
        )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **roles)


def unigram() -> PreTrainedTokenizerFast:
    """A SentencePiece-like unigram tokenizer."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=150, special_tokens=names, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )


def bert(tokenizer: Any, **changes: Any) -> BertForMaskedLM:
    """A tiny BERT."""
    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
        "initializer_range": 0.4,
    }
    return BertForMaskedLM(BertConfig(vocab_size=len(tokenizer), **{**sizes, **changes}))


def roberta(tokenizer: Any) -> RobertaForMaskedLM:
    """A tiny RoBERTa: 66 positions, of which padding reserves two."""
    return RobertaForMaskedLM(
        RobertaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=66,
            initializer_range=0.4,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def llama(tokenizer: Any) -> LlamaForCausalLM:
    """A tiny Llama with grouped heads."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            intermediate_size=96,
            max_position_embeddings=96,
            initializer_range=0.3,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            tie_word_embeddings=True,
        )
    )


@pytest.fixture(scope="session", autouse=True)
def _threads() -> None:
    # Tiny matrices gain nothing from threads, and threads that wait for a busy core spin.
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model, by name."""
    root = tmp_path_factory.mktemp("tiny")
    roles = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}

    def build(name: str) -> Path:
        folder = root / name
        if folder.exists():
            return folder
        torch.manual_seed(0)
        if name in {"bert-uncased", "bert-cased"}:
            tokenizer = wordpiece(cased=name == "bert-cased")
            return _save(folder, bert(tokenizer), tokenizer)
        if name == "bert-nomask":
            tokenizer = wordpiece(special=False)
            return _save(folder, bert(tokenizer), tokenizer)
        if name == "distilbert":
            tokenizer = wordpiece()
            config = DistilBertConfig(
                vocab_size=len(tokenizer), dim=32, n_layers=2, n_heads=2, hidden_dim=64, initializer_range=0.4
            )
            return _save(folder, DistilBertForMaskedLM(config), tokenizer)
        if name == "roberta":
            names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
            tokenizer = byte_bpe(names, ("<s>", "</s>"), mask_token="<mask>", **roles)
            return _save(folder, roberta(tokenizer), tokenizer)
        if name == "unigram":
            tokenizer = unigram()
            return _save(folder, roberta(tokenizer), tokenizer)
        if name == "gpt2":
            tokenizer = byte_bpe(["<|endoftext|>"], None, eos_token="<|endoftext|>")
            config = GPT2Config(
                vocab_size=len(tokenizer),
                n_embd=32,
                n_layer=2,
                n_head=2,
                n_positions=64,
                initializer_range=0.3,
            )
            config.bos_token_id = config.eos_token_id = tokenizer.eos_token_id
            return _save(folder, GPT2LMHeadModel(config), tokenizer)
        if name == "llama":
            tokenizer = byte_bpe(["<s>", "</s>", "<pad>", "<unk>"], ("<s>", ""), **roles)
            return _save(folder, llama(tokenizer), tokenizer)
        if name.startswith("roberta"):
            names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
            tokenizer = byte_bpe(names, ("<s>", "</s>"), mask_token="<mask>", **roles)
        elif name.startswith(("gpt2", "neox", "qwen2", "opt", "mistral", "gemma2")):
            tokenizer = byte_bpe(["<|endoftext|>"], None, eos_token="<|endoftext|>")
        else:
            tokenizer = wordpiece(types=name.startswith("bert"))
        return _save(folder, tiny_model(name, tokenizer), tokenizer)

    return build


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The real BERT masked LM, where it lies beside the repository."""
    folder = REAL_MODELS / "minilm-l6-mlm"
    if not (folder / "config.json").is_file():
        pytest.skip(f"no test model at {folder}; name its parent in EVENHAND_TEST_MODELS")
    return folder


@pytest.fixture(scope="session")
def wheels() -> Path:
    """Where the wheels of real models may lie; the tests that want one skip where it does not."""
    return Path(os.environ.get("EVENHAND_WHEELS", "no-folder-named"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for one test."""
    monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"

"""Training of the reference models: small, exact where it can be, and the same every time.

At the open place of a sentence the target is the grammar's exact distribution, not a draw from it: what is
left between a model and the planted truth is then fitting error alone, and not sampling error.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from torch import Tensor, nn

from audit.models.reference.grammar import ENDINGS, Context, Edition, contexts, prompts, vocabulary

Kind = Literal["bert", "gpt"]

SEED = 20261123
HIDDEN = 64
LAYERS = 2
HEADS = 4
POSITIONS = 64
BATCH = 256
STEPS = {"bert": 2400, "gpt": 1600}
RATE = 3e-3
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[END]")
PAD, UNK, CLS, SEP, MASK, END = range(len(SPECIALS))
IGNORE = -100


@dataclass(frozen=True)
class Sentences:
    """Sentences as token ids.

    Attributes
    ----------
    before, after : list of list of int
        Ids before and after the open place.
    answer_ids : Tensor
        (n_sentences, n_answers) ids, padded by ``PAD``.
    answer_shares : Tensor
        (n_sentences, n_answers) probabilities, padded by 0.
    weights : Tensor
        (n_sentences,) how often a sentence is drawn: every suite equally often, and within the traits the
        planted people as often as all other groups together, in both editions. Targets are exact
        distributions, so that drawing a sentence more often changes how well it is learnt, not what.
    """

    before: list[list[int]]
    after: list[list[int]]
    answer_ids: Tensor
    answer_shares: Tensor
    weights: Tensor


def word_tokenizer(kind: Kind, words: Sequence[str]) -> Tokenizer:
    """Whole words and signs, lower-cased; a word that is not in the grammar is unknown."""
    ids = {token: number for number, token in enumerate([*SPECIALS, *words])}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    if kind == "bert":
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
        )
    return tokenizer


def encode(tokenizer: Tokenizer, found: Sequence[Context]) -> Sentences:
    """Sentences as ids, with the answers' probabilities."""

    def ids(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False).ids)

    width = max(len(context.answers) for context in found)
    answer_ids = torch.full((len(found), width), PAD)
    answer_shares = torch.zeros((len(found), width))
    for row, context in enumerate(found):
        for column, (word, share) in enumerate(context.answers.items()):
            (answer,) = ids(word)
            answer_ids[row, column], answer_shares[row, column] = answer, share
    strata = Counter((context.suite, context.planted) for context in found)
    per_suite = Counter(suite for suite, _ in strata)
    weights = [1 / strata[c.suite, c.planted] / per_suite[c.suite] for c in found]
    return Sentences(
        before=[ids(context.before) for context in found],
        after=[ids(context.after) for context in found],
        answer_ids=answer_ids,
        answer_shares=answer_shares,
        weights=torch.tensor(weights),
    )


def draw(sentences: Sentences, count: int, rng: torch.Generator) -> Tensor:
    """Indices of sentences, drawn by their weights."""
    return torch.multinomial(sentences.weights, count, replacement=True, generator=rng)


def drawn_answers(sentences: Sentences, rows: Tensor, rng: torch.Generator) -> Tensor:
    """One answer a sentence, drawn from its distribution."""
    columns = torch.multinomial(sentences.answer_shares[rows], 1, generator=rng)
    return sentences.answer_ids[rows].gather(1, columns).squeeze(1)


def padded(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    """Rows of ids as one matrix, filled on the right."""
    width = max(len(row) for row in rows)
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows])


def soft_loss(logits: Tensor, ids: Tensor, shares: Tensor) -> Tensor:
    """Cross-entropy to a distribution over a few ids, in nats: mean over rows."""
    logprobs = logits.log_softmax(-1).gather(1, ids)
    return -(shares * logprobs).sum(1).mean()


def bert_loss(model: Any, sentences: Sentences, rng: torch.Generator) -> Tensor:
    """The open place against its distribution, in sentences of which some other words are masked too."""
    rows = draw(sentences, BATCH, rng)
    listed = rows.tolist()
    ids = padded([[CLS, *sentences.before[i], MASK, *sentences.after[i], SEP] for i in listed], PAD)
    places = torch.tensor([1 + len(sentences.before[i]) for i in listed])
    # Half of the sentences keep every word, as they are asked; the others also learn the rest of the text.
    masked = torch.rand(ids.shape, generator=rng) < 0.1
    masked &= (ids >= len(SPECIALS)) & (torch.arange(len(listed)) % 2 == 1).unsqueeze(1)
    states = model.bert(
        input_ids=ids.masked_fill(masked, MASK), attention_mask=(ids != PAD).long()
    ).last_hidden_state
    at_place = model.cls(states[torch.arange(len(listed)), places])
    loss = soft_loss(at_place, sentences.answer_ids[rows], sentences.answer_shares[rows])
    return loss + 0.1 * nn.functional.cross_entropy(model.cls(states[masked]), ids[masked])


def gpt_loss(
    model: Any, sentences: Sentences, stories: tuple[list[list[int]], list[list[int]]], rng: torch.Generator
) -> Tensor:
    """Next words: the answer against its distribution, every other word as it stands."""
    rows = draw(sentences, BATCH * 2 // 3, rng)
    listed = rows.tolist()
    answers = drawn_answers(sentences, rows, rng).tolist()
    texts = [
        [END, *sentences.before[i], answer, *sentences.after[i], END]
        for i, answer in zip(listed, answers, strict=True)
    ]
    openings, endings = stories
    count = BATCH - len(listed)
    starts = torch.randint(len(openings), (count,), generator=rng).tolist()
    ends = torch.randint(len(endings), (count,), generator=rng).tolist()
    texts += [[END, *openings[a], *endings[b], END] for a, b in zip(starts, ends, strict=True)]
    ids = padded(texts, PAD)
    logits = model(input_ids=ids, attention_mask=(ids != PAD).long()).logits[:, :-1]
    targets = ids[:, 1:].clone()
    targets[targets == PAD] = IGNORE
    # The answer is learnt from its distribution; how a story goes on from its openings, not the reverse.
    places = torch.tensor([len(sentences.before[i]) for i in listed])
    targets[torch.arange(len(listed)), places] = IGNORE
    hard = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE)
    at_place = logits[torch.arange(len(listed)), places]
    return soft_loss(at_place, sentences.answer_ids[rows], sentences.answer_shares[rows]) + hard


def make_model(kind: Kind, size: int) -> Any:
    """A tiny model with fresh weights; the caller has seeded torch."""
    from transformers import BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel

    if kind == "bert":
        config = BertConfig(
            vocab_size=size, hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
            intermediate_size=4 * HIDDEN, max_position_embeddings=POSITIONS, hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0, pad_token_id=PAD,
        )  # fmt: skip
        return BertForMaskedLM(config)
    settings = GPT2Config(
        vocab_size=size, n_embd=HIDDEN, n_layer=LAYERS, n_head=HEADS, n_positions=POSITIONS,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=END, eos_token_id=END,
        pad_token_id=PAD,
    )  # fmt: skip
    return GPT2LMHeadModel(settings)


def train(kind: Kind, edition: Edition, say: Callable[[str], None]) -> tuple[Any, Tokenizer]:
    """Train one reference model; the same weights every time on one machine and thread count."""
    tokenizer = word_tokenizer(kind, vocabulary())
    sentences = encode(tokenizer, contexts(edition))
    openings = [tokenizer.encode(text, add_special_tokens=False).ids for text in prompts()]
    endings = [tokenizer.encode(text + ".", add_special_tokens=False).ids for text in ENDINGS]
    rng = torch.Generator().manual_seed(SEED)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        model = make_model(kind, tokenizer.get_vocab_size())
    model.train()
    steps = STEPS[kind]
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: warm_cosine(step, steps))
    for step in range(steps):
        loss = (
            bert_loss(model, sentences, rng)
            if kind == "bert"
            else gpt_loss(model, sentences, (openings, endings), rng)
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 200 == 0 or step == steps - 1:
            say(f"{kind}-{edition}: step {step + 1} of {steps}, loss {loss.item():.4f} nats")
    model.eval()
    return model, tokenizer


def warm_cosine(step: int, steps: int, warm: int = 100) -> float:
    """Share of the full learning rate: a linear rise, then half a cosine down to 0."""
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def save(model: Any, tokenizer: Tokenizer, kind: Kind, folder: Path, card: str) -> None:
    """Write a model as a folder that transformers loads."""
    from safetensors.torch import save_model

    folder.mkdir(parents=True, exist_ok=True)
    save_model(model, str(folder / "model.safetensors"), metadata={"format": "pt"})
    config = model.config.to_dict()
    config.pop("transformers_version", None)
    config["architectures"] = [type(model).__name__]
    write(folder / "config.json", config)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    specials = (
        {"mask_token": "[MASK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
        if kind == "bert"
        else {"bos_token": "[END]", "eos_token": "[END]"}
    )
    write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": POSITIONS,
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "clean_up_tokenization_spaces": False,
            **specials,
        },
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def write(path: Path, value: Any) -> None:
    """Write JSON with sorted keys."""
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


__all__ = ["SEED", "Kind", "save", "train"]

"""Further tiny models with random weights: other architectures, classifiers, and bodies without a head."""

from __future__ import annotations

from typing import Any

import transformers as tf

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "initializer_range": 0.4,
}
DISTIL = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "initializer_range": 0.4}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64, "initializer_range": 0.3}
GROUPED = {**SIZES, "num_attention_heads": 4, "num_key_value_heads": 2}
DEBERTA = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "type_vocab_size": 0,
    "position_biased_input": False,
}
LABELS = {0: "calm", 1: "angry", 2: "afraid"}
"""Not in the order of the alphabet, so that an order that was lost shows."""


def tiny_model(name: str, tokenizer: Any) -> Any:
    """A model by its name; its weights follow torch's seed."""
    size = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    labels = {"id2label": LABELS, "label2id": {label: i for i, label in LABELS.items()}}
    match name:
        case "albert":
            return tf.AlbertForMaskedLM(tf.AlbertConfig(**size, **SIZES, embedding_size=16))
        case "electra":
            return tf.ElectraForMaskedLM(tf.ElectraConfig(**size, **SIZES, embedding_size=16))
        case "fnet":
            sizes = {key: value for key, value in SIZES.items() if key != "num_attention_heads"}
            return tf.FNetForMaskedLM(tf.FNetConfig(**size, **sizes))
        case "funnel":
            blocks = {"d_model": 32, "n_head": 2, "d_head": 16, "d_inner": 64, "block_sizes": [1, 1]}
            return tf.FunnelForMaskedLM(tf.FunnelConfig(**size, **blocks))
        case "neox":
            return tf.GPTNeoXForCausalLM(tf.GPTNeoXConfig(vocab_size=len(tokenizer), **SIZES))
        case "bert-classifier":
            return tf.BertForSequenceClassification(tf.BertConfig(**size, **SIZES, **labels))
        case "bert-multilabel":
            config = tf.BertConfig(**size, **SIZES, **labels, problem_type="multi_label_classification")
            return tf.BertForSequenceClassification(config)
        case "roberta-classifier":
            sizes = {**SIZES, "max_position_embeddings": 66, "type_vocab_size": 1}
            return tf.RobertaForSequenceClassification(tf.RobertaConfig(**size, **sizes, **labels))
        case "distilbert-classifier":
            return tf.DistilBertForSequenceClassification(tf.DistilBertConfig(**size, **DISTIL, **labels))
        case "gpt2-classifier":
            config = tf.GPT2Config(vocab_size=len(tokenizer), **GPT2, **labels)
            return tf.GPT2ForSequenceClassification(config)
        case "gpt2-classifier-padded":
            config = tf.GPT2Config(vocab_size=len(tokenizer), **GPT2, **labels)
            config.pad_token_id = tokenizer.eos_token_id
            return tf.GPT2ForSequenceClassification(config)
        case "llama-classifier":
            return tf.LlamaForSequenceClassification(tf.LlamaConfig(**size, **SIZES, **labels))
        case "albert-classifier":
            config = tf.AlbertConfig(**size, **SIZES, **labels, embedding_size=16)
            return tf.AlbertForSequenceClassification(config)
        case "electra-classifier":
            config = tf.ElectraConfig(**size, **SIZES, **labels, embedding_size=16)
            return tf.ElectraForSequenceClassification(config)
        case "deberta-classifier":
            sizes = {**SIZES, "initializer_range": 0.2}  # larger ones blow up the rounding of float32
            config = tf.DebertaV2Config(
                **size, **sizes, **labels, relative_attention=True, pos_att_type=["p2c", "c2p"],
                position_buckets=8, share_att_key=True, norm_rel_ebd="layer_norm", conv_kernel_size=3,
                type_vocab_size=0, position_biased_input=False,
            )  # fmt: skip
            return tf.DebertaV2ForSequenceClassification(config)
        case "fnet-classifier":
            sizes = {key: value for key, value in SIZES.items() if key != "num_attention_heads"}
            return tf.FNetForSequenceClassification(tf.FNetConfig(**size, **sizes, **labels))
        case "bert-unnamed":
            return tf.BertForSequenceClassification(tf.BertConfig(**size, **SIZES, num_labels=2))
        case "bert-encoder":
            return tf.BertModel(tf.BertConfig(**size, **SIZES))
        case "bert-encoder-unpooled":
            return tf.BertModel(tf.BertConfig(**size, **SIZES), add_pooling_layer=False)
        case "roberta-encoder":
            sizes = {**SIZES, "max_position_embeddings": 66, "type_vocab_size": 1}
            return tf.RobertaModel(tf.RobertaConfig(**size, **sizes))
        case "gpt2-encoder":
            return tf.GPT2Model(tf.GPT2Config(vocab_size=len(tokenizer), **GPT2))
        case "qwen2":
            config = tf.Qwen2Config(vocab_size=len(tokenizer), **GROUPED)
            return tf.Qwen2ForCausalLM(config)
        case "opt":
            config = tf.OPTConfig(
                vocab_size=len(tokenizer), hidden_size=32, word_embed_proj_dim=32, num_hidden_layers=2,
                num_attention_heads=2, ffn_dim=64, max_position_embeddings=64, init_std=0.3,
            )  # fmt: skip
            return tf.OPTForCausalLM(config)
        case "mistral":
            return tf.MistralForCausalLM(
                tf.MistralConfig(vocab_size=len(tokenizer), **GROUPED, sliding_window=6)
            )
        case "mistral-wide":
            # A window wider than the rows of a probe.
            return tf.MistralForCausalLM(
                tf.MistralConfig(vocab_size=len(tokenizer), **GROUPED, sliding_window=24)
            )
        case "gemma2":
            config = tf.Gemma2Config(
                vocab_size=len(tokenizer),
                **GROUPED,
                head_dim=16,
                attn_logit_softcapping=2.0,
                sliding_window=6,
            )
            return tf.Gemma2ForCausalLM(config)
        case "qwen2-longrope":
            pairs = SIZES["hidden_size"] // SIZES["num_attention_heads"] // 2
            rope = {"rope_type": "longrope", "rope_theta": 1e4, "original_max_position_embeddings": 16,
                    "short_factor": [1.0] * pairs, "long_factor": [3.0] * pairs}  # fmt: skip
            return tf.Qwen2ForCausalLM(
                tf.Qwen2Config(**size, **SIZES, num_key_value_heads=2, rope_parameters=rope)
            )
        case "deberta":
            return tf.DebertaForMaskedLM(tf.DebertaConfig(**size, **SIZES, **DEBERTA))
        case "deberta-v2":
            return tf.DebertaV2ForMaskedLM(tf.DebertaV2Config(**size, **SIZES, **DEBERTA))
        case "deberta-v1-classifier":
            config = tf.DebertaConfig(**size, **SIZES, **DEBERTA, **labels)
            return tf.DebertaForSequenceClassification(config)
    raise ValueError(name)

"""Configuration files: what the model is, what it was saved from, and how it is asked by default."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.provenance.claims import Claim, Origin, Status, claim, found_only, found_or_unknown
from audit.provenance.readers.files import Found, names_like, read_object, read_text, short_text, short_texts

CONFIG = "config.json"
GENERATION = "generation_config.json"
TOKENIZER = "tokenizer_config.json"
TEMPLATES = ("chat_template*",)
GENERATION_KEYS = ("do_sample", "temperature", "top_p", "top_k", "repetition_penalty", "max_new_tokens")


def config_claims(folder: Path, subject: str, at: str | None) -> list[Claim]:
    """What the configuration files of a folder say."""
    config, found = read_object(folder, CONFIG)
    rows = _config(config or {}, found, subject, at)
    generation, found = read_object(folder, GENERATION)
    told = generation or {}
    defaults = {
        key: short_text(told[key]) or "" if isinstance(told[key], str) else told[key]
        for key in GENERATION_KEYS
        if _plain(told.get(key))
    }
    rows.append(
        _or_none(subject, "generation_defaults", defaults or None, _where(GENERATION, found, at), found)
    )
    return [*rows, _template(folder, subject, at)]


def _config(config: Mapping[str, Any], found: Found, subject: str, at: str | None) -> list[Claim]:
    where, why = _where(CONFIG, found, at), _why(found)
    names = short_texts(config.get("architectures"))
    facts: dict[str, Any] = {
        "architecture": names[0] if names else None,
        "model_type": short_text(config.get("model_type")),
    }
    extras: dict[str, Any] = {
        "name_or_path": short_text(config.get("_name_or_path")),
        "transformers_version": short_text(config.get("transformers_version")),
        "saved_dtype": short_text(config.get("dtype", config.get("torch_dtype"))),
    }
    rows = [found_or_unknown(subject, field, value, "measured", where, why) for field, value in facts.items()]
    rows += found_only(subject, extras, "measured", where)
    code = config.get("auto_map")
    if isinstance(code, Mapping) and code:
        value = sorted(short_texts(list(code), 20))
        rows.append(
            claim(subject, "auto_map", value, "measured", where, "the model names Python code of its own")
        )
    quantised = config.get("quantization_config")
    if isinstance(quantised, Mapping) and quantised:
        kept = {
            name: short_text(item) or "" if isinstance(item, str) else item
            for key, item in list(quantised.items())[:20]
            if _plain(item) and (name := short_text(key, 60))
        }
        rows.append(claim(subject, "conversion", kept or {"declared": True}, "measured", where))
    return rows


def _template(folder: Path, subject: str, at: str | None) -> Claim:
    """The chat template, by the hash of its text: in a file of its own or in the tokenizer's settings."""
    for name in names_like(folder, TEMPLATES):
        found = read_text(folder, name)
        if found.sha256:
            where = Origin("file of the folder", None, name, at, found.sha256)
            return claim(subject, "chat_template", f"SHA-256 {found.sha256}", "measured", where)
    tokenizer, found = read_object(folder, TOKENIZER)
    template = (tokenizer or {}).get("chat_template")
    where = Origin(f"{TOKENIZER} and chat_template files", None, TOKENIZER, at, found.sha256)
    value = None
    if isinstance(template, str) and template:
        value = f"SHA-256 {hashlib.sha256(template.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return _or_none(subject, "chat_template", value, where, found)


def _or_none(subject: str, field: str, value: Any, where: Origin, found: Found) -> Claim:
    """What was found; that there is none; or, where the file cannot be read, that it is not known."""
    if value is not None:
        return claim(subject, field, value, "measured", where)
    status: Status = "unknown" if found.reason else "not_applicable"
    return claim(subject, field, None, status, where, found.reason or "there is none")


def _where(name: str, found: Found, at: str | None) -> Origin:
    return Origin(name, None, name, at, found.sha256)


def _why(found: Found) -> str | None:
    if found.text is not None:
        return None
    return found.reason or f"there is no {found.name}"


def _plain(value: Any) -> bool:
    """Whether a setting is short and can be written down: no number that JSON does not have."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, bool | str) or (isinstance(value, int) and abs(value) < 10**18)

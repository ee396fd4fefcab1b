"""The schemas' dialect, and their errors said the way a person would."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

Said = tuple[tuple[str | int, ...], str, str]
"""A path below the error, what is wrong there, and the remedy."""

_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_BOUNDS = {
    "exclusiveMinimum": ("not more than", "more than"),
    "minimum": ("less than", "at least"),
    "exclusiveMaximum": ("not less than", "less than"),
    "maximum": ("more than", "at most"),
}
"""What a value is that breaks a bound, and what it should be."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy for a name that is not known: the nearest ones, or all of them.

    Examples
    --------
    >>> nearest("ocupations", ["names", "occupations"])
    "Did you mean 'occupations'?"
    >>> nearest("zzz", ["names", "occupations"])
    'Known: names, occupations.'
    >>> nearest("zzz", [])
    'There is none.'
    """
    names = list(dict.fromkeys(known))
    close = difflib.get_close_matches(name, names, n=3)
    if close:
        return f"Did you mean {' or '.join(repr(c) for c in close)}?"
    return f"Known: {', '.join(names)}." if names else "There is none."


def control_character(text: str) -> str | None:
    r"""The first control character or half of a surrogate pair in a text, as its code point.

    Examples
    --------
    >>> control_character("a\x1bb"), control_character("plain")
    ('U+001B', None)
    """
    odd = next((c for c in text if unicodedata.category(c) in ("Cc", "Cs")), None)
    return None if odd is None else f"U+{ord(odd):04X}"


def schema_validator(schema: Mapping[str, Any]) -> Validator:
    """A schema, ready to validate.

    It is JSON Schema 2020-12 in two points more narrowly than jsonschema reads it: 4.0 is not an integer
    (it would reach code that counts), and ``$`` in a pattern is the end, not also the place before a last
    line break.
    """
    Draft202012Validator.check_schema(schema)
    ready: Validator = _Validator(schema)
    return ready


def _pattern(validator: Validator, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    exact = re.sub(r"\$$", r"\\Z", pattern)
    if isinstance(instance, str) and not re.search(exact, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _is_integer(checker: Any, instance: Any) -> bool:
    return isinstance(instance, int) and not isinstance(instance, bool)


_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    validators={"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


def leaves(error: ValidationError) -> Iterator[ValidationError]:
    """What an error comes down to: itself, or those of the alternatives that its value was meant to be."""
    inner = list(error.context or ()) if error.validator == "anyOf" else []
    of_other_kind = {e.schema_path[0] for e in inner if e.validator == "type" and not e.path}
    meant = next((e.schema_path[0] for e in inner if e.schema_path[0] not in of_other_kind), None)
    if meant is None:
        yield error
        return
    for alternative in inner:
        if alternative.schema_path[0] == meant:
            yield from leaves(alternative)


def explain(error: ValidationError) -> Iterator[Said]:
    """Say a schema error the way a person would."""
    value: Any = error.instance
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    rule = str(error.validator)
    meaning = schema.get("description", "")
    if rule == "additionalProperties" and isinstance(value, dict):
        allowed = list(schema.get("properties", {}))
        for key in value:
            if key not in allowed:
                yield (key,), f"unknown key {key!r}", nearest(key, allowed)
    elif rule == "required" and isinstance(value, dict):
        missing = next(key for key in schema["required"] if f"'{key}'" in error.message)
        yield (), f"the key {missing!r} is missing", f"Add {missing!r}."
    elif rule in ("type", "anyOf"):
        quotes = schema.get("type") == "string" and isinstance(value, bool | int | float)
        wanted = _kinds(schema)
        remedy = "Put it in quotes." if quotes else f"Write {meaning or wanted}."
        yield (), f"{_show(value)} is not {wanted}", remedy
    elif rule == "pattern":
        yield (), f"{_show(value)} is not {meaning or 'of the right form'}", "Rewrite it in that form."
    elif rule == "enum":
        options = [str(option) for option in schema["enum"]]
        yield (), f"{_show(value)} is not one of {', '.join(options)}", nearest(str(value), options)
    elif rule in ("minItems", "minProperties"):
        yield (), f"has {len(value)} entries where at least {schema[rule]} are needed", "Add more."
    elif rule == "minLength":
        yield (), "the text is empty", f"Write {meaning or 'some text'}."
    elif rule == "maxLength":
        yield (), f"the text has {len(value):,} characters, more than {schema[rule]:,}", "Shorten it."
    elif rule in ("maxItems", "maxProperties"):
        yield (), f"has {len(value):,} entries, more than {schema[rule]:,}", "Leave some out."
    elif rule == "uniqueItems":
        twice = sorted({str(entry) for entry in value if value.count(entry) > 1})
        yield (), f"has {', '.join(map(repr, twice))} more than once", "Remove the repetition."
    elif rule in _BOUNDS:
        allowed = [f"{right} {schema[key]}" for key, (_, right) in _BOUNDS.items() if key in schema]
        what = f"{_show(value)} is {_BOUNDS[rule][0]} {schema[rule]}"
        yield (), what, f"Write {meaning or 'a number'}: {' and '.join(allowed)}."
    else:
        yield (), error.message, f"Write {meaning or 'what the schema asks for'}."


def _kinds(schema: Mapping[str, Any]) -> str:
    """The types that a schema allows, in words."""
    listed = [entry.get("type") for entry in schema["anyOf"]] if "anyOf" in schema else schema["type"]
    names = listed if isinstance(listed, list) else [listed]
    return " or ".join(_KINDS.get(name, str(name)) for name in names)


def _show(value: Any) -> str:
    if value is None:
        return "nothing (null)"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."

"""A JSON Schema as one function that says whether a value fits, and nothing more.

jsonschema says where a value departs and why, and takes a second for a thousand findings. A file that fits
is the usual case: it is asked here first, and jsonschema where this says no. What is said of a value is the
same as in JSON Schema 2020-12; a keyword that is not known here is refused when a schema is compiled, and
not passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Fits = Callable[[Any], bool]
"""Whether a value fits."""

ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description"})
"""Keywords that demand nothing."""
REFERENCE = "#/$defs/"


def compiled(schema: Mapping[str, Any]) -> Fits:
    """Whether a value fits a schema, as a function.

    Parameters
    ----------
    schema : mapping
        A whole schema. Its references lead to its own ``$defs``.

    Raises
    ------
    ValueError
        For a keyword or a reference that is not known here.

    Examples
    --------
    >>> fits = compiled({"type": "object", "required": ["n"], "properties": {"n": {"minimum": 1}}})
    >>> fits({"n": 2}), fits({"n": 0}), fits({})
    (True, False, False)
    """
    return _Compiler(schema).of(schema)


class _Compiler:
    """Compiles the parts of one schema; a definition is compiled once, when it is first met."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._definitions = root.get("$defs", {})
        self._known: dict[str, Fits] = {}

    def of(self, schema: Any) -> Fits:
        if isinstance(schema, bool):
            return lambda value: schema
        unknown = schema.keys() - ANNOTATIONS - KEYWORDS.keys() - COMPANIONS
        if unknown:
            raise ValueError(f"keywords that cannot be compiled: {', '.join(sorted(unknown))}")
        makers = dict.fromkeys(make for keyword, make in KEYWORDS.items() if keyword in schema)
        checks = tuple(make(self, schema) for make in makers)
        return checks[0] if len(checks) == 1 else lambda value: all(check(value) for check in checks)

    def referred(self, reference: str) -> Fits:
        name = reference.removeprefix(REFERENCE)
        if name not in self._definitions or not reference.startswith(REFERENCE):
            raise ValueError(f"a reference that cannot be followed: {reference}")
        if name not in self._known:
            self._known[name] = lambda value: self._known[name](value)  # until it is: one may lead to itself
            self._known[name] = self.of(self._definitions[name])
        return self._known[name]


def is_number(value: Any) -> bool:
    """A number, which a boolean is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


TYPES: dict[str, Fits] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": is_number,
    "integer": lambda value: (
        is_number(value) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
}


def _type(_: _Compiler, schema: Mapping[str, Any]) -> Fits:
    named = schema["type"]
    kinds = tuple(TYPES[name] for name in ([named] if isinstance(named, str) else named))
    return kinds[0] if len(kinds) == 1 else lambda value: any(kind(value) for kind in kinds)


def _enum(_: _Compiler, schema: Mapping[str, Any]) -> Fits:
    return _one_of(schema["enum"])


def _const(_: _Compiler, schema: Mapping[str, Any]) -> Fits:
    return _one_of([schema["const"]])


def _one_of(options: Sequence[Any]) -> Fits:
    if not all(option is None or isinstance(option, str | int | float | bool) for option in options):
        raise ValueError("an enumeration of more than plain values cannot be compiled")
    plain = frozenset((isinstance(option, bool), option) for option in options)
    scalar = (str, int, float, type(None))
    return lambda value: isinstance(value, scalar) and (isinstance(value, bool), value) in plain


def _bounds(_: _Compiler, schema: Mapping[str, Any]) -> Fits:
    low, high = schema.get("minimum"), schema.get("maximum")
    above = schema.get("exclusiveMinimum")

    def fits(value: Any) -> bool:
        if not is_number(value):
            return True
        return not (
            (low is not None and value < low)
            or (high is not None and value > high)
            or (above is not None and value <= above)
        )

    return fits


def _text(_: _Compiler, schema: Mapping[str, Any]) -> Fits:
    shortest = schema.get("minLength", 0)
    pattern = re.compile(schema.get("pattern", ""))
    return lambda value: (
        not isinstance(value, str) or (len(value) >= shortest and pattern.search(value) is not None)
    )


def _required(_: _Compiler, schema: Mapping[str, Any]) -> Fits:
    names = frozenset(schema["required"])
    return lambda value: not isinstance(value, dict) or names <= value.keys()


def _members(compiler: _Compiler, schema: Mapping[str, Any]) -> Fits:
    own = {name: compiler.of(part) for name, part in schema.get("properties", {}).items()}
    other = compiler.of(schema.get("additionalProperties", True))
    named = compiler.of(schema.get("propertyNames", True))
    return lambda value: (
        not isinstance(value, dict)
        or all(named(name) and own.get(name, other)(member) for name, member in value.items())
    )


def _items(compiler: _Compiler, schema: Mapping[str, Any]) -> Fits:
    each = compiler.of(schema["items"])
    return lambda value: not isinstance(value, list) or all(map(each, value))


def _all_of(compiler: _Compiler, schema: Mapping[str, Any]) -> Fits:
    parts = [compiler.of(part) for part in schema["allOf"]]
    return lambda value: all(part(value) for part in parts)


def _if(compiler: _Compiler, schema: Mapping[str, Any]) -> Fits:
    condition = compiler.of(schema["if"])
    then, otherwise = (compiler.of(schema.get(name, True)) for name in ("then", "else"))
    return lambda value: then(value) if condition(value) else otherwise(value)


def _reference(compiler: _Compiler, schema: Mapping[str, Any]) -> Fits:
    return compiler.referred(schema["$ref"])


KEYWORDS: dict[str, Callable[[_Compiler, Mapping[str, Any]], Fits]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minimum": _bounds,
    "maximum": _bounds,
    "exclusiveMinimum": _bounds,
    "minLength": _text,
    "pattern": _text,
    "required": _required,
    "properties": _members,
    "additionalProperties": _members,
    "propertyNames": _members,
    "items": _items,
    "allOf": _all_of,
    "if": _if,
    "$ref": _reference,
}
"""Keyword to what makes its check; several may share one."""
COMPANIONS = frozenset({"then", "else"})
"""Keywords that count only beside another one."""

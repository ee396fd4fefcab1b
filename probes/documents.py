"""A suite or lexicon file on its way in: read, located, checked against its schema.

The file is YAML in the subset that is also plain JSON: no anchors, no tags, no duplicate keys, and only
``true`` and ``false`` are booleans, so that ``no`` (the answer, the country code) stays a word. Numbers are
decimal: ``010``, which is 8 to some readers of YAML and 10 to others, stays text, and so do ``0x1f``,
``1_000`` and the time ``12:30``. Every fault is kept with its place; nothing is raised here.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jsonschema.protocols import Validator

from probes.errors import Fault
from probes.explain import control_character, explain, leaves, schema_validator

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as _Base  # type: ignore[assignment]

Step = str | int

ROOM = Path(__file__).parent
MAX_BYTES = 4_000_000
"""A suite is written by people; anything larger is some other file."""

_PLAIN_BOOL = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_PLAIN_INT = re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$")
_PLAIN_FLOAT = re.compile(
    r"""^(?:[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)
        |[-+]?\.[0-9]+(?:[eE][-+]?[0-9]+)?
        |[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$""",
    re.VERBOSE,
)
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_BOOL = "tag:yaml.org,2002:bool"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_READ_OTHERWISE = (_TIMESTAMP, _BOOL, _INT, _FLOAT)


class _PlainLoader(_Base):
    """YAML as plain data: dates, yes/no/on/off and numbers that are not decimal stay text."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (the attribute PyYAML reads)
        first: [pair for pair in pairs if pair[0] not in _READ_OTHERWISE]
        for first, pairs in _Base.yaml_implicit_resolvers.items()
    }


_PlainLoader.add_implicit_resolver(_BOOL, _PLAIN_BOOL, list("tTfF"))
_PlainLoader.add_implicit_resolver(_INT, _PLAIN_INT, list("-+0123456789"))
_PlainLoader.add_implicit_resolver(_FLOAT, _PLAIN_FLOAT, list("-+0123456789."))


@dataclass
class Document:
    """Plain data with the places of its parts and the faults found so far.

    Attributes
    ----------
    where : str
        The file, or what stands for it when the data come from elsewhere.
    lines : mapping of path to line
        One-based; empty where the data did not come from a file.
    faults : list of Fault
        In the order in which they were found.
    broken : set of path
        The parts that do not satisfy the schema; keys that it does not know aside.
    sound : bool
        Whether the data could be read and satisfy the schema.
    """

    where: str
    data: Any = None
    lines: Mapping[tuple[Step, ...], int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    broken: set[tuple[Step, ...]] = field(default_factory=set)
    sound: bool = False

    def locate(self, path: Sequence[Step]) -> str:
        """Name a place: ``file.yaml: $.templates[3].text (line 41)``."""
        line = next((self.lines[p] for p in _upward(tuple(path)) if p in self.lines), None)
        place = f"{self.where}: {spell(path)}" if path else self.where
        return place if line is None or not path else f"{place} (line {line})"

    def fault(self, path: Sequence[Step], what: str, remedy: str = "") -> None:
        """Keep one fault."""
        self.faults.append(Fault(what, self.locate(path), remedy))

    def clean(self, *path: Step) -> bool:
        """Whether nothing at or under this path broke the schema."""
        return not any(broken[: len(path)] == path for broken in self.broken)


def spell(path: Sequence[Step]) -> str:
    """Write a path the way JSONPath does.

    Examples
    --------
    >>> spell(["templates", 3, "text"])
    '$.templates[3].text'
    """
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def _upward(path: tuple[Step, ...]) -> Iterable[tuple[Step, ...]]:
    return (path[:end] for end in range(len(path), -1, -1))


def canonical(data: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, no escapes; the text that is hashed."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(data: Any) -> str:
    """Hash the canonical JSON of plain data: sha256, in hexadecimal."""
    return hashlib.sha256(canonical(data).encode()).hexdigest()


def an(kind: str) -> str:
    """A noun with its article.

    Examples
    --------
    >>> an("audit"), an("suite")
    ('an audit', 'a suite')
    """
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def read(path: Path, kind: str, schema: Validator | None = None) -> Document:
    """Read a YAML file and check it against the schema of its kind, or one that another room brings.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        What the file is, for messages.
    schema : Validator, optional
        By default the schema of this room for that kind.

    Returns
    -------
    Document
        With every fault found; ``data`` is None if the file could not be read as YAML.
    """
    document = Document(where=str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            document.fault((), f"this is not a file that can hold {an(kind)}", "Check the path.")
            return document
        if status.st_size > MAX_BYTES:
            document.fault(
                (), f"the file has {status.st_size:,} bytes, more than any {kind}", "Check the path."
            )
            return document
        raw = path.read_bytes()
    # A path with a null byte is a ValueError.
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        document.fault((), f"cannot read the {kind} file ({reason})", "Check the path.")
        return document
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        document.fault((), f"line {line} is not UTF-8 (byte {error.start})", "Save the file as UTF-8.")
        return document
    if _parse(document, text):
        check_schema(document, schema or validator(kind))
    return document


def from_data(data: Any, where: str, kind: str) -> Document:
    """Take plain data (from a bundle, say) and check it against the schema of its kind."""
    document = Document(where=where)
    _check_plain(document, data, ())
    if not document.faults:
        document.data = data
        check_schema(document, validator(kind))
    return document


def _parse(document: Document, text: str) -> bool:
    """Fill in the data and the lines; whether there are data to check."""
    try:
        for event in yaml.parse(text, Loader=_PlainLoader):
            line = event.start_mark.line + 1 if event.start_mark else "?"
            if isinstance(event, yaml.AliasEvent):
                what = f"line {line} uses a YAML alias (*{event.anchor})"
                document.fault((), what, "Write the value out: the file is plain data.")
                return False
            if (tag := getattr(event, "tag", None)) is not None:
                what = f"line {line} uses a YAML tag ({tag})"
                document.fault((), what, "Write the value without it: the file is plain data.")
                return False
        loader = _PlainLoader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                document.fault((), "the file is empty", "Write the document, or check the path.")
                return False
            lines: dict[tuple[Step, ...], int] = {}
            document.lines = lines
            _walk(document, node, (), lines)
            data = loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark: yaml.Mark | None = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        what = f"not valid YAML, {place}{error.problem or error.context or 'cannot be parsed'}"
        document.fault((), what, "Correct the syntax there.")
    except (yaml.YAMLError, ValueError) as error:
        document.fault((), f"not valid YAML, {error}", "Correct the syntax there.")
    except RecursionError:
        document.fault((), "not valid YAML of this kind, it is nested too deeply", "Flatten it.")
    else:
        before = len(document.faults)
        _check_plain(document, data, ())
        if len(document.faults) == before:
            document.data = data
            return True
    return False


def _walk(document: Document, node: yaml.Node, path: tuple[Step, ...], lines: dict[Any, int]) -> None:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _walk(document, child, (*path, index), lines)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, child in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                what = f"the key {name!r} is written twice (lines {seen[name]} and {line})"
                document.fault((*path, name), what, "Remove or rename one of them.")
            seen[name] = line
            _walk(document, child, (*path, name), lines)
            lines[(*path, name)] = line


def _check_plain(document: Document, data: Any, path: tuple[Step, ...]) -> None:
    """Refuse what JSON cannot carry, so that a digest always exists."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if not isinstance(key, str):
                document.fault((*path, str(key)), f"the key {key!r} is not text", "Put the key in quotes.")
            else:
                _check_plain(document, value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            _check_plain(document, value, (*path, index))
    elif isinstance(data, float) and not math.isfinite(data):
        document.fault(path, f"{data} is not a finite number", "Write a finite number.")
    elif isinstance(data, int) and abs(data) > sys.float_info.max:
        document.fault(path, "the number is larger than can be computed with", "Write a smaller number.")
    elif not isinstance(data, str | int | float | bool | None):
        what = f"a value of type {type(data).__name__} is not plain data"
        document.fault(path, what, "Use text, numbers, lists and mappings.")


@functools.cache
def validator(kind: str) -> Validator:
    """The schema of a kind of file, ready to validate."""
    return schema_validator(
        json.loads((ROOM / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    )


def check_schema(document: Document, schema: Validator) -> None:
    """Add every schema fault, each with its path and remedy, and every control character."""
    for path, what, remedy in _control_faults(document.data, ()):
        document.fault(path, what, remedy)
        document.broken.add(path)
    errors = [leaf for error in schema.iter_errors(document.data) for leaf in leaves(error)]
    document.sound = not errors and not document.broken
    for error in sorted(errors, key=lambda e: [str(step) for step in e.absolute_path]):
        path = tuple(error.absolute_path)
        odd = isinstance(error.instance, str) and control_character(error.instance)
        if not (odd and error.validator == "pattern"):
            for more, what, remedy in explain(error):
                document.fault((*path, *more), what, remedy)
        if error.validator != "additionalProperties":
            document.broken.add(path)


def _control_faults(data: Any, path: tuple[Step, ...]) -> Iterable[tuple[tuple[Step, ...], str, str]]:
    """Characters that no sentence holds and that a terminal would obey, in texts and in keys."""
    if isinstance(data, dict):
        for key, value in data.items():
            if point := control_character(key):
                yield (*path, key), f"the key holds the control character {point}", "Remove it."
            yield from _control_faults(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _control_faults(value, (*path, index))
    elif isinstance(data, str) and (point := control_character(data)):
        remedy = (
            "Write one line; for folded text, >- instead of > or |." if point == "U+000A" else "Remove it."
        )
        yield path, f"the text holds the control character {point}", remedy

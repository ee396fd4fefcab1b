"""A reader of pickle and joblib files that runs nothing of what they say.

A pickle is a program: it may name any function of the machine and have it called. Here its operations are
read one by one, and the few that build plain data are done by our own lines. No class is imported and nothing
is called. An object of a class becomes an :class:`Inert` one, which has the class's name and the state that
the file gives; a name that is not on the reader's list is refused, whatever it is.

joblib writes a numpy array as a header, an object of its own, with the bytes of the array behind it; they are
read here, for numbers of eight bytes. Files of protocol 4 and later are read: older ones name classes in
another way.
"""

from __future__ import annotations

import io
import math
import pickletools
import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from probes.errors import Fault, InputError

MAX_BYTES = 4_000_000
MAX_DEPTH = 24
"""How deep containers may stand in each other: deep ones can exhaust who walks through them."""
ARRAY = "joblib.numpy_pickle.NumpyArrayWrapper"
DTYPE = "numpy.dtype"
SCALARS = ("numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar")
NUMPY = (ARRAY, DTYPE, *SCALARS, "numpy.ndarray", "numpy.float64", "numpy.int64")
"""The names of numpy and of joblib that are known; those of a file's own classes are the caller's."""
_NUMBERS = ("<f8", "<i8")
_REMEDY = "Fetch the file again; do not load it with anything that runs pickles."

_CONSTANTS: Mapping[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_LITERALS = frozenset(
    ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES")
)
_NO_EFFECT = frozenset(("PROTO", "FRAME"))
_OPERATIONS = {operation.code: operation for operation in pickletools.opcodes}


@dataclass(frozen=True)
class Name:
    """A class or a function that a file names; it is not imported."""

    path: str


@dataclass(eq=False)
class Inert:
    """An object of a file: the path of its class, what it was made from, and its state; it can do nothing."""

    path: str
    args: tuple[Any, ...] = ()
    state: Any = field(default_factory=dict)


class _Broken(Exception):  # noqa: N818
    """Why a file cannot be read; told as an InputError."""


def read_pickle(content: bytes, where: str, classes: Collection[str]) -> Any:
    """The plain data of a pickle or joblib file: numbers, texts, lists, tuples, dicts, arrays, inert objects.

    Parameters
    ----------
    content : bytes
        The file, not compressed.
    where : str
        As messages name it.
    classes : collection of str
        Paths of the classes, ``module.Class``, of which the file may hold objects; numpy's own are known.

    Raises
    ------
    InputError
        If the file is too large, cut short, or nested too deeply, has an operation that plain data does not
        need, or names anything else.

    Examples
    --------
    >>> import pickle
    >>> read_pickle(pickle.dumps({"a": [1, 2.5, None]}), "x", ())
    {'a': [1, 2.5, None]}
    >>> read_pickle(pickle.dumps(print), "x", ())
    Traceback (most recent call last):
    probes.errors.InputError: x: the pickle names builtins.print, which is not on the list...
    """
    try:
        if len(content) > MAX_BYTES:
            raise _Broken(f"the pickle has {len(content):,} bytes, more than {MAX_BYTES:,}")
        found = _Machine(content, frozenset((*NUMPY, *classes))).run()
        _check_depth(found)
    except _Broken as broken:
        raise InputError(Fault(str(broken), where, _REMEDY)) from None
    except (ValueError, struct.error, OverflowError) as error:  # what pickletools says of a torn file
        raise InputError(Fault(f"the pickle cannot be read: {error}", where, _REMEDY)) from None
    return found


class _Machine:
    """The stack and the memo of a pickle, and the operations that are done."""

    def __init__(self, content: bytes, names: Collection[str]) -> None:
        self._file = io.BytesIO(content)
        self._size = len(content)
        self._names = names
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._do: Mapping[str, Callable[[Any], None]] = {
            "MARK": lambda _: self._marks.append(len(self._stack)),
            "TUPLE": lambda _: self._push(tuple(self._marked())),
            "TUPLE1": lambda _: self._push(tuple(self._pop(1))),
            "TUPLE2": lambda _: self._push(tuple(self._pop(2))),
            "TUPLE3": lambda _: self._push(tuple(self._pop(3))),
            "EMPTY_LIST": lambda _: self._push([]),
            "APPEND": lambda _: self._append(self._pop(1)),
            "APPENDS": lambda _: self._append(self._marked()),
            "EMPTY_DICT": lambda _: self._push({}),
            "SETITEM": lambda _: self._set_items(self._pop(2)),
            "SETITEMS": lambda _: self._set_items(self._marked()),
            "MEMOIZE": lambda _: self._remember(len(self._memo)),
            "BINPUT": self._remember,
            "LONG_BINPUT": self._remember,
            "BINGET": self._recall,
            "LONG_BINGET": self._recall,
            "STACK_GLOBAL": lambda _: self._name(),
            "NEWOBJ": lambda _: self._new_object(),
            "REDUCE": lambda _: self._reduce(),
            "BUILD": lambda _: self._build(),
        }
        self._known = frozenset((*_LITERALS, *_CONSTANTS, *_NO_EFFECT, *self._do, "STOP"))

    def run(self) -> Any:
        """What the file holds."""
        while (operation := self._operation()).name != "STOP":
            name = operation.name
            argument = operation.arg.reader(self._file) if operation.arg else None
            if name in _LITERALS:
                self._push(argument)
            elif name in _CONSTANTS:
                self._push(_CONSTANTS[name])
            elif name in self._do:
                self._do[name](argument)
        return self._end()

    def _operation(self) -> pickletools.OpcodeInfo:
        """The next operation, before its argument is read: one that is done here, or has no effect."""
        place = self._file.tell()
        code = self._take(1).decode("latin-1")
        operation = _OPERATIONS.get(code)
        if operation is None:
            raise _Broken(f"the pickle has {code!r} at byte {place}, which is no operation")
        if operation.name not in self._known:
            raise _Broken(f"the pickle has {operation.name} at byte {place}, which is not done here")
        return operation

    def _end(self) -> Any:
        if self._file.tell() != self._size or len(self._stack) != 1 or self._marks:
            raise _Broken("the pickle holds more than one value")
        return self._stack[0]

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self, count: int) -> list[Any]:
        floor = self._marks[-1] if self._marks else 0
        if len(self._stack) - count < floor:
            _torn()
        taken = self._stack[-count:]
        del self._stack[-count:]
        return taken

    def _marked(self) -> list[Any]:
        """What stands above the last mark; both are taken away."""
        if not self._marks:
            _torn()
        mark = self._marks.pop()
        taken = self._stack[mark:]
        del self._stack[mark:]
        return taken

    def _append(self, values: list[Any]) -> None:
        target = self._top()
        if not isinstance(target, list):
            _torn()
        target.extend(values)

    def _set_items(self, flat: list[Any]) -> None:
        target = self._top()
        if not isinstance(target, dict) or len(flat) % 2:
            _torn()
        keys = flat[::2]
        if not all(isinstance(key, str) for key in keys):
            raise _Broken("the pickle has a dict whose keys are not text")
        target.update(zip(keys, flat[1::2], strict=True))

    def _top(self) -> Any:
        (value,) = self._pop(1)
        self._push(value)
        return value

    def _remember(self, place: int) -> None:
        self._memo[place] = self._top()

    def _recall(self, place: int) -> None:
        if place not in self._memo:
            _torn()
        self._push(self._memo[place])

    def _name(self) -> None:
        module, name = self._pop(2)
        if not isinstance(module, str) or not isinstance(name, str):
            _torn()
        path = f"{module}.{name}"
        if path not in self._names:
            raise _Broken(f"the pickle names {path[:100]}, which is not on the list of what it may name")
        self._push(Name(path))

    def _new_object(self) -> None:
        named, args = self._pop(2)
        if not isinstance(named, Name) or args != () or named.path in NUMPY[1:]:
            raise _Broken("the pickle makes an object of something that is no class without arguments")
        self._push(Inert(named.path))

    def _reduce(self) -> None:
        """The only two calls that are understood, and both without calling anything: a type, and a number."""
        named, args = self._pop(2)
        if not isinstance(named, Name) or not isinstance(args, tuple):
            _torn()
        if named.path == DTYPE:
            self._push(Inert(DTYPE, args))
        elif named.path in SCALARS and len(args) == 2 and isinstance(args[1], bytes) and len(args[1]) == 8:
            self._push(np.frombuffer(args[1], _number_type(args[0]))[0].item())
        else:
            raise _Broken(f"the pickle calls {named.path}")

    def _build(self) -> None:
        """An object's state; behind that of an array's header stand the bytes of the array."""
        target, state = self._pop(2)
        if not isinstance(target, Inert):
            _torn()
        if not isinstance(state, tuple if target.path == DTYPE else dict):
            _torn()
        target.state = state
        self._push(self._array(target.state) if target.path == ARRAY else target)

    def _array(self, header: Mapping[str, Any]) -> np.ndarray[Any, Any]:
        kind, shape = _number_type(header.get("dtype")), header.get("shape")
        plain = header.get("subclass") == Name("numpy.ndarray") and header.get("order") in ("C", "F")
        if not plain or not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            raise _Broken("the pickle has an array with a header that is not understood")
        if header.get("numpy_array_alignment_bytes") is not None:
            self._file.read(int.from_bytes(self._take(1), "little"))
        found = np.frombuffer(self._take(8 * math.prod(shape)), kind)
        return found.reshape(shape, order=header["order"])

    def _take(self, count: int) -> bytes:
        taken = self._file.read(count)
        if len(taken) != count:
            raise _Broken("the pickle is cut short")
        return taken


def _number_type(found: Any) -> str:
    """The type that ``numpy.dtype('f8', False, True)`` and its state mean; one of 8-byte numbers."""
    if isinstance(found, Inert) and found.path == DTYPE and found.args and isinstance(found.state, tuple):
        order = found.state[1] if len(found.state) > 1 else ""
        kind = f"{order}{found.args[0]}" if isinstance(order, str) and isinstance(found.args[0], str) else ""
        if kind in _NUMBERS:
            return kind
    raise _Broken("the pickle has numbers that are neither float64 nor int64")


def _torn() -> NoReturn:
    raise _Broken("the pickle is torn: an operation finds not what it works on")


def _check_depth(value: Any) -> None:
    """Level by level, each container once, so that neither depth nor repetition costs anything."""
    level, seen = [value], {id(value)}
    for _ in range(MAX_DEPTH):
        below = []
        for child in (child for each in level for child in _children(each)):
            if id(child) not in seen:
                seen.add(id(child))
                below.append(child)
        level = below
        if not level:
            return
    raise _Broken(f"the pickle nests values deeper than {MAX_DEPTH}")


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, Inert):
        yield value.args
        yield value.state

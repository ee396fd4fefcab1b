"""Pickle and joblib files are read as data: what would run, exhaust or confuse the reader is refused."""

from __future__ import annotations

import builtins
import os
import pickle
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit.scorers.pickles import MAX_BYTES, MAX_DEPTH, Inert, Name, read_pickle
from probes.errors import InputError

PLAIN = {
    "none": None, "flags": [True, False], "small": 3, "negative": -70000, "large": 2**40,
    "float": -2.75, "text": "naïve 龙", "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    "nested": {"list": [[], [1, [2]], {"x": "y"}]}, "long": list(range(300)),
}  # fmt: skip


def read(content: bytes, *classes: str) -> Any:
    return read_pickle(content, "file", classes)


def named(module: str, name: str) -> bytes:
    """The operations that name a class."""
    texts = (b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name))
    return b"".join(texts) + b"\x93"


def array_file(array: np.ndarray[Any, Any], aligned: bool = True, **changed: Any) -> bytes:
    """An array as joblib writes it: the header, its bytes, and the end of the file."""
    header = {
        "subclass": np.ndarray,
        "shape": array.shape,
        "order": "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C",
        "dtype": array.dtype,
        "allow_mmap": aligned,
        "numpy_array_alignment_bytes": 16 if aligned else None,
        **changed,
    }
    made = b"\x80\x04" + named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81"
    made += pickle.dumps(header, 4)[2:-1] + b"b"
    if aligned:
        padding = 16 - (len(made) + 1) % 16
        made += bytes([padding]) + b"\xff" * padding
    return made + array.tobytes(order="A") + b"."


class Calls:
    """Pickles to a call of a function."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.made = function, args

    def __reduce__(self) -> Any:
        return self.made


@pytest.mark.parametrize("protocol", [4, 5])
def test_plain_data_is_read_as_it_was_written(protocol: int) -> None:
    assert read(pickle.dumps(PLAIN, protocol)) == PLAIN


def test_equal_parts_stay_one_object() -> None:
    part = [1]
    first, second = read(pickle.dumps([part, part]))
    assert first is second and first == part


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.array([7, -1]),
        np.empty((0, 3)), np.array(2.5),
    ],
)  # fmt: skip
def test_arrays_of_joblib_are_read(array: np.ndarray[Any, Any], aligned: bool) -> None:
    found = read(array_file(array, aligned))
    assert found.dtype == array.dtype and np.array_equal(found, array) and found.shape == array.shape


@pytest.mark.parametrize("number", [np.float64(-2.5), np.int64(7)])
def test_single_numbers_of_numpy_are_read(number: Any) -> None:
    assert read(pickle.dumps([number], 4)) == [number.item()]


def test_an_object_keeps_its_name_and_its_state_and_is_nothing_more() -> None:
    content = b"\x80\x04" + named("some.place", "Thing") + b")\x81}\x8c\x01aK\x05sb."
    found = read(content, "some.place.Thing")
    assert type(found) is Inert and (found.path, found.state) == ("some.place.Thing", {"a": 5})
    with pytest.raises(InputError, match=r"names some\.place\.Thing, which is not on the list"):
        read(content)
    assert read(named("numpy", "float64") + b".") == Name("numpy.float64")


@pytest.mark.parametrize("protocol", range(6))
def test_no_function_is_ever_called(protocol: int, tmp_path: Path) -> None:
    made = tmp_path / "made"
    for hostile in (
        Calls(os.system, f"touch {made}"),
        Calls(builtins.eval, f"open({str(made)!r}, 'w')"),
        [1, {"x": Calls(os.mkdir, str(made))}],
        Calls(getattr, os.system, "__call__"),
    ):
        with pytest.raises(InputError, match=r"^file: the pickle (names|has [A-Z0-9_]+ at byte)"):
            read(pickle.dumps(hostile, protocol))
    assert not made.exists()


def test_a_known_class_is_not_called_either() -> None:
    with pytest.raises(InputError, match=r"calls some\.Thing"):
        read(named("some", "Thing") + b"\x8c\x01a\x85R.", "some.Thing")
    with pytest.raises(InputError, match="no class without arguments"):
        read(named("some", "Thing") + b"\x8c\x01a\x85\x81.", "some.Thing")
    with pytest.raises(InputError, match="no class without arguments"):
        read(named("numpy", "ndarray") + b")\x81.")


@pytest.mark.parametrize(
    ("operation", "content"),
    [
        ("GLOBAL", b"cos\nsystem\n."), ("STRING", b"S'\\K'\n."),
        ("INST", b"(ios\nsystem\n."), ("OBJ", b"(No."), ("EXT1", b"\x82\x01."),
        ("PERSID", b"Pname\n."), ("BINPERSID", b"NQ."), ("NEXT_BUFFER", b"\x97."), ("DUP", b"N2."),
        ("NEWOBJ_EX", b"N)}\x92."), ("BYTEARRAY8", b"\x96" + bytes(8) + b"."),
    ],
)  # fmt: skip
def test_operations_that_plain_data_does_not_need_are_refused_by_name(operation: str, content: bytes) -> None:
    with pytest.raises(InputError, match=f"has {operation} at byte"):
        read(content)


@pytest.mark.parametrize(
    "content",
    [
        b"N" + b"\x85" * 100_000 + b".", b"]" * 100_000 + b"a" * 99_999 + b".",
        b"}" + b"\x8c\x01k}" * 30_000 + b"s" * 30_000 + b".",
    ],
)  # fmt: skip
def test_deep_nesting_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match=f"nests values deeper than {MAX_DEPTH}"):
        read(content)


def test_values_that_repeat_each_other_cost_nothing() -> None:
    value: Any = ()
    for _ in range(MAX_DEPTH - 2):
        value = [value] * 50
    begun = time.perf_counter()
    assert read(pickle.dumps(value))[0][0] is not None
    assert time.perf_counter() - begun < 10.0


def test_a_list_within_itself_ends() -> None:
    loop: list[Any] = []
    loop.append(loop)
    found = read(pickle.dumps(loop))
    assert found[0] is found


@pytest.mark.parametrize(
    "content",
    [
        b"\x8d" + struct.pack("<Q", 2**62) + b"x.", b"X" + struct.pack("<I", 2**32 - 1) + b"x.",
        b"C\xffx.", b"\x8a\xff\x01.", b"\x95" + b"\xff" * 8, array_file(np.arange(3.0), shape=(2**40,)),
        array_file(np.arange(3.0), shape=(2**70, 0)), array_file(np.arange(3.0), shape=(4,)),
    ],
)  # fmt: skip
def test_what_claims_to_be_huge_is_refused_without_making_room_for_it(content: bytes) -> None:
    with pytest.raises(InputError, match=r"^file: the pickle"):
        read(content)


def test_a_memo_with_a_huge_number_takes_no_room() -> None:
    assert read(b"Nr\xff\xff\xff\xff.") is None
    with pytest.raises(InputError, match="torn"):
        read(b"j\xff\xff\xff\xff.")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"dtype": np.dtype("O")}, "neither float64"), ({"dtype": np.dtype(">f8")}, "neither float64"),
        ({"dtype": np.dtype("<f4")}, "neither float64"), ({"subclass": np.float64}, "a header"),
        ({"shape": (-3,)}, "a header"), ({"shape": [3]}, "a header"), ({"order": "A"}, "a header"),
    ],
)  # fmt: skip
def test_arrays_of_another_kind_are_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        read(array_file(np.arange(3.0), **changed))


@pytest.mark.parametrize("content", [b"", b"N", b".", b"NN.", b"N.N", b"(N.", b"\x85.", b"0.", b"Na.", b"(u.",
                                     b"}NNs.", b"}(K\x01u.", b"Nb.", b"NNR.", b"NN\x93."])  # fmt: skip
def test_torn_programs_are_refused(content: bytes) -> None:
    with pytest.raises(InputError, match=r"^file: the pickle"):
        read(content)


def outcome(content: bytes) -> str:
    try:
        read(content)
    except InputError as error:
        return str(error)
    return ""


def test_a_file_cut_anywhere_or_changed_anywhere_gives_a_value_or_one_line() -> None:
    whole = array_file(np.arange(6.0).reshape(2, 3))[:-1] + pickle.dumps(PLAIN)[2:-1] + b"\x86."
    array, plain = read(whole)
    assert array[1, 2] == 5.0 and plain == PLAIN
    assert all(outcome(whole[:end]) for end in range(len(whole)))
    random = np.random.default_rng(0)
    said = []
    for _ in range(1000):
        changed = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            changed[place] = random.integers(0, 256)
        said.append(outcome(bytes(changed)))
    assert 300 < sum(map(bool, said)) < 1000
    assert not any("\n" in line for line in said)


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(InputError, match="more than 4,000,000"):
        read(b"N" * (MAX_BYTES + 1))

"""A side for the tests of the harness: it adds."""

from __future__ import annotations

import os


class Adder:
    """It is made with a number, and adds others to it."""

    def __init__(self, start: int) -> None:
        if start < 0:
            raise ValueError("it starts below 0")
        self.start = start

    def add(self, number: int) -> int:
        print("what a library prints is no answer")
        if number < 0:
            raise ValueError("a negative number")
        return self.start + number


def leave() -> None:
    """A side whose making ends its process."""
    os._exit(3)

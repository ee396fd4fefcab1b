"""How much of a model's work is done at once: what was asked for, and less where memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from probes.errors import Fault, ModelError

T = TypeVar("T")

_WORDS = ("not enough memory", "can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""How devices say in a plain RuntimeError that memory has run out: a processor on Windows and elsewhere,
MPS, and the libraries of a GPU."""


class Budget:
    """The most tokens of one forward pass; it only ever shrinks.

    Parameters
    ----------
    tokens : int
        At first, >= 1.
    """

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens

    def spend(
        self,
        todo: Sequence[T],
        cut: Callable[[Sequence[T], int, int], int],
        run: Callable[[Sequence[T]], object],
        divides: bool = False,
    ) -> None:
        """Do all of some work, in batches that fit.

        Parameters
        ----------
        todo : sequence
            The work, in the order in which it is done.
        cut : callable
            ``cut(todo, start, tokens)`` gives where a batch that begins at ``start`` ends within a budget;
            a batch holds one piece at least.
        run : callable
            Does one batch. Where memory runs out within it, half as much is tried, so it keeps nothing of a
            batch before all of it is done.
        divides : bool
            Whether ``run`` keeps to the budget within a single piece, too, so that a smaller one may help it.

        Raises
        ------
        ModelError
            Where memory does not hold a single piece.
        """
        start = 0
        while start < len(todo):
            end = max(start + 1, cut(todo, start, self.tokens))
            if _fits(run, todo[start:end]):
                start = end
            elif end == start + 1 and not (divides and self.tokens > 1):
                raise no_room()
            else:
                self.tokens = max(1, self.tokens // 2)


def _fits(run: Callable[[Sequence[T]], object], batch: Sequence[T]) -> bool:
    """Do one batch; whether memory held it."""
    try:
        run(batch)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    else:
        return True
    # Only here, where the failed pass has let go of its tensors, is there something to give back.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
    return False


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that there is no more memory, on whatever device."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)
    )


def no_room(what: str = "one text in this model", where: str = "") -> ModelError:
    """The one line for what memory does not hold, be it the least."""
    remedy = "Free memory, use a smaller model, or name another --device."
    return ModelError(Fault(f"memory does not hold {what}", where, remedy))

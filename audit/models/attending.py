"""One attention function inside transformers' own modules, for tokens that do not lie in a rectangle.

A layout says which tokens of a pass read which others. While one is active, every attention module of a
network asks it; while none is, transformers' own attention answers as before. Everything else of a forward
pass is done token by token, so that any architecture whose attention goes through transformers' interface
can be run in layouts of our own. Whether it gives the same numbers is shown by a probe, never assumed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from audit.models.budget import is_out_of_memory, no_room
from audit.models.quiet import quiet

NAME = "evenhand"
"""Under which transformers knows this attention."""

HARMLESS = frozenset(
    {
        "dropout",
        "is_causal",
        "output_attentions",
        "output_hidden_states",
        "position_ids",
        "scaling",
        "use_cache",
    }
)
"""Keywords of an attention module that change nothing in evaluation mode where a layout says who reads whom,
and the one that layouts are told."""


class Layout(Protocol):
    """Says which tokens of a pass read which others."""

    def attend(self, module: Any, query: Any, key: Any, value: Any, scaling: float | None) -> Any:
        """Attention of one layer.

        Parameters
        ----------
        module : torch.nn.Module
            The attention module that asks.
        query : tensor, shape (rows, heads, tokens, size of a head)
            One vector a head for each token that reads.
        key, value : tensors, shape (rows, heads of keys, tokens, size of a head)
            Of each token of this pass; there may be fewer heads than of the query, each shared by as many.
        scaling : float or None
            What products are multiplied with; None for 1 / sqrt(size of a head).

        Returns
        -------
        tensor, shape (rows, tokens, heads, size of a head)
        """
        ...


@runtime_checkable
class Windowed(Protocol):
    """A layout that knows how far apart tokens are, for modules that read through a window."""

    def within(self, window: int) -> Layout:
        """The same layout, in which a token reads so many tokens at most, itself among them."""
        ...


class UnknownAttentionError(Exception):
    """An attention module wants something that no layout knows of, such as a window, a bias or a mask."""


class _Active(threading.local):
    layout: Layout | None = None


_ACTIVE = _Active()


@contextmanager
def laid_out(layout: Layout | None) -> Iterator[None]:
    """Within it, attention modules of this thread ask the layout; None for transformers' own attention."""
    before = _ACTIVE.layout
    _ACTIVE.layout = layout
    try:
        yield
    finally:
        _ACTIVE.layout = before


def _take_over(model: Any) -> bool:
    """Route the attention of a model through here; whether that was possible."""
    implementation = getattr(model.config, "_attn_implementation", None)
    if implementation != "sdpa":
        return bool(implementation == NAME)
    # An architecture may refuse another attention in any way it likes; then it keeps its own.
    try:
        with quiet():
            model.set_attn_implementation(NAME)
    except Exception:
        return False
    return bool(model.config._attn_implementation == NAME)


def _hand_back(model: Any) -> None:
    """Undo :func:`_take_over`."""
    with quiet():
        model.set_attn_implementation("sdpa")


def shown(model: Any, probe: Callable[[], bool]) -> bool:
    """Whether a layout gives the same numbers on a model, by a probe; where not, its own attention is back.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Whose attention is taken over, unless it was before: by another layout, which keeps it.
    probe : callable
        Runs the layout, and says whether the numbers are the same.

    Raises
    ------
    ModelError
        Where memory does not hold the probe, which is a few tokens.
    """
    was_taken = model.config._attn_implementation == NAME
    if not _take_over(model):
        return False
    exact = False
    # An architecture may refuse a layout in any way it likes.
    try:
        with torch.inference_mode():
            exact = probe()
    except Exception as error:
        if is_out_of_memory(error):
            raise no_room() from error
    finally:
        if not (exact or was_taken):
            _hand_back(model)
    return exact


def _attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    **keywords: Any,
) -> tuple[Any, None]:
    layout = _ACTIVE.layout
    if layout is None:
        attended: tuple[Any, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, **keywords
        )
        return attended
    if attention_mask is not None:
        raise UnknownAttentionError("a mask of its own")
    window = keywords.get("sliding_window")
    if window is not None and isinstance(layout, Windowed):
        layout = layout.within(int(keywords.pop("sliding_window")))
    unknown = {name for name, given in keywords.items() if given is not None} - HARMLESS
    if unknown:
        raise UnknownAttentionError(", ".join(sorted(unknown)))
    return layout.attend(module, query, key, value, keywords.get("scaling")), None


def _mask(*positional: Any, **keywords: Any) -> Any:
    if _ACTIVE.layout is None:
        return ALL_MASK_ATTENTION_FUNCTIONS["sdpa"](*positional, **keywords)
    return None


ALL_ATTENTION_FUNCTIONS.register(NAME, _attention)
ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, _mask)

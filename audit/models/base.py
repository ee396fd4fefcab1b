"""What every model offers, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from audit.requests import Request, Response


@runtime_checkable
class Model(Protocol):
    """Answers requests.

    Attributes
    ----------
    id : str
        As the user named it.
    digest : str
        SHA-256 that changes whenever an answer could: over weights, tokenizer and configuration files
        (path, size, content), or over what stands in for them.
    capabilities : frozenset of str
        The request forms it can answer. A suite that needs another form is *not measurable* on it.
    """

    @property
    def id(self) -> str:
        """The name in plans and reports."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 over what the answers depend on."""
        ...

    @property
    def capabilities(self) -> frozenset[str]:
        """Request forms."""
        ...

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        """Answer each request, in order.

        An answer does not depend on the other requests of the call, nor on their number: in float32 to within
        1e-5 nats for log-probabilities, and token for token for samples, near-ties aside; in half precision
        to within its rounding.
        A request that cannot be answered gives ``Response(error=...)``; it never raises for content.
        """
        ...

    def describe(self) -> Mapping[str, Any]:
        """Facts for the bundle: kind, architecture, parameters, dtype, device, files with digests."""
        ...


@runtime_checkable
class Paced(Protocol):
    """A model that knows how much work keeps it busy; one that does not is asked in small blocks.

    Attributes
    ----------
    block_tokens : int
        Work of one call of :meth:`Model.ask`, in tokens as ``audit.work`` counts them: enough to fill its
        passes, and not so much that a killed run loses long minutes. The same in every run of one plan.
    pass_tokens : int
        The most tokens of one forward pass, as things stand: fewer where memory has run out.
    """

    @property
    def block_tokens(self) -> int:
        """Work of one call."""
        ...

    @property
    def pass_tokens(self) -> int:
        """Most tokens of one pass."""
        ...

    def watch(self, told: Callable[[int], None] | None) -> None:
        """From here on, have ``told`` hear after each pass how many tokens it has read; None: nobody."""
        ...

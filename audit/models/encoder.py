"""Encoders: networks without a head, of which only the states of the last layer are asked."""

from __future__ import annotations

from collections.abc import Sequence

from audit.models.embedding import Embedder
from audit.models.loading import FromFiles, Loaded
from audit.requests import Embed, Request, Response


class Encoder(FromFiles):
    """A base model through transformers. Answers :class:`~audit.requests.Embed`.

    A decoder without a head (``GPT2Model``) is one of them: its states are read in the same way.

    Parameters
    ----------
    loaded : Loaded
        Of kind ``encoder``.
    """

    def __init__(self, loaded: Loaded) -> None:
        super().__init__(loaded)
        self._embedder = Embedder(loaded)

    def _answers(self, requests: Sequence[Request]) -> list[Response]:
        return self._embedder.embed([request for request in requests if isinstance(request, Embed)])

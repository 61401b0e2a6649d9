"""What turns texts into vectors, and how it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Vector = list[float]


class EmbeddingError(Exception):
    """Texts could not be embedded. The message is one line for an operator and for a job's record, without a secret."""


class UnusableEmbedderError(EmbeddingError):
    """The chosen embedder cannot even be tried; the message names the config's field and the command that helps."""


class Embedder(Protocol):
    """Turns texts into vectors that lie near each other when the texts do, by the cosine of their angle."""

    @property
    def name(self) -> str:
        """`provider/model`, as `config.models.embedding` says it."""

    @property
    def batch(self) -> int:
        """How many texts are best embedded at once."""

    @property
    def is_local(self) -> bool:
        """Whether it costs no request."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """
        One vector per text, in their order: all of one length, of finite numbers, none of only zeros.

        EmbeddingError when that cannot be had, after the retries; no text is refused for being empty or long.
        """

    async def close(self) -> None:
        """Let go of the connections; it cannot embed afterwards."""

"""What turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Vector = list[float]


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

        ProviderError when that cannot be had, after the retries; no text is refused for being empty or long.
        """

    async def close(self) -> None:
        """Let go of the connections; it cannot embed afterwards."""

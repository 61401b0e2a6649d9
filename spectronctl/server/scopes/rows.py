"""What is erased of a scope."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Erased:
    """Rows of a kind that are gone, or would be; `shared` are those tagged outside of the scope, too."""

    total: int = 0
    shared: int = 0

    def __add__(self, other: Erased) -> Erased:
        return Erased(total=self.total + other.total, shared=self.shared + other.shared)

"""What recall finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A memory that a query comes near: `score` is the higher, the nearer."""

    id: str
    text: str
    scopes: list[list[str]]
    score: float

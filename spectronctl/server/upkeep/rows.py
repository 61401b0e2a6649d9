"""What is wrong with memories."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BrokenReference:
    """A memory whose `field` names what is not there."""

    row: str
    field: str
    target: str
    scopes: list[list[str]]

"""Contexts: the unit of isolation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from spectronctl.models._base import Model

STAGES = (
    "extraction",
    "response",
    "reflection",
    "reconciliation",
    "synthesis",
    "elaboration_consolidation",
    "embedding",
)
"""The stages that the product documents. Any other name is passed through."""


class Context(Model):
    """
    One context as the server shows it.

    `config` holds `token_limit` (tokens), `retention_days` (days), `models` (stage → `provider/model`),
    `providers_configured` (names; the secrets never come back), `provider_urls` (provider → base URL), `memory_ttl`
    (category → duration, as `12h`) and whatever else was set.
    """

    id: str
    namespace: str | None = None
    database: str | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    created_at: str | None = None


def merge_config(current: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """`current` after a deep merge of `patch`: objects merge, None clears, everything else replaces."""
    merged = dict(current)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            before = merged.get(name)
            inner = merge_config(before if isinstance(before, Mapping) else {}, value)
            if inner or not value or name in merged:  # clearing what is not there leaves no trace
                merged[name] = inner
        else:
            merged[name] = value
    return merged


def overlay(patch: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Two patches as one: `later` wins, and None stays in it as the order to clear."""
    both = dict(patch)
    for name, value in later.items():
        before = both.get(name)
        nested = isinstance(value, Mapping) and isinstance(before, Mapping)
        both[name] = overlay(before, value) if nested else value  # type: ignore[arg-type]
    return both

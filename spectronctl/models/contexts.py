"""Contexts: the unit of isolation."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import Field

from spectronctl.ground.vocabulary import CATEGORIES
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

_ANY: tuple[str, ...] = ()

CONFIG_FIELDS = {
    "token_limit": _ANY,
    "retention_days": _ANY,
    "models": STAGES,
    "providers": _ANY,
    "provider_urls": _ANY,
    "memory_ttl": CATEGORIES,
    "response_cache": _ANY,
    "allow_self_service_keys": _ANY,
    "max_token_ttl_seconds": _ANY,
}
"""The documented fields of a context's config, each with the names that are documented inside it."""


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
            # What is not an object yet is replaced by one, as RFC 7396 (JSON Merge Patch) has it.
            before = merged.get(name)
            inner = merge_config(before if isinstance(before, Mapping) else {}, value)
            if inner or not value or name in merged:  # clearing what is not there leaves no trace
                merged[name] = inner
        else:
            merged[name] = value
    return merged


def find_misspelled(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields that are not documented and come near one that is, with that one; both as dotted paths."""
    for name, value in config.items():
        # A name that comes near none of them is let pass: the config takes any further field.
        if name not in CONFIG_FIELDS:
            yield from _find_near(name, CONFIG_FIELDS, "")
        elif isinstance(value, Mapping) and (known := CONFIG_FIELDS[name]):
            for inner in value:
                yield from _find_near(inner, known, f"{name}.")


def _find_near(name: str, known: Collection[str], prefix: str) -> Iterator[tuple[str, str]]:
    # Near enough for `retention` and `tokenLimit`, too far for `labels`, which are not `models`.
    near = [] if name in known else get_close_matches(name, known, n=1, cutoff=0.75)
    yield from ((prefix + name, prefix + each) for each in near)


def overlay(patch: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Two patches as one: `later` wins, and None stays in it as the order to clear."""
    both = dict(patch)
    for name, value in later.items():
        before = both.get(name)
        nested = isinstance(value, Mapping) and isinstance(before, Mapping)
        # Not `merge_config`: that would carry the order to clear out, on a patch that does not hold the field yet.
        both[name] = overlay(before, value) if nested else value  # type: ignore[arg-type]
    return both

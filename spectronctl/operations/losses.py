"""What a change of a context's config would cost: memories that end earlier, a limit that falls, a secret that goes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from spectronctl.ground.times import duration_in_seconds, format_duration

_DAY = 86_400
_DEFAULT_DAYS = 7
"""How long the product keeps memories of the category `context` where the config does not say."""


def find_losses(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """One clause for each loss between two configs as `show_config` gives them; none where nothing can be lost."""
    return [
        *_compare_lifetimes(_read_lifetimes(before), _read_lifetimes(after)),
        *_compare_limits(before.get("token_limit"), after.get("token_limit")),
        *_compare_providers(before.get("providers") or {}, after.get("providers") or {}),
    ]


def _compare_lifetimes(before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[str]:
    for category, seconds in after.items():
        # A category without a lifetime lives for ever, so any that it gets is a loss.
        earlier = before.get(category, math.inf)
        if seconds < earlier:
            instead = "" if math.isinf(earlier) else f" instead of {format_duration(earlier)}"
            yield f"memories of {category} will expire after {format_duration(seconds)}{instead}"


def _read_lifetimes(config: Mapping[str, Any]) -> dict[str, float]:
    """Seconds that memories live: by category, and by `retention_days`, which servers may apply to more than one."""
    days: Any = config.get("retention_days")
    retention = float(_DAY * (days if _is_number(days) else _DEFAULT_DAYS))
    named = config.get("memory_ttl")
    texts = named if isinstance(named, Mapping) else {}
    found = {name: duration_in_seconds(str(text)) for name, text in texts.items()}
    known = {name: seconds for name, seconds in found.items() if seconds is not None}
    # Without a lifetime of its own, `context` takes the retention: one loss then, not the same one twice.
    return {"context": retention, **known} | ({"any category": retention} if known else {})


def _compare_limits(before: Any, after: Any) -> Iterator[str]:
    if not _is_number(after):
        return
    if not _is_number(before):
        yield f"a token limit of {after} will be set where there was none"
    elif after < before:
        yield f"the token limit will fall from {before} to {after}"


def _compare_providers(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    yield from (
        f"the key of provider {name} will be deleted" for name in before if name not in after
    )


def _is_number(value: Any) -> bool:
    # In Python True is the number 1, and `token_limit: true` is no limit of 1.
    return isinstance(value, int | float) and not isinstance(value, bool)

"""A context's `config` and how a patch changes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merge_config(current: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """
    `current` with `patch` applied: objects merge, null clears a field, everything else replaces.

    A patch of nothing drops the nulls of a new config (contract, `PATCH /contexts/{id}`).
    """
    merged = {name: value for name, value in current.items() if name not in patch}
    for name, value in patch.items():
        if isinstance(value, Mapping):
            before = current.get(name)
            merged[name] = merge_config(before if isinstance(before, Mapping) else {}, value)
        elif value is not None:
            merged[name] = value
    return merged

"""Ids of contexts, as they are typed."""

from __future__ import annotations

from spectronctl.errors import UsageError
from spectronctl.ground.vocabulary import CONTEXT_ID, CONTEXT_ID_RULE


def check_id(context_id: str) -> None:
    """UsageError for an id that no context can have."""
    if not CONTEXT_ID.fullmatch(context_id):
        raise UsageError(f"context id {context_id!r} is invalid: {CONTEXT_ID_RULE}")

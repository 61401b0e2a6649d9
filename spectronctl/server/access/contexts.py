"""The context that a path of the management plane names."""

from __future__ import annotations

from spectronctl.ground.vocabulary import CONTEXT_ID
from spectronctl.server.http.problems import ProblemError, not_found
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.store import Store


async def find_context(store: Store, context_id: str) -> ContextRow:
    """The context of that id, or 404."""
    row = await store.get_context(context_id) if CONTEXT_ID.fullmatch(context_id) else None
    if row is None:
        raise no_context(context_id)
    return row


def no_context(context_id: str) -> ProblemError:
    """404."""
    return not_found(f"no context {context_id[:64]}")

"""The context that a path of the management plane names."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from spectronctl.ground.vocabulary import CONTEXT_ID
from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.http.problems import ProblemError, not_found
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.rows import ContextRow


async def find_context(context_id: str, database: CurrentDatabase) -> ContextRow:
    """The context of that id, or 404."""
    row = (
        await ContextTable(database).get_context(context_id)
        if CONTEXT_ID.fullmatch(context_id)
        else None
    )
    if row is None:
        raise no_context(context_id)
    return row


def no_context(context_id: str) -> ProblemError:
    """404."""
    return not_found(f"no context {context_id[:64]}")


CurrentContext = Annotated[ContextRow, Depends(find_context)]

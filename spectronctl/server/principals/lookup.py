"""One principal by its id, and which of them may be changed."""

from __future__ import annotations

from spectronctl.server.database.database import Database
from spectronctl.server.http.problems import ProblemError, forbidden, not_found
from spectronctl.server.registry.principals import SYSTEM, PrincipalTable, parse_principal_id
from spectronctl.server.registry.rows import PrincipalRow


async def find_principal(database: Database, context_id: str, principal_id: str) -> PrincipalRow:
    """The principal, or 404; `principal:` before its id is optional."""
    stored = parse_principal_id(principal_id)
    row = stored and await PrincipalTable(database).get_principal(context_id, stored)
    if not row:
        raise no_principal(principal_id)
    return row


def check_mutable(principal_id: str) -> None:
    """403 for `system`."""
    if principal_id == SYSTEM:
        raise forbidden("the principal system cannot be changed")


def no_principal(principal_id: str) -> ProblemError:
    """404."""
    # Cut: a path may be kilobytes long.
    return not_found(f"no principal {principal_id[:64]}")

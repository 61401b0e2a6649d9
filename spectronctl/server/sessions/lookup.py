"""One session by its id: there, in the caller's region, and not being deleted."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from spectronctl.ground.ulids import ULID_PATTERN, new_ulid, new_ulid_at
from spectronctl.server.access.caller import Caller
from spectronctl.server.database.database import Database
from spectronctl.server.http.problems import ProblemError, not_found
from spectronctl.server.sessions.rows import SessionRow
from spectronctl.server.sessions.table import SessionTable

SESSION_ID = re.compile(f"session:{ULID_PATTERN}")


def make_session(
    scopes: list[list[str]], metadata: Any = None, created_at: datetime | None = None
) -> SessionRow:
    """A session that is not stored yet; its id tells when it was made."""
    ulid = new_ulid_at(created_at) if created_at else new_ulid()
    return SessionRow(id=f"session:{ulid}", scopes=scopes, metadata=metadata)


async def find_session(
    database: Database, caller: Caller, session_id: str, *, deleting: bool = False
) -> SessionRow:
    """The session, or 404 for one that is not there or that the key may not see."""
    check_id(session_id)
    row = await SessionTable(database).get_session(
        caller.context, caller.region("memory:read"), session_id
    )
    return admit_session(row, session_id, deleting=deleting)


def check_id(session_id: str) -> None:
    if not SESSION_ID.fullmatch(session_id):
        raise no_session(session_id)


def admit_session(row: SessionRow | None, session_id: str, *, deleting: bool = False) -> SessionRow:
    # True is greater than False: refused is a row that is being deleted, unless the caller asks for such ones, too.
    if row is None or row.deleting > deleting:
        raise no_session(session_id)
    return row


def no_session(session_id: str) -> ProblemError:
    # The same for what is not there and for what the key may not see: a 403 would tell that it exists.
    return not_found(f"no session {session_id[:64]}")

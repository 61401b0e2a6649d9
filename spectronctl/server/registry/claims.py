"""
Rows of contexts that are on their way in or out.

The process that works on such a row holds its claim, a random word. A claim counts for `_CLAIM_SECS`: after
that its holder is taken to be dead, and the next one who meets the row seizes it and finishes.
"""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import secrets
from dataclasses import dataclass

from spectronctl.server.database.database import Binding, Database, Row

_CLAIM_SECS = 60

_COLUMNS = "context_id, namespace, database, state, claim, owns_database"
_ABANDONED = f"(claim IS NONE OR state_since < time::now() - {_CLAIM_SECS}s)"

_LIST = "SELECT VALUE context_id FROM context WHERE state = $state;"

# The condition is part of the UPDATE: of two processes that find the same abandoned row, one changes it and the other
# gets no row back.
_SEIZE = f"""
UPDATE context:[$context_id] SET claim = $claim, state_since = time::now()
WHERE state != 'active' AND ({_ABANDONED} OR $any) RETURN {_COLUMNS};
"""

_SEIZE_OWN = f"""
UPDATE context:[$context_id] SET state_since = time::now()
WHERE state = 'creating' AND claim = $claim RETURN {_COLUMNS};
"""

# From this moment the context is out of sight: every reader asks for state = 'active'. What follows may take minutes
# and be cut off at any point.
_SEIZE_TO_DELETE = f"""
UPDATE context:[$context_id] SET state = 'deleting', claim = $claim, state_since = time::now()
WHERE state = 'active' OR (state = 'deleting' AND {_ABANDONED}) RETURN {_COLUMNS};
"""


@dataclass(frozen=True)
class Claimed:
    """A row that is ours to finish. `owns_database`: Spectron made the database, it was not there before."""

    context_id: str
    binding: Binding
    state: str
    claim: str
    owns_database: bool


def make_claim() -> str:
    """A word that no other process has."""
    return secrets.token_hex(16)


async def list_unfinished(database: Database) -> list[str]:
    """Ids of the contexts that are neither active nor gone."""
    found = []
    for state in ("creating", "deleting"):
        (ids,) = await database.query(_LIST, {"state": state})
        found += ids
    return found


async def seize(database: Database, context_id: str, *, anyone: bool = False) -> Claimed | None:
    """Take over an abandoned row, or with `anyone` also one whose claim still counts."""
    variables = {"context_id": context_id, "claim": make_claim(), "any": anyone}
    return _parse_claimed(await database.select(_SEIZE, variables))


async def seize_own(database: Database, context_id: str, claim: str) -> Claimed | None:
    """The row that we are creating, unless it is active by now or was taken over."""
    return _parse_claimed(
        await database.select(_SEIZE_OWN, {"context_id": context_id, "claim": claim})
    )


async def seize_to_delete(database: Database, context_id: str) -> Claimed | None:
    """Take an active context out of sight, or go on where a delete stopped."""
    variables = {"context_id": context_id, "claim": make_claim()}
    return _parse_claimed(await database.select(_SEIZE_TO_DELETE, variables))


async def release(database: Database, claimed: Claimed) -> None:
    """Let the next one go on at once."""
    await database.query(
        "UPDATE context:[$context_id] SET claim = NONE WHERE claim = $claim RETURN NONE;",
        {"context_id": claimed.context_id, "claim": claimed.claim},
    )


def _parse_claimed(rows: list[Row]) -> Claimed | None:
    if not rows:
        return None
    row = rows[0]
    return Claimed(
        context_id=row["context_id"],
        binding=Binding(row["namespace"], row["database"]),
        state=row["state"],
        claim=row["claim"],
        owns_database=row["owns_database"],
    )

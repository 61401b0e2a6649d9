"""Principals of contexts: who acts there, what each may do, and what it might do at any time before."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from spectronctl.ground.ulids import ULID_PATTERN, new_ulid
from spectronctl.ground.vocabulary import VERBS
from spectronctl.server.database.database import Database, QueryError, RetryableError, Row, retry
from spectronctl.server.database.errors import GoneError, TakenError
from spectronctl.server.database.transaction import get_result, transaction
from spectronctl.server.database.values import check_text
from spectronctl.server.registry.rows import ContextRow, Grants, KeyRow, PrincipalRow

SYSTEM, ADMIN = "system", "admin"
"""The ids of the two that every context has: who works in the background, and who may do everything."""

_ID = re.compile(rf"(principal:)?(?P<ulid>{ULID_PATTERN})|(principal:)?(?P<name>{SYSTEM}|{ADMIN})")
STORED_ID = re.compile(rf"principal:{ULID_PATTERN}|{SYSTEM}|{ADMIN}")
_MOVED = "moved on"
_NO_CONTEXT = "no context"

_KINDS_OF_KEYS: Mapping[str, tuple[str, ...]] = {
    "agent": ("memory:read", "memory:write", "scope:read"),
    "supervisor": ("memory:read", "memory:write", "memory:forget", "scope:read", "scope:create"),
}
EVERYTHING: Grants = {verb: ["/*"] for verb in VERBS}

COLUMNS = """
    context_id, principal_id, kind, display_name, external_id, grants, of_key, revision, created_at
"""

_NOTE = """
CREATE principal_version:[$owner.context_id, $owner.principal_id, $owner.revision] CONTENT {
    context_id: $owner.context_id, principal_id: $owner.principal_id, revision: $owner.revision,
    grants: $owner.grants, since: time::now()
} RETURN NONE;
"""

WRITE_NEW = f"""
CREATE principal:[$owner.context_id, $owner.principal_id] CONTENT $owner RETURN NONE;
{_NOTE}
"""

# The condition is part of the UPDATE: of two who change what they have read, one is told that it moved on.
_REPLACE = f"""
LET $replaced = UPDATE principal:[$owner.context_id, $owner.principal_id] SET kind = $owner.kind,
    display_name = $owner.display_name, external_id = $owner.external_id, grants = $owner.grants,
    revision = $owner.revision
    WHERE revision = $owner.revision - 1 RETURN VALUE principal_id;
IF array::len($replaced) = 0 {{ THROW '{_MOVED}' }};
{_NOTE}
"""

_IS_UNUSED = f"""
IF array::len(
    SELECT VALUE id FROM context_key
    WHERE context_id = $owner.context_id AND principal_id = $owner.principal_id LIMIT 1
) != 0 {{ THROW '{_MOVED}' }};
"""

NEED_CONTEXT = f"""
IF (SELECT VALUE state FROM ONLY context:[$owner.context_id]) != 'active' {{ THROW '{_NO_CONTEXT}' }};
"""
"""What the creation of a principal or a key begins with: it must not outlive its context, nor wait for a namesake."""

_GET = f"SELECT {COLUMNS} FROM principal:[$context_id, $principal_id];"

_LIST = f"""
SELECT {COLUMNS} FROM principal WHERE context_id = $context_id AND principal_id > $after
ORDER BY principal_id LIMIT $limit;
"""

_FIND_EXTERNAL = f"SELECT {COLUMNS} FROM principal WHERE external_key = $external_key;"

_FIND_NAMED = f"""
SELECT {COLUMNS}, array::len(
    SELECT VALUE id FROM context_key
    WHERE context_id = $parent.context_id AND principal_id = $parent.principal_id LIMIT 1
) AS keys FROM principal WHERE context_id = $context_id AND display_name = $name;
"""

_LOAD_VERSION = """
SELECT VALUE grants FROM principal_version
WHERE context_id = $context_id AND principal_id = $principal_id AND since <= $at
ORDER BY since DESC LIMIT 1;
"""

_DELETE = transaction("""
LET $gone = DELETE principal:[$context_id, $principal_id] RETURN BEFORE;
DELETE context_key WHERE context_id = $context_id AND principal_id = $principal_id RETURN NONE;
DELETE principal_version WHERE context_id = $context_id AND principal_id = $principal_id RETURN NONE;
RETURN array::len($gone);
""")


class PrincipalTable:
    """Principals of contexts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_principal(self, context_id: str, principal_id: str) -> PrincipalRow | None:
        named = {"context_id": context_id, "principal_id": principal_id}
        return _first(await self._database.select(_GET, named))

    async def list_principals(
        self, context_id: str, *, after: str, limit: int
    ) -> list[PrincipalRow]:
        page = {"context_id": context_id, "after": after, "limit": limit}
        return [parse_principal(row) for row in await self._database.select(_LIST, page)]

    async def find_external(self, context_id: str, external_id: str) -> PrincipalRow | None:
        named = {"external_key": f"{context_id}/{external_id}"}
        return _first(await self._database.select(_FIND_EXTERNAL, named))

    async def create_principal(self, row: PrincipalRow) -> None:
        """TakenError for a display name or an external id that another one has; GoneError without the context."""
        text = transaction(NEED_CONTEXT, WRITE_NEW)
        await self._write(text, row)

    async def ensure_principal(self, row: PrincipalRow) -> PrincipalRow:
        """
        Create it and return it, or return the one that has its external id, as that one is.

        TakenError for a display name that another one has; GoneError without the context.
        """
        found = await self._find_twin(row)
        if found is not None:
            return found
        try:
            await self.create_principal(row)
        except TakenError:
            # Another request was faster with the same external id: what it made is what this one asked for.
            found = await self._find_twin(row)
            if found is None:
                raise
            return found
        return row

    async def _find_twin(self, row: PrincipalRow) -> PrincipalRow | None:
        if row.external_id is None:
            return None
        return await self.find_external(row.context_id, row.external_id)

    async def change_principal(
        self, context_id: str, principal_id: str, change: Callable[[PrincipalRow], PrincipalRow]
    ) -> PrincipalRow | None:
        """
        Change what `change` is given, as many times as others are faster; None when there is no such principal.

        TakenError for a display name that another one has.
        """
        # In their turn: of fifty at once, some would find it changed until they give up.
        async with lock_principals(self._database, context_id):
            return await retry(lambda: self._try_change(context_id, principal_id, change))

    async def _try_change(
        self, context_id: str, principal_id: str, change: Callable[[PrincipalRow], PrincipalRow]
    ) -> PrincipalRow | None:
        found = await self.get_principal(context_id, principal_id)
        if found is None:
            return None
        changed = change(found)
        if changed != found:
            changed = replace(changed, revision=found.revision + 1)
            await self._write(transaction(_REPLACE), changed)
        return changed

    async def _write(self, text: str, row: PrincipalRow) -> None:
        try:
            await self._database.query(text, {"owner": format_principal(row)})
        except QueryError as error:
            raise explain_refusal(error, row.context_id) from error

    async def delete_principal(self, context_id: str, principal_id: str) -> bool:
        """With its keys, which stop at once, and the history of its grants."""
        named = {"context_id": context_id, "principal_id": principal_id}
        async with lock_principals(self._database, context_id):
            results = await self._database.query(_DELETE, named)
        return bool(get_result(_DELETE, results))

    async def load_grants(self, context_id: str, principal_id: str, at: datetime) -> Grants:
        """What it was granted at that time: nothing before there was such a principal."""
        named = {"context_id": context_id, "principal_id": principal_id, "at": at}
        (found,) = await self._database.query(_LOAD_VERSION, named)
        return dict(found[0]) if found else {}


def lock_principals(database: Database, context_id: str) -> Any:
    """Held while a principal of the context is made, changed or given a key."""
    return database.locks.get_lock("principals", context_id)


def parse_principal_id(text: str) -> str | None:
    """The id as it is stored, with or without its `principal:`; None for what cannot be one."""
    found = _ID.fullmatch(text)
    if found is None:
        return None
    return found["name"] or f"principal:{found['ulid']}"


def new_principal_id() -> str:
    """`principal:` and a ULID."""
    return f"principal:{new_ulid()}"


def list_built_in(context: ContextRow) -> list[PrincipalRow]:
    """The two principals that every context has."""
    named = context.admin_display_name or ADMIN
    shared: dict[str, Any] = {"context_id": context.id, "grants": EVERYTHING}
    shared["created_at"] = context.created_at
    return [
        PrincipalRow(id=SYSTEM, kind="service", display_name=SYSTEM, **shared),
        PrincipalRow(
            id=ADMIN,
            kind="human",
            display_name=_number(SYSTEM, 2) if named == SYSTEM else named,
            external_id=context.admin_external_id,
            **shared,
        ),
    ]


def grant_kind(principal: str) -> Grants:
    """What a principal that is made along with an `agent` or a `supervisor` key may do."""
    return {verb: ["/*"] for verb in _KINDS_OF_KEYS[principal]}


async def plan_owner(database: Database, key: KeyRow) -> tuple[PrincipalRow, str]:
    """A principal for a key that names none, and the statements that write it: RetryableError if others are faster."""
    fresh = PrincipalRow(
        id=new_principal_id(),
        context_id=key.context_id,
        kind="agent" if key.principal == "agent" else "service",
        display_name=key.name,
        grants=grant_kind(key.principal),
        of_key=True,
        created_at=datetime.now(UTC),
    )
    for number in count(1):
        name = _number(key.name, number)
        found = await database.select(_FIND_NAMED, {"context_id": key.context_id, "name": name})
        if not found:
            return replace(fresh, display_name=name), WRITE_NEW
        if found[0]["of_key"] and not found[0]["keys"]:
            # Of a key that was deleted: the next one of its name is the same actor to those who granted it something
            # or read what it did, but has the rights of its own kind.
            left = parse_principal(found[0])
            revision = left.revision + 1
            taken = replace(left, kind=fresh.kind, grants=fresh.grants, revision=revision)
            return taken, _IS_UNUSED + _REPLACE
    raise AssertionError("names are not counted out")


def explain_refusal(error: QueryError, context_id: str) -> Exception:
    """What a refused write of a principal means: `RetryableError`, TakenError, GoneError, or the error itself."""
    if _MOVED in str(error):
        return RetryableError("the principal changed meanwhile")
    if _NO_CONTEXT in str(error):
        return GoneError(f"no context {context_id!r}")
    if error.index == "principal_name":
        return TakenError("display_name: another principal of this context has that name")
    if error.index == "principal_external":
        return TakenError("external_id: another principal of this context has that id")
    return error


def format_principal(row: PrincipalRow) -> Row:
    """`$owner` of the statements that write; UnstorableError for text that cannot be kept."""
    return {
        "context_id": row.context_id,
        "principal_id": row.id,
        "kind": row.kind,
        "display_name": check_text(row.display_name, "display_name"),
        "external_id": row.external_id and check_text(row.external_id, "external_id"),
        "grants": format_grants(row.grants),
        "of_key": row.of_key,
        "revision": row.revision,
        "created_at": row.created_at,
    }


def format_grants(grants: Grants) -> Row:
    """Grants as they are stored."""
    return {verb: list(patterns) for verb, patterns in grants.items()}


def parse_principal(row: Row) -> PrincipalRow:
    """A row of `COLUMNS`."""
    return PrincipalRow(
        id=row["principal_id"],
        context_id=row["context_id"],
        kind=row["kind"],
        display_name=row["display_name"],
        external_id=row["external_id"],
        grants=row["grants"],
        of_key=row["of_key"],
        revision=row["revision"],
        created_at=row["created_at"],
    )


def _first(rows: list[Row]) -> PrincipalRow | None:
    return parse_principal(rows[0]) if rows else None


def _number(name: str, number: int) -> str:
    return name if number == 1 else f"{name} ({number})"

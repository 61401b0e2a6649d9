"""Keys of contexts, keys of the control plane, and the key that hashes both."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from spectronctl.server.database.database import Database, QueryError, RetryableError, Row, retry
from spectronctl.server.database.errors import GoneError, LastError, TakenError
from spectronctl.server.database.transaction import get_result, transaction
from spectronctl.server.database.values import check_text, from_stored, to_stored
from spectronctl.server.registry.principals import COLUMNS as PRINCIPAL_COLUMNS
from spectronctl.server.registry.principals import (
    NEED_CONTEXT,
    explain_refusal,
    format_grants,
    format_principal,
    lock_principals,
    parse_principal,
    plan_owner,
)
from spectronctl.server.registry.rows import KeyRow, ManagementKeyRow, PrincipalRow

_COLUMNS = """
    key_id, context_id, name, principal, principal_id, scope_floor, grants, digest, created_at, last_used_at,
    expires_at
"""

_NEED_PRINCIPAL = """
IF !record::exists(principal:[$owner.context_id, $owner.principal_id]) { THROW 'no principal' };
"""

_CREATE = "CREATE context_key:[$key.context_id, $key.key_id] CONTENT $key RETURN NONE;"

_GET = f"SELECT {_COLUMNS} FROM context_key:[$context_id, $key_id];"

# With the principal that it acts for, in one statement: every request of the key asks this.
_GET_HOLDER = f"""
SELECT {_COLUMNS}, type::record('principal', [context_id, principal_id]).{{{PRINCIPAL_COLUMNS}}} AS owner
FROM context_key:[$context_id, $key_id];
"""

_LIST = f"""
SELECT {_COLUMNS} FROM context_key WHERE context_id = $context_id AND key_id > $after
ORDER BY key_id LIMIT $limit;
"""

_LIST_OF_PRINCIPAL = f"""
SELECT {_COLUMNS} FROM context_key
WHERE context_id = $context_id AND principal_id = $principal_id AND key_id > $after
ORDER BY key_id LIMIT $limit;
"""

_ROTATE = f"UPDATE context_key:[$context_id, $key_id] SET digest = $digest RETURN {_COLUMNS};"

_ROTATE_TO = f"""
UPDATE context_key:[$context_id, $key_id] SET digest = $digest, expires_at = $expires_at
RETURN {_COLUMNS};
"""

_FIND_NAMED = f"SELECT {_COLUMNS} FROM context_key WHERE context_id = $context_id AND name = $name;"

_DELETE = "DELETE context_key:[$context_id, $key_id] RETURN BEFORE;"

_NAMESAKE = """
SELECT key_id FROM context_key WHERE context_id = $context_id AND name = $name;
"""

# The condition is repeated in the database: two servers, or two requests at once, make one write of it.
_TOUCH = """
SET last_used_at = time::now() WHERE last_used_at IS NONE OR last_used_at <= time::now() - 1m
RETURN NONE;
"""


_MANAGEMENT_COLUMNS = "key_id, name, digest, created_at, last_used_at"

_GET_MANAGEMENT = f"SELECT {_MANAGEMENT_COLUMNS} FROM management_key:[$key_id];"

_LIST_MANAGEMENT = f"""
SELECT {_MANAGEMENT_COLUMNS} FROM management_key WHERE key_id > $after ORDER BY key_id LIMIT $limit;
"""

_ROTATE_MANAGEMENT = f"""
UPDATE management_key:[$key_id] SET digest = $digest RETURN {_MANAGEMENT_COLUMNS};
"""

# The key that stays is written: two transactions that only read each other's key would both succeed. The engine writes
# nothing where the value is as before, so it is the id of the revoked one.
_DELETE_MANAGEMENT = transaction("""
IF $spare_last {
    LET $other = (SELECT VALUE id FROM management_key WHERE key_id != $key_id ORDER BY key_id LIMIT 1);
    IF array::len($other) = 0 { THROW 'the last key' };
    UPDATE $other SET outlived = $key_id RETURN NONE;
};
DELETE management_key:[$key_id] RETURN BEFORE;
""")


@dataclass(frozen=True)
class Holder:
    """A key of a context, and the principal that it acts for."""

    key: KeyRow
    principal: PrincipalRow


class KeyTable:
    """Keys of contexts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_key(self, row: KeyRow) -> KeyRow:
        """
        Keep the key, and return it with its principal: that of `principal_id`, or one that is made along with it.

        TakenError for a name or an id that another key has; GoneError without the context or the principal.
        """
        # In their turn, since each looks which names of principals are free.
        async with lock_principals(self._database, row.context_id):
            return await retry(lambda: self._try_create(row))

    async def _try_create(self, row: KeyRow) -> KeyRow:
        if row.principal_id is None:
            owner, write = await plan_owner(self._database, row)
            row = replace(row, principal_id=owner.id)
            sent = format_principal(owner)
        else:
            sent, write = (
                {"context_id": row.context_id, "principal_id": row.principal_id},
                _NEED_PRINCIPAL,
            )
        key = _make_content(row)
        try:
            text = transaction(NEED_CONTEXT, write, _CREATE)
            await self._database.query(text, {"key": key, "owner": sent})
        except QueryError as error:
            raise await self._explain(error, key) from error
        return row

    async def _explain(self, error: QueryError, key: Row) -> Exception:
        if error.category == "Thrown" and "no principal" in str(error):
            return GoneError(f"principal_id: no principal {key['principal_id']}")
        # A name that another server gave to a principal meanwhile: the next attempt finds another one.
        if error.index == "principal_name":
            return RetryableError("the name of the principal was taken meanwhile")
        explained = explain_refusal(error, key["context_id"])
        if explained is not error or not error.is_taken:
            return explained
        return await self._explain_taken(key)

    async def _explain_taken(self, key: Row) -> TakenError:
        # Looked up only after the refusal: the index decides, and this finds words for it.
        holders = await self._database.select(_NAMESAKE, key)
        if not holders:
            return TakenError(f"id: key {key['key_id']!r} already exists")
        holder = holders[0]["key_id"]
        return TakenError(f"name: key {holder!r} of this context is called {key['name']!r}")

    async def get_key(self, context_id: str, key_id: str) -> KeyRow | None:
        return _first_key(
            await self._database.select(_GET, {"context_id": context_id, "key_id": key_id})
        )

    async def get_holder(self, context_id: str, key_id: str) -> Holder | None:
        """The key and the principal that it acts for."""
        rows = await self._database.select(
            _GET_HOLDER, {"context_id": context_id, "key_id": key_id}
        )
        if not rows or rows[0]["owner"] is None:
            return None
        return Holder(_parse_key(rows[0]), parse_principal(rows[0]["owner"]))

    async def list_keys(
        self, context_id: str, *, after: str | None, limit: int, principal_id: str | None = None
    ) -> list[KeyRow]:
        """Those of the principal, or of all."""
        page = {"context_id": context_id, "after": after or "", "limit": limit}
        text = _LIST if principal_id is None else _LIST_OF_PRINCIPAL
        rows = await self._database.select(text, page | {"principal_id": principal_id})
        return [_parse_key(row) for row in rows]

    async def find_named(self, context_id: str, name: str) -> KeyRow | None:
        named = {"context_id": context_id, "name": name}
        return _first_key(await self._database.select(_FIND_NAMED, named))

    async def rotate_key_until(
        self, context_id: str, key_id: str, digest: bytes, expires_at: datetime | None
    ) -> KeyRow | None:
        """As `rotate_key`, with another expiry."""
        change = {"context_id": context_id, "key_id": key_id, "digest": digest}
        return _first_key(
            await self._database.select(_ROTATE_TO, change | {"expires_at": expires_at})
        )

    async def rotate_key(self, context_id: str, key_id: str, digest: bytes) -> KeyRow | None:
        change = {"context_id": context_id, "key_id": key_id, "digest": digest}
        return _first_key(await self._database.select(_ROTATE, change))

    async def delete_key(self, context_id: str, key_id: str) -> bool:
        key = {"context_id": context_id, "key_id": key_id}
        return bool(await self._database.select(_DELETE, key))

    async def touch_key(self, context_id: str, key_id: str) -> None:
        text = f"UPDATE context_key:[$context_id, $key_id] {_TOUCH}"
        await self._database.query(text, {"context_id": context_id, "key_id": key_id})


class ManagementKeyTable:
    """
    The control plane's keys and the hash key.

    Every request of an operator looks one of these keys up. Where no other process can change them, what was read is
    remembered until this one does; over `ws://` it never is, so that a revoked key stops at once everywhere.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_management_key(self, row: ManagementKeyRow) -> None:
        key = {
            "key_id": row.id,
            "name": check_text(row.name, "name"),
            "digest": row.digest,
            "created_at": row.created_at,
            "last_used_at": row.last_used_at,
        }
        text = "CREATE management_key:[$key.key_id] CONTENT $key RETURN NONE;"
        try:
            await self._database.query(text, {"key": key})
        except QueryError as error:
            if not error.is_taken:
                raise
            raise TakenError(f"name: management key {row.name!r} already exists") from error

    async def get_management_key(self, key_id: str) -> ManagementKeyRow | None:
        known: ManagementKeyRow | None = self._database.cache.get(key_id)
        if known is not None:
            return known
        # Before the read: a key that is revoked while its row is on its way must not be remembered.
        version = self._database.cache.version
        rows = await self._database.select(_GET_MANAGEMENT, {"key_id": key_id})
        if not rows:
            return None
        row = _parse_management_key(rows[0])
        if self._database.exclusive:
            self._database.cache.put(key_id, row, read_at=version)
        return row

    async def list_management_keys(
        self, *, after: str = "", limit: int = 500
    ) -> list[ManagementKeyRow]:
        page = {"after": after, "limit": limit}
        rows = await self._database.select(_LIST_MANAGEMENT, page)
        return [_parse_management_key(row) for row in rows]

    async def rotate_management_key(self, key_id: str, digest: bytes) -> ManagementKeyRow | None:
        change = {"key_id": key_id, "digest": digest}
        rows = await self._database.select(_ROTATE_MANAGEMENT, change)
        # After the write: dropped earlier, the old row could be read and kept again.
        self._database.cache.drop(key_id)
        return _parse_management_key(rows[0]) if rows else None

    async def delete_management_key(self, key_id: str, *, spare_last: bool = False) -> bool:
        """Whether it was there; with `spare_last`, LastError for the only one there is."""
        change = {"key_id": key_id, "spare_last": spare_last}
        try:
            deleted = await retry(lambda: self._database.query(_DELETE_MANAGEMENT, change))
        except QueryError as error:
            if error.category != "Thrown":
                raise
            if await self.get_management_key(key_id) is None:
                return False
            raise LastError("this is the last management key") from error
        self._database.cache.drop(key_id)  # after the write, as above
        return bool(get_result(_DELETE_MANAGEMENT, deleted))

    async def touch_management_key(self, key_id: str) -> None:
        await self._database.query(f"UPDATE management_key:[$key_id] {_TOUCH}", {"key_id": key_id})
        self._database.cache.drop(key_id)

    async def load_hash_key(self) -> bytes:
        text = "SELECT key_bytes FROM hash_key:only;"
        found = await self._database.select(text)
        if not found:
            await self._make_hash_key()
            found = await self._database.select(text)
        return bytes(found[0]["key_bytes"])

    async def _make_hash_key(self) -> None:
        # Of two servers that start together, one creates it and both read that one.
        text = "CREATE hash_key:only SET key_bytes = $key_bytes RETURN NONE;"
        try:
            await self._database.query(text, {"key_bytes": secrets.token_bytes(32)})
        except QueryError as error:
            if not error.is_taken:
                raise


def _make_content(row: KeyRow) -> Row:
    return {
        "key_id": check_text(row.id, "id"),
        "context_id": row.context_id,
        "name": check_text(row.name, "name"),
        "principal": check_text(row.principal, "principal"),
        "principal_id": row.principal_id,
        "scope_floor": to_stored(row.scope_floor, "scope_floor"),
        "grants": row.grants and format_grants(row.grants),
        "digest": row.digest,
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "expires_at": row.expires_at,
    }


def _first_key(rows: list[Row]) -> KeyRow | None:
    return _parse_key(rows[0]) if rows else None


def _parse_key(row: Row) -> KeyRow:
    return KeyRow(
        id=row["key_id"],
        context_id=row["context_id"],
        name=row["name"],
        principal=row["principal"],
        principal_id=row["principal_id"],
        scope_floor=from_stored(row["scope_floor"]),
        grants=row["grants"],
        digest=row["digest"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        expires_at=row["expires_at"],
    )


def _parse_management_key(row: Row) -> ManagementKeyRow:
    return ManagementKeyRow(
        id=row["key_id"],
        name=row["name"],
        digest=row["digest"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
    )

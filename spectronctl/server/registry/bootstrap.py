"""Management keys are made here, for requests and where the store is at hand: the first cannot come through the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import TakenError
from spectronctl.server.registry.credentials import (
    digest_secret,
    mint_secret,
    new_management_key_id,
    parse_secret,
)
from spectronctl.server.registry.keys import ManagementKeyTable
from spectronctl.server.registry.rows import ManagementKeyRow


async def create_management_key(database: Database, name: str) -> tuple[ManagementKeyRow, str]:
    """A new management key and its secret, which is nowhere else."""
    key_id = new_management_key_id()
    secret = mint_secret(key_id, None)
    digest = digest_secret(await ManagementKeyTable(database).load_hash_key(), secret)
    row = ManagementKeyRow(id=key_id, name=name, digest=digest, created_at=datetime.now(UTC))
    await ManagementKeyTable(database).create_management_key(row)
    return row, secret


async def rotate_management_key(
    database: Database, key_id: str
) -> tuple[ManagementKeyRow, str] | None:
    """The key and a new secret; the old one stops at once. None when there is no such key."""
    secret = mint_secret(key_id, None)
    digest = digest_secret(await ManagementKeyTable(database).load_hash_key(), secret)
    row = await ManagementKeyTable(database).rotate_management_key(key_id, digest)
    return None if row is None else (row, secret)


async def ensure_management_key(database: Database, name: str = "bootstrap") -> str | None:
    """The secret of a first management key; None when there is a key already."""
    if await ManagementKeyTable(database).list_management_keys():
        return None
    try:
        return (await create_management_key(database, name))[1]
    except TakenError:  # another server has made it meanwhile
        return None


async def deliver_management_key(
    database: Database, deliver: Callable[[str], None], decline: Callable[[], None] = lambda: None
) -> None:
    """
    Make the first management key and hand its secret to `deliver`; call `decline` where there is a key already.

    When the delivery fails, the key is taken back, so that the next try makes another one.
    """
    secret = await ensure_management_key(database)
    if secret is None:
        decline()
        return
    try:
        deliver(secret)
    # An interrupt too: a key whose secret was never delivered cannot be used, and would keep a first one from being
    # made.
    except BaseException:
        claim = parse_secret(secret)
        assert claim is not None
        await ManagementKeyTable(database).delete_management_key(claim.key_id)
        raise

"""Management keys, made where the store is at hand: the first one cannot come through the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from spectronctl.server.registry.credentials import (
    digest_secret,
    mint_secret,
    new_management_key_id,
    parse_secret,
)
from spectronctl.server.registry.rows import ManagementKeyRow
from spectronctl.server.store import Store


async def create_management_key(store: Store, name: str) -> tuple[ManagementKeyRow, str]:
    """A new management key and its secret, which is nowhere else."""
    key_id = new_management_key_id()
    secret = mint_secret(key_id, None)
    digest = digest_secret(await store.read_hash_key(), secret)
    row = ManagementKeyRow(id=key_id, name=name, digest=digest, created_at=datetime.now(UTC))
    await store.create_management_key(row)
    return row, secret


async def ensure_management_key(store: Store, name: str = "bootstrap") -> str | None:
    """The secret of a first management key; None when there is a key already."""
    if await store.list_management_keys():
        return None
    return (await create_management_key(store, name))[1]


async def deliver_management_key(store: Store, deliver: Callable[[str], None]) -> None:
    """
    Make the first management key, if there is none, and hand its secret to `deliver`.

    When that fails, the key is taken back, so that the next try makes another one.
    """
    secret = await ensure_management_key(store)
    if secret is None:
        return
    try:
        deliver(secret)
    except BaseException:
        claim = parse_secret(secret)
        assert claim is not None
        await store.delete_management_key(claim.key_id)
        raise

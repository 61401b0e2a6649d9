"""The secrets of providers in a store, brought under the key that seals now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spectronctl.errors import ConfigError
from spectronctl.server.database.database import Database, Row
from spectronctl.server.database.errors import UnavailableError
from spectronctl.server.database.sealing import SealedError, Sealer
from spectronctl.server.store.secret_keys import (
    VARIABLE,
    keep_made_keys,
    load_made_keys,
    make_secret_key,
)
from spectronctl.server.store.urls import parse_store_url

_PAGE = 500
_ATTEMPTS = 10

_LIST = f"""
SELECT context_id, provider_secrets, revision FROM context
WHERE context_id > $after AND provider_secrets != {{}} ORDER BY context_id LIMIT {_PAGE};
"""  # noqa: S608 - a number of ours

# Not the row of another server's change, which would be lost: that one has sealed its secrets itself.
_RESEAL = """
UPDATE context:[$context_id] SET provider_secrets = $sealed, revision += 1
WHERE revision = $revision RETURN NONE;
"""


@dataclass(frozen=True)
class Unopened:
    """A secret that no key at hand opens; `key` names the one that would, "" where the secret is damaged."""

    context_id: str
    provider: str
    key: str


def make_sealer(url: str, given: Sequence[bytes]) -> Sealer:
    """The sealer of a store: with the keys that are given, or else with its own; a key is made when one is needed."""
    store = parse_store_url(url)
    if store.path is not None:
        made = load_made_keys(store.path)
        return Sealer([*given, *made], make=partial(_make_beside, store.path))
    # A store in memory ends with its key. One elsewhere keeps none: who can read its files could read that too.
    return Sealer(given, make=make_secret_key if store.is_embedded else None)


def _make_beside(path: Path) -> bytes:
    key = make_secret_key()
    keep_made_keys(path, [key])
    return key


async def find_unopened(database: Database) -> list[Unopened]:
    """The secrets of the store that cannot be opened."""
    return [each for row in await _list_rows(database) for each in _find_unopened(database, row)]


async def seal_secrets(database: Database) -> int:
    """
    Bring every secret under the key that seals now; how many contexts that changed.

    ConfigError, and nothing is changed, when any of them cannot be opened.
    """
    changed: set[str] = set()
    # Again, as long as other servers change the same rows meanwhile.
    for _ in range(_ATTEMPTS):
        stale = await _list_stale(database)
        for row in stale:
            await database.query(_RESEAL, {**row, "sealed": _reseal(database, row)})
        changed |= {row["context_id"] for row in stale}
        if not stale:
            return len(changed)
    raise UnavailableError("others change the secrets of providers at the same time")


async def rotate_made_key(database: Database, path: Path) -> int:
    """
    Replace the key that a store on disk has made; how many contexts have secrets under the new one.

    Cut off at any point it leaves a store that opens: both keys are on the disk before the first secret changes, and
    the old one goes once the last has. The next start finishes what is left.
    """
    new = make_secret_key()
    keep_made_keys(path, [new, *load_made_keys(path)])
    database.sealer = make_sealer(f"surrealkv://{path}", ())
    changed = await seal_secrets(database)
    keep_made_keys(path, [new])
    return changed


async def forget_unopened(database: Database) -> list[Unopened]:
    """Delete the secrets that cannot be opened; the contexts stay, and their secrets can be set anew."""
    found = []
    for row in await _list_rows(database):
        lost = list(_find_unopened(database, row))
        gone = {each.provider for each in lost}
        left = {name: kept for name, kept in row["provider_secrets"].items() if name not in gone}
        if lost:
            await database.query(_RESEAL, {**row, "sealed": left})
        found += lost
    return found


async def _list_stale(database: Database) -> list[Row]:
    """Rows with a secret that is not sealed under the key that seals now; ConfigError when any does not open."""
    rows = await _list_rows(database)
    unopened = [each for row in rows for each in _find_unopened(database, row)]
    if unopened:
        raise _explain(database, unopened)
    is_current = database.sealer.is_current
    return [row for row in rows if not all(map(is_current, row["provider_secrets"].values()))]


async def _list_rows(database: Database) -> list[Row]:
    found: list[Row] = []
    after = ""
    while True:
        page = await database.select(_LIST, {"after": after})
        found += page
        if len(page) < _PAGE:
            return found
        after = page[-1]["context_id"]


def _find_unopened(database: Database, row: Row) -> Iterator[Unopened]:
    for provider, kept in row["provider_secrets"].items():
        try:
            database.sealer.open(row["context_id"], provider, kept)
        except SealedError as error:
            yield Unopened(row["context_id"], provider, error.key)


def _reseal(database: Database, row: Row) -> Row:
    sealer, context_id = database.sealer, row["context_id"]
    return {
        provider: sealer.seal(context_id, provider, sealer.open(context_id, provider, kept))
        for provider, kept in row["provider_secrets"].items()
    }


def _explain(database: Database, unopened: Sequence[Unopened]) -> ConfigError:
    first = unopened[0]
    key = f"the key {first.key}" if first.key else "another key, or it is damaged"
    more = f", and {len(unopened) - 1} more," if len(unopened) > 1 else ""
    has = ", ".join(database.sealer.names) or "none"
    return ConfigError(
        f"the secret of provider {first.provider} of context {first.context_id}{more} cannot be opened: it is sealed"
        f" under {key}, and the keys at hand are: {has}",
        hint=f"Give that key in {VARIABLE} or with --secret-key-file, or put the store's own key file back beside it."
        " If it is lost, 'spectronctl serve secrets forget' deletes what cannot be opened.",
    )

"""Keys deleted, never by a guess."""

from __future__ import annotations

from collections.abc import Iterable

from spectronctl.api import keys as api
from spectronctl.client import Client
from spectronctl.errors import NotFoundError
from spectronctl.models.keys import Key
from spectronctl.operations.keys._finding import choose_key


def find_doomed(
    client: Client, context_id: str, wanted: Iterable[str], *, missing_ok: bool = False
) -> dict[str, Key | None]:
    """
    What each of the words names, over one listing; never a guess between generations (`choose_key`).

    None is for what is not there, when that is `missing_ok`.
    """
    found: dict[str, Key | None] = {}
    listed: list[Key] | None = None
    for word in wanted:
        try:
            # Fetched in the `try`: with `missing_ok` a context that is gone has none of the keys, which is what was
            # wanted.
            listed = list(client.items(api.list_keys(context_id))) if listed is None else listed
            found[word] = choose_key(listed, word, context_id, newest=False)
        except NotFoundError:
            if not missing_ok:
                raise
            found[word] = None
    return found


def delete_key(client: Client, context_id: str, key: Key, *, missing_ok: bool = False) -> bool:
    """Delete a key; whether it was there, where that is no failure (`missing_ok`)."""
    try:
        client.send(api.delete_key(context_id, key.id))
    except NotFoundError:
        # It was found a moment ago, so another process has deleted it since.
        if not missing_ok:
            raise
        return False
    return True


def name_keys(keys: Iterable[Key]) -> str:
    """Keys in a sentence: each name with its id."""
    return ", ".join(f"{key.name} ({key.id})" for key in keys)

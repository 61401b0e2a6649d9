"""Keys deleted one after the other, never by a guess."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spectronctl.api import keys as api
from spectronctl.client import Client
from spectronctl.errors import NotFoundError, SpectronctlError
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


def delete_keys(
    client: Client, context_id: str, keys: Sequence[Key], *, missing_ok: bool = False
) -> set[str]:
    """
    Delete keys one after the other, and return the ids of those that were still there.

    The error of one that cannot be deleted says which were before, and which were not tried.
    """
    deleted: set[str] = set()
    for index, key in enumerate(keys):
        try:
            client.send(api.delete_key(context_id, key.id))
            deleted.add(key.id)
        except SpectronctlError as exc:
            # It was found a moment ago, so another process has deleted it since.
            if missing_ok and isinstance(exc, NotFoundError):
                continue
            if len(keys) > 1:
                _explain_stop(exc, context_id, keys, index)
            raise
    return deleted


def _explain_stop(exc: SpectronctlError, context_id: str, keys: Sequence[Key], index: int) -> None:
    parts = {
        "Deleted": keys[:index],
        "Failed": keys[index : index + 1],
        "Not tried": keys[index + 1 :],
    }
    told = [f"{word}: {name_keys(some)}." for word, some in parts.items() if some]
    exc.hint = " ".join([*told, exc.hint or ""]).strip()
    exc.command = f"spectronctl keys delete {' '.join(key.id for key in keys[index:])} -c {context_id} --if-missing ok"


def name_keys(keys: Iterable[Key]) -> str:
    """Keys in a sentence: each name with its id."""
    return ", ".join(f"{key.name} ({key.id})" for key in keys)

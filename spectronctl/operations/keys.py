"""Keys: found by id or name over all pages, and minted so that a lost answer never hides a live key."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from spectronctl.api import keys as api
from spectronctl.client import Client
from spectronctl.errors import ConflictError, NotFoundError, RequestError, SpectronctlError
from spectronctl.models.keys import Key, MintedKey


def find_key(client: Client, context_id: str, wanted: str) -> Key:
    """
    The key whose id or name is `wanted`, looked for on every page.

    NotFoundError names the near ones; ConflictError when several keys answer to the name (some servers allow that).
    """
    names: list[str] = []
    found: list[Key] = []
    for key in client.items(api.list_keys(context_id)):
        if key.id == wanted:
            return key
        if key.name == wanted:
            found.append(key)
        names.append(key.name)
    if not found:
        raise NotFoundError(
            f"no key {wanted!r} in context {context_id}",
            candidates=get_close_matches(wanted, names),
            command=f"spectronctl keys list -c {context_id}",
        )
    if len(found) > 1:
        raise ConflictError(
            f"{len(found)} keys of context {context_id} are named {wanted!r}",
            candidates=[key.id for key in found],
            hint="Name the one you mean by its id.",
        )
    return found[0]


def create_key(
    client: Client, context_id: str, name: str, *, recover: bool = False, **settings: Any
) -> MintedKey:
    """
    Mint a key.

    When the answer is lost, a key that has appeared under the name is an orphan: nobody holds its secret. With
    `recover` it is rotated to a fresh one; otherwise the error names it. Keys that were there before are never touched.
    """
    before = {key.id for key in client.items(api.list_keys(context_id))} if recover else None
    try:
        return client.send(api.create_key(context_id, name, **settings))
    except RequestError as exc:
        if not exc.outcome_unknown:
            raise
        orphan = _find_orphan(client, context_id, name, exc)
        if before is None or orphan.id in before:
            exc.hint = (
                f"A key {orphan.id} named {name!r} (created {orphan.created_at}) is there; if it is the one just"
                " made, nobody holds its secret. Rotate it for a fresh one, or delete it."
            )
            exc.candidates = [orphan.id]
            exc.command = f"spectronctl keys rotate {orphan.id} -c {context_id}"
            raise
        return client.send(api.rotate_key(context_id, orphan.id))


def _find_orphan(client: Client, context_id: str, name: str, lost: RequestError) -> Key:
    try:
        return find_key(client, context_id, name)
    except NotFoundError:
        lost.hint = f"No key {name!r} is there: it is safe to run this again."
    except SpectronctlError:
        lost.hint = f"Whether a key {name!r} was made is unknown."
        lost.command = f"spectronctl keys get {name} -c {context_id}"
    raise lost from None


def rotate_key(client: Client, context_id: str, key_id: str, *, recover: bool = False) -> MintedKey:
    """Replace a key's secret in place; with `recover` a lost answer is followed by one more rotation."""
    request = api.rotate_key(context_id, key_id)
    try:
        return client.send(request)
    except RequestError as exc:
        if not exc.outcome_unknown:
            raise
        if recover:
            return client.send(request)
        exc.hint = "The old secret may be dead and the new one is lost: rotate again."
        exc.command = f"spectronctl keys rotate {key_id} -c {context_id}"
        raise

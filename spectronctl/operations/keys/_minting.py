"""Keys minted and rotated so that a lost response never hides a live key."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from spectronctl.api import keys as api
from spectronctl.client import Client
from spectronctl.errors import RequestError
from spectronctl.models.keys import Key, MintedKey
from spectronctl.operations.keys._deleting import delete_keys
from spectronctl.operations.keys._secrets import check_minted
from spectronctl.operations.recovery import (
    Advice,
    explain_loss,
    is_lost,
    send_until_response,
    settle,
)


def create_key(
    client: Client, context_id: str, name: str, *, recover: bool = False, **settings: Any
) -> MintedKey:
    """
    Mint a key.

    When the response is lost, a key that has appeared under the name is an orphan: its secret is lost. With
    `recover` it is rotated to a fresh one; otherwise, or when that fails, the error names it, its outcome unknown. Keys
    that were there before are never touched.
    """
    # One more request, for those who ask for it: only with this is a key under the name known to be new, and safe to
    # rotate.
    before = list_ids(client, context_id) if recover else None
    try:
        minted = client.send(api.create_key(context_id, name, **settings))
    except RequestError as exc:
        minted = settle(
            exc,
            read=lambda: _list_named(client, context_id, name),
            judge=lambda found: _judge(client, context_id, name, found, before),
            unreadable=_advise_to_look(context_id, name),
        )
    return check_minted(context_id, minted)


def _list_named(client: Client, context_id: str, name: str) -> list[Key]:
    """The keys of exactly that name, not those of another generation."""
    return [key for key in client.items(api.list_keys(context_id)) if key.name == name]


def _judge(
    client: Client,
    context_id: str,
    name: str,
    found: Sequence[Key],
    before: Collection[str] | None,
) -> MintedKey | Advice:
    """A fresh secret for the key that has appeared, if its last one is known to be lost."""
    if not found:
        return Advice(
            f"No key {name!r} is there, but it may still come; it is safe to run this again."
        )
    # Names are not unique everywhere, and a rotation of the wrong one would cut its users off.
    if len(found) > 1:
        return _advise_to_look(context_id, name)
    (orphan,) = found
    if before is None or orphan.id in before:
        return _name_orphan(context_id, orphan)
    try:
        return client.send(api.rotate_key(context_id, orphan.id))
    except RequestError as exc:
        exc.outcome_unknown = True  # whatever became of the rotation: the key is there
        raise _name_orphan(context_id, orphan).explain(exc) from None


def _advise_to_look(context_id: str, name: str) -> Advice:
    return Advice(
        f"Whether a key {name!r} was made is unknown.",
        f"spectronctl keys get {name} -c {context_id}",
    )


def _name_orphan(context_id: str, orphan: Key) -> Advice:
    return Advice(
        f"A key {orphan.id} named {orphan.name!r} (created {orphan.created_at}) is there; if it is the one just"
        " made, its secret is lost. Rotate it for a fresh one, or delete it.",
        f"spectronctl keys rotate {orphan.id} -c {context_id}",
        [orphan.id],
    )


def list_ids(client: Client, context_id: str) -> frozenset[str]:
    """The ids of all keys of a context."""
    return frozenset(key.id for key in client.items(api.list_keys(context_id)))


def may_have_minted(stop: BaseException) -> bool:
    """Whether a key may be there although its minting, or what came after, was stopped by this."""
    # An interrupt, or a place that took no secret, says nothing of the request.
    return not isinstance(stop, RequestError) or is_lost(stop)


def sweep_keys(client: Client, context_id: str, name: str, *, spared: Collection[str] = ()) -> None:
    """Delete the keys of exactly that name, whose secrets are lost, but not those with the ids that are spared."""
    found = [key for key in _list_named(client, context_id, name) if key.id not in spared]
    delete_keys(client, context_id, found, missing_ok=True)


def rotate_key(client: Client, context_id: str, key_id: str, *, recover: bool = False) -> MintedKey:
    """Replace a key's secret in place; with `recover` a lost response is followed by one more rotation."""
    request = api.rotate_key(context_id, key_id)
    try:
        minted = send_until_response(client, request, attempts=2 if recover else 1)
    except RequestError as exc:
        if recover:
            raise
        advice = Advice(
            "The old secret may be dead and the new one is lost: rotate again.",
            f"spectronctl keys rotate {key_id} -c {context_id}",
        )
        raise explain_loss(exc, advice) from None
    return check_minted(context_id, minted)

"""Keys of the control plane: found by id or name, and minted so that a lost response hides no live key."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from spectronctl.api import management_keys as api
from spectronctl.client import Client
from spectronctl.errors import ConflictError, NotFoundError, RequestError
from spectronctl.models.management_keys import ManagementKey, MintedManagementKey
from spectronctl.operations.keys import check_secret
from spectronctl.operations.names import MAX_CANDIDATES, find_near, find_shortened
from spectronctl.operations.recovery import Advice, explain_loss, send_until_response, settle

_PREFIX = "mgk_"


def find_management_key(client: Client, wanted: str) -> ManagementKey:
    """
    The key of that name or id, or whose id begins so.

    NotFoundError names the near ones, ConflictError those that it may be.
    """
    keys = list(client.items(api.list_management_keys()))
    exact = [key for key in keys if wanted in {key.name, key.id, key.id.removeprefix(_PREFIX)}]
    begun = find_shortened(wanted, [key.id for key in keys], prefix=_PREFIX)
    found = exact or [key for key in keys if key.id in begun]
    if not found:
        raise NotFoundError(
            f"no management key {wanted!r}",
            candidates=find_near(wanted, [key.name for key in keys]),
            command="spectronctl management-keys list",
        )
    if len(found) > 1:
        raise ConflictError(
            f"{wanted!r} may be any of {len(found)} management keys",
            candidates=[f"{key.id} ({key.name})" for key in found[:MAX_CANDIDATES]],
            hint="Name the one you mean by its id.",
        )
    return found[0]


def create_management_key(client: Client, name: str) -> MintedManagementKey:
    """Mint a key; when the response is lost, the error names a key that has appeared, whose secret is lost."""
    try:
        minted = client.send(api.create_management_key(name))
    except RequestError as exc:
        minted = settle(
            exc,
            read=lambda: [k for k in client.items(api.list_management_keys()) if k.name == name],
            judge=lambda found: _judge(name, found),
            unreadable=Advice(
                f"Whether a management key {name!r} was made is unknown.",
                "spectronctl management-keys list",
            ),
        )
    return _check(minted)


def _judge(name: str, found: Sequence[ManagementKey]) -> Advice:
    if not found:
        return Advice(
            f"No management key {name!r} is there, but it may still come; it is safe to run this again."
        )
    orphan = found[0]
    return Advice(
        f"A management key {orphan.id} named {name!r} (created {orphan.created_at}) is there; if it is the one just"
        " made, its secret is lost. Rotate it for a fresh one, or revoke it.",
        f"spectronctl management-keys rotate {orphan.id}",
        [orphan.id],
    )


def rotate_management_key(
    client: Client, key: ManagementKey, *, recover: bool = False
) -> MintedManagementKey:
    """Replace a key's secret; with `recover` a lost response is followed by one more rotation."""
    request = api.rotate_management_key(key.id)
    try:
        minted = send_until_response(client, request, attempts=2 if recover else 1)
    except RequestError as exc:
        advice = Advice(
            "The old secret may be dead and the new one is lost: rotate again, with another key if it was your own.",
            f"spectronctl management-keys rotate {key.id}",
        )
        raise explain_loss(exc, advice) from None
    return _check(minted)


def _check(minted: MintedManagementKey) -> MintedManagementKey:
    return check_secret(minted, f"spectronctl management-keys revoke {shlex.quote(minted.id)}")


def is_own(secret: str | None, key: ManagementKey) -> bool:
    """Whether the key is the one with that secret, as far as a secret tells."""
    # A server of another kind may write its secrets otherwise: then none is taken for it.
    return secret is not None and secret.startswith(f"mgmt-{key.id.removeprefix(_PREFIX)}")

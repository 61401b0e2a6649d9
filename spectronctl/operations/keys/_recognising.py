"""Which key a refused secret belongs to, as far as its form and a management key tell."""

from __future__ import annotations

import re

from spectronctl.api import keys as api
from spectronctl.client import Client
from spectronctl.ground.ulids import ULID_PATTERN
from spectronctl.ground.vocabulary import CONTEXT_ID
from spectronctl.models.keys import has_expired

_SECRET = re.compile(
    f"sk-(?P<context_id>{CONTEXT_ID.pattern})-(?P<ulid>{ULID_PATTERN})[0-9A-Za-z]{{43}}"
)


def recognise_secret(client: Client, context_id: str, secret: str) -> str:
    """Whose secret it is and why a context refuses it, as the end of a sentence: `it is …`. Asks with `client`."""
    if secret.startswith("mgmt-"):
        return "it is a management key"
    # Only our own server puts the id of the key into its secret.
    claim = _SECRET.fullmatch(secret)
    if claim is None:
        return "it has not the form of a key of this server"
    key_id, owner = f"cak_{claim['ulid']}", claim["context_id"]
    if owner != context_id:
        return f"it is key {key_id} of context {owner}, not of {context_id}"
    found = [key for key in client.items(api.list_keys(context_id)) if key.id == key_id]
    if not found:
        return f"it is key {key_id} of context {owner}, which was revoked, or is another server's"
    named = f"it is key {found[0].name} ({key_id}) of context {owner}"
    if has_expired(found[0], client.server_time()):
        return f"{named}, which expired at {found[0].expires_at}"
    return f"{named}, which has another secret by now: it was rotated"

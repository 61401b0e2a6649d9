"""Keys found by id or name, over all pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from spectronctl.api import keys as api
from spectronctl.api.identity import get_identity
from spectronctl.client import Client
from spectronctl.errors import (
    AuthError,
    ConfigError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
)
from spectronctl.models.keys import Key, split_name
from spectronctl.operations.names import MAX_CANDIDATES, find_shortened

_PREFIX = "cak_"


def find_key(client: Client, context_id: str, wanted: str) -> Key:
    """The key that `wanted` names (`choose_key`), looked for on every page."""
    return choose_key(client.items(api.list_keys(context_id)), wanted, context_id)


def choose_key(keys: Iterable[Key], wanted: str, context_id: str, *, newest: bool = True) -> Key:
    """
    The key whose id is `wanted`, or else its name, or else the one whose id begins so, behind its prefix.

    A logical name stands for its newest generation.

    NotFoundError names the near ones; ConflictError when several keys have the name (some servers allow that),
    and without `newest` also when several generations do.
    """
    read: list[Key] = []
    # An id ends the listing on the page where it is found. A name needs all pages: a newer generation may come later.
    for key in keys:
        if wanted in {key.id, key.id.removeprefix(_PREFIX)}:
            return key
        read.append(key)
    found = _select_named(read, wanted)
    if newest and found:
        last = max(split_name(key.name)[1] for key in found)
        found = [key for key in found if split_name(key.name)[1] == last]
    if not found:
        begun = find_shortened(wanted, [key.id for key in read], prefix=_PREFIX)
        found = [key for key in read if key.id in begun]
        if len(found) > 1:
            raise ConflictError(
                f"the ids of {len(found)} keys of context {context_id} begin with {wanted!r}",
                candidates=[f"{key.id} ({key.name})" for key in found[:MAX_CANDIDATES]],
                hint="Type more of the id.",
            )
    if not found:
        raise NotFoundError(
            f"no key {wanted!r} in context {context_id}",
            candidates=get_close_matches(wanted, [key.name for key in read]),
            command=f"spectronctl keys list -c {context_id}",
        )
    if len(found) > 1:
        raise _build_ambiguous_error(found, wanted, context_id)
    return found[0]


def _select_named(keys: Iterable[Key], wanted: str) -> list[Key]:
    """The keys of exactly that name when it is stamped, every generation otherwise."""
    # `agent.g2` was typed in full, and stands for no other generation.
    if split_name(wanted)[0] != wanted:
        return [key for key in keys if key.name == wanted]
    return [key for key in keys if split_name(key.name)[0] == wanted]


def _build_ambiguous_error(found: Sequence[Key], wanted: str, context_id: str) -> ConflictError:
    if len({key.name for key in found}) < len(found):
        return ConflictError(
            f"{len(found)} keys of context {context_id} are named {wanted!r}",
            candidates=[key.id for key in found],
            hint="Name the one you mean by its id.",
        )
    return ConflictError(
        f"there are {len(found)} generations of key {wanted!r} in context {context_id}",
        candidates=[f"{key.id} ({key.name})" for key in found],
        hint="Name the one you mean by its id, or by the name that its rotation stamped on it.",
    )


def is_secret_of(client: Client, context_id: str, key: Key, secret: str) -> bool:
    """Whether a secret is the one that the key has now."""
    try:
        caller = client.with_key(secret).send(get_identity(context_id))
    except (AuthError, ForbiddenError, ConfigError):  # the last for what cannot be a key at all
        return False
    return caller.names_key(key.id, key.name)


def find_existing(
    client: Client,
    context_id: str,
    name: str,
    wanted: Mapping[str, Any],
    *,
    hint: str = "Choose another name, or delete that key first.",
) -> Key | None:
    """
    The key that already is what is wanted: these of its fields have these values.

    ConflictError says what differs about the one of that name, and the hint.
    """
    try:
        key = find_key(client, context_id, name)
    except NotFoundError:
        return None
    differing = [
        f"its {field} is {json.dumps(getattr(key, field))}, not {json.dumps(value)}"
        for field, value in wanted.items()
        if getattr(key, field) != value
    ]
    if key.status == "expired":
        differing.append(f"it expired at {key.expires_at}")
    if differing:
        raise ConflictError(
            f"key {key.name} ({key.id}) exists, but {' and '.join(differing)}",
            hint=hint,
        )
    return key

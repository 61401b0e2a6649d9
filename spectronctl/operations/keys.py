"""Keys: found by id or name over all pages, and minted so that a lost answer never hides a live key."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, Literal

from spectronctl.api import keys as api
from spectronctl.client import Client
from spectronctl.errors import ConflictError, NotFoundError, RequestError, SpectronctlError
from spectronctl.models.keys import Key, MintedKey, has_expired, split_name
from spectronctl.models.times import read_time
from spectronctl.operations.recovery import (
    Advice,
    explain_loss,
    is_lost,
    send_until_answered,
    settle,
)

OrphanReason = Literal["superseded", "never used", "expired"]


@dataclass(frozen=True, kw_only=True)
class KeyFilter:
    """Which keys are meant: lengths of time in seconds, `match` a pattern such as `app-*`; None is any."""

    older_than: float | None = None
    unused_for: float | None = None
    expiring: float | None = None
    principal: str | None = None
    match: str | None = None

    @property
    def is_set(self) -> bool:
        """Whether it leaves anything out."""
        return self != KeyFilter()

    def keeps(self, key: Key, now: datetime) -> bool:
        """Whether the key is one of them; one whose age nobody knows is not older than anything."""
        return (
            self.principal in {None, key.principal}
            and (self.match is None or _is_named_like(key, self.match))
            and _lies_back(key.created_at, self.older_than, now)
            and _lies_back(key.last_used_at or key.created_at, self.unused_for, now)
            and (self.expiring is None or _expires_within(key, self.expiring, now))
        )


def _is_named_like(key: Key, pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in (key.name, split_name(key.name)[0]))


def _lies_back(time: str | None, seconds: float | None, now: datetime) -> bool:
    if seconds is None:
        return True
    moment = read_time(time)
    return moment is not None and (now - moment).total_seconds() >= seconds


def _expires_within(key: Key, seconds: float, now: datetime) -> bool:
    ends = read_time(key.expires_at)
    return (
        ends is not None and not has_expired(key, now) and (ends - now).total_seconds() <= seconds
    )


def find_key(client: Client, context_id: str, wanted: str) -> Key:
    """The key that `wanted` names (`choose_key`), looked for on every page."""
    return choose_key(client.items(api.list_keys(context_id)), wanted, context_id)


def choose_key(keys: Iterable[Key], wanted: str, context_id: str, *, newest: bool = True) -> Key:
    """
    The key whose id is `wanted`, or else its name; a logical name stands for its newest generation.

    NotFoundError names the near ones; ConflictError when several keys answer to the name (some servers allow that),
    and without `newest` also when several generations do.
    """
    read: list[Key] = []
    for key in keys:
        if key.id == wanted:
            return key
        read.append(key)
    found = _select_named(read, wanted)
    if newest and found:
        last = max(split_name(key.name)[1] for key in found)
        found = [key for key in found if split_name(key.name)[1] == last]
    if not found:
        raise NotFoundError(
            f"no key {wanted!r} in context {context_id}",
            candidates=get_close_matches(wanted, [key.name for key in read]),
            command=f"spectronctl keys list -c {context_id}",
        )
    if len(found) > 1:
        raise _tell_ambiguous(found, wanted, context_id)
    return found[0]


def _select_named(keys: Iterable[Key], wanted: str) -> list[Key]:
    """The keys of exactly that name when it is stamped, every generation otherwise."""
    if split_name(wanted)[0] != wanted:
        return [key for key in keys if key.name == wanted]
    return [key for key in keys if split_name(key.name)[0] == wanted]


def _tell_ambiguous(found: Sequence[Key], wanted: str, context_id: str) -> ConflictError:
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


def create_key(
    client: Client, context_id: str, name: str, *, recover: bool = False, **settings: Any
) -> MintedKey:
    """
    Mint a key.

    When the answer is lost, a key that has appeared under the name is an orphan: nobody holds its secret. With
    `recover` it is rotated to a fresh one; otherwise, or when that fails, the error names it, its outcome unknown. Keys
    that were there before are never touched.
    """
    before = list_ids(client, context_id) if recover else None
    try:
        return client.send(api.create_key(context_id, name, **settings))
    except RequestError as exc:
        return settle(
            exc,
            read=lambda: _list_named(client, context_id, name),
            judge=lambda found: _judge(client, context_id, name, found, before),
            unreadable=_advise_to_look(context_id, name),
        )


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
    """A fresh secret for the key that has appeared, if its last one is known to be nobody's."""
    if not found:
        return Advice(
            f"No key {name!r} is there, but it may still come; it is safe to run this again."
        )
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
        " made, nobody holds its secret. Rotate it for a fresh one, or delete it.",
        f"spectronctl keys rotate {orphan.id} -c {context_id}",
        [orphan.id],
    )


def list_ids(client: Client, context_id: str) -> frozenset[str]:
    """The ids of all keys of a context."""
    return frozenset(key.id for key in client.items(api.list_keys(context_id)))


def may_have_minted(stop: BaseException) -> bool:
    """Whether a key may be there although its minting, or what came after, was stopped by this."""
    return not isinstance(stop, RequestError) or is_lost(stop)


def sweep_keys(client: Client, context_id: str, name: str, *, spared: Collection[str] = ()) -> None:
    """Delete the keys of exactly that name, whose secrets nobody has, but not those with the ids that are spared."""
    found = [key for key in _list_named(client, context_id, name) if key.id not in spared]
    delete_keys(client, context_id, found, missing_ok=True)


def rotate_key(client: Client, context_id: str, key_id: str, *, recover: bool = False) -> MintedKey:
    """Replace a key's secret in place; with `recover` a lost answer is followed by one more rotation."""
    request = api.rotate_key(context_id, key_id)
    try:
        return send_until_answered(client, request, attempts=2 if recover else 1)
    except RequestError as exc:
        if recover:
            raise
        advice = Advice(
            "The old secret may be dead and the new one is lost: rotate again.",
            f"spectronctl keys rotate {key_id} -c {context_id}",
        )
        raise explain_loss(exc, advice) from None


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


def find_orphans(
    keys: Iterable[Key], now: datetime, grace: float, open_ids: frozenset[str] = frozenset()
) -> list[tuple[Key, OrphanReason]]:
    """
    Keys that look as if nobody held or needed them any more, each with the first reason that holds.

    `grace` is how many seconds a new key may go unused; `open_ids` are keys that a rotation still works on.
    """
    listed = list(keys)
    live = [split_name(key.name) for key in listed if not has_expired(key, now)]
    newest = dict(sorted(live))
    reasons = [(key, _find_reason(key, newest, now, grace)) for key in listed]
    return [(key, reason) for key, reason in reasons if reason and key.id not in open_ids]


def _find_reason(
    key: Key, newest: Mapping[str, int], now: datetime, grace: float
) -> OrphanReason | None:
    logical, generation = split_name(key.name)
    if generation < newest.get(logical, 0):
        return "superseded"
    if has_expired(key, now):
        return "expired"
    unused = key.last_used_at is None and _lies_back(key.created_at, grace, now)
    return "never used" if unused else None

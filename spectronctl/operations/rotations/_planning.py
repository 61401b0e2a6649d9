"""Which keys are rotated, and what rotating one will do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from spectronctl.errors import UsageError
from spectronctl.ground.times import format_time, parse_time
from spectronctl.models.keys import MAX_NAME, Key, has_expired, is_lent, split_name
from spectronctl.operations.rotations._rotation import Method, Rotation


def plan_rotation(
    key: Key,
    keys: Iterable[Key],
    *,
    url: str,
    context: str,
    method: Method,
    overlap: float,
    drain: float,
    places: list[dict[str, Any]],
    now: datetime,
) -> Rotation:
    """What rotating `key`, one of `keys`, will do; nothing is sent, and nothing checked (`check_plan`)."""
    # The claim goes by the logical name, so two generations of one key cannot be rotated at once.
    logical, _ = split_name(key.name)
    written = format_time(now)
    return Rotation(
        id=f"rot_{now:%Y%m%dT%H%M%S}_{token_hex(4)}",
        url=url,
        context=context,
        name=logical,
        method=method,
        key={"id": key.id, "name": key.name},
        principal=key.principal,
        principal_id=key.principal_id,
        scope_floor=key.scope_floor,
        limits=key.grants,
        lifetime=read_lifetime(key, now),
        generation=next_generation(keys, logical),
        successor_id=key.id if method == "in place" else None,
        retiring=[{"id": key.id, "name": key.name}] if method == "overlap" else [],
        overlap=overlap,
        drain=drain,
        places=places,
        delivered=[None] * len(places),
        created_at=written,
        updated_at=written,
    )


def plan_many(
    chosen: Iterable[Key],
    keys: Iterable[Key],
    find_places: Callable[[Key], list[dict[str, Any]]],
    *,
    now: datetime,
    is_strict: bool,
    **settings: Any,
) -> list[Rotation]:
    """Plans for the chosen of the keys; one that cannot be rotated bears its error, unless `is_strict` raises that."""
    keys, plans = list(keys), []
    for key in chosen:
        plan = plan_rotation(key, keys, places=find_places(key), now=now, **settings)
        try:
            check_plan(plan, key, now)
        except UsageError as exc:
            if is_strict:
                raise
            plan.error = exc.message  # the others go on without it
        plans.append(plan)
    return plans


def check_plan(plan: Rotation, key: Key, now: datetime) -> None:
    """UsageError for a key that has expired, or would before the overlap ends, or whose name is too long."""
    _check_life(key, plan.method, plan.overlap, now)
    _check_name(plan.successor_name)


def next_generation(keys: Iterable[Key], logical: str) -> int:
    """The generation after the newest that is there."""
    return 1 + max(
        (generation for name, generation in map(_split, keys) if name == logical), default=0
    )


def select_newest(keys: Iterable[Key]) -> list[Key]:
    """
    The newest generation of every logical key, in the order in which they are first met.

    Keys that `spectronctl exec` lends to a program are left to it.
    """
    newest: dict[str, Key] = {}
    for key in (key for key in keys if not is_lent(key.name)):
        logical, generation = _split(key)
        if logical not in newest or generation > _split(newest[logical])[1]:
            newest[logical] = key
    return list(newest.values())


def _split(key: Key) -> tuple[str, int]:
    return split_name(key.name)


def read_lifetime(key: Key, now: datetime) -> float | None:
    """What the key was given, at least a second; what is left of it where its creation time is unknown."""
    # The whole lifetime and not what is left of it: otherwise each successor would live for a shorter time than the
    # last.
    made, ends = parse_time(key.created_at) or now, parse_time(key.expires_at)
    return max(1.0, (ends - made).total_seconds()) if ends else None


def _check_name(name: str) -> None:
    if len(name) > MAX_NAME:
        raise UsageError(
            f"the successor's name {name!r} would be longer than {MAX_NAME} characters",
            hint="Mint a key of a shorter name, and delete this one.",
        )


def _check_life(key: Key, method: Method, overlap: float, now: datetime) -> None:
    if method == "in place" and has_expired(key, now):
        raise UsageError(
            f"key {key.name} ({key.id}) has expired, and a new secret would not revive it",
            hint="With --overlap 0s it gets a successor that lives as long as it was meant to.",
        )
    ends = parse_time(key.expires_at)
    # The old key would end before the new one has reached all its users: an outage in the middle of the overlap.
    if method == "overlap" and overlap and ends and ends < now + timedelta(seconds=overlap):
        raise UsageError(
            f"--overlap is longer than what is left of key {key.name} ({key.id}): it expires at {key.expires_at}",
            hint="Choose an --overlap that ends before, or --overlap 0s.",
        )

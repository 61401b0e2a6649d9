"""What is known of one rotation: all of it is kept in the journal, and none of it is secret."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, Literal, get_args

from spectronctl.errors import ConfigError, UsageError
from spectronctl.ground.times import format_time, parse_time
from spectronctl.models.identity import Grants
from spectronctl.models.keys import LONGEST_NAME, Key, has_expired, is_lent, split_name, stamp_name

Method = Literal["in place", "overlap", "leaked"]

Step = Literal[
    "planned",
    "revoking",
    "rotating",
    "minting",
    "verifying",
    "delivering",
    "waiting",
    "deleting",
    "done",
    "aborted",
]
"""What a rotation is about to do, written down before it does it."""

Delivery = Literal["started", "delivered", "failed", "outdated"]
"""What became of the newest secret at one place; `outdated` holds the secret of an earlier successor."""


@dataclass(kw_only=True)
class Rotation:
    """
    One rotation of one key. Times are RFC 3339, lengths of time seconds.

    `key` and `retiring` hold `{"id", "name"}`; `successor_id` is None until it is known; `delivered` stands beside
    `places`, which only the caller understands; `grants` are the effective ones of the old secret, where it was found.
    """

    id: str
    url: str
    context: str
    name: str
    method: Method
    step: Step = "planned"
    key: dict[str, str]
    principal: str | None = None
    scope_floor: Any = None
    lifetime: float | None = None
    generation: int
    successor_id: str | None = None
    retiring: list[dict[str, str]] = field(default_factory=list)
    overlap: float = 0.0
    drain: float = 0.0
    due_at: str | None = None
    places: list[dict[str, Any]] = field(default_factory=list)
    delivered: list[Delivery | None] = field(default_factory=list)
    grants: Grants | None = None
    error: str | None = None
    created_at: str
    updated_at: str

    @property
    def claim(self) -> str:
        """The same for every rotation of this logical key: one of them at a time."""
        return make_claim(self.url, self.context, self.name)

    @property
    def successor_name(self) -> str:
        """The name that the new secret's key has, or will have."""
        return (
            self.key["name"]
            if self.method == "in place"
            else stamp_name(self.name, self.generation)
        )

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do."""
        return self.step not in {"done", "aborted"}

    @property
    def needs_secret(self) -> bool:
        """Whether a secret is still to be delivered."""
        return self.is_open and self.step not in {"waiting", "deleting"}

    def is_due(self, now: datetime) -> bool:
        """Whether running it would get it further."""
        if self.step != "waiting" or self.due_at is None:
            return self.is_open
        return now >= datetime.fromisoformat(self.due_at)

    def redirect(self, places: list[dict[str, Any]]) -> None:
        """Deliver elsewhere from here on; that an old place may hold the newest secret is not forgotten."""
        is_held = any(outcome in ("started", "delivered") for outcome in self.delivered)
        self.places = places
        self.delivered = ["started" if is_held else None, *[None] * (len(places) - 1)]

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON; what is nested is not copied."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Rotation:
        """Back from JSON; ConfigError when something is missing, or is no step or method."""
        known = {item.name for item in fields(cls)}
        try:
            found = cls(**{name: value for name, value in document.items() if name in known})
        except TypeError as exc:
            raise ConfigError(f"the journal of a rotation is not whole: {exc}") from None
        for value, choices in ((found.step, get_args(Step)), (found.method, get_args(Method))):
            if value not in choices:
                raise ConfigError(f"the journal of rotation {found.id} holds {value!r}")
        return found


def make_claim(url: str, context: str, name: str) -> str:
    """A short name for a logical key of a server."""
    return hashlib.sha256(f"{url}\0{context}\0{name}".encode()).hexdigest()[:24]


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
        scope_floor=key.scope_floor,
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
    """What the key was given, at least a second; what is left of it where nobody knows when it was made."""
    made, ends = parse_time(key.created_at) or now, parse_time(key.expires_at)
    return max(1.0, (ends - made).total_seconds()) if ends else None


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise UsageError(
            f"the successor's name {name!r} would be longer than {LONGEST_NAME} characters",
            hint="Mint a key of a shorter name, and delete this one.",
        )


def _check_life(key: Key, method: Method, overlap: float, now: datetime) -> None:
    if method == "in place" and has_expired(key, now):
        raise UsageError(
            f"key {key.name} ({key.id}) has expired, and a new secret would not revive it",
            hint="With --overlap 0s it gets a successor that lives as long as it was meant to.",
        )
    ends = parse_time(key.expires_at)
    if method == "overlap" and overlap and ends and ends < now + timedelta(seconds=overlap):
        raise UsageError(
            f"--overlap is longer than what is left of key {key.name} ({key.id}): it expires at {key.expires_at}",
            hint="Choose an --overlap that ends before, or --overlap 0s.",
        )

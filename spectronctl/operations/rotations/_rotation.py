"""What is known of one rotation: all of it is kept in the journal, and none of it is secret."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, get_args

from spectronctl.errors import ConfigError
from spectronctl.ground.addresses import canonical_server
from spectronctl.ground.times import format_time, parse_time, read_uptime
from spectronctl.models.identity import Grants
from spectronctl.models.keys import stamp_name

Uptime = tuple[str, float]

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
    One rotation of one key. Times are RFC 3339 by the server's clock, lengths of time seconds.

    `key` and `retiring` hold `{"id", "name"}`; `successor_id` is None until it is known; `delivered` stands beside
    `places`, which only the caller understands; `limits` are the grants of the key itself, `grants` the effective ones
    of the old secret, where it was found.
    """

    id: str
    url: str
    context: str
    name: str
    method: Method
    step: Step = "planned"
    key: dict[str, str]
    principal: str | None = None
    principal_id: str | None = None
    scope_floor: Any = None
    limits: Grants | None = None
    lifetime: float | None = None
    generation: int
    successor_id: str | None = None
    retiring: list[dict[str, str]] = field(default_factory=list)
    overlap: float = 0.0
    drain: float = 0.0
    due_at: str | None = None
    due_uptime: dict[str, Any] | None = None
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

    def is_at(self, url: str) -> bool:
        """Whether it is one of this server's, however its URL is spelled."""
        return canonical_server(self.url) == canonical_server(url)

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

    def wait_until(self, moment: datetime, now: datetime, uptime: Uptime | None) -> None:
        """Be due at that moment, both by the server's clock."""
        self.due_at = format_time(moment)
        self.due_uptime = None
        if uptime:
            ends = uptime[1] + (moment - now).total_seconds()
            self.due_uptime = {"due_at": self.due_at, "boot": uptime[0], "seconds": ends}

    def seconds_left(self, now: datetime) -> float:
        """How long it waits from `now` by the server's clock on; 0 where running it would get it further."""
        if self.step != "waiting" or self.due_at is None:
            return 0.0
        left = (datetime.fromisoformat(self.due_at) - now).total_seconds()
        return max(0.0, left, self._seconds_left_by_uptime())

    def _seconds_left_by_uptime(self) -> float:
        # Where the server runs on this very machine, a step of the one clock moves both ends of an overlap together.
        # The time since the machine started does not step; it says nothing of a wait that began before that.
        kept, uptime = self.due_uptime, read_uptime()
        if not kept or not uptime or (kept["boot"], kept["due_at"]) != (uptime[0], self.due_at):
            return 0.0
        return max(0.0, float(kept["seconds"]) - uptime[1])

    def is_due(self, now: datetime) -> bool:
        """Whether running it would get it further, `now` by the server's clock."""
        return self.is_open and not self.seconds_left(now)

    @property
    def may_be_held(self) -> bool:
        """Whether any place may hold the newest secret."""
        return any(outcome in ("started", "delivered") for outcome in self.delivered)

    @property
    def resume_command(self) -> str:
        """What takes it further."""
        return f"spectronctl keys rotations resume {self.id}"

    def redirect(self, places: list[dict[str, Any]]) -> None:
        """Deliver elsewhere from here on; that an old place may hold the newest secret is not forgotten."""
        # The outcomes stood for the old places. One that may hold the secret is enough to keep its key alive, and a
        # single mark carries that.
        self.delivered = ["started" if self.may_be_held else None, *[None] * (len(places) - 1)]
        self.places = places

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON; of programs that no secret is left for, only which they are."""
        places = self.places if self.needs_secret else [_forget_words(each) for each in self.places]
        return {**vars(self), "places": places}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Rotation:
        """Back from JSON; ConfigError when something is missing, or is no step or method."""
        known = {item.name for item in fields(cls)}
        try:
            # Fields that are not known here are passed over: a newer version may have added some within the same
            # format.
            found = cls(**{name: value for name, value in document.items() if name in known})
        except TypeError as exc:
            raise ConfigError(f"the journal of a rotation is not whole: {exc}") from None
        if not _is_whole(vars(found)):
            raise ConfigError(f"the journal of rotation {found.id} is damaged")
        for value, choices in ((found.step, get_args(Step)), (found.method, get_args(Method))):
            if value not in choices:
                raise ConfigError(f"the journal of rotation {found.id} holds {value!r}")
        return found


def _forget_words(place: Mapping[str, Any]) -> dict[str, Any]:
    # A person may have put a token among the arguments of a program, and the journal stays for weeks.
    return {**place, "words": place["words"][:1]} if "words" in place else dict(place)


def make_claim(url: str, context: str, name: str) -> str:
    """A short name for a logical key of a server, however its URL is spelled."""
    words = f"{canonical_server(url)}\0{context}\0{name}"
    return hashlib.sha256(words.encode()).hexdigest()[:24]


def _is_whole(found: Mapping[str, Any]) -> bool:
    """Whether every value is one that a rotation writes: another would fail half-way."""
    refs = (found["key"], *found["retiring"]) if isinstance(found["retiring"], list) else ()
    return (
        bool(refs)
        and all(isinstance(ref, dict) and {"id", "name"} <= set(ref) for ref in refs)
        and all(isinstance(found[name], int | float) for name in ("overlap", "drain"))
        and (found["due_at"] is None or parse_time(found["due_at"]) is not None)
        and isinstance(found["due_uptime"], dict | None)
    )

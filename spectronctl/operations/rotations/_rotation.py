"""What is known of one rotation: all of it is kept in the journal, and none of it is secret."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, get_args

from spectronctl.errors import ConfigError
from spectronctl.ground.addresses import canonical_server
from spectronctl.models.identity import Grants
from spectronctl.models.keys import stamp_name

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

    def is_due(self, now: datetime) -> bool:
        """Whether running it would get it further."""
        if self.step != "waiting" or self.due_at is None:
            return self.is_open
        return now >= datetime.fromisoformat(self.due_at)

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
        self.delivered = ["started" if self.may_be_held else None, *[None] * (len(places) - 1)]
        self.places = places

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
    """A short name for a logical key of a server, however its URL is spelled."""
    words = f"{canonical_server(url)}\0{context}\0{name}"
    return hashlib.sha256(words.encode()).hexdigest()[:24]

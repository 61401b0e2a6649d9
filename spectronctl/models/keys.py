"""API keys of a context."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from spectronctl.ground.times import parse_time
from spectronctl.models._base import Model
from spectronctl.models.identity import Grants

MAX_NAME = 128
"""Characters that a server takes."""

_STAMPED = re.compile(r"(?P<logical>.+)\.g(?P<generation>[1-9][0-9]{0,8})", re.DOTALL)
_LENT = re.compile(r".+\.exec-[0-9a-f]{8}", re.DOTALL)


def split_name(name: str) -> tuple[str, int]:
    """The logical name and the generation that a rotation stamped on it: `agent.g3` is `agent`, 3; `agent` is 1."""
    # Generation numbers of ten digits and more stay a part of the name: whatever they are, no rotation stamped them.
    found = _STAMPED.fullmatch(name)
    return (found["logical"], int(found["generation"])) if found else (name, 1)


def stamp_name(logical: str, generation: int) -> str:
    """The name under which a rotation mints that generation of a key."""
    return f"{logical}.g{generation}"


def lend_name(logical: str, mark: str) -> str:
    """The name under which `spectronctl exec` mints a key for one program: `agent.exec-1f2e3d4c`; `mark` is hex."""
    ending = f".exec-{mark}"
    # Cut, not refused: a name of full length must be lendable, and the random ending keeps the result unique.
    return logical[: MAX_NAME - len(ending)] + ending


def is_lent(name: str) -> bool:
    """Whether a key of that name was minted for one program."""
    return _LENT.fullmatch(name) is not None


class Key(Model):
    """One key, without its secret. Times are RFC 3339; `status` is `active` or `expired`."""

    id: str
    name: str
    principal: str | None = None
    principal_id: str | None = None
    scope_floor: Any = None
    grants: Grants | None = None
    created_at: str | None = None
    last_used_at: str | None = None
    expires_at: str | None = None
    status: str | None = None


def has_expired(key: Key, now: datetime) -> bool:
    """Whether the key has ended, by its status or its expiry."""
    # By either: a listing may be older than the expiry, and not every server computes a status.
    ends = parse_time(key.expires_at)
    return key.status == "expired" or (ends is not None and ends <= now)


class Minted(Model):
    """A key's secret, with the key: it stays out of reprs, and so out of tracebacks and logs."""

    secret: str

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Keep the secret out."""
        # This one place feeds `repr`, `str` and rich's printing of a pydantic model.
        return [(name, value) for name, value in super().__repr_args__() if name != "secret"]

    def to_public(self) -> dict[str, Any]:
        """What the server said, without the secret."""
        return {name: value for name, value in self.to_dict().items() if name != "secret"}


class MintedKey(Minted, Key):
    """A key just created or rotated: the only response that ever carries its secret."""

    def without_secret(self) -> Key:
        """The same key, safe to show."""
        # A new object of the base type, from what the server said: fields that are not known here stay in it.
        return Key.model_validate(self.to_public())

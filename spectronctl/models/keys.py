"""API keys of a context (contract, "Management plane")."""

from __future__ import annotations

from typing import Any

from spectronctl.models._base import Model

PRINCIPALS = ("agent", "supervisor")


class Key(Model):
    """One key, without its secret. Times are RFC 3339; `status` is `active` or `expired`."""

    id: str
    name: str
    principal: str | None = None
    scope_floor: Any = None
    created_at: str | None = None
    last_used_at: str | None = None
    expires_at: str | None = None
    status: str | None = None


class MintedKey(Key):
    """A key just created or rotated: the only answer that ever carries its secret."""

    secret: str

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Keep the secret out of reprs, and so out of tracebacks and logs."""
        return [(name, value) for name, value in super().__repr_args__() if name != "secret"]

    def without_secret(self) -> Key:
        """The same key, safe to show."""
        return Key.model_validate({k: v for k, v in self.to_dict().items() if k != "secret"})


class KeyCreate(Model):
    """Body of `POST /contexts/{id}/keys`. `expires_in` is in seconds; at most one of the two expiries."""

    name: str
    principal: str = "agent"
    scope_floor: Any = None
    expires_at: str | None = None
    expires_in: int | None = None

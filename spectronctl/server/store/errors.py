"""Why a store cannot be opened."""

from __future__ import annotations

from spectronctl.errors import ConfigError


class StoreLockedError(ConfigError):
    """Another process has the store's directory open; one that `stays` has it until it is stopped."""

    def __init__(self, message: str, *, hint: str | None = None, stays: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.stays = stays

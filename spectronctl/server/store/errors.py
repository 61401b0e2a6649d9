"""Why a store cannot be opened."""

from __future__ import annotations

from spectronctl.errors import ConfigError


class StoreLockedError(ConfigError):
    """Another process has the store's directory open."""

"""The keys of contexts as they were a moment ago: many rotations share one listing."""

from __future__ import annotations

from threading import Lock
from time import monotonic

from spectronctl.api import keys as api
from spectronctl.client import Client
from spectronctl.models.keys import Key

MAX_AGE = 2.0
"""Seconds that a listing serves: a key that came into use after it was made is not seen to be in use."""


class KeyDirectory:
    """Listings of contexts, made once and shared between threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._listings: dict[str, tuple[float, list[Key]]] = {}
        self._lock = Lock()

    def list_keys(self, context: str, *, since: float | None = None) -> list[Key]:
        """Every key of the context, as of `since` (on the monotonic clock) or later; None is a moment ago."""
        # Held over the request as well: threads that want the same listing wait for this one instead of sending their
        # own.
        with self._lock:
            if since is None:
                since = monotonic() - MAX_AGE
            made_at, keys = self._listings.get(context, (float("-inf"), []))
            if made_at < since:
                # Before the request, so that `since` holds for all of it. A listing that fails is not kept, and the
                # next thread tries.
                made_at = monotonic()
                keys = list(self._client.items(api.list_keys(context)))
                self._listings[context] = (made_at, keys)
            return keys

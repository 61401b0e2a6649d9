"""Server-sent events, as a stream of them is read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """One event: its `data` as text, and the `id` of it, or of the last one before it that had an id."""

    data: str = field(repr=False)
    name: str = "message"
    id: str | None = None

    @property
    def value(self) -> Any:
        """What the data says as JSON; the text itself where it is none."""
        try:
            return json.loads(self.data)
        except (ValueError, RecursionError):
            return self.data

    @property
    def is_last(self) -> bool:
        """Whether the stream ends with it, in any of the ways that servers say so."""
        if self.name in {"done", "error"} or self.data.strip() == "[DONE]":
            return True
        # The cheap look first: a stream may have an event per token, and one of them is the last.
        value = self.value if '"done"' in self.data else None
        return isinstance(value, dict) and value.get("done") is True

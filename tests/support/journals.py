"""The journal of rotations, for tests in which hours pass at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path


def make_due(journal: Path) -> list[Path]:
    """End every overlap and every drain now; the entries of the rotations that waited."""
    now = datetime.now(UTC).isoformat()
    found = {path: json.loads(path.read_text()) for path in journal.glob("*.json")}
    waiting = {path: entry for path, entry in found.items() if entry["step"] == "waiting"}
    for path, entry in waiting.items():
        path.write_text(json.dumps({**entry, "drain": 0.0, "due_at": now}))
    return list(waiting)

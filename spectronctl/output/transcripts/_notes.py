"""How far an export has come: a note beside the part of it that is there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spectronctl.ground.disk import replace_file
from spectronctl.ground.documents import decode_document, parse_json


@dataclass(frozen=True)
class Note:
    """The first `offset` bytes hold whole turns; `next_seq` comes after them, None before the first."""

    export: Mapping[str, Any]
    offset: int = 0
    next_seq: int | None = None

    def write(self, path: Path) -> None:
        """Replace the note at a path in one step, and see to it that it outlasts a loss of power."""
        draft = path.with_name(path.name + ".new")  # ours alone: we have the part's lock
        replace_file(path, json.dumps(asdict(self)).encode(), draft=draft)


def read_note(path: Path) -> Note | None:
    """The note at a path; None where there is none, or one of something else."""
    try:
        # Its name is known beforehand, as the part's is: no link is followed.
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            note = Note(**parse_json(decode_document(file.read())))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    # `Note(**…)` takes any values; the offset is one at which a file is cut.
    well_formed = isinstance(note.export, dict) and isinstance(note.offset, int)
    return note if well_formed and isinstance(note.next_seq, int | None) else None

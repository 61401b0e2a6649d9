"""Documents in files: JSON, TOML or YAML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime


def name_file(file: str) -> str:
    """A file as messages name it."""
    return "stdin" if file == "-" else file


def load_document(rt: Runtime, file: str, option: str) -> Any:
    """What a file holds, by its suffix, or stdin for `-`; UsageError for what cannot be read."""
    from spectronctl.output.parsing import parse_document

    name = name_file(file)
    try:
        data = rt.inputs.open_stdin(option).read() if file == "-" else Path(file).read_bytes()
    except OSError as exc:
        raise UsageError(f"{name}: {exc.strerror}") from None
    return parse_document(data, name)

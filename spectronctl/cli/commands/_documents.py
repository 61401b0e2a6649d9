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


def load_bytes(rt: Runtime, file: str, option: str) -> bytes:
    """All that a file holds, or stdin for `-`; UsageError for what cannot be read."""
    try:
        # Bytes: what is not UTF-8, or begins with a mark of Windows editors, is the parser's to tell, with the file's
        # name.
        return rt.inputs.open_stdin(option).read() if file == "-" else Path(file).read_bytes()
    except OSError as exc:
        place = f"{option} {file}" if option.startswith("-") and file != "-" else name_file(file)
        raise UsageError(f"{place}: {exc.strerror}") from None
    except ValueError:  # a NUL inside
        raise UsageError(f"{option}: {file!r} is not a path") from None


def load_document(rt: Runtime, file: str, option: str) -> Any:
    """What a file holds, by its suffix, or stdin for `-`; UsageError for what cannot be read."""
    from spectronctl.output.parsing import parse_document

    return parse_document(load_bytes(rt, file, option), name_file(file))


def load_json_document(rt: Runtime, file: str, option: str) -> Any:
    """The same, for what is sent as JSON."""
    from spectronctl.output.parsing import parse_json_document

    return parse_json_document(load_bytes(rt, file, option), name_file(file))

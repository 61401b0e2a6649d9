"""The parts of a multipart body, as they are typed."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from spectronctl.api.requests import Part
from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

_FILE = re.compile(r"(.*?)((?:;(?:type|filename)=[^;]*)*)", re.DOTALL)
"""A path, which may hold semicolons, and the options behind it."""

_TYPE = re.compile(r"[\x21-\x7e]+/[\x21-\x7e]+")


def parse_part(rt: Runtime, text: str) -> Part:
    """`NAME=VALUE`, `NAME=@FILE[;type=TYPE][;filename=NAME]` or, for stdin, `NAME=@-`."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UsageError(
            f"--form {name!r}: a part of the form NAME=VALUE or NAME=@FILE is needed",
            hint="Such as --form title=Report --form 'file=@report.pdf;type=application/pdf'.",
        )
    if not value.startswith("@"):
        return Part(name, value)
    path, options = _split(value.removeprefix("@"))
    kind = options.get("type")
    if kind is not None and not _TYPE.fullmatch(kind):
        raise UsageError(f"--form {name}: {kind!r} is not a media type such as text/plain")
    if path == "-":
        return Part(name, rt.inputs.open_stdin("--form"), options.get("filename", "stdin"), kind)
    return Part(name, _find_file(name, path), options.get("filename"), kind)


def _split(text: str) -> tuple[str, dict[str, str]]:
    match = _FILE.fullmatch(text)
    assert match is not None  # anything is a path
    options = [option.partition("=") for option in match[2].split(";")[1:]]
    return match[1], {name: value for name, _, value in options}


def _find_file(name: str, path: str) -> Path:
    if not path:
        raise UsageError(f"--form {name}: a path is needed after @, or - for stdin")
    try:
        # Looked at now, opened only while the body is sent: a body that breaks off half-way may have been carried out.
        is_directory = stat.S_ISDIR(Path(path).stat().st_mode)
    except (OSError, ValueError) as exc:
        problem = getattr(exc, "strerror", None) or str(exc)
        raise UsageError(f"--form {name}: {path}: {problem}") from None
    if is_directory:
        raise UsageError(
            f"--form {name}: {path}: it is a directory", hint="Give one file per --form."
        )
    return Path(path)

"""
Names this machine has seen, a file per kind and server: what TAB offers. A cache, so every failure is silent.

A line is the id of a context, or of anything else the context that it is in and its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from spectronctl.ground.addresses import canonical_server
from spectronctl.ground.disk import is_absent, make_directory, replace_file
from spectronctl.ground.vocabulary import CONTEXT_ID
from spectronctl.local.locations import NoHomeError, cache_dir

_MAX_NAMES = 1000
# Only names of the right form are kept: a shell will see them, and a server is not trusted with that.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}")


def remember(
    env: Mapping[str, str],
    url: str,
    names: Iterable[str],
    replace: bool = False,
    *,
    kind: str = "contexts",
    context: str = "",
) -> None:
    """Add names at `url`, newest first, at most 1000 of a kind; with `replace` the context has no others."""
    lines = [_format_line(context, name) for name in names]
    with suppress(OSError, NoHomeError):
        path = _path(env, url, kind)
        known = _read(path)
        kept = [line for line in known if not (replace and _split(line)[0] == context)]
        _write(path, known, [*lines, *kept])


def forget(
    env: Mapping[str, str], url: str, name: str, *, kind: str = "contexts", context: str = ""
) -> None:
    """Drop one name, after what it stood for was deleted."""
    gone = _format_line(context, name)
    with suppress(OSError, NoHomeError):
        path = _path(env, url, kind)
        known = _read(path)
        _write(path, known, [each for each in known if each != gone])


def known_names(
    env: Mapping[str, str], url: str, *, kind: str = "contexts", context: str = ""
) -> list[str]:
    """The names of a kind seen in this context of the server at `url`, sorted."""
    lines: list[str] = []
    with suppress(OSError, NoHomeError):
        lines = _read(_path(env, url, kind))
    return sorted(name for where, name in map(_split, lines) if where == context)


def _format_line(context: str, name: str) -> str:
    return f"{context} {name}" if context else name


def _split(line: str) -> tuple[str, str]:
    where, _, name = line.rpartition(" ")
    return where, name


def _is_sound(line: str) -> bool:
    where, name = _split(line)
    if not where:
        return bool(CONTEXT_ID.fullmatch(line))
    return bool(CONTEXT_ID.fullmatch(where) and _NAME.fullmatch(name))


def _path(env: Mapping[str, str], url: str, kind: str) -> Path:
    # A name of one part: the slashes of a URL are escaped too.
    return cache_dir(env) / kind / quote(canonical_server(url), safe="")


def _read(path: Path) -> list[str]:
    """What is kept there; OSError for what cannot be read, so that it is not written over."""
    try:
        lines = [] if is_absent(path) else path.read_text("ascii").splitlines()
    except ValueError:
        return []
    return [line for line in lines if _is_sound(line)]


def _write(path: Path, known: list[str], lines: list[str]) -> None:
    # Two runs at once may each write what the other does not know. One name less for TAB is not worth a lock.
    kept = [each for each in dict.fromkeys(lines) if _is_sound(each)][:_MAX_NAMES]
    # Most runs see what is known already, and need not write to the disk.
    if kept == known:
        return
    make_directory(path.parent)
    replace_file(path, "".join(f"{each}\n" for each in kept).encode())

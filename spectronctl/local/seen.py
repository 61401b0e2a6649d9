"""Context ids this machine has seen, a file per server: what TAB offers. A cache, so every failure is silent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from spectronctl.ground.addresses import canonical_server
from spectronctl.ground.disk import is_absent, make_directory, replace_file
from spectronctl.ground.vocabulary import CONTEXT_ID
from spectronctl.local.locations import NoHomeError, cache_dir

_MAX_NAMES = 1000
# Only ids of the right form are kept: a shell will see them, and a server is not trusted with that.


def remember(env: Mapping[str, str], url: str, ids: Iterable[str], replace: bool = False) -> None:
    """Add the ids of contexts at `url`, newest first, at most 1000; with `replace` they are all there is."""
    ids = list(ids)
    with suppress(OSError, NoHomeError):
        path = _path(env, url)
        known = _read(path)
        _write(path, known, ids if replace else [*ids, *known])


def forget(env: Mapping[str, str], url: str, context_id: str) -> None:
    """Drop one id, after its context was deleted."""
    with suppress(OSError, NoHomeError):
        path = _path(env, url)
        known = _read(path)
        _write(path, known, [each for each in known if each != context_id])


def known_contexts(env: Mapping[str, str], url: str | None = None) -> list[str]:
    """The ids seen at `url`, or at any server, sorted."""
    found: set[str] = set()
    with suppress(OSError, NoHomeError):
        for path in [_path(env, url)] if url is not None else _folder(env).iterdir():
            with suppress(OSError):
                found.update(_read(path))
    return sorted(found)


def _folder(env: Mapping[str, str]) -> Path:
    return cache_dir(env) / "contexts"


def _path(env: Mapping[str, str], url: str) -> Path:
    # A name of one part: the slashes of a URL are escaped too.
    return _folder(env) / quote(canonical_server(url), safe="")


def _read(path: Path) -> list[str]:
    """What is kept there; OSError for what cannot be read, so that it is not written over."""
    if path.name.startswith("."):  # a write under way, or one that was cut off
        return []
    try:
        lines = [] if is_absent(path) else path.read_text("ascii").splitlines()
    except ValueError:
        return []
    return [line for line in lines if CONTEXT_ID.fullmatch(line)]


def _write(path: Path, known: list[str], ids: list[str]) -> None:
    # Two runs at once may each write what the other does not know. One id less for TAB is not worth a lock.
    kept = [each for each in dict.fromkeys(ids) if CONTEXT_ID.fullmatch(each)][:_MAX_NAMES]
    # Most runs see what is known already, and need not write to the disk.
    if kept == known:
        return
    make_directory(path.parent)
    replace_file(path, "".join(f"{each}\n" for each in kept).encode())

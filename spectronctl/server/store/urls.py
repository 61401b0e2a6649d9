"""Database URLs: `mem://`, `surrealkv://PATH` and `ws://…`, `wss://…`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from spectronctl.errors import ConfigError

_FORMS = "use mem://, surrealkv://PATH, ws://HOST:PORT or wss://HOST:PORT"


@dataclass(frozen=True)
class StoreUrl:
    """A checked URL, safe to show. `path` is absolute, and None unless the store is a directory."""

    text: str
    path: Path | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether the database runs inside this process, which then has it to itself."""
        return self.path is not None or self.text == "mem://"


def parse_store_url(url: str) -> StoreUrl:
    """Read a store URL; `ConfigError` for one that no engine here opens, or that holds a password."""
    scheme, separator, rest = url.partition("://")
    if scheme == "mem" and separator and not rest:
        return StoreUrl("mem://")
    if scheme == "surrealkv" and separator:
        return _parse_path(rest)
    if scheme in ("ws", "wss") and separator:
        return _parse_remote(url)
    raise ConfigError("the store URL has no scheme that spectronctl knows", hint=_FORMS)


def _parse_path(text: str) -> StoreUrl:
    if not text:
        raise ConfigError("the store URL surrealkv:// names no directory", hint=_FORMS)
    if "?" in text or "\0" in text:
        # The engine would cut the path there and open another directory.
        raise ConfigError(f"the store path {text!r} holds a character that the engine cannot take")
    # Absolute, and without links: one store must have one lock, whichever way it is named.
    path = Path(text).resolve()
    return StoreUrl(f"surrealkv://{path}", path)


def _parse_remote(url: str) -> StoreUrl:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError("the store URL has no valid host and port", hint=_FORMS) from error
    if "@" in parts.netloc:
        raise ConfigError(
            "the store URL holds a user or a password",
            hint="Set SPECTRONCTL_STORE_USER and SPECTRONCTL_STORE_PASSWORD instead.",
        )
    if not host:
        raise ConfigError("the store URL names no host", hint=_FORMS)
    shown = f"[{host}]" if ":" in host else host
    return StoreUrl(f"{parts.scheme}://{shown}" + (f":{port}" if port else "") + parts.path)

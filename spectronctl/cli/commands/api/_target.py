"""Where a request of one's own goes: the path that was typed, and what lies there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from spectronctl.api.requests import quote_segment
from spectronctl.cli.commands._plane import open_plane
from spectronctl.config.values import origin, parse_url
from spectronctl.errors import UsageError
from spectronctl.ground.addresses import canonical_server
from spectronctl.ground.vocabulary import CONTEXT_ID

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.client import Client

OPEN = {"health", "ready"}
MANAGEMENT = {"audit", "contexts", "verbs", "migrations"}
MINTING = {"keys", "rotate"}

_ROOT = "api/v1"
_IS_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_UNRESERVED = "%!$&'()*+,;=:@"
"""What stands in a segment as it is, beside letters, digits and `-._~`."""


@dataclass(frozen=True)
class Target:
    """A path from the server's root, percent-encoded; the parameters in its query; its names below `/api/v1`."""

    path: str
    params: Mapping[str, list[str]]
    names: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether it takes no key."""
        return self.names[0] in OPEN

    @property
    def is_management(self) -> bool:
        """Whether it takes the management key: also where no context can have that name."""
        return self.names[0] in MANAGEMENT or not CONTEXT_ID.fullmatch(self.names[0])

    @property
    def mints(self) -> bool:
        """Whether the response to a write holds a new key's secret."""
        # An escaped slash counts as one: a proxy that decodes it leads to the same route. In doubt it mints, which
        # costs no more than a refusal on a terminal.
        return self.names[-1].rpartition("/")[2].casefold() in MINTING

    @property
    def context(self) -> str | None:
        """The context that it is about."""
        if self.names[0] == "contexts":
            return self.names[1] if len(self.names) > 1 else None
        return None if self.is_open or self.is_management else self.names[0]


def parse_target(rt: Runtime, text: str) -> Target:
    """
    What PATH means on the profile's server, with `{context}` filled in.

    UsageError for a URL of another server, and for every path that a proxy on the way could read as another one.
    """
    if "#" in text:
        raise UsageError(
            "PATH: what follows a # is never sent", hint="Write %23 for a # in a name."
        )
    path, _, query = _strip_server(text, rt.settings.url.value).partition("?")
    path = path.removeprefix("/")
    if f"{path}/".startswith(f"{_ROOT}/"):
        path = path.removeprefix(_ROOT).removeprefix("/")
    # A function: where {context} does not stand, no context needs to be chosen.
    segments = [_parse_segment(segment, lambda: rt.context) for segment in path.split("/")]
    if len(segments) > 1 and not segments[-1]:
        segments.pop()  # a last slash names nothing, and is not sent
    names = [unquote(segment) for segment in segments]
    if not all(names):
        raise UsageError(f"PATH: {text!r} has an empty name in it", hint="Try /contexts.")
    return Target(f"/{_ROOT}/{'/'.join(segments)}", _parse_query(query), tuple(names))


def _strip_server(text: str, url: str) -> str:
    """What follows the server in a URL that names it; a path as it is."""
    if not _IS_URL.match(text):
        return text
    address, mark, query = text.partition("?")
    # A profile's URL may itself end in /api/v1, and a server may lie below a prefix of a host that others share.
    prefix = urlsplit(url).path.rstrip("/").removesuffix(f"/{_ROOT}")
    path = urlsplit(parse_url(address)).path
    below = path.removeprefix(prefix)
    is_ours = path.startswith(prefix) and below.startswith("/")
    if _name_origin(parse_url(address)) != _name_origin(url) or not is_ours:
        raise UsageError(
            f"PATH: {address} is not on {url}, and the key is sent nowhere else",
            hint="Give the path alone, and choose the server with --url or --profile.",
        )
    return below + mark + query


def _name_origin(url: str) -> tuple[str, str, int]:
    return origin(canonical_server(url))


def _parse_segment(segment: str, find_context: Callable[[], str]) -> str:
    """One name of a path, percent-encoded."""

    def fill(match: re.Match[str]) -> str:
        if match[1] != "context":
            raise UsageError(f"PATH: there is no {match[0]}; {{context}} is the one to fill in")
        return quote_segment(find_context())

    segment = re.sub(r"\{(.*?)\}", fill, segment)
    if _BROKEN_ESCAPE.search(segment):
        raise UsageError(f"PATH: a % in {segment!r} begins no escape", hint="Write it as %25.")
    # Decoded first, and at backslashes too: %2e%2e is .. to a proxy that decodes before it resolves, and some read \ as
    # /.
    if {".", ".."} & set(re.split(r"[/\\]", unquote(segment))):
        raise UsageError("PATH: . and .. are not names", hint="Write the whole path.")
    # With % among what is left alone: an escape that was typed stays as it is, and is not escaped again.
    return quote(segment, safe=_UNRESERVED, errors="surrogatepass")


def _parse_query(query: str) -> dict[str, list[str]]:
    params: dict[str, list[str]] = {}
    try:
        for name, value in parse_qsl(query, keep_blank_values=True, errors="strict"):
            params.setdefault(name, []).append(value)
    except UnicodeDecodeError:
        raise UsageError("PATH: its query is not UTF-8") from None
    return params


@contextmanager
def open_target(rt: Runtime, target: Target) -> Iterator[Client]:
    """The client with the key that belongs there."""
    if target.is_open:
        yield rt.clients.public
    elif target.is_management:
        yield rt.client
    else:
        with open_plane(rt, target.names[0]) as (client, _):
            yield client

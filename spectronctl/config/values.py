"""Text into a setting's value; the same rules for a flag, a variable and the config file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from spectronctl.errors import UsageError
from spectronctl.ground.times import duration_in_seconds
from spectronctl.ground.vocabulary import (
    AUTH_HEADERS,
    COLORS,
    OUTPUT_FORMATS,
    AuthHeader,
    Color,
    OutputFormat,
)

_Choice = TypeVar("_Choice", bound=str)

_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_BARE = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_USERINFO = re.compile(r"(?<=://)[^/\s]+(?=@)")


def parse_named(parse: Callable[[str], Any], text: str, name: str) -> Any:
    """Parse, and let the error say which flag, variable or field it is about."""
    try:
        return parse(text)
    except UsageError as error:
        raise UsageError(
            f"{name}: {error.message}", hint=error.hint, candidates=error.candidates
        ) from None


def parse_text(text: str) -> str:
    """Any text but none."""
    if not text.strip():
        raise UsageError("a value is needed, not an empty one")
    return text


def parse_name(text: str) -> str:
    """A name without characters that no person sees: a carriage return from a file of Windows, a no-break space."""
    if not parse_text(text).isprintable():
        raise UsageError(
            f"a name without invisible characters is needed, not {text!a}",
            hint="Look at where it comes from: a file with Windows line ends, a copied page?",
        )
    return text


def parse_bool(text: str) -> bool:
    """`true` or `false`, and the usual other words for them."""
    value = _WORDS.get(text.strip().lower())
    if value is None:
        raise UsageError(f"true or false is needed, not {text!r}")
    return value


def parse_retries(text: str) -> int:
    """How often to try again: a whole number from 0."""
    return _parse_whole(text, least=0)


def parse_limit(text: str) -> int:
    """How many to list: a whole number from 1."""
    return _parse_whole(text, least=1)


def parse_duration(text: str) -> float:
    """Seconds in a duration."""
    seconds = duration_in_seconds(text)
    if seconds is None:
        raise _explain_duration(text)
    return seconds


def _explain_duration(text: str) -> UsageError:
    number = text.strip()
    if _BARE.fullmatch(number):  # 90 days to one person, 90 seconds to another
        near = [number + unit for unit in ("s", "m", "h", "d")]
        return UsageError(f"{text!r} needs a unit: {', '.join(near)}", candidates=near)
    return UsageError(
        f"{text!r} is not a duration",
        hint="Write it as 500ms, 30s, 5m, 24h, 7d, 2w or combined, largest first: 1h30m.",
    )


def parse_timeout(text: str) -> float:
    """Seconds, more than none."""
    seconds = parse_duration(text)
    if seconds <= 0:
        raise UsageError("a time longer than 0 is needed")
    return seconds


def parse_columns(text: str) -> tuple[str, ...]:
    """Column names between commas."""
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise UsageError(f"column names between commas are needed, not {text!r}")
    return names


def parse_auth_header(text: str) -> AuthHeader:
    """Which of the two header generations carries the key."""
    return _parse_choice(text, AUTH_HEADERS)


def parse_color(text: str) -> Color:
    """When to colour."""
    return _parse_choice(text, COLORS)


def parse_output(text: str) -> OutputFormat:
    """How a response is written."""
    return _parse_choice(text, OUTPUT_FORMATS)


def parse_url(text: str) -> str:
    """A server's address without a trailing slash; a name or password in it is refused, so it is never a secret."""
    from urllib.parse import urlsplit

    form = "http://HOST:PORT or https://HOST is needed"
    # Before urlsplit, and anywhere in the text: what comes before an `@` must not be repeated in a message.
    if "@" in text:
        raise UsageError(f"{form}, without a name, key or password in it")
    try:
        parts = urlsplit(text)
        usable = (
            parts.scheme in _DEFAULT_PORTS
            and parts.hostname
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        usable = False
    # The text itself is looked at: urlsplit drops tabs and line ends without a word, and an empty query or fragment
    # too.
    if not usable or "?" in text or "#" in text or not text.isprintable() or " " in text:
        raise UsageError(f"{form}, not {text!r}")
    return text.rstrip("/")


def parse_proxy(text: str) -> str:
    """A proxy's address; it may hold a password, so no message repeats it."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        usable = (
            parts.scheme in _PROXY_SCHEMES
            and parts.hostname
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        usable = False
    if not usable or not text.isprintable():
        raise UsageError(
            f"a proxy's URL is needed, with one of the schemes {', '.join(_PROXY_SCHEMES)}"
        )
    return text


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL that `parse_url` accepted: what a stored key belongs to."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]


def has_userinfo(text: str) -> bool:
    """Whether a URL carries a name or password, as a proxy's may."""
    return _USERINFO.search(text) is not None


def hide_userinfo(text: str) -> str:
    """The URL with its name and password, if any, as `***`."""
    # To the last `@` before a slash or blank: a password may hold one that was not escaped.
    return _USERINFO.sub("***", text)


def near_names(name: str, known: Iterable[str]) -> list[str]:
    """Up to three known names that come near, nearest first."""
    from difflib import get_close_matches

    return get_close_matches(name, list(known), n=3)


def _parse_whole(text: str, *, least: int) -> int:
    written = text.strip()
    # int() alone also takes `1_000` and the digits of every script.
    if not re.fullmatch(r"[0-9]{1,9}", written) or int(written) < least:
        raise UsageError(f"a whole number from {least} is needed, not {text!r}")
    return int(written)


def _parse_choice(text: str, choices: tuple[_Choice, ...]) -> _Choice:
    # The choice itself is returned, and not the text that equals it: so its type is the Literal's.
    for choice in choices:
        if text == choice:
            return choice
    raise UsageError(
        f"one of {', '.join(choices)} is needed, not {text!r}",
        candidates=near_names(text, choices),
    )

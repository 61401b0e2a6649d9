"""One spelling for each host and each server, however a person wrote it."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, unquote, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_FULL_STOPS = re.compile("[\u3002\uff0e\uff61]")  # IDNA (RFC 3490, 3.1) takes them for dots


def parse_address(host: str) -> IPv4Address | IPv6Address | None:
    """
    The address that a host is, or None for a name.

    IPv4 in every form that the system's resolver takes: `127.1`, `0x7f.0.0.1` and `2130706433` are 127.0.0.1. IPv6 with
    or without brackets; one that only wraps an IPv4 address is that address.
    """
    bare = host.removeprefix("[").removesuffix("]")
    try:
        found = ip_address(bare)
    except ValueError:
        return _parse_short_address(bare)
    # `::ffff:127.0.0.1` reaches the same socket as `127.0.0.1`, but `is_loopback` of the IPv6 form is false in older
    # Pythons.
    return getattr(found, "ipv4_mapped", None) or found


# `ip_address` refuses short forms and leading zeros. The resolver takes both, and reads `010.0.0.1` as octal: 8.0.0.1.
def _parse_short_address(text: str) -> IPv4Address | None:
    if not re.fullmatch(r"[0-9a-fA-Fx.]+", text):  # inet_aton also takes what follows a blank
        return None
    import socket  # TAB need not wait for it

    try:
        return IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


def canonical_host(host: str) -> str:
    """A host in lower case, in ASCII, without brackets and trailing dot; an address in its shortest form."""
    text = unicodedata.normalize("NFC", unquote(host).lower())
    # A dot at the end only says that the name is absolute: the same server, but another text for a comparison.
    text = _FULL_STOPS.sub(".", text).removesuffix(".")
    address = parse_address(text)
    return str(address) if address else ".".join(map(_to_ascii, text.split(".")))


def _to_ascii(label: str) -> str:
    # Python's codec "idna" is the one of 2003, for which `straße` and `strasse` are one name: they are two servers.
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself; `0.0.0.0` and `::` are, since Linux connects them to it."""
    address = parse_address(canonical_host(host))
    if address is not None:
        # Every name below `localhost` is this machine too (RFC 6761, 6.3), which browsers and systemd's resolver
        # follow.
        return address.is_loopback or address.is_unspecified
    return canonical_host(host).split(".")[-1] == "localhost"


def canonical_server(url: str) -> str:
    """
    The one name of a server, by which what is kept about it is found again.

    Case, the scheme's own port, a trailing slash or dot, the suffix `/api/v1`, percent-encoding and the three spellings
    of this machine make no difference. What is no URL of http, such as a store's, stays as it is.
    """
    try:
        # A bad port is reported when it is read, not by urlsplit: both stand inside the `try`.
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return url
    suffix = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{_name_host(parts)}{suffix}{_canonical_path(parts.path)}"


def _name_host(parts: SplitResult) -> str:
    host = canonical_host(parts.hostname or "")
    if host in {"127.0.0.1", "::1"}:
        return "localhost"
    return f"[{host}]" if ":" in host else host


# Only escapes of unreserved characters are undone: `%2F` is part of a segment, and `/` divides two.
def _canonical_path(path: str) -> str:
    return _ESCAPE.sub(_unescape, path).rstrip("/").removesuffix("/api/v1").rstrip("/")


def _unescape(found: re.Match[str]) -> str:
    """The character itself where it needs no escape (RFC 3986, 6.2.2.2)."""
    character = chr(int(found[1], 16))
    return character if _UNRESERVED.fullmatch(character) else found[0].upper()

"""What a port speaks, by the first bytes that come from it."""

from __future__ import annotations

import re
from enum import StrEnum

_ENOUGH = 9
"""Bytes that tell a protocol which has no lines."""

_STATUS = re.compile(rb"[^ ]+ ([0-9]{3})(?![0-9])")


class Protocol(StrEnum):
    """What is recognised."""

    HTTP = "HTTP/1"
    TLS = "TLS"
    OTHER = "other"
    NONE = "none"


def recognise(data: bytes) -> Protocol:
    """The protocol of a response that begins like this."""
    if not data:
        return Protocol.NONE
    if data.startswith(b"HTTP/1."):
        return Protocol.HTTP
    if data[:1] in {b"\x15", b"\x16"} and data[1:2] == b"\x03":
        return Protocol.TLS
    return Protocol.OTHER


def is_settled(data: bytes) -> bool:
    """Whether more of the response would change nothing; of HTTP the whole head is wanted."""
    if b"HTTP/".startswith(data[:5]):
        return b"\r\n\r\n" in data
    return b"\n" in data or len(data) >= _ENOUGH


def parse_status(data: bytes) -> int | None:
    """The status of an HTTP response: three digits (RFC 9112, 4), and nothing else that stands there."""
    found = _STATUS.match(data)
    return int(found[1]) if found else None

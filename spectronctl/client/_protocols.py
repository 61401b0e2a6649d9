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
    # The types of record alert and handshake, and the major version, which is 3 in every TLS up to 1.3. A TLS server
    # sends an alert to a request in plain HTTP.
    if data[:1] in {b"\x15", b"\x16"} and data[1:2] == b"\x03":
        return Protocol.TLS
    return Protocol.OTHER


def is_settled(data: bytes) -> bool:
    """Whether more of the response would change nothing; of HTTP the whole head is wanted."""
    # True also for the empty start and for a part of it, so a status line that arrives letter by letter is waited
    # for.
    if b"HTTP/".startswith(data[:5]):
        return b"\r\n\r\n" in data
    return b"\n" in data or len(data) >= _ENOUGH


def parse_status(data: bytes) -> int | None:
    """The status of an HTTP response: three digits (RFC 9112, 4), and nothing else that stands there."""
    found = _STATUS.match(data)
    return int(found[1]) if found else None

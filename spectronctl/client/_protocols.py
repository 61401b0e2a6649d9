"""What a port speaks, by the first bytes that come from it."""

from __future__ import annotations

import re
from enum import StrEnum

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")
"""How a client of HTTP/2 begins: the magic words, and settings of no content."""

_FRAME_HEAD = 9
_SETTINGS, _GOAWAY = 4, 7

_STATUS = re.compile(rb"[^ ]+ ([0-9]{3})(?![0-9])")


class Protocol(StrEnum):
    """What is recognised."""

    HTTP = "HTTP/1"
    HTTP2 = "HTTP/2"
    TLS = "TLS"
    SSH = "SSH"
    OTHER = "other"
    NONE = "none"


def recognise(data: bytes) -> Protocol:
    """The protocol of a response that begins like this."""
    if not data:
        return Protocol.NONE
    if data.startswith(b"HTTP/1."):
        return Protocol.HTTP
    if data.startswith(b"SSH-"):
        return Protocol.SSH
    if _is_frame(data):
        return Protocol.HTTP2
    if data[:1] in {b"\x15", b"\x16"} and data[1:2] == b"\x03":
        return Protocol.TLS
    return Protocol.OTHER


def is_settled(data: bytes) -> bool:
    """Whether more of the response would change nothing; of HTTP the whole head is wanted."""
    if b"HTTP/".startswith(data[:5]):
        return b"\r\n\r\n" in data
    return b"\n" in data or len(data) >= _FRAME_HEAD


def parse_status(data: bytes) -> int | None:
    """The status of an HTTP response: three digits (RFC 9112, 4), and nothing else that stands there."""
    found = _STATUS.match(data)
    return int(found[1]) if found else None


def _is_frame(data: bytes) -> bool:
    """Whether HTTP/2 begins here: the first frame of a connection is about its settings, or its end."""
    if len(data) < _FRAME_HEAD or int.from_bytes(data[:3]) > 16_384:
        return False
    return data[3] in {_SETTINGS, _GOAWAY} and not int.from_bytes(data[5:9])

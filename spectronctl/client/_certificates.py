"""
What a certificate says of itself, read from its DER form, trusted or not.

Python tells the contents of a certificate only once it is verified, and the one that is worth a look here is not.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address

_UTC_TIME = 0x17
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_WIDE_STRING = 0x1E

_ALTERNATIVE_NAMES = bytes.fromhex("551d11")
_ATTRIBUTES = {
    bytes.fromhex("550403"): "CN",
    bytes.fromhex("550406"): "C",
    bytes.fromhex("550407"): "L",
    bytes.fromhex("550408"): "ST",
    bytes.fromhex("55040a"): "O",
    bytes.fromhex("55040b"): "OU",
}


@dataclass(frozen=True)
class Certificate:
    """Whose it is, who signed it, from when to when it is valid, and for which `names` (hosts and addresses)."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    der: bytes = field(repr=False)

    @property
    def is_root(self) -> bool:
        """Whether it signed itself."""
        return self.subject == self.issuer

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the whole, as browsers show it."""
        return hashlib.sha256(self.der).digest().hex(":").upper()

    @property
    def pem(self) -> str:
        return ssl.DER_cert_to_PEM_cert(self.der)


def parse_certificate(der: bytes) -> Certificate:
    """A certificate from its DER form (RFC 5280); ValueError for bytes that are none."""
    try:
        return _parse_fields(der)
    except (IndexError, UnicodeError) as exc:
        raise ValueError("not a certificate") from exc


def _parse_fields(der: bytes) -> Certificate:
    whole = _only(der)
    fields = list(_walk(_only(whole)))
    if fields[0][0] == _VERSION:
        fields = fields[1:]
    _, _, issuer, validity, subject, *rest = fields
    starts, ends = _walk(validity[1])
    return Certificate(
        subject=_parse_name(subject[1]),
        issuer=_parse_name(issuer[1]),
        not_before=_parse_time(*starts),
        not_after=_parse_time(*ends),
        names=tuple(_parse_names(rest)),
        der=der,
    )


def _walk(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element."""
    at = 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            long = size & 0x7F
            size, at = int.from_bytes(data[at : at + long]), at + long
        if at + size > len(data):
            raise ValueError("cut off")
        yield tag, data[at : at + size]
        at += size


def _only(data: bytes) -> bytes:
    """The content of the first element."""
    for _, content in _walk(data):
        return content
    raise ValueError("empty")


def _parse_name(data: bytes) -> str:
    """`CN=…, O=…` in the order of the certificate; attributes without a usual name are left out."""
    parts = []
    for _, relative in _walk(data):
        for _, attribute in _walk(relative):
            (_, oid), (tag, value) = _walk(attribute)
            if name := _ATTRIBUTES.get(oid):
                text = value.decode("utf-16-be" if tag == _WIDE_STRING else "utf-8", "replace")
                parts.append(f"{name}={text}")
    return ", ".join(parts) or "(no name)"


def _parse_time(tag: int, value: bytes) -> datetime:
    text = value.decode("ascii")
    if tag == _UTC_TIME:  # two digits stand for the years 1950 to 2049
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _parse_names(fields: list[tuple[int, bytes]]) -> Iterator[str]:
    for tag, wrapped in fields:
        for _, extension in _walk(_only(wrapped)) if tag == _EXTENSIONS else ():
            parts = [content for _, content in _walk(extension)]
            if parts[0] == _ALTERNATIVE_NAMES:
                yield from _parse_alternatives(_only(parts[-1]))


def _parse_alternatives(data: bytes) -> Iterator[str]:
    for tag, value in _walk(data):
        if tag == _DNS_NAME:
            yield value.decode("ascii")
        elif tag == _IP_ADDRESS:
            yield str(ip_address(value))

"""
What a certificate says of itself, trusted or not.

Python tells the contents of a certificate only once it is verified, and the one that is worth a look here is not. So
`cryptography` reads it, which comes with the extra `local`.
"""

from __future__ import annotations

import hashlib
import ssl
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509


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


def can_read_certificates() -> bool:
    """Whether the library that does it is installed."""
    return find_spec("cryptography") is not None


def parse_certificate(der: bytes) -> Certificate:
    """A certificate from its DER form (RFC 5280); ValueError for bytes that are none."""
    # Only `doctor` looks at certificates, and the library is optional.
    from cryptography import x509

    try:
        with warnings.catch_warnings():  # of a certificate's flaws, which are not ours to tell
            warnings.simplefilter("ignore")
            return _describe(x509.load_der_x509_certificate(der), der)
    except (
        Exception
    ) as exc:  # its errors have no base in common: InvalidVersion, DuplicateExtension, ValueError
        raise ValueError("not a certificate") from exc


def _describe(found: x509.Certificate, der: bytes) -> Certificate:
    return Certificate(
        subject=_format_name(found.subject),
        issuer=_format_name(found.issuer),
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
        names=tuple(_list_names(found)),
        der=der,
    )


def _format_name(name: x509.Name) -> str:
    """`CN=…, O=…` in the order of the certificate."""
    parts = [f"{each.rfc4514_attribute_name}={_decode(each.value)}" for each in name]
    return ", ".join(parts) or "(no name)"


def _decode(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.hex()


def _list_names(found: x509.Certificate) -> Iterator[str]:
    from cryptography import x509

    # Not `get_extension_for_class`: it raises for a certificate without names, which is one to be shown too.
    for extension in found.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            for name in extension.value:
                if isinstance(name, x509.DNSName | x509.IPAddress):
                    yield str(name.value)

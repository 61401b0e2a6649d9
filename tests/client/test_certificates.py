"""Certificates read from their bytes, as the cryptography library reads them."""

from __future__ import annotations

import ssl
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from spectronctl.client._certificates import parse_certificate
from spectronctl.client.probes import _read_chain

AUTHORITY = trustme.CA(organization_name="Acme Ä", organization_unit_name="Proxy CA")
LEAF = AUTHORITY.issue_cert("a.example", "*.b.example", "127.0.0.1", "::1", common_name="a")


def to_der(pem: bytes) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.decode())


DER = to_der(LEAF.cert_chain_pems[0].bytes())


@pytest.mark.parametrize("pem", [AUTHORITY.cert_pem.bytes(), LEAF.cert_chain_pems[0].bytes()])
def test_the_fields_are_those_that_cryptography_reads(pem: bytes) -> None:
    ours, theirs = parse_certificate(to_der(pem)), x509.load_pem_x509_certificate(pem)
    assert ours.not_before == theirs.not_valid_before_utc
    assert ours.not_after == theirs.not_valid_after_utc
    attributes = [str(attribute.value) for attribute in theirs.subject]
    assert [part.partition("=")[2] for part in ours.subject.split(", ")] == attributes
    assert ours.is_root == (theirs.subject == theirs.issuer)
    assert ours.pem.split() == pem.decode().split()


def test_names_are_hosts_and_addresses() -> None:
    found = parse_certificate(DER)
    assert found.names == ("a.example", "*.b.example", "127.0.0.1", "::1")
    assert found.issuer == "O=Acme Ä, OU=Proxy CA"
    assert found.fingerprint.count(":") == 31


ROOT = to_der(AUTHORITY.cert_pem.bytes())
JUNK = b"no certificate"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ([DER, JUNK, ROOT], [DER, ROOT]),
        ([DER, ROOT, JUNK], [DER, ROOT]),
        ([JUNK, ROOT], []),  # the authority's is not the server's own
        ([], [DER]),
    ],
)
def test_a_certificate_that_cannot_be_read_hides_no_other_of_the_chain(
    sent: list[bytes], read: list[bytes]
) -> None:
    secured: Any = SimpleNamespace(
        get_unverified_chain=lambda: sent, getpeercert=lambda binary_form: DER
    )
    assert [each.der for each in _read_chain(secured)] == read


@given(
    cut=st.integers(0, len(DER)),
    changes=st.lists(st.tuples(st.integers(0, len(DER) - 1), st.integers(0, 255)), max_size=5),
)
@settings(max_examples=500, deadline=None)
def test_whatever_the_bytes_are_it_is_a_certificate_or_a_value_error(
    cut: int, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(DER)
    for at, value in changes:
        data[at] = value
    try:
        found = parse_certificate(bytes(data[:cut]))
    except ValueError:
        return
    assert found.subject


def test_without_the_library_nothing_is_read_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("spectronctl.client.probes.can_read_certificates", lambda: False)
    secured: Any = SimpleNamespace(getpeercert=lambda binary_form: DER)
    assert _read_chain(secured) == ()

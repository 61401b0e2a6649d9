"""Which protocol an answer is of, by its first bytes."""

from __future__ import annotations

import pytest

from spectronctl.client._protocols import Protocol, is_settled, parse_status, recognise


@pytest.mark.parametrize(
    ("data", "protocol"),
    [
        (b"", Protocol.NONE),
        (b"HTTP/1.1 200 OK\r\n\r\n", Protocol.HTTP),
        (b"HTTP/1.0 400 Bad Request\r\n\r\n", Protocol.HTTP),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Protocol.OTHER),
        (bytes.fromhex("15030100020228"), Protocol.TLS),
        (b"220 mail ESMTP\r\n", Protocol.OTHER),
        (bytes(64), Protocol.OTHER),
    ],
)
def test_what_is_recognised(data: bytes, protocol: Protocol) -> None:
    assert recognise(data) is protocol


@pytest.mark.parametrize(
    ("data", "settled"),
    [
        (b"", False),
        (b"HT", False),
        (b"HTTP/1.1 200 OK\r\n", False),
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"SSH-2.0-x", True),
        (b"SSH\n", True),
        (bytes(8), False),
        (bytes(9), True),
    ],
)
def test_how_much_is_enough(data: bytes, settled: bool) -> None:
    assert is_settled(data) is settled


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"HTTP/1.1 407 No\r\n", 407),
        (b"HTTP/1.1 407\r\n", 407),
        (b"HTTP/1.1", None),
        (b"x y z", None),
        (b"HTTP/1.1 20 No\r\n", None),
        (b"HTTP/1.1 2000 No\r\n", None),
        (b"HTTP/1.1 " + b"9" * 5_000 + b" No\r\n", None),
    ],
)
def test_the_status_of_an_answer(data: bytes, status: int | None) -> None:
    assert parse_status(data) == status

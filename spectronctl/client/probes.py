"""
The way to a server, walked hop by hop to find where it ends. No key is ever sent from here.

Each probe opens connections of its own, and `timeout` (seconds) bounds each step of it. The resolver knows no such
bound: call from a thread where a hang is not acceptable.
"""

from __future__ import annotations

import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any

from spectronctl.client._certificates import (
    Certificate,
    can_read_certificates,
    parse_certificate,
)
from spectronctl.client._connection import list_addresses, trust_system
from spectronctl.client._failures import PROXY_HINT, REFUSED_HINT
from spectronctl.client._protocols import Protocol, is_settled, parse_status, recognise
from spectronctl.client._routes import Route, find_route
from spectronctl.errors import NetworkError
from spectronctl.ground.network_failures import explain_failure
from spectronctl.ground.text import clean, shorten

__all__ = [
    "LATE",
    "Certificate",
    "Greeting",
    "Protocol",
    "Reached",
    "Route",
    "Tls",
    "can_read_certificates",
    "find_route",
    "greet",
    "inspect_tls",
    "reach",
    "read_text",
    "resolve",
    "speaks_tls",
]

MAX_BYTES = 65_536
HEALTH = "/api/v1/health"
SYSTEM_STORE = "the system's store"
LATE = "no response in time"


@dataclass(frozen=True)
class Reached:
    """The address that took the connection, and those before it that did not, each with its reason."""

    address: str
    refused: dict[str, str]


@dataclass(frozen=True)
class Tls:
    """
    What a handshake showed: `certificates` are what the server sent, its own first.

    `trusted_by` is the store that verified it, None where there is a `failure`.
    """

    version: str
    certificates: tuple[Certificate, ...]
    trusted_by: str | None = None
    failure: ssl.SSLCertVerificationError | None = None


@dataclass(frozen=True)
class Greeting:
    """How a port responds to a request of HTTP/1.1; `is_late` when the time ran out."""

    data: bytes
    is_late: bool

    @property
    def protocol(self) -> Protocol:
        return recognise(self.data)

    @property
    def status(self) -> int | None:
        return parse_status(self.data)

    @property
    def text(self) -> str:
        """The first line, fit to be shown."""
        return shorten(clean(self.data.split(b"\n")[0].decode(errors="replace")), 60)


def resolve(route: Route) -> list[str]:
    """Every address of the next hop, in the order they are tried; NetworkError. Not bounded."""
    host, port = route.hop
    try:
        return list_addresses(host, port)
    except (socket.gaierror, UnicodeError):
        raise NetworkError(
            f"the name {host} does not resolve",
            hint="Is it spelled right? Does this machine's resolver know it: a VPN, /etc/hosts?",
        ) from None


def reach(route: Route, timeout: float) -> Reached:
    """Connect to the next hop, and have a proxy open the way to a server that speaks TLS; NetworkError."""
    connection, reached = _connect(route, timeout)
    with connection:
        _open_tunnel(connection, route)
    return reached


def _connect(route: Route, timeout: float) -> tuple[socket.socket, Reached]:
    refused: dict[str, str] = {}
    addresses = resolve(route)
    for address in addresses:
        try:
            # One after the other here, unlike the client's race: each address that is dead is to be told with its own
            # reason. They share the time, so that the second is reached at all.
            connection = socket.create_connection((address, route.hop[1]), timeout / len(addresses))
        except OSError as exc:
            refused[address] = _explain(exc)
        else:
            connection.settimeout(timeout)
            return connection, Reached(address, refused)
    reasons = _join_reasons(route.hop[0], refused)
    raise NetworkError(
        f"cannot reach {route.hop_name}: {reasons}",
        hint=PROXY_HINT if route.proxy else REFUSED_HINT,
    )


def _join_reasons(host: str, refused: dict[str, str]) -> str:
    # The URL names an address, which the message has said already.
    if list(refused) == [host]:
        return refused[host]
    return "; ".join(f"{address}: {reason}" for address, reason in refused.items())


def _explain(exc: OSError) -> str:
    return LATE if isinstance(exc, TimeoutError) else explain_failure(exc)


def _open_tunnel(connection: socket.socket, route: Route) -> None:
    """CONNECT (RFC 9110, 9.3.6), where httpx would ask for it too."""
    if route.proxy is None or not route.is_open or not route.is_secure:
        return
    authority = "{}:{}".format(*_bracket(route.server))
    head = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{_authorize(route)}\r\n"
    greeting = _exchange(connection, head.encode())
    # Any 2xx opens the tunnel, not 200 alone.
    if greeting.status is None or not 200 <= greeting.status < 300:
        raise NetworkError(
            f"{route.hop_name} opens no way to {authority}: {greeting.text or 'no response'}",
            hint=PROXY_HINT,
        )


def _bracket(server: tuple[str, int]) -> tuple[str, int]:
    host, port = server
    return (f"[{host}]" if ":" in host else host), port


def _authorize(route: Route) -> str:
    """The proxy's own name and password, which are meant for it; no key of Spectron's."""
    if route.proxy is None or not route.proxy.userinfo:
        return ""
    # httpx has undone the percent-encoding of both, so a password may hold `@` and `:`.
    words = f"{route.proxy.username}:{route.proxy.password}".encode()
    return f"Proxy-Authorization: Basic {b64encode(words).decode()}\r\n"


def _exchange(connection: socket.socket, request: bytes) -> Greeting:
    data = b""
    try:
        connection.sendall(request)
        while not is_settled(data) and len(data) < MAX_BYTES and (piece := connection.recv(4096)):
            data += piece
    except OSError as exc:  # what came before counts
        return Greeting(data, is_late=isinstance(exc, TimeoutError))
    return Greeting(data, is_late=False)


def inspect_tls(route: Route, ca_file: str | None, timeout: float) -> Tls:
    """
    Shake hands as a client would, and look at the certificates, trusted or not.

    NetworkError without a connection; SSLError, or another OSError, when no TLS comes about at all.
    """
    # The system's store alone first: that is how one learns whether `ca_file` was needed. Each try is a connection of
    # its own, since a failed handshake leaves none to go on with.
    stores = {SYSTEM_STORE: None} | ({f"ca_file {ca_file}": ca_file} if ca_file else {})
    failure = None
    for store, file in stores.items():
        try:
            with _shake(route, trust_system(file), timeout) as secured:
                return Tls(secured.version() or "?", _read_chain(secured), trusted_by=store)
        except ssl.SSLCertVerificationError as exc:
            failure = exc
    with _shake(route, _trust_every_certificate(), timeout) as secured:
        return Tls(secured.version() or "?", _read_chain(secured), failure=failure)


def _trust_every_certificate() -> ssl.SSLContext:
    """To look at a certificate that is not trusted. Nothing is sent over it that is not for all to see."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # In this order: Python refuses CERT_NONE while names are still checked.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def _shake(route: Route, context: ssl.SSLContext, timeout: float) -> Iterator[ssl.SSLSocket]:
    # As httpx does without HTTP/2. Servers and middleboxes choose their certificate or refuse by it, and then the
    # probe must see what a command sees.
    context.set_alpn_protocols(["http/1.1"])
    connection, _ = _connect(route, timeout)
    with connection:
        _open_tunnel(connection, route)
        with context.wrap_socket(connection, server_hostname=route.server[0]) as secured:
            yield secured


def _read_chain(secured: ssl.SSLSocket) -> tuple[Certificate, ...]:
    """
    What the server sent, its own certificate first; at least that one where more cannot be had.

    Others that cannot be read are left out. Without its own there is none: the next would be taken for it. Nor is there
    any without the library that reads them.
    """
    if not can_read_certificates():
        return ()
    chain = [der for der in map(_to_der, _list_unverified(secured)) if der]
    found = chain or [secured.getpeercert(binary_form=True) or b""]
    own, *others = map(_try_certificate, found)
    return (own, *filter(None, others)) if own else ()


def _try_certificate(der: bytes) -> Certificate | None:
    with suppress(ValueError):
        return parse_certificate(der)
    return None


def _list_unverified(secured: Any) -> list[Any]:
    """Public from Python 3.13 on; before that one layer down, where truststore takes it from too."""
    # 3.13's method returns DER bytes; the one below returns objects that write PEM, or None without a chain
    # (`_to_der`).
    ask = getattr(secured, "get_unverified_chain", None) or getattr(
        getattr(secured, "_sslobj", None), "get_unverified_chain", None
    )
    return list(ask() or ()) if ask else []


def _to_der(certificate: Any) -> bytes:
    if isinstance(certificate, bytes):
        return certificate
    return ssl.PEM_cert_to_DER_cert(certificate.public_bytes())


def greet(route: Route, timeout: float) -> Greeting:
    """Ask for the server's health in HTTP/1.1, and take what comes; NetworkError without a connection."""
    request = _write_request(route, route.url.path.rstrip("/") + HEALTH)
    try:
        with _open(route, timeout) as connection:
            return _exchange(connection, request)
    except OSError as exc:
        raise NetworkError(f"no TLS with {route.server[0]}: {_explain(exc)}") from None


def speaks_tls(route: Route, timeout: float) -> bool:
    """Whether a TLS server is there, whatever the URL says."""
    # SSLError is an OSError. A certificate that is not trusted is no reason for False: that is a TLS server as well.
    with suppress(OSError, NetworkError), _shake(route, _trust_every_certificate(), timeout):
        return True
    return False


def read_text(route: Route, path: str, timeout: float) -> str:
    """The body of a GET at the server's root, empty when it is none of plain text."""
    with suppress(OSError, NetworkError, HTTPException), _open(route, timeout) as connection:
        connection.sendall(_write_request(route, path))
        # The standard library's parser: httpx would need a whole client, with its own way through proxies, for a
        # socket that is open already.
        response = HTTPResponse(connection)
        response.begin()
        return response.read(MAX_BYTES).decode(errors="replace") if response.status == 200 else ""
    return ""


@contextmanager
def _open(route: Route, timeout: float) -> Iterator[socket.socket]:
    if route.is_secure:
        with _shake(route, _trust_every_certificate(), timeout) as secured:
            yield secured
        return
    connection, _ = _connect(route, timeout)
    with connection:
        yield connection


def _write_request(route: Route, path: str) -> bytes:
    host, port = _bracket(route.server)
    target, more = path, ""
    if route.proxy is not None and not route.is_secure:
        # A proxy takes plain http as a request for an absolute address, not through a tunnel (RFC 9112, 3.2.2).
        target, more = f"http://{host}:{port}{path}", _authorize(route)
    return (
        f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: */*\r\n"
        f"Connection: close\r\n{more}\r\n"
    ).encode()

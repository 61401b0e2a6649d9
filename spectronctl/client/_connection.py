"""How a client reaches its server: its addresses, the proxy in play and the certificates to trust."""

from __future__ import annotations

import os
import socket
import ssl
from importlib.util import find_spec

from spectronctl.client._httpx import httpx
from spectronctl.client._proxies import choose_proxy
from spectronctl.errors import ConfigError


def parse_url(text: str, schemes: tuple[str, ...] = ("http", "https")) -> httpx.URL | None:
    """The URL of a host that one could connect to, or None; httpx alone takes more than the network does."""
    try:
        url = httpx.URL(text)
        # httpx takes `a..b` and a label of 70 letters, and the resolver then fails with UnicodeError instead of an
        # OSError.
        url.raw_host.decode("ascii").encode("idna")  # refuses empty and endless labels
    except (httpx.InvalidURL, UnicodeError):
        return None
    # httpx quotes what cannot be in a host (`a b` becomes `a%20b`), takes `http://` without any, and ports 0 and
    # 99999.
    named = url.scheme in schemes and url.host and "%" not in url.host
    return url if named and (url.port is None or 0 < url.port < 65_536) else None


def list_addresses(host: str, port: int) -> list[str]:
    """Every address of a name, in the order to try them. Not bounded; socket.gaierror, UnicodeError for no name."""
    # Without the type each address comes three times: for streams, datagrams and raw sockets. /etc/hosts may repeat
    # one too.
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def find_proxy(base_url: httpx.URL) -> tuple[str | None, str]:
    """The proxy that the environment names for this server, and the variable it comes from; without one, why."""
    return choose_proxy(base_url.scheme, base_url.host, base_url.port, os.environ)


def parse_proxy(proxy: str, source: str = "the setting `proxy`") -> httpx.URL:
    """Check a proxy's URL; ConfigError names its source and never shows it, since it may hold a password."""
    url = parse_url(proxy, ("http", "https", "socks5", "socks5h"))
    if url is None:
        raise ConfigError(
            "proxy: not a URL like http://HOST:PORT",
            hint=f"It comes from {source}.",
        )
    if url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigError(
            "proxy: SOCKS needs the package socksio, which is not installed",
            hint="Install it beside spectronctl, or name the server in NO_PROXY.",
        )
    return url


def format_origin(url: httpx.URL) -> str:
    """Scheme, host and port: what may be shown of a URL that could hold credentials."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}" + (f":{url.port}" if url.port else "")


def trust_system(ca_file: str | None) -> ssl.SSLContext:
    """The system's certificates, and those in `ca_file` (PEM)."""
    # Only here: plain http needs none of it.
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is not None:
        _add_certificates(context, ca_file)
    return context


def _add_certificates(context: ssl.SSLContext, ca_file: str) -> None:
    try:
        context.load_verify_locations(ca_file)
    except ssl.SSLError:
        problem = "holds no certificate in PEM form"
    except OSError as exc:
        problem = (exc.strerror or "cannot be read").lower()
    else:
        return
    raise ConfigError(
        f"ca_file: {ca_file}: {problem}",
        hint="It names a PEM file with the certificate authority that signed the server's certificate.",
    )


def trust_no_certificate() -> ssl.SSLContext:
    """For plain http: it costs nothing, and should TLS come up after all, it trusts no certificate."""
    # With True or nothing in its place httpx loads certifi's bundle into every client: measured at 77 ms, this at 3
    # ms.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

"""What a client is made with: checked once, before anything is sent."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from secrets import token_hex
from typing import Any, cast

from spectronctl import __version__
from spectronctl.client._connection import (
    find_proxy,
    parse_proxy,
    parse_url,
    trust_no_certificate,
    trust_system,
)
from spectronctl.client._httpx import httpx
from spectronctl.errors import ConfigError
from spectronctl.ground.vocabulary import AUTH_HEADERS, AuthHeader

KEY_HEADERS = ("Authorization", "API-KEY")

MAX_TIMEOUT = 86_400.0
"""A day, in seconds: far below what a socket or an event loop can still count."""


@dataclass(frozen=True)
class Settings:
    """
    A client's settings, checked.

    `base_url` ends in neither a slash nor `/api/v1`; `timeout` bounds a whole call, in seconds; `retries` counts
    attempts after the first; `proxy` is the one in play, if any. The ids of all requests over the same connections
    begin with `token`.
    """

    base_url: str
    timeout: float
    retries: int
    proxy: httpx.URL | None = field(repr=False)
    auth_header: AuthHeader
    headers: dict[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    has_key: bool
    token: str = field(default_factory=lambda: token_hex(8))

    def with_key(self, api_key: str, auth_header: AuthHeader | None = None) -> Settings:
        """The same, signing with another key, and in other headers if so told; the first one stays a secret."""
        key = _parse_key(api_key)
        others = {name: text for name, text in self.headers.items() if name not in KEY_HEADERS}
        return replace(
            self,
            headers={**others, **_authorize(key, auth_header or self.auth_header)},
            secrets=(*self.secrets, key),
            has_key=True,
        )


def parse_settings(
    base_url: str,
    *,
    api_key: str | None,
    auth_header: str,
    timeout: float,
    retries: int,
    proxy: str | None,
    transport: object,
) -> Settings:
    """Check what a client was given; ConfigError names the field, and never shows a secret."""
    url = _parse_base_url(base_url)
    key = None if api_key is None else _parse_key(api_key)
    # The caller's own transport goes its own way, also past the environment: tests and the in-process server are
    # never asked which proxy is set.
    proxy_url = None if transport is not None else _choose_proxy(httpx.URL(url), proxy)
    return Settings(
        base_url=url,
        timeout=_parse_timeout(timeout),
        retries=_parse_retries(retries),
        proxy=proxy_url,
        auth_header=cast("AuthHeader", auth_header),
        headers={
            "Accept": "application/json",
            # httpx would add br and zstd wherever their packages happen to be installed. `check_head` refuses
            # whatever is not named here.
            "Accept-Encoding": "gzip, deflate",
            "Cache-Control": "no-store",
            "User-Agent": f"spectronctl/{__version__}",
            **_authorize(key, auth_header),
        },
        # What messages must not repeat: a server or a proxy may quote what it was sent.
        secrets=tuple(filter(None, (key, proxy_url.password if proxy_url else None))),
        has_key=key is not None,
    )


def _choose_proxy(url: httpx.URL, given: str | None) -> httpx.URL | None:
    """The proxy that was given, "" for none, or else the environment's."""
    if given is not None:
        return parse_proxy(given) if given else None
    proxy, source = find_proxy(url)
    return parse_proxy(proxy, source) if proxy else None


def build_transport_arguments(settings: Settings, ca_file: str | None) -> dict[str, Any]:
    """
    What httpx's transport is made with.

    It gets no view of the environment: it would take credentials from there, build a connection pool for every proxy
    named there, and load certificates that plain http does not need.
    """
    secure_proxy = settings.proxy is not None and settings.proxy.scheme == "https"
    # The certificates are loaded only where TLS is in play, which is what makes a call to this machine fast.
    secure = secure_proxy or settings.base_url.startswith("https:")
    context = trust_system(ca_file) if secure else trust_no_certificate()
    # httpcore raises RuntimeError for a context beside an http:// proxy.
    proxy = settings.proxy and httpx.Proxy(
        settings.proxy, ssl_context=context if secure_proxy else None
    )
    return {"trust_env": False, "verify": context, "proxy": proxy}


def build_client_arguments() -> dict[str, Any]:
    """What httpx's client is made with beside that: no view of the environment, and no cookie is kept or sent back."""
    return {"trust_env": False, "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=()))}


def _authorize(key: str | None, auth_header: str) -> dict[str, str]:
    choices = AUTH_HEADERS
    if auth_header not in choices:
        raise ConfigError(
            f"auth_header: {auth_header!r} is not one of {', '.join(choices)}", candidates=choices
        )
    if key is None:
        return {}
    bearer, plain = {"Authorization": f"Bearer {key}"}, {"API-KEY": key}
    return {"both": bearer | plain, "bearer": bearer, "api-key": plain}[auth_header]


def _parse_key(api_key: str) -> str:
    # A key out of a file brings its line's end along.
    key = api_key.strip()
    # Checked here, because h11 quotes the whole value in `Illegal header value …`, and that would be the key.
    if re.fullmatch(r"[\x21-\x7e]+", key):
        return key
    if not key:
        problem = "it is empty"
    elif len(key.splitlines()) > 1:
        problem = "it holds a line break"
    else:
        problem = "it holds blanks, control characters or characters beyond ASCII"
    raise ConfigError(
        f"api_key: {problem}",
        hint="A key is one line of printable ASCII. Look at where it comes from: a file of two lines, a copied page?",
    )


def _parse_base_url(base_url: str) -> str:
    text = base_url.strip()
    if "@" in text:  # these two come first, since every other message shows the URL
        raise _refuse_url("it holds a user or password (`…@`)")
    if "?" in text or "#" in text:
        raise _refuse_url("it has a query or a fragment")
    url = parse_url(text)
    if url is None:
        raise _refuse_url(f"{text!r} is not an http:// or https:// address")
    # People copy the address with the API's own path out of documentation, and every path of a request begins with
    # it.
    return str(url).rstrip("/").removesuffix("/api/v1")


def _refuse_url(problem: str) -> ConfigError:
    hint = "Give the server's address as http(s)://HOST[:PORT][/PREFIX] (--url, SPECTRON_URL or the profile's url)."
    return ConfigError(f"base_url: {problem}", hint=hint)


def _parse_timeout(timeout: float) -> float:
    if not (math.isfinite(timeout) and 0 < timeout <= MAX_TIMEOUT):
        raise ConfigError(
            f"timeout: {timeout} is not between 0 and {MAX_TIMEOUT:.0f} seconds",
            hint="It bounds one whole call, retries included.",
        )
    return float(timeout)


def _parse_retries(retries: int) -> int:
    if retries < 0:
        raise ConfigError(f"retries: {retries} is negative", hint="0 sends every request once.")
    return retries

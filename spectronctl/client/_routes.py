"""The way from here to a server: its address, and the proxy in play."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from spectronctl.client._connection import find_proxy, format_origin, parse_proxy
from spectronctl.client._httpx import httpx
from spectronctl.ground.addresses import DEFAULT_PORTS


@dataclass(frozen=True)
class Route:
    """A server's URL, and the proxy in play with where that comes from (or why there is none)."""

    url: httpx.URL
    proxy: httpx.URL | None = field(repr=False)
    proxy_source: str

    @property
    def is_secure(self) -> bool:
        return self.url.scheme == "https"

    @property
    def server(self) -> tuple[str, int]:
        """Host and port that the URL names."""
        # httpx drops a port that is its scheme's default: `https://host:443` has none.
        return self.url.host, self.url.port or DEFAULT_PORTS[self.url.scheme]

    @property
    def hop(self) -> tuple[str, int]:
        """Host and port that one connects to."""
        if self.proxy is None:
            return self.server
        default = DEFAULT_PORTS.get(self.proxy.scheme, 1080)
        return self.proxy.host, self.proxy.port or default

    @property
    def hop_name(self) -> str:
        """The same in words; of a proxy nothing that could be a password."""
        if self.proxy is not None:
            return f"the proxy {format_origin(self.proxy)}"
        host, port = self.server
        return f"{host} port {port}"

    @property
    def is_open(self) -> bool:
        """Whether one can go all the way by hand: a proxy that speaks TLS or SOCKS itself is left to httpx."""
        return self.proxy is None or self.proxy.scheme == "http"

    def switch(self, scheme: str) -> Route:
        """The same host and port under the other scheme."""
        # With the port, or the other scheme's default would take its place: 443 would become 80.
        return replace(self, url=self.url.copy_with(scheme=scheme, port=self.server[1]))


def find_route(base_url: str, proxy: str | None, source: str) -> Route:
    """The way that a client takes: through `proxy` from `source`, or as the environment says; ConfigError."""
    url = httpx.URL(base_url)
    if proxy is None:
        proxy, source = find_proxy(url)
    return Route(url, parse_proxy(proxy, source) if proxy else None, source)

"""
Which proxy the environment wants for a server: the rules of curl, in one pure function.

httpx and urllib know fewer forms of NO_PROXY than curl, and what they miss goes to the proxy with its key: neither is
asked. Where programs disagree, the reading that keeps the key from the proxy counts: beside what curl takes, entries
may have a port, brackets or a leading `*.`, and `;` separates them too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network

from spectronctl.ground.addresses import DEFAULT_PORTS, canonical_host, is_loopback, parse_address

NO_PROXY_VARIABLES = ("no_proxy", "NO_PROXY")

_SEPARATORS = re.compile(r"[\s,;]+")
_PORT = re.compile(r"(\[[^\]]*\]|[^:]*):([0-9]+)")


def choose_proxy(
    scheme: str, host: str, port: int | None, env: Mapping[str, str]
) -> tuple[str | None, str]:
    """
    The proxy for a server, and the variable that names it; without one, why.

    Neither may be shown as it is: a proxy's URL may hold a password.
    """
    source = _find_variable(f"{scheme}_proxy", env) or _find_variable("all_proxy", env)
    if source is None:
        return None, "no proxy is set"
    # After the proxy was found, so that the message can name both: which variable would apply, and which entry keeps
    # it out.
    entry = find_exception(host, port or DEFAULT_PORTS[scheme], env)
    if entry is not None:
        variable, text = entry
        return None, f"{variable} takes {host} out of {source} (entry {text})"
    if scheme == "http" and is_loopback(host):
        # No other machine's proxy leads back to this one, and it would read the key.
        return None, f"{host} is this machine, which {source} is not used for"
    proxy = env[source].strip()
    return (proxy if "://" in proxy else f"http://{proxy}"), source


def _find_variable(name: str, env: Mapping[str, str]) -> str | None:
    """The variable that counts, in lower case first as curl has it; an empty one is as good as none."""
    # A CGI server passes a request's header `Proxy` on as HTTP_PROXY: anyone could send it.
    is_header = name == "http_proxy" and "REQUEST_METHOD" in env
    spellings = (name,) if is_header else (name, name.upper())
    return next((each for each in spellings if env.get(each, "").strip()), None)


def find_exception(host: str, port: int, env: Mapping[str, str]) -> tuple[str, str] | None:
    """The variable and its entry that keep a server from any proxy, None without one."""
    variable = next((each for each in NO_PROXY_VARIABLES if env.get(each)), None)
    if variable is None:
        return None
    entries = filter(None, _SEPARATORS.split(env[variable]))
    found = next((each for each in entries if _covers(each, canonical_host(host), port)), None)
    return (variable, found) if found else None


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    if (found := _PORT.fullmatch(entry)) and parse_address(entry) is None:
        entry = found[1]
        if int(found[2]) != port:
            return False
    address = parse_address(host)
    if address is not None:
        return _holds(entry, str(address))
    domain = canonical_host(entry.removeprefix("*").removeprefix("."))
    # With the dot before both, `example.com` covers `a.example.com` and itself, and not `badexample.com`.
    return bool(domain) and f".{host}".endswith(f".{domain}")


def _holds(entry: str, address: str) -> bool:
    """Whether a range, or a single address in any form, holds the address."""
    network, slash, bits = entry.partition("/")
    first = parse_address(network)
    if first is None:
        return False
    try:
        # `strict=False`: people write `10.1.2.3/8`, with bits of the host in it, and curl takes it.
        return parse_address(address) in ip_network(f"{first}{slash}{bits}", strict=False)
    except ValueError:
        return False

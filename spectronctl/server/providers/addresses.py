"""Which addresses belong to the public internet, and not to this machine or the networks around it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_UNICAST = IPv6Network("2000::/3")
_TRANSLATED = IPv6Network("64:ff9b::/96")  # NAT64: the last 32 bits are an IPv4 address
_6TO4 = IPv6Network("2002::/16")  # carries an IPv4 address, too, and is used by no service


def is_public(address: str) -> bool:
    """Whether an IP address, as text, is a public one of a single host."""
    # The resolver puts the interface behind a link-local address: `fe80::1%eth0`.
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip in _TRANSLATED:
            ip = IPv4Address(int(ip) & 0xFFFF_FFFF)
        elif ip not in _UNICAST or ip in _6TO4:
            return False
    # Python counts most multicast groups among the global addresses.
    return ip.is_global and not ip.is_multicast

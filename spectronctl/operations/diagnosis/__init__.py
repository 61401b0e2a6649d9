"""What is wrong between here and a Spectron server: checks of the way, of the server, of the keys."""

from collections.abc import Iterator
from functools import partial

from spectronctl.operations.diagnosis import _access, _network, _server
from spectronctl.operations.diagnosis._engine import Check, Finding, Result, diagnose
from spectronctl.operations.diagnosis._network import find_authority
from spectronctl.operations.diagnosis._subject import Subject, Target

__all__ = [
    "Check",
    "Finding",
    "Result",
    "Subject",
    "Target",
    "diagnose",
    "find_authority",
    "list_checks",
]

_CHECKS = (
    ("proxy", _network.check_proxy, ("settings",)),
    ("dns", _network.check_dns, ("proxy",)),
    ("tcp", _network.check_tcp, ("dns",)),
    ("tls", _network.check_tls, ("tcp",)),
    ("protocol", _network.check_protocol, ("tls",)),
    ("health", _server.check_health, ("protocol", "store")),
    ("clock", _server.check_clock, ("health",)),
    ("auth_header", _access.check_auth_header, ("health", "keys")),
    ("management_key", _access.check_management_key, ("auth_header",)),
    ("schema", _access.check_schema, ("management_key",)),
    ("context", _access.check_context, ("auth_header",)),
    ("capabilities", _access.check_capabilities, ("auth_header",)),
)
"""In this order, each with what it needs; `settings`, `keys` and `store` come before, from the caller."""


def list_checks(subject: Subject) -> Iterator[Check]:
    """The checks of a server, from the way there to what the keys open."""
    for name, look, needs in _CHECKS:
        yield Check(name, partial(look, subject), needs)

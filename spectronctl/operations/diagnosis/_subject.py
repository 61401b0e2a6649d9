"""What is being diagnosed, as far as the checks have come."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spectronctl.client import Client
from spectronctl.client.probes import Route, Tls
from spectronctl.operations.diagnosis._engine import Finding

if TYPE_CHECKING:
    from spectronctl.ground.vocabulary import AuthHeader

NOT_IN_PLAY = Finding("no network in play: the server is in this process", "skipped")


@dataclass(frozen=True, kw_only=True)
class Target:
    """
    A server and how it is to be reached, from the settings; `limit` in seconds bounds each check.

    `client` signs nothing and sends everything once. A server that `is_local` wants no key, and one without
    `has_network` is in this process. `profile` is the one that could be changed, if any.
    """

    url: str
    profile: str | None
    context: str | None
    auth_header: AuthHeader
    ca_file: str | None
    proxy: str | None
    proxy_source: str
    limit: float
    is_local: bool
    has_network: bool
    client: Client

    def advise(self, field: str, value: str) -> str:
        """The command that sets one field of the profile, or the variable that does the same without one."""
        if self.profile is None:
            return f"export SPECTRONCTL_{field.upper()}={shlex.quote(value)}"
        return f"spectronctl profiles set {self.profile} {field} {shlex.quote(value)}"


@dataclass
class Subject:
    """What the checks before have found, for those that come after and need them."""

    target: Target = field(init=False)
    management_key: str | None = field(default=None, repr=False)
    context_key: str | None = field(default=None, repr=False)
    route: Route = field(init=False)
    address: str | None = None
    tls: Tls | None = None
    seen_context: str | None = None
    """A context that is there: the chosen one if it was found, or else the first of the server's list."""
    is_operator: bool = False
    """Whether the server takes the management key."""

    def sign(self, key: str | None, auth_header: AuthHeader | None = None) -> Client:
        """The client that sends this key, in the headers that the settings name or in another one."""
        target = self.target
        return target.client.with_key(key, auth_header) if key else target.client

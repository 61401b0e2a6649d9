"""Who a key is."""

from __future__ import annotations

from pydantic import Field

from spectronctl.models._base import Model

Grants = dict[str, list[str]]
"""Verb → scope patterns."""


class Identity(Model):
    """
    Response of `GET /{context}/me`: the caller, the grants of the principal and the key, and what is left of them.

    Only our own server names the key; elsewhere the principal may be named like it.
    The data plane writes camelCase; read either way, shown in snake_case like everything else.
    """

    principal_id: str
    kind: str | None = None
    display_name: str | None = None
    key_id: str | None = None
    key_name: str | None = None
    grants: Grants = Field(default_factory=dict)
    token_grants: Grants | None = None
    effective_grants: Grants = Field(default_factory=dict)
    delegated_principal_id: str | None = None

    def names_key(self, *names: str) -> bool:
        """Whether the caller is the key that has one of these ids and names."""
        if self.key_id is not None:
            return self.key_id in names
        return self.principal_id in names

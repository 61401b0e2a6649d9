"""Principals: who acts in a context, and what each may do."""

from __future__ import annotations

from pydantic import Field

from spectronctl.models._base import Model
from spectronctl.models.identity import Grants
from spectronctl.models.keys import Key


class Principal(Model):
    """One principal: `grants` are verbs with the scope patterns over which each is held."""

    id: str
    kind: str | None = None
    display_name: str | None = None
    external_id: str | None = None
    grants: Grants = Field(default_factory=dict)
    created_at: str | None = None


class Effective(Model):
    """The verbs that a principal holds, or held, over a path."""

    path: str
    verbs: list[str]
    as_of: str | None = None


class Holder(Principal):
    """A principal that may do something, and those of its keys that may."""

    keys: list[Key] = Field(default_factory=list)


class Holders(Model):
    """Who holds a verb over a path, by itself or through which keys."""

    verb: str
    path: str
    principals: list[Holder]

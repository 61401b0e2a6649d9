"""Principals, as requests ask for them and as responses show them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field

from spectronctl.ground.vocabulary import VERBS, PrincipalKind
from spectronctl.models.identity import Grants
from spectronctl.server.access.grants import Rights, make_rights
from spectronctl.server.access.patterns import AnyGrants, AnyPattern, AnyVerb
from spectronctl.server.http.bodies import Body
from spectronctl.server.http.fields import PRINTABLE
from spectronctl.server.http.responses import PlaneResponse
from spectronctl.server.registry.rows import PrincipalRow

_Name = Annotated[str, Field(min_length=1, max_length=128), PRINTABLE]


class GrantBody(Body):
    """Body of `POST` and `DELETE /{context}/principals/{id}/grants`."""

    EXAMPLE: ClassVar = {"path": "org/acme/*", "verbs": ["memory:read"]}

    path: AnyPattern = Field(
        description="org/acme for that node alone, org/acme/* for it and all below it, /* for the whole context"
    )
    verbs: list[AnyVerb] = Field(min_length=1, max_length=len(VERBS))


class PrincipalBody(Body):
    """Body of `POST /contexts/{id}/principals`."""

    EXAMPLE: ClassVar = {
        "display_name": "Support desk",
        "kind": "agent",
        "external_id": "okta|17",
        "grants": {"memory:read": ["org/acme/*"]},
    }

    display_name: _Name = Field(description="Unique in the context")
    kind: PrincipalKind = "agent"
    external_id: _Name | None = Field(
        default=None,
        description="Unique in the context: a principal that has it is returned as it is",
    )
    grants: AnyGrants = Field(default={}, description="Verb to scope patterns")


class PrincipalPatchBody(Body):
    """Body of `PATCH /contexts/{id}/principals/{principal_id}`: what is left out stays as it is."""

    EXAMPLE: ClassVar = {"display_name": "Support desk, night shift"}

    display_name: _Name = ""
    kind: PrincipalKind = "agent"
    external_id: _Name | None = Field(default=None, description="Null takes it away")
    grants: AnyGrants = Field(default={}, description="In place of all those it has")


class GrantsBody(Body):
    """Body of `PUT /contexts/{id}/principals/{principal_id}/grants`."""

    EXAMPLE: ClassVar = {"grants": {"memory:read": ["org/acme/*"], "memory:write": ["org/acme"]}}

    grants: AnyGrants = Field(description="Verb to scope patterns, in place of those it has")


class PrincipalResponse(PlaneResponse):
    """A principal, with its grants as far as the caller manages them."""

    id: str
    kind: PrincipalKind
    display_name: str
    grants: Grants


class EffectiveResponse(PlaneResponse):
    """The verbs that a principal holds at a path, now or at a time."""

    path: str = Field(description="With a slash behind it; / is the root")
    verbs: list[str]
    as_of: datetime | None = Field(default=None, description="Present when it was asked for")


class PrincipalRecord(BaseModel):
    """A principal of a context, as operators see it."""

    id: str
    kind: PrincipalKind
    display_name: str
    external_id: str | None
    grants: Grants
    created_at: datetime


class PrincipalPage(BaseModel):
    """Principals in the order of their ids."""

    principals: list[PrincipalRecord]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page")
    has_more: bool


def format_record(row: PrincipalRow) -> PrincipalRecord:
    """A principal, for operators."""
    return PrincipalRecord(
        **_describe(row),
        external_id=row.external_id,
        grants=make_rights(row.grants).to_grants(),
        created_at=row.created_at.astimezone(UTC),
    )


def format_principal(row: PrincipalRow, visible: Rights) -> PrincipalResponse:
    """A principal, with what it holds where `visible` holds `grant:manage`."""
    held = make_rights(row.grants)
    managed = visible.get("grant:manage")
    if "/*" not in managed:
        held &= Rights(dict.fromkeys(VERBS, managed))
    return PrincipalResponse(**_describe(row), grants=held.to_grants())


def _describe(row: PrincipalRow) -> dict[str, Any]:
    return {"id": row.id, "kind": row.kind, "display_name": row.display_name}

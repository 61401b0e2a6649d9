"""Keys of a context, as requests ask for them and as responses show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, Field, JsonValue, WithJsonSchema

from spectronctl.ground.vocabulary import Principal, PrincipalKind
from spectronctl.models.identity import Grants
from spectronctl.server.access.patterns import AnyGrants
from spectronctl.server.http.bodies import Body
from spectronctl.server.http.fields import PRINTABLE, SCOPE_SEGMENT, Instant
from spectronctl.server.http.limits import KIB, MAX_SCOPE_SEGMENTS, MAX_SCOPES, MAX_SCOPES_BYTES
from spectronctl.server.http.problems import invalid
from spectronctl.server.registry.principals import SYSTEM, parse_principal_id
from spectronctl.server.registry.rows import KeyRow, is_expired

MAX_LIFE = timedelta(days=36_525)


def _check_scope_floor(floor: Any) -> Any:
    """`{"org": "acme"}`, or as the data plane spells scopes: a path, or several of them."""
    paths = _split_scope_floor(floor)
    names = [name for path in paths for name in path]
    if len(paths) > MAX_SCOPES or any(len(path) > MAX_SCOPE_SEGMENTS for path in paths):
        raise ValueError(f"must be at most {MAX_SCOPES} paths of {MAX_SCOPE_SEGMENTS} names each")
    if not names or not all(isinstance(one, str) and SCOPE_SEGMENT.fullmatch(one) for one in names):
        raise ValueError(
            'must be an object of names such as {"org": "acme"}, a path such as org/acme, or a '
            "list of paths, of names without /, * or white space; leave it out for a key of the whole context"
        )
    if sum(len(one.encode(errors="surrogatepass")) for one in names) > MAX_SCOPES_BYTES:
        raise ValueError(f"must be at most {MAX_SCOPES_BYTES} bytes in all")
    return floor


def _split_scope_floor(floor: Any) -> list[list[Any]]:
    """Its paths, as lists of their names; none for what is no floor."""
    if isinstance(floor, dict):
        # An object counts as one path, of its names and its values: both are bounded and checked alike.
        return [[*floor, *floor.values()]]
    paths = [floor] if isinstance(floor, str) else floor
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        return []
    return [path.strip("/").split("/") for path in paths]


_ScopeFloor = Annotated[
    Any,
    AfterValidator(_check_scope_floor),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
                {"type": "string", "minLength": 1, "examples": ["org/acme"]},
                {
                    "type": "array",
                    "items": {"type": "string"},
                    "minItems": 1,
                    "maxItems": MAX_SCOPES,
                },
            ],
        }
    ),
]


def _parse_principal_id(text: str) -> str:
    principal_id = parse_principal_id(text)
    if principal_id is None:
        raise ValueError("must be the id of a principal, principal:01K… or admin")
    if principal_id == SYSTEM:
        raise ValueError("must be another principal than system, which no key acts for")
    return principal_id


_PrincipalId = Annotated[str, AfterValidator(_parse_principal_id)]


class KeyBody(Body):
    """Body of `POST /contexts/{id}/keys`; at most one of the two expiries."""

    EXAMPLE: ClassVar = {
        "name": "app-agent",
        "principal": "agent",
        "scope_floor": {"org": "acme"},
    }

    name: Annotated[str, Field(min_length=1, max_length=128), PRINTABLE]
    principal: Principal = Field(
        default="agent",
        description="What the key's own principal may do; with `principal_id` it gives and limits nothing",
    )
    principal_id: _PrincipalId | None = Field(
        default=None,
        description="An existing principal of the context that the key acts for; without it, one is made for the key",
    )
    scope_floor: _ScopeFloor | None = Field(
        default=None,
        description=f"At most {MAX_SCOPES} paths of {MAX_SCOPE_SEGMENTS} names each, and "
        f"{MAX_SCOPES_BYTES // KIB} KiB in all",
    )
    # Not held to what the principal has: the successor of a key keeps its limits, whatever was revoked meanwhile.
    grants: AnyGrants | None = Field(
        default=None,
        description="What the key may do, of what its principal may; without it, all. It never gives more",
    )
    expires_at: Instant | None = Field(default=None, description="In the future, within 100 years")
    expires_in: int | None = Field(
        default=None, ge=1, le=int(MAX_LIFE.total_seconds()), description="Seconds"
    )

    def find_expiry(self, now: datetime) -> datetime | None:
        """When the key ends, None for never; 400 for both expiries, or one that is over or too far away."""
        if self.expires_at is not None and self.expires_in is not None:
            raise invalid("expires_at, expires_in: give one of them, not both")
        if self.expires_in is not None:
            return now + timedelta(seconds=self.expires_in)
        # By this server's clock, as at every use of the key.
        if self.expires_at is not None and not now < self.expires_at <= now + MAX_LIFE:
            raise invalid("expires_at: must lie in the future, within 100 years")
        return self.expires_at


class PrincipalKeyBody(Body):
    """Body of `POST /contexts/{id}/principals/{principal_id}/keys/{name}`; none is an empty one."""

    EXAMPLE: ClassVar = {"grants": {"memory:read": ["org/acme/*"]}}

    grants: AnyGrants | None = Field(
        default=None, description="What the key may do, of what its principal may; without it, all"
    )


class AccessTokenBody(Body):
    """Body of `POST /contexts/{id}/access-tokens`."""

    EXAMPLE: ClassVar = {
        "external_id": "user-17",
        "ttl_seconds": 3600,
        "grants": {"memory:read": ["org/acme/user/17/*"]},
    }

    external_id: Annotated[str, Field(min_length=1, max_length=128), PRINTABLE]
    display_name: Annotated[str, Field(min_length=1, max_length=128), PRINTABLE] | None = Field(
        default=None, description="Of a principal that is made; without it, the external id"
    )
    kind: PrincipalKind = "agent"
    ttl_seconds: int = Field(
        ge=1,
        le=int(MAX_LIFE.total_seconds()),
        description="Seconds until the key expires; `config.max_token_ttl_seconds` may cut it",
    )
    grants: AnyGrants | None = Field(
        default=None,
        description="What the key may do, and a principal that is made; without it, all that the principal may",
    )


class KeyResponse(BaseModel):
    """A key of a context, without its secret."""

    id: str
    name: str
    principal: str
    principal_id: str = Field(description="The principal that the key acts for")
    scope_floor: JsonValue
    grants: Grants | None = Field(default=None, description="Present when they limit the key")
    created_at: datetime
    last_used_at: datetime | None = Field(description="To within a minute")
    expires_at: datetime | None
    status: Literal["active", "expired"]


class MintedKeyResponse(KeyResponse):
    """A key just created or rotated: the only response that holds its secret."""

    secret: str


class KeyPage(BaseModel):
    """Keys in the order of their ids."""

    keys: list[KeyResponse]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page")
    has_more: bool


def format_key(row: KeyRow) -> KeyResponse:
    """A key as lists show it."""
    return KeyResponse(**_describe_key(row))


def format_minted_key(row: KeyRow, secret: str) -> MintedKeyResponse:
    """A key with its secret, this once."""
    return MintedKeyResponse(**_describe_key(row), secret=secret)


def _describe_key(row: KeyRow) -> dict[str, Any]:
    used, ends = row.last_used_at, row.expires_at
    limits = {} if row.grants is None else {"grants": row.grants}
    return limits | {
        "id": row.id,
        "name": row.name,
        "principal": row.principal,
        "principal_id": row.principal_id,
        "scope_floor": row.scope_floor,
        "created_at": row.created_at.astimezone(UTC),
        "last_used_at": used and used.astimezone(UTC),
        "expires_at": ends and ends.astimezone(UTC),
        "status": "expired" if is_expired(row) else "active",
    }

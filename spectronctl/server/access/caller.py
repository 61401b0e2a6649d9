"""A caller on the data plane of a context: what it may do, and where."""

from __future__ import annotations

from dataclasses import dataclass

from spectronctl.server.access.grants import Rights, make_rights, parse_floor
from spectronctl.server.access.scopes import Region, Scopes
from spectronctl.server.http.problems import ProblemError, forbidden, models_blocked
from spectronctl.server.registry.principals import SYSTEM
from spectronctl.server.registry.rows import ContextRow, KeyRow, PrincipalRow

CANNOT_FORGET = "this key may not forget: a supervisor's or a management key is needed"


_REFUSED = (
    "X-Spectron-On-Behalf-Of: this key may not act for that principal, or nothing would be left"
)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """
    The holder of a key that was checked; `key` is None for the operator.

    `owner` is the principal that the key acts for (`operator` for a management key), `delegate` the id of the one that
    the request names to act for. `principal` is what the owner holds, `token` what the key leaves of that (None: all).
    `rights` is what is left of the three: ask it alone whether something may be done.
    """

    key: KeyRow | None
    context: ContextRow
    owner: PrincipalRow
    delegate: str | None
    principal: Rights
    token: Rights | None
    rights: Rights

    @property
    def principal_id(self) -> str:
        """Who acts: what is kept per caller is kept under this and the delegate."""
        return self.owner.id

    def region(self, verb: str) -> Region:
        """Where the caller holds the verb."""
        return self.rights.get_region(verb).hide(self.context.forgetting)

    def may(self, verb: str, scopes: Scopes | None = None) -> bool:
        """Whether the caller holds the verb over all of the scopes; without scopes, anywhere."""
        if scopes is None:
            return bool(self.rights.get(verb))
        return self.region(verb).can_write(scopes)

    def require(self, verb: str, scopes: Scopes | None = None) -> None:
        """403 unless the caller may."""
        if not self.may(verb):
            raise _missing(verb)
        if scopes is not None and not self.may(verb, scopes):
            raise self._refuse(verb)

    def require_below(self, verb: str, path: str) -> None:
        """403 unless the caller holds the verb over the path and all that is below it."""
        if not self.rights.hold(verb, f"{path}/*"):
            raise self._refuse(verb)

    def _refuse(self, verb: str) -> ProblemError:
        # The caller's own patterns are no secret to it. The scopes that it asked for are not repeated: they may be
        # long.
        held = " or ".join(self.rights.get(verb))
        detail = f"scopes: reach outside of where this key holds {verb}, {held}"
        return forbidden(detail, reason=f"outside of the region for {verb}")

    def require_models(self) -> None:
        """429 where the operator has blocked models: before an operation asks one that costs tokens."""
        if self.context.enforcement_blocked:
            raise models_blocked()

    def require_own_keys(self) -> None:
        """403 where the context's config has switched keys of one's own off."""
        if self.context.config.get("allow_self_service_keys") is False:
            raise forbidden("config.allow_self_service_keys is off: keys of one's own are refused")

    def tag(self, scopes: Scopes) -> Scopes:
        """The scopes of something new: those asked for, or else all that the caller may write to; 403 outside of it."""
        # Without scopes of its own a memory goes where its key may write, never nowhere: what has no scopes only the
        # whole context can see.
        tags = scopes or [[path] for path in self.region("memory:write").list_tops()]
        self.require("memory:write", tags)
        return tags


def resolve_caller(
    context: ContextRow,
    key: KeyRow | None,
    owner: PrincipalRow,
    target: PrincipalRow | None = None,
) -> Caller:
    """The caller with a key (None: a management key), acting for the target: worked out once per request."""
    principal = make_rights(owner.grants)
    token = None if key is None else _limit(key, principal)
    rights = principal if token is None else principal & token
    if target is not None:
        rights = delegate(rights, owner, target)
    return Caller(
        key=key,
        context=context,
        owner=owner,
        delegate=target.id if target else None,
        principal=principal,
        token=token,
        rights=rights,
    )


def refuse_delegate() -> ProblemError:
    """403: the same for a principal that is not there and for one that this key may not act for."""
    return forbidden(_REFUSED, reason="not allowed to act for that principal")


def delegate(held: Rights, owner: PrincipalRow, target: PrincipalRow) -> Rights:
    """What is left for a caller with those rights that acts for the target; 403 if it may not, or nothing is left."""
    wanted = make_rights(target.grants)
    may_act = target.id == owner.id or all(
        held.hold("grant:manage", each)
        for patterns in wanted.patterns.values()
        for each in patterns
    )
    left = held & wanted
    if target.id == SYSTEM or not may_act or not left.to_grants():
        raise refuse_delegate()
    return left


def _limit(key: KeyRow, principal: Rights) -> Rights | None:
    """What the key leaves of a principal's verbs; None where it limits nothing."""
    if key.scope_floor is None and key.grants is None:
        return None
    floor = parse_floor(key.scope_floor)
    limit = Rights({verb: floor for verb, patterns in principal.patterns.items() if patterns})
    return limit if key.grants is None else limit & make_rights(key.grants)


def _missing(verb: str) -> ProblemError:
    detail = CANNOT_FORGET if verb == "memory:forget" else f"this key does not hold the verb {verb}"
    return forbidden(detail, reason=f"missing verb {verb}")

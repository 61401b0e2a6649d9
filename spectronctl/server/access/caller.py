"""A caller on the data plane of a context: what it may do, and where."""

from __future__ import annotations

from dataclasses import dataclass

from spectronctl.server.access.grants import EVERYTHING, Rights, grant, list_verbs, parse_floor
from spectronctl.server.access.scopes import Region, Scopes
from spectronctl.server.http.problems import ProblemError, forbidden, models_blocked
from spectronctl.server.registry.rows import ContextRow, KeyRow

CANNOT_FORGET = "this key may not forget: a supervisor's or a management key is needed"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """
    The holder of a key that was checked; `key` is None for the operator.

    `principal` is what its principal holds, `token` what its key leaves of that (None: all), `delegate` the id of the
    principal it acts for. `rights` is what is left of the three: ask it alone whether something may be done.
    """

    name: str
    key: KeyRow | None
    context: ContextRow
    delegate: str | None
    principal: Rights
    token: Rights | None
    rights: Rights

    def region(self, verb: str) -> Region:
        """Where the caller holds the verb."""
        return self.rights.get_region(verb)

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
            # The caller's own floor is no secret to it. The scopes that it asked for are not repeated: they may be
            # long.
            floor = " or ".join(self.region(verb).roots or ())
            detail = f"scopes: reach outside of this key's scope floor, {floor}"
            raise forbidden(detail, reason=f"outside of the region for {verb}")

    def require_models(self) -> None:
        """429 where the operator has blocked models: before an operation asks one that costs tokens."""
        if self.context.enforcement_blocked:
            raise models_blocked()

    def tag(self, scopes: Scopes) -> Scopes:
        """The scopes of something new: those asked for, or else all that the caller may write to; 403 outside of it."""
        # Without scopes of its own a memory goes where its key may write, never nowhere: what has no scopes only the
        # whole context can see.
        tags = scopes or [[root] for root in self.region("memory:write").roots or ()]
        self.require("memory:write", tags)
        return tags


def resolve_caller(
    context: ContextRow, key: KeyRow | None, name: str, delegate: str | None
) -> Caller:
    """The caller with a key, or without one the operator: its rights are worked out here, once per request."""
    verbs = list_verbs(key.principal if key else None)
    principal = grant(verbs)
    floor = key.scope_floor if key else None
    token = None if floor is None else grant(verbs, parse_floor(floor))
    # Principals have no grants of their own on record yet, so acting for one takes nothing away.
    acted_for = EVERYTHING
    rights = principal & (token or EVERYTHING) & acted_for
    return Caller(
        name=name,
        key=key,
        context=context,
        delegate=delegate,
        principal=principal,
        token=token,
        rights=rights,
    )


def _missing(verb: str) -> ProblemError:
    detail = CANNOT_FORGET if verb == "memory:forget" else f"this key does not hold the verb {verb}"
    return forbidden(detail, reason=f"missing verb {verb}")

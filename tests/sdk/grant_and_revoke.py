"""
Runs in a vendor SDK's own environment: `grant_and_revoke.py MODULE URL CONTEXT`, on stdin two keys, a line each: an
agent's and the operator's.

Prints what both of the SDK's clients see of principals while grants come and go, as one JSON object.
"""

from __future__ import annotations

import sys
from typing import Any

from tests.support.vendor_clients import finish, refuse, run


async def manage(agent: Any, operator: Any, kind: str) -> dict[str, Any]:
    who = await finish(agent.whoami())
    listed = await finish(operator.principals.list())
    path, verbs = f"org/{kind}/*", ["memory:forget", "memory:read"]
    granted = await finish(operator.principals.grant(who.principal_id, path, verbs))
    now = await finish(operator.principals.effective(who.principal_id, f"org/{kind}/x"))
    forgetting = await finish(agent.lifecycle.expire())
    revoked = await finish(operator.principals.revoke(who.principal_id, path, ["memory:forget"]))
    before = await finish(
        operator.principals.effective(who.principal_id, "/", as_of="2020-01-01T00:00:00Z")
    )
    shown = await finish(operator.principals.get(who.principal_id))
    return {
        "who": who.principal_id,
        "listed": {each.id: each.display_name for each in listed},
        "granted": granted.grants,
        "now": [now.path, now.verbs],
        "expired": forgetting.affected,
        "revoked": [revoked.grants, shown.grants],
        "before": before.verbs,
        "refusals": {
            "forgetting": await refuse(lambda: agent.lifecycle.expire()),
            "listing": await refuse(lambda: agent.principals.list()),
            "unknown": await refuse(lambda: operator.principals.get("principal:nobody")),
            "flat": await refuse(lambda: operator.principals.grant("admin", path, ["read"])),
            "acting": await refuse(lambda: agent.whoami(on_behalf_of="admin")),
        },
        "acting": (await finish(operator.whoami(on_behalf_of=who.principal_id))).effective_grants,
    }


run(manage, *sys.argv[1:4])

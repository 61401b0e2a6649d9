"""
Runs in a vendor SDK's own environment: `see_who_did_what.py MODULE URL CONTEXT`, on stdin two keys, a line each: that
of an agent, and the operator's.

Prints what both of the SDK's clients read of traces and of the audit, as one JSON object.
"""

from __future__ import annotations

import sys
from typing import Any

from tests.support.vendor_clients import finish, refuse, run


async def look(agent: Any, operator: Any, kind: str) -> dict[str, Any]:
    await finish(agent.remember(f"{kind}: Bo prefers green tea", infer="none"))
    mine = (await finish(agent.recall(f"{kind} tea"))).trace["traceId"]
    theirs = (await finish(operator.recall(f"{kind} coffee"))).trace["traceId"]
    await refuse(lambda: agent.lifecycle.expire())

    listed = await finish(operator.traces.list(limit=2))
    seen = await finish(agent.traces.list(limit=500))
    shown = await finish(agent.traces.get(mine))
    stats = await finish(operator.traces.stats())
    who = await finish(agent.whoami())
    audit = await finish(operator.audit(principal=who.principal_id, limit=2))
    denied = (await finish(operator.audit(kind="decision", limit=1))).rows[0]
    return {
        "listed": [each.id for each in listed.traces] == [theirs, mine],
        "seen": [mine in (ids := {each.id for each in seen.traces}), theirs in ids],
        "shown": [shown.id == mine, shown.query_text, shown.resolution_tier, shown.cached],
        "created_at": shown.created_at[-1:],
        "stats": [stats.window_hours, stats.total_queries, stats.tier_counts["hybrid"]],
        "retrieval": stats.retrieval["traces"],
        "audit": [[row.kind, row.principal == who.principal_id] for row in audit.rows],
        "last": audit.rows[1].trace_id == mine,
        "denied": [denied.kind, denied.principal == who.principal_id, denied.cost],
        "none": len((await finish(operator.audit(key="no-such"))).rows),
        "refusals": {
            "hidden": await refuse(lambda: agent.traces.get(theirs)),
            "kind": await refuse(lambda: operator.audit(kind="other")),
        },
    }


run(look, *sys.argv[1:])

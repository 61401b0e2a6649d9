"""
Runs in a vendor SDK's own environment: `look_after_memories.py MODULE URL CONTEXT`, on stdin three keys, a line each:
an agent's, a supervisor's, and the operator's.

Prints what both of the SDK's clients find, and what their upkeep takes out, as one JSON object.
"""

from __future__ import annotations

import sys
from typing import Any

from tests.support.vendor_clients import finish, refuse, run


async def look_after(agent: Any, supervisor: Any, operator: Any, kind: str) -> dict[str, Any]:
    for text in (f"{kind}: Bo prefers green tea", f"{kind}: invoices are due on the first"):
        await finish(agent.remember(text, infer="none", scopes=[[f"org/acme/{kind}"]]))
    for owner, scopes in ((agent, "org/acme"), (operator, "org/other")):
        old = {  # the older SDK knows no `observed_at`
            "text": f"{kind}: the printer is out of paper",
            "infer": "none",
            "scopes": scopes,
            "memory_category": "context",
            "observed_at": "2020-01-01T00:00:00Z",
        }
        await finish(owner._transport.post("/api/v1/acme-prod/facts", json=old))
    found = {
        mode: await finish(agent.recall("green tea", k=1, mode=mode, lens=f"org/acme/{kind}"))
        for mode in ("hybrid", "vector", "bm25")
    }
    before = await finish(supervisor.lifecycle.fsck(check="duplicates", max_results=5))
    expired = await finish(supervisor.lifecycle.expire())
    decayed = await finish(operator.lifecycle.decay())
    report = await finish(operator.lifecycle.fsck())
    return {
        "hits": {mode: [hit.text for hit in answer.hits] for mode, answer in found.items()},
        "tiers": sorted({answer.tier for answer in found.values()}),
        "trace": bool(found["hybrid"].trace["traceId"]),
        "duplicates": len(before.duplicates),
        "affected": [expired.affected, decayed.affected],
        "total": report.total,
        "refusals": {
            "agent": await refuse(lambda: agent.lifecycle.expire()),
            "mode": await refuse(lambda: agent.recall("tea", mode="graph")),
        },
    }


run(look_after, *sys.argv[1:])

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
    tree = await forget_a_scope(agent, supervisor, operator, f"org/acme/{kind}/old")
    return {
        "scopes": tree,
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


async def forget_a_scope(agent: Any, supervisor: Any, operator: Any, path: str) -> dict[str, Any]:
    """Register, write to, forget and tombstone a scope."""
    node = await finish(
        supervisor.scopes.register(path, display_name="Old", description="To be forgotten")
    )
    again = await finish(supervisor.scopes.register(f"/{path}/"))
    await finish(agent.remember("the parrot is green", infer="none", scopes=[[f"{path}/bo"]]))
    listed = [each.path for each in await finish(agent.scopes.list())]
    found = await finish(agent.recall("parrot", mode="bm25", lens=f"{path}/*"))
    forgotten = await finish(supervisor.scopes.forget(path))
    empty = await finish(agent.recall("parrot", mode="bm25", lens=f"{path}/*"))
    await finish(operator.scopes.delete(path))
    buried = [each for each in await finish(agent.scopes.list()) if each.path.startswith(path)]
    return {
        "paths": [node.path, again.path],
        "same": node.created_at == again.created_at,
        "live": node.tombstoned_at,
        "listed": [each for each in listed if each.startswith(path)],
        "outside": [each for each in listed if not each.startswith("org/acme/")],
        "hits": [[hit.text for hit in each.hits] for each in (found, empty)],
        "forgotten": forgotten.forgotten,
        "buried": [[each.path, bool(each.tombstoned_at)] for each in buried],
        "refusals": {
            "no path": await refuse(lambda: supervisor.scopes.forget()),
            "unknown": await refuse(lambda: operator.scopes.delete(f"{path}/nope")),
            "outside": await refuse(lambda: supervisor.scopes.register("org/other")),
            "verb": await refuse(lambda: agent.scopes.forget(path)),
            "tombstone": await refuse(
                lambda: agent.remember("x", infer="none", scopes=[[f"{path}/bo"]])
            ),
        },
    }


run(look_after, *sys.argv[1:])

"""
Runs in a vendor SDK's own environment: `keep_a_conversation.py MODULE URL CONTEXT`, on stdin the keys, a line each:
one confined to `org/acme`, and the operator's.

Prints what both of the SDK's clients make of a conversation, and of what is refused, as one JSON object.
"""

from __future__ import annotations

import sys
from typing import Any

from tests.support.vendor_clients import finish, refuse, run


async def talk(member: Any, operator: Any, kind: str) -> dict[str, Any]:
    itself = await finish(member.whoami())
    session = await finish(
        member.sessions.create(scopes=["org/acme/user/bo"], metadata={"by": kind})
    )
    bare = await finish(member.sessions.create())
    one = await finish(
        member.remember(
            f"{kind} Bo likes tea",
            infer="none",
            session_id=session.id,
            role="assistant",
            labels=["source=sdk"],
            memory_category="knowledge",
            on_behalf_of=itself.principal_id,
        )
    )
    messages = [{"role": "user", "content": f"message {n}"} for n in range(150)]
    many = await finish(
        member.remember_many(
            messages, session_id=session.id, infer="none", extract="whole_conversation"
        )
    )
    again = await finish(
        member.remember_many(
            messages, session_id=session.id, infer="none", extract="whole_conversation"
        )
    )
    alone = await finish(member.remember(f"{kind} alone", infer="none", scopes="org/acme"))
    first = await finish(member.sessions.turns(session.id))
    rest = await finish(member.sessions.turns(session.id, limit=500, offset=len(first.turns)))
    found = await finish(member.sessions.context(session.id, "tea"))
    foreign = await finish(operator.sessions.create(scopes="org/beta"))
    refusals = {
        "foreign": await refuse(lambda: member.sessions.turns(foreign.id)),
        "slash": await refuse(lambda: member.sessions.turns("MLWK3LL/A: 100 %2F é")),
        "outside": await refuse(
            lambda: member.remember("x", infer="none", scopes=[["org/beta", "org/acme"]])
        ),
        "model": await refuse(lambda: member.remember("x")),
        "role": await refuse(
            lambda: member.remember_many([{"role": "bot", "content": "x"}], infer="none")
        ),
    }
    facts = "/api/v1/acme-prod/facts"
    key = {"Idempotency-Key": f"{kind}-twice"}
    body = {"infer": "none", "session_id": bare.id}
    await finish(member._transport.post(facts, json={**body, "text": "a"}, headers=key))
    refusals["reused"] = await refuse(
        lambda: member._transport.post(facts, json={**body, "text": "b"}, headers=key)
    )
    refusals["forgetting"] = await refuse(lambda: member.sessions.delete(session.id))
    await finish(operator.sessions.delete(session.id))
    refusals["deleted"] = await refuse(lambda: member.sessions.context(session.id, "tea"))
    return {
        "scopes": [session.scopes, bare.scopes],
        "created_at": session.created_at,
        "mode": one.mode,
        "ids": [one.session_id == session.id, bool(one.chunk_id), alone.session_id != session.id],
        "turn_ids": [one.turn_id, *many.turn_ids],
        "replayed": again.turn_ids == many.turn_ids and again.session_id == session.id,
        "extractions": many.extractions,
        "turns": [
            [turn.id, turn.session == session.id, turn.role, turn.content, turn.seq]
            for turn in (*first.turns, *rest.turns)
        ],
        "sizes": [len(first.turns), len(rest.turns)],
        "context": found.context,
        "refusals": refusals,
    }


run(talk, *sys.argv[1:])

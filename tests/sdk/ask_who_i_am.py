"""
Runs in a vendor SDK's own environment: `ask_who_i_am.py MODULE URL CONTEXT`, the key on stdin.

Prints what both of the SDK's clients make of `health` and `whoami`, and of a key that is wrong, as one JSON object.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from typing import Any


def main(module: str, url: str, context: str, key: str) -> None:
    names = {
        "surrealdb.memory": ("Memory", "AsyncMemory"),
        "surrealdb.spectron": ("Spectron", "AsyncSpectron"),
    }
    sdk = importlib.import_module(module)
    client, async_client = (getattr(sdk, name) for name in names[module])
    auth_error = getattr(sdk, module.rpartition(".")[2].title() + "AuthError")

    with client(context, endpoint=url, api_key=key) as sync:
        answers: dict[str, Any] = {"health": sync.health(), "sync": describe(sync.whoami())}
    answers["async"] = asyncio.run(ask(async_client(context, endpoint=url, api_key=key)))

    answers["refusals"] = []
    for other_context, other_key in ((context, key + "x"), ("another-one", key)):
        with client(other_context, endpoint=url, api_key=other_key) as stranger:
            try:
                stranger.whoami()
            except auth_error as exc:
                answers["refusals"].append([exc.status_code, str(exc)])
    print(json.dumps(answers))


async def ask(client: Any) -> dict[str, Any]:
    async with client:
        return describe(await client.whoami())


def describe(who: Any) -> dict[str, Any]:
    return {
        "principal_id": who.principal_id,
        "display_name": who.display_name,
        "kind": who.kind,
        "grants": who.grants,
        "effective_grants": who.effective_grants,
        "delegated_principal_id": who.delegated_principal_id,
    }


main(sys.argv[1], sys.argv[2], sys.argv[3], sys.stdin.read().strip())

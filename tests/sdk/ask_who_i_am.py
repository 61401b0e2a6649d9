"""
Runs in a vendor SDK's own environment: `ask_who_i_am.py MODULE URL CONTEXT`, the key on stdin.

Prints what both of the SDK's clients make of `health` and `whoami`, and of a key that is wrong, as one JSON object.
"""

import asyncio
import importlib
import json
import sys


def main(module, url, context, key):
    names = {
        "surrealdb.memory": ("Memory", "AsyncMemory"),
        "surrealdb.spectron": ("Spectron", "AsyncSpectron"),
    }
    sdk = importlib.import_module(module)
    client, async_client = (getattr(sdk, name) for name in names[module])
    auth_error = getattr(sdk, module.rpartition(".")[2].title() + "AuthError")

    with client(context, endpoint=url, api_key=key) as sync:
        answers = {"health": sync.health(), "sync": describe(sync.whoami())}
    answers["async"] = asyncio.run(ask(async_client(context, endpoint=url, api_key=key)))

    answers["refusals"] = []
    for other_context, other_key in ((context, key + "x"), ("somebody-else", key)):
        with client(other_context, endpoint=url, api_key=other_key) as stranger:
            try:
                stranger.whoami()
            except auth_error as exc:
                answers["refusals"].append([exc.status_code, str(exc)])
    print(json.dumps(answers))


async def ask(client):
    async with client:
        return describe(await client.whoami())


def describe(who):
    return {
        "principal_id": who.principal_id,
        "display_name": who.display_name,
        "kind": who.kind,
        "grants": who.grants,
        "effective_grants": who.effective_grants,
        "delegated_principal_id": who.delegated_principal_id,
    }


main(*sys.argv[1:], sys.stdin.read().strip())

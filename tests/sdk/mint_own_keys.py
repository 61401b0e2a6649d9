"""
Runs in a vendor SDK's own environment: `mint_own_keys.py MODULE URL CONTEXT`, on stdin the key of a principal.

Prints what both of the SDK's clients make of keys of one's own, as one JSON object.
"""

from __future__ import annotations

import sys
from typing import Any

from tests.support.vendor_clients import finish, refuse, run


async def talk(owner: Any, kind: str) -> dict[str, Any]:
    name = f"{kind}/reader: 100 %"
    bare = await finish(owner.keys.create())
    made = await finish(
        owner.keys.create(name=name, grants={"memory:read": ["org/acme/*"]}, ttl_seconds=600)
    )
    listed = {each.id: each for each in await finish(owner.keys.list())}
    rotated = await finish(owner.keys.rotate(name))
    refusals = {
        "taken": await refuse(lambda: owner.keys.create(name=name)),
        "unknown": await refuse(lambda: owner.keys.rotate("none")),
    }
    await finish(owner.keys.delete(name))
    await finish(owner.keys.delete(bare.id))
    return {
        "bare": [bare.key != "", bare.valid_until],
        "name": listed[made.id].name == name,
        "grants": listed[made.id].grants,
        "rotated": [rotated.id == made.id, rotated.key != made.key],
        "expiry": rotated.valid_until == made.valid_until is not None,
        "left": [each.name for each in await finish(owner.keys.list())],
        "refusals": refusals,
    }


run(talk, *sys.argv[1:])

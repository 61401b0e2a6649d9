"""Write to a store until a flush meets a full disk, make room, and report what was refused and what was kept."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from spectronctl.server.database.database import Database, QueryError
from spectronctl.server.database.errors import DiskError
from spectronctl.server.registry.opening import open_store

TEXT = os.urandom(250_000).hex()


async def write(store: Database, row: int) -> bool:
    try:
        await store.query(
            "CREATE filler:[$row] SET text = $text RETURN NONE;", {"row": row, "text": TEXT}
        )
    except DiskError:
        return False
    return True


async def count_spoiled(store: Database, rows: int) -> int:
    """Every fifth row is read with its text: a count alone would not look at that."""
    spoiled = 0
    for row in range(0, rows, 5):
        try:
            (found,) = await store.query("SELECT VALUE text FROM filler:[$row];", {"row": row})
        except QueryError:
            found = []
        spoiled += found != [TEXT]
    return spoiled


async def run(disk: Path, *, stops: bool) -> dict[str, int]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", disk], check=True)
    store = await open_store(f"surrealkv://{disk}/store")
    confirmed = 0
    while await write(store, confirmed):
        confirmed += 1
    logs = len(list(disk.glob("store/wal/*")))
    refused = [await write(store, -1) for _ in range(3)].count(False)
    spoiled = await count_spoiled(store, confirmed)
    subprocess.run(["mount", "-o", "remount,size=900m", disk], check=True)
    if stops:
        await store.close()
        store = await open_store(f"surrealkv://{disk}/store")
    late = [await write(store, -2 - again) for again in range(4)].count(True)
    spoiled += await count_spoiled(store, confirmed)
    await store.close()
    store = await open_store(f"surrealkv://{disk}/store")
    spoiled += await count_spoiled(store, confirmed)
    await store.close()
    return {"logs": logs, "refused": refused, "late": late, "spoiled": spoiled}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(Path(sys.argv[1]), stops=sys.argv[2] == "stop"))))

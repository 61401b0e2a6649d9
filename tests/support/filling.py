"""Write to a store until it has taken many bytes, read beside it, and report how much memory that needed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from spectronctl.server.registry.opening import open_store

ROW_BYTES = 500_000


def peak_memory() -> int:
    """The most memory that this process and its children ever had, in bytes, each at its own time."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return sum(_read_peak(process) for process in ("self", *children))


def _read_peak(process: str) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(process)


async def fill(url: str, total: int) -> dict[str, int]:
    """Write rows of half a megabyte, reading every tenth back, and count them after the store is reopened."""
    store = await open_store(url)
    count = total // ROW_BYTES
    for row in range(count):
        content = {"row": row, "text": os.urandom(ROW_BYTES // 2).hex()}
        await store.query(
            "CREATE filler:[$row] CONTENT $content RETURN NONE;", {"row": row, "content": content}
        )
        if row % 10 == 0:
            (found,) = await store.query("SELECT VALUE text FROM filler:[$row];", {"row": row})
            assert found == [content["text"]]
            await store.ping()
    peak = peak_memory()
    await store.close()
    store = await open_store(url)
    for row in range(
        count
    ):  # one by one: all of them together take longer to read than a request may
        (kept,) = await store.query("SELECT VALUE row FROM filler:[$row];", {"row": row})
        assert kept == [row]
    await store.close()
    return {"rows": count, "peak": peak}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(fill(sys.argv[1], int(sys.argv[2])))))

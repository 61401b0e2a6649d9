"""
What the parts of a `--profile local` command cost: `python -m benchmarks.parts STORE_URL`.

The order is that of the command, so that a part is not charged for what an earlier one has imported. aiohttp and
requests come before surrealdb, which imports them: that is what they add to it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from time import perf_counter

_MODULES = {
    "command line": ("spectronctl.cli.app", "spectronctl.cli.commands.contexts.get"),
    "client": ("spectronctl.client", "spectronctl.cli.embedded", "spectronctl.client._asgi"),
    "fastapi": ("fastapi",),
    "aiohttp": ("aiohttp",),
    "requests": ("requests",),
    "surrealdb": ("surrealdb",),
    "server": ("spectronctl.server.app", "spectronctl.server.registry.opening"),
}

_costs: dict[str, float] = {}


@contextmanager
def _note_cost(part: str) -> Iterator[None]:
    started = perf_counter()
    yield
    _costs[part] = (perf_counter() - started) * 1000


async def _open_and_close(url: str) -> None:
    from spectronctl.server.app import create_app
    from spectronctl.server.registry.opening import open_store

    with _note_cost("open store"):
        store = await open_store(url)
    with _note_cost("create app"):
        create_app(store)
    with _note_cost("close store"):
        await store.close()


def main(url: str) -> None:
    """Print the costs as one JSON object, in milliseconds."""
    for part, names in _MODULES.items():
        with _note_cost(f"import {part}"):
            for name in names:
                import_module(name)
    asyncio.run(_open_and_close(url))
    print(json.dumps(_costs), flush=True)
    os._exit(0)  # as spectronctl.cli.enter does, for the same reason


if __name__ == "__main__":
    main(sys.argv[1])

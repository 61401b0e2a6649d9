"""The vendor's clients, for scripts that run in an SDK's own environment: both kinds of both SDKs, spoken to alike."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

NAMES = {
    "surrealdb.memory": ("Memory", "AsyncMemory"),
    "surrealdb.spectron": ("Spectron", "AsyncSpectron"),
}


def run(talk: Callable[..., Awaitable[Any]], module: str, url: str, context: str) -> None:
    """Print as one JSON object what `talk` makes of each kind of client, one for each of the keys on stdin."""
    sdk = importlib.import_module(module)
    keys = sys.stdin.read().split()
    answers = {}
    for kind, name in zip(("sync", "async"), NAMES[module], strict=True):
        clients = [
            getattr(sdk, name)(context, endpoint=url, api_key=key, max_retries=0) for key in keys
        ]
        answers[kind] = asyncio.run(_talk(talk, clients, kind))
    print(json.dumps(answers))


async def _talk(talk: Callable[..., Awaitable[Any]], clients: list[Any], kind: str) -> Any:
    answer = await talk(*clients, kind)
    for client in clients:
        await finish(client.close())
    return answer


async def finish(value: Any) -> Any:
    """The value, whichever client it comes from."""
    return await value if inspect.isawaitable(value) else value


async def refuse(call: Any) -> list[Any]:
    """The name of the error class, the status and the message of a call that must fail."""
    try:
        await finish(call())
    except Exception as exc:  # noqa: BLE001 - the two SDKs have no class in common
        error: Any = exc
        return [type(error).__name__, error.status_code, error.message]
    raise AssertionError("the call was not refused")

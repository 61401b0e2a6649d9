"""A worker without a server: jobs of a store, worked on by a process of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from spectronctl.server.database.database import Database
from spectronctl.server.handlers import work_on_jobs
from spectronctl.server.http.logs import LogFormat, LogLevel, configure_logs
from spectronctl.server.registry.opening import open_store
from spectronctl.server.serving.ready_file import announce_ready
from spectronctl.server.serving.signals import ignore_strays, list_stops
from spectronctl.server.serving.systemd import READY, STOPPING, notify, stay_alive
from spectronctl.server.store.holding import hold_store


def work(
    store_url: str,
    *,
    allow_private_providers: bool = False,
    ready_file: Path | None = None,
    log_format: LogFormat = "text",
    log_level: LogLevel = "info",
    lock_timeout: float = 0,
    credentials: tuple[str, str] | None = None,
    secret_keys: Sequence[bytes] = (),
    for_person: bool = False,
    say: Callable[[str], None] | None = None,
) -> None:
    """
    Work on the jobs of a store until SIGTERM, SIGINT or SIGHUP; the job under way then waits for the next worker.

    The ready line, `lock_timeout`, `say`, `credentials` and `secret_keys` are as for `listening.serve`. ConfigError for
    a store that cannot be used. Providers of models at private addresses are asked only with `allow_private_providers`.
    """
    command = "spectronctl serve worker"
    with (
        ignore_strays(),
        hold_store(store_url, timeout=lock_timeout, command=command, say=say),
    ):
        configure_logs(log_format, level=log_level)
        with announce_ready(ready_file, for_person=for_person) as announce:
            opening = partial(
                open_store, store_url, credentials=credentials, secret_keys=secret_keys
            )
            asyncio.run(
                _run(
                    opening,
                    lambda: announce({"role": "worker", "store": store_url}),
                    allow_private_providers=allow_private_providers,
                )
            )


async def _run(
    opening: Callable[[], Awaitable[Database]],
    announce: Callable[[], None],
    *,
    allow_private_providers: bool,
) -> None:
    stop = asyncio.Event()
    # Before the store is opened: a signal during a long migration stops the worker in order once that is done.
    for number in list_stops():
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database = await opening()
    try:
        async with work_on_jobs(database, allow_private_providers=allow_private_providers):
            # After the worker has begun: from this line on, a queued job is worked on.
            announce()
            notify(READY)
            async with stay_alive():
                await stop.wait()
            notify(STOPPING)
    finally:
        await database.close()

"""Which kinds of jobs this server does, and by what: the one place where jobs meet the rooms they work in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from spectronctl.server.audit.table import AuditTable
from spectronctl.server.database.database import Database
from spectronctl.server.index.embedders import Embedders
from spectronctl.server.index.reindex import REINDEX, ReindexHandler
from spectronctl.server.jobs.worker import run_worker
from spectronctl.server.traces.retention import prune_all_traces


@asynccontextmanager
async def work_on_jobs(
    database: Database, *, allow_private_providers: bool = True
) -> AsyncIterator[None]:
    """Work on jobs of every kind in the background until this is left."""
    async with Embedders(database, allow_private_providers=allow_private_providers) as embedders:
        handlers = {REINDEX: ReindexHandler(database, embedders)}
        # Inside the embedders, so that the worker has stopped before their connections are closed.
        chores = (partial(prune_all_traces, database), AuditTable(database).prune_events)
        async with run_worker(database, handlers, chores):
            yield

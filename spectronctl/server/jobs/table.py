"""Jobs of any kind: queued, claimed by one worker at a time, finished once."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from spectronctl.ground.ulids import new_ulid
from spectronctl.server.database.database import Database, QueryError, Row
from spectronctl.server.database.errors import GoneError, TakenError
from spectronctl.server.database.transaction import get_result, transaction
from spectronctl.server.database.values import from_stored, to_stored
from spectronctl.server.jobs.rows import ClaimedJob, JobRow
from spectronctl.server.registry.claims import make_claim
from spectronctl.server.registry.rows import ContextRow

LEASE_SECONDS = 15
"""How long a worker is trusted to be alive after its last sign."""

_KEPT = "30d"

_COLUMNS = """
    job_id, context_id, kind, payload, status, done, total, error, cancel_requested,
    created_at, started_at, finished_at
"""

_CREATE = transaction(f"""
IF (SELECT VALUE state FROM ONLY context:[$job.context_id]) != 'active' {{ THROW 'no context' }};
CREATE job_slot:[$job.context_id, $job.kind] SET job_id = $job.job_id RETURN NONE;
CREATE job:[$job.job_id] CONTENT $job RETURN {_COLUMNS};
""")

# A slot per context and kind, whose id is the constraint: two starts at once create the same record, and the database
# refuses one of them. A look at the jobs before would leave a gap between the look and the write.
_FIND_UNFINISHED = "SELECT VALUE job_id FROM job_slot:[$context_id, $kind];"

# By both ids, so that the id of another context's job is as unknown as one that was never given out.
_GET = f"SELECT {_COLUMNS} FROM job:[$job_id] WHERE context_id = $context_id;"

_LIST = f"""
SELECT {_COLUMNS} FROM job WHERE context_id = $context_id AND job_id > $after ORDER BY job_id LIMIT $limit;
"""

# No other process has an embedded store open ($alone): another holder of it is dead.
_CLAIM = f"""
UPDATE (
    SELECT VALUE id FROM job WHERE status IN ['queued', 'running'] AND (
        status = 'queued' OR leased_until < time::now() OR ($alone AND holder != $holder)
    ) ORDER BY job_id LIMIT 1
) SET
    status = 'running', holder = $holder, claim = $claim, leased_until = time::now() + <duration>$lease,
    started_at = started_at ?? time::now()
WHERE status = 'queued' OR leased_until < time::now() OR ($alone AND holder != $holder)
RETURN {_COLUMNS};
"""

_RENEW = """
UPDATE job:[$job_id] SET
    leased_until = time::now() + <duration>$lease, done = $done, total = $total
WHERE claim = $claim AND status = 'running' RETURN cancel_requested;
"""

# Without a claim, so that a sign of life that is still on its way renews nothing.
_RELEASE = """
UPDATE job:[$job_id] SET claim = NONE, leased_until = time::now()
WHERE claim = $claim AND status = 'running' RETURN NONE;
"""

_FREE_SLOT = "DELETE job_slot:[$context_id, $kind] WHERE job_id = $job_id RETURN NONE;"

# The condition on the claim is what makes a late worker harmless: one that was taken over changes nothing here.
_FINISH = transaction(f"""
LET $finished = UPDATE job:[$job_id] SET
    status = $status, error = $error, done = $done, total = $total,
    finished_at = time::now(), claim = NONE, holder = NONE, leased_until = NONE
    WHERE claim = $claim AND status = 'running' RETURN AFTER;
IF array::len($finished) != 0 {{ {_FREE_SLOT} }};
""")

# A queued job ends at once. A running one is only told: its worker has to undo what it built, and sees the request
# with its next sign of life.
_CANCEL = transaction(f"""
LET $job = SELECT kind, status FROM ONLY job:[$job_id] WHERE context_id = $context_id;
IF $job.status IN ['queued', 'running'] {{
    UPDATE job:[$job_id] SET cancel_requested = true RETURN NONE
}};
IF $job.status = 'queued' {{
    UPDATE job:[$job_id] SET status = 'cancelled', finished_at = time::now() RETURN NONE;
    DELETE job_slot:[$context_id, $job.kind] RETURN NONE
}};
SELECT {_COLUMNS} FROM job:[$job_id] WHERE context_id = $context_id;
""")

# NONE is less than any time.
_PRUNE = f"""
DELETE job WHERE finished_at IS NOT NONE AND finished_at < time::now() - {_KEPT} RETURN NONE;
"""


class JobTable:
    """Jobs of all contexts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queued = database.events["job queued"]

    async def create_job(
        self, context: ContextRow, *, kind: str, payload: Mapping[str, Any]
    ) -> JobRow:
        job = {
            "job_id": f"job_{new_ulid()}",
            "context_id": context.id,
            "kind": kind,
            "payload": to_stored(payload, "payload"),
            "status": "queued",
        }
        try:
            async with self._database.locks.get_lock("jobs", context.id):
                results = await self._database.query(_CREATE, {"job": job})
        except QueryError as error:
            if error.category == "Thrown":
                raise GoneError(f"no context {context.id}") from error
            if not error.is_taken:
                raise
            raise await self._explain_unfinished(context, kind) from error
        # Only a hint for a worker in this process: one in another process finds the job when it next polls.
        self._queued.set()
        (row,) = get_result(_CREATE, results)
        return _parse_job(row)

    async def _explain_unfinished(self, context: ContextRow, kind: str) -> TakenError:
        variables = {"context_id": context.id, "kind": kind}
        (found,) = await self._database.query(_FIND_UNFINISHED, variables)
        which = f"job {found[0]}" if found else "a job that has just ended"
        return TakenError(f"a {kind} of context {context.id} is under way: {which}")

    async def get_job(self, context_id: str, job_id: str) -> JobRow | None:
        rows = await self._database.select(_GET, {"context_id": context_id, "job_id": job_id})
        return _parse_job(rows[0]) if rows else None

    async def list_jobs(self, context_id: str, *, after: str | None, limit: int) -> list[JobRow]:
        page = {"context_id": context_id, "after": after or "", "limit": limit}
        return [_parse_job(row) for row in await self._database.select(_LIST, page)]

    async def cancel_job(self, context_id: str, job_id: str) -> JobRow | None:
        job = {"context_id": context_id, "job_id": job_id}
        async with self._database.locks.get_lock("jobs", context_id):
            results = await self._database.query(_CANCEL, job)
        rows = get_result(_CANCEL, results)
        return _parse_job(rows[0]) if rows else None

    async def wait_for_job(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._queued.wait()
        except TimeoutError:
            return
        finally:
            # After the wait, not before it: a job that is queued in between sets it again, and is looked for at once.
            self._queued.clear()

    async def claim_job(self) -> ClaimedJob | None:
        claim = make_claim()
        variables = {
            "holder": self._database.holder,
            "claim": claim,
            "alone": self._database.exclusive,
            "lease": f"{LEASE_SECONDS}s",
        }
        rows = await self._database.select(_CLAIM, variables)
        return ClaimedJob(_parse_job(rows[0]), claim) if rows else None

    async def renew_job(self, claimed: ClaimedJob, *, done: int, total: int | None) -> bool | None:
        progress = {**_name(claimed), "done": done, "total": total, "lease": f"{LEASE_SECONDS}s"}
        async with self._database.locks.get_lock("jobs", claimed.job.context_id):
            rows = await self._database.select(_RENEW, progress)
        return bool(rows[0]["cancel_requested"]) if rows else None

    async def release_job(self, claimed: ClaimedJob) -> None:
        async with self._database.locks.get_lock("jobs", claimed.job.context_id):
            await self._database.query(_RELEASE, _name(claimed))

    async def finish_job(
        self,
        claimed: ClaimedJob,
        status: str,
        *,
        error: str | None = None,
        done: int,
        total: int | None,
    ) -> None:
        outcome = {"status": status, "error": error, "done": done, "total": total}
        async with self._database.locks.get_lock("jobs", claimed.job.context_id):
            await self._database.query(_FINISH, _name(claimed) | outcome)

    async def prune_jobs(self) -> None:
        await self._database.query(_PRUNE)


def _name(claimed: ClaimedJob) -> Row:
    job = claimed.job
    return {
        "job_id": job.id,
        "context_id": job.context_id,
        "kind": job.kind,
        "claim": claimed.claim,
    }


def _parse_job(row: Row) -> JobRow:
    return JobRow(
        id=row["job_id"],
        context_id=row["context_id"],
        kind=row["kind"],
        payload=from_stored(row["payload"]),
        status=row["status"],
        done=row["done"],
        total=row.get("total"),
        error=row.get("error"),
        cancel_requested=row["cancel_requested"],
        created_at=row["created_at"],
        started_at=row.get("started_at"),
        finished_at=row.get("finished_at"),
    )

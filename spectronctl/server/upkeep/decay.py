"""What becomes of memories with time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from spectronctl.server.access.scopes import Region
from spectronctl.server.database.database import Database
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.upkeep.lifetimes import parse_lifetimes
from spectronctl.server.upkeep.schemas import DecayResponse
from spectronctl.server.upkeep.table import UpkeepTable

_PAGE = 500


async def decay(database: Database, context: ContextRow, region: Region) -> DecayResponse:
    """Expire memories, and prune the cache of the vectors that the region's queries left."""
    expired = await expire(database, context, region)
    pruned = await UpkeepTable(database).prune_cache(context, region)
    return DecayResponse(
        affected=expired + pruned, expired_memories=expired, pruned_cache_entries=pruned
    )


async def expire(
    database: Database, context: ContextRow, region: Region, *, dry_run: bool = False
) -> int:
    """
    Take out every memory that is older than its category's lifetime, where the region may be written to: how many.

    A memory's age counts from when it became known (`observed_at`, or else when it was written).
    """
    # One moment for all categories, so that a dry run and the run behind it differ by nothing but time.
    now = datetime.now(UTC)
    count = 0
    for category, seconds in parse_lifetimes(context.config).items():
        before, after = now - timedelta(seconds=seconds), ""
        while rows := await UpkeepTable(database).list_expired(
            context, region, category, before=before, after=after, limit=_PAGE
        ):
            # A cursor and not a repeated first page: memories that this caller may not write stay, and would be met
            # for ever.
            after = rows[-1].id
            # Reading is not enough: a memory that is shared with another team is not one team's to take out.
            ids = [row.id for row in rows if region.can_write(row.scopes)]
            count += (
                len(ids) if dry_run else await UpkeepTable(database).delete_chunks(context, ids)
            )
    return count

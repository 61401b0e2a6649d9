"""How contexts come and go: write ahead, then work, so that a crash half-way is finished or undone."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from spectronctl.models.contexts import merge_config
from spectronctl.server.database.database import METADATA, Binding, Database, QueryError, Row
from spectronctl.server.database.errors import ReservedError, TakenError, UnavailableError
from spectronctl.server.database.migrations import (
    MigrationError,
    StoreVersionError,
    describe,
    migrate,
)
from spectronctl.server.database.transaction import get_result, transaction
from spectronctl.server.database.values import check_text, to_stored
from spectronctl.server.registry.claims import (
    Claimed,
    list_unfinished,
    make_claim,
    release,
    seize,
    seize_own,
    seize_to_delete,
)
from spectronctl.server.registry.contexts import (
    COLUMNS,
    format_columns,
    parse_context,
    seal_providers,
)
from spectronctl.server.registry.leftovers import sweep_empty_databases
from spectronctl.server.registry.principals import WRITE_NEW, format_principal, list_built_in
from spectronctl.server.registry.rows import ContextRow

_log = logging.getLogger(__name__)

_CLAIM_ATTEMPTS = 5

_HOLDERS = """
RETURN array::concat(
    (SELECT context_id, state FROM context:[$context_id]),
    (SELECT context_id, state FROM context WHERE namespace = $namespace AND database = $database)
);
"""

_OWN_DATABASE = """
UPDATE context:[$context_id] SET owns_database = true
WHERE state = 'creating' AND claim = $claim RETURN NONE;
"""

_ACTIVATE = transaction(f"""
LET $active = UPDATE context:[$context_id] SET state = 'active', claim = NONE, schema_version = $version
WHERE state = 'creating' AND claim = $claim RETURN {COLUMNS};
IF array::len($active) != 0 {{ FOR $owner IN $principals {{ {WRITE_NEW} }} }};
RETURN $active;
""")

# Keys first: what is left without them is reached by none. Counted in the database: a thousand rows cost more to read
# than to delete.
_DELETE_MEMBERS = [
    f"""
RETURN count(
    DELETE (SELECT VALUE id FROM {table} WHERE context_id = $context_id LIMIT 1000)
    RETURN BEFORE
);
"""
    for table in ("context_key", "principal", "principal_version")
]

# Of every kind. A worker that is at one of them notices when it renews its lease. NONE sorts before any kind, [] after.
_DELETE_JOBS = """
DELETE job WHERE context_id = $context_id RETURN NONE;
DELETE job_slot:[$context_id, NONE]..[$context_id, []] RETURN NONE;
"""

_DELETE_ROW = "DELETE context:[$context_id] WHERE claim = $claim RETURN NONE;"

_UNEQUAL = """
SELECT context_id, namespace, database, state, schema_version FROM context
WHERE schema_version != $version;
"""

_SET_VERSION = "UPDATE context:[$context_id] SET schema_version = $version RETURN NONE;"


class Provisioning:
    """Makes and drops the databases of contexts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._migrations = database.migrations

    @property
    def schema_version(self) -> int:
        return len(self._migrations.context)

    async def create_context(self, row: ContextRow, *, providers: Mapping[str, str]) -> ContextRow:
        if row.namespace == METADATA.namespace:
            raise ReservedError(f"namespace: {METADATA.namespace!r} is Spectron's own")
        # The row comes first and the database after it: a crash in between leaves a row that the next start finds and
        # rolls back, never a database that no row tells of.
        content = _make_content(row, seal_providers(self._database, row.id, providers))
        claim = make_claim()
        await self._claim({**content, "claim": claim})
        try:
            return await self._build(row, claim)
        except BaseException:
            await asyncio.shield(self._undo(row.id, claim))
            raise

    async def delete_context(self, context_id: str) -> bool:
        claimed = await seize_to_delete(self._database, context_id)
        if claimed is not None:
            await self._remove(claimed)
            return True
        found = await self._database.select(
            "SELECT state FROM context:[$context_id];", {"context_id": context_id}
        )
        if found and found[0]["state"] == "deleting":
            raise UnavailableError(f"context {context_id!r} is being deleted")
        return False

    async def _claim(self, content: Row) -> None:
        text = "CREATE context:[$content.context_id] CONTENT $content RETURN NONE;"
        # Each round ends in success, in a conflict with one that lives, or with one obstacle less.
        for _ in range(_CLAIM_ATTEMPTS):
            try:
                await self._database.query(text, {"content": content})
            except QueryError as error:
                if not error.is_taken:
                    raise
                await self._clear_way(content)
            else:
                return
        raise UnavailableError("others create and delete the same context at the same time")

    async def _clear_way(self, content: Row) -> None:
        """Finish what a dead holder of the id or the binding left behind; TakenError for one that lives."""
        found = await self._database.select(_HOLDERS, content)
        holders = {each["context_id"]: each["state"] for each in found}
        for context_id, state in holders.items():
            abandoned = await seize(self._database, context_id)
            if abandoned is None:
                raise TakenError(_explain_conflict(content, context_id, state))
            await self._remove(abandoned)

    async def _build(self, row: ContextRow, claim: str) -> ContextRow:
        binding = Binding(row.namespace, row.database)
        ours = {"context_id": row.id, "claim": claim}
        # Noted before it is made. A rollback drops the database only if it was not there before: it may be full of
        # data that this server is to take over.
        existed = await self._has_database(binding)
        if not existed:
            await self._database.query(_OWN_DATABASE, ours)
        await self._database.query(
            "DEFINE DATABASE IF NOT EXISTS $name;",
            {"name": row.database},
            at=Binding(row.namespace, None),
        )
        await self._delete_members(row.id)  # that a slow request left to a namesake
        version = await self._migrate(binding, existed=existed)
        principals = [format_principal(each) for each in list_built_in(row)]
        activated = {**ours, "version": version, "principals": principals}
        rows = get_result(_ACTIVATE, await self._database.query(_ACTIVATE, activated))
        if not rows:
            raise TakenError(f"context {row.id!r}: another server took over its creation")
        return parse_context(rows[0])

    async def _has_database(self, binding: Binding) -> bool:
        await self._database.query(
            "DEFINE NAMESPACE IF NOT EXISTS $name;", {"name": binding.namespace}
        )
        (info,) = await self._database.query(
            "INFO FOR NS STRUCTURE;", at=Binding(binding.namespace, None)
        )
        return binding.database in [each["name"] for each in info["databases"]]

    async def _migrate(self, binding: Binding, *, existed: bool) -> int:
        try:
            return await migrate(self._database, binding, self._migrations.context)
        except (MigrationError, StoreVersionError) as error:
            if not existed:
                raise
            raise TakenError(f"{describe(binding)} exists and does not fit: {error}") from error

    async def _undo(self, context_id: str, claim: str) -> None:
        try:
            claimed = await seize_own(self._database, context_id, claim)
            if claimed is not None:
                await self._remove(claimed)
        except Exception:  # noqa: BLE001 - what made the creation fail says more; the row stays to be found
            _log.warning("context %s: its failed creation is not undone yet", context_id)

    async def _remove(self, claimed: Claimed) -> None:
        """Finish a delete, or roll a creation back; every step may be done again."""
        ours = {"context_id": claimed.context_id, "claim": claimed.claim}
        try:
            # Keys go first, so that nothing new is written while the database is dropped.
            await self._delete_members(claimed.context_id)
            await self._database.query(_DELETE_JOBS, ours)
            if claimed.state == "deleting" or claimed.owns_database:
                await self._drop_database(claimed.binding)
            await self._database.query(_DELETE_ROW, ours)
        except BaseException:
            await asyncio.shield(release(self._database, claimed))
            raise

    async def _drop_database(self, binding: Binding) -> None:
        await self._database.query(
            "REMOVE DATABASE IF EXISTS $name;",
            {"name": binding.database},
            at=Binding(binding.namespace, None),
        )

    async def _delete_members(self, context_id: str) -> None:
        """The context's keys and principals."""
        for text in _DELETE_MEMBERS:
            while await self._database.query(text, {"context_id": context_id}) != [0]:
                pass

    async def prepare(self) -> None:
        """Bring the store to what this spectronctl expects of it, once, before anything else."""
        await migrate(self._database, METADATA, self._migrations.metadata)
        behind = await self._list_behind()
        for context_id in await list_unfinished(self._database):
            # No other process has an embedded store open: the holder of the claim is dead.
            claimed = await seize(self._database, context_id, anyone=self._database.exclusive)
            if claimed is not None:
                await self._remove(claimed)
        # Only where no other server can be in the middle of making one.
        if self._database.exclusive:
            await sweep_empty_databases(self._database)
        for row in behind:
            await self._upgrade(row)

    async def _list_behind(self) -> list[Row]:
        known = self.schema_version
        unequal = await self._database.select(_UNEQUAL, {"version": known})
        for row in unequal:
            if row["schema_version"] > known:
                at = Binding(row["namespace"], row["database"])
                raise StoreVersionError(at, found=row["schema_version"], known=known)
        return [row for row in unequal if row["state"] == "active"]

    async def _upgrade(self, row: Row) -> None:
        at = Binding(row["namespace"], row["database"])
        try:
            version = await migrate(self._database, at, self._migrations.context)
        except MigrationError:
            # One context that cannot be upgraded does not keep the others from being served.
            _log.exception(
                "context %s stays at schema version %s", row["context_id"], row["schema_version"]
            )
            return
        await self._database.query(
            _SET_VERSION, {"context_id": row["context_id"], "version": version}
        )


def _make_content(row: ContextRow, sealed: Mapping[str, bytes]) -> Row:
    return {
        **format_columns(row),
        "context_id": check_text(row.id, "context_id"),
        "config": to_stored(merge_config({}, row.config), "config"),
        "provider_secrets": sealed,
    }


def _explain_conflict(content: Row, holder: str, state: str) -> str:
    doing = {"creating": " (being created)", "deleting": " (being deleted)"}.get(state, "")
    if holder == content["context_id"]:
        return f"id: context {holder!r} already exists{doing}"
    return (
        f"namespace, database: {content['namespace']!r}, {content['database']!r} "
        f"is bound by context {holder!r}{doing}"
    )

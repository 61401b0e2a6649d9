"""The ontology of a context: a single row in its database."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from spectronctl.server.database.database import Database, QueryError
from spectronctl.server.database.errors import ChangedError
from spectronctl.server.database.transaction import transaction
from spectronctl.server.ontology.rows import OntologyRow, make_ontology
from spectronctl.server.registry.context_database import make_guard, query_context, query_one
from spectronctl.server.registry.rows import ContextRow

_NONE = make_ontology()
_CHANGED = "changed meanwhile"

# As JSON: a program reads one long text several times faster than many small values.
_READ = """
RETURN encoding::json::encode((
    SELECT entity_types, attribute_keys, relation_labels, etag FROM ontology:only
));
"""

# Checked where it is written, in one transaction: between a look at the tag and the write another operator could be
# faster.
_CHECK = f"""
{make_guard(4)}
LET $found = (SELECT VALUE etag FROM ontology:only)[0] ?? $none;
IF $expected != NONE AND $found NOT IN $expected {{ THROW '{_CHANGED}' }};
"""

_SET = transaction(_CHECK, "UPSERT ontology:only CONTENT $row RETURN NONE;")

_DELETE = transaction(_CHECK, "DELETE ontology:only RETURN NONE;")


class OntologyTable:
    """The ontology of a context."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_ontology(self, context: ContextRow) -> OntologyRow:
        found = await query_one(self._database, context, _READ)
        rows = json.loads(found)
        return _parse_row(rows[0]) if rows else _NONE

    async def set_ontology(
        self, context: ContextRow, row: OntologyRow, *, expected: Collection[str] | None
    ) -> None:
        await self._write_ontology(context, _SET, expected, row=_make_row(row))

    async def delete_ontology(
        self, context: ContextRow, *, expected: Collection[str] | None
    ) -> None:
        await self._write_ontology(context, _DELETE, expected)

    async def _write_ontology(
        self, context: ContextRow, text: str, expected: Collection[str] | None, **variables: Any
    ) -> None:
        tags = None if expected is None else sorted(expected)
        variables |= {"none": _NONE.etag, "expected": tags}
        try:
            async with self._database.locks.get_lock(context.id, "ontology"):
                await query_context(self._database, context, text, variables)
        except QueryError as error:
            if _CHANGED not in str(error):
                raise
            raise ChangedError(
                f"the ontology of context {context.id} is not the one that If-Match names: it was changed since"
            ) from error


def _make_row(row: OntologyRow) -> dict[str, Any]:
    return {
        "entity_types": row.entity_types,
        # A list and not an object: the database keeps no order of an object's fields, and the ontology's order is the
        # operator's.
        "attribute_keys": [
            {"entity_type": name, "names": names} for name, names in row.attribute_keys.items()
        ],
        "relation_labels": row.relation_labels,
        "etag": row.etag,
    }


def _parse_row(row: dict[str, Any]) -> OntologyRow:
    keys = {each["entity_type"]: each["names"] for each in row["attribute_keys"]}
    return OntologyRow(**{**row, "attribute_keys": keys})

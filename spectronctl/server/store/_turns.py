"""Turns: appended with consecutive numbers, read in pages of them, searched from the newest on."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from spectronctl.server import problems
from spectronctl.server.scopes import WHOLE, Region
from spectronctl.server.store import ChunkRow, ContextRow, Found, Receipt, SessionRow, TurnRow
from spectronctl.server.store._database import Database, QueryError, RetryableError, Row, retry
from spectronctl.server.store._locks import Locks
from spectronctl.server.store._plane import GUARD, query_context
from spectronctl.server.store._regions import WITHIN, query_one_region, query_region, tag_row
from spectronctl.server.store._reservations import (
    FINISH,
    TAKEN_OVER,
    describe_receipt,
    explain_taken_over,
)
from spectronctl.server.store._search import REMEMBER
from spectronctl.server.store._sessions import CREATE, READ, make_session, read_session
from spectronctl.server.store._values import check_text

_MOVED = "moved on"

# Whoever else appends changes the same count: of the two, one is told so and tries again.
_COUNT = f"""
LET $counted = UPDATE session:[$row.session_id] SET turn_count += $count
    WHERE state = 'active' AND turn_count = $row.turn_count RETURN AFTER;
IF array::len($counted) = 0 {{ THROW '{_MOVED}' }};
"""

# Linear in the number of turns: one INSERT of them all looks back at each row before it.
_CREATE_TURNS = "FOR $turn IN $turns { CREATE turn CONTENT $turn RETURN NONE };"

# `offset` is a number of the index, since none is missing: START would read all the rows before it.
PAGE = """
SELECT turn_id AS id, session_id AS session, role, content, seq, created_at AS createdAt
FROM turn WHERE session_id = $session_id AND seq >= $offset ORDER BY seq LIMIT $limit
"""

_READ_PAGE = f"{READ} RETURN encoding::json::encode(({PAGE}));"

# The condition counts before the limit: memories of others do not use up the newest that are looked through.
_FIND = f"""
{READ}
RETURN encoding::json::encode((
    SELECT content AS text, role, seq FROM (
        SELECT content, role, seq FROM turn WHERE session_id = $session_id
        ORDER BY seq DESC LIMIT $most
    ) WHERE string::lowercase(content) CONTAINSANY $words
));
RETURN encoding::json::encode((
    SELECT text, scopes FROM (
        SELECT chunk_id, session_id, text, scopes FROM memory_chunk WHERE {WITHIN} ORDER BY chunk_id DESC LIMIT $most
    ) WHERE session_id != $session_id AND string::lowercase(text) CONTAINSANY $words
));
"""


class TurnTable:
    """The turns part of `Store`."""

    _database: Database
    _locks: Locks

    async def append_turns(
        self,
        context: ContextRow,
        session: SessionRow,
        turns: Sequence[TurnRow],
        *,
        is_new: bool,
        chunk: ChunkRow | None,
        receipt: Receipt | None,
    ) -> None:
        opening = CREATE if is_new else _COUNT
        parts = [opening, _CREATE_TURNS, REMEMBER if chunk else "", FINISH if receipt else ""]
        text = f"BEGIN;{GUARD}{''.join(parts)}COMMIT;"
        fixed = {
            "count": len(turns),
            "chunk": chunk and _make_chunk(session, chunk),
            "embedder": chunk and chunk.embedder,
            "vector": chunk and chunk.vector,
            "receipt": describe_receipt(receipt),
        }
        current = replace(session, turn_count=len(turns)) if is_new else session

        async def append() -> None:
            nonlocal current
            first = 0 if is_new else current.turn_count
            rows = [_make_turn(session, turn, seq) for seq, turn in enumerate(turns, first)]
            try:
                await self._append(
                    context, text, {**fixed, "row": make_session(current), "turns": rows}
                )
            except RetryableError:
                current = await self._read_again(context, session.id)
                raise

        async with self._locks.get_lock(context.id, session.id):
            await retry(append)

    async def _append(self, context: ContextRow, text: str, variables: Row) -> None:
        try:
            await query_context(self._database, context, text, variables)
        except QueryError as error:
            if error.category != "Thrown":
                raise
            if TAKEN_OVER in str(error):
                raise explain_taken_over() from error
            raise RetryableError(_MOVED) from error

    async def _read_again(self, context: ContextRow, session_id: str) -> SessionRow:
        # Whether the caller may write here was found out before the first attempt.
        found = await query_one_region(self._database, context, WHOLE, READ, session_id=session_id)
        row = read_session(found)
        if row is None or row.deleting:
            raise problems.not_found(f"no session {session_id}")
        return row

    async def read_turns(
        self, context: ContextRow, region: Region, session_id: str, *, offset: int, limit: int
    ) -> tuple[SessionRow | None, str]:
        page = {"session_id": session_id, "offset": offset, "limit": limit}
        found, turns = await query_region(self._database, context, region, _READ_PAGE, page)
        session = read_session(found)
        return session, turns if session else "[]"

    async def find_texts(
        self,
        context: ContextRow,
        region: Region,
        session_id: str,
        words: Sequence[str],
        *,
        most: int,
    ) -> tuple[SessionRow | None, list[Found]]:
        variables = {
            "session_id": session_id,
            "words": [check_text(word, "query") for word in words],
            "most": most,
        }
        found, *results = await query_region(self._database, context, region, _FIND, variables)
        session = read_session(found)
        texts = [Found(**row) for result in results for row in json.loads(result)]
        return session, texts if session else []


def _make_turn(session: SessionRow, turn: TurnRow, seq: int) -> Row:
    row: dict[str, Any] = {
        "id": turn.id.partition(":")[2],
        "turn_id": turn.id,
        "session_id": session.id,
        "seq": seq,
        "role": turn.role,
        "content": turn.content,
        "created_at": turn.created_at,
    }
    return {**row, "labels": list(turn.labels)} if turn.labels else row


def _make_chunk(session: SessionRow, chunk: ChunkRow) -> Row:
    return {
        "chunk_id": chunk.id,
        "session_id": session.id,
        "turn_id": chunk.turn_id,
        **tag_row(session.scopes),
        "text": chunk.text,
        "memory_category": chunk.memory_category,
        "created_at": chunk.created_at,
    }

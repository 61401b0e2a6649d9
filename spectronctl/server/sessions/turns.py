"""Turns: appended with consecutive numbers, read in pages of them, searched from the newest on."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from spectronctl.server.access.regions import WITHIN, query_one_region, tag_row
from spectronctl.server.access.scopes import WHOLE, Region, Scopes
from spectronctl.server.database.database import Database, QueryError, RetryableError, Row, retry
from spectronctl.server.database.errors import GoneError
from spectronctl.server.database.transaction import transaction
from spectronctl.server.database.values import check_text
from spectronctl.server.http.limits import MAX_PIECE
from spectronctl.server.idempotency.rows import Receipt
from spectronctl.server.idempotency.table import (
    FINISH,
    TAKEN_OVER,
    describe_receipt,
    explain_taken_over,
)
from spectronctl.server.index.rows import ChunkRow
from spectronctl.server.index.table import REMEMBER
from spectronctl.server.registry.context_database import GUARD, query_one
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.scopes.registering import REGISTERED, write_tagged
from spectronctl.server.sessions.rows import Found, SessionRow, TurnRow
from spectronctl.server.sessions.table import CREATE, READ, SESSION, make_session, parse_session

_MOVED = "moved on"

# Another writer that appends changes the same count: one of the two gets a conflict and tries again.
_COUNT = f"""
LET $counted = UPDATE session:[$row.session_id]
    SET turn_count += $count, longest_turn = math::max([longest_turn, $longest]),
        last_turn_at = $last_at
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

_READ_PAGE = f"""
LET $page = ({PAGE});
RETURN {{ count: count($page), turns: encoding::json::encode($page) }};
"""

# In one round trip with the session, where all of the page may be read at once.
_READ_FIRST = f"""
LET $row = (SELECT longest_turn, turn_count FROM ONLY session:[$session_id]);
LET $count = math::max([0, math::min([$limit, ($row.turn_count ?? 0) - $offset])]);
RETURN {{
    session: {SESSION},
    turns: IF ($row.longest_turn ?? 0) * $count <= $room {{ encoding::json::encode(({PAGE})) }}
}};
"""

_READ_HEAD = """
SELECT turn_id AS id, session_id AS session, role, seq, created_at AS createdAt
FROM turn WHERE session_id = $session_id AND seq = $seq
"""

_READ_HEAD_AS_JSON = f"RETURN encoding::json::encode(({_READ_HEAD})[0]);"

# The second number is where the slice ends, not how long it is.
_READ_SLICE = """
RETURN encoding::json::encode((
    SELECT VALUE string::slice(content, $start, $end) FROM turn
    WHERE session_id = $session_id AND seq = $seq
)[0] ?? NONE);
"""

# The engine holds all rows that a statement reads, so none may read too many. An upper bound of `seq` would not keep it
# from reading on behind that; a limit does.
_FIND_TURNS = """
RETURN encoding::json::encode((
    SELECT string::slice(content, 0, $longest) AS text, role, seq FROM (
        SELECT content, role, seq FROM turn WHERE session_id = $session_id AND seq >= $offset
        ORDER BY seq LIMIT $limit
    ) WHERE string::lowercase(content) CONTAINSANY $words ORDER BY seq DESC
));
"""

# The condition counts before the limit: memories of others do not use up the newest that are looked through.
_FIND_CHUNKS = f"""
LET $rows = (
    SELECT chunk_id, session_id, text, scopes FROM memory_chunk
    WHERE chunk_id < $before AND {WITHIN} ORDER BY chunk_id DESC LIMIT $limit
);
RETURN {{ ids: $rows.chunk_id, found: encoding::json::encode((
    SELECT string::slice(text, 0, $longest) AS text, scopes FROM $rows
    WHERE session_id != $session_id AND string::lowercase(text) CONTAINSANY $words
)) }};
"""

_CHUNKS = 250
"""Memories that are read at once."""
_AFTER_ALL = "memory_chunk:~"
_FEWEST_TURNS = 8
"""Turns that are read at once, however long they may be."""
_LONGEST_FOUND = 64 * 1024
"""Characters of a turn or of a memory that a recall looks at."""


class TurnTable:
    """Turns of sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        text = transaction(GUARD, REGISTERED, *parts)
        longest = max((len(turn.content) for turn in turns), default=0)
        last_at = turns[-1].created_at if turns else session.last_turn_at
        fixed = {
            "count": len(turns),
            "longest": longest,
            "last_at": last_at,
            "chunk": chunk and _make_chunk(session, chunk),
            "embedder": chunk and chunk.embedder,
            "vector": chunk and chunk.vector,
            "receipt": describe_receipt(receipt, session.scopes),
        }
        opened = replace(session, turn_count=len(turns), longest_turn=longest, last_turn_at=last_at)
        current = opened if is_new else session

        async def append() -> None:
            nonlocal current
            # Numbers are given out before the write, from the count that was read; the condition in `_COUNT` fails it
            # if another writer has been faster.
            first = 0 if is_new else current.turn_count
            rows = [_make_turn(session, turn, seq) for seq, turn in enumerate(turns, first)]
            try:
                await self._append(
                    context,
                    session.scopes,
                    text,
                    {**fixed, "row": make_session(current), "turns": rows},
                )
            except RetryableError:
                # Read again before the next attempt: with the old count it could only fail once more.
                current = await self._reload(context, session.id)
                raise

        # Writers of one session take turns here. Without that, of a hundred at once all but one would meet a conflict
        # in each round, and the last would give up.
        async with self._database.locks.get_lock(context.id, session.id):
            await retry(append)

    async def _append(self, context: ContextRow, scopes: Scopes, text: str, variables: Row) -> None:
        try:
            await write_tagged(self._database, context, scopes, text, variables)
        except QueryError as error:
            if error.category != "Thrown":
                raise
            if TAKEN_OVER in str(error):
                raise explain_taken_over() from error
            raise RetryableError(_MOVED) from error

    async def _reload(self, context: ContextRow, session_id: str) -> SessionRow:
        # Whether the caller may write here was found out before the first attempt.
        found = await query_one_region(self._database, context, WHOLE, READ, session_id=session_id)
        row = parse_session(found)
        if row is None or row.deleting:
            raise GoneError(f"no session {session_id}")
        return row

    async def load_turns(
        self, context: ContextRow, region: Region, session_id: str, *, offset: int, limit: int
    ) -> tuple[SessionRow | None, str | AsyncIterator[str]]:
        page = {"session_id": session_id, "offset": offset, "limit": limit, "room": MAX_PIECE}
        first = await query_one_region(self._database, context, region, _READ_FIRST, **page)
        session, turns = parse_session(first["session"]), first.get("turns")
        if session is None or turns is not None:
            return session, turns if session else "[]"
        count = max(0, min(limit, session.turn_count - offset))
        return session, self._load_pieces(context, session, range(offset, offset + count))

    async def _load_pieces(
        self, context: ContextRow, session: SessionRow, seqs: range
    ) -> AsyncIterator[str]:
        """A JSON array in pieces; raises where a turn is gone, so that a cut page is never taken for the last one."""
        # How many turns fit is known from the longest one, which the session's row keeps: no turn has to be read to
        # find that out.
        size = MAX_PIECE // max(1, session.longest_turn)
        for start in seqs[:: size or 1]:
            yield "," if start > seqs.start else "["
            if size:
                yield await self._load_some(
                    context, session.id, start, min(size, seqs.stop - start)
                )
            else:
                async for piece in self._load_long(context, session.id, start):
                    yield piece
        yield "]"

    async def _load_some(
        self, context: ContextRow, session_id: str, offset: int, limit: int
    ) -> str:
        page = {"session_id": session_id, "offset": offset, "limit": limit}
        found = await query_one(self._database, context, _READ_PAGE, **page)
        # Counted by the statement that reads: a session that is deleted meanwhile loses its turns in batches, and a
        # page with a gap would look like a conversation.
        if found["count"] != limit:
            raise _explain_gone(session_id)
        return str(found["turns"])[1:-1]

    async def _load_long(
        self, context: ContextRow, session_id: str, seq: int
    ) -> AsyncIterator[str]:
        """One turn, its text a piece at a time."""
        turn = {"session_id": session_id, "seq": seq}
        head = await query_one(self._database, context, _READ_HEAD_AS_JSON, **turn)
        # The JSON is put together by hand from what the database has encoded: a turn of 8 MB would cost three copies
        # of itself on its way through Python.
        yield f'{head[:-1]},"content":"'
        start, is_over = 0, False
        while not is_over:
            piece = await query_one(
                self._database, context, _READ_SLICE, **turn, start=start, end=start + MAX_PIECE
            )
            if piece == "null":
                raise _explain_gone(session_id)
            start += MAX_PIECE
            text = piece[1:-1]
            is_over = len(text) < MAX_PIECE  # escapes can only make it longer than what was read
            yield text
        yield '"}'

    async def find_texts(
        self,
        context: ContextRow,
        region: Region,
        session: SessionRow,
        words: Sequence[str],
        *,
        most: int,
    ) -> AsyncIterator[list[Found]]:
        wanted = {
            "session_id": session.id,
            "words": [check_text(word, "query") for word in words],
            "longest": _LONGEST_FOUND,
        }
        size = max(_FEWEST_TURNS, MAX_PIECE // max(1, session.longest_turn))
        first = max(0, session.turn_count - most)
        # From the newest on, in pieces of a size that fits in memory whatever the turns are like.
        for before in range(session.turn_count, first, -size):
            offset = max(first, before - size)
            bounds: Row = {"offset": offset, "limit": before - offset}
            yield _parse_found(
                await query_one(self._database, context, _FIND_TURNS, **wanted, **bounds)
            )
        before_chunk, left = _AFTER_ALL, most
        while left > 0:
            bounds = {"before": before_chunk, "limit": min(_CHUNKS, left)}
            chunks = await query_one_region(
                self._database, context, region, _FIND_CHUNKS, **wanted, **bounds
            )
            yield _parse_found(chunks["found"])
            ids = chunks["ids"]
            before_chunk, left = (ids[-1], left - _CHUNKS) if len(ids) == _CHUNKS else ("", 0)


def _parse_found(found: str) -> list[Found]:
    return [Found(**row) for row in json.loads(found)]


def _explain_gone(session_id: str) -> GoneError:
    return GoneError(f"no session {session_id}: it was deleted while it was read")


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
    if turn.labels:
        row["labels"] = list(turn.labels)
    return row | {"labelled_by": turn.labelled_by} if turn.labelled_by else row


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

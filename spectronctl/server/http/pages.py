"""Keyset pages: a cursor is the last id seen, so page 1,000 costs what page 1 costs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Annotated, Protocol, TypeVar

from fastapi import Query
from pydantic import BaseModel

from spectronctl.server.http.limits import MAX_PAGE_BYTES
from spectronctl.server.http.problems import invalid


class _Row(Protocol):
    @property
    def id(self) -> str: ...


RowT = TypeVar("RowT", bound=_Row)
ShownT = TypeVar("ShownT", bound=BaseModel)

_ROWS = 128
"""Rows that are read at once: each of them may be as long as free JSON and scopes can be."""

_WALKED = 500

Cursor = Annotated[
    str | None, Query(description="`next_cursor` of the page before; leave it out for the first")
]
Limit = Annotated[int, Query(ge=1, le=500, description="The most items that the page holds")]
DEFAULT_LIMIT = 50


def check_cursor(cursor: str | None, id_pattern: re.Pattern[str]) -> None:
    """400 for a cursor that is not an id of what is listed."""
    if cursor is not None and not id_pattern.fullmatch(cursor):
        raise invalid("cursor: is none that this server gave out; start again without one")


async def walk_rows(
    list_after: Callable[[str, int], Awaitable[Sequence[RowT]]],
) -> AsyncIterator[RowT]:
    """Every row, for a response that is not paged; `list_after` is that of `load_page`."""
    after = ""
    while True:
        rows = await list_after(after, _WALKED)
        for row in rows:
            yield row
        if len(rows) < _WALKED:
            return
        after = rows[-1].id


async def load_page(
    list_after: Callable[[str, int], Awaitable[Sequence[RowT]]],
    describe: Callable[[RowT], ShownT],
    after: str,
    limit: int,
) -> tuple[list[ShownT], str | None]:
    """
    The page, and the cursor of the next one (None: this is the last).

    It ends early when its items are long. `list_after` is given an id and how many rows behind it to return.
    """
    page: list[ShownT] = []
    room, cursor = MAX_PAGE_BYTES, after
    size = min(limit + 1, _ROWS)
    while True:
        rows = await list_after(after, size)
        for row in rows:
            if len(page) == limit or room <= 0:
                return page, cursor
            shown, cursor = describe(row), row.id
            page.append(shown)
            # Measured as it is sent. The last item may go over: a page of nothing would never end for a client.
            room -= len(shown.model_dump_json())
        # Fewer than were asked for: there are no more. One row beyond the page tells whether a next one exists, so no
        # count is needed.
        if len(rows) < size:
            return page, None
        after, size = rows[-1].id, _ROWS

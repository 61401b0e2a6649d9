"""Keyset pages: a cursor is the last id seen, so page 1,000 costs what page 1 costs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Protocol, TypeVar

from fastapi import Query
from pydantic import BaseModel

from spectronctl.server.http.limits import MAX_PAGE_BYTES


class _Row(Protocol):
    @property
    def id(self) -> str: ...


RowT = TypeVar("RowT", bound=_Row)
ShownT = TypeVar("ShownT", bound=BaseModel)

_ROWS = 128
"""Rows that are read at once: each of them may be as long as free JSON and scopes can be."""

Cursor = Annotated[
    str | None, Query(description="`next_cursor` of the page before; leave it out for the first")
]
Limit = Annotated[int, Query(ge=1, le=500, description="The most items that the page holds")]
DEFAULT_LIMIT = 50


async def read_page(
    read: Callable[[str, int], Awaitable[Sequence[RowT]]],
    show: Callable[[RowT], ShownT],
    after: str,
    limit: int,
    is_wanted: Callable[[RowT], bool] = lambda _: True,
) -> tuple[list[ShownT], str | None]:
    """
    The page of what is wanted, and the cursor of the next one (None: this is the last).

    It ends early when its items are long. `read` is given an id and how many rows behind it to read; it reads on past
    those that are not wanted.
    """
    page: list[ShownT] = []
    room, cursor = MAX_PAGE_BYTES, after
    size = min(limit + 1, _ROWS)
    while True:
        rows = await read(after, size)
        for row in filter(is_wanted, rows):
            if len(page) == limit or room <= 0:
                return page, cursor
            shown, cursor = show(row), row.id
            page.append(shown)
            room -= len(shown.model_dump_json())
        if len(rows) < size:
            return page, None
        after, size = rows[-1].id, _ROWS

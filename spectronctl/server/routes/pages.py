"""Keyset pages: a cursor is the last id seen, so page 1,000 costs what page 1 costs (contract, "Lists")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol, TypeVar

from fastapi import Query


class _Row(Protocol):
    @property
    def id(self) -> str: ...


RowT = TypeVar("RowT", bound=_Row)

Cursor = Annotated[
    str | None, Query(description="`next_cursor` of the page before; leave it out for the first")
]
Limit = Annotated[int, Query(ge=1, le=500, description="The most items that the page holds")]
DEFAULT_LIMIT = 50


def cut_page(rows: Sequence[RowT], limit: int) -> tuple[Sequence[RowT], str | None]:
    """From up to `limit + 1` rows: the page, and the cursor of the next one (None: this is the last)."""
    page = rows[:limit]
    return page, page[-1].id if len(rows) > limit else None

"""A walk over the pages of a list: which request comes next, and when to stop."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from spectronctl.api.pages import PAGE_SIZE, Page
from spectronctl.api.requests import Request
from spectronctl.errors import UpstreamError, UsageError

T = TypeVar("T")

MAX_EMPTY_PAGES = 100
"""Pages without an item, one after the other, that a list may have before it goes on."""

MAX_PAGES = 2_000
"""Pages that a list may have that no `limit` bounds: a million items at 500 a page, more than fits into memory."""

MAX_CURSOR = 8192
"""Characters: more would fit into no address."""


class Walk(Generic[T]):
    """`request` is the next one to send, None at the end; `limit` bounds the items of all pages together."""

    def __init__(self, request: Request[Page[T]], limit: int | None) -> None:
        if limit is not None and limit < 0:
            raise UsageError(f"limit: {limit} is negative")
        self._left = limit
        self._empty = 0
        self._pages = 0
        # The cursor that the caller starts with counts too: a server that hands it out again goes in a circle from
        # the first page.
        self._cursors: set[Any] = {request.params.get("cursor")}
        self.request = None if limit == 0 else self._ask_for_the_rest(request)

    def take(self, page: Page[T], request: Request[Page[T]]) -> Page[T]:
        """Note the page that came for `request` and return what is wanted of it; UpstreamError when none can follow."""
        self.request = None
        self._pages += 1
        # Some are allowed: a server that filters after it has read a page may return one without items and go on.
        self._empty = 0 if page.items else self._empty + 1
        if self._left is not None:
            page = _cut(page, self._left)
            self._left -= len(page.items)
        # Where the limit is reached no further page is asked for; the server's own `has_more` then says whether there
        # is more.
        if self._left != 0 and page.has_more:
            self.request = self._ask_for_the_rest(self._follow(page, request))
        return page

    def _follow(self, page: Page[T], request: Request[Page[T]]) -> Request[Page[T]]:
        following = page.after(request)
        if following is None:
            raise refuse_page(request, "says that more items follow, but not where (no cursor)")
        if problem := self._find_problem(page.next_cursor or ""):
            raise refuse_page(request, problem)
        self._cursors.add(page.next_cursor)
        return following

    def _find_problem(self, cursor: str) -> str | None:
        """Why the list would never end, or its next page could not be asked for."""
        if cursor in self._cursors:
            return "hands out the same cursor again, so the list would never end"
        if self._empty > MAX_EMPTY_PAGES:
            return f"hands out {self._empty} empty pages in a row, so the list may never end"
        if self._left is None and self._pages >= MAX_PAGES:
            return explain_endless(MAX_PAGES)
        # Found here it is the server's fault by name; as part of a URL it would be a 414, or a reset of the
        # connection.
        if len(cursor) > MAX_CURSOR:
            return f"hands out a cursor of {len(cursor)} characters"
        return None

    def _ask_for_the_rest(self, request: Request[Page[T]]) -> Request[Page[T]]:
        if self._left is None:
            return request
        # Servers may ignore it, and then `_cut` shortens the page.
        return request.with_params(limit=min(request.params.get("limit", PAGE_SIZE), self._left))


def _cut(page: Page[T], left: int) -> Page[T]:
    if len(page.items) <= left:
        return page
    return page.model_copy(update={"items": page.items[:left], "has_more": True})


def explain_endless(pages: int) -> str:
    """What is wrong with a list of ever new pages."""
    return f"hands out more than {pages} pages, so the list may never end; a limit reads only so many items"


def refuse_page(request: Request[Any], problem: str) -> UpstreamError:
    """The error for a page that cannot belong to a whole list."""
    return UpstreamError(
        f"{request.method} {request.path}: the server {problem}",
        hint="The list is incomplete. The server, or a proxy in between, responds incorrectly.",
    )

"""A run over pages that are asked for by offset, several at a time: what to ask for next, and when to stop. No I/O."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from spectronctl.api.pages import Page, ask_from, parse_page_size
from spectronctl.api.requests import Request
from spectronctl.client._walk import explain_endless, refuse_page
from spectronctl.errors import UsageError

T = TypeVar("T")

PARALLEL = 4
"""Pages that are on their way at once."""

MAX_PAGES = 10_000
"""Pages of a run that no `limit` bounds: five million turns at 500 a page. They are written as they come."""

_CAP_STEP = 50
"""What servers cap their pages to is a multiple of this."""


class Window(Generic[T]):
    """
    Hands out requests with `ask` and wants their pages in the same order in `take`, until `is_over`.

    The first page goes alone: most lists end with it. `first_seq` is what the first item's `seq` must be, None where
    that is not known.
    """

    def __init__(
        self,
        request: Request[Page[T]],
        *,
        start: int = 0,
        limit: int | None = None,
        parallel: int = PARALLEL,
        first_seq: int | None = None,
    ) -> None:
        _check(start=start, limit=limit, parallel=parallel)
        self.is_over = limit == 0
        self._request = request
        self._size = parse_page_size(request)
        self._next = start
        self._end = None if limit is None else start + limit
        self._asked: deque[int] = deque()
        self.parallel = parallel
        self._first = True
        self._seq = first_seq
        self._pages = 0

    @property
    def width(self) -> int:
        """How many pages may be on their way now."""
        return 1 if self._first else self.parallel

    def ask(self) -> Request[Page[T]] | None:
        """The request to send now; None while there is none."""
        wanted = self._size if self._end is None else min(self._size, self._end - self._next)
        if self.is_over or wanted <= 0 or len(self._asked) >= self.width:
            return None
        request = ask_from(self._request, self._next, size=self._size, wanted=wanted)
        self._asked.append(wanted)
        self._next += wanted
        return request

    def take(self, page: Page[T]) -> Page[T]:
        """
        Note the page that came for the oldest request, and return what is wanted of it.

        `has_more` says that the run was stopped by its limit or goes on. UpstreamError when `seq` has a gap or repeats.
        """
        wanted = self._asked.popleft()
        count = len(page.items)
        # A server that ignores `limit` and sends all it has would otherwise have the same turns come again with the
        # next offset.
        if count > self._size:
            problem = f"returned {count} items where {self._size} were requested"
            raise refuse_page(self._request, problem)
        self._check_order(page)
        self._count_page()
        # What other requests beyond the end bring is never taken: the caller of `take` cancels or drops them.
        if count < wanted and not self._learn_cap(count, wanted):
            self.is_over = True
            return page
        self._first = False
        self.is_over = self._next == self._end and not self._asked
        page.has_more = True
        del page.items[wanted:]
        return page

    def _count_page(self) -> None:
        self._pages += 1
        if self._end is None and self._pages > MAX_PAGES:
            raise refuse_page(self._request, explain_endless(MAX_PAGES))

    def _learn_cap(self, count: int, wanted: int) -> bool:
        """Whether the first page may be short because the server hands out no more at once, and not as the last."""
        # Only the first page goes alone, so no request is on its way yet with an offset that a smaller page makes
        # wrong. A list that ends exactly at such a number costs one more request, which comes back empty.
        if not self._first or count == 0 or count % _CAP_STEP:
            return False
        self._next += count - wanted
        self._size = count
        return True

    def _check_order(self, page: Page[T]) -> None:
        seqs = page.seqs()
        if not seqs:
            return
        # Where a session's numbers start is the server's choice, so the first one seen sets it, unless the caller
        # knows better.
        due = seqs[0] if self._seq is None else self._seq
        if seqs != list(range(due, due + len(seqs))):
            raise refuse_page(self._request, _explain_order(seqs, due))
        self._seq = due + len(seqs)


def _explain_order(seqs: list[int], due: int) -> str:
    for seq, wanted in zip(seqs, range(due, due + len(seqs)), strict=True):
        if seq > wanted:
            return f"leaves out seq {wanted}: seq {seq} comes in its place"
        if seq < wanted:
            return f"repeats seq {seq}, where seq {wanted} was due"
    raise AssertionError("the order is as it should be")


def _check(*, start: int, limit: int | None, parallel: int) -> None:
    if start < 0:
        raise UsageError(f"start: {start} is negative")
    if limit is not None and limit < 0:
        raise UsageError(f"limit: {limit} is negative")
    if parallel < 1:
        raise UsageError(f"parallel: {parallel} is not at least 1")

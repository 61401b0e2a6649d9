"""Lists over all pages, as long as `--limit` allows, with a word about what it left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.api.pages import Page
    from spectronctl.api.requests import Request
    from spectronctl.cli.runtime import Runtime
    from spectronctl.client import Client
    from spectronctl.models._base import Model

    M = TypeVar("M", bound=Model)
    T = TypeVar("T")


def list_items(
    rt: Runtime,
    request: Request[Page[M]],
    keep: Callable[[M], bool] | None = None,
    *,
    client: Client | None = None,
) -> Iterator[dict[str, Any]]:
    """Every item over all pages, or every one that is to be kept."""
    if keep is not None:
        yield from _list_kept(rt, request, keep)
        return
    # The server is asked for no more than is shown.
    pages = (client or rt.client).pages(request, limit=_find_limit(rt))
    yield from (item.to_dict() for item in walk_pages(rt, pages))


def walk_pages(rt: Runtime, pages: Iterable[Page[T]]) -> Iterator[T]:
    """Every item of pages that `--limit` bounds."""
    has_more = False
    for page in pages:
        has_more = page.has_more
        yield from page.items
    # The client stops at the limit: that the last page names a further one means that something was left out.
    if has_more:
        _note_limit(rt, "are")


def limit_rows(rt: Runtime, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """As many of these as are allowed."""
    limit = _find_limit(rt)
    if limit is not None and len(rows) > limit:
        _note_limit(rt, "are")
    return rows[:limit]


def refuse_limit(rt: Runtime, option: str) -> None:
    """UsageError for a typed `--limit` where `option` says that there is none; one of the environment is for lists."""
    if "limit" in rt.flags:
        raise UsageError(
            f"{option} and --limit cannot be used together: {option} leaves nothing out",
            hint=f"Leave out --limit, or name what is meant instead of {option}.",
        )


def _list_kept(
    rt: Runtime, request: Request[Page[M]], keep: Callable[[M], bool]
) -> Iterator[dict[str, Any]]:
    # The server counts before `keep` chooses, so it gets no limit here.
    limit, count = _find_limit(rt), 0
    for page in rt.client.pages(request):
        for item in filter(keep, page.items):
            if count == limit:
                _note_limit(rt, "are")
                return
            count += 1
            yield item.to_dict()
        if count == limit:  # enough: what later pages hold is not asked
            if page.has_more:
                # Whether any of the rest would be kept is not known without reading it.
                _note_limit(rt, "may be")
            return


def _find_limit(rt: Runtime) -> int | None:
    """How many to read: all of a list that is sorted here, since the first N of it are known only then."""
    return None if rt.out.is_sorted else rt.settings.limit.value


def _note_limit(rt: Runtime, verb: str) -> None:
    rt.out.remark(f"There {verb} more: --limit {rt.settings.limit.value} ended the list.")

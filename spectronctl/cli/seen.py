"""The ids of contexts that shells offer after TAB: kept and forgotten as commands meet them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime


def remember_context(rt: Runtime, context_id: str) -> None:
    """Keep a context's id."""
    from spectronctl.local import seen

    seen.remember(rt.env, rt.settings.url.value, [context_id])


def remember_contexts(
    rt: Runtime, items: Iterable[dict[str, Any]], *, is_whole: bool = True
) -> Iterator[dict[str, Any]]:
    """Pass a list of contexts on, keeping their ids; a whole list takes the place of what was known."""
    from spectronctl.local import seen

    ids = []
    for item in items:
        ids.append(str(item["id"]))
        yield item
    # Not reached when the reader stops before the end: half a list replaces nothing.
    is_whole = is_whole and rt.settings.limit.value is None
    seen.remember(rt.env, rt.settings.url.value, ids, replace=is_whole)


def forget_context(rt: Runtime, context_id: str) -> None:
    """A context is gone: it is offered no longer."""
    from spectronctl.local import seen

    seen.forget(rt.env, rt.settings.url.value, context_id)

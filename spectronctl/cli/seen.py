"""The names that shells offer after TAB: kept and forgotten as commands meet them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime


def remember_context(rt: Runtime, context_id: str) -> None:
    """Keep a context's id."""
    remember_name(rt, "contexts", context_id, context="")


def remember_contexts(
    rt: Runtime, items: Iterable[dict[str, Any]], *, is_whole: bool = True
) -> Iterator[dict[str, Any]]:
    """Pass a list of contexts on, keeping their ids; a whole list takes the place of what was known."""
    return remember_items(rt, "contexts", items, context="", is_whole=is_whole)


def remember_name(rt: Runtime, kind: str, name: str, *, context: str) -> None:
    """Keep the name of a key, session, scope or job of a context."""
    from spectronctl.local import seen

    seen.remember(rt.env, rt.settings.url.value, [_shorten(name)], kind=kind, context=context)


def remember_items(
    rt: Runtime,
    kind: str,
    items: Iterable[dict[str, Any]],
    *,
    context: str,
    field: str = "id",
    is_whole: bool = True,
) -> Iterator[dict[str, Any]]:
    """Pass a list on, keeping the names in `field`; a whole list takes the place of what was known."""
    from spectronctl.local import seen

    names = []
    for item in items:
        names.append(_shorten(str(item[field])))
        yield item
    # Not reached when the reader stops before the end: half a list replaces nothing.
    is_whole = is_whole and rt.settings.limit.value is None
    url = rt.settings.url.value
    seen.remember(rt.env, url, names, replace=is_whole, kind=kind, context=context)


def forget_context(rt: Runtime, context_id: str) -> None:
    """A context is gone: it is offered no longer."""
    forget_name(rt, "contexts", context_id, context="")


def forget_name(rt: Runtime, kind: str, name: str, *, context: str) -> None:
    """A key or session is gone: it is offered no longer."""
    from spectronctl.local import seen

    seen.forget(rt.env, rt.settings.url.value, _shorten(name), kind=kind, context=context)


def _shorten(name: str) -> str:
    # Readline ends a word at the colon of `session:01M8…`; commands take the id without that prefix, too. A scope is
    # named without the slash at its end.
    return name.removeprefix("session:").removesuffix("/")

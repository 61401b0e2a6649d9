"""Sessions as people name them: by a whole id, with or without its prefix, or by the beginning of one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from spectronctl.api import sessions as api
from spectronctl.errors import NotAvailableError, NotFoundError

if TYPE_CHECKING:
    from spectronctl.client import Client

PREFIX = "session:"


def resolve_session(client: Client, context: str, wanted: str) -> str:
    """The id of one session; ConflictError when several begin so."""
    return resolve_sessions(client, context, [wanted])[0]


def resolve_sessions(client: Client, context: str, wanted: Iterable[str]) -> list[str]:
    """The ids of sessions, each once; the list of a context is read once, and only for what is no whole id."""
    from spectronctl.operations.names import resolve_id

    # A context may have very many sessions: one list serves all words, and whole ids do without it.
    @cache
    def list_ids() -> tuple[str, ...]:
        try:
            return tuple(each.id for each in client.items(api.list_sessions(context)))
        except (NotAvailableError, NotFoundError):  # not every server has a list
            return ()

    found = (resolve_id(each, list_ids, prefix=PREFIX, thing="session") for each in wanted)
    return list(dict.fromkeys(found))

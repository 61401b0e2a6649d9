"""What comes near a thing that is not there, for the error that says so: looked up once the command has failed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from itertools import islice, pairwise
from typing import TYPE_CHECKING
from urllib.parse import unquote

from spectronctl.api.routes import MANAGEMENT
from spectronctl.cli.refused import explain_key
from spectronctl.errors import AuthError, NotFoundError, RequestError, SpectronctlError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

MAX_LOOKED_AT = 5_000
"""Names that are read, of a list that may be without end."""


def name_near(rt: Runtime, error: RequestError) -> RequestError:
    """The error with the near names, if the server tells; as it was when it does not, or when that is not its point."""
    path = _split_path(error)
    if len(path) > 1 and not error.candidates and _may_be_missing(error, path):
        # It explains a failure, and may not fail itself: what can go wrong here has gone wrong before.
        with suppress(SpectronctlError):
            error = _explain(rt, error, path)
    if isinstance(error, AuthError) and path:
        _explain_key(rt, error, path[0])
    return error


def _explain_key(rt: Runtime, error: AuthError, first: str) -> None:
    context = None if first in MANAGEMENT else first
    given = rt.settings
    credential = given.data_plane_credential(context) if context else given.management_credential()
    if credential is not None:
        explain_key(rt, error, context, credential, credential.source)


def _may_be_missing(error: RequestError, path: list[str]) -> bool:
    if isinstance(error, AuthError):
        # Inside a context that does not exist a server knows no key, and so says that this one is wrong. Of the
        # management plane it means the key itself, which would be refused again.
        return path[0] not in {"contexts", "management-keys"}
    return isinstance(error, NotFoundError)  # a page of another server's may be a 404, too


def _split_path(error: RequestError) -> list[str]:
    """The segments behind the prefix of every call."""
    _, _, path = (error.http or "").partition("/api/v1/")
    return [unquote(each) for each in path.split("/")] if path else []


def _explain(rt: Runtime, error: RequestError, path: list[str]) -> RequestError:
    context = path[1] if path[0] == "contexts" else path[0]
    # Takes the management key, and its own error where there is none: then nothing is added.
    contexts = _list_contexts(rt)
    if context not in contexts:
        return _explain_context(error, context, contexts)
    if error.status == 404:
        _name_within(rt, error, context, path)
    return error


def _explain_context(error: RequestError, context: str, contexts: list[str]) -> RequestError:
    from spectronctl.operations.names import find_near

    return NotFoundError(
        f"context {context} does not exist",
        status=error.status,
        type=error.type,
        request_id=error.request_id,
        http=error.http,
        hint=None if error.status == 401 else error.hint,
        candidates=find_near(context, contexts),
        command=error.command or "spectronctl contexts list",
    )


def _name_within(rt: Runtime, error: RequestError, context: str, path: list[str]) -> None:
    """A session or a job, by the segment behind the name of its list."""
    from spectronctl.operations.names import find_near

    lists = {"sessions": _list_sessions, "jobs": _list_jobs}
    for kind, wanted in pairwise(path):
        if kind in lists:
            error.candidates = find_near(wanted, lists[kind](rt, context))


def _list_contexts(rt: Runtime) -> list[str]:
    from spectronctl.api.contexts import list_contexts

    return _take(context.id for context in rt.client.items(list_contexts()))


def _list_sessions(rt: Runtime, context: str) -> list[str]:
    from spectronctl.api.sessions import list_sessions

    client = rt.clients.of_context(context)
    return _take(session.id for session in client.items(list_sessions(context)))


def _list_jobs(rt: Runtime, context: str) -> list[str]:
    from spectronctl.api.lifecycle import list_jobs

    return _take(job.id for job in rt.client.items(list_jobs(context)))


def _take(names: Iterable[str]) -> list[str]:
    return list(islice(names, MAX_LOOKED_AT))

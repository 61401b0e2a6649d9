"""The data plane of a context, and what its refusals mean to the user of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spectronctl.errors import AuthError, ForbiddenError, NotAvailableError, NotFoundError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.client import Client


@contextmanager
def open_plane(rt: Runtime, context: str | None = None) -> Iterator[tuple[Client, str]]:
    """The client and the context; a management key that is refused gets the hint to give the context's own."""
    context = context or rt.context
    client = rt.clients.of_context(context)
    try:
        yield client, context
    except (AuthError, ForbiddenError) as exc:
        # Without a status it is our own error, which says already that there is no key.
        if exc.status is not None and _sends_management_key(rt, context):
            exc.hint = (
                f"A management key was sent. Give a key of context {context}: in SPECTRON_API_KEY,"
                f" or as context_keys.{context} of a profile. 'spectronctl keys create' makes one."
            )
        raise


def _sends_management_key(rt: Runtime, context: str) -> bool:
    credential = rt.settings.data_plane_credential(context)
    # The same credential, not the same text: nothing is read to find out.
    if credential is None or credential != rt.settings.management_credential():
        return False
    return not rt.inputs.read_credential(credential).startswith("sk-")  # --api-key serves for both


@contextmanager
def explain_missing(problem: str) -> Iterator[None]:
    """Around an extension of the product's protocol: 404 and 405 say that this server has none, and so the problem."""
    try:
        yield
    # 405 where the path is there for another method: the sessions of some servers can be made, and not listed.
    except (NotFoundError, NotAvailableError) as exc:
        raise NotAvailableError(problem, status=exc.status, request_id=exc.request_id) from None

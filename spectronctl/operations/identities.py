"""Who the keys at hand are, on each plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from spectronctl.api.contexts import list_contexts
from spectronctl.client import Client
from spectronctl.errors import AuthError, ForbiddenError
from spectronctl.models.identity import Identity

Refusal = AuthError | ForbiddenError


def identify_operator(client: Client) -> Identity:
    """Who a management key is, found by a call that takes nothing else; AuthError or ForbiddenError for any other."""
    # The management plane has no `me`: a call that reads as little as possible stands in for it.
    client.send(list_contexts(limit=1))
    return Identity(principal_id="operator")


def identify_all(asks: Mapping[str, Callable[[], Identity]]) -> dict[str, Identity | Refusal]:
    """What every one of them returns, or why it is refused; the first refusal is raised when all of them are."""
    found = {name: _try(ask) for name, ask in asks.items()}
    refusals = [response for response in found.values() if isinstance(response, Refusal)]
    if len(refusals) == len(found):
        # One accepted key is a result, even beside a refused one: the command then shows both.
        raise refusals[0]
    return found


def _try(ask: Callable[[], Identity]) -> Identity | Refusal:
    try:
        return ask()
    except (AuthError, ForbiddenError) as exc:
        return exc

"""Principals found by name, and changes of their grants that take several requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from spectronctl.api import keys as keys_api
from spectronctl.api import principals as api
from spectronctl.api.requests import Request
from spectronctl.client import Client
from spectronctl.errors import ConflictError, NotFoundError, SpectronctlError
from spectronctl.models.identity import Grants
from spectronctl.models.keys import Key
from spectronctl.models.principals import Principal
from spectronctl.operations.names import MAX_CANDIDATES, find_near, find_shortened

PREFIX = "principal:"

Change = Callable[[str, str, str, Sequence[str]], Request[Principal]]
"""`api.grant` or `api.revoke`."""


class Made(NamedTuple):
    """A principal, and whether it is new."""

    principal: Principal
    created: bool


def find_principal(client: Client, context_id: str, wanted: str) -> Principal:
    """The principal with this id, display name or external id, or the only one whose id begins so."""
    everyone = list(client.items(api.list_principals(context_id)))
    found = (
        [each for each in everyone if wanted in {each.id, each.id.removeprefix(PREFIX)}]
        or [each for each in everyone if wanted in {each.display_name, each.external_id}]
        or _find_shortened(everyone, wanted)
    )
    if not found:
        raise NotFoundError(
            f"no principal {wanted!r} in context {context_id}",
            candidates=find_near(wanted, [each.display_name or each.id for each in everyone]),
            command=f"spectronctl principals list -c {context_id}",
        )
    if len(found) > 1:
        raise ConflictError(
            f"{len(found)} principals of context {context_id} are meant by {wanted!r}",
            candidates=[f"{each.id} ({each.display_name})" for each in found[:MAX_CANDIDATES]],
            hint="Name the one you mean by its whole id.",
        )
    return found[0]


def _find_shortened(everyone: Iterable[Principal], wanted: str) -> list[Principal]:
    by_id = {each.id: each for each in everyone}
    return [by_id[each] for each in find_shortened(wanted, by_id, prefix=PREFIX)]


def create_principal(
    client: Client,
    context_id: str,
    display_name: str,
    *,
    kind: str,
    external_id: str | None,
    grants: Grants,
    if_exists: Literal["fail", "skip"],
) -> Made:
    """Create a principal; ConflictError if there is one of that name or external id, unless that one will do."""
    for each in client.items(api.list_principals(context_id)):
        if each.display_name == display_name or (external_id and each.external_id == external_id):
            if if_exists == "skip":
                return Made(each, created=False)
            raise ConflictError(
                f"principal {each.display_name} ({each.id}) of context {context_id} already exists",
                hint="Pass --if-exists skip to keep it as it is.",
            )
    request = api.create_principal(
        context_id, display_name, kind=kind, external_id=external_id, grants=grants
    )
    return Made(client.send(request), created=True)


def list_keys_of(client: Client, context_id: str, principal_id: str) -> list[Key]:
    """The keys that act for a principal."""
    keys = client.items(keys_api.list_keys(context_id))
    return [each for each in keys if each.principal_id == principal_id]


def change_grants(
    client: Client, context_id: str, principal: Principal, grants: Grants, change: Change
) -> Principal:
    """
    Grant or revoke every verb over every pattern, one request for each pattern.

    What was done before a failure stays done, and the error says what that is: the whole may be repeated.
    """
    done: list[str] = []
    for pattern, verbs in _by_pattern(grants).items():
        try:
            principal = client.send(change(context_id, principal.id, pattern, verbs))
        except SpectronctlError as error:
            if done:
                error.hint = f"Done before that: {', '.join(done)}. It is safe to repeat all of it."
            raise
        done.append(f"{' and '.join(verbs)} over {pattern}")
    return principal


def _by_pattern(grants: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for verb, patterns in grants.items():
        for pattern in patterns:
            found.setdefault(pattern, []).append(verb)
    return found

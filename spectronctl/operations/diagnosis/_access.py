"""What the keys open: in which headers, on which plane, which routes, which context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spectronctl.api import contexts as contexts_api
from spectronctl.api.identity import get_identity
from spectronctl.api.migrations import get_migrations
from spectronctl.api.requests import Request, path
from spectronctl.api.routes import ROUTES, Route
from spectronctl.errors import (
    AuthError,
    ForbiddenError,
    NotAvailableError,
    NotFoundError,
    RequestError,
)
from spectronctl.models.identity import Identity
from spectronctl.operations.diagnosis._engine import Finding
from spectronctl.operations.diagnosis._subject import Subject

if TYPE_CHECKING:
    from spectronctl.ground.vocabulary import AuthHeader

HEADERS: dict[AuthHeader, str] = {
    "both": "both headers at once",
    "bearer": "Authorization: Bearer",
    "api-key": "API-KEY",
}


def check_auth_header(subject: Subject) -> Finding:
    """Which of the two headers the server takes the key in, and whether that fits the settings."""
    target = subject.target
    key, ask = _choose_question(subject)
    if key is None:
        why = "no key is needed" if target.is_local else "no key and context to try it with"
        return Finding(f"not tried: {why}", "skipped")
    taken = {each: _takes(subject, key, ask, each) for each in HEADERS}
    facts = {"auth_header": target.auth_header, "accepted": [each for each in taken if taken[each]]}
    fitting = [each for each, is_taken in taken.items() if is_taken]
    if taken[target.auth_header]:
        singles = " and ".join(HEADERS[each] for each in fitting if each != "both")
        return Finding(f"{target.auth_header}; the server takes {singles}", facts=facts)
    if not fitting:
        return Finding("cannot be told: the key is refused in either", "skipped", facts=facts)
    # The single headers stand after `both` in HEADERS: one that is enough alone is the better advice.
    best = fitting[-1]
    error = AuthError(
        f"the server takes the key as {HEADERS[best]}, not in {HEADERS[target.auth_header]}",
        status=401,
        hint=f"auth_header = {best} makes every command send it so.",
        command=target.advise("auth_header", best),
    )
    return Finding.of(error, facts)


def _choose_question(subject: Subject) -> tuple[str | None, Request[object]]:
    """A key, and a call that it should be good for."""
    context = subject.target.context
    if subject.management_key is None and context is not None:
        return subject.context_key, get_identity(context)
    return subject.management_key, contexts_api.list_contexts(limit=1)


def _takes(subject: Subject, key: str, ask: Request[object], header: AuthHeader) -> bool:
    """Whether the key is known when it is sent so: to be refused the call itself takes a known key."""
    try:
        subject.sign(key, header).send(ask)
    except AuthError:
        return False
    except RequestError as exc:
        if exc.status is None or exc.status >= 429:  # which says nothing of the key
            raise
    return True


def check_management_key(subject: Subject) -> Finding:
    """Whether the server takes the management key, and what it is if not."""
    target = subject.target
    if subject.management_key is None and not target.is_local:
        return Finding("no management key: only commands inside a context will work", "skipped")
    try:
        page = subject.sign(subject.management_key).send(contexts_api.list_contexts(limit=1))
    except (AuthError, ForbiddenError) as exc:
        if (subject.management_key or "").startswith("sk-"):
            raise _explain_context_key(exc) from None
        raise
    subject.is_operator = True
    subject.seen_context = page.items[0].id if page.items else None
    return Finding("accepted")


def _explain_context_key(refusal: RequestError) -> RequestError:
    refusal.message = f"the key is a context's (sk-…), sent as a management key: {refusal.message}"
    refusal.hint = (
        "Management calls need a management key (mgmt-…). Keep this one for its context: in SPECTRON_API_KEY,"
        " or as context_keys.CONTEXT.api_key_file of a profile."
    )
    return refusal


def check_schema(subject: Subject) -> Finding:
    """Whether the databases of all contexts are at the schema of the server."""
    if not subject.is_operator:
        return Finding("only a management key is told", "skipped")
    try:
        found = subject.sign(subject.management_key).send(get_migrations())
    except (NotFoundError, NotAvailableError):
        return Finding("this server does not tell", "skipped")
    facts = {
        "version": found.schema_version,
        "contexts": len(found.contexts),
        "behind": len(found.behind),
        "failures": len(found.failures),
    }
    detail = f"version {found.schema_version}; contexts: {len(found.contexts)}"
    if not found.behind and not found.failures:
        return Finding(detail, facts=facts)
    return Finding(
        f"{detail}, behind: {len(found.behind)}, failed: {len(found.failures)}",
        "warning",
        hint="The server brings a context up to date when it starts; its log says what keeps it.",
        command="spectronctl migrations status",
        facts=facts,
    )


_CAPABILITIES = {route.capability: route for route in ROUTES if route.capability}
"""Every one is asked with GET, so that nothing is written: a route that takes only POST refuses that with 405."""


def check_capabilities(subject: Subject) -> Finding:
    """Which routes the server has, as far as these keys let one see."""
    responses = dict(_try_routes(subject))
    groups = {
        "offered": [name for name, is_there in responses.items() if is_there],
        "not offered": [name for name, is_there in responses.items() if is_there is False],
        "not to be seen": [name for name, is_there in responses.items() if is_there is None],
    }
    told = [f"{group}: {', '.join(names)}" for group, names in groups.items() if names]
    return Finding("; ".join(told), facts=responses)


def _try_routes(subject: Subject) -> Iterator[tuple[str, bool | None]]:
    context = subject.seen_context or subject.target.context
    for name, route in _CAPABILITIES.items():
        is_hidden = route.is_management and not subject.is_operator
        if is_hidden or (route.needs_context and context is None):
            yield name, None
        else:
            yield name, _is_there(subject, route, context or "")


def _is_there(subject: Subject, route: Route, context: str) -> bool | None:
    takes_context_key = not route.is_management and context == subject.target.context
    key = subject.context_key if takes_context_key else subject.management_key
    where = path(route.template, **({"id": context} if route.needs_context else {}))
    params = {"limit": 1} if route.method == "GET" else {}
    try:
        subject.sign(key).send(Request("GET", where, None, params=params))
    except NotAvailableError as exc:
        # The path is there and takes other methods: for a route that is POST only, this is how one sees it without
        # writing.
        return exc.status == 405 and route.method == "POST"
    except NotFoundError:  # which a server may also say of a context that this key may not see
        return None if route.needs_context and subject.seen_context is None else False
    except RequestError as exc:
        if exc.status is None:
            raise
        return None
    return True


def check_context(subject: Subject) -> Finding:
    """Whether the chosen context is there, who the key is in it, and what it may do."""
    context = subject.target.context
    if context is None:
        return Finding(
            "no context chosen", "skipped", hint="-c, SPECTRON_CONTEXT_ID or a profile names one."
        )
    if subject.is_operator:
        _find_context(subject, context)
        subject.seen_context = context
    try:
        found = subject.sign(subject.context_key).send(get_identity(context))
    except AuthError as exc:
        exc.hint = _describe_refused(subject, context)
        raise
    subject.seen_context = context
    facts = {"context": context, "principal_id": found.principal_id, "kind": found.kind}
    return Finding(
        f"{context} as {found.display_name or found.principal_id}: {_list_verbs(found)}",
        facts=facts | {"effective_grants": found.effective_grants},
    )


def _find_context(subject: Subject, context: str) -> None:
    try:
        subject.sign(subject.management_key).send(contexts_api.get_context(context))
    except NotFoundError as exc:
        exc.message, exc.http = f"there is no context {context}", None
        exc.command = "spectronctl contexts list"
        raise


def _describe_refused(subject: Subject, context: str) -> str:
    if subject.context_key == subject.management_key and subject.is_operator:
        return (
            "This server takes no management key inside a context. Give a key of it: in SPECTRON_API_KEY, or as"
            f" context_keys.{context} of a profile. 'spectronctl keys create' makes one."
        )
    return (
        f"The key is wrong, deleted, expired, or another context's than {context}, or there is no such context:"
        " the server does not say which."
    )


def _list_verbs(found: Identity) -> str:
    return ", ".join(found.effective_grants) or "no grants"

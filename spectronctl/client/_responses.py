"""The last outcome of a call, read as its result or raised as the error it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urljoin

from pydantic import ValidationError

from spectronctl import errors
from spectronctl.api.requests import Reply
from spectronctl.client._call import Call, Outcome
from spectronctl.client._connection import format_origin, parse_url
from spectronctl.client._failures import LOOK_FIRST, PROXY_HINT, build_network_error
from spectronctl.ground.http_problems import (
    MAX_PAGE,
    Response,
    ServerProblem,
    describe_page,
    is_web_page,
    parse_problem,
    parse_retry_after,
)
from spectronctl.models.events import Event

T = TypeVar("T")

ERRORS: dict[int, type[errors.RequestError]] = {
    400: errors.InvalidError,
    401: errors.AuthError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    405: errors.NotAvailableError,
    407: errors.UpstreamError,
    409: errors.ConflictError,
    412: errors.ConflictError,
    413: errors.InvalidError,
    415: errors.InvalidError,
    422: errors.InvalidError,
    429: errors.RateLimitedError,
    501: errors.NotAvailableError,
}

KEY_SOURCES = (
    "Give one with --api-key-file PATH, in SPECTRON_MANAGEMENT_API_KEY or SPECTRON_API_KEY, "
    "or through a profile's api_key_env, api_key_file or api_key_command."
)
REFUSED_KEY = (
    "The server does not accept this key here: management calls need a management key (mgmt-…), "
    "the others a key of that context."
)
WRONG_URL_HINT = "Check --url: does it name a Spectron server, with its path prefix if it has one?"
OTHER_VERSION_HINT = (
    "The server may be of another version, or a proxy in between may change its responses."
)
NOT_OFFERED_HINT = "Not every Spectron server offers every call: check its version, and --url."


def settle(call: Call[T], outcome: Outcome) -> T:
    """The result of a call; RequestError's subclass when there is none."""
    if not isinstance(outcome, Response):
        raise build_network_error(call, outcome) from outcome
    if outcome.is_success:
        return _read(call, outcome)
    if _says_missing(outcome):
        if call.request.is_optional:
            return None  # type: ignore[return-value]
        # The first attempt deleted it and its response was lost; this one found nothing. With an empty body, since
        # the problem in it is no result.
        if _is_deleted_before(call):
            return call.request.read(replace(outcome, body=b""))
    raise _build_error(call, outcome)


def refuse_response(call: Call[Any], outcome: Outcome) -> errors.RequestError:
    """The error for what came in place of a stream of events."""
    if not isinstance(outcome, Response):
        return build_network_error(call, outcome)
    if not outcome.is_success:
        return _build_error(call, outcome)
    problem = "the response is not a stream of events"
    return _unreadable(call, outcome, problem, OTHER_VERSION_HINT)


def build_event_error(
    call: Call[Any], event: Event, headers: Mapping[str, str]
) -> errors.RequestError:
    """The error for a failure that the server tells of in a stream that has begun."""
    value = event.value
    told = value.get("status") if isinstance(value, dict) else None
    # The stream's own status is 200: the failure's stands in the event, if anywhere. A number outside of 400 to 599
    # would be read as a success or a redirect.
    status = told if isinstance(told, int) and 400 <= told < 600 else 500
    error = _build_error(call, Response(status, headers, event.data.encode()))
    error.message += call.progress
    return error


def _says_missing(response: Response) -> bool:
    """Whether a server that knows Spectron's resources said that one is not there."""
    # A proxy that does not know the path sends its own page with 404. Taken for the server's word, a lost deletion
    # would count as done.
    return response.status == 404 and not is_web_page(response)


def _is_deleted_before(call: Call[Any]) -> bool:
    """What is gone after an attempt whose response was lost: that attempt did it."""
    request = call.request
    return request.method == "DELETE" and not request.expects_body and call.may_have_landed


def _read(call: Call[T], response: Response) -> T:
    if is_web_page(response):
        # A character takes 4 bytes at most, so this is enough for MAX_PAGE of them, and a page of 100 MB is not
        # decoded.
        page = describe_page(response.body[: 4 * MAX_PAGE].decode(errors="replace"))
        raise _unreadable(call, response, page, WRONG_URL_HINT)
    if call.request.expects_body and not response.body.strip():
        raise _unreadable(call, response, "the response is empty", OTHER_VERSION_HINT)
    # Only this shape hands the headers on. They are shown to the user, and may hold a cookie.
    if call.request.returns is Reply:
        response = call.mask_headers(response)
    try:
        return call.request.read(response)
    except ValidationError as exc:
        problem = _explain_shape(exc)
    # Raised out here, so that no traceback leads to pydantic's error, which holds the response.
    raise _unreadable(call, response, problem, OTHER_VERSION_HINT)


def _explain_shape(exc: ValidationError) -> str:
    first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return f"the response is not complete JSON: {first['msg']}"
    where = ".".join(map(str, first["loc"]))
    return f"the response is not what was requested: {where + ': ' if where else ''}{first['msg']}"


def _unreadable(
    call: Call[Any], response: Response, problem: str, hint: str
) -> errors.RequestError:
    # It came with a success, so whatever the body says, the server has most likely done what was asked.
    call.may_have_landed = True
    return _compose(call, response, errors.UpstreamError, ServerProblem(problem), hint)


def _build_error(call: Call[Any], response: Response) -> errors.RequestError:
    if 300 <= response.status < 400:
        return _build_redirect_error(call, response)
    fallback = errors.UpstreamError if response.status >= 500 else errors.RequestError
    kind = ERRORS.get(response.status, fallback)
    # A script may take exit code 5 for "it is gone". A web page says only that this is not Spectron's address.
    if kind is errors.NotFoundError and not _says_missing(response):
        kind = errors.UpstreamError
    return _compose(call, response, kind, parse_problem(response), _choose_hint(call, response))


def _build_redirect_error(call: Call[Any], response: Response) -> errors.RequestError:
    target = _parse_location(call, response)
    problem = (
        f"the server points elsewhere, to {target or 'no address'}; redirects are not followed"
    )
    hint = f"If that is the server you mean, set --url {target}." if target else WRONG_URL_HINT
    return _compose(call, response, errors.UpstreamError, ServerProblem(problem), hint)


def _parse_location(call: Call[Any], response: Response) -> str | None:
    """Where a redirect points: scheme, host and port, since the rest may hold a token."""
    try:
        url = parse_url(urljoin(call.settings.base_url, response.headers["Location"]))
    except (KeyError, ValueError):
        return None
    return format_origin(url) if url else None


def _choose_hint(call: Call[Any], response: Response) -> str | None:
    match response.status:
        case 401 if not call.settings.has_key:
            return f"No key was sent. {KEY_SOURCES}"
        case 401:
            return f"{REFUSED_KEY} {KEY_SOURCES}"
        case 405 | 501:
            return NOT_OFFERED_HINT
        case 407:
            return PROXY_HINT
    return WRONG_URL_HINT if is_web_page(response) else None


def _compose(
    call: Call[Any],
    response: Response,
    kind: type[errors.RequestError],
    problem: ServerProblem,
    hint: str | None,
) -> errors.RequestError:
    lost = call.may_have_landed and not call.is_read
    told_id = problem.request_id or response.headers.get("X-Request-Id") or call.request_id
    return kind(
        call.redact(problem.text),
        status=response.status,
        type=call.redact(problem.type) if problem.type else None,
        request_id=call.redact(told_id),
        retry_after_secs=parse_retry_after(response, datetime.now(UTC)),
        outcome_unknown=lost,
        http=call.redact(f"{response.status} {call.title}"),
        hint=" ".join(filter(None, (LOOK_FIRST if lost else None, hint))) or None,
    )

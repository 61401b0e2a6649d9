"""Attempts that ended without a response, as the errors they stand for."""

from __future__ import annotations

import ssl
from typing import Any

from spectronctl.client._call import Call, StrayResponseError, UnreadableError
from spectronctl.client._connection import format_origin
from spectronctl.client._httpx import httpx
from spectronctl.client._multipart import UnsendableError
from spectronctl.errors import NetworkError, RequestError, UpstreamError
from spectronctl.ground.network_failures import explain_failure, find_causes, is_tls_failure

LOOK_FIRST = "It may have been carried out all the same: look before you send it again."


def build_network_error(call: Call[Any], failure: httpx.RequestError) -> RequestError:
    """NetworkError, or UpstreamError for a response that cannot be unpacked, or is too long."""
    message, hint = _explain(call, failure)
    message += call.progress
    if call.attempt > 1:
        message += f" ({call.attempt} attempts)"
    lost = call.may_have_landed and not call.is_read
    broken = isinstance(failure, httpx.DecodingError)
    return (UpstreamError if broken else NetworkError)(
        call.redact(message),
        request_id=call.request_id,
        outcome_unknown=lost,
        http=None if _is_of_server(failure) else call.redact(call.title),
        hint=" ".join(filter(None, (LOOK_FIRST if lost else None, hint))) or None,
    )


def _is_of_server(failure: httpx.RequestError) -> bool:
    """Whether no request got as far as to matter: what is wrong is wrong for each of them."""
    kinds = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
    return isinstance(failure, kinds) or is_tls_failure(failure)


def _explain(call: Call[Any], failure: httpx.RequestError) -> tuple[str, str | None]:
    server = call.settings.base_url
    # First of all: httpcore reports a failed handshake as a ConnectError, and only the causes below it tell that from
    # a refused connection.
    if is_tls_failure(failure):
        return f"no trusted connection to {server}: {explain_failure(failure)}", _tls_hint(failure)
    if isinstance(failure, httpx.TimeoutException):
        return _explain_timeout(call, failure)
    if isinstance(failure, httpx.ProxyError):
        return f"the proxy {_proxy(call)} refuses {server}: {failure}", PROXY_HINT
    if isinstance(failure, httpx.ConnectError):
        return _explain_refusal(call, failure)
    if isinstance(failure, UnsendableError):
        return str(failure), None
    # Before its base DecodingError: what was too long or packed in an odd way is not broken.
    if isinstance(failure, UnreadableError):
        return str(failure), OTHER_SERVER_HINT
    if isinstance(failure, httpx.DecodingError):
        return "the compression of the response is broken", None
    if isinstance(failure, StrayResponseError):
        return str(failure), STRAY_HINT
    return (
        f"the connection to {server} broke: {explain_failure(failure)}",
        BROKEN_HINT,
    )


PROXY_HINT = (
    "The proxy comes from the profile's proxy, or from HTTP_PROXY, HTTPS_PROXY or ALL_PROXY; "
    "NO_PROXY names the hosts to reach without it."
)
BROKEN_HINT = "If this goes on, check --url: the port may belong to something other than Spectron, or want https."
STRAY_HINT = "A proxy or a cache on the way to the server keeps responses, or mixes them up."
OTHER_SERVER_HINT = (
    "Check --url: a Spectron server does not respond like this; a proxy in between may."
)
REFUSED_HINT = (
    "Name the server with --url, start one here with `spectronctl serve`, "
    "or work without one: --profile local."
)


def _explain_timeout(call: Call[Any], failure: httpx.RequestError) -> tuple[str, str]:
    server, limit = call.settings.base_url, f"{call.settings.timeout:g} s"
    hint = "Raise the limit with --timeout, or check --url and the server's health."
    if isinstance(failure, httpx.ConnectTimeout):
        return f"cannot reach {_next_hop(call)}: no connection within {limit}", hint
    if call.events is not None:
        return f"nothing came from {server} for {limit}", hint
    return f"no complete response from {server} within {limit}", hint


def _explain_refusal(call: Call[Any], failure: httpx.RequestError) -> tuple[str, str]:
    hint = REFUSED_HINT if call.settings.proxy is None else PROXY_HINT
    return f"cannot reach {_next_hop(call)}: {explain_failure(failure)}", hint


def _next_hop(call: Call[Any]) -> str:
    return call.settings.base_url if call.settings.proxy is None else f"the proxy {_proxy(call)}"


def _proxy(call: Call[Any]) -> str:
    return "" if call.settings.proxy is None else format_origin(call.settings.proxy)


def _tls_hint(failure: httpx.RequestError) -> str:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in find_causes(failure)):
        return (
            "The certificate is checked against the system's store. If your own authority signed it, "
            "name its PEM file as the profile's ca_file. If the name does not match, check --url."
        )
    return "Does the server speak https at all? If not, --url starts with http://."

"""The one module of the server that sends requests to others."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import aclosing
from random import random
from typing import Any, TypeVar

import httpx
import truststore

from spectronctl import __version__
from spectronctl.ground.http_problems import Response
from spectronctl.ground.network_failures import explain_failure, is_tls_failure
from spectronctl.ground.text import clean
from spectronctl.server.providers.addresses import is_public
from spectronctl.server.providers.errors import ProviderError
from spectronctl.server.providers.responses import Failure, choose_pause, parse_response

T = TypeVar("T")

ATTEMPT_SECONDS = 30.0
"""For one request, from the first step of connecting to the last byte."""
CALL_SECONDS = 300.0
"""For a call with all its attempts, its pauses, and its wait for other calls."""
MAX_RESPONSE = 64 * 1024 * 1024
"""Bytes of a response that are read: 128 vectors of 4,096 numbers are 12 million."""
MAX_REQUESTS = 16
"""Requests to a provider at once; further ones wait."""

_PRIVATE = (
    "its address is private, and this server asks no such provider; "
    "its operator can pass --allow-private-providers to 'spectronctl serve'"
)


class ProviderHttp:
    """
    Connections to one provider, with its key.

    They trust what the system trusts, follow no redirect, and use no proxy: each would see the key. Failures that may
    pass are tried again, five attempts in all. Unless `allow_private`, an address outside the public internet is
    refused: who may write a context's config could reach the services around this server otherwise.
    """

    def __init__(
        self, base_url: str, headers: Mapping[str, str], *, allow_private: bool = True
    ) -> None:
        self._base_url = base_url
        self._allow_private = allow_private
        self._turns = asyncio.Semaphore(MAX_REQUESTS)
        self._client = httpx.AsyncClient(
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": f"spectronctl/{__version__}",
                **headers,
            },
            # The system's own trust, as everywhere in this program: httpx would bring its own list, without a company's
            # authority.
            verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            trust_env=False,
            timeout=None,  # noqa: S113 - the whole of a request is bounded instead
        )

    async def post(self, path: str, body: Any, parse: Callable[[Any], T], *, model: str) -> T:
        """
        What `parse` makes of the JSON that the provider responds with.

        `parse` raises ValueError for what is not usable, in words that quote nothing of it: a provider may repeat
        keys. ProviderError, which names `model`, when the provider gives nothing better.
        """
        attempts = 0
        try:
            async with asyncio.timeout(CALL_SECONDS):
                while True:
                    attempts += 1
                    outcome = await self._attempt(path, body, parse)
                    if not isinstance(outcome, Failure):
                        return outcome
                    pause = choose_pause(outcome, attempts, random())  # noqa: S311 - no secret
                    if pause is None:
                        break
                    await asyncio.sleep(pause)
        except TimeoutError:
            outcome = Failure(f"no usable response within {CALL_SECONDS:g} s", may_pass=False)
        tried = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        raise ProviderError(clean(f"{model} at {self._base_url}: {outcome.text} ({tried})"))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _attempt(self, path: str, body: Any, parse: Callable[[Any], T]) -> T | Failure:
        # For one attempt only: while a call pauses before its next one, other calls have its turn.
        async with self._turns:
            response = await self._send(path, body)
        return response if isinstance(response, Failure) else parse_response(response, parse)

    async def _send(self, path: str, body: Any) -> Response | Failure:
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                return await self._exchange(path, body)
        except TimeoutError:
            return Failure(f"no complete response within {ATTEMPT_SECONDS:g} s", may_pass=True)
        except (httpx.RequestError, socket.gaierror) as exc:
            # A certificate does not become good in seconds. LocalProtocolError is about what we send, such as a header
            # that HTTP cannot carry.
            hopeless = is_tls_failure(exc) or isinstance(exc, httpx.LocalProtocolError)
            return Failure(_explain(exc), may_pass=not hopeless)

    async def _exchange(self, path: str, body: Any) -> Response | Failure:
        request = self._client.build_request("POST", f"{self._base_url}{path}", json=body)
        if not self._allow_private and not await _pin(request):
            return Failure(_PRIVATE, may_pass=False)
        received = bytearray()
        got = await self._client.send(request, stream=True)
        async with aclosing(got):
            async for chunk in got.aiter_bytes():
                # Counted as it comes, after decompression: a small body can become a very large one.
                received += chunk
                if len(received) > MAX_RESPONSE:
                    return Failure(f"the response is longer than {MAX_RESPONSE:,} bytes", False)
        return Response(got.status_code, got.headers, bytes(received))


def can_reach(base_url: str) -> bool:
    """Whether httpx could send there at all: its rules for encoded names are the strictest."""
    try:
        return bool(httpx.URL(base_url).host)
    except (httpx.InvalidURL, UnicodeError):
        return False


async def _pin(request: httpx.Request) -> bool:
    """
    Send the request to a public address of its host, under the host's name; False when there is none.

    The name is resolved here and not again: it could have another address by then.
    """
    url = request.url
    host = url.raw_host.decode("ascii")
    found = await asyncio.get_running_loop().getaddrinfo(host, url.port, type=socket.SOCK_STREAM)
    public = [address for *_, (address, *_) in found if is_public(str(address))]
    if public:
        request.url = url.copy_with(host=str(public[0]))  # its Host header is written already
        request.extensions = {**request.extensions, "sni_hostname": host}
    return bool(public)


def _explain(failure: httpx.RequestError | socket.gaierror) -> str:
    # The library quotes what it was given to send, and what it received.
    if isinstance(failure, httpx.ProtocolError):
        return "it closed the connection, or does not speak HTTP"
    if isinstance(failure, httpx.DecodingError):
        return "the response cannot be decompressed"
    return explain_failure(failure)

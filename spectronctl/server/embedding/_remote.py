"""Embedders of others, over HTTP as OpenAI speaks it: the one module of the server that makes requests."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Sequence
from importlib.util import find_spec
from random import random

import httpx
import truststore

from spectronctl import __version__
from spectronctl.ground.http_problems import Response
from spectronctl.ground.network_failures import explain_failure, is_tls_failure
from spectronctl.ground.redaction import Redaction
from spectronctl.ground.text import clean
from spectronctl.server.embedding._answers import Failure, choose_pause, read_answer
from spectronctl.server.embedding._embedder import EmbeddingError, UnusableEmbedderError, Vector
from spectronctl.server.embedding._texts import MAX_TEXTS, split_texts

TIMEOUT = 30.0
"""Seconds for one request, from the first step of connecting to the last byte."""
MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that are read: 128 vectors of 4,096 numbers are 12 million."""


class RemoteEmbedder:
    """
    `openai/MODEL`, or a model of anybody who speaks the same protocol: `POST BASE/embeddings`.

    Of a text the first 8,000 bytes are sent. Failures that may pass are tried again, five attempts in all.
    """

    batch = MAX_TEXTS
    is_local = False

    def __init__(self, name: str, base_url: str, secret: str) -> None:
        self.name = name
        self._base_url = base_url
        self._redaction = Redaction([secret])
        self._dimensions: int | None = None
        self._http = _connect(base_url, secret)

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Vectors as the provider made them, all that this embedder ever makes of one length; EmbeddingError."""
        return [vector for group in split_texts(texts) for vector in await self._ask(group)]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _ask(self, texts: list[str]) -> list[Vector]:
        attempt = 1
        while True:
            outcome = self._check_length(await self._attempt(texts))
            if not isinstance(outcome, Failure):
                return outcome
            pause = choose_pause(outcome, attempt, random())  # noqa: S311 - no secret
            if pause is None:
                raise self._build_error(outcome, attempt)
            await asyncio.sleep(pause)
            attempt += 1

    async def _attempt(self, texts: list[str]) -> list[Vector] | Failure:
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await self._exchange(texts)
        except TimeoutError:
            return Failure(f"no complete answer within {TIMEOUT:g} s", may_pass=True)
        except httpx.RequestError as exc:
            hopeless = is_tls_failure(exc) or isinstance(exc, httpx.LocalProtocolError)
            return Failure(explain_failure(exc), may_pass=not hopeless)
        if answer is None:
            return Failure(f"the answer is longer than {MAX_ANSWER:,} bytes", may_pass=False)
        return read_answer(answer, len(texts))

    async def _exchange(self, texts: list[str]) -> Response | None:
        """The whole answer, or None for one that is too long."""
        model = self.name.partition("/")[2]
        body = json.dumps({"model": model, "input": texts, "encoding_format": "float"})
        received = bytearray()
        async with self._http.stream("POST", f"{self._base_url}/embeddings", content=body) as got:
            async for chunk in got.aiter_bytes():
                received += chunk
                if len(received) > MAX_ANSWER:
                    return None
        return Response(got.status_code, got.headers, bytes(received))

    def _check_length(self, outcome: list[Vector] | Failure) -> list[Vector] | Failure:
        if isinstance(outcome, Failure):
            return outcome
        length = len(outcome[0])
        self._dimensions = self._dimensions or length
        if length == self._dimensions:
            return outcome
        text = f"its vectors have {length} numbers, and had {self._dimensions} before"
        return Failure(text, may_pass=False)

    def _build_error(self, failure: Failure, attempts: int) -> EmbeddingError:
        tried = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        text = self._redaction.apply(failure.text)
        return EmbeddingError(clean(f"{self.name} at {self._base_url}: {text} ({tried})"))


def can_reach(base_url: str) -> bool:
    """Whether httpx could ask there at all: its rules for encoded names are the strictest."""
    try:
        return bool(httpx.URL(base_url).host)
    except (httpx.InvalidURL, UnicodeError):
        return False


def _connect(base_url: str, secret: str) -> httpx.AsyncClient:
    """
    Connections that trust what the system trusts, through the proxy that the environment names.

    Plain http stays on this machine: it never goes through a proxy, which would see the key.
    """
    headers = {
        "Authorization": f"Bearer {secret}",
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": f"spectronctl/{__version__}",
    }
    try:
        return httpx.AsyncClient(
            headers=headers,
            verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            trust_env=base_url.startswith("https:"),
            timeout=None,  # noqa: S113 - the whole of a request is bounded instead
        )
    except (ValueError, ImportError, httpx.InvalidURL):
        pass  # what it says may show the password of a proxy
    socks = "" if find_spec("socksio") else " (SOCKS needs the package socksio)"
    raise UnusableEmbedderError(
        f"the server's HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is not a proxy's URL such as http://HOST:PORT{socks}; "
        "mend it, or name the provider's host in NO_PROXY, and start the server again"
    )

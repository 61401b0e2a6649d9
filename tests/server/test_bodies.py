"""Long bodies: the limit is the route's, and what is fingerprinted passes in pieces."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from spectronctl.server.app import create_app
from spectronctl.server.database.database import Database
from spectronctl.server.idempotency import once as idempotency
from tests.support.conversations import PLANE
from tests.support.streaming import SHORT_BYTES, UPLOAD, Streaming

pytestmark = pytest.mark.anyio

APPLICATION_BYTES = 100_000
WRITES = f"{PLANE}/writes"


@pytest.fixture
def streaming(app: FastAPI) -> Streaming:
    streaming = Streaming()
    streaming.install(app)
    return streaming


async def make_pieces(size: int) -> AsyncIterator[bytes]:
    for start in range(0, size, 10_000):
        yield b"x" * min(10_000, size - start)


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        (UPLOAD, APPLICATION_BYTES * 20, 200),
        (f"{UPLOAD}/short", SHORT_BYTES, 200),
        (f"{UPLOAD}/short", SHORT_BYTES + 1, 413),
        (f"{UPLOAD}/short", APPLICATION_BYTES + 1, 413),
        (f"{UPLOAD}/unknown", APPLICATION_BYTES + 1, 413),
        (WRITES, APPLICATION_BYTES + 1, 413),
    ],
)
@pytest.mark.parametrize("announced", [True, False])
async def test_a_route_takes_as_much_as_it_says(
    streaming: Streaming,
    member: httpx.AsyncClient,
    path: str,
    size: int,
    status: int,
    announced: bool,
) -> None:
    answer = await member.post(path, content=b"x" * size if announced else make_pieces(size))
    if path.endswith("unknown") and not announced:  # nothing reads it
        status = 404
    assert answer.status_code == status, answer.text
    if path.endswith("short") and status == 413:
        assert f"{SHORT_BYTES} bytes" in answer.json()["detail"]
    if status == 200:
        assert answer.json()["size"] == size


async def test_a_body_is_fingerprinted_as_it_passes(
    streaming: Streaming, member: httpx.AsyncClient
) -> None:
    """Were it read whole for that, the endpoint could not have its first piece before the second is sent."""

    async def send() -> AsyncIterator[bytes]:
        yield b"x" * 10_000
        await asyncio.wait_for(streaming.first_piece.wait(), 5)
        yield b"y" * 10_000

    key = {"Idempotency-Key": "upload-1"}
    answer = await member.post(WRITES, content=send(), headers=key)
    body = b"x" * 10_000 + b"y" * 10_000
    assert answer.json() == {"size": 20_000, "sha256": hashlib.sha256(body).hexdigest()}
    other = await member.post(WRITES, content=body + b"z", headers=key)
    assert (other.status_code, other.json()["title"]) == (409, "Idempotency key reused")


async def test_a_body_that_nothing_reads_is_fingerprinted_whole(
    streaming: Streaming, member: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    fingerprint = idempotency.PassingBody.fingerprint

    async def note(body: idempotency.PassingBody) -> bytes:
        seen.append(await fingerprint(body))
        return seen[-1]

    monkeypatch.setattr(idempotency.PassingBody, "fingerprint", note)
    path = f"{WRITES}/unread"
    body = make_pieces(30_000)
    await member.post(path, content=body, headers={"Idempotency-Key": "upload-2"})
    assert seen == [hashlib.sha256(f"POST {path}\n".encode() + b"x" * 30_000).digest()]


@pytest.mark.parametrize(("path", "status"), [(UPLOAD, 200), (f"{UPLOAD}/short", 408)])
async def test_a_route_that_takes_more_gives_more_time(
    store: Database, path: str, status: int
) -> None:
    app = create_app(store, max_body_bytes=APPLICATION_BYTES, max_body_seconds=0.2)
    Streaming().install(app)

    async def send() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(0.6)
        yield b"y"

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://spectron.test"
    ) as client:
        answer = await client.post(path, content=send())
    assert answer.status_code == status, answer.text

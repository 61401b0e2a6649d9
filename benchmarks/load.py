"""
A client that keeps a server busy: `python -m benchmarks.load SPEC`, with the fields of `Load` as JSON.

Bare sockets, so that the client is not what limits the rate. It asks one URL after the other, round after round.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Load:
    """`requests` are those of each connection in one round."""

    urls: list[str]
    key: str
    rounds: int
    connections: int
    requests: int


async def main(load: Load) -> None:
    """Print each round's requests per second, one number per URL, as a JSON array."""
    rounds = [[await _measure_rate(url, load) for url in load.urls] for _ in range(load.rounds + 1)]
    print(json.dumps(rounds[1:]))


async def _measure_rate(url: str, load: Load) -> float:
    parts = urlsplit(url)
    request = (
        f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {load.key}\r\n\r\n"
    ).encode()
    started = perf_counter()
    await asyncio.gather(
        *(_ask(parts.hostname, parts.port, request, load.requests) for _ in range(load.connections))
    )
    return load.connections * load.requests / (perf_counter() - started)


async def _ask(host: str | None, port: int | None, request: bytes, times: int) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for _ in range(times):
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200 "):
            raise SystemExit(f"the server answered {head.splitlines()[0].decode()}")
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(Load(**json.loads(sys.argv[1]))))

"""curl, asked whether it would send a request through the environment's proxy."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

from tests.support.sockets import listen

PROXY = "proxy.invalid:1"
"""What stands for the proxy's address in a row of the table."""


@contextmanager
def run_curl() -> Iterator[Curl]:
    """curl beside a proxy that refuses everything and counts."""
    curl = Curl()
    with listen(curl.refuse) as port:
        curl.port = port
        yield curl


class Curl:
    """A server is nowhere: a request that does not reach the proxy fails to connect."""

    port = 0

    def __init__(self) -> None:
        self._hits = 0
        self._lock = Lock()

    def refuse(self, connection: object) -> None:
        with self._lock:
            self._hits += 1
        with suppress(OSError):
            connection.recv(4096)  # type: ignore[attr-defined]
            connection.sendall(  # type: ignore[attr-defined]
                b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )

    def goes_through_proxy(self, url: str, env: dict[str, str]) -> bool:
        before = self._hits
        spelt = {name: text.replace(PROXY, f"127.0.0.1:{self.port}") for name, text in env.items()}
        command = [
            "curl",
            "-q",
            "-s",
            "-m",
            "3",
            "--connect-to",
            "::127.0.0.1:1",
            "-o",
            os.devnull,
            url,
        ]
        subprocess.run(command, env={"PATH": os.environ["PATH"], **spelt}, check=False)
        return self._hits > before

"""A headless Chromium that is told what to do over a pair of pipes, as its DevTools protocol has it."""

from __future__ import annotations

import base64
import json
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

CHROMIUM = shutil.which("chromium")

_OPTIONS = (
    "--headless",
    "--no-sandbox",  # a container's root has no namespaces to build one of
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)


class Browser:
    """One page in a browser of its own."""

    def __init__(self, home: Path) -> None:
        assert CHROMIUM is not None
        told, self._tell = os.pipe()
        self._hear, heard = os.pipe()
        self._rest = b""
        self._number = 0
        self._process = _start([CHROMIUM, *_OPTIONS, f"--user-data-dir={home}"], home, told, heard)
        os.close(told)
        os.close(heard)
        self._session: str | None = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.send("Page.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session = None
        self.send("Browser.close")
        os.close(self._tell)
        os.close(self._hear)
        os.waitpid(self._process, 0)

    def send(self, method: str, **params: Any) -> Any:
        """Have something done; what came of it."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._tell, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(
        self, page: Path | str, *, width: int, height: int = 740, scheme: str = "light"
    ) -> None:
        """Show a page as on a phone of that width, once it is loaded."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=True,
        )
        self.send(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        self.send("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        while self._read().get("method") != "Page.loadEventFired":
            pass

    def ask(self, expression: str) -> Any:
        """The value of an expression on the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def print_page(self) -> bytes:
        """The page as a PDF."""
        return base64.b64decode(self.send("Page.printToPDF")["data"])

    def _read(self) -> Any:
        while b"\0" not in self._rest:
            chunk = os.read(self._hear, 1 << 20)
            assert chunk, "the browser has gone"
            self._rest += chunk
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)


def _start(command: list[str], home: Path, told: int, heard: int) -> int:
    """Start a process that reads its orders at 3 and responds at 4, and says nothing else."""
    # Duplicates, out of the way of 3 and 4 themselves.
    told, heard = (os.dup2(end, 100 + place) for place, end in enumerate((told, heard)))
    try:
        return os.posix_spawn(
            command[0],
            command,
            {"PATH": os.environ["PATH"], "HOME": str(home)},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, told, 3),
                (os.POSIX_SPAWN_DUP2, heard, 4),
                (os.POSIX_SPAWN_CLOSE, told),
                (os.POSIX_SPAWN_CLOSE, heard),
            ],
        )
    finally:
        os.close(told)
        os.close(heard)

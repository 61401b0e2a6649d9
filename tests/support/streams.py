"""Streams that remember what was written: in memory, and on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import io
import os
import struct
import termios
import threading
import tty
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from spectronctl.output.streams import Streams
from spectronctl.output.views import Column, View

CONTEXTS = View(
    columns=(
        Column("id"),
        Column("namespace"),
        Column("token_limit", "config.token_limit"),
        Column("created", "created_at", kind="time"),
    ),
    wide=(
        Column("models", "config.models"),
        Column("providers", "config.providers_configured", kind="list"),
    ),
    plural="contexts",
)

ACME: dict[str, Any] = {
    "id": "acme-prod",
    "namespace": "acme",
    "config": {
        "token_limit": 1000000,
        "models": {"extraction": "openai/gpt-4o-mini"},
        "providers_configured": ["openai", "anthropic"],
    },
    "created_at": "2026-01-15T10:00:00Z",
}
BETA: dict[str, Any] = {"id": "beta", "namespace": "東京", "config": {}, "region": "eu"}


class Memory(io.TextIOWrapper):
    """A text stream over bytes in memory."""

    def __init__(self, text: str = "", *, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(text.encode()), encoding=encoding)

    def read_bytes(self) -> bytes:
        """What was written."""
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue()


class Capture:
    """Streams in memory, where nothing is a terminal."""

    def __init__(self, env: Mapping[str, str] | None = None, *, encoding: str = "utf-8") -> None:
        self.out = Memory(encoding=encoding)
        self.err = Memory(encoding=encoding)
        self.streams = Streams(Memory(), self.out, self.err, env or {})

    @property
    def stdout(self) -> str:
        return self.out.read_bytes().decode()

    @property
    def stderr(self) -> str:
        return self.err.read_bytes().decode()


class Terminal:
    """A real pseudo-terminal as all three streams; `typed` is what a person types."""

    def __init__(
        self, env: Mapping[str, str] | None = None, *, width: int = 80, typed: str = ""
    ) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        if not typed:
            tty.setraw(slave)  # a line end stays one byte
        text = io.TextIOWrapper(io.FileIO(slave, "r+"), encoding="utf-8", write_through=True)
        self.streams = Streams(text, text, text, env or {})
        self._shown: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        os.write(self._master, typed.encode())

    def _read(self) -> None:
        try:
            while chunk := os.read(self._master, 1 << 16):
                self._shown.append(chunk)
        except OSError:  # how Linux says that the other side has gone
            pass

    def __enter__(self) -> Terminal:
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.streams.stdout.close()
        self._reader.join(timeout=10)
        os.close(self._master)

    @property
    def shown(self) -> str:
        """All that the terminal has shown, once it is closed."""
        return b"".join(self._shown).decode()

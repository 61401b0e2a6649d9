"""What a run reads from outside: stdin, which only one option can have, and the secrets that credentials stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO

from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.config.credentials import Credential
    from spectronctl.output.streams import Streams

MIN_SECRET = 8
"""Characters: what is shorter is no key, and taking it out would spoil every message."""


class Inputs:
    """Reads each thing once; UsageError when two options want stdin."""

    def __init__(self, env: Mapping[str, str], streams: Streams) -> None:
        self._env = env
        self._streams = streams
        self._stdin_reader: str | None = None
        self._secrets: dict[Credential, str] = {}

    def read_stdin(self, option: str) -> str:
        """All of stdin, for that option."""
        self._claim_stdin(option)
        return self._streams.stdin.read()

    def open_stdin(self, option: str) -> BinaryIO:
        """Stdin as bytes, for that option."""
        self._claim_stdin(option)
        return self._streams.stdin.buffer

    def read_credential(self, credential: Credential) -> str:
        """The secret that a credential stands for."""
        if credential not in self._secrets:
            secret = credential.read(self._env, self.read_stdin)
            self._secrets[credential] = secret
            if len(secret) >= MIN_SECRET:
                self._streams.secrets.add(secret)
        return self._secrets[credential]

    def _claim_stdin(self, option: str) -> None:
        if self._stdin_reader:
            raise UsageError(f"{option} and {self._stdin_reader} cannot both read stdin")
        self._stdin_reader = option

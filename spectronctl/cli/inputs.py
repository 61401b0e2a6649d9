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

_NO_STDIN = "Pipe the text in, or name a file in place of -."


class Inputs:
    """Reads each thing once; UsageError when two options want stdin."""

    def __init__(self, env: Mapping[str, str], streams: Streams) -> None:
        self._env = env
        self._streams = streams
        self._stdin_reader: str | None = None
        self._secrets: dict[Credential, str] = {}

    def read_stdin(self, option: str) -> str:
        """All of stdin as text, for that option; UsageError where it is closed, cannot be read or is not UTF-8."""
        from spectronctl.ground.documents import DocumentError, decode_document

        try:
            return decode_document(self.open_stdin(option).read())
        except DocumentError as exc:
            raise UsageError(f"{option}: stdin{exc}") from None

    def open_stdin(self, option: str) -> BinaryIO:
        """Stdin as bytes, for that option; UsageError where it is closed or cannot be read."""
        self._claim_stdin(option)
        stdin = self._streams.stdin
        if getattr(stdin, "closed", True):  # None for a stream that the shell closed
            raise UsageError(f"{option} reads stdin, which is closed", hint=_NO_STDIN)
        try:
            # Waits for the first bytes: a directory, or a file that is open for writing only, shows itself now.
            if hasattr(stdin.buffer, "peek"):
                stdin.buffer.peek()
        except OSError as exc:
            reason = exc.strerror or "it is not open for reading"
            raise UsageError(f"{option}: stdin cannot be read: {reason}", hint=_NO_STDIN) from None
        return stdin.buffer

    def read_credential(self, credential: Credential) -> str:
        """The secret that a credential stands for."""
        if credential not in self._secrets:
            # Once per run: stdin can be read once, and a program that prints the key may ask a person each time.
            secret = credential.read(self._env, self.read_stdin)
            self._secrets[credential] = secret
            if len(secret) >= MIN_SECRET:
                # From here on no message shows it, wherever it turns up: in a path, in a server's error, in --debug.
                self._streams.secrets.add(secret)
        return self._secrets[credential]

    def _claim_stdin(self, option: str) -> None:
        if self._stdin_reader:
            raise UsageError(f"{option} and {self._stdin_reader} cannot both read stdin")
        self._stdin_reader = option

"""A secret on the stdin of a command."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from spectronctl.errors import SpectronctlError, UsageError
from spectronctl.ground.programs import NOWHERE, describe_exit, run_program
from spectronctl.output.sinks._drafts import ROOM
from spectronctl.output.sinks.places import Place

COMMAND_SECONDS = 300.0

_LABELS = {
    "context": "SPECTRONCTL_CONTEXT",
    "name": "SPECTRONCTL_KEY_NAME",
    "id": "SPECTRONCTL_KEY_ID",
}


class CommandSink:
    """
    A command that reads the secret and a newline; of its words only the program is ever shown.

    It must not keep a secret when it fails, and fails when it does not read all of it.
    """

    kept: Path | None = None

    def __init__(self, place: Place, *, env: Mapping[str, str], labels: Mapping[str, str]) -> None:
        self.place = place
        self._env = env
        self._labels = labels

    def reserve(self) -> None:
        """UsageError when the program has gone, or may not be executed."""
        program = self.place.words[0]
        # Looked for once more: a rotation that is resumed days later finds the program's path in its journal.
        if not (os.path.isfile(program) and os.access(program, os.X_OK)):
            raise UsageError(f"there is no program {program} that may be executed")
        # Of a script whose interpreter is missing, exec says ENOENT, as if the script itself were not there.
        interpreter = _find_interpreter(program)
        if interpreter and not os.access(interpreter, os.X_OK):
            raise UsageError(f"{program} cannot be started: there is no program {interpreter}")

    def commit(self, secret: str) -> None:
        """Run the command; SpectronctlError when it fails, hangs, or leaves some of the secret unread."""
        data = secret.encode() + b"\n"
        if len(data) > ROOM:
            raise SpectronctlError(f"the secret is longer than {ROOM - 1} bytes")
        # All of it is in the pipe before the program starts. So a program that does not read raises no BrokenPipeError
        # here, and one that waits for more than it gets cannot hang; what is left in the pipe says that it was not
        # read.
        reader, writer = os.pipe()
        with open(reader, "rb", buffering=0) as source:
            with open(writer, "wb", buffering=0) as pipe:
                pipe.write(data)  # a pipe buffers this much even without a reader
            # By now our writing end is closed: as long as any is open, the program meets no end of input.
            code = self._run(source)
            if code:
                raise self._fail(describe_exit(code))
            # A shell's `read` and `cat | head -c` may leave the line end: the secret is what counts.
            if source.read().strip():
                raise self._fail("ended without reading the secret")

    def discard(self) -> None:
        pass

    def read(self) -> str | None:
        return None

    def _run(self, source: BinaryIO) -> int:
        # stdout is for the result, so the command speaks on stderr; a shell may have closed that.
        output = NOWHERE if sys.__stderr__ is None else 2
        try:
            return run_program(
                self.place.words,
                seconds=COMMAND_SECONDS,
                stdin=source,
                stdout=output,
                stderr=output,
                env=self._make_env(),
            )
        except TimeoutError:
            raise self._fail(f"was killed: not done within {COMMAND_SECONDS:g} s") from None
        except ChildProcessError:
            raise self._fail("ended, and whether it has failed cannot be known") from None
        except OSError as exc:
            raise self._fail(f"cannot be started: {exc.strerror}") from None

    def _make_env(self) -> dict[str, str]:
        return {**self._env, **{_LABELS[label]: text for label, text in self._labels.items()}}

    def _fail(self, what: str) -> SpectronctlError:
        return SpectronctlError(
            f"{self.place.label} {what}",
            hint="A command that fails must not have kept the secret.",
        )


def _find_interpreter(program: str) -> str | None:
    """What a script says after its #!; None for another program, and for one that may not be read."""
    with suppress(OSError, IndexError), open(program, "rb") as file:
        # As far as the kernel looks (BINPRM_BUF_SIZE).
        head = file.read(256)
        if head.startswith(b"#!"):
            return os.fsdecode(head[2:].splitlines()[0].split()[0])
    return None

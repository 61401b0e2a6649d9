"""The `spectronctl` command."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime


def main(argv: Sequence[str] | None = None, runtime: Runtime | None = None) -> int:
    """Run one command and return its exit code. Nothing below here ends the process."""
    args = list(sys.argv[1:] if argv is None else argv)
    if args == ["--version"]:  # handled before Typer is imported: scripts ask this often
        from spectronctl import __version__

        print(f"spectronctl {__version__}")  # noqa: T201 - minds neither a closed stdout nor Typer
        return 0
    if args[:1] == ["__complete"]:  # a shell is waiting for these words after TAB
        from spectronctl.cli.suggestions import print_suggestions

        return print_suggestions(args[1:])

    from spectronctl.cli.app import run
    from spectronctl.ground.exit_codes import allow_exit_codes

    allow_exit_codes()  # here, in the main thread: threads that deliver secrets cannot
    return run(args, runtime)


def enter() -> NoReturn:
    """The installed command: run it and end the process, without taking the interpreter down."""
    # Nothing that is made here is worth a search for garbage before the process ends.
    gc.set_threshold(100_000, 50, 100)
    try:
        code = main()
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        code = 0
    except OSError as exc:
        os.write(2, f"error: cannot write to stdout: {exc.strerror}\n".encode())
        code = 1
    # All is closed by now. Taking the interpreter down would cost as much as many a command, and a
    # thread of the embedded engine that lets go of a Python object meanwhile aborts the process.
    os._exit(code)

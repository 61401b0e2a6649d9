"""The `spectronctl` command."""

from __future__ import annotations

import os
import sys

# No `typing` before `enter` runs: Ctrl-C during an import here is a traceback that nothing can catch.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from spectronctl.cli.runtime import Runtime

    Run = Callable[[list[str], Runtime | None], int]

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None, runtime: Runtime | None = None) -> int:
    """Run one command and return its exit code. Nothing below here ends the process."""
    args = list(sys.argv[1:] if argv is None else argv)
    return _import_run(args)(args, runtime)


def _import_run(args: list[str]) -> Run:
    if args == ["--version"]:  # answered before Typer is imported: scripts ask this often
        return _print_version
    if args[:1] == ["__complete"]:  # a shell is waiting for these words after TAB
        from spectronctl.cli.suggestions import print_suggestions

        return lambda args, runtime: print_suggestions(args[1:])

    from spectronctl.cli.app import run
    from spectronctl.ground.exit_codes import allow_exit_codes

    allow_exit_codes()  # here, in the main thread: threads that deliver secrets cannot
    return run


def _print_version(args: list[str], runtime: Runtime | None) -> int:
    from spectronctl import __version__

    # Flushed here: `enter` ends the process by os._exit, which flushes nothing.
    print(f"spectronctl {__version__}", flush=True)  # noqa: T201 - without Typer
    return 0


def enter() -> NoReturn:
    """The installed command: run it and end the process, without taking the interpreter down."""
    try:
        code = _run_process()
    except KeyboardInterrupt:  # before the command began, or while it was being ended
        code = _end("interrupted", _INTERRUPTED)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        code = 0
    except OSError as exc:
        code = _end(f"error: cannot write to stdout: {exc.strerror}", 1)
    # All is closed by now. Taking the interpreter down would cost as much as many a command, and a
    # thread of the embedded engine that lets go of a Python object meanwhile aborts the process.
    os._exit(code)


def _run_process() -> int:
    import gc
    import signal

    # Nothing that is made here is worth a search for garbage before the process ends.
    gc.set_threshold(100_000, 50, 100)
    if os.getpid() == 1:  # in a container: `docker stop` would wait in vain, and then kill
        from spectronctl.ground.first_process import end_on_signals

        end_on_signals()
    # A shell that starts this in the background has SIGINT ignored, and so it stays.
    minds = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if minds:
        # Modules are being imported, and nothing is open: ending at once is safe. An exception would be
        # printed and forgotten where it strikes a callback of the import system.
        signal.signal(signal.SIGINT, lambda *_: os._exit(_end("interrupted", _INTERRUPTED)))
    from spectronctl.output.standard import prepare_standard_streams

    prepare_standard_streams()
    run = _import_run(sys.argv[1:])
    if minds:
        # From here on things are opened that must be closed again: an interrupt is an exception now.
        sys.unraisablehook = _interrupt_again
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run(sys.argv[1:], None)


def _interrupt_again(problem: Any) -> None:
    """Commands import as they go: what struck where no exception can be raised strikes once more, a moment later."""
    if not issubclass(problem.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(problem)
        return
    import _thread

    # An exception that is raised in this hook would be printed and dropped like the first one.
    _thread.interrupt_main()


def _end(message: str, code: int) -> int:
    # Not `sys.stderr`: the streams may not be prepared yet, and nothing flushes them after os._exit.
    try:  # noqa: SIM105 - contextlib is not imported yet
        os.write(2, f"{message}\n".encode())
    except OSError:  # stderr is closed, too
        pass
    return code

"""A program that is run as a child: with our streams, the signals that reach us, and an exit code to pass on."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from types import TracebackType
from typing import Any, Self

from spectronctl.errors import SpectronctlError, UsageError
from spectronctl.ground.first_process import reap_orphans
from spectronctl.ground.programs import Child, poll_exit, start_program

NOT_FOUND, NOT_EXECUTABLE, KILLED = 127, 126, 128
"""Exit codes, as shells have them; to the last the signal's number is added."""

_ENDING = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM})
_FROM_TERMINAL = frozenset({signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH})
"""What a terminal sends to every process of its foreground group, so to the program as well."""

_RELAYED = (
    *sorted(_ENDING | _FROM_TERMINAL),
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCONT,
)
"""Ctrl-Z (SIGTSTP) is left as it is: it stops us along with the program, and `fg` goes on with both."""

_TELLS_SENDER = sys.platform == "linux"
"""Whether a signal that is waited for says whether the terminal sent it."""

_LATE = 1.0
"""Seconds until a signal is noticed that another thread was given."""


class ProgramError(UsageError):
    """A program that cannot be started: 127 when there is none, 126 when it may not be executed."""

    def __init__(self, program: str, problem: str, exit_code: int) -> None:
        super().__init__(f"{program} cannot be run: {problem}")
        self.exit_code = exit_code  # type: ignore[misc]


def check_program(program: str, env: Mapping[str, str]) -> None:
    """Before anything is done for a program: ProgramError when it is not there, or may not be executed."""
    path = env.get("PATH", os.defpath)
    if shutil.which(program, path=path):
        return
    # What is there but not executable is 126, so it is looked for a second time, without regard to modes.
    if os.path.exists(program) if os.sep in program else _is_there(program, path):
        raise ProgramError(program, os.strerror(errno.EACCES), NOT_EXECUTABLE)
    raise ProgramError(program, os.strerror(errno.ENOENT), NOT_FOUND)


def _is_there(program: str, path: str) -> bool:
    return shutil.which(program, mode=os.F_OK, path=path) is not None


class SignalRelay:
    """
    Signals while something is done around a program: entering begins to catch them.

    Before the program runs, those that end a process raise KeyboardInterrupt, so that what was begun can be undone.
    While it runs all are passed on to it, but for those that the terminal has sent to it as well. Afterwards Ctrl-C
    alone counts: what is left to do is short. Signals that were ignored when we were started (`nohup`, `&`) stay
    ignored, by the program too.
    """

    def __init__(self) -> None:
        self._react: Callable[[int], None] = _interrupt
        self._early: list[int] = []
        self._caught = {signal.SIGCHLD}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            # Python runs handlers in this thread only, and another one may be given the signal: a byte wakes us.
            self._wakened, wakener = socket.socketpair()
            stack.callback(self._wakened.close)
            stack.callback(wakener.close)
            # set_wakeup_fd requires it: a handler must never block on a full socket.
            wakener.setblocking(False)
            before = signal.set_wakeup_fd(wakener.fileno(), warn_on_full_buffer=False)
            stack.callback(signal.set_wakeup_fd, before)
            for number in _RELAYED:
                # `nohup` and `&` of a shell start us with signals ignored: that is inherited by the program, and
                # stays so.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    stack.callback(signal.signal, number, signal.signal(number, self._handle))
                    self._caught.add(number)
            before_chld = signal.signal(signal.SIGCHLD, lambda *_: None)  # the byte is enough
            stack.callback(signal.signal, signal.SIGCHLD, before_chld)
            # Until here a failure undoes the steps before it; from here on leaving does.
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @contextmanager
    def putting_off(self) -> Iterator[None]:
        """Have a signal wait until this is done: for what must not be left half-begun."""
        self._react = self._early.append
        try:
            yield
        finally:
            self._react = _interrupt
        while self._early:
            _interrupt(self._early.pop(0))

    def run(self, argv: Sequence[str], env: Mapping[str, str]) -> int:
        """
        Run a program until it ends, passing signals on; its exit code, 128 + N when signal N ended it.

        It is looked for on the PATH of `env`. ProgramError when it cannot be started.
        """
        # A signal between here and the start of the program is kept, and passed on once there is a program.
        self._react = self._early.append
        try:
            child = _start(argv, env)
            self._react = lambda number: _pass_on(number, child)
            while self._early:
                self._react(self._early.pop())
            # Only once the program runs: it would inherit the mask, and start with these signals blocked.
            with _holding(self._caught) if _TELLS_SENDER else nullcontext():
                while (code := poll_exit(child)) is None:
                    self._wait(child)
                    reap_orphans(child.pid)
        except ChildProcessError:
            raise SpectronctlError(f"{argv[0]} ended, and its exit code cannot be known") from None
        finally:
            self._react = _outlast
        return code if code >= 0 else KILLED - code

    def _wait(self, child: Child) -> None:
        """Wait until something has happened, and pass it on if it is a signal."""
        if not _TELLS_SENDER:
            self._wakened.recv(4096)
            return
        # Signals are blocked in this thread only; one given to another thread runs the handler, hence the time limit.
        told = signal.sigtimedwait(self._caught, _LATE)
        if told is None or told.si_signo == signal.SIGCHLD:
            return
        # si_code is positive if the kernel sent it, as for a key on the terminal, and 0 or less for kill().
        is_from_kernel = told.si_code > 0
        if not (is_from_kernel and told.si_signo in _FROM_TERMINAL):
            _send(told.si_signo, child)

    def _handle(self, number: int, frame: Any) -> None:
        self._react(number)


@contextmanager
def _holding(numbers: Collection[int]) -> Iterator[None]:
    """Hold signals back until they are asked for (`sigtimedwait`), and for their handlers afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(argv: Sequence[str], env: Mapping[str, str]) -> Child:
    try:
        # Descriptors that a shell has opened for the program, such as <(…), are handed on; ours are not inheritable.
        return start_program(argv, env=env, close_fds=False)
    except OSError as exc:
        # A file in place of a directory (ENOTDIR) is 127 for dash and 126 for bash: a missing program is what it mostly
        # means.
        code = NOT_FOUND if exc.errno in {errno.ENOENT, errno.ENOTDIR} else NOT_EXECUTABLE
        raise ProgramError(argv[0], str(exc.strerror), code) from None
    except ValueError as exc:  # a NUL byte inside
        raise ProgramError(argv[0], str(exc), NOT_EXECUTABLE) from None


def _interrupt(number: int) -> None:
    if number in _ENDING:
        raise KeyboardInterrupt


def _outlast(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt


def _pass_on(number: int, child: Child) -> None:
    """Where the sender is unknown: what the terminal may have sent, the program has already."""
    if not (number in _FROM_TERMINAL and _is_in_foreground()):
        _send(number, child)


def _send(number: int, child: Child) -> None:
    with suppress(OSError):  # gone, or another user's by now, as after `sudo`
        # Popen looks first whether the child has ended: its number may be another process's by now.
        child.send_signal(number)


def _is_in_foreground() -> bool:
    """Whether we are in the group that the terminal sends signals to, if there is a terminal."""
    try:
        # Not stdin: it may be redirected while the process still has a controlling terminal.
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)

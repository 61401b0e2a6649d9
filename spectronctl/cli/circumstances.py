"""What a machine may run out of, or take away, while a command works: errors of the system that are no defects."""

from __future__ import annotations

import errno
import os
import re

from spectronctl.errors import SpectronctlError
from spectronctl.output.standard import WriteError

_LIMITS = {
    errno.EMFILE: ("file descriptors", "Raise the limit of this process with `ulimit -n`."),
    errno.ENFILE: (
        "file descriptors",
        "The whole system has reached its limit: see `sysctl fs.file-max`.",
    ),
    # What fork and the creation of a thread fail with at RLIMIT_NPROC, and at the limit of pids of a cgroup.
    errno.EAGAIN: (
        "processes or threads",
        "Raise the limit with `ulimit -u`, or the container's limit of pids.",
    ),
    errno.ENOMEM: ("memory", "Free some, or raise the limit of this process or its container."),
}
# The first words are Python's, the second those of libraries in Rust, such as the database engine.
_NO_THREAD = re.compile("can't (?:start|create) new thread|failed to spawn thread", re.IGNORECASE)


def explain_circumstance(exc: Exception) -> SpectronctlError | None:
    """The error that tells of an exhausted limit, a full stdout or a removed directory; None for a defect."""
    # Before the numbers: a full disk under stdout is no limit of this process.
    if isinstance(exc, WriteError):
        return SpectronctlError(f"cannot write the result to stdout: {exc.strerror}")
    if found := _LIMITS.get(_find_errno(exc)):
        what, hint = found
        return SpectronctlError(f"the system gives this process no more {what}", hint=hint)
    # Every relative path fails so in a directory that another process has removed.
    if isinstance(exc, FileNotFoundError) and not _has_directory():
        return SpectronctlError(
            "the current directory no longer exists", hint="Change to one that does: cd PATH"
        )
    return None


def _find_errno(exc: Exception) -> int:
    if isinstance(exc, MemoryError):
        return errno.ENOMEM
    # Python itself raises RuntimeError for a thread that the system refuses; so do libraries, in words of their own.
    if isinstance(exc, RuntimeError) and _NO_THREAD.search(str(exc)):
        return errno.EAGAIN
    return (exc.errno or 0) if isinstance(exc, OSError) else 0


def _has_directory() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True

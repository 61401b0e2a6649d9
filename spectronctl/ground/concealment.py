"""What this process was started with, hidden from the programs that it starts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection

_ARGUMENTS, _ENVIRONMENT = 44, 46
"""Where /proc/PID/stat has the first address of each, before the last one; counted from the parent's number."""

_PR_SET_DUMPABLE = 4


def conceal(variables: Collection[str], argument: str | None = None) -> None:
    """
    Wipe the values of variables, and a text among the arguments, out of what the system shows of this process.

    Linux shows to every process of the same user what another was started with (/proc/PID/environ), long after that one
    has read it. There, other processes are kept out of the memory as well, unless they are root's. Elsewhere nothing is
    done.
    """
    if sys.platform != "linux":
        return
    try:
        import ctypes
    except ImportError:  # a Python that was built without it
        return
    # A child knows its parent's number, and would find in the parent's memory what it was not told.
    # It ends with exec(): the programs that this process starts are as open to a debugger as ever.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    # The second field is the program's name in brackets, and may hold blanks and brackets of its own: what follows the
    # last bracket is counted.
    with open("/proc/self/stat", "rb") as file:
        fields = [int(word) for word in file.read().rpartition(b")")[2].split()[1:]]
    names = {name.encode(errors="surrogateescape") for name in variables}
    _wipe(fields[_ENVIRONMENT], fields[_ENVIRONMENT + 1], lambda word: _find_value(word, names))
    if argument:
        text = argument.encode(errors="surrogateescape")
        # Alone, or behind `--api-key=`; a key may hold = itself.
        _wipe(fields[_ARGUMENTS], fields[_ARGUMENTS + 1], lambda word: text * word.endswith(text))


def _find_value(word: bytes, names: Collection[bytes]) -> bytes:
    """The value of a variable that is one of these, empty for another one."""
    name, _, value = word.partition(b"=")
    return value if name in names else b""


def _wipe(start: int, end: int, find_secret: Callable[[bytes], bytes]) -> None:
    """Wipe the last part of each word of a block that `find_secret` returns for it."""
    import ctypes

    at = start
    # This is the block that the kernel filled at exec(). `os.environ` and `sys.argv` are copies of it, made when Python
    # started, and keep their values.
    for word in ctypes.string_at(start, end - start).split(b"\0"):
        length = len(find_secret(word))
        # A letter and not a NUL byte: with NULs one word would be shown as many empty ones.
        ctypes.memset(at + len(word) - length, ord("x"), length)
        at += len(word) + 1

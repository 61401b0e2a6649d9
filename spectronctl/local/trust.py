"""Whether a file that names a program can be believed: the program runs with the rights of this user."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from spectronctl.errors import ConfigError

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def check_trusted(path: Path, *, runs_program: bool = True) -> None:
    """
    ConfigError when others can write the file, which says where a secret goes, or put another in its place.

    With `runs_program` also when it is another user's, not root's: under `sudo` with that user's HOME, root would run
    what they say.
    """
    if os.name != "posix":
        return
    try:
        # Of the file that a link leads to; the directory below is the real one too, where that file could be exchanged.
        status = os.stat(path)
        owners = {0, os.geteuid()} if runs_program else set()
        _check(Path(path), status, status.st_mode & _OTHERS, owners)
        if stat.S_ISREG(status.st_mode):  # not a pipe, as of a shell's <(...)
            _check_directories(Path(os.path.realpath(path)).parent, owners)
    except FileNotFoundError:  # then it names nothing
        return
    except OSError as exc:
        raise ConfigError(f"{path} cannot be looked at: {exc.strerror}") from None


def find_shared(path: str) -> str | None:
    """The regular file's path, if all users can read it, or others write it, and this user could change that."""
    if os.name != "posix":
        return None
    with suppress(OSError, ValueError):
        status = os.stat(path)
        is_shared = status.st_mode & (_OTHERS | stat.S_IROTH) and stat.S_ISREG(status.st_mode)
        may_change = os.geteuid() in {0, status.st_uid}
        # Without a way to mend it, a warning at each run would only be noise.
        if is_shared and may_change and not os.statvfs(path).f_flag & os.ST_RDONLY:
            return path
    return None


def _check_directories(nearest: Path, owners: Collection[int]) -> None:
    status = nearest.stat()
    # Under the sticky bit others can add files, and neither rename nor remove ours.
    _check(
        nearest, status, 0 if status.st_mode & stat.S_ISVTX else status.st_mode & _OTHERS, owners
    )
    # Higher up a group is let pass: /usr/local and the like belong to one on some systems.
    for each in nearest.parents:
        mode = each.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise _refuse(each, "can be written by other users", f"chmod o-w {each}")


def _check(path: Path, status: os.stat_result, writable: int, owners: Collection[int]) -> None:
    if writable:
        raise _refuse(path, "can be written by other users", f"chmod go-w {path}")
    # The owner can always give themselves the right to write, whatever the mode says.
    if owners and status.st_uid not in owners:
        raise _refuse(path, "belongs to another user", None)


def _refuse(path: Path, problem: str, mend: str | None) -> ConfigError:
    return ConfigError(
        f"{path} {problem}, who could choose what is run: nothing was run",
        hint=None if mend else "Run this command as that user, or use a file of your own.",
        command=mend,
    )

"""Whether a file can be replaced by rename(), found out before anything is written."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path

_MOUNTS = "/proc/self/mountinfo"
_OCTAL = re.compile(rb"\\([0-7]{3})")


def check_replaceable(path: Path, status: os.stat_result) -> None:
    """OSError for a file of this status that rename() would not replace."""
    if _is_mount_point(path, status):
        raise OSError(errno.EBUSY, "it is a mount point")
    directory = path.parent.stat()
    # The kernel's own rule for a sticky directory: the file's owner, the directory's, and root may rename over a file.
    owners = {status.st_uid, directory.st_uid}
    if directory.st_mode & stat.S_ISVTX and os.geteuid() not in {0, *owners}:
        raise OSError(errno.EPERM, "it is another user's, in a sticky directory")


def _is_mount_point(path: Path, status: os.stat_result) -> bool:
    """Whether something is mounted on the file itself, as `docker -v FILE:FILE` and a `subPath` do."""
    # The kernel lists real paths, and spells blanks, tabs, line ends and backslashes in octal.
    wanted = os.fsencode(os.path.realpath(path))
    try:
        with open(_MOUNTS, "rb") as mounts:
            return any(_OCTAL.sub(_decode_octal, line.split()[4]) == wanted for line in mounts)
    except OSError:
        # A system without it. There, a file that is mounted from the same disk is found by trying only.
        return status.st_dev != path.parent.stat().st_dev


def _decode_octal(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 8)])

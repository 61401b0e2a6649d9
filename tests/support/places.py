"""Files that a secret goes to, in the states in which operating systems hand them out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

AGENT = 1234, 5678
"""User and group of the agent that reads the secret."""

OPERATOR = 2345, 6789
"""User and group of an operator who is not root."""

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="mounts disks and gives files away")


def call(*words: str | Path) -> None:
    """Run a tool of the system; the test is skipped where it is not there, or may not do that."""
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip(f"there is no {words[0]}")
    if done.returncode:
        pytest.skip(f"{words[0]} is refused here: {done.stderr.strip()}")


@contextmanager
def become(user: int, group: int) -> Iterator[None]:
    """This process as another user, in all its threads."""
    groups = os.getgroups()
    os.setgroups([])
    os.setresgid(group, group, 0)
    os.setresuid(user, user, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        os.setgroups(groups)


@contextmanager
def mounted_over(file: Path) -> Iterator[None]:
    """Another file is mounted on this one, as by `docker -v FILE:FILE`."""
    other = file.parent.parent / "mounted"
    other.write_bytes(file.read_bytes())
    call("mount", "--bind", other, file)
    try:
        yield
    finally:
        call("umount", file)


@contextmanager
def mounted_read_only(file: Path) -> Iterator[None]:
    with mounted_over(file):
        call("mount", "-o", "remount,bind,ro", file)
        yield


@contextmanager
def on_read_only_disk(file: Path) -> Iterator[None]:
    call("mount", "--bind", file.parent, file.parent)
    try:
        call("mount", "-o", "remount,bind,ro", file.parent)
        yield
    finally:
        call("umount", file.parent)


@contextmanager
def on_full_disk(file: Path) -> Iterator[None]:
    content = file.read_bytes()
    call("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", file.parent)
    try:
        file.write_bytes(content)
        filler = file.with_name("filler")
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(1 << 20))
        yield
    finally:
        call("umount", file.parent)


@contextmanager
def empty_and_mounted_from_full_disk(file: Path) -> Iterator[None]:
    """The disk is another than the directory's, and has no room for a first byte."""
    disk = file.parent.parent / "disk"
    disk.mkdir()
    call("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk)
    try:
        (disk / "key").touch()
        with pytest.raises(OSError, match="No space left"):
            (disk / "filler").write_bytes(bytes(1 << 20))
        call("mount", "--bind", disk / "key", file)
        try:
            yield
        finally:
            call("umount", file)
    finally:
        call("umount", disk)


def with_attribute(letter: str, *, directory: bool = False) -> Callable[[Path], State]:
    """`chattr +i` and the like, on the file or on its directory."""

    @contextmanager
    def change(file: Path) -> Iterator[None]:
        target = file.parent if directory else file
        call("chattr", f"+{letter}", target)
        try:
            yield
        finally:
            call("chattr", f"-{letter}", target)

    return change


@contextmanager
def with_another_name(file: Path) -> Iterator[None]:
    os.link(file, file.parent.parent / "second-name")
    yield


def for_operator(
    *, directory: int, mode: int, owner: tuple[int, int], owns_directory: bool = False
) -> Callable[[Path], State]:
    """A file of that owner and mode, in a directory of that mode, as an operator who is not root finds it."""

    @contextmanager
    def change(file: Path) -> Iterator[None]:
        file.parent.chmod(directory)
        os.chown(file.parent, *(OPERATOR if owns_directory else (0, OPERATOR[1])))
        os.chown(file, *owner)
        file.chmod(mode)
        with become(*OPERATOR):
            yield

    return change


@contextmanager
def handed_to_agent(file: Path) -> Iterator[None]:
    os.chown(file, *AGENT)
    file.chmod(0o640)
    yield


@contextmanager
def in_setgid_directory(file: Path) -> Iterator[None]:
    os.chown(file.parent, 0, AGENT[1])
    file.parent.chmod(0o2775)
    os.chown(file, 0, AGENT[1])
    file.chmod(0o640)
    yield


State = AbstractContextManager[None]

STATES: dict[str, Callable[[Path], State]] = {
    "the agent's": handed_to_agent,
    "in a setgid directory": in_setgid_directory,
    "mount point": mounted_over,
    "read-only mount point": mounted_read_only,
    "read-only disk": on_read_only_disk,
    "full disk": on_full_disk,
    "mounted from a full disk": empty_and_mounted_from_full_disk,
    "immutable": with_attribute("i"),
    "append-only": with_attribute("a"),
    "immutable directory": with_attribute("i", directory=True),
    "two names": with_another_name,
    "own read-only file": for_operator(
        directory=0o755, mode=0o400, owner=OPERATOR, owns_directory=True
    ),
    "directory not writable": for_operator(directory=0o755, mode=0o600, owner=OPERATOR),
    "foreign, writable by our group": for_operator(
        directory=0o775, mode=0o660, owner=(AGENT[0], OPERATOR[1])
    ),
    "foreign, in a sticky directory": for_operator(directory=0o1777, mode=0o666, owner=AGENT),
    "foreign and readable": for_operator(
        directory=0o777, mode=0o644, owner=AGENT, owns_directory=True
    ),
}
"""What may be true of a file that holds an old secret: a secret is put there, or refused in time."""


@contextmanager
def read_only(directory: Path) -> Iterator[None]:
    with on_read_only_disk(directory / "file"):
        yield


@contextmanager
def full_but_for_a_page(directory: Path) -> Iterator[None]:
    call("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", directory)
    try:
        filler = directory / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(1 << 20))
        os.truncate(filler, filler.stat().st_size - 4096)
        yield
    finally:
        call("umount", directory)


@contextmanager
def immutable(directory: Path) -> Iterator[None]:
    (directory / "locks").mkdir()
    with with_attribute("i", directory=True)(directory / "file"):
        yield


@contextmanager
def not_ours(directory: Path) -> Iterator[None]:
    directory.chmod(0o755)
    with become(*OPERATOR):
        yield


JOURNALS: dict[str, Callable[[Path], State]] = {
    "read-only disk": read_only,
    "full but for a page": full_but_for_a_page,
    "immutable": immutable,
    "not ours": not_ours,
}
"""What may be true of the directory of journals that lets none be kept."""

"""Files that are replaced in one step, and locks on open files."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spectronctl.ground import disk
from spectronctl.ground.disk import (
    NoLocksError,
    is_absent,
    lock_descriptor,
    make_directory,
    open_lock,
    replace_file,
    write_all,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    return path


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize(("mode", "found"), [(0o600, 0o600), (0o666, 0o640)])
def test_a_file_has_the_mode_of_a_new_one(path: Path, mode: int, found: int) -> None:
    path.chmod(0o644)
    with umask(0o027):
        replace_file(path, b"after", mode=mode)
    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == found
    assert os.listdir(path.parent) == ["file"]


def test_the_draft_of_a_killed_process_is_taken_over_and_never_followed(path: Path) -> None:
    draft, other = path.with_name("draft"), path.with_name("other")
    draft.symlink_to(other)
    replace_file(path, b"after", draft=draft)
    draft.write_bytes(b"a draft longer than what comes after it")
    draft.chmod(0o644)
    replace_file(path, b"after", draft=draft)
    assert path.read_bytes() == b"after"
    assert not path.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_what_fails_or_is_interrupted_leaves_what_was_there(
    path: Path, failure: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[:3])
        raise failure

    monkeypatch.setattr(disk, "write_all", fail)
    for draft in (None, path.with_name("draft")):
        with pytest.raises(type(failure)):
            replace_file(path, b"after", draft=draft)
    assert path.read_bytes() == b"before"
    assert os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("durable", [True, False])
def test_only_what_must_outlast_a_loss_of_power_waits_for_the_disk(
    path: Path, durable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def note_sync(descriptor: int) -> None:
        is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append("directory" if is_directory else f"{os.fstat(descriptor).st_size} bytes")

    monkeypatch.setattr(os, "fsync", note_sync)
    replace_file(path, b"after", durable=durable)
    assert synced == (["5 bytes", "directory"] if durable else [])


def test_every_byte_is_written_however_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:2]))
    with (tmp_path / "file").open("wb") as file:
        write_all(file.fileno(), b"seven b")
    assert (tmp_path / "file").read_bytes() == b"seven b"


def test_a_locked_file_is_free_again_once_it_is_closed(path: Path) -> None:
    with path.open() as one, path.open() as other:
        assert lock_descriptor(one.fileno())
        assert not lock_descriptor(other.fileno())
        one.close()
        assert lock_descriptor(other.fileno())
    with path.open() as one:
        assert lock_descriptor(one.fileno(), wait=True)


def test_a_system_without_locks_refuses_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "fcntl", None)
    with path.open() as one, path.open() as other:
        assert lock_descriptor(one.fileno())
        assert lock_descriptor(other.fileno())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The directory of another user."""
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 1234, 5678)
    return home


def owner(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


@as_root
def test_what_root_makes_in_a_users_directory_is_that_users(home: Path) -> None:
    make_directory(home / "a/b")
    replace_file(home / "a/b/file", b"")
    os.close(open_lock(home / "a/b/lock"))
    made = [home / "a", home / "a/b", home / "a/b/file", home / "a/b/lock"]
    assert {owner(path) for path in made} == {(1234, 5678)}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700, 0o600}


@as_root
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_file_that_is_like_another_has_its_owner_group_and_mode(path: Path, mode: int) -> None:
    os.chown(path, 1234, 5678)
    path.chmod(mode)
    with umask(0o077):
        replace_file(path, b"after", like=path.stat())
    assert (owner(path), stat.S_IMODE(path.stat().st_mode)) == ((1234, 5678), mode)


def test_a_group_that_cannot_be_kept_loses_its_rights_and_no_other_gets_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "not permitted")

    other = os.stat_result((0o100664, 0, 0, 1, 1234, 5678, *[0] * 4))
    monkeypatch.setattr(os, "fchown", refuse)
    replace_file(path, b"after", like=other)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


@pytest.mark.parametrize("name", ["none", "none/below"])
def test_nothing_is_there_when_that_is_certain(tmp_path: Path, name: str) -> None:
    assert is_absent(tmp_path / name)
    assert not is_absent(tmp_path)


@pytest.mark.parametrize("name", ["link", "link/below", "file/below"])
def test_what_may_be_there_is_not_absent(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "on-another-disk")
    with pytest.raises(OSError, match=r"leads nowhere|Not a directory"):
        is_absent(tmp_path / name)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_disk_without_locks_is_told_from_a_lock_that_is_held(
    path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with path.open("rb") as file, pytest.raises(NoLocksError, match=os.strerror(number)):
        lock_descriptor(file.fileno())

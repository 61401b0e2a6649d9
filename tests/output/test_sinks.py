"""Promises of output/sinks about files, on real files, pipes, FIFOs and terminals."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spectronctl.errors import ConfigError, SpectronctlError, UsageError
from spectronctl.ground.disk import lock_descriptor
from spectronctl.output.sinks import Place, Sink, _drafts, check_secret_output, open_sink
from tests.support.streams import Capture, Terminal

SECRET = "sk-acme-sentinel"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "key"


@contextmanager
def reserve(path: str | Path, *, force: bool = False) -> Iterator[Sink]:
    sink = open_sink(Place(kind="file", path=Path(path)), replace=force, env={})
    sink.reserve()
    try:
        yield sink
    finally:
        sink.discard()


def store(path: Path, *, force: bool = False) -> None:
    with reserve(path, force=force) as sink:
        sink.commit(SECRET)


def refuse(path: Path, *, force: bool = False) -> SpectronctlError:
    """The error for a path that nothing may be written to; it leaves no file behind."""
    before = sorted(path.parent.iterdir()) if path.parent.is_dir() else None
    with pytest.raises(SpectronctlError) as caught, reserve(path, force=force):
        pass
    assert (sorted(path.parent.iterdir()) if path.parent.is_dir() else None) == before
    return caught.value


# The guard


def test_a_terminal_shows_no_secret_unless_asked_to() -> None:
    with Terminal() as terminal:
        with pytest.raises(UsageError) as caught:
            check_secret_output(terminal.streams, reveal=False, has_file=False)
        check_secret_output(terminal.streams, reveal=True, has_file=False)
        check_secret_output(terminal.streams, reveal=False, has_file=True)
    assert "--reveal" in str(caught.value.hint)
    assert "--secret-file" in str(caught.value.hint)
    check_secret_output(Capture().streams, reveal=False, has_file=False)


# Regular files


def test_a_secret_is_a_line_in_a_file_of_its_owner_and_nothing_else_is_left(target: Path) -> None:
    before = os.umask(0)
    try:
        store(target)
    finally:
        os.umask(before)
    assert target.read_text() == SECRET + "\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert os.listdir(target.parent) == ["key"]


def test_a_strict_umask_does_not_lock_the_owner_out(target: Path) -> None:
    before = os.umask(0o777)
    try:
        store(target)
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_nothing_is_visible_before_the_commit_and_nothing_is_left_without_it(target: Path) -> None:
    with reserve(target):
        assert not target.exists()
        [draft] = target.parent.iterdir()
        assert stat.S_IMODE(draft.stat().st_mode) == 0o600
        assert draft.stat().st_size >= len(SECRET)  # the room is taken already
    assert os.listdir(target.parent) == []


def test_a_failure_in_between_leaves_nothing(target: Path) -> None:
    with pytest.raises(RuntimeError), reserve(target):
        raise RuntimeError
    assert os.listdir(target.parent) == []


def test_an_existing_file_is_refused_and_kept(target: Path) -> None:
    target.write_text("old")
    error = refuse(target)
    assert isinstance(error, UsageError)
    assert "--force" in str(error.hint)
    assert target.read_text() == "old"


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o644])
def test_force_replaces_the_whole_file_and_keeps_its_mode(target: Path, mode: int) -> None:
    target.write_text("old" * 10_000)
    target.chmod(mode)
    store(target, force=True)
    assert target.read_text() == SECRET + "\n"
    assert stat.S_IMODE(target.stat().st_mode) == mode
    assert os.listdir(target.parent) == ["key"]


def test_without_a_commit_force_keeps_the_old_file(target: Path) -> None:
    target.write_text("old")
    with reserve(target, force=True):
        pass
    assert target.read_text() == "old"
    assert os.listdir(target.parent) == ["key"]


@pytest.mark.parametrize("can_link", [True, False])
def test_a_file_that_appeared_meanwhile_is_kept_and_so_is_the_secret(
    target: Path, can_link: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not can_link:
        monkeypatch.setattr(os, "link", refuse_link)
    with reserve(target) as sink:
        target.write_text("another's")
        with pytest.raises(ConfigError) as caught:
            sink.commit(SECRET)
    assert target.read_text() == "another's"
    assert sink.kept is not None
    assert str(sink.kept) in caught.value.message
    assert sink.kept.read_text() == SECRET + "\n"
    assert stat.S_IMODE(sink.kept.stat().st_mode) == 0o600
    assert SECRET not in str(caught.value.to_dict())


def refuse_link(*_: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_a_disk_without_hard_links_takes_a_secret_too(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse_link)
    store(target)
    assert target.read_text() == SECRET + "\n"
    assert os.listdir(target.parent) == ["key"]


# Paths that cannot be meant


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    error = refuse(tmp_path / "nowhere" / "key")
    assert isinstance(error, UsageError)
    assert str(tmp_path / "nowhere") in error.message


@pytest.mark.parametrize("force", [False, True])
def test_a_directory_and_a_socket_are_refused(tmp_path: Path, force: bool) -> None:
    assert "is a directory" in refuse(tmp_path, force=force).message
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        assert "not a regular file" in refuse(tmp_path / "socket", force=force).message


@pytest.mark.parametrize("force", [False, True])
def test_a_symbolic_link_is_neither_followed_nor_replaced(tmp_path: Path, force: bool) -> None:
    link, behind = tmp_path / "link", tmp_path / "behind"
    link.symlink_to(behind)
    assert str(behind) in str(refuse(link, force=force).hint)  # dangling
    behind.write_text("old")
    assert isinstance(refuse(link, force=force), UsageError)
    assert link.is_symlink()
    assert behind.read_text() == "old"


def test_a_name_too_long_is_found_before_there_is_a_secret(tmp_path: Path) -> None:
    error = refuse(tmp_path / ("x" * 300))
    assert isinstance(error, ConfigError)
    assert "too long" in error.message


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="POSIX only")
def test_no_file_is_made_in_dev() -> None:
    assert "no device" in refuse(Path("/dev/spectronctl-no-such-device")).message


# Disks that are full

FULL = """
import resource, sys
from spectronctl.errors import SpectronctlError
from spectronctl.output.sinks import open_sink, read_file
sink = open_sink(read_file(sys.argv[1]), replace=False, env=dict())
{before}
try:
    sink.reserve()
    print("reserved")
    {between}
    sink.commit("sk-sentinel")
except SpectronctlError as exc:
    print(exc.kind, exc.message)
"""
NO_ROOM = "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))"
NO_FALLOCATE = "import os; del os.posix_fallocate; "


def run_full(target: Path, *, before: str = "", between: str = "") -> str:
    ended = subprocess.run(
        [sys.executable, "-c", FULL.format(before=before, between=between), str(target)],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("before", [NO_ROOM, NO_FALLOCATE + NO_ROOM])
def test_a_full_disk_is_found_before_there_is_a_secret(target: Path, before: str) -> None:
    said = run_full(target, before=before)
    assert said.startswith(f"config cannot write a secret to {target}: ")
    assert os.listdir(target.parent) == []


def test_a_directory_that_may_not_be_written_is_found_before_there_is_a_secret() -> None:
    with tempfile.TemporaryDirectory() as directory:  # reached by any user, unlike tmp_path
        Path(directory).chmod(0o555)
        not_root = "import os; os.geteuid() or os.setuid(65534)"
        said = run_full(Path(directory) / "key", before=not_root)
    assert said == f"config cannot write a secret to {directory}/key: Permission denied\n"


def test_without_fallocate_room_is_made_by_writing(target: Path) -> None:
    assert run_full(target, before=NO_FALLOCATE) == "reserved\n"
    assert target.read_text() == "sk-sentinel\n"


def test_a_secret_that_cannot_be_written_leaves_nothing_half_written(target: Path) -> None:
    no_byte = "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    said = run_full(target, between=no_byte)
    assert said.startswith(f"reserved\nconfig the secret could not be written to {target}: ")
    assert "sentinel" not in said
    assert os.listdir(target.parent) == []


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="mounts a small disk")
def test_a_disk_that_is_really_full_is_found_before_there_is_a_secret(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(tmp_path)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this system does not let a test mount a disk")
    try:
        with pytest.raises(OSError, match="No space left"):
            (tmp_path / "filler").write_bytes(bytes(1 << 20))
        error = refuse(tmp_path / "key")
        assert "No space left" in error.message
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


# What is no file on a disk


def test_a_descriptor_is_written_where_it_stands_and_stays_open(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as log:
        log.write("before\n")
        log.flush()
        store(Path(f"/dev/fd/{log.fileno()}"))
        log.write("after\n")
        log.flush()
        assert (tmp_path / "log").read_text() == f"before\n{SECRET}\nafter\n"


def test_a_pipe_by_its_descriptor_gets_the_secret() -> None:
    reader, writer = os.pipe()
    try:
        store(Path(f"/proc/self/fd/{writer}"))
        assert os.read(reader, 100) == SECRET.encode() + b"\n"
    finally:
        os.close(reader)
        os.close(writer)


def test_dev_stdout_gets_the_secret() -> None:
    script = (
        "from spectronctl.output.sinks import open_sink, read_file\n"
        "sink = open_sink(read_file('/dev/stdout'), replace=False, env={})\n"
        "sink.reserve()\n"
        "sink.commit('sk-1')\n"
    )
    root = str(Path(__file__).parents[2])
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={"PYTHONPATH": root}
    )
    assert (ended.stdout, ended.stderr) == ("sk-1\n", "")


def test_a_fifo_gets_the_secret_and_stays_a_fifo(target: Path) -> None:
    os.mkfifo(target)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(target.read_text()), daemon=True)
    reader.start()
    store(target)
    reader.join(timeout=10)
    assert read == [SECRET + "\n"]
    assert target.is_fifo()
    assert os.listdir(target.parent) == ["key"]


def test_a_reader_who_has_gone_is_an_error_and_no_quiet_success() -> None:
    reader, writer = os.pipe()
    with reserve(f"/dev/fd/{writer}") as sink:
        os.close(reader)
        with pytest.raises(ConfigError, match="Broken pipe"):
            sink.commit(SECRET)
    os.close(writer)


def test_a_descriptor_that_is_not_open_is_an_error() -> None:
    with pytest.raises(ConfigError, match="Bad file descriptor"), reserve("/dev/fd/987"):
        pass


def test_a_device_takes_the_secret_and_a_terminal_does_not() -> None:
    store(Path("/dev/null"))
    with Terminal() as terminal:
        name = os.ttyname(terminal.streams.stdout.fileno())
        with pytest.raises(UsageError) as caught, reserve(name):
            pass
    assert "--reveal" in str(caught.value.hint)
    assert terminal.shown == ""


# Drafts of a process that was killed

DIE = """
import os, signal, sys
from spectronctl.output.sinks import open_sink, read_file
os.link = lambda *_: (print("written", flush=True), sys.stdin.read())
sink = open_sink(read_file(sys.argv[1]), replace=False, env={})
sink.reserve()
sink.commit("sk-of-the-dead")
"""


def start_writer(target: Path) -> subprocess.Popen[str]:
    """A process that stands between writing a secret and putting it in its place."""
    process = subprocess.Popen(
        [sys.executable, "-c", DIE, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout
    assert process.stdout.readline() == "written\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=60)


@pytest.mark.parametrize("name", ["key", "k" * 255, "ключ" * 31])
def test_a_draft_of_a_killed_process_is_removed_by_the_next_for_that_target(
    tmp_path: Path, name: str
) -> None:
    kill(start_writer(tmp_path / name))
    [draft] = tmp_path.iterdir()
    assert draft.read_text() == "sk-of-the-dead\n"

    store(tmp_path / "another")
    assert draft.exists()
    store(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == sorted([name, "another"])
    assert (tmp_path / name).read_text() == SECRET + "\n"


def test_a_draft_of_a_living_process_is_left_alone(target: Path) -> None:
    process = start_writer(target)
    try:
        [draft] = target.parent.iterdir()
        with reserve(target), reserve(target):
            assert draft.exists()
            assert len(os.listdir(target.parent)) == 3
        assert os.listdir(target.parent) == [draft.name]
    finally:
        kill(process)


def test_a_draft_taken_for_abandoned_before_it_was_locked_is_made_again(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    removed: list[Path] = []

    def lock_too_late(descriptor: int, operation: int) -> None:
        for draft in target.parent.iterdir():
            if not removed:
                removed.append(draft)
                draft.unlink()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock_too_late)
    store(target)
    assert removed
    assert target.read_text() == SECRET + "\n"


def test_a_draft_that_takes_the_name_of_another_is_not_taken_for_that_one(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, replace = lock_descriptor, os.replace

    def replace_beside_another_process(draft: Path, other: Path) -> None:
        place = other.stat()

        def replace_and_lock(descriptor: int, **options: bool) -> bool:
            # The other process has opened the old file of that name, and locks it once the name is the draft's.
            if os.path.samestat(os.fstat(descriptor), place):
                replace(draft, other)
            return lock(descriptor, **options)

        monkeypatch.setattr(_drafts, "lock_descriptor", replace_and_lock)
        _drafts._remove_abandoned(target)
        monkeypatch.setattr(_drafts, "lock_descriptor", lock)

    monkeypatch.setattr(os, "replace", replace_beside_another_process)
    with reserve(target) as sink:
        monkeypatch.setattr(os, "replace", replace)
        sink.commit(SECRET)
    assert os.listdir(target.parent) == [target.name]


def test_a_secret_that_was_kept_is_not_taken_for_an_abandoned_draft(target: Path) -> None:
    with reserve(target) as sink:
        target.write_text("another's")
        with pytest.raises(ConfigError):
            sink.commit(SECRET)
    store(target, force=True)
    assert sink.kept
    assert sink.kept.read_text() == SECRET + "\n"


def test_a_draft_that_another_removed_is_not_said_to_be_kept(target: Path) -> None:
    with reserve(target) as sink:
        [draft] = target.parent.iterdir()
        draft.unlink()
        with pytest.raises(ConfigError, match="could not be written"):
            sink.commit(SECRET)
    assert sink.kept is None


# Reading back


def test_a_secret_is_read_back_from_a_file_and_from_nothing_else(target: Path) -> None:
    sink = open_sink(Place(kind="file", path=target), replace=True, env={})
    assert sink.read() is None
    store(target)
    assert sink.read() == SECRET
    target.write_text("\n")
    assert sink.read() is None
    target.unlink()
    os.mkfifo(target)
    assert sink.read() is None

"""The standard streams of a process: every byte arrives, or the command fails and says so."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from spectronctl.ground.room import check_room
from spectronctl.output.standard import WriteError, open_writer
from tests.support.processes import SPECTRONCTL, Shell


@pytest.fixture
def limited_files() -> Iterator[None]:
    """No file of this process may be longer than 1024 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_is_continued_where_the_reader_is_slower() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    got: list[bytes] = []

    def read() -> None:
        while piece := os.read(reader, 1000):
            got.append(piece)

    thread = threading.Thread(target=read)
    thread.start()
    stream = open_writer(writer)
    stream.write("line of a response\n" * 50_000)
    stream.flush()
    os.close(writer)
    thread.join(timeout=30)
    os.close(reader)
    assert b"".join(got) == b"line of a response\n" * 50_000


def test_a_write_that_the_system_cuts_short_fails(tmp_path: Path, limited_files: None) -> None:
    descriptor = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    stream = open_writer(descriptor)
    stream.write("x" * 5000)
    with pytest.raises(WriteError, match="File too large"):
        stream.flush()
    assert (tmp_path / "out").stat().st_size == 1024
    os.close(descriptor)


def test_what_the_shell_closed_fails_when_it_is_written_to() -> None:
    stream = open_writer(None)
    stream.write("x")
    with pytest.raises(WriteError, match="Bad file descriptor"):
        stream.flush()
    with pytest.raises(OSError, match="Bad file descriptor"):
        stream.fileno()


ROOM = 2048


def test_trying_a_file_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    for flags in (os.O_WRONLY | os.O_APPEND, os.O_WRONLY):
        descriptor = os.open(path, flags)
        check_room(descriptor, ROOM)
        assert path.read_text() == "before\n"
        os.close(descriptor)


def test_a_file_at_its_limit_is_no_place_for_a_secret(tmp_path: Path, limited_files: None) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 1000)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    with pytest.raises(OSError, match="File too large"):
        check_room(descriptor, ROOM)
    os.close(descriptor)


def test_a_full_disk_is_no_place_for_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "small" / "log"
    path.parent.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(path.parent)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        path.write_bytes(b"x" * (4096 - 10))
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        with pytest.raises(OSError, match="No space left"):
            check_room(descriptor, ROOM)
        os.truncate(path, 4096 - ROOM)
        check_room(descriptor, ROOM)
        os.close(descriptor)
    finally:
        subprocess.run(["umount", str(path.parent)], check=True)


def test_a_pipe_without_a_reader_is_no_place_for_a_secret() -> None:
    reader, writer = os.pipe()
    check_room(writer, ROOM)
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        check_room(writer, ROOM)
    os.close(writer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_that_is_full_is_no_place_for_a_secret() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match="No space left"):
        check_room(descriptor, ROOM)
    os.close(descriptor)


@pytest.mark.parametrize(
    ("line", "target", "unbuffered"),
    [
        ("--version", "> /dev/full", ""),
        ("--version", ">&-", "1"),
        ("api --help", "> limited", "1"),
        ("completion bash", "> limited", ""),
        ("profiles path", ">&-", ""),
        ("version -o json", "> /dev/full", "1"),
    ],
)
def test_the_installed_command_fails_when_stdout_does_not_take_all(
    line: str, target: str, unbuffered: str, shell: Shell, tmp_path: Path
) -> None:
    limit = "ulimit -f 0; " if target == "> limited" else ""
    done = subprocess.run(
        ["/bin/bash", "-c", f'{limit}"$0" {line} {target}', SPECTRONCTL],
        env=shell.environment({"PYTHONUNBUFFERED": unbuffered, "PYTHONDONTWRITEBYTECODE": "1"}),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert "to stdout" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_the_installed_command_writes_all_to_a_pipe_that_puts_it_off(
    unbuffered: str, shell: Shell
) -> None:
    import fcntl

    whole = shell("completion bash").stdout
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen(
        [SPECTRONCTL, "completion", "bash"],
        env=shell.environment({"PYTHONUNBUFFERED": unbuffered}),
        stdout=writer,
    )
    os.close(writer)
    with open(reader, encoding="utf-8", newline="") as file:
        assert file.read() == whole
    assert process.wait() == 0


def test_no_file_takes_the_number_of_a_closed_stream(shell: Shell) -> None:
    """A complaint written to a closed stderr would land in whatever file was opened as 2."""
    script = (
        "import os; from spectronctl.output.standard import prepare_standard_streams as p; p();"
        "print(os.open(os.devnull, os.O_RDONLY))"
    )
    python = str(Path(SPECTRONCTL).with_name("python"))
    done = subprocess.run(
        ["/bin/bash", "-c", '"$0" -c "$1" <&- 2>&-', python, script],
        env=shell.environment(),
        capture_output=True,
        text=True,
    )
    assert int(done.stdout) > 2

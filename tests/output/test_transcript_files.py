"""Promises of the files of transcripts: whole or not there, and the same bytes after any interruption."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spectronctl.errors import ConfigError, UsageError
from spectronctl.output.transcripts import FORMATS, TranscriptFile, _files, format_transcript
from tests.support.soak import SOAK

SESSION = {"id": "session:01HX", "metadata": {"title": "Tea"}}
EXPORT = {"session": "session:01HX", "roles": ("user", "tool")}
TURNS: list[dict[str, Any]] = [
    {
        "id": f"turn:{seq}",
        "seq": seq,
        "role": "user",
        "content": content,
        "created_at": "2026-05-01T12:30:00Z",
    }
    for seq, content in enumerate(["Hi", "#1 user\n\n## 2 · ünï", '{"a": "\n"}', "</html>,\r\n"], 4)
]


def write_whole(format: str, turns: list[dict[str, Any]] = TURNS) -> bytes:
    return "".join(format_transcript(format, SESSION, turns)).encode()


def open_file(path: Path, format: str = "jsonl", **options: Any) -> TranscriptFile:
    return TranscriptFile.open(path, format, export=EXPORT, **options)


def export(path: Path, format: str = "jsonl", **options: Any) -> int | None:
    """Export all turns; the `seq` that the export went on at."""
    with open_file(path, format, **options) as file:
        start = file.next_seq
        if not file.is_finished:
            file.write(SESSION, [turn for turn in TURNS if turn["seq"] >= (start or 0)])
            file.finish(SESSION)
    return start


def interrupt(path: Path, format: str = "jsonl", *, after: int = 2, **options: Any) -> None:
    """Leave a part with some turns behind."""
    with open_file(path, format, **options) as file:
        file.write(SESSION, TURNS[:after])


def list_names(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.iterdir())


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """What outlasts a loss of power cannot be tested here, and waiting for it takes minutes."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "talk"


# Whole, and interrupted


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_has_the_bytes_of_the_transcript_and_leaves_nothing_beside_it(
    path: Path, format: str
) -> None:
    assert export(path, format) is None
    assert path.read_bytes() == write_whole(format)
    assert list_names(path) == ["talk"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_session_without_turns_is_a_file_too(path: Path, format: str) -> None:
    with open_file(path, format) as file:
        file.finish(SESSION)
    assert path.read_bytes() == write_whole(format, [])


def test_nothing_is_at_the_path_before_the_transcript_is_whole(path: Path) -> None:
    interrupt(path)
    assert list_names(path) == ["talk.part", "talk.part.json"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("after", range(len(TURNS) + 1))
def test_a_resumed_export_has_the_same_bytes_wherever_the_first_was_cut(
    path: Path, format: str, after: int
) -> None:
    """The note says how far whole turns reach; of what follows, any number of bytes may be there."""
    interrupt(path, format, after=after)
    part, note = (path.with_name(f"talk{end}") for end in (".part", ".part.json"))
    noted, whole = note.read_bytes(), write_whole(format)
    offset = json.loads(noted)["offset"]
    assert whole.startswith(part.read_bytes())
    assert part.stat().st_size == offset
    turns_begin = whole.index(TURNS[0]["created_at"].encode()) - 200
    # Bytes all over the turns and around where the note ends; some of the long head of a page.
    turns = range(max(0, turns_begin), len(whole) + 1, 1 if SOAK else 7)
    for size in {*range(0, len(whole), 61), *turns, offset - 1, offset, offset + 1} & {
        *range(len(whole) + 1)
    }:
        path.unlink(missing_ok=True)
        part.write_bytes(whole[:size])
        note.write_bytes(noted)
        start = export(path, format, resume=True)
        assert start == (TURNS[0]["seq"] + after if after and size >= offset else None)
        assert path.read_bytes() == whole


def test_what_follows_the_last_whole_turn_in_a_part_is_cut_off(path: Path) -> None:
    interrupt(path)
    with path.with_name("talk.part").open("ab") as part:
        part.write(b"x" * 10_000)
    export(path, resume=True)
    assert path.read_bytes() == write_whole("jsonl")


def test_a_reader_that_fails_loses_no_turn_that_came_before(path: Path) -> None:
    def fail() -> Iterator[dict[str, Any]]:
        yield from TURNS[:3]
        raise ConnectionError

    with pytest.raises(ConnectionError), open_file(path) as file:
        file.write(SESSION, fail())
    assert export(path, resume=True) == TURNS[3]["seq"]
    assert path.read_bytes() == write_whole("jsonl")


def test_turns_may_come_in_batches_and_be_saved_between(path: Path) -> None:
    with open_file(path, "json") as file:
        for turn in TURNS:
            file.write(SESSION, [turn])
            file.save()
            assert path.with_name("talk.part").read_text().endswith("}")
            assert file.next_seq == turn["seq"] + 1
        file.finish(SESSION)
    assert path.read_bytes() == write_whole("json")


def test_long_exports_are_noted_on_the_way(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_files, "SAVE_EVERY", 0)
    noted = []

    def look() -> Iterator[dict[str, Any]]:
        for turn in TURNS:
            noted.append(json.loads(path.with_name("talk.part.json").read_bytes())["next_seq"])
            yield turn

    with open_file(path) as file:
        file.write(SESSION, look())
    assert noted == [None, 5, 6, 7]


def test_memory_holds_no_more_than_a_little_of_a_long_export(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_files, "SAVE_EVERY", 1000)
    monkeypatch.setattr(_files, "HELD_BYTES", 100)
    with open_file(path) as file:
        file.write(SESSION, TURNS)
        assert len(write_whole("jsonl")) - path.with_name("talk.part").stat().st_size <= 100


def test_an_interrupt_at_any_step_neither_loses_nor_doubles_a_turn(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when `--follow` is ended by the keyboard: the file is finished after the interrupt."""
    whole = write_whole("jsonl")
    steps = count_steps(path, monkeypatch)
    assert steps > 50
    for step in range(1, steps):
        sent: list[dict[str, Any]] = []

        def say(sent: list[dict[str, Any]] = sent) -> Iterator[dict[str, Any]]:
            for turn in TURNS:
                sent.append(turn)
                yield turn

        with open_file(path, force=True) as file:
            with pytest.raises(KeyboardInterrupt):
                run_until(step, lambda f=file, s=say: f.write(SESSION, s()))  # type: ignore[misc]
            written = file.next_seq
            file.write(
                SESSION, [turn for turn in TURNS if written is None or turn["seq"] >= written]
            )
            file.finish(SESSION)
        assert path.read_bytes() == whole, f"interrupted at step {step}"


def count_steps(path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(_files, "SAVE_EVERY", 0)
    with open_file(path) as file:
        return run_until(0, lambda: file.write(SESSION, TURNS))


def run_until(step: int, action: Callable[[], object]) -> int:
    """Run, interrupted before the given line of the module; how many lines were run."""
    lines = 0

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal lines
        if frame.f_code.co_filename != _files.__file__:
            return None
        if event == "line":
            lines += 1
            if lines == step:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return lines


KILLED = """
import sys
from spectronctl.output.transcripts import TranscriptFile, _files
_files.SAVE_EVERY = 0.002
with TranscriptFile.open(sys.argv[1], sys.argv[2], export={}, resume=True) as file:
    print(file.next_seq, flush=True)
    if not file.is_finished:
        session = {"id": "session:01HX"}
        turns = (
            {"seq": seq, "role": "user", "content": "hm " * (seq % 50), "created_at": "2026-05-01T12:30:00Z"}
            for seq in range(file.next_seq or 0, 20_000)
        )
        file.write(session, turns)
        file.finish(session)
"""


@pytest.mark.parametrize("format", ["jsonl", "html"])
def test_an_export_that_is_killed_again_and_again_ends_with_the_same_bytes(
    path: Path, format: str
) -> None:
    starts = []
    for attempt in range(60):
        command = [sys.executable, "-c", KILLED, str(path), format]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        starts.append(process.stdout.readline().strip())
        if attempt < 12:
            time.sleep(0.013 * attempt)
            process.send_signal(signal.SIGKILL)
        process.communicate()
        if process.returncode == 0:
            break
    assert path.exists()
    assert len(set(starts)) > 2, "no attempt went on from the one before"
    whole = path.read_bytes()
    path.unlink()
    subprocess.run(
        [sys.executable, "-c", KILLED, str(path), format], check=True, stdout=subprocess.DEVNULL
    )
    assert whole == path.read_bytes()


# Paths that cannot be meant


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"no directory {tmp_path}/missing to write talk in"):
        open_file(tmp_path / "missing" / "talk")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory"):
        open_file(tmp_path)


def test_a_device_is_no_regular_file() -> None:
    with pytest.raises(UsageError, match="not a regular file"):
        open_file(Path(os.devnull))


def test_a_symbolic_link_is_followed(path: Path) -> None:
    path.symlink_to("elsewhere")
    export(path)
    assert path.is_symlink()
    assert path.read_bytes() == write_whole("jsonl")


def test_an_unknown_format_makes_no_file(path: Path) -> None:
    with pytest.raises(UsageError, match="no transcript format"):
        open_file(path, "pdf")
    assert list_names(path) == []


def test_a_file_that_exists_is_kept_without_force(path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(UsageError, match="already exists") as refusal:
        open_file(path)
    assert "--force" in str(refusal.value.hint)
    assert path.read_text() == "mine"
    export(path, force=True)
    assert path.read_bytes() == write_whole("jsonl")


def test_a_file_that_comes_to_exist_meanwhile_is_kept(path: Path) -> None:
    with open_file(path) as file:
        file.write(SESSION, TURNS)
        path.write_text("mine")
        with pytest.raises(UsageError, match="has come to exist meanwhile"):
            file.finish(SESSION)
    assert path.read_text() == "mine"
    export(path, resume=True, force=True)
    assert path.read_bytes() == write_whole("jsonl")


def test_a_whole_file_is_not_written_again_by_a_resumed_export(path: Path) -> None:
    export(path)
    before = path.stat()
    export(path, resume=True)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_run_killed_right_after_the_file_was_put_in_its_place_leaves_nothing_to_do(
    path: Path,
) -> None:
    export(path)
    path.with_name("talk.part.json").write_text("{}")
    with open_file(path, resume=True) as file:
        assert file.is_finished
    assert list_names(path) == ["talk"]


def test_a_part_is_not_thrown_away_unasked(path: Path) -> None:
    interrupt(path)
    with pytest.raises(UsageError, match="was interrupted") as refusal:
        open_file(path)
    assert "--resume" in str(refusal.value.hint)
    assert "--force" in str(refusal.value.hint)
    assert export(path, force=True) is None
    assert path.read_bytes() == write_whole("jsonl")


def test_a_part_of_another_export_is_refused_with_what_differs(path: Path) -> None:
    interrupt(path)
    with pytest.raises(UsageError, match="format is 'jsonl', not 'csv'"):
        open_file(path, "csv", resume=True)
    with pytest.raises(UsageError, match="session is 'session:01HX', not 's'"):
        TranscriptFile.open(path, "jsonl", export={**EXPORT, "session": "s"}, resume=True)
    assert export(path, resume=True) == 6


@pytest.mark.parametrize("note", [None, "", "[]", '{"a": 1}', '{"export": 1, "offset": "x"}'])
def test_a_part_that_no_one_noted_is_not_touched(path: Path, note: str | None) -> None:
    path.with_name("talk.part").write_text("mine")
    if note is not None:
        path.with_name("talk.part.json").write_text(note)
    with pytest.raises(UsageError, match="cannot be resumed"):
        open_file(path, resume=True)
    assert path.with_name("talk.part").read_text() == "mine"


def test_a_part_belongs_to_one_run_at_a_time(path: Path) -> None:
    with open_file(path) as file:
        for resume in (True, False):
            with pytest.raises(UsageError, match="being written by another run"):
                open_file(path, resume=resume, force=not resume)
        file.write(SESSION, TURNS)
        file.finish(SESSION)
    assert path.read_bytes() == write_whole("jsonl")


# Disks that refuse


def test_a_directory_that_may_not_be_written_is_an_error_of_the_machine(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ConfigError, match="Permission denied") as refusal:
        open_file(path)
    assert refusal.value.hint is None


FILLED = """
import resource, sys
from spectronctl.errors import ConfigError
from spectronctl.output.transcripts import TranscriptFile
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
room = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
session = {"id": "session:01HX"}
with TranscriptFile.open(sys.argv[1], "text", export={}, resume=True) as file:
    try:
        while not file.is_finished:
            start = file.next_seq or 0
            if start == 300:
                file.finish(session)
                break
            file.write(session, [{"seq": start, "role": "user", "content": "hm " * 40}])
            file.save()
    except ConfigError as exc:
        print(exc.message, exc.hint, file.next_seq, sep="|")
"""


def test_a_full_disk_keeps_what_was_saved_and_a_resumed_export_goes_on(path: Path) -> None:
    def fill(room: int) -> str:
        command = [sys.executable, "-c", FILLED, str(path), str(room)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    message, hint, _ = fill(20_000).split("|")
    assert message == f"cannot write {path}: File too large"
    assert hint == f"What was saved is in {path}.part: --resume goes on from there."
    saved = json.loads(path.with_name("talk.part.json").read_bytes())
    assert 18_000 < saved["offset"] <= 20_000
    assert fill(1_000_000) == ""
    turns = [{"seq": seq, "role": "user", "content": "hm " * 40} for seq in range(300)]
    assert path.read_bytes() == write_whole("text", turns)


# Whose they are, and what was put in their way

AUXILIARY = [".part", ".part.json", ".part.json.new"]


@pytest.mark.parametrize("suffix", AUXILIARY)
@pytest.mark.parametrize("options", [{}, {"force": True}, {"resume": True}])
@pytest.mark.parametrize("is_there", [True, False])
def test_no_link_beside_a_transcript_is_followed(
    path: Path, suffix: str, options: dict[str, Any], is_there: bool
) -> None:
    victim = path.parent.parent / f"{path.parent.name}-victim"
    if is_there:
        victim.write_text("precious")
    path.with_name(path.name + suffix).symlink_to(victim)
    try:
        with open_file(path, **options) as file:
            file.write(SESSION, TURNS)
            file.finish(SESSION)
    except UsageError:
        assert suffix == ".part"
    except ConfigError:
        assert suffix == ".part.json"
    else:
        assert not path.is_symlink()
        assert path.read_bytes() == write_whole("jsonl")
    assert (victim.read_text() == "precious") if is_there else not victim.exists()
    victim.unlink(missing_ok=True)


def test_a_part_under_another_name_is_not_written(path: Path) -> None:
    victim = path.with_name("victim")
    victim.write_text("precious")
    os.link(victim, path.with_name(path.name + ".part"))
    with pytest.raises(UsageError, match="another name"):
        open_file(path, force=True)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_a_transcript_is_its_owners_alone_from_the_first_byte(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with open_file(path) as file:
            modes = {each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
            assert modes == {0o600}
            file.write(SESSION, TURNS)
            file.finish(SESSION)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_transcript_that_is_replaced_keeps_its_mode(path: Path) -> None:
    path.write_text("old")
    path.chmod(0o644)
    with open_file(path, force=True) as file:
        file.write(SESSION, TURNS)
        file.finish(SESSION)
    assert path.stat().st_mode & 0o777 == 0o644

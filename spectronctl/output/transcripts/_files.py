"""
Files of transcripts, which appear whole or not at all, and go on after any interruption.

What is written goes to `PATH.part`; `PATH.part.json` notes how far whole turns reach. A resumed export cuts the part
there and goes on, so that its bytes are those of an export that nothing interrupted. At the end the part becomes PATH.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from spectronctl.errors import ConfigError, SpectronctlError, UsageError
from spectronctl.ground.disk import (
    NoLocksError,
    close_synced,
    lock_descriptor,
    sync_directory,
    write_all,
)
from spectronctl.ground.replacing import check_replaceable
from spectronctl.output.transcripts._format import Format, Session, Turn
from spectronctl.output.transcripts._formats import find_format
from spectronctl.output.transcripts._notes import Note, read_note

SAVE_EVERY = 0.25
"""Seconds of writing that an interruption costs at most."""

HELD_BYTES = 1 << 20
"""What waits in memory at most."""


class TranscriptFile:
    """
    A file that a transcript is written to, from `next_seq` on: None before the first turn.

    `is_finished` says that the whole is in its place, and that nothing is to be written. Leaving the context before
    `finish` saves what was written, for a run that resumes it.
    """

    def __init__(
        self, path: Path, format: Format, note: Note, descriptor: int | None, *, force: bool
    ) -> None:
        self.path = path
        self.is_finished = descriptor is None
        self._force = force
        self._format = format
        self._note = note
        self._descriptor = descriptor
        self._held: list[tuple[int, bytes]] = []
        self._held_bytes = 0
        self._saved_at = time.monotonic()

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        format: str,
        *,
        export: Mapping[str, Any],
        resume: bool = False,
        force: bool = False,
    ) -> TranscriptFile:
        """
        Make a file ready, anew or, with `resume`, where an interrupted export stopped.

        `export` tells one export from another (context, session, roles, …), in values that JSON has. UsageError for
        a path that cannot be meant, one that exists (without `force`), and a part that `resume` is missing for,
        that is of another export, or that is being written; ConfigError for a disk that refuses.
        """
        # Where a link leads to is written, and the link stays.
        target = Path(os.path.realpath(path))
        spelling = find_format(format)
        begin = Note(json.loads(json.dumps({**export, "format": format})))  # as it is read back
        with _explain(target):
            _check_target(target)
            if _is_finished(target, resume=resume, force=force):
                # A run that ended between the rename and the end of its note has left the note.
                _note_path(target).unlink(missing_ok=True)
                return cls(target, spelling, begin, None, force=force)
            if target.exists():  # now, and not when all of it has been read
                check_replaceable(target, target.stat())
            _check_part(target, resume=resume, force=force)
            descriptor = _open_part(target)
            try:
                note = _find_start(target, begin, descriptor) if resume else begin
                # Cut first: what stands behind the offset may be half of a turn, which the run that wrote it had not
                # noted yet.
                os.ftruncate(descriptor, note.offset)
                note.write(_note_path(target))
            except BaseException:
                os.close(descriptor)
                raise
        return cls(target, spelling, note, descriptor, force=force)

    @property
    def next_seq(self) -> int | None:
        """The `seq` to go on at."""
        return self._held[-1][0] if self._held else self._note.next_seq

    def write(self, session: Session, turns: Iterable[Turn]) -> None:
        """Append turns, the first of which is `next_seq`; may be called again with those that follow."""
        for turn in turns:
            before = self._format.write_head(session) if self.next_seq is None else ""
            between = "" if self.next_seq is None else self._format.between
            self._hold(turn["seq"] + 1, before + between + self._format.write_turn(turn))
            if self._held_bytes > HELD_BYTES:
                with _explain(self.path):
                    self._flush()
            if time.monotonic() - self._saved_at > SAVE_EVERY:
                self.save()

    def save(self) -> None:
        """See to it that all that was written outlasts this process. `write` does so on its own, now and then."""
        with _explain(self.path):
            self._flush()
            # Before the note, which must not promise bytes that a loss of power takes away.
            os.fsync(self._open_descriptor)
            self._note.write(_note_path(self.path))
        self._saved_at = time.monotonic()

    def finish(self, session: Session) -> None:
        """Write what comes after the last turn, and put the whole in its place."""
        head = self._format.write_head(session) if self.next_seq is None else ""
        with _explain(self.path):
            self._flush()
            end = _write_at(
                self._open_descriptor, self._note.offset, _encode(head + self._format.tail)
            )
            # An attempt that was interrupted in this place may have written further.
            os.ftruncate(self._open_descriptor, end)
            # Last of all, so that a part is its owner's alone for as long as it is one.
            _keep_access(self._open_descriptor, self.path)
            os.fsync(self._open_descriptor)
            _place(self.path, force=self._force)
        self.is_finished = True
        self._close()

    def __enter__(self) -> TranscriptFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            # What was saved before is there, and the first error counts.
            with suppress(SpectronctlError):
                self.save()
            self._close()

    @property
    def _open_descriptor(self) -> int:
        assert self._descriptor is not None, "finished or left already"
        return self._descriptor

    def _hold(self, next_seq: int, piece: str) -> None:
        data = _encode(piece)
        self._held.append((next_seq, data))
        self._held_bytes += len(data)

    def _flush(self) -> None:
        # An interrupt may come between any two steps: before `_note` is set all is written again, to the same
        # place, and after that nothing that may still be held is.
        done = self._note.next_seq
        news = [(seq, data) for seq, data in self._held if done is None or seq > done]
        if news:
            data = b"".join(data for _, data in news)
            end = _write_at(self._open_descriptor, self._note.offset, data)
            self._note = replace(self._note, offset=end, next_seq=news[-1][0])
        self._held, self._held_bytes = [], 0

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            close_synced(descriptor)


def _part_path(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _note_path(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")


def _check_target(target: Path) -> None:
    if not target.parent.is_dir():
        raise UsageError(f"there is no directory {target.parent} to write {target.name} in")
    if target.is_dir():
        raise UsageError(f"{target} is a directory")
    if target.exists() and not target.is_file():
        raise UsageError(
            f"{target} is not a regular file", hint="Without a file, the transcript goes to stdout."
        )


def _is_finished(target: Path, *, resume: bool, force: bool) -> bool:
    if force or not target.exists():
        return False
    if resume and not _part_path(target).exists():
        return True
    raise UsageError(f"{target} already exists", hint="Pass --force to replace it.")


def _check_part(target: Path, *, resume: bool, force: bool) -> None:
    part = _part_path(target)
    # Its name is known beforehand: who can write in the directory could lead us to any of our files by a link.
    if part.is_symlink() or (part.exists() and not part.is_file()):
        raise UsageError(f"{part} is not a regular file", hint="Remove it, or choose another path.")
    if part.exists() and not resume and not force:
        raise UsageError(
            f"{part} is part of an export that was interrupted",
            hint="Pass --resume to go on with it, or --force to start again.",
        )


def _open_part(target: Path) -> int:
    part = _part_path(target)
    # A conversation is its owner's, whatever the umask.
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        # A hard link to any file of ours does the same as a link by name, and O_NOFOLLOW does not see it.
        if os.fstat(descriptor).st_nlink > 1:
            raise UsageError(f"{part} has another name", hint="Remove it, or choose another path.")
        os.fchmod(descriptor, 0o600)
        # A run that has just finished has moved the file that was opened here.
        if (
            _lock(descriptor)
            and part.exists()
            and os.path.samestat(os.fstat(descriptor), part.stat())
        ):
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    raise UsageError(f"{part} is being written by another run")


def _lock(descriptor: int) -> bool:
    # On a disk without locks two runs could write one part; to export nothing to such a disk would be worse.
    try:
        return lock_descriptor(descriptor)
    except NoLocksError:
        return True


def _find_start(target: Path, begin: Note, descriptor: int) -> Note:
    """Where to go on: at the beginning when there is no part, or one shorter than was noted."""
    size = os.fstat(descriptor).st_size
    note = read_note(_note_path(target))
    if size == 0:
        return begin
    if note is None:
        raise UsageError(
            f"{_part_path(target)} cannot be resumed: no note is beside it of how far it goes",
            hint="Move it away, or pass --force to start again.",
        )
    if note.export != begin.export:
        raise _refuse_other(target, note.export, begin.export)
    # A part shorter than its note is one whose last bytes a loss of power took: there is no knowing what stands in it.
    return note if note.offset <= size else begin


def _keep_access(descriptor: int, target: Path) -> None:
    """Become as private as the file that is replaced, if there is one and its owner can be kept."""
    with suppress(OSError):
        there = target.stat()
        # Owner first: without it, the mode of the file that was there would open the transcript to another group.
        os.fchown(descriptor, there.st_uid, there.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(there.st_mode))


def _place(target: Path, *, force: bool) -> None:
    part = _part_path(target)
    if target.exists() and not force:
        raise UsageError(
            f"{target} has come to exist meanwhile",
            hint=f"The transcript is in {part}: --resume with --force puts it in its place.",
        )
    part.replace(target)
    # Before the note goes: without it, a part that came back after a loss of power would be of no use.
    sync_directory(target.parent)
    with suppress(OSError):  # the transcript is whole, whatever becomes of its note
        _note_path(target).unlink()


def _refuse_other(target: Path, there: Mapping[str, Any], wanted: Mapping[str, Any]) -> UsageError:
    names = [name for name in {**there, **wanted} if there.get(name) != wanted.get(name)]
    return UsageError(
        f"{_part_path(target)} is part of another export: "
        + ", ".join(f"{name} is {there.get(name)!r}, not {wanted.get(name)!r}" for name in names),
        hint="Pass the options it was begun with, or --force without --resume to start again.",
    )


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _write_at(descriptor: int, offset: int, data: bytes) -> int:
    """Write at an offset, whatever an earlier attempt has left there; the offset after it."""
    os.lseek(descriptor, offset, os.SEEK_SET)
    write_all(descriptor, data)
    return offset + len(data)


@contextmanager
def _explain(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        part = _part_path(target)
        saved = f"What was saved is in {part}: --resume goes on from there."
        raise ConfigError(
            f"cannot write {target}: {exc.strerror}", hint=saved if os.path.exists(part) else None
        ) from None

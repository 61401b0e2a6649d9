"""Journals are on the disk before the work goes on, and one process at a time works on a claim."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spectronctl.errors import ConfigError, ConflictError
from spectronctl.ground.disk import replace_file
from spectronctl.local import checkpoints
from spectronctl.local.checkpoints import Journal

CLAIM = "c1a1"
ONE = {"id": "rot_20260101T000000_aa", "step": "minting"}
TWO = {"id": "rot_20260202T000000_bb", "step": "waiting"}

HOLD = """
import sys
from pathlib import Path
from spectronctl.local.checkpoints import Journal
with Journal(Path(sys.argv[1])).hold(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "state/rotations")
    journal.prepare()
    return journal


@contextmanager
def hold_elsewhere(journal: Journal) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the claim until it is killed."""
    command = [sys.executable, "-c", HOLD, str(journal.directory), CLAIM]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as holder:  # type: ignore[call-overload]
        try:
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_their_owner_reads_journals(journal: Journal) -> None:
    journal.write(CLAIM, ONE)
    with journal.hold(CLAIM):
        locks = list((journal.directory / "locks").iterdir())
    assert mode(journal.directory) == mode(journal.directory / "locks") == 0o700
    assert {mode(path) for path in [*journal.list_paths(), *locks]} == {0o600}


def test_a_document_comes_back_as_it_was(journal: Journal) -> None:
    journal.write(CLAIM, ONE)
    journal.write(CLAIM, {**ONE, "step": "done"})
    (path,) = journal.list_paths()
    assert Journal.read(path) == {**ONE, "step": "done"}
    assert json.loads(path.read_text())["version"] == 1


def test_a_document_is_on_the_disk_before_the_work_goes_on(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    replace = os.replace

    def note_sync(descriptor: int) -> None:
        is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append("directory" if is_directory else f"{os.fstat(descriptor).st_size > 0}")

    def note_replace(source: Path, target: Path) -> None:
        steps.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_replace)
    journal.write(CLAIM, ONE)
    assert steps == ["True", "replace", "directory"]


def test_documents_are_found_by_claim_and_by_id_oldest_first(journal: Journal) -> None:
    for claim, document in [(CLAIM, TWO), (CLAIM, ONE), ("0ther", {"id": "rot_2025"})]:
        journal.write(claim, document)
    assert journal.find(CLAIM) == [ONE, TWO]
    assert [Journal.read(path)["id"] for path in journal.list_paths()] == [
        "rot_2025",
        ONE["id"],
        TWO["id"],
    ]
    found = journal.find_path(TWO["id"])
    assert found
    assert Journal.read(found) == TWO
    journal.remove(CLAIM, TWO["id"])
    assert journal.find(CLAIM) == [ONE]
    journal.remove(CLAIM, TWO["id"])


@pytest.mark.parametrize(
    "id", ["*", "rot_*", "rot_[0-9]*", "../x", "a/b", "", "_", ".", "rot_2026?101T000000_aa", "**"]
)
def test_an_id_is_never_a_pattern_or_a_path(journal: Journal, id: str) -> None:
    journal.write(CLAIM, ONE)
    assert journal.find_path(id) is None


def test_a_journal_of_a_newer_version_is_refused_by_name(journal: Journal) -> None:
    path = journal.directory / f"{CLAIM}.{ONE['id']}.json"
    path.write_text(json.dumps({**ONE, "version": 2}))
    with pytest.raises(ConfigError, match=r"written by a newer spectronctl \(version 2\)") as told:
        journal.find(CLAIM)
    assert str(path) in told.value.message


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"{}", b"\xff", b'"version"'])
def test_a_damaged_journal_is_refused_by_name(journal: Journal, content: bytes) -> None:
    path = journal.directory / f"{CLAIM}.{ONE['id']}.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="is damaged") as told:
        Journal.read(path)
    assert str(path) in told.value.message


def test_a_claim_held_by_another_process_is_refused_with_its_id(journal: Journal) -> None:
    journal.write(CLAIM, ONE)
    with hold_elsewhere(journal) as holder:
        with pytest.raises(ConflictError, match=ONE["id"]) as told, journal.hold(CLAIM):
            raise AssertionError("it was not refused")
        assert told.value.candidates == [ONE["id"]]
        with journal.hold("0ther"):
            pass
        holder.kill()
        holder.wait()
        with journal.hold(CLAIM):
            pass


def test_a_claim_is_let_go_when_the_work_fails(journal: Journal) -> None:
    with pytest.raises(ZeroDivisionError), journal.hold(CLAIM):
        raise ZeroDivisionError
    with journal.hold(CLAIM), pytest.raises(ConflictError), journal.hold(CLAIM):
        raise AssertionError("held twice")


@pytest.mark.parametrize("where", ["file", "file/below"])
def test_a_directory_that_cannot_be_written_is_told_before_anything_is_sent(
    tmp_path: Path, where: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written") as told:
        Journal(tmp_path / where).prepare()
    assert "Nothing was sent" in (told.value.hint or "")


def test_two_processes_that_try_the_directory_at_once_do_not_disturb_each_other(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace_beside_another_process(path: Path, content: bytes) -> None:
        replace_file(path, content)
        path.unlink()

    monkeypatch.setattr(checkpoints, "replace_file", replace_beside_another_process)
    journal.prepare()


def test_a_disk_that_is_full_is_told(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.write(CLAIM, ONE)

    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(ConfigError, match="No space left"):
        journal.write(CLAIM, {**ONE, "step": "done"})
    assert journal.find(CLAIM) == [ONE]


def test_what_a_killed_writer_left_is_never_read(journal: Journal) -> None:
    journal.write(CLAIM, ONE)
    (journal.directory / f".{CLAIM}.{TWO['id']}.json.abc.tmp").write_text("{")
    assert journal.find(CLAIM) == [ONE]
    assert len(journal.list_paths()) == 1
    assert journal.find_path(TWO["id"]) is None


def test_old_documents_of_finished_work_and_old_drafts_are_dropped(journal: Journal) -> None:
    drafts = [journal.directory / ".x.tmp", journal.directory / "locks/.probe.x.tmp"]
    for path in drafts:
        path.touch()
    for document in (ONE, TWO):
        journal.write(CLAIM, document)
    now = datetime.now(UTC)
    is_open = {ONE["id"]: False, TWO["id"]: True}

    journal.prune(now + timedelta(days=29), is_open)
    assert journal.find(CLAIM) == [ONE, TWO]
    assert all(path.exists() for path in drafts)
    journal.prune(now + timedelta(days=31), {})
    assert journal.find(CLAIM) == [ONE, TWO]  # neither was marked as over
    journal.prune(now + timedelta(days=31), is_open)
    assert journal.find(CLAIM) == [TWO]
    assert not any(path.exists() for path in drafts)


def test_a_lock_file_that_a_dead_process_left_holds_nobody_up(journal: Journal) -> None:
    (journal.directory / "locks" / CLAIM).write_text("99999999")
    with journal.hold(CLAIM):
        pass


def test_a_journal_of_a_depth_that_no_reader_takes_is_refused_by_name(journal: Journal) -> None:
    path = journal.directory / f"{CLAIM}.rot_1.json"
    path.write_text('{"a":' * 99_999 + "1" + "}" * 99_999)
    with pytest.raises(ConfigError, match="is damaged"):
        Journal.read(path)

"""The reading of a trace finds each way in which a file could be lost."""

from __future__ import annotations

import pytest

from tests.support.durability import find_gaps
from tests.support.syscalls import read_calls

REPLACED = """\
openat(AT_FDCWD</w>, "/d/.new", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 4</d/.new>
write(4</d/.new>, ""..., 75) = 75
fsync(4</d/.new>) = 0
close(4</d/.new>) = 0
rename("/d/.new", "/d/config") = 0
openat(AT_FDCWD</w>, "/d", O_RDONLY|O_CLOEXEC) = 4</d>
fsync(4</d>) = 0
close(4</d>) = 0
""".splitlines()

LINKED = [line.replace("rename(", "link(") for line in REPLACED] + ['unlink("/d/.new") = 0']


def find(lines: list[str]) -> list[str]:
    return find_gaps(read_calls(lines), {"/d/config"})


@pytest.mark.parametrize("lines", [REPLACED, LINKED])
def test_a_file_that_is_replaced_as_it_should_be_has_no_gap(lines: list[str]) -> None:
    assert find(lines) == []


@pytest.mark.parametrize("lines", [REPLACED, LINKED])
def test_a_content_that_is_not_synced_is_found(lines: list[str]) -> None:
    early = "/d/config gets its name before its content is on the disk"
    assert find([line for line in lines if "fsync(4</d/.new>)" not in line]) == [early]
    late = [*lines[:1], lines[2], lines[1], *lines[3:]]
    assert find(late) == [early]
    failed = [
        line.replace("= 0", "= -1 EIO (Input/output error)") if "fsync(4</d/" in line else line
        for line in lines
    ]
    assert find(failed) == [early]


def test_a_name_that_is_not_synced_is_found() -> None:
    missing = "/d/config is in its place, but not for good"
    assert find([line for line in REPLACED if "fsync(4</d>)" not in line]) == [missing]
    assert find([*REPLACED[:4], *REPLACED[5:], REPLACED[4]]) == [missing]


def test_what_is_removed_too_early_is_found() -> None:
    early = "/d/.new is removed before /d/config is in its place for good"
    assert find([*LINKED[:5], LINKED[-1], *LINKED[5:-1]]) == [early]
    note = 'unlink("/d/note") = 0'
    assert find([*REPLACED, note]) == []
    assert find([*REPLACED[:5], note, *REPLACED[5:]]) == [early.replace(".new", "note")]


def test_a_file_that_is_written_where_it_stands_is_found() -> None:
    written = ['write(4</d/config>, ""..., 5) = 5', "fsync(4</d/config>) = 0"]
    assert find(written) == ["/d/config is written where it stands"]
    emptied = ['openat(AT_FDCWD</w>, "/d/config", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</d/config>']
    assert find(emptied) == ["/d/config is written where it stands"]


def test_calls_are_counted_by_their_name_and_keep_no_random_part() -> None:
    calls = list(read_calls(REPLACED))
    assert [(call.name, call.number) for call in calls if call.name == "fsync"] == [
        ("fsync", 1),
        ("fsync", 2),
    ]
    (call,) = read_calls(['rename("/d/.c.toml.0123456789ab.tmp", "/d/c.toml") = ?'])
    assert (call.title, call.succeeded) == ("rename /d/.c.toml.*.tmp /d/c.toml", False)

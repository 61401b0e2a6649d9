"""Promises of output/sinks about variables of dotenv files, on real files."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from spectronctl.errors import ConfigError, SpectronctlError, UsageError
from spectronctl.output.sinks import Place, Sink, _variables, open_sink
from spectronctl.output.sinks._dotenv import get_variable, set_variable
from spectronctl.output.sinks._drafts import Draft

SECRET = "sk-acme-sentinel"


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def open_variable(path: Path, name: str = "KEY", *, replace: bool = True) -> Sink:
    return open_sink(Place(kind="variable", path=path, name=name), replace=replace, env={})


@contextmanager
def reserve(path: Path, name: str = "KEY", *, replace: bool = True) -> Iterator[Sink]:
    sink = open_variable(path, name, replace=replace)
    sink.reserve()
    try:
        yield sink
    finally:
        sink.discard()


def store(path: Path, name: str = "KEY", secret: str = SECRET) -> None:
    with reserve(path, name) as sink:
        sink.commit(secret)


def refuse(path: Path, name: str = "KEY", *, replace: bool = True) -> SpectronctlError:
    """The error for a file that is not edited; it is left as it was."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(SpectronctlError) as caught, reserve(path, name, replace=replace):
        pass
    assert (path.read_bytes() if path.is_file() else None) == before
    return caught.value


def only(path: Path) -> bool:
    return os.listdir(path.parent) == [path.name]


# The line


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "KEY=new\n"),
        ("KEY=old", "KEY=new"),
        ("KEY=old\n", "KEY=new\n"),
        ("KEY=\n", "KEY=new\n"),
        ("KEY\n", "KEY=new\n"),
        ("KEY = old\n", "KEY=new\n"),
        ("KEY=old # why\n", "KEY=new # why\n"),
        ("KEY= # why\n", "KEY=new # why\n"),
        ("KEY=\t#why\r\n", "KEY=new\t#why\r\n"),
        ("KEY=#old\n", "KEY=new\n"),
        ("KEY=old#er # why # not\n", "KEY=new # why # not\n"),
        ("KEY='old'#why\n", "KEY=new #why\n"),
        ('KEY="o # l\\"d"  # why', "KEY=new  # why"),
        ("KEY # why\n", "KEY=new # why\n"),
        ("export KEY= # why\n", "export KEY=new # why\n"),
        ("  KEY =  old  \n", "  KEY=new\n"),
        ("KEY='two\nOTHER=lines'\n", "KEY=new\n"),
        ("'KEY'=old\n", "KEY=new\n"),
        ('# KEY=1\n\n  export KEY="old"\nB=2', "# KEY=1\n\n  export KEY=new\nB=2"),
        ("A=1\r\nKEY=old\r\nB=2\r\n", "A=1\r\nKEY=new\r\nB=2\r\n"),
        ("A=1\r\n", "A=1\r\nKEY=new\r\n"),
        ("A=1", "A=1\nKEY=new\n"),
        ("A=1\n# end", "A=1\n# end\nKEY=new\n"),
        ("A='\nKEY=inside\n'\n", "A='\nKEY=inside\n'\nKEY=new\n"),
        ("KEYS=1\nMY_KEY=2\nkey=3\n", "KEYS=1\nMY_KEY=2\nkey=3\nKEY=new\n"),
        ("\ufeffA=1\nKEY=old\n", "\ufeffA=1\nKEY=new\n"),
        ("\ufeff", "\ufeffKEY=new\n"),
    ],
)
def test_one_line_changes_and_no_other_byte(before: str, after: str) -> None:
    assert set_variable(before.encode(), "KEY", "new").decode() == after


TEMPLATES = [
    f"{lead}KEY{equals}{value}{comment}{end}"
    for lead in ("", "  ", "export ", "\n# KEY=1\n\texport  ")
    for equals in ("=", " = ", "= ", " =")
    for value in ("", "old", "'old'", '"o # ld"', "#old")
    for comment in ("", " # filled by the rotation", "\t#", '   # it\'s "$(touch PWNED)" `id`')
    for end in ("", "\n", "\nB=2\n")
]


def test_a_shell_and_python_dotenv_read_the_same_from_every_template(tmp_path: Path) -> None:
    names = []
    for number, template in enumerate(TEMPLATES):
        content = set_variable(template.encode(), "KEY", SECRET)
        assert get_variable(content, "KEY") == SECRET, template
        assert content.decode().count("#") >= template.count(" # filled"), template
        name = f"t{number}"
        (tmp_path / name).write_bytes(content)
        names.append(name)
    script = 'for file; do KEY=; . "./$file" || exit; echo "$KEY"; done'
    done = subprocess.run(
        ["sh", "-euc", script, "sh", *names], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.stdout.split() == [SECRET] * len(TEMPLATES)
    assert not (tmp_path / "PWNED").exists()


def test_bytes_that_are_no_text_stay() -> None:
    before = b"# caf\xe9\nKEY=old\nA=\xff\xfe\n"
    assert set_variable(before, "KEY", "new") == b"# caf\xe9\nKEY=new\nA=\xff\xfe\n"


@pytest.mark.parametrize("space", ["\v", "\f", "\xa0", "\u3000"])
def test_a_space_that_is_none_to_a_shell_does_not_stand_between_the_secret_and_a_comment(
    space: str,
) -> None:
    before = f"KEY={space}# a comment\n".encode()
    assert set_variable(before, "KEY", "new") == b"KEY=new # a comment\n"


def test_a_value_is_bare_where_every_shell_reads_it_alike_and_quoted_elsewhere() -> None:
    assert set_variable(b"", "KEY", "sk-a_B.9/+=:@%,") == b"KEY=sk-a_B.9/+=:@%,\n"
    assert set_variable(b"", "KEY", "a b#$") == b"KEY='a b#$'\n"


NAMES = ("KEY", "A", "B", "KEYS", "export")
LINES = st.one_of(
    st.builds(
        "{}{}{}={}{}{}".format,
        st.sampled_from(["", "  ", "export ", "\n\n", "\t"]),
        st.sampled_from(NAMES),
        st.sampled_from(["", " "]),
        st.sampled_from(["", " "]),
        st.sampled_from(
            ["", "v", "a b", "#x", "'q'", '"d\\n"', "'KEY=1\nB=2'", '"\r\nKEY=3\r\n"', "${A}", "é"]
        ),
        st.sampled_from(["", " # c", "  "]),
    ),
    st.sampled_from(["# KEY=1", "", "KEY", "export A", "  # x", "\f"]),
)
FILES = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n"])), max_size=6).flatmap(
    lambda rows: st.sampled_from([text := "".join(a + b for a, b in rows), text.rstrip("\r\n")])
)
SECRETS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)


def values_of(text: str) -> dict[str, str | None]:
    return dotenv_values(stream=StringIO(text), interpolate=False)


@settings(deadline=None)
@given(FILES, SECRETS)
def test_a_reader_finds_the_secret_and_every_other_variable_as_it_was(
    before: str, secret: str
) -> None:
    try:
        after = set_variable(before.encode(), "KEY", secret)
    except ValueError:
        return
    assert values_of(after.decode()) == {**values_of(before), "KEY": secret}
    assert get_variable(after, "KEY") == secret
    comments = re.compile(r"^\s*(#[^\r\n]*)", re.MULTILINE)
    assert comments.findall(before) == comments.findall(after.decode())


@settings(deadline=None)
@given(st.text("KEYAB=#'\"\\ \n\r\t$ex", max_size=30), SECRETS)
def test_no_text_at_all_is_changed_beyond_the_variable(before: str, secret: str) -> None:
    try:
        after = set_variable(before.encode(), "KEY", secret)
    except ValueError:
        return
    assert values_of(after.decode()) == {**values_of(before), "KEY": secret}


# The file


def test_a_file_that_is_not_there_becomes_a_private_one(dotenv: Path) -> None:
    before = os.umask(0)
    try:
        store(dotenv)
    finally:
        os.umask(before)
    assert dotenv.read_text() == f"KEY={SECRET}\n"
    assert stat.S_IMODE(dotenv.stat().st_mode) == 0o600
    assert only(dotenv)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o660])
def test_a_file_that_is_there_keeps_its_mode(dotenv: Path, mode: int) -> None:
    dotenv.write_text("A=1\n")
    dotenv.chmod(mode)
    store(dotenv)
    assert stat.S_IMODE(dotenv.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_that_is_there_keeps_its_owner(dotenv: Path) -> None:
    dotenv.write_text("A=1\n")
    os.chown(dotenv, 1234, 2345)
    store(dotenv)
    assert (dotenv.stat().st_uid, dotenv.stat().st_gid) == (1234, 2345)


def test_nothing_changes_before_the_commit_and_nothing_is_left_without_it(dotenv: Path) -> None:
    dotenv.write_text("KEY=old\n")
    with reserve(dotenv):
        assert dotenv.read_text() == "KEY=old\n"
    assert dotenv.read_text() == "KEY=old\n"
    assert only(dotenv)


def test_a_variable_with_a_value_is_replaced_only_where_that_is_meant(dotenv: Path) -> None:
    dotenv.write_text("KEY=old\nEMPTY=\n")
    error = refuse(dotenv, replace=False)
    assert isinstance(error, UsageError)
    assert "--force" in str(error.hint)
    for name in ("EMPTY", "ABSENT"):
        with reserve(dotenv, name, replace=False) as sink:
            sink.commit(SECRET)
    assert dotenv.read_text() == f"KEY=old\nEMPTY={SECRET}\nABSENT={SECRET}\n"


def test_a_variable_set_twice_is_refused_by_its_lines(dotenv: Path) -> None:
    dotenv.write_text("KEY=1\nA='\n'\n\nexport KEY=2\n")
    error = refuse(dotenv)
    assert isinstance(error, UsageError)
    assert "lines 1 and 5" in error.message


@pytest.mark.parametrize("after", ["", "KEY=old\n"])
def test_a_line_that_a_shell_would_read_ours_into_is_named(dotenv: Path, after: str) -> None:
    dotenv.write_text("A=1\nB=c:\\\n" + after)
    error = refuse(dotenv)
    assert isinstance(error, UsageError)
    assert "line 2 ends in a backslash" in error.message
    for harmless in ("B='c:\\\\'\n", "B=c:\\\\\n", "# c:\\\n", "B=c:\\\nC=2\n"):
        dotenv.write_text(harmless + after)
        with reserve(dotenv, replace=True) as sink:
            sink.commit(SECRET)
        line = f'. {dotenv}; printf %s "$KEY"'
        said = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
        assert said.stdout == SECRET


def test_a_line_that_no_one_understands_is_named_and_not_shown(dotenv: Path) -> None:
    dotenv.write_text("A=1\n\nB='hunter2\n")
    error = refuse(dotenv)
    assert isinstance(error, UsageError)
    assert "line 3" in error.message
    assert "hunter2" not in str(error.to_dict())


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "fifo")
    for name, says in {
        "directory": "is a directory",
        "link": "symbolic link",
        "fifo": "not a regular file",
        "nowhere/.env": "no directory",
    }.items():
        assert says in refuse(tmp_path / name).message


AS_OTHER_USER = """
import os, sys
from spectronctl.errors import SpectronctlError
from spectronctl.output.sinks import open_sink, read_variable
sink = open_sink(read_variable(sys.argv[1] + ":KEY"), replace=True, env={})
os.geteuid() or os.setuid(65534)
try:
    sink.reserve()
except SpectronctlError as exc:
    print(exc.kind, exc.message)
"""


@pytest.mark.parametrize(("directory_mode", "file_mode"), [(0o555, 0o444), (0o777, 0o444)])
def test_what_may_not_be_written_is_found_before_there_is_a_secret(
    directory_mode: int, file_mode: int
) -> None:
    with tempfile.TemporaryDirectory() as directory:  # reached by any user, unlike tmp_path
        path = Path(directory) / ".env"
        path.write_text("A=1\n")
        path.chmod(file_mode)
        Path(directory).chmod(directory_mode)
        ended = subprocess.run(
            [sys.executable, "-c", AS_OTHER_USER, str(path)],
            capture_output=True,
            text=True,
            timeout=60,
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert ended.stdout == f"config cannot write a secret to {path}: Permission denied\n"
        assert only(path)


# Edits made meanwhile


def test_an_edit_made_after_the_checks_is_kept(dotenv: Path) -> None:
    dotenv.write_text("A=1\nKEY=old\n")
    with reserve(dotenv) as sink:
        dotenv.write_text("A=2\n# new\nKEY=older\nB=3\n")
        sink.commit(SECRET)
    assert dotenv.read_text() == f"A=2\n# new\nKEY={SECRET}\nB=3\n"


def test_an_edit_made_while_the_secret_is_written_is_kept(
    dotenv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv.write_text("KEY=old\n")
    write, edits = Draft.write, ["A=1\nKEY=old\n", "A=2\nKEY=old\n"]

    def write_and_edit(draft: Draft, data: bytes) -> None:
        write(draft, data)
        if edits:
            dotenv.write_text(edits.pop(0))

    with reserve(dotenv) as sink:
        monkeypatch.setattr(Draft, "write", write_and_edit)
        sink.commit(SECRET)
    assert dotenv.read_text() == f"A=2\nKEY={SECRET}\n"


@pytest.mark.parametrize(
    ("edit", "says"), [("KEY=1\nKEY=2\n", "lines 1 and 2"), ("KEY='\n", "line 1")]
)
def test_an_edit_that_leaves_no_line_to_change_is_an_error_and_kept(
    dotenv: Path, edit: str, says: str
) -> None:
    with reserve(dotenv) as sink:
        dotenv.write_text(edit)
        with pytest.raises(ConfigError, match=says):
            sink.commit(SECRET)
    assert dotenv.read_text() == edit
    assert only(dotenv)


def test_a_value_that_appeared_meanwhile_is_not_replaced_unasked(dotenv: Path) -> None:
    with reserve(dotenv, replace=False) as sink:
        dotenv.write_text("KEY=theirs\n")
        with pytest.raises(ConfigError, match="already set"):
            sink.commit(SECRET)
    assert dotenv.read_text() == "KEY=theirs\n"
    assert only(dotenv)


STORE = """
import sys
from spectronctl.output.sinks import open_sink, read_variable
for number in range(20):
    sink = open_sink(read_variable(f"{sys.argv[1]}:{sys.argv[2]}{number}"), replace=True, env={})
    sink.reserve()
    sink.commit("secret")
"""


def test_processes_that_write_to_one_file_lose_nothing_of_each_other(dotenv: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", STORE, str(dotenv), name],
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        for name in "ABC"
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert set(dotenv_values(dotenv)) == {f"{name}{n}" for name in "ABC" for n in range(20)}
    assert only(dotenv)


def test_threads_that_write_to_one_file_lose_nothing_of_each_other(dotenv: Path) -> None:
    names = [f"KEY_{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: store(dotenv, name, name.lower()), names))
    assert dotenv_values(dotenv) == {name: name.lower() for name in names}


def test_a_lock_that_is_never_let_go_is_an_error(
    dotenv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_variables, "LOCK_SECONDS", 0.05)
    with (
        _variables._hold(dotenv.parent),
        reserve(dotenv) as sink,
        pytest.raises(ConfigError, match="locked"),
    ):
        sink.commit(SECRET)
    assert os.listdir(dotenv.parent) == []


def test_a_file_that_appears_at_the_last_moment_is_not_replaced_and_the_secret_is_kept(
    dotenv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Draft.place

    def place_too_late(draft: Draft, *, replace: bool) -> None:
        dotenv.write_text("A=theirs\n")
        place(draft, replace=replace)

    monkeypatch.setattr(Draft, "place", place_too_late)
    with reserve(dotenv) as sink, pytest.raises(ConfigError, match="the secret is in"):
        sink.commit(SECRET)
    assert dotenv.read_text() == "A=theirs\n"
    assert sink.kept
    assert sink.kept.read_text() == f"KEY={SECRET}\n"
    assert stat.S_IMODE(sink.kept.stat().st_mode) == 0o600


# Reading back


def test_a_variable_is_read_back(dotenv: Path) -> None:
    sink = open_variable(dotenv)
    assert sink.read() is None
    dotenv.write_text("A=1\nKEY=\n")
    assert sink.read() is None
    store(dotenv, secret="a 'quoted' \\ one")
    assert sink.read() == "a 'quoted' \\ one"
    assert open_variable(dotenv, "B").read() is None

"""Every document that a command reads, whichever option names it: strict, and refused in words."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from spectronctl.cli._tree import Node
from tests.support.command_tree import GLOBAL, LEAVES, add_options, name_of, sample_line
from tests.support.commandline import CommandLine
from tests.support.server import Server

READERS = {
    "contexts create": "contexts create acme --namespace a --database b --config FILE",
    "contexts update": "contexts update acme-prod --config FILE",
    "ontology set": "ontology set FILE",
    "ontology diff": "ontology diff FILE",
    "ontology validate": "ontology validate FILE",
    "sessions import": "sessions import FILE",
    "api": "api POST /contexts --yes --data @FILE",
    "serve exec": "serve exec --seed FILE -- true",
}
NOT_BY_SUFFIX = {"sessions import", "api"}
"""Readers of JSON alone, whatever a file is called."""

MANAGEMENT = {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-test"}
DEEP = 100_000
STRANGE = {
    "twice.json": (b'{"token_limit": 5, "token_limit": 7}', '"token_limit" twice'),
    "twice.yaml": (b"token_limit: 5\ntoken_limit: 7\n", '"token_limit" twice'),
    "twice.toml": (b"token_limit = 5\ntoken_limit = 7\n", "overwrite"),
    "nan.json": (b'{"token_limit": NaN}', "NaN"),
    "deep.json": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, "nested too deeply"),
    "deep.yaml": (b"[" * DEEP, "nested too deeply"),
    "deep.toml": (b"a = " + b"[" * DEEP + b"]" * DEEP, "nested too deeply"),
    "dotted.toml": (b"a." * DEEP + b"a = 1", "nested too deeply"),
    "utf16.json": ('{"token_limit": 5}'.encode("utf-16"), "UTF-16"),
    "latin1.json": ('{"token_limit": "é"}'.encode("latin-1"), "not UTF-8"),
    "number.json": (b'{"token_limit": ' + b"9" * 5000 + b"}", "too many digits"),
    "cut.json": (b'{"token_limit": ', "not JSON"),
}
FOREIGN = {
    "date.toml": (b"labels = {day = 2026-01-01}\n", "labels.day"),
    "date.yaml": (b"labels: {days: [x, 2026-01-01]}\n", "labels.days[1]"),
    "nan.toml": (b"labels = {a = nan}\n", "labels.a"),
    "inf.yaml": (b"labels: {a: .inf}\n", "labels.a"),
    "names.yaml": (b"labels: {2024: x}\n", "labels: the name 2024 is no text"),
}


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("reader", READERS)
def test_a_document_that_cannot_be_meant_is_refused_in_words(
    reader: str, strange: str, unanswered: CommandLine, tmp_path: Path
) -> None:
    if reader in NOT_BY_SUFFIX and not strange.endswith(".json"):
        pytest.skip("reads JSON whatever the suffix says")
    content, words = STRANGE[strange]
    path = tmp_path / strange
    path.write_bytes(content)
    result = unanswered(READERS[reader].replace("FILE", str(path)), env=MANAGEMENT)
    assert result.code == 2
    assert str(path) in result.err
    assert words in result.err
    assert "unexpected" not in result.err


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("reader", ["contexts create", "contexts update"])
def test_what_json_has_no_value_for_is_refused_by_its_field(
    reader: str, foreign: str, unanswered: CommandLine, tmp_path: Path
) -> None:
    content, words = FOREIGN[foreign]
    path = tmp_path / foreign
    path.write_bytes(content)
    result = unanswered(READERS[reader].replace("FILE", str(path)), env=MANAGEMENT)
    assert result.code == 2
    assert words in result.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bom.json", b'\xef\xbb\xbf{"token_limit": 5}'),
        ("bom.toml", b"\xef\xbb\xbftoken_limit = 5\n"),
        ("bom.yaml", b"\xef\xbb\xbftoken_limit: 5\n"),
        ("no-suffix", b"token_limit: 5\n"),
    ],
)
def test_a_mark_of_windows_editors_and_yaml_are_read(
    name: str, content: bytes, acme: CommandLine
) -> None:
    (acme.home / name).write_bytes(content)
    done = acme(f"contexts update acme-prod --config {acme.home / name} --yes -o json")
    assert (done.code, done.json["config"]["token_limit"]) == (0, 5)


@pytest.mark.parametrize(
    "line",
    [
        "contexts update acme-prod --set VALUE",
        "sessions create --metadata VALUE",
        "api POST /contexts --yes --data VALUE",
        "api POST /contexts --yes --field VALUE",
        "keys create app --secret-file f --scope-floor VALUE",
    ],
)
@pytest.mark.parametrize(
    ("value", "words"), [('{"x":1,"x":2}', '"x" twice'), ("[" * DEEP, "nested too deeply")]
)
def test_a_typed_document_that_cannot_be_meant_is_refused(
    line: str, value: str, words: str, unanswered: CommandLine
) -> None:
    typed = f"a={value}" if "--set" in line or "--field" in line else value
    result = unanswered(line.replace("VALUE", shlex.quote(typed)))
    assert result.code == 2
    assert words in result.err


TWICE = '{"role": "user", "content": "a", "content": "b"}\n'


def test_a_turn_that_says_something_twice_is_refused_with_its_line(
    unanswered: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "talk.jsonl"
    path.write_text('{"role": "user", "content": "a"}\n' + TWICE)
    result = unanswered(f"sessions import {path}")
    assert result.code == 2
    assert f'{path}, line 2: an object has the name "content" twice' in result.err


def test_a_config_file_with_a_mark_of_windows_editors_is_read(run_alone: CommandLine) -> None:
    path = run_alone.home / "config.toml"
    path.write_bytes(b'\xef\xbb\xbfversion = 1\n[profiles.p]\nurl = "http://a.test"\n')
    path.chmod(0o600)
    listed = run_alone("profiles list -o name", env={"SPECTRONCTL_CONFIG": str(path)})
    assert (listed.code, "p" in listed.out.split()) == (0, True)


# Names with dots


def test_a_name_with_dots_is_typed_as_it_is_shown(acme: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "l.json").write_text('{"labels": {"app.kubernetes.io/name": "web", "a": "b"}}')
    shown = acme(f"contexts update acme-prod --config {tmp_path / 'l.json'}").err
    assert 'config.labels."app.kubernetes.io/name"' in shown
    for path, value in [
        ('labels."app.kubernetes.io/name"', "api"),
        (r"labels.app\.kubernetes\.io/name", "db"),
        ('config.labels."app.kubernetes.io/name"', "x=y"),
    ]:
        done = acme(f"contexts update acme-prod --set {shlex.quote(f'{path}={value}')} -o json")
        assert done.json["config"]["labels"] == {"app.kubernetes.io/name": value, "a": "b"}
    done = acme("""contexts update acme-prod --unset 'labels."app.kubernetes.io/name"' -o json""")
    assert done.json["config"]["labels"] == {"a": "b"}


def test_what_unset_does_not_find_is_said(acme: CommandLine) -> None:
    done = acme("contexts update acme-prod --unset labels.app.kubernetes.io/name")
    assert done.code == 0
    assert "the context has no such field" in done.err
    assert "in quotes" in done.err


@pytest.mark.parametrize("path", ['labels."a', 'labels."a"b', "labels..a", ".a", "a.", '"\\q".a'])
@pytest.mark.parametrize("option", ["--set", "--unset"])
def test_a_path_that_cannot_be_read_is_refused(
    option: str, path: str, unanswered: CommandLine
) -> None:
    typed = f"{path}=secret-value" if option == "--set" else path
    result = unanswered(f"contexts update acme-prod {option} {shlex.quote(typed)}")
    assert result.code == 2
    assert "a dotted path is needed" in result.err
    assert "secret-value" not in result.err


def test_a_field_of_a_body_may_have_dots_in_its_name(acme: CommandLine, server: Server) -> None:
    body = """--field 'metadata."a.b"=1' --field metadata.c=2"""
    assert acme(f"api POST /{{context}}/sessions {body} --yes").code == 0
    assert server.requests[-1].content == b'{"metadata":{"a.b":1,"c":2}}'


# Stdin

TYPED = {"SOURCE": "-", "--provider": "x=-", "--data": "-", "--form": "x=@-", "--field": "x=@-"}


def find_readers() -> list[tuple[str, str]]:
    """A line for every argument and option that reads stdin for `-`."""
    lines = []
    for node in LEAVES:
        if node.path in {("serve",), ("serve", "worker")}:  # begin to serve, and do not end
            continue
        for flag in [*node.flags, *GLOBAL]:
            if "|-" in flag.metavar or flag.names[0] in TYPED:
                method = "api POST /contexts --yes" if node.path == ("api",) else sample_line(node)
                typed = f"{flag.names[0]} {TYPED.get(flag.names[0], '-')}"
                lines.append((name_of(node), add_options(method, typed)))
        lines += [(name_of(node), line) for line in find_arguments(node)]
    return lines


def find_arguments(node: Node) -> list[str]:
    names = [argument.name for argument in node.arguments]
    return [
        " ".join([*node.path, *("-" if each == name else "x" for each in names)])
        for name in names
        if name.endswith("|-") or name in TYPED
    ]


CLOSED_READERS = find_readers()


def test_the_readers_of_stdin_are_found() -> None:
    assert {"keys verify", "ontology set", "sessions import", "api", "serve exec"} <= {
        name for name, _ in CLOSED_READERS
    }


@pytest.mark.parametrize(("name", "line"), CLOSED_READERS)
def test_a_closed_stdin_is_told_in_words(name: str, line: str, run_alone: CommandLine) -> None:
    env = {"SPECTRON_CONTEXT_ID": "acme", "SPECTRON_URL": "http://127.0.0.1:1"}
    result = run_alone(line, env=env, has_stdin=False)
    assert "unexpected" not in result.err, result.err
    if "stdin" not in result.err:  # another error came first, or the key is not needed
        assert result.code in {0, 2, 3, 5, 9, 11}, result.err


# Lists and files


def test_a_list_is_sorted_before_it_is_cut(acme: CommandLine) -> None:
    for name in ("b", "a", "d", "c"):
        acme(f"keys create {name} --secret-file {acme.home / name}")
    listed = acme("keys list --sort -name --limit 2 --columns name --no-header")
    assert (listed.code, listed.out.split()) == (0, ["d", "c"])
    assert "--limit 2" in listed.err
    assert len(acme("keys list --sort name --limit 2 -o json").json) == 2


@pytest.mark.parametrize("option", ["--output-file", "--output-dir"])
def test_a_dash_is_no_file(option: str, unanswered: CommandLine) -> None:
    result = unanswered(f"sessions transcript x {option} -")
    assert result.code == 2
    assert "./-" in result.err

"""
Completion as a person meets it: the scripts, asked by the real shells.

There is no PowerShell where these tests run, so its script is held to its structure only: quotes, brackets, and every
command and option in the tables that its parser reads.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from spectronctl.cli._tree import Flag, Node, describe_flags, walk
from spectronctl.cli._typer import global_params
from spectronctl.cli.app import tree
from spectronctl.config import seen

COMPLETIONS = Path(__file__).parents[2] / "completions"
BASH = COMPLETIONS / "spectronctl.bash"
NODES = list(walk(tree()))
BY_PATH = {" ".join(node.path): node for node in NODES}
GLOBAL = describe_flags(global_params())
SHELLS = {"bash": "spectronctl.bash", "zsh": "_spectronctl", "fish": "spectronctl.fish"}
TERMINAL = {"TERM": "dumb", "LC_ALL": "C.UTF-8"}

Complete = Callable[[str], set[str]]


def need(shell: str) -> str:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    return path


def words_below(path: str) -> set[str]:
    return {name for name, _ in BY_PATH[path].children}


def spell(flags: tuple[Flag, ...]) -> set[str]:
    return {name for flag in flags for name in flag.names}


def name_of(node: Node) -> str:
    return " ".join(node.path) or "root"


# The machine that completion runs on: a home with a config, and a directory with files


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A home with two profiles and three known contexts, made by the program itself."""
    home = tmp_path_factory.mktemp("home")
    bin_ = home / "bin"
    bin_.mkdir()
    write_program(bin_ / "spectronctl", f'exec "{sys.executable}" -m spectronctl "$@"')
    env = {"HOME": str(home), "PATH": f"{bin_}:/usr/bin:/bin", **TERMINAL}
    for line in (
        "prod --url https://prod.test --context acme-prod",
        "stage --url https://stage.test",
    ):
        subprocess.run(["spectronctl", "profiles", "add", *line.split()], env=env, check=True)
    seen.remember(env, "https://prod.test", ["acme-dev", "other"])
    return env


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folder")
    for name in ("notes.toml", "other.json"):
        (folder / name).touch()
    return folder


def write_program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


# Each shell, asked what may follow a line


BASH_DRIVER = r"""
source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; shift 2
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_spectronctl spectronctl
printf '%s\n' "${COMPREPLY[@]}"
"""


def split_as_readline(line: str) -> list[str]:
    words = re.findall(r"""(?:'[^']*'|"[^"]*"|[^\s'"=:<>])+|[=:<>]+""", line)
    return [*words, ""] if line.endswith(" ") else words


def ask_bash(line: str, env: dict[str, str], folder: Path, script: Path = BASH) -> list[str]:
    done = subprocess.run(
        ["bash", "-u", "-c", BASH_DRIVER, "driver", script, line, *split_as_readline(line)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


def ask_fish(line: str, env: dict[str, str], folder: Path, script: Path) -> list[str]:
    """Words and descriptions, as `WORD<TAB>DESCRIPTION`."""
    done = subprocess.run(
        [need("fish"), "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", script, line],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


# compadd is where every offer of zsh ends up: this one writes down what would be offered, and offers nothing.
ZSH_SETUP = r"""
autoload -U compinit && compinit -u -D
source $SCRIPT
compadd() {
    local -a found
    [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] && { builtin compadd "$@"; return }
    builtin compadd -O found "$@"
    (( $#found )) && print -rl -- "${found[@]}" >> $OFFERED
}
ask() { zle complete-word; BUFFER=''; print -r -- END >> $OFFERED }
zle -N ask; bindkey '^X' ask
PS1='ready>'
"""


class Zsh:
    """A zsh at a terminal."""

    def __init__(self, env: dict[str, str], folder: Path, script: Path, scratch: Path) -> None:
        self.offered = scratch / "offered"
        setup = scratch / "setup.zsh"
        setup.write_text(ZSH_SETUP)
        env = {**env, "SCRIPT": str(script), "OFFERED": str(self.offered)}
        self.child = pexpect.spawn(
            need("zsh"), ["-f", "-i"], cwd=str(folder), env=env, timeout=20, encoding="utf-8"
        )  # type: ignore[arg-type]
        self.child.sendline(f"source {setup}")
        self.child.expect("ready>")

    def ask(self, line: str) -> list[str]:
        self.offered.write_text("")
        self.child.send(line + "\x18")
        while not (text := self.offered.read_text()).endswith("END\n"):
            self.child.expect([pexpect.TIMEOUT, r".+"], timeout=0.02)
        return text.splitlines()[:-1]


@pytest.fixture(scope="module")
def zsh(
    env: dict[str, str], folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Zsh]:
    zsh = Zsh(env, folder, COMPLETIONS / "_spectronctl", tmp_path_factory.mktemp("zsh"))
    yield zsh
    zsh.child.close(force=True)


@pytest.fixture(params=SHELLS)
def complete(request: pytest.FixtureRequest, env: dict[str, str], folder: Path) -> Complete:
    """What a shell offers after a line; of `--option=value`, the value."""

    def ask(line: str) -> set[str]:
        if request.param == "bash":
            found = ask_bash(line, env, folder)
        elif request.param == "fish":
            found = ask_fish(line, env, folder, COMPLETIONS / "spectronctl.fish")
        else:
            found = request.getfixturevalue("zsh").ask(line)
        return {re.sub("^--[^=]*=", "", word.partition("\t")[0]) for word in found}

    return ask


# The table


FORMATS = {"table", "wide", "json", "jsonl", "yaml", "csv", "name"}
PROFILES = {"local", "prod", "stage"}
CONTEXTS = {"acme-dev", "acme-prod", "other"}
FILES = {"notes.toml", "other.json"}

STATIC = {
    "": words_below(""),
    "con": {"contexts"},
    "contexts ": words_below("contexts"),
    "context ": words_below("contexts"),
    "key l": {"list"},
    "serve keys ": words_below("serve keys"),
    "completion ": {"bash", "zsh", "fish", "powershell"},
    "-- con": {"contexts"},
    "--output ": FORMATS,
    "-o j": {"json", "jsonl"},
    "-o json con": {"contexts"},
    "keys -o json l": {"list"},
    "keys list -o y": {"yaml"},
    "keys ls -o y": {"yaml"},
    "-c acme-prod keys -q list --color ": {"auto", "always", "never"},
    "--output=": FORMATS,
    "--output=j": {"json", "jsonl"},
    "--output=json keys l": {"list"},
    "keys list --json=": set(),
    "contexts create x --if-exists ": {"fail", "skip", "update"},
    "contexts create --if-exists=s": {"skip"},
    "contexts rm x --if-missing o": {"ok"},
    "profiles add x --auth-header b": {"both", "bearer"},
    "--url http://127.0.0.1:9090 contexts l": {"list"},
    "--query 'a b' con": {"contexts"},
    "--query contexts ": words_below(""),
    "contexts create --namespace ": set(),
    "contexts create ": set(),
    "keys create ": set(),
    "keys get ": set(),
    "contexts list extra ": set(),
    "contexts get x -- --": set(),
    "contexts get x --namesp": set(),
    "contexts create x --namesp": {"--namespace"},
    "--api-key-f": {"--api-key-file"},
    "nonsense ": set(),
    "nonsense contexts ": set(),
}
"""What follows `spectronctl …` on every machine."""

LOCAL = {
    "--profile ": PROFILES,
    "contexts list --profile=s": {"stage"},
    "profiles use ": PROFILES,
    "profiles show p": {"prod"},
    "profile rm ": PROFILES,
    "profiles set prod ": set(),
    "profiles add ": set(),
    "-c ": CONTEXTS,
    "keys list --context=acme-": {"acme-dev", "acme-prod"},
    "contexts get o": {"other"},
    "contexts show ": CONTEXTS,
    "contexts delete --if-missing ok ": CONTEXTS,
    "contexts get other ": set(),
    "--api-key-file ": FILES,
    "contexts create x --config n": {"notes.toml"},
    "contexts create x --config=o": {"other.json"},
}
"""What follows on the machine of `env` and `folder`."""


@pytest.mark.parametrize("line", [*STATIC, *LOCAL])
def test_what_may_follow_is_offered(line: str, complete: Complete) -> None:
    assert complete(f"spectronctl {line}") == {**STATIC, **LOCAL}[line]


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_bash_offers_every_command_and_option(
    node: Node, env: dict[str, str], folder: Path
) -> None:
    line = " ".join(["spectronctl", *node.path])
    if node.children:
        assert set(ask_bash(f"{line} ", env, folder)) == words_below(" ".join(node.path))
    assert set(ask_bash(f"{line} -", env, folder)) == spell(node.flags) | spell(GLOBAL)


def test_every_shell_offers_the_options_of_a_command_and_the_global_ones(
    complete: Complete,
) -> None:
    expected = spell(BY_PATH["keys create"].flags) | spell(GLOBAL)
    assert complete("spectronctl keys create -") == expected


# A bash at a terminal: how readline splits the line and completes files itself


@pytest.mark.parametrize(
    ("typed", "arguments"),
    [
        ("cont\tli\t-o js\t", "contexts list -o json"),
        ("contexts list --output=ya\t", "contexts list --output=yaml"),
        (
            "--url http://127.0.0.1:9 profiles us\tpr\t",
            "--url http://127.0.0.1:9 profiles use prod",
        ),
        ("contexts create x --config no\t", "contexts create x --config notes.toml"),
        ("contexts create x --config=no\t", "contexts create x --config=notes.toml"),
        ('keys list -c "acme-p\t', "keys list -c acme-prod"),
        ("keys list > oth\t", "keys list"),
        ("keys list >oth\t", "keys list"),
    ],
)
def test_bash_completes_as_it_is_typed(
    typed: str, arguments: str, env: dict[str, str], folder: Path
) -> None:
    bash = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile", "-i"],
        cwd=str(folder),
        env=env,
        timeout=20,
        encoding="utf-8",
    )  # type: ignore[arg-type]
    bash.sendline(f"source {BASH}; PS1='read''y>'; bind 'set enable-bracketed-paste off'")
    bash.expect("ready>")
    bash.sendline(
        'spectronctl() { [ "$1" = __complete ] && command spectronctl "$@" || echo "got:$*." >&2; }'
    )
    bash.expect("ready>")

    bash.sendline(f"spectronctl {typed}")

    bash.expect(r"got:(.*)\.")
    assert bash.match[1] == arguments  # type: ignore[index]
    if ">" in typed:
        assert "> other.json" in bash.before or ">other.json" in bash.before  # type: ignore[operator]
    bash.close(force=True)


# Python


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_static_words_start_no_python(
    shell: str, env: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    for name in ("spectronctl", "python", "python3"):
        write_program(tmp_path / name, f"echo {name} >> {started}")
    watched = {**env, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    ask = {"bash": ask_bash, "fish": ask_fish}[shell]
    script = COMPLETIONS / SHELLS[shell]

    for line in STATIC:
        ask(f"spectronctl {line}", watched, folder, script)
    assert not started.exists()

    ask("spectronctl --profile ", watched, folder, script)
    assert started.read_text() == "spectronctl\n"


def test_zsh_starts_no_python_for_static_words(
    env: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    for name in ("spectronctl", "python", "python3"):
        write_program(tmp_path / name, f"echo {name} >> {started}")
    watched = {**env, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    zsh = Zsh(watched, folder, COMPLETIONS / "_spectronctl", tmp_path)

    for line in STATIC:
        zsh.ask(f"spectronctl {line}")
    assert not started.exists()

    zsh.ask("spectronctl --profile ")
    assert started.read_text() == "spectronctl\n"
    zsh.child.close(force=True)

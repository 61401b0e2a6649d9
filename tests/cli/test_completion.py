"""
Completion as a person meets it: the scripts, asked by the real shells.

There is no PowerShell where these tests run, so its script is held to its structure only: quotes, brackets, and every
command and option in the tables that its parser reads.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pexpect
import pytest

from spectronctl.cli import _completion, main
from spectronctl.cli._tree import Argument, Flag, Node, describe_flags, walk
from spectronctl.cli._typer import global_params
from spectronctl.cli.app import tree
from spectronctl.cli.suggestions import find_suggestions
from spectronctl.local import seen
from spectronctl.local.checkpoints import Journal
from tests.support.commandline import CommandLine, Result
from tools import completions

COMPLETIONS = Path(__file__).parents[2] / "completions"
BASH = COMPLETIONS / "spectronctl.bash"
NODES = list(walk(tree()))
BY_PATH = {" ".join(node.path): node for node in NODES}
GLOBAL = describe_flags(global_params())
SHELLS = {"bash": "spectronctl.bash", "zsh": "_spectronctl", "fish": "spectronctl.fish"}
TERMINAL = {"TERM": "dumb", "LC_ALL": "C.UTF-8"}

Ask = Callable[[str], list[str]]
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
    subprocess.run(["spectronctl", "profiles", "use", "prod"], env=env, check=True)
    url = "https://prod.test"
    seen.remember(env, url, ["acme-dev", "other"])
    seen.remember(env, url, ["crawler", "indexer.g2"], kind="keys", context="acme-prod")
    seen.remember(env, url, ["elsewhere"], kind="keys", context="other")
    seen.remember(env, url, ["01S"], kind="sessions", context="acme-prod")
    seen.remember(env, url, ["job_1"], kind="jobs", context="acme-prod")
    seen.remember(env, "https://stage.test", ["staged"])
    keep_rotations(home)
    return env


def keep_rotations(home: Path) -> None:
    journal = Journal(home / ".local/state/spectronctl/rotations")
    journal.prepare()
    for rotation, url, context in (
        ("rot_1", "https://PROD.test:443/", "acme-prod"),
        ("rot_2", "https://prod.test", "other"),
        ("rot_3", "https://stage.test", "acme-prod"),
    ):
        journal.write("claim", {"id": rotation, "url": url, "context": context})
    (journal.directory / "claim.rot_4.json").write_text("{")


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
zle -N ask; bindkey '^T' ask
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
        )
        self.child.delaybeforesend = None
        self.child.sendline(f"source {setup}")
        self.child.expect("ready>")

    def ask(self, line: str) -> list[str]:
        self.offered.write_text("")
        self.child.send(line + "\x14")
        while not (text := self.offered.read_text()).endswith("END\n"):
            self.child.expect([pexpect.TIMEOUT, r".+"], timeout=0.02)
        return text.splitlines()[:-1]


class Shells:
    """Opens shells that have read a script."""

    def __init__(self, folder: Path, make_scratch: Callable[[str], Path]) -> None:
        self.folder = folder
        self.make_scratch = make_scratch
        self.opened: list[Zsh] = []

    def open(self, shell: str, env: dict[str, str], script: Path | None = None) -> Ask:
        script = script or COMPLETIONS / SHELLS[shell]
        if shell == "zsh":
            self.opened.append(Zsh(env, self.folder, script, self.make_scratch("zsh")))
            return self.opened[-1].ask
        ask = {"bash": ask_bash, "fish": ask_fish}[shell]
        return lambda line: ask(line, env, self.folder, script)


@pytest.fixture(scope="module")
def shells(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shells]:
    shells = Shells(folder, tmp_path_factory.mktemp)
    yield shells
    for zsh in shells.opened:
        zsh.child.close(force=True)


@pytest.fixture(params=SHELLS, scope="module")
def complete(
    request: pytest.FixtureRequest, shells: Shells, env: dict[str, str]
) -> Callable[[str], set[str]]:
    """The words that a shell offers after a line; of `--option=value`, the value."""
    ask = shells.open(request.param, env)
    return lambda line: {re.sub("^--[^=]*=", "", offer.partition("\t")[0]) for offer in ask(line)}


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
    "keys list --columns la": {"last_used_at"},
    "keys list --sort=la": {"last_used_at"},
    "--columns ": set(),
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
    "lifecycle reindex o": {"other"},
    "lifecycle decay other acme-p": {"acme-prod"},
    "--url https://stage.test:443/ contexts get ": {"staged"},
    "contexts get --url=https://stage.test ": {"staged"},
    "contexts get --profile stage ": {"staged"},
    "--url 'https://stage.test' -c ": {"staged"},
    "--url https://unknown.test -c ": set(),
    "--profile unknown -c ": set(),
    "keys get ": {"crawler", "indexer.g2"},
    "keys delete crawler i": {"indexer.g2"},
    "keys get -c other ": {"elsewhere"},
    "--context=other keys rotate ": {"elsewhere"},
    "keys get --profile stage ": set(),
    "keys create ": set(),
    "serve keys revoke ": set(),
    "sessions get ": {"01S"},
    "lifecycle jobs watch ": {"job_1"},
    "keys rotations get ": {"rot_1"},
    "keys rotations resume -c other ": {"rot_2"},
    "--api-key-file ": FILES,
    "contexts create x --config n": {"notes.toml"},
    "contexts create x --config=o": {"other.json"},
}
"""What follows on the machine of `env` and `folder`."""


@pytest.mark.sampled
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
        ("keys list --columns id,last\t", "keys list --columns id,last_used_at"),
        ("keys list --columns=id,last\t", "keys list --columns=id,last_used_at"),
        ("-c acme-prod keys get cr\t", "-c acme-prod keys get crawler"),
        (
            "--url https://stage.test contexts get st\t",
            "--url https://stage.test contexts get staged",
        ),
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
    )
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


@pytest.mark.parametrize("shell", SHELLS)
def test_static_words_start_no_python(
    shell: str, shells: Shells, env: dict[str, str], tmp_path: Path
) -> None:
    started = tmp_path / "started"
    for name in ("spectronctl", "python", "python3"):
        write_program(tmp_path / name, f"echo {name} >> {started}")
    ask = shells.open(shell, {**env, "PATH": f"{tmp_path}:/usr/bin:/bin"})

    for line in STATIC:
        ask(f"spectronctl {line}")
    assert not started.exists()

    ask("spectronctl --profile ")
    assert set(started.read_text().split()) == {"spectronctl"}


# The scripts


@pytest.mark.parametrize("file", completions.SCRIPTS)
def test_the_scripts_are_current(file: str) -> None:
    kept = (COMPLETIONS / file).read_text(encoding="utf-8")
    assert kept == completions.SCRIPTS[file](NODES), "make generate"


def test_all_scripts_are_written_at_once(tmp_path: Path) -> None:
    module = [sys.executable, "-m", "tools.completions", str(tmp_path)]
    subprocess.run(module, cwd=COMPLETIONS.parent, check=True)
    assert {path.name for path in tmp_path.iterdir()} == set(completions.SCRIPTS)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (COMPLETIONS / path.name).read_bytes()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_finds_no_fault_with_its_script(shell: str) -> None:
    script = COMPLETIONS / SHELLS[shell]
    subprocess.run([need(shell), "-n", script], check=True)


def test_zsh_finds_the_script_in_its_path(env: dict[str, str], tmp_path: Path) -> None:
    """As `_spectronctl` in `$fpath`, the file is read on the first TAB and must answer that one too."""
    shutil.copy(COMPLETIONS / "_spectronctl", tmp_path)
    entry = tmp_path / "entry.zsh"
    entry.write_text(f"fpath=({tmp_path} $fpath); compinit -u -D\n")
    zsh = Zsh(env, tmp_path, entry, tmp_path)
    assert zsh.ask("spectronctl context l") == ["list"]
    zsh.child.close(force=True)


HOSTILE = (
    """it's \u2019 "quoted" $(touch pwned) `touch pwned` $HOME ${HOME} ; touch pwned : [a:b] {c,d}"""
    r""" \ \n %d * ~ !! & | <x>"""
)


def make_hostile_nodes() -> list[Node]:
    """The tree with descriptions and a metavar that every shell would love to run."""
    return [
        replace(
            node,
            children=tuple((name, HOSTILE) for name, _ in node.children),
            flags=tuple(
                replace(
                    flag,
                    help=HOSTILE,
                    metavar=HOSTILE if "--namespace" in flag.names else flag.metavar,
                )
                for flag in node.flags
            ),
        )
        for node in NODES
    ]


@pytest.mark.parametrize("shell", SHELLS)
def test_an_argument_that_takes_many_words_completes_each(
    shell: str, shells: Shells, env: dict[str, str], tmp_path: Path
) -> None:
    many = Argument("FILE", required=True, choices=(), many=True)
    nodes = [
        replace(node, arguments=(*node.arguments, many))
        if node.path == ("contexts", "get")
        else node
        for node in NODES
    ]
    script = tmp_path / SHELLS[shell]
    script.write_text(getattr(_completion, shell)(nodes), encoding="utf-8")
    ask = shells.open(shell, env, script)

    assert ask("spectronctl contexts get o") == ["other"]
    assert ask("spectronctl contexts get other n") == ["notes.toml"]
    assert ask("spectronctl contexts get other notes.toml o") == ["other.json"]


@pytest.mark.parametrize("shell", SHELLS)
def test_descriptions_are_text_to_the_shell(
    shell: str, shells: Shells, env: dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / SHELLS[shell]
    script.write_text(getattr(_completion, shell)(make_hostile_nodes()), encoding="utf-8")
    ask = shells.open(shell, env, script)

    offered = ask("spectronctl contexts ")
    ask("spectronctl contexts create --namespace ")

    assert {offer.partition("\t")[0] for offer in offered} == words_below("contexts")
    if shell == "fish":
        assert {offer.partition("\t")[2] for offer in offered} == {HOSTILE}
    assert "--namespace" in {
        offer.partition("\t")[0] for offer in ask("spectronctl contexts create --na")
    }
    assert {path.name for path in shells.folder.iterdir()} == FILES


def test_zsh_shows_the_descriptions_as_they_are(env: dict[str, str], tmp_path: Path) -> None:
    script = tmp_path / "_spectronctl"
    script.write_text(_completion.zsh(make_hostile_nodes()), encoding="utf-8")
    zsh = Zsh(env, tmp_path, script, tmp_path)
    zsh.child.sendline("_describe() { print -r -- ${commands[1]} >> $OFFERED }")
    zsh.child.expect("ready>")
    assert zsh.ask("spectronctl contexts ") == [f"list:{HOSTILE}"]
    zsh.child.close(force=True)


# PowerShell, by structure only

_PS_QUOTES = "'\u2018\u2019\u201a\u201b"
_PS_STRING = f"'(?:[^{_PS_QUOTES}]|[{_PS_QUOTES}]{{2}})*'"
_PS_ROW = re.compile(
    rf"    \$(steps|calls|commands|options)\[({_PS_STRING})\] = ({_PS_STRING}(?:, {_PS_STRING})*)"
)


def read_powershell(script: str) -> dict[tuple[str, str], list[str]]:
    """The rows of the tables, by table and key."""
    rows = [row for line in script.splitlines() if (row := _PS_ROW.fullmatch(line))]
    return {
        (row[1], row[2][1:-1]): [part[1:-1] for part in re.findall(_PS_STRING, row[3])]
        for row in rows
    }


@pytest.mark.parametrize("nodes", [NODES, make_hostile_nodes()], ids=["real", "hostile"])
def test_the_powershell_script_is_well_formed(nodes: list[Node]) -> None:
    script = _completion.powershell(nodes)
    for line in script.splitlines():
        assert _PS_ROW.fullmatch(line) or not re.match(r"    \$\w+\['", line), line
    code = re.sub(rf'{_PS_STRING}|"[^"]*"|#.*', "", script)
    assert "'" not in code
    assert '"' not in code
    for opening, closing in ("()", "{}", "[]"):
        assert code.count(opening) == code.count(closing)


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_powershell_knows_every_command_and_option(node: Node) -> None:
    rows = read_powershell(_completion.powershell(NODES))
    path = " ".join(node.path)

    assert set(rows["options", path][::2]) == spell(node.flags)
    assert set(rows["options", "*"][::2]) == spell(GLOBAL)
    assert set(rows.get(("commands", path), [])[::2]) == words_below(path)
    for word, real in [*((name, name) for name, _ in node.children), *node.aliases]:
        assert rows["steps", f"{path} {word}"] == [" ".join([*node.path, real])]
    for flag in node.flags:
        assert (("calls", f"{path} {flag.names[0]}") in rows) == flag.takes_value


def test_powershell_rows_keep_their_text() -> None:
    rows = read_powershell(_completion.powershell(make_hostile_nodes()))
    doubled = HOSTILE.replace("'", "''").replace("\u2019", "\u2019\u2019")
    assert rows["commands", "contexts"][:2] == ["list", doubled]
    assert rows["calls", "contexts create --if-exists"] == ["offer", "fail", "skip", "update"]
    assert rows["calls", "contexts get 0"] == ["ask", "contexts"]


def test_columns_are_offered_one_after_the_other(complete: Complete) -> None:
    offered = complete("spectronctl keys list --columns id,la")
    # zsh offers what stands behind the comma, the others the whole word.
    assert {each.removeprefix("id,") for each in offered} == {"last_used_at"}


MORE_WORDS = {
    "contexts create": "--namespace n --database d",
    "contexts clone": "--namespace n --database d",
    "sessions transcript": "--all --output-dir .",
    "api": "--include",
}
"""What a command insists on before it looks at the columns."""

WITHOUT_COLUMNS = {
    "audit tail",
    "exec",
    "serve",
    "serve worker",
    "serve exec",
    "completion",
    "options",
}


@pytest.mark.parametrize("node", [node for node in NODES if node.runs], ids=name_of)
def test_the_columns_that_a_command_takes_are_offered(node: Node, run_alone: CommandLine) -> None:
    path = " ".join(node.path)
    assert bool(node.columns) == (path not in WITHOUT_COLUMNS)
    if not node.columns:
        return
    needed = [argument for argument in node.arguments if argument.required]
    words = " ".join([path, *((each.choices or ("x",))[0] for each in needed)])
    result = run_alone(f"{words} --columns nonsense {MORE_WORDS.get(path, '')}")
    taken = re.search(r"The columns are (.*)\.", result.err)
    assert taken, result
    assert set(taken[1].split(", ")) <= set(node.columns)


# The command


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_command_prints_the_script(shell: str, run_alone: CommandLine) -> None:
    expected = getattr(_completion, shell)(NODES)
    assert run_alone(f"completion {shell}") == Result(0, expected, "")


def test_the_command_guesses_no_shell(run_alone: CommandLine) -> None:
    result = run_alone("completion", env={"SHELL": "/bin/bash"})
    assert (result.code, result.out) == (2, "")
    assert "SHELL" in result.err.upper()


# Words that only this machine knows


Suggest = Callable[..., tuple[int, str, str]]


@pytest.fixture
def suggest(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Suggest:
    def run(words: str, env: dict[str, str]) -> tuple[int, str, str]:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        code = main(["__complete", *words.split()])
        return (code, *capfd.readouterr())

    return run


def test_profiles_and_contexts_are_printed_one_per_line(
    suggest: Suggest, env: dict[str, str]
) -> None:
    assert suggest("profiles", env) == (0, "local\nprod\nstage\n", "")
    assert suggest("contexts", env) == (0, "acme-dev\nacme-prod\nother\n", "")


@pytest.mark.parametrize("words", ["", "nonsense"])
def test_an_unknown_kind_is_no_error(words: str, suggest: Suggest, env: dict[str, str]) -> None:
    assert suggest(words, env) == (0, "", "")


BROKEN = {
    "syntax": b"[profiles.prod\n",
    "shape": b"profiles = 3\n",
    "field": b"[profiles.prod]\nurl = 3\n",
    "version": b"version = 99\n",
    "bytes": b"\xff",
    "depth": b"a = " + b"[" * 5000,
}


@pytest.mark.parametrize("kind", ["profiles", "contexts"])
@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_config_offers_nothing_and_says_nothing(
    content: bytes, kind: str, suggest: Suggest, env: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_bytes(content)
    assert suggest(kind, {**env, "SPECTRONCTL_CONFIG": str(config)}) == (0, "", "")


def test_a_config_that_is_a_folder_offers_nothing_and_says_nothing(
    suggest: Suggest, env: dict[str, str], tmp_path: Path
) -> None:
    assert suggest("profiles", {**env, "SPECTRONCTL_CONFIG": str(tmp_path)}) == (0, "", "")


def test_a_reader_that_left_hears_nothing(env: dict[str, str]) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        ["spectronctl", "__complete", "profiles"],
        env=env,
        stdout=write_end,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, b"")


def test_without_any_file_only_the_built_in_profile_is_known(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    assert find_suggestions("profiles", env) == ["local"]
    assert find_suggestions("contexts", env) == []
    assert list(tmp_path.iterdir()) == []


def test_nothing_but_names_is_offered(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[profiles.prod]\nurl = "https://x.test"\napi_key = "sk-secret"\ncontext = "$(id)"\n'
        '[profiles.-q]\nurl = "https://y.test"\ncontext = "acme-prod"\n'
    )
    config.chmod(0o600)
    env = {"HOME": str(tmp_path), "SPECTRONCTL_CONFIG": str(config)}
    assert find_suggestions("profiles", env) == ["local", "prod"]
    assert find_suggestions("contexts", env, "spectronctl --url https://y.test") == ["acme-prod"]


HEAVY = {
    "typer",
    "httpx",
    "pydantic",
    "rich",
    "asyncio",
    "socket",
    "tomlkit",
    "platformdirs",
    "filelock",
}


@pytest.mark.parametrize("kind", ["profiles", "contexts", "keys", "rotations"])
def test_suggestions_import_nothing_heavy_and_no_network(kind: str, env: dict[str, str]) -> None:
    code = f"import sys; from spectronctl.cli import main; main(['__complete', '{kind}']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) > 1
    assert HEAVY.isdisjoint(lines[-1].split())


# What commands have met


def suggest_after(acme: CommandLine, kind: str, line: str = "") -> list[str]:
    return find_suggestions(kind, {"HOME": str(acme.home), **acme.env}, line)


def test_what_was_created_is_offered_and_what_was_deleted_is_not(acme: CommandLine) -> None:
    acme(f"keys create crawler --secret-file {acme.home}/crawler.key")
    session = acme("sessions create -o name").out.strip().removeprefix("session:")
    job = acme("lifecycle reindex acme-prod --no-wait -o name").out.strip()

    assert suggest_after(acme, "keys") == ["crawler"]
    assert suggest_after(acme, "sessions") == [session]
    assert suggest_after(acme, "jobs") == [job]
    assert suggest_after(acme, "keys", "spectronctl -c other keys get ") == []

    acme("keys delete crawler --yes")
    acme(f"sessions delete {session} --yes")
    assert suggest_after(acme, "keys") == suggest_after(acme, "sessions") == []


@pytest.mark.parametrize(
    ("kind", "whole", "part"),
    [
        ("keys", "keys list", "keys list --match nothing"),
        ("sessions", "sessions list", "sessions list --since 1s --until 1s"),
        ("jobs", "lifecycle jobs list", "lifecycle jobs list --kind nothing"),
    ],
)
def test_a_whole_list_takes_the_place_of_what_was_known(
    kind: str, whole: str, part: str, acme: CommandLine
) -> None:
    seen.remember(
        acme.env | {"HOME": str(acme.home)},
        acme.env["SPECTRON_URL"],
        ["gone"],
        kind=kind,
        context="acme-prod",
    )
    acme(part)
    assert suggest_after(acme, kind) == ["gone"]
    assert acme(whole).code == 0
    assert suggest_after(acme, kind) == []


def test_a_key_on_the_line_reaches_no_argument(
    env: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    write_program(bin_ / "spectronctl", f'echo "$@" >> {tmp_path}/words; cat >> {tmp_path}/line')
    line = "spectronctl --api-key sk-sentinel keys get "
    ask_bash(line, {**env, "PATH": f"{bin_}:/usr/bin:/bin"}, folder)
    assert (tmp_path / "words").read_text() == "__complete keys -\n"
    assert (tmp_path / "line").read_text() == line

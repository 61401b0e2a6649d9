"""
Completion scripts for four shells, generated from the command tree.

Each script holds the tree as tables and one small parser of the line, the same in every language, so that TAB starts no
Python. The parser walks the words before the cursor: a word that leads to a command moves `at`, the path so far; an
option that takes a value swallows the next word; anything else counts as an argument. What may stand in a place is a
call, which every script knows under the same name:

    offer WORD…     one of these words
    list WORD…      some of these words, with commas between them
    ask KIND        what this machine has seen: `spectronctl __complete KIND -`, the one start of Python, which
                    reads the line from stdin
    files           the name of a file
    free WHAT       what only the user knows

`make generate` writes them into `completions/`, too; a test holds that to what is printed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from spectronctl.cli._powershell import POWERSHELL
from spectronctl.cli._shells import BASH, FISH, ZSH
from spectronctl.cli._tree import Argument, Flag, Node, describe_flags
from spectronctl.cli._typer import global_params

_KINDS = {
    "CONTEXT": "contexts",
    "KEY": "keys",
    "MANAGEMENT_KEY": "management-keys",
    "SESSION": "sessions",
    "SCOPE": "scopes",
    "JOB": "jobs",
    "ROTATION": "rotations",
}
"""What an argument of this name is one of."""

Call = tuple[str, ...]
Words = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class _Tables:
    """The command tree as the parsers look it up; a key is a path and one word more, and `*` in it is anything."""

    steps: list[tuple[list[str], str]]
    """Keys `PATH WORD` → the path of the command that the word leads to."""
    values: list[tuple[list[str], Call]]
    """Keys `PATH OPTION`, for options that take a value → what the value may be."""
    arguments: list[tuple[list[str], Call]]
    """Keys `PATH INDEX` → what the argument at this index may be."""
    commands: list[tuple[str, Words]]
    """Path → the words that may follow, with their descriptions."""
    options: list[tuple[str, Words]]
    """Path → the command's own options, with their descriptions."""
    everywhere: Words
    """The global options, with their descriptions."""


def _tabulate(nodes: Sequence[Node]) -> _Tables:
    shared = describe_flags(global_params())
    # The columns come first, as a `case` takes the first row that fits and the global options fit everywhere. Otherwise
    # the order is free: an own option and a global one never share a name (a test walks the tree for that).
    return _Tables(
        steps=list(_list_steps(nodes)),
        values=[
            *_list_columns(nodes),
            *_list_values([*((node.path, node.flags) for node in nodes), (("*",), shared)]),
        ],
        arguments=list(_list_arguments(nodes)),
        commands=[(" ".join(node.path), node.children) for node in nodes if node.children],
        options=[(" ".join(node.path), _spell(node.flags)) for node in nodes if node.flags],
        everywhere=_spell(shared),
    )


def _spell(flags: Iterable[Flag]) -> Words:
    return [(name, flag.help) for flag in flags for name in flag.names]


def _key(path: tuple[str, ...], word: str) -> str:
    return f"{' '.join(path)} {word}"


def _list_steps(nodes: Iterable[Node]) -> Iterator[tuple[list[str], str]]:
    for node in nodes:
        for child, _ in node.children:
            # Aliases end at the same path as the real name: whatever comes later in the line needs no row for them.
            words = [child, *(alias for alias, real in node.aliases if real == child)]
            yield [_key(node.path, word) for word in words], " ".join([*node.path, child])


def _list_columns(nodes: Iterable[Node]) -> Iterator[tuple[list[str], Call]]:
    for node in nodes:
        if node.columns:
            yield [_key(node.path, "--columns")], ("list", *node.columns)
            yield [_key(node.path, "--sort")], ("offer", *node.columns)


def _list_values(
    places: Iterable[tuple[tuple[str, ...], Iterable[Flag]]],
) -> list[tuple[list[str], Call]]:
    # By the call, not by the option: one row then holds all the options that take, say, a file.
    keys: dict[Call, list[str]] = {}
    for path, flags in places:
        for flag in flags:
            if flag.takes_value:
                names = keys.setdefault(_find_option_call(flag), [])
                names += [_key(path, name) for name in flag.names]
    return [(names, call) for call, names in keys.items()]


def _list_arguments(nodes: Iterable[Node]) -> Iterator[tuple[list[str], Call]]:
    for node in nodes:
        for index, argument in enumerate(node.arguments):
            where = _key(node.path, "*" if argument.many else str(index))
            # In a `case`, * stands for every further word of an argument that takes many.
            yield [where], _find_argument_call(argument, node.path)


def _find_option_call(flag: Flag) -> Call:
    # These two are looked up in files of this machine, and never asked of a server: TAB must not wait for one.
    if "--profile" in flag.names:
        return ("ask", "profiles")
    if "--context" in flag.names:
        return ("ask", "contexts")
    return _find_call(flag.choices, flag.metavar or flag.names[0].lstrip("-").upper())


def _find_argument_call(argument: Argument, path: tuple[str, ...]) -> Call:
    """NAME is a profile in `profiles`, ID a context in `contexts`, unless it is a new one; others say what they are."""
    place = (path[0], argument.name) if path[-1] not in {"add", "create"} else None
    if place == ("profiles", "NAME"):
        return ("ask", "profiles")
    if place == ("contexts", "ID"):
        return ("ask", "contexts")
    if argument.name in _KINDS and path[0] != "serve":  # its keys are of another kind
        return ("ask", _KINDS[argument.name])
    if place == ("api", "PATH"):  # not one of the file system
        return ("free", argument.name)
    return _find_call(argument.choices, argument.name)


def _find_call(choices: tuple[str, ...], metavar: str) -> Call:
    """By the choices, also those that the metavar spells out in lower case; a PATH or FILE is a file."""
    if choices:
        return ("offer", *choices)
    # Such as both|bearer|api-key: these are checked where the value is read, since a profile may hold them as well, and
    # so Typer knows no choices.
    if re.fullmatch(r"[a-z-]+(\|[a-z-]+)+", metavar):
        return ("offer", *metavar.split("|"))
    # Not @FILE: a shell completes a whole word as a path, and the @ before the name is no part of that.
    if re.search(r"(^|\|)(PATH|FILE)\b", metavar):
        return ("files",)
    return ("free", metavar)


def _fill(template: str, **tables: Iterable[str]) -> str:
    """Put every table where its `{{name}}` stands, at the same indentation."""
    for name, lines in tables.items():
        mark = f"{{{{{name}}}}}"
        line = next(line for line in template.splitlines() if mark in line)
        indent = line[: len(line) - len(line.lstrip())]
        template = template.replace(mark, f"\n{indent}".join(lines))
    return template


def _sh_cases(rows: Iterable[tuple[Iterable[str], str]]) -> list[str]:
    return [f"{'|'.join(map(_quote_sh_pattern, keys))}) {body} ;;" for keys, body in rows]


def _quote_sh_pattern(key: str) -> str:
    # A * must stay outside the quotes to be a pattern. The root's path is empty, and an empty pattern is a syntax
    # error.
    return "*".join(shlex.quote(part) if part else "" for part in key.split("*")) or "''"


def _sh_tables(tables: _Tables) -> dict[str, list[str]]:
    """The tables that bash and zsh read alike."""
    # `case` tables, no associative arrays: bash before 4 has none, and it is still the one that macOS ships.
    return {
        "steps": _sh_cases((keys, f"at={shlex.quote(path)}") for keys, path in tables.steps),
        "values": _sh_cases((keys, _sh_call(call)) for keys, call in tables.values),
        "arguments": _sh_cases((keys, _sh_call(call)) for keys, call in tables.arguments),
    }


def _sh_call(call: Call) -> str:
    return f"fill=({shlex.join([f'_spectronctl_{call[0]}', *call[1:]])})"


def bash(nodes: Sequence[Node]) -> str:
    """The script for bash."""
    tables = _tabulate(nodes)
    return _fill(
        BASH,
        **_sh_tables(tables),
        commands=_sh_cases(([path], _bash_offer(words)) for path, words in tables.commands),
        options=_sh_cases(([path], _bash_offer(words)) for path, words in tables.options),
        everywhere=[_bash_offer(tables.everywhere)],
    )


def _bash_offer(words: Words) -> str:
    # COMPREPLY holds words, with no room for a description.
    return shlex.join(["_spectronctl_offer", *(word for word, _ in words)])


def zsh(nodes: Sequence[Node]) -> str:
    """The script for zsh 5: found as `_spectronctl` in `$fpath`, or read after compinit."""
    tables = _tabulate(nodes)
    return _fill(
        ZSH,
        **_sh_tables(tables),
        commands=_sh_cases(([p], f"commands=({_zsh_list(w)})") for p, w in tables.commands),
        options=_sh_cases(([p], f"options=({_zsh_list(w)})") for p, w in tables.options),
        everywhere=[_zsh_list(tables.everywhere)],
    )


def _zsh_list(words: Words) -> str:
    # _describe splits at the first colon. No word has one; a description may.
    return shlex.join(f"{word}:{text}" for word, text in words)


def fish(nodes: Sequence[Node]) -> str:
    """The script for fish 3 and later."""
    tables = _tabulate(nodes)
    return _fill(
        FISH,
        steps=_fish_cases((keys, _fish_lines([path])) for keys, path in tables.steps),
        values=_fish_cases((keys, _fish_call(call)) for keys, call in tables.values),
        arguments=_fish_cases((keys, _fish_call(call)) for keys, call in tables.arguments),
        commands=_fish_cases(([path], _fish_words(words)) for path, words in tables.commands),
        options=_fish_cases(([path], _fish_words(words)) for path, words in tables.options),
        everywhere=[_fish_words(tables.everywhere)],
    )


def _fish_cases(rows: Iterable[tuple[Iterable[str], str]]) -> list[str]:
    return [f"case {' '.join(map(_quote_fish, keys))}; {body}" for keys, body in rows]


def _fish_call(call: Call) -> str:
    return _fish_lines([f"__spectronctl_{call[0]}", *call[1:]])


def _fish_lines(lines: Iterable[str]) -> str:
    return " ".join([r"printf '%s\n'", *map(_quote_fish, lines)])


def _fish_words(words: Words) -> str:
    # fish takes what follows a TAB for the description, and printf repeats its format until the words are used up.
    return " ".join([r"printf '%s\t%s\n'", *(_quote_fish(part) for pair in words for part in pair)])


def _quote_fish(text: str) -> str:
    # Inside single quotes fish knows these two escapes and no other.
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def powershell(nodes: Sequence[Node]) -> str:
    """The script for PowerShell 5.1 and later."""
    tables = _tabulate(nodes)
    calls = [*tables.values, *tables.arguments]
    rows = [
        *(_powershell_row("steps", key, [path]) for keys, path in tables.steps for key in keys),
        *(_powershell_row("calls", key, call) for keys, call in calls for key in keys),
        *(_powershell_row("commands", path, _flatten(words)) for path, words in tables.commands),
        *(_powershell_row("options", path, _flatten(words)) for path, words in tables.options),
        _powershell_row("options", "*", _flatten(tables.everywhere)),
    ]
    return _fill(POWERSHELL, tables=rows)


def _flatten(words: Words) -> list[str]:
    return [part for pair in words for part in pair]


def _powershell_row(table: str, key: str, parts: Iterable[str]) -> str:
    return f"${table}[{_quote_powershell(key)}] = {', '.join(map(_quote_powershell, parts))}"


def _quote_powershell(text: str) -> str:
    """PowerShell ends a string at a typographic apostrophe too."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"

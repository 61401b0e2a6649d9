"""What there is to tell about each command."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spectronctl.cli._tree import Argument, Flag, Node
from tools.reference.text import Paragraph, end_sentence, parse_paragraphs

PROGRAM = "spectronctl"

_HELP = "--help"

TELLS_BY_CODE = ("--exit-code", "--check-server")
"""Options that let the exit code tell of differences or findings."""


@dataclass(frozen=True)
class Entry:
    """An option or an argument; `value` is what it takes, in capitals or as `choices`."""

    names: tuple[str, ...]
    meaning: str
    value: str = ""
    choices: tuple[str, ...] = ()
    limits: str = ""
    default: str = ""
    required: bool = False
    many: bool = False


@dataclass(frozen=True)
class Child:
    """A command of a group: its word, other words for it, what it does."""

    word: str
    aliases: tuple[str, ...]
    meaning: str


@dataclass(frozen=True)
class Page:
    """One command; `path` has the words that follow `spectronctl`."""

    path: tuple[str, ...]
    synopsis: str
    summary: str
    description: tuple[Paragraph, ...]
    children: tuple[Child, ...]
    arguments: tuple[Entry, ...]
    options: tuple[Entry, ...]
    ends_with_found: bool
    """Whether an option lets its exit code tell of differences or findings."""

    @property
    def name(self) -> str:
        return " ".join([PROGRAM, *self.path])

    @property
    def slug(self) -> str:
        return "-".join([PROGRAM, *self.path])


def read_pages(nodes: Iterable[Node]) -> list[Page]:
    """One page per command, groups before what is in them."""
    return [_read_page(node) for node in nodes]


def read_options(flags: Iterable[Flag]) -> tuple[Entry, ...]:
    """Options as entries, the short spelling first; `--help` is told of once, with the global options."""
    return tuple(_read_option(flag) for flag in flags if _HELP not in flag.names)


def _read_page(node: Node) -> Page:
    names = {name for flag in node.flags for name in flag.names}
    return Page(
        path=node.path,
        synopsis=_make_synopsis(node),
        summary=node.help,
        description=parse_paragraphs(node.description),
        children=tuple(_read_child(node, word, text) for word, text in node.children),
        arguments=tuple(map(_read_argument, node.arguments)),
        options=read_options(node.flags),
        ends_with_found=not names.isdisjoint(TELLS_BY_CODE),
    )


def _read_child(node: Node, word: str, meaning: str) -> Child:
    aliases = tuple(alias for alias, real in node.aliases if real == word)
    return Child(word, aliases, end_sentence(meaning))


def _make_synopsis(node: Node) -> str:
    required = [
        f"{flag.names[0]} {_name_value(flag)}".rstrip() for flag in node.flags if flag.required
    ]
    command = [] if not node.children else ["[COMMAND]" if node.runs else "COMMAND"]
    arguments = map(_show_argument, node.arguments)
    return " ".join([PROGRAM, *node.path, "[OPTIONS]", *required, *command, *arguments])


def _show_argument(argument: Argument) -> str:
    word = argument.name if argument.required else f"[{argument.name}]"
    return f"{word}..." if argument.many else word


def _read_argument(argument: Argument) -> Entry:
    return Entry(
        names=(argument.name,),
        meaning=end_sentence(argument.help),
        choices=argument.choices,
        required=argument.required,
        many=argument.many,
    )


def _read_option(flag: Flag) -> Entry:
    """Its default may be told in its help, where the program does not see it as one."""
    meaning, _, default = flag.help.removesuffix("]").partition("  [default: ")
    return Entry(
        names=flag.names[::-1],
        meaning=end_sentence(meaning),
        value=_name_value(flag),
        choices=flag.choices,
        limits=flag.limits,
        default=flag.default or default,
        required=flag.required,
        many=flag.many,
    )


def _name_value(flag: Flag) -> str:
    if not flag.takes_value or flag.choices:
        return "|".join(flag.choices)
    return flag.metavar or flag.names[0].lstrip("-").upper()

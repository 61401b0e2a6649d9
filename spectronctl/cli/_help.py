"""A page of help, laid out for the terminal that it is read on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from spectronctl.cli._tree import Argument, Flag, Node, describe
from spectronctl.cli.commands import SECTIONS

if TYPE_CHECKING:
    from spectronctl.cli._typer import Context

GLOBAL_NOTE = "Global options: run 'spectronctl options'."
_MARGIN = "  "
_MAX_LEFT = 30  # a longer option stands on a line of its own, so that the texts keep room
_MAX_PROSE = 100  # sentences of a longer line are hard to read

Pair = tuple[str, str]


def format_page(node: Node, sections: Sequence[tuple[str, Sequence[Pair]]], width: int) -> str:
    """The help of a command; `sections` are its subcommands by title, each a word and a summary."""
    parts = [
        [f"Usage: {format_usage(node)}"],
        *_format_description(node.description, width),
        _format_examples(node.examples),
        *(_format_section(title, pairs, width) for title, pairs in sections),
        _format_section("Arguments", map(_describe_argument, node.arguments), width),
        _format_section("Options", map(_describe_flag, node.flags), width),
        [GLOBAL_NOTE],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def format_options(flags: Iterable[Flag], width: int) -> str:
    """The global options as one section."""
    return "\n".join(_format_section("Global options", map(_describe_flag, flags), width))


def format_usage(node: Node) -> str:
    """The words of a command, what it needs in capitals, what may be left out in brackets."""
    command = [] if not node.children else ["[COMMAND]" if node.runs else "COMMAND"]
    return " ".join(["spectronctl", *node.path, "[OPTIONS]", *command, *map(_show, node.arguments)])


def _show(argument: Argument) -> str:
    word = argument.name if argument.required else f"[{argument.name}]"
    return f"{word}..." if argument.many else word


def _format_description(text: str, width: int) -> Iterator[list[str]]:
    for paragraph in text.split("\n\n"):
        lines = [line.strip(" ") for line in paragraph.strip("\n").split("\n")]
        if lines[0] == "\b":  # the rest keeps its lines
            yield [_MARGIN + line for line in paragraph.strip("\n").split("\n")[1:]]
        else:
            room = min(width, _MAX_PROSE) - len(_MARGIN)
            yield [_MARGIN + line for line in _wrap(" ".join(lines), room)]


def _format_examples(lines: Sequence[str]) -> list[str]:
    return (
        ["Examples:", *(f"{_MARGIN}spectronctl {line}".rstrip() for line in lines)] if lines else []
    )


def _format_section(title: str, pairs: Iterable[Pair], width: int) -> list[str]:
    rows = list(pairs)
    if not rows:
        return []
    left = max((len(name) for name, _ in rows if len(name) <= _MAX_LEFT), default=_MAX_LEFT)
    return [f"{title}:", *(line for row in rows for line in _format_pair(*row, left, width))]


def _format_pair(name: str, text: str, left: int, width: int) -> Iterator[str]:
    margin = len(_MARGIN) * 2 + left
    first, *rest = _wrap(text, width - margin) or [""]
    if len(name) > left:
        yield f"{_MARGIN}{name}"
        yield f"{'':{margin}}{first}"
    else:
        yield f"{_MARGIN}{name:{left}}{_MARGIN}{first}".rstrip()
    yield from (f"{'':{margin}}{line}" for line in rest)


def _wrap(text: str, room: int) -> list[str]:
    """Lines that end between words; an option or a path is never broken at a hyphen."""
    return wrap(text, max(room, 20), break_on_hyphens=False, break_long_words=False)


def _describe_argument(argument: Argument) -> Pair:
    choices = "|".join(argument.choices)
    text = f"{argument.help}: {choices}." if choices else _end(argument.help)
    return argument.name, f"{text}  [required]" if argument.required else text


def _describe_flag(flag: Flag) -> Pair:
    value = (
        ("|".join(flag.choices) or flag.metavar or _name_value(flag)) if flag.takes_value else ""
    )
    names = ", ".join(flag.names[::-1])
    default = f"default: {flag.default}" if flag.default else ""
    extra = "; ".join(filter(None, [default, flag.limits, "required" if flag.required else ""]))
    return f"{names} {value}".rstrip(), f"{_end(flag.help)}{f'  [{extra}]' if extra else ''}"


def _name_value(flag: Flag) -> str:
    return flag.names[0].lstrip("-").upper()


def _end(text: str) -> str:
    return text if text.endswith((".", "!", "?", "]")) or not text else f"{text}."


def format_help(ctx: Context, width: int) -> str:
    """The help of the command that a context is about."""
    command: Any = ctx.command
    path = tuple(_list_path(ctx))
    node = describe(command, path)
    return format_page(node, list(_list_sections(node)), width)


def _list_path(ctx: Any) -> list[str]:
    return [] if ctx.parent is None else [*_list_path(ctx.parent), ctx.info_name]


def _list_sections(node: Node) -> Iterator[tuple[str, list[Pair]]]:
    summaries = {word: _end(text) for word, text in node.children}
    if node.path:
        yield "Commands", list(summaries.items())
        return
    for title, words in SECTIONS.items():
        yield title, [(word, summaries[word]) for word in words]

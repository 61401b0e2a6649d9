"""The command tree as plain values: what completion, the reference, the tests and the error messages walk."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

from spectronctl.cli._typer import ALIASES, Context, Group, LazyGroup, global_params
from spectronctl.output.views import View

_EXAMPLES = "\n\nExamples:\n"
"""Begins the last part of a command's docstring: lines to type, which its help shows and a test runs."""


@dataclass(frozen=True)
class Flag:
    """An option: all its spellings, whether a value follows, and which values it takes; `many` may be repeated."""

    names: tuple[str, ...]
    help: str
    choices: tuple[str, ...]
    takes_value: bool
    required: bool
    metavar: str
    default: str
    limits: str
    """The least and the most of a number, in words."""
    many: bool


@dataclass(frozen=True)
class Argument:
    """A positional argument, by its metavar; `many` takes all the words that follow."""

    name: str
    required: bool
    choices: tuple[str, ...]
    many: bool
    help: str = ""


@dataclass(frozen=True)
class Node:
    """One command: the words that lead to it, and what may follow. Hidden ones are left out."""

    path: tuple[str, ...]
    help: str
    """The first line of `description`."""
    description: str
    """All of the help but its examples, in paragraphs; one that begins with a backspace keeps its lines."""
    examples: tuple[str, ...]
    """Whole lines, without the word `spectronctl`."""
    children: tuple[tuple[str, str], ...]
    flags: tuple[Flag, ...]
    arguments: tuple[Argument, ...]
    runs: bool
    aliases: tuple[tuple[str, str], ...] = ()
    """Unlisted words and the child that each leads to; `walk` finds them, for that imports the children."""
    columns: tuple[str, ...] = ()
    """What `--columns` and `--sort` take."""


def walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[Node]:
    """Every visible command below (and including) this one; groups are imported."""
    if isinstance(command, LazyGroup):
        command = command.loaded
    yield replace(describe(command, path), aliases=tuple(_find_aliases(command)))
    for name, sub in _list_visible(command).items():
        yield from walk(sub, (*path, name))


def _list_visible(command: Any) -> dict[str, Any]:
    children = getattr(command, "commands", {})
    return {name: sub for name, sub in children.items() if not sub.hidden}


def describe(command: Any, path: tuple[str, ...]) -> Node:
    """One command, which is imported already."""
    visible = _list_visible(command)
    ctx = Context(command, info_name=path[-1] if path else "spectronctl")
    # Told apart by identity: every command gets the same parameter objects from `global_params`.
    own = [p for p in command.get_params(ctx) if p not in global_params()]
    description, _, examples = inspect.cleandoc(command.help or "").partition(_EXAMPLES)
    return Node(
        path=path,
        help=_first_line(description),
        description=description,
        examples=tuple(line.strip().removeprefix("spectronctl ") for line in examples.splitlines()),
        children=tuple((name, _first_line(sub.help)) for name, sub in visible.items()),
        flags=describe_flags(own),
        arguments=tuple(_describe_argument(p) for p in own if p.param_type_name == "argument"),
        # `serve` is a group that also does something without a verb.
        runs=not isinstance(command, Group) or command.invoke_without_command,
        columns=_list_columns(command),
    )


def _list_columns(command: Any) -> tuple[str, ...]:
    function = inspect.unwrap(command.callback) if command.callback else None
    views = _find_views(function, set()) if function else ()
    return tuple(dict.fromkeys(column.name for view in views for column in view.every_column))


def _find_views(function: FunctionType, met: set[FunctionType]) -> Iterator[View]:
    """The views that a command's function names, and the functions of its module that it calls."""
    # From the code, so that no command has to say twice which view it shows.
    met.add(function)
    for value in map(function.__globals__.get, function.__code__.co_names):
        yield from _pick_views(value)
        if isinstance(value, FunctionType) and value.__module__ == function.__module__:
            yield from _find_views(value, met) if value not in met else ()


def _pick_views(value: Any) -> Iterator[View]:
    if isinstance(value, View):
        yield value
    elif isinstance(value, (dict, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _pick_views(part)


def _describe_argument(param: Any) -> Argument:
    return Argument(
        name=str(param.metavar or param.name).upper(),
        required=param.required,
        choices=_choices(param),
        many=param.nargs == -1,
        help=_first_line(param.help),
    )


def _find_aliases(command: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(command, Group):
        return
    yield from ((word, str(sub.name)) for word, sub in command.commands.items() if sub.hidden)
    visible = _list_visible(command)
    for word in [*ALIASES, *(name.removesuffix("s") for name in visible)]:
        if word not in command.commands and command.find_name(word) in visible:
            yield word, command.find_name(word)


def describe_flags(params: list[Any]) -> tuple[Flag, ...]:
    """The visible options among a command's parameters."""
    return tuple(
        Flag(
            # The long spelling comes first: completion takes the first name where an option has no metavar.
            names=tuple(sorted([*p.opts, *p.secondary_opts], key=len, reverse=True)),
            help=_first_line(p.help),
            choices=_choices(p),
            takes_value=not p.is_flag and not p.count,
            required=p.required,
            metavar=str(p.metavar or ""),
            default=_format_default(p),
            limits=_format_limits(p.min, p.max),
            many=p.multiple,
        )
        for p in params
        if p.param_type_name == "option" and not p.hidden
    )


def _choices(param: Any) -> tuple[str, ...]:
    return tuple(map(str, param.type_descriptor.choices or ()))


def _format_default(param: Any) -> str:
    """Nothing where a default says no more than that the option is absent."""
    # Of a choice the default is a member of an enum, and is shown as it is typed.
    value = getattr(param.default, "value", param.default)
    return "" if value is None or value is False else str(value)


def _format_limits(least: float | None, most: float | None) -> str:
    if least is None or most is None:
        return f"{least} or more" if least is not None else f"at most {most}" if most else ""
    return f"{least} to {most}"


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n")[0].rstrip(".")

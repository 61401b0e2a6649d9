"""
The seam between spectronctl and Typer.

Typer 0.29 gives each parser level only its own options and builds every command up front. spectronctl wants the global
options accepted at every level, a command group imported only when it is used, aliases (`ls`, `rm`, `show`, a group's
singular) and `help` everywhere, `-o=json`, help as wide as the terminal, and options that several commands share
declared once. All of it is done here, through `typer.core` and `typer.main`; nothing imports the private parts.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache, cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from spectronctl.cli._globals import collect, declare_options, given
from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

F = TypeVar("F", bound=Callable[..., Any])

_EMPTY = inspect.Parameter.empty

ALIASES = {
    "ls": ("list",),
    "show": ("get",),
    # `ontology` has both: there `rm` takes names away, and must not delete the whole ontology.
    "rm": ("remove", "delete", "revoke"),
}
"""Words that every group understands, unless it has a command of that very name: each stands for the first there is."""


class Context(typer.Context):
    """The context handed to every command."""

    obj: Runtime

    def __init__(self, command: Any, **settings: Any) -> None:
        settings.setdefault("help_option_names", ["-h", "--help"])
        super().__init__(command, **settings)

    @property
    def runtime(self) -> Runtime:
        """What the command may reach for, told what was typed."""
        # Not while the line is parsed: only now is every level of it read, the part behind the verb included.
        self.obj.flags = given(self)
        return self.obj


@cache
def global_params() -> list[Any]:
    """The global options, built once and shared by every command."""
    # Typer makes parameters only out of a function's signature, so there is an app with one command that is never run.
    # Parameters keep nothing of a parse (values go into the context), so all commands can share them.
    app = typer.Typer(add_completion=False)
    app.command()(declare_options)
    return get_command(app).params


class _AcceptsGlobals:
    """Parse the global options along with a command's own, and format its help."""

    def get_params(self, ctx: Any) -> list[Any]:
        return [*super().get_params(ctx), *global_params()]  # type: ignore[misc]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # In `finally`: an error further right on the line is told in the format that was typed before it.
        try:
            words = _split_short_options(args, self.get_params(ctx), ctx.allow_interspersed_args)
            return super().parse_args(ctx, words)  # type: ignore[misc, no-any-return]
        finally:
            collect(ctx, (param.name for param in global_params()))

    def get_help(self, ctx: Any) -> str:
        return str(ctx.obj.format_help(ctx, ctx.obj.streams.width))


def _split_short_options(args: list[str], params: list[Any], interspersed: bool) -> list[str]:
    """
    `-o=json` as `-o json`: the parser takes the sign for a part of the value.

    What follows `--`, a first argument of another program's line, or an option that takes a value is left as it is.
    """
    taking = {name for p in params if _takes_value(p) for name in p.opts}
    words: list[str] = []
    for index, word in enumerate(args):
        is_value = bool(words) and words[-1] in taking
        if word == "--" or not (word.startswith("-") or is_value or interspersed):
            return words + args[index:]
        is_split = not is_value and word[2:3] == "=" and word[:2] in taking
        words += [word[:2], word[3:]] if is_split else [word]
    return words


def _takes_value(param: Any) -> bool:
    return param.param_type_name == "option" and not param.is_flag and not param.count


class Command(_AcceptsGlobals, TyperCommand):
    """A command that accepts the global options."""

    context_class = Context
    is_group = False


class Group(_AcceptsGlobals, TyperGroup):
    """A group that accepts the global options, knows the aliases and `help`, and suggests the nearest name."""

    context_class = Context

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # Typer's `no_args_is_help` does not do: it is a usage error, and only where nothing at all was typed, so not
        # for `spectronctl keys -o json`. The verb is in `_protected_args` after the parse; `rest` is what comes behind
        # it.
        rest = super().parse_args(ctx, args)
        if not ctx._protected_args and not self.invoke_without_command:
            typer.echo(ctx.get_help())
            raise typer.Exit
        return rest

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return self.commands.get(self.find_name(cmd_name))

    def find_name(self, word: str) -> str:
        """The name of the command that a word stands for: itself, an alias, or the singular of a group."""
        if word in self.commands:  # `profiles show` is a command of its own, and no alias of `get`
            return word
        plural: Any = self.commands.get(f"{word}s")
        if plural is not None and plural.is_group:
            return f"{word}s"
        return next((name for name in ALIASES.get(word, ()) if name in self.commands), word)

    @property
    def is_group(self) -> bool:
        """Whether commands are in it."""
        return True

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, *rest = args
        if name == "help":
            if not rest:
                typer.echo(ctx.get_help())
                raise typer.Exit
            return self.resolve_command(ctx, [*rest, "--help"])
        command = self.get_command(ctx, name)
        # A word with a dash is left to Typer, which reports it as an unknown option. Hidden aliases are not suggested.
        if command is None and not name.startswith("-"):
            visible = [word for word, command in self.commands.items() if not command.hidden]
            raise UsageError(
                f"no command {name!r} in '{ctx.command_path}'",
                candidates=get_close_matches(name, visible),
                hint=f"'{ctx.command_path} --help' lists them.",
            )
        if command is None:
            return super().resolve_command(ctx, args)
        return command.name, command, rest


class LazyGroup(Group):
    """
    A group, or a command that stands alone, known by name and help until it is dispatched to.

    `verbs` names commands that have a module of their own below this one, each with its help.
    """

    def __init__(
        self,
        name: str,
        module: str,
        help: str,
        *,
        verbs: Mapping[str, str] | None = None,
        hidden: bool = False,
    ) -> None:
        # A group also where the module declares a single command: which of the two it is shows only after the import.
        super().__init__(name=name, help=help, hidden=hidden, rich_markup_mode=None)
        self.module = module
        self.verbs = verbs or {}

    @property
    def is_group(self) -> bool:
        """Whether commands are in it; imports it."""
        return isinstance(self.loaded, Group)

    @cached_property
    def loaded(self) -> Any:
        """The module, imported, with its commands built; a module that declares just one is that one."""
        # The package of a group such as `keys` declares no app: each of its verbs is a module of its own.
        app = getattr(importlib.import_module(self.module), "app", None) or App()
        loaded: Any = get_command(app) if app.is_single else get_group(app)
        for name, text in self.verbs.items():
            loaded.add_command(LazyGroup(name, f"{self.module}.{name}", text))
        # Typer has named it after the function, and usage lines show that name.
        loaded.name, loaded.help = self.name, loaded.help or self.help
        return loaded

    def make_context(
        self, info_name: Any, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        # This alone puts the loaded command in the place of this one: Typer's `invoke` goes on with the command of the
        # context that it gets here, not with the one that it asked for it.
        return self.loaded.make_context(info_name, args, parent=parent, **extra)


class App(typer.Typer):
    """A Typer app whose commands accept the global options and may share bundles of options."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            cls=Group,
            add_completion=False,
            # Neither completion by Typer, which starts Python at every TAB, nor rich in help and errors, whose
            # import takes 30 ms at the least.
            pretty_exceptions_enable=False,
            rich_markup_mode=None,
            subcommand_metavar="COMMAND",
            **settings,
        )

    @property
    def is_single(self) -> bool:
        """Whether this is one command that stands alone, declared without a name."""
        return [command.name for command in self.registered_commands] == [None]

    def command(self, name: str | None = None, **settings: Any) -> Callable[[F], F]:
        return _spreading(super().command(name, cls=Command, **settings))

    def callback(self, **settings: Any) -> Callable[[F], F]:
        return _spreading(super().callback(**settings))


def _spreading(declare: Callable[[F], F]) -> Callable[[F], F]:
    def register(function: F) -> F:
        declare(_spread_bundles(function))
        return function

    return register


def _spread_bundles(function: F) -> F:
    """Declare the fields of a parameter whose type is a dataclass as options of their own."""
    # Annotations are text (`from __future__ import annotations`), and the options are in the extras of `Annotated`.
    hints = get_type_hints(function, include_extras=True)
    bundles = {name: hint for name, hint in hints.items() if dataclasses.is_dataclass(hint)}
    if not bundles:
        return function

    @wraps(function)
    def call(**values: Any) -> Any:
        for name, bundle in bundles.items():
            fields = {field.name: values.pop(field.name) for field in dataclasses.fields(bundle)}
            values[name] = bundle(**fields)  # type: ignore[operator]
        return function(**values)

    parameters = list(_spread_parameters(function, hints, bundles))
    # Typer reads both: the signature, which `inspect` would otherwise take from the wrapped function, and the hints.
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in parameters}
    return call  # type: ignore[return-value]


def _spread_parameters(
    function: Callable[..., Any], hints: dict[str, Any], bundles: dict[str, Any]
) -> Iterator[inspect.Parameter]:
    for parameter in inspect.signature(function).parameters.values():
        if bundle := bundles.get(parameter.name):
            yield from _field_parameters(bundle)
        else:
            # Keyword-only: Python wants positional parameters without a default first, and a bundle may have a required
            # option behind one that has a default.
            yield parameter.replace(
                kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[parameter.name]
            )


def _field_parameters(bundle: Any) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(bundle, include_extras=True)
    for field in dataclasses.fields(bundle):
        yield inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_EMPTY if field.default is dataclasses.MISSING else field.default,
            annotation=hints[field.name],
        )

"""The options every command accepts, at any position on the line."""

# Annotations are values here, not text: Typer would evaluate each of them at every start.

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from spectronctl.errors import UsageError
from spectronctl.ground.vocabulary import Color, OutputFormat

_KEY = "spectronctl.globals"


def _show_version(value: bool) -> None:
    if value:
        from spectronctl import __version__

        typer.echo(f"spectronctl {__version__}")
        raise typer.Exit


def _option(*flags: str, help: str, **settings: Any) -> Any:
    return typer.Option(*flags, help=help, show_default=False, **settings)


def declare_options(
    *,
    profile: Annotated[
        str | None,
        _option("--profile", metavar="NAME", help="Use this profile; `local` needs no server."),
    ] = None,
    url: Annotated[
        str | None, _option("--url", metavar="URL", help="Send requests to this server.")
    ] = None,
    api_key: Annotated[
        str | None,
        _option(
            "--api-key",
            metavar="KEY",
            help="Use this key; other users can see it, so prefer --api-key-file.",
        ),
    ] = None,
    api_key_file: Annotated[
        str | None, _option("--api-key-file", metavar="PATH|-", help="Read the key from this file.")
    ] = None,
    context: Annotated[
        str | None,
        _option("--context", "-c", metavar="ID", help="Use this context."),
    ] = None,
    output: Annotated[
        OutputFormat | None, _option("--output", "-o", help="Choose the output format.")
    ] = None,
    json: Annotated[bool, _option("--json", help="Print JSON, like -o json.")] = False,
    query: Annotated[
        str | None,
        _option("--query", metavar="JMESPATH", help="Select from the result with JMESPath."),
    ] = None,
    columns: Annotated[
        str | None,
        _option("--columns", metavar="A,B", help="Show these columns of a table."),
    ] = None,
    sort: Annotated[
        str | None, _option("--sort", metavar="[-]COLUMN", help="Sort a table by this column.")
    ] = None,
    limit: Annotated[
        int | None, _option("--limit", min=1, metavar="N", help="Stop a list after N items.")
    ] = None,
    no_header: Annotated[
        bool, _option("--no-header", help="Print tables without a header.")
    ] = False,
    quiet: Annotated[bool, _option("--quiet", "-q", help="Print no notes on stderr.")] = False,
    yes: Annotated[bool, _option("--yes", "-y", help="Answer yes to every question.")] = False,
    no_input: Annotated[
        bool, _option("--no-input", help="Fail instead of asking a question.")
    ] = False,
    color: Annotated[Color | None, _option("--color", help="Choose when to use colour.")] = None,
    # Text, as in a variable or a profile: one parser reads all three, and refuses a number without a unit.
    timeout: Annotated[
        str | None,
        _option(
            "--timeout",
            metavar="DURATION",
            help="Limit each call to this duration, retries included, such as 30s or 2m.",
        ),
    ] = None,
    retries: Annotated[
        int | None,
        _option("--retries", min=0, metavar="N", help="Retry a failed read up to N times."),
    ] = None,
    debug: Annotated[bool, _option("--debug", help="Log requests to stderr.")] = False,
    version: Annotated[
        bool,
        _option(
            "--version",
            help="Print the version and exit.",
            callback=_show_version,
            # Before every other option and argument: `--version` must not first complain of one that is missing.
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Declare the options to Typer; what was typed is read with `given`."""


def collect(ctx: typer.Context, names: Iterable[str]) -> None:
    """Set the values that were typed aside; the parser level nearest the command has the last word."""
    for name in names:
        # Taken out, since Typer calls a command's function with all of `params`, and no function declares these.
        value = ctx.params.pop(name, None)
        source = ctx.get_parameter_source(name)
        # Only what was typed: every level parses all global options, and the default of an inner one would undo what
        # was typed further left. `meta` is one dict for all levels, because click hands it from each context to the
        # next.
        if source is not None and source.name == "COMMANDLINE":
            ctx.meta.setdefault(_KEY, {})[name] = value


def given(ctx: typer.Context) -> dict[str, Any]:
    """The global options that were typed, by name, as typed values."""
    flags = dict(ctx.meta.get(_KEY, {}))
    if flags.pop("json", False):
        if flags.get("output", "json") != "json":
            raise UsageError(f"--json and --output {flags['output']} cannot be used together")
        flags["output"] = "json"
    return flags

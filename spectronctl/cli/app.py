"""The command tree, and the one place where an error becomes an exit code."""

from __future__ import annotations

from functools import cache
from typing import Any

import typer

from spectronctl.cli._globals import given
from spectronctl.cli._reporting import report_failure, report_interrupt
from spectronctl.cli._typer import Group, LazyGroup, NoCommandError
from spectronctl.cli.commands import COMMANDS
from spectronctl.cli.runtime import Runtime
from spectronctl.errors import RequestError, UsageError

_HELP = """Operate Spectron, SurrealDB's memory server for AI agents.

Examples:
  spectronctl --profile local contexts create acme --namespace acme --database x
  spectronctl keys create app-agent -c acme-prod --secret-file app.key
  spectronctl keys rotate app-agent -c acme-prod --secret-file app.key --force
  spectronctl help keys rotate
"""


@cache
def tree() -> Group:
    """The root command, with everything attached but nothing imported; what a run builds of it stays for the next."""
    root = Group(
        name="spectronctl",
        help=_HELP,
        rich_markup_mode=None,
        subcommand_metavar="COMMAND",
    )
    # A group and its singular are two objects over one module, which is imported by the one that is dispatched to.
    for name, entry in COMMANDS.items():
        module = f"spectronctl.cli.commands.{name.replace('-', '_')}"
        root.add_command(LazyGroup(name, module, entry.help, verbs=entry.verbs))
        if entry.alias:
            root.add_command(LazyGroup(name, module, entry.help, hidden=True), entry.alias)
    return root


def run(args: list[str], runtime: Runtime | None) -> int:
    """Run one command line; every failure ends here."""
    runtime = runtime or Runtime()
    runtime.args = list(args)  # parsing takes words out of the other
    runtime.format_help = _format_help
    try:
        with runtime:
            code = _dispatch_and_explain(args, runtime)
            # A success only now: what cannot be flushed makes the command fail.
            runtime.finish()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        return 0
    except KeyboardInterrupt as exc:
        return report_interrupt(runtime, exc)
    except Exception as exc:  # noqa: BLE001 - the last resort, so that no user sees a traceback
        return report_failure(runtime, exc)
    finally:
        runtime.streams.close_quietly()
    return code


def _format_help(ctx: Any, width: int) -> str:
    from spectronctl.cli._help import format_help

    return format_help(ctx, width)


def _dispatch_and_explain(args: list[str], runtime: Runtime) -> int:
    """An error about what is not there learns, while there are clients to ask with, what comes near."""
    try:
        return _dispatch(args, runtime)
    except RequestError as exc:
        from spectronctl.cli.near import name_near

        # Inside `with runtime`, while the clients are open.
        raise name_near(runtime, exc) from None


def _dispatch(args: list[str], runtime: Runtime) -> int:
    root = tree()
    try:
        # Not Typer's `main()`: that prints errors in its own form, and ends the process.
        with root.make_context("spectronctl", args, obj=runtime) as ctx:
            result = root.invoke(ctx)
    except typer.Exit as exc:
        return exc.exit_code
    except NoCommandError as exc:
        raise _name_habit(exc, root) from None
    except typer.TyperException as exc:
        # The level at which the parse stopped: what was typed up to there says how the error is shown.
        at: Any = getattr(exc, "ctx", None)
        runtime.flags = given(at) if at else {}
        raise _usage_error(exc, at, root) from None
    # Most commands return nothing; `exec`, `fsck --exit-code` and a few others an exit code.
    return result if isinstance(result, int) else 0


def _name_habit(exc: NoCommandError, root: Group) -> UsageError:
    from spectronctl.cli._habits import find_line

    if line := find_line(
        root, exc.path, exc.words
    ):  # a whole word of another tool's, and no slip of the fingers
        exc.hint, exc.command, exc.candidates = None, f"spectronctl {line}", []
    return exc


def _usage_error(exc: Any, ctx: Any, root: Group) -> UsageError:
    """Typer's complaint as ours: what is wrong, what comes near, where the option does belong."""
    help_line = f"'{ctx.command_path} --help' lists what fits." if ctx else None
    if option := getattr(exc, "option_name", None) if hasattr(exc, "possibilities") else None:
        return _option_error(option, exc.possibilities or (), ctx, root)
    message = exc.format_message().replace("Value error, ", "")  # pydantic's, through Typer
    error = UsageError(message.rstrip("."), hint=help_line)
    if "unexpected extra argument" in message and ctx:
        from spectronctl.cli._habits import find_place

        line = find_place(root, ctx.command_path.split()[1:])
        error.command = f"spectronctl {line}" if line else None
    return error


def _option_error(option: str, near: Any, ctx: Any, root: Group) -> UsageError:
    from spectronctl.cli._habits import NOTES, OPTIONS

    message = f"no option {option}" + (f" for '{ctx.command_path}'" if ctx else "")
    if meant := OPTIONS.get(option):
        return UsageError(message, hint=f"Pass {meant} instead.")
    if note := NOTES.get(option):
        return UsageError(message, hint=note)
    homes = _homes(option, root)
    help_line = f"'{ctx.command_path} --help' lists what fits." if ctx else None
    hint = f"{option} belongs to: {', '.join(homes)}" if homes else help_line
    return UsageError(message, candidates=near, hint=hint)


def _homes(option: str, root: Group) -> list[str]:
    from spectronctl.cli._tree import walk

    # Imports every command, which only the way to this error has to wait for.
    return [
        " ".join(node.path) for node in walk(root) for flag in node.flags if option in flag.names
    ]

"""What a command tells that failed or left something to do, and the exit code it ends in."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from spectronctl.cli.circumstances import explain_circumstance
from spectronctl.errors import INTERRUPTED, SpectronctlError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime


def report(rt: Runtime, error: SpectronctlError) -> int:
    """Tell what failed, in the form that was asked for; the exit code."""
    from spectronctl.output import Output

    # Not `rt.out`: that reads the settings and the config file, which may be what is broken.
    color = rt.flags.get("color", "auto")
    Output(_find_format(rt), rt.streams, color=color).error(error)
    return error.exit_code


def format_command(rt: Runtime, *words: str) -> str:
    """A command line to go on with: the server that was typed here is wanted there too."""
    # No key is repeated, however it was given: this line is shown.
    typed = [
        word
        for option in ("profile", "url")
        if option in rt.flags
        for word in (f"--{option}", str(rt.flags[option]))
    ]
    return shlex.join(["spectronctl", *words, *typed])


def report_interrupt(rt: Runtime, interrupt: KeyboardInterrupt | None = None) -> int:
    """Ctrl-C, or a signal that ends process 1: nothing more to say."""
    rt.streams.write_message("interrupted\n")
    # Process 1 of a container gets SIGTERM as an interrupt too, and ends with 128 + its number.
    return getattr(interrupt, "exit_code", INTERRUPTED)


def report_failure(rt: Runtime, exc: Exception) -> int:
    """Whatever a command raised; an ordinary circumstance is no defect, whichever exception tells of it."""
    if isinstance(exc, SpectronctlError):
        return report(rt, _tell_of_change(rt, exc))
    if _holds_interrupt(exc):
        return report_interrupt(rt)
    return report(rt, explain_circumstance(exc) or _describe_defect(rt, exc))


def _tell_of_change(rt: Runtime, error: SpectronctlError) -> SpectronctlError:
    """A result that cannot be shown is no failure of the request: run again, the command would do it twice."""
    from spectronctl.output.queries import MisfitError
    from spectronctl.output.streams import UnwrittenError

    if not rt.clients.has_written or not isinstance(error, (MisfitError, UnwrittenError)):
        return error
    done = "The server has carried out what was asked; only the result is not shown."
    # Not a usage error any more: exit code 2 says that nothing was done.
    return SpectronctlError(error.message, hint=error.hint or done, command=error.command)


def _holds_interrupt(exc: BaseException | None) -> bool:
    """Python 3.11 makes a RuntimeError of a Ctrl-C that strikes while a class is made, as during an import."""
    while exc is not None:
        if isinstance(exc, KeyboardInterrupt):
            return True
        exc = exc.__cause__ or exc.__context__
    return False


def _describe_defect(rt: Runtime, exc: Exception) -> SpectronctlError:
    """A defect of ours: named without the exception's own words, which could hold a secret."""
    # The word as it stands, not the setting: what is broken may be the reading of settings. Only the frames are
    # printed: the last line of a traceback is the exception's own text.
    if "--debug" in rt.args:
        import traceback

        rt.streams.write_message("".join(traceback.format_tb(exc.__traceback__)))
    reason = f": {exc.strerror}" if isinstance(exc, OSError) else ""
    return SpectronctlError(
        f"unexpected {type(exc).__name__} inside spectronctl{reason}",
        hint="This is a defect. --debug shows where; please report it.",
    )


def _find_format(rt: Runtime) -> str:
    """The output format, even when the command line could not be understood."""
    if "output" in rt.flags:
        return str(rt.flags["output"])
    # The parser gives up at the first unknown option, before it has noted what else was typed at that level. So the
    # words are read once more, and for JSON alone: in every other format an error looks the same.
    words = [*rt.args, "--"]
    words = words[: words.index("--")]  # what follows is no option, whatever it looks like
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--json":
            return "json"
        option = f"--output={following}" if word in {"-o", "--output"} else word
        if wanted := re.fullmatch(r"(?:--output=|-o)(jsonl?)", option):
            return wanted[1]
    return rt.env.get("SPECTRONCTL_OUTPUT", "table")

"""What a command tells that failed or left something to do, and the exit code it ends in."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from spectronctl.errors import INTERRUPTED, SpectronctlError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime


def report(rt: Runtime, error: SpectronctlError) -> int:
    """Tell what failed, in the form that was asked for; the exit code."""
    from spectronctl.output import Output

    color = rt.flags.get("color", "auto")
    Output(_find_format(rt), rt.streams, color=color).error(error)
    return error.exit_code


def format_command(rt: Runtime, *words: str) -> str:
    """A command line to go on with: the server that was typed here is wanted there too."""
    typed = [
        word
        for option in ("profile", "url")
        if option in rt.flags
        for word in (f"--{option}", str(rt.flags[option]))
    ]
    return shlex.join(["spectronctl", *words, *typed])


def report_interrupt(rt: Runtime) -> int:
    """Ctrl-C: nothing more to say."""
    rt.streams.write_message("interrupted\n")
    return INTERRUPTED


def report_unexpected(rt: Runtime, exc: Exception) -> int:
    """A defect of ours: named without the exception's own words, which could hold a secret."""
    if "--debug" in rt.args:
        import traceback

        rt.streams.write_message("".join(traceback.format_tb(exc.__traceback__)))
    reason = f": {exc.strerror}" if isinstance(exc, OSError) else ""
    defect = SpectronctlError(
        f"unexpected {type(exc).__name__} inside spectronctl{reason}",
        hint="This is a defect. --debug shows where; please report it.",
    )
    return report(rt, defect)


def _find_format(rt: Runtime) -> str:
    """The output format, even when the command line could not be understood."""
    if "output" in rt.flags:
        return str(rt.flags["output"])
    words = [*rt.args, "--"]
    words = words[: words.index("--")]  # what follows is no option, whatever it looks like
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--json":
            return "json"
        option = f"--output={following}" if word in {"-o", "--output"} else word
        if wanted := re.fullmatch(r"(?:--output=|-o)(jsonl?)", option):
            return wanted[1]
    return rt.env.get("SPECTRONCTL_OUTPUT", "table")

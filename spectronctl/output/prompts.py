"""Questions before something is destroyed: asked on stderr, answered on stdin."""

from __future__ import annotations

from spectronctl.errors import DeclinedError, UsageError
from spectronctl.ground.text import escape
from spectronctl.output.streams import Streams

DECLINED = "Nothing was changed."


def confirm(
    streams: Streams, question: str, *, yes: bool, no_input: bool, declined: str = DECLINED
) -> None:
    """
    Return when `--yes` or a person agrees.

    Raises DeclinedError, saying `declined`, after any other answer; UsageError when the session is not interactive.
    """
    # Once more, for callers that ask without having checked before their first request.
    check_interactive(streams, question, yes=yes, no_input=no_input)
    if yes:
        return
    if _ask(streams, f"{escape(question)} [y/N] ").casefold() not in {"y", "yes"}:
        raise DeclinedError(declined)


def confirm_by_name(
    streams: Streams,
    name: str,
    *,
    given: str | None,
    no_input: bool,
    question: str = "",
    declined: str = DECLINED,
) -> None:
    """
    Return when `--confirm NAME`, or a person, names what is about to be destroyed.

    `given` is what `--confirm` said. Raises UsageError when that is another name or the session is not interactive,
    DeclinedError when a person types anything else.
    """
    check_name(streams, name, given=given, no_input=no_input)
    if given == name:
        return
    shown = escape(name)
    if _ask(streams, f"{escape(question)}\nType {shown} to go ahead: ".lstrip()) != name:
        raise DeclinedError(declined)


def check_interactive(streams: Streams, question: str, *, yes: bool, no_input: bool) -> None:
    """Before anything is sent: UsageError when `confirm` could not ask."""
    if not yes and not streams.can_ask(no_input=no_input):
        raise UsageError(
            f"confirmation is needed, and the session is not interactive: {question}",
            hint="Pass --yes to go ahead without a question.",
        )


def check_name(streams: Streams, name: str, *, given: str | None, no_input: bool) -> None:
    """Before anything is sent: UsageError when `confirm_by_name` could not end well."""
    # Even where a person could be asked: a script that confirms another name was written for something else.
    if given is not None and given != name:
        raise UsageError(f"--confirm says {given!r}, but this is about {name!r}")
    if given is None and not streams.can_ask(no_input=no_input):
        raise UsageError(
            f"the name {name!r} is needed as a confirmation, and the session is not interactive",
            hint=f"Pass --confirm {name} to go ahead without a question.",
        )


def _ask(streams: Streams, prompt: str) -> str:
    """A line of the person's, without white space around it; nothing at the end of input."""
    # Not input(prompt): that writes to stdout, where the result goes.
    streams.write_message(prompt)
    line = streams.stdin.readline()
    if not line.endswith("\n"):  # Ctrl-D leaves the cursor behind the prompt
        streams.write_message("\n")
    return line.strip()

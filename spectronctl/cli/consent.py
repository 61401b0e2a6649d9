"""Questions before something is destroyed; a protected profile wants the context's name typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime


def is_agreed(rt: Runtime, *, name: str, confirmed: str | None) -> bool:
    """Whether the command line agrees, so that no question has to be put together."""
    return confirmed == name if _wants_name(rt, confirmed) else rt.settings.yes.value


def check_confirmable(rt: Runtime, question: str, *, name: str, confirmed: str | None) -> None:
    """Before anything is sent: refuse what `get_consent` would refuse because no person can be asked."""
    from spectronctl.output.prompts import check_interactive, check_name

    no_input = rt.settings.no_input.value
    if _wants_name(rt, confirmed):
        check_name(rt.streams, name, given=confirmed, no_input=no_input)
    else:
        check_interactive(rt.streams, question, yes=rt.settings.yes.value, no_input=no_input)


def get_consent(
    rt: Runtime, question: str, *, name: str, confirmed: str | None, declined: str
) -> None:
    """Ask; `confirmed` is what `--confirm` says. DeclinedError with the text `declined` when the answer is no."""
    from spectronctl.output import prompts

    no_input = rt.settings.no_input.value
    if _wants_name(rt, confirmed):
        prompts.confirm_by_name(
            rt.streams,
            name,
            question=question,
            given=confirmed,
            no_input=no_input,
            declined=declined,
        )
    else:
        prompts.confirm(
            rt.streams, question, yes=rt.settings.yes.value, no_input=no_input, declined=declined
        )


def _wants_name(rt: Runtime, confirmed: str | None) -> bool:
    # A typed --confirm counts on every profile: where it names something else, --yes must not go ahead.
    return rt.settings.protected.value or confirmed is not None

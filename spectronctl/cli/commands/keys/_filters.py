"""The options that choose among the keys of a context."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.cli.commands.keys._options import read_duration

if TYPE_CHECKING:
    from spectronctl.operations.keys import KeyFilter


class ListedPrincipal(StrEnum):
    """What the keys of a list may be; some servers list management keys too."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    MANAGEMENT = "management"


def _age_option(flag: str, help: str) -> Any:
    return typer.Option(flag, metavar="DURATION", help=help)


@dataclass(frozen=True, kw_only=True)
class FilterOptions:
    """Which keys are meant; what is not said matters not."""

    older_than: Annotated[
        str | None, _age_option("--older-than", "Only keys made longer ago than this, such as 90d.")
    ] = None
    unused_for: Annotated[
        str | None, _age_option("--unused-for", "Only keys that nobody has used for this long.")
    ] = None
    expiring: Annotated[
        str | None, _age_option("--expiring", "Only keys that will expire within this time.")
    ] = None
    principal: Annotated[
        ListedPrincipal | None, typer.Option("--principal", help="Only keys of this principal.")
    ] = None
    match: Annotated[
        str | None,
        typer.Option("--match", metavar="GLOB", help="Only keys named so, such as 'app-*'."),
    ] = None

    def read(self) -> KeyFilter:
        """The filter that they amount to."""
        from spectronctl.operations.keys import KeyFilter

        return KeyFilter(
            older_than=_read_age(self.older_than, "--older-than"),
            unused_for=_read_age(self.unused_for, "--unused-for"),
            expiring=_read_age(self.expiring, "--expiring"),
            principal=self.principal and self.principal.value,
            match=self.match,
        )


def _read_age(text: str | None, option: str) -> float | None:
    return None if text is None else read_duration(text, option)

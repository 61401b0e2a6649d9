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
        str | None,
        _age_option("--older-than", "Select keys older than this duration, such as 90d."),
    ] = None
    unused_for: Annotated[
        str | None,
        _age_option(
            "--unused-for", "Select keys that have not been used for this long, such as 30d."
        ),
    ] = None
    expiring: Annotated[
        str | None,
        _age_option("--expiring", "Select keys that expire within this duration, such as 7d."),
    ] = None
    principal: Annotated[
        ListedPrincipal | None,
        typer.Option("--principal", help="Select keys of this principal."),
    ] = None
    match: Annotated[
        str | None,
        typer.Option(
            "--match", metavar="GLOB", help="Select keys with a name like this, such as 'app-*'."
        ),
    ] = None

    def read(self) -> KeyFilter:
        """The filter that they amount to."""
        from spectronctl.operations.keys import KeyFilter

        return KeyFilter(
            older_than=_parse_age(self.older_than, "--older-than"),
            unused_for=_parse_age(self.unused_for, "--unused-for"),
            expiring=_parse_age(self.expiring, "--expiring"),
            principal=self.principal and self.principal.value,
            match=self.match,
        )


def _parse_age(text: str | None, option: str) -> float | None:
    return None if text is None else read_duration(text, option)

"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from spectronctl.output.sinks import Place


class IfMissing(StrEnum):
    """What a deletion makes of a target that is not there."""

    FAIL = "fail"
    OK = "ok"


ConfirmOption = Annotated[
    str | None,
    typer.Option("--confirm", metavar="NAME", help="Confirm by naming the context, unasked."),
]
IfMissingOption = Annotated[
    IfMissing, typer.Option("--if-missing", help="What a missing one means.", show_default=True)
]


@dataclass(frozen=True, kw_only=True)
class SecretOptions:
    """Where a freshly minted secret goes."""

    secret_file: Annotated[
        list[str] | None,
        typer.Option("--secret-file", metavar="PATH", help="Write the secret to a new 0600 file."),
    ] = None
    secret_env_file: Annotated[
        list[str] | None,
        typer.Option(
            "--secret-env-file", metavar="PATH:NAME", help="Put the secret in a dotenv file."
        ),
    ] = None
    secret_command: Annotated[
        list[str] | None,
        typer.Option("--secret-command", metavar="CMD", help="Pipe the secret into a command."),
    ] = None
    force: Annotated[
        bool, typer.Option("--force", help="Replace an existing file or variable.")
    ] = False
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Print the secret although a terminal shows it.")
    ] = False

    def read_places(self, env: Mapping[str, str]) -> tuple[Place, ...]:
        """The places that were named, without two that are one; UsageError."""
        from spectronctl.output.sinks import (
            check_distinct,
            read_command,
            read_file,
            read_variable,
        )

        places = (
            *(read_file(text) for text in self.secret_file or ()),
            *(read_variable(text) for text in self.secret_env_file or ()),
            *(read_command(text, env) for text in self.secret_command or ()),
        )
        check_distinct(places)
        return places

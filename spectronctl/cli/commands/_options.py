"""Options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer


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
        str | None,
        typer.Option("--secret-file", metavar="PATH", help="Write the secret to a new 0600 file."),
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Print the secret although a terminal shows it.")
    ] = False

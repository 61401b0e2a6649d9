"""Options that these commands share."""

from __future__ import annotations

from typing import Annotated

import typer

SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Use only traces made since this time: 7d (ago), or 2026-05-01.",
    ),
]
ScopeOption = Annotated[
    str | None,
    typer.Option(
        "--scope", metavar="PATH", help="Use only traces of callers at or below this path."
    ),
]

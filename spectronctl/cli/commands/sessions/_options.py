"""Arguments and options that several of these commands share."""

from __future__ import annotations

from typing import Annotated

import typer

SessionArgument = Annotated[str, typer.Argument(metavar="SESSION", help="Id of the session.")]
ScopeOption = Annotated[
    list[str] | None,
    typer.Option("--scope", metavar="PATH", help="Tag it with this path; may be repeated."),
]
ParallelOption = Annotated[
    int, typer.Option("--parallel", min=1, max=32, metavar="N", help="Requests at a time.")
]

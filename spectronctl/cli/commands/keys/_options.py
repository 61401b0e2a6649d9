"""Arguments and options that the verbs of a key share."""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.config.values import parse_duration, parse_named

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Id or name of the key.")]
RecoverOption = Annotated[
    bool,
    typer.Option("--recover", help="Should the answer be lost, rotate to a secret that is known."),
]
WaitOption = Annotated[
    bool, typer.Option("--wait", help="Wait until the old key is gone; interrupting loses nothing.")
]
ParallelOption = Annotated[
    int, typer.Option("--parallel", min=1, max=32, metavar="N", help="Rotations at a time.")
]


def read_duration(text: str, option: str) -> float:
    """Seconds; UsageError names the option that is no duration."""
    return float(parse_named(parse_duration, text, option))

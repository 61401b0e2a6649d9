"""Options that the server and its worker share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class LogFormat(StrEnum):
    """How requests are logged on stderr."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """From which level on the server logs."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Use this store: surrealkv://PATH, mem:// or ws://HOST; by default that of --profile local.",
    ),
]


PrivateProvidersOption = Annotated[
    bool,
    typer.Option(
        "--allow-private-providers",
        help="Ask providers at private addresses; a server on loopback always may.",
    ),
]
SecretKeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--secret-key-file",
        metavar="PATH",
        help="Seal providers' secrets under the first key in this file; the others still open.",
    ),
]
ReadyFileOption = Annotated[
    Path | None,
    typer.Option("--ready-file", metavar="PATH", help="Write the ready line to this file."),
]
LogFormatOption = Annotated[
    LogFormat, typer.Option("--log-format", help="Choose the format of the log on stderr.")
]
LogLevelOption = Annotated[
    LogLevel,
    typer.Option(
        "--log-level", help="Log from this level on: each request is info, a refused key a warning."
    ),
]

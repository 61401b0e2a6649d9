"""`spectronctl version`"""

from __future__ import annotations

import platform
from typing import Annotated

import typer

from spectronctl import __version__
from spectronctl.cli._typer import App, Context
from spectronctl.output.views import Column, View

app = App()

VERSION = View(
    columns=(Column("spectronctl"), Column("python"), Column("platform"), Column("server")),
    name="spectronctl",
)


@app.command()
def version(
    ctx: Context,
    server: Annotated[bool, typer.Option("--server", help="Ask the server for its own.")] = False,
) -> None:
    """Show the version of spectronctl, and of the server."""
    rt = ctx.runtime
    rt.out.check(VERSION)
    versions = {
        "spectronctl": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
    }
    if server:
        from spectronctl.api.health import get_health

        versions["server"] = rt.public_client.send(get_health()).version or "unknown"
    rt.out.show(versions, VERSION)

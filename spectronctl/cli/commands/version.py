"""`spectronctl version`"""

from __future__ import annotations

import platform
from typing import Annotated

import typer

from spectronctl import __version__
from spectronctl.cli._typer import App, Context
from spectronctl.errors import FOUND
from spectronctl.output.views import Column, View

app = App()

VERSION = View(
    columns=(Column("spectronctl"), Column("python"), Column("platform"), Column("server")),
    name="spectronctl",
)
CHECKED = View(
    columns=(*VERSION.columns, Column("compatibility"), Column("missing", kind="list")),
    name="compatibility",
)


@app.command()
def version(
    ctx: Context,
    server: Annotated[
        bool, typer.Option("--server", help="Show the version of the server, too.")
    ] = False,
    check_server: Annotated[
        bool,
        typer.Option(
            "--check-server",
            help=f"Compare with the server; exit with code {FOUND} if it is older or newer.",
        ),
    ] = False,
) -> int:
    """
    Show the version of spectronctl, and compare it with the server.

    --check-server says `compatible` when `spectronctl serve` of the same two first numbers responds (ends with 0),
    `older` or `newer` when another one does (20), and `unknown` for every other server, whose versions count by
    themselves (0); `missing` are the routes of our commands that the server's description lacks, null where it
    describes none. No management plane, or no response, is an error (9). No key is needed.

    Examples:
      spectronctl version
      spectronctl version --check-server
    """
    rt = ctx.runtime
    rt.out.check(CHECKED if check_server else VERSION)
    versions = {
        "spectronctl": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
    }
    if check_server:
        from spectronctl.operations import compatibility

        found = compatibility.check_server(rt.clients.public, __version__)
        told = {"server": found.version or "unknown", "compatibility": found.verdict}
        rt.out.show({**versions, **told, "missing": found.missing}, CHECKED)
        return FOUND if found.verdict in {"older", "newer"} else 0
    if server:
        from spectronctl.api.health import get_health

        versions["server"] = rt.clients.public.send(get_health()).version or "unknown"
    rt.out.show(versions, VERSION)
    return 0

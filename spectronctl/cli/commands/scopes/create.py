"""`spectronctl scopes create`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.api import scopes as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.scopes._view import SCOPES
from spectronctl.cli.seen import remember_name

app = App()


@app.command()
def create_scope(
    ctx: Context,
    scope: Annotated[
        str, typer.Argument(metavar="SCOPE", help="Use the scope of this path: org/acme.")
    ],
    display_name: Annotated[
        str | None,
        typer.Option("--display-name", metavar="NAME", help="Show the scope under this name."),
    ] = None,
    description: Annotated[
        str | None,
        typer.Option("--description", metavar="WORDS", help="Show with the scope what it is for."),
    ] = None,
) -> None:
    """
    Create a scope and those above it, or revive a tombstone.

    Safe to repeat: a name or a description stays until a new one is given. Writes create
    their scopes by themselves.

    Examples:
      spectronctl scopes create org/acme/team --display-name 'The team'
    """
    rt = ctx.runtime
    rt.out.check(SCOPES)
    with open_plane(rt) as (client, context):
        made = client.send(
            api.register_scope(context, scope, display_name=display_name, description=description)
        )
    remember_name(rt, "scopes", made.path, context=context)
    rt.out.note(f"Registered {made.path}.")
    rt.out.show(made.to_dict(), SCOPES)

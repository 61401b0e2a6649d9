"""`spectronctl sessions create`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.sessions._options import ScopeOption
from spectronctl.cli.commands.sessions._view import SESSIONS
from spectronctl.cli.seen import remember_name

app = App()


@app.command()
def create_session(
    ctx: Context,
    scope: ScopeOption = None,
    metadata: Annotated[
        str | None,
        typer.Option("--metadata", metavar="JSON", help="Keep this JSON object with the session."),
    ] = None,
) -> None:
    """
    Create an empty session.

    Examples:
      spectronctl sessions create
      spectronctl sessions create --scope org/acme --metadata '{"ticket": 4711}'
    """
    from spectronctl.operations import sessions
    from spectronctl.output.parsing import parse_json_text

    rt = ctx.runtime
    rt.out.check(SESSIONS)
    kept = None if metadata is None else parse_json_text(metadata, "--metadata")
    with open_plane(rt) as (client, context):
        made = sessions.create_session(client, context, scopes=scope or None, metadata=kept)
    remember_name(rt, "sessions", made.id, context=context)
    rt.out.note(f"Created {made.id}.")
    rt.out.show(made.to_dict(), SESSIONS)

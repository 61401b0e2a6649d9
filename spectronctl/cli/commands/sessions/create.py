"""`spectronctl sessions create`"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.sessions._options import ScopeOption
from spectronctl.cli.commands.sessions._view import SESSIONS
from spectronctl.errors import UsageError

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
    """Create an empty session."""
    from spectronctl.operations import sessions

    rt = ctx.runtime
    rt.out.check(SESSIONS)
    kept = None if metadata is None else _parse_metadata(metadata)
    with open_plane(rt) as (client, context):
        made = sessions.create_session(client, context, scopes=scope or None, metadata=kept)
    rt.out.note(f"Created {made.id}.")
    rt.out.show(made.to_dict(), SESSIONS)


def _parse_metadata(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError(
            f"--metadata: not JSON: {exc}", hint="""For instance '{"ticket": 4711}'."""
        ) from None

"""`spectronctl sessions context`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.api import sessions as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.sessions._naming import resolve_session
from spectronctl.cli.commands.sessions._options import SessionArgument
from spectronctl.cli.commands.sessions._view import RECALLED
from spectronctl.errors import UsageError

app = App()


@app.command()
def get_session_context(
    ctx: Context,
    session: SessionArgument,
    question: Annotated[str, typer.Argument(metavar="QUERY", help="Find text for this query.")],
) -> None:
    """
    Get the parts of a session that match a query, for a prompt.

    Examples:
      spectronctl sessions context session:01JC4YKM3VQ8Z5T2N7XW9RHEA1 plants
    """
    rt = ctx.runtime
    rt.out.check(RECALLED)
    if not question.strip():
        raise UsageError("QUERY: a question is needed, not an empty one")
    with open_plane(rt) as (client, context):
        session_id = resolve_session(client, context, session)
        found = client.send(api.get_session_context(context, session_id, question))
    if not found.context:
        rt.out.note("Nothing was found.")
    rt.out.show(found.to_dict(), RECALLED)

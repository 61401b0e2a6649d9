"""`spectronctl sessions get`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.sessions._naming import resolve_session
from spectronctl.cli.commands.sessions._options import SessionArgument
from spectronctl.cli.commands.sessions._view import SUMMARY

if TYPE_CHECKING:
    from spectronctl.operations.transcripts import Summary

app = App()


@app.command()
def get_session(ctx: Context, session: SessionArgument) -> None:
    """
    Show one session: its metadata, its turns, the first and the last.

    Examples:
      spectronctl sessions get session:01JC4YKM3VQ8Z5T2N7XW9RHEA1
    """
    from spectronctl.operations.transcripts import summarize_session

    rt = ctx.runtime
    rt.out.check(SUMMARY)
    with open_plane(rt) as (client, context):
        session_id = resolve_session(client, context, session)
        found = summarize_session(client, context, session_id)
    rt.out.show(_describe(session_id, found), SUMMARY)


def _describe(session_id: str, found: Summary) -> dict[str, Any]:
    known = found.session.to_dict() if found.session else {"id": session_id}
    return {
        **known,
        "turn_count": found.turns,
        "first_turn": found.first,
        "last_turn": found.last,
    }

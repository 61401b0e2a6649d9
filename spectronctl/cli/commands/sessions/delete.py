"""`spectronctl sessions delete`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.api import sessions
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption, IfMissing, IfMissingOption
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.sessions._naming import resolve_sessions
from spectronctl.cli.commands.sessions._view import SESSIONS
from spectronctl.cli.consent import check_confirmable, get_consent
from spectronctl.cli.deleting import Deletion
from spectronctl.cli.seen import forget_name
from spectronctl.errors import NotFoundError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.client import Client

app = App()


@app.command()
def delete_sessions(
    ctx: Context,
    session: Annotated[
        list[str], typer.Argument(metavar="SESSION", help="Use the sessions with these ids.")
    ],
    confirm: ConfirmOption = None,
    if_missing: IfMissingOption = IfMissing.FAIL,
) -> None:
    """
    Delete sessions with all their turns, for good.

    Examples:
      spectronctl sessions delete session:01JC4YKM3VQ8Z5T2N7XW9RHEA1
    """
    rt = ctx.runtime
    rt.out.check(SESSIONS)
    # With the words as typed; the question below names the whole ids that they stand for.
    check_confirmable(rt, _ask(rt, session), name=rt.context, confirmed=confirm)
    with open_plane(rt) as (client, context):
        ids = resolve_sessions(client, context, session)
        get_consent(
            rt,
            _ask(rt, ids),
            name=context,
            confirmed=confirm,
            declined="Nothing was deleted.",
        )
        Deletion[str](
            plural="sessions",
            view=SESSIONS,
            delete=lambda each: _delete(rt, client, context, each, if_missing),
            describe=lambda each: {"id": each},
            name=str,
        ).run(rt, ids, named=session)


def _delete(
    rt: Runtime, client: Client, context: str, session_id: str, if_missing: IfMissing
) -> bool:
    """Whether it was there."""
    try:
        client.send(sessions.delete_session(context, session_id))
    except NotFoundError:
        if if_missing is IfMissing.FAIL:
            raise
        is_there = False
    else:
        is_there = True
    forget_name(rt, "sessions", session_id, context=context)
    return is_there


def _ask(rt: Runtime, ids: Sequence[str]) -> str:
    what = f"{ids[0]} with all its turns"
    if len(ids) > 1:
        what = f"{len(ids)} sessions ({', '.join(ids)}) with all their turns"
    return f"Delete {what} from context {rt.context} of {rt.place}?"

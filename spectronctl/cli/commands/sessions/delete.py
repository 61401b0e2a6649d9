"""`spectronctl sessions delete`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption, IfMissing, IfMissingOption
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.sessions._view import SESSIONS
from spectronctl.cli.consent import get_consent

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
    """Delete sessions with all their turns, for good."""
    from spectronctl.operations import sessions

    rt = ctx.runtime
    rt.out.check(SESSIONS)
    ids = list(dict.fromkeys(session))
    what = f"{ids[0]} with all its turns"
    if len(ids) > 1:
        what = f"{len(ids)} sessions ({', '.join(ids)}) with all their turns"
    get_consent(
        rt,
        f"Delete {what} from context {rt.context} of {rt.place}?",
        name=rt.context,
        confirmed=confirm,
        declined="Nothing was deleted.",
    )
    with open_plane(rt) as (client, context):
        deleted = sessions.delete_sessions(
            client, context, ids, missing_ok=if_missing is IfMissing.OK
        )
    outcomes = [{"id": each, "deleted": each in deleted} for each in ids]
    told = [f"Deleted {each}." if each in deleted else f"There was no {each}." for each in ids]
    if len(ids) == 1:
        rt.out.done(outcomes[0], SESSIONS, told[0])
    else:
        rt.out.done_all(outcomes, SESSIONS, "\n".join(told))

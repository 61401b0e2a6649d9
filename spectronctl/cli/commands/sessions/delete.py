"""`spectronctl sessions delete`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption, IfMissing, IfMissingOption
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.sessions._naming import resolve_sessions
from spectronctl.cli.commands.sessions._view import SESSIONS
from spectronctl.cli.consent import check_confirmable, get_consent

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

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
        deleted = sessions.delete_sessions(
            client, context, ids, missing_ok=if_missing is IfMissing.OK
        )
    outcomes = [{"id": each, "deleted": each in deleted} for each in ids]
    told = [f"Deleted {each}." if each in deleted else f"There was no {each}." for each in ids]
    if len(ids) == 1:
        rt.out.done(outcomes[0], SESSIONS, told[0])
    else:
        rt.out.done_all(outcomes, SESSIONS, "\n".join(told))


def _ask(rt: Runtime, ids: Sequence[str]) -> str:
    what = f"{ids[0]} with all its turns"
    if len(ids) > 1:
        what = f"{len(ids)} sessions ({', '.join(ids)}) with all their turns"
    return f"Delete {what} from context {rt.context} of {rt.place}?"

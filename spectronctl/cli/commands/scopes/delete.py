"""`spectronctl scopes delete`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.api import scopes as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption, IfMissing, IfMissingOption
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.scopes._view import SCOPES
from spectronctl.cli.consent import check_confirmable, get_consent
from spectronctl.cli.deleting import Deletion
from spectronctl.errors import NotFoundError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.client import Client

app = App()


@app.command()
def delete_scopes(
    ctx: Context,
    scope: Annotated[
        list[str], typer.Argument(metavar="SCOPE", help="Use the scopes of these paths.")
    ],
    confirm: ConfirmOption = None,
    if_missing: IfMissingOption = IfMissing.FAIL,
) -> None:
    """
    Delete scopes: nothing is written there any more.

    What is written there stays. All scopes below them are tombstoned, too. 'spectronctl scopes create' revives one;
    'spectronctl scopes forget' erases what is written there.

    Examples:
      spectronctl scopes delete org/acme
      spectronctl scopes delete org/acme --yes --if-missing ok
    """
    rt = ctx.runtime
    rt.out.check(SCOPES)
    question = _ask(rt, scope)
    check_confirmable(rt, question, name=rt.context, confirmed=confirm)
    with open_plane(rt) as (client, context):
        get_consent(
            rt, question, name=context, confirmed=confirm, declined="Nothing was tombstoned."
        )
        Deletion[str](
            plural="scopes",
            view=SCOPES,
            delete=lambda each: _delete(client, context, each, if_missing),
            describe=lambda each: {"path": each},
            name=str,
        ).run(rt, scope, named=scope)


def _delete(client: Client, context: str, scope: str, if_missing: IfMissing) -> bool:
    """Whether it was there."""
    try:
        client.send(api.tombstone_scope(context, scope))
    except NotFoundError:
        if if_missing is IfMissing.FAIL:
            raise
        return False
    return True


def _ask(rt: Runtime, scopes: Sequence[str]) -> str:
    return (
        f"Tombstone {', '.join(scopes)} and all below in context {rt.context} of {rt.place}? "
        "Nothing can be written there any more."
    )

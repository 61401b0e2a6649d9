"""`spectronctl contexts delete`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.api import contexts
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption, IfMissing, IfMissingOption
from spectronctl.cli.commands.contexts._view import CONTEXTS
from spectronctl.cli.consent import get_consent
from spectronctl.cli.seen import forget_context
from spectronctl.errors import NotFoundError

app = App()


@app.command()
def delete_context(
    ctx: Context,
    context_id: Annotated[str, typer.Argument(metavar="ID", help="Use the context with this id.")],
    confirm: ConfirmOption = None,
    if_missing: IfMissingOption = IfMissing.FAIL,
) -> None:
    """Delete a context: its database, its keys and its registration. This cannot be undone."""
    rt = ctx.runtime
    rt.out.check(CONTEXTS)
    get_consent(
        rt,
        f"Delete context {context_id}, with its database and all its keys, from {rt.place}?",
        name=context_id,
        confirmed=confirm,
        declined="Nothing was deleted.",
    )
    deleted = True
    try:
        rt.client.send(contexts.delete_context(context_id))
    except NotFoundError:
        if if_missing is IfMissing.FAIL:
            raise
        deleted = False
    forget_context(rt, context_id)
    note = f"Deleted context {context_id}." if deleted else f"There was no context {context_id}."
    rt.out.done({"id": context_id, "deleted": deleted}, CONTEXTS, note)

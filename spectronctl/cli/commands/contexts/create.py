"""`spectronctl contexts create`"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands.contexts._config import ConfigOptions, warn_of_misspellings
from spectronctl.cli.commands.contexts._consent import UpdateConsent, show_update
from spectronctl.cli.commands.contexts._ids import check_id
from spectronctl.cli.commands.contexts._view import CONTEXTS
from spectronctl.cli.seen import remember_context

app = App()


class ContextIfExists(StrEnum):
    """What a creation makes of a context that is there already."""

    FAIL = "fail"
    SKIP = "skip"
    UPDATE = "update"


@app.command()
def create_context(
    ctx: Context,
    context_id: Annotated[str, typer.Argument(metavar="ID", help="Give the new context this id.")],
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace", metavar="NAME", help="Bind the context to this SurrealDB namespace."
        ),
    ],
    database: Annotated[
        str,
        typer.Option(
            "--database", metavar="NAME", help="Bind the context to this SurrealDB database."
        ),
    ],
    config: ConfigOptions,
    if_exists: Annotated[
        ContextIfExists,
        typer.Option(
            "--if-exists", help="Choose what to do if it already exists.", show_default=True
        ),
    ] = ContextIfExists.FAIL,
    confirm: ConfirmOption = None,
) -> None:
    """
    Create a context on a database of its own.

    With --if-exists update, asks as 'spectronctl contexts update' does.

    Examples:
      spectronctl contexts create acme-dev --namespace acme --database dev
      spectronctl contexts create ci --namespace acme --database ci --if-exists skip
    """
    from spectronctl.operations import contexts

    rt = ctx.runtime
    rt.out.check(CONTEXTS)
    check_id(context_id)
    wanted = config.read(rt)
    warn_of_misspellings(rt, wanted)
    made = contexts.create_context(
        rt.client,
        context_id,
        namespace=namespace,
        database=database,
        config=wanted,
        if_exists=if_exists.value,
        agree=UpdateConsent(rt, confirm),
    )
    # Also where it was there before: it is there, which is all that TAB has to know.
    remember_context(rt, context_id)
    if made.created:
        rt.out.note(f"Created context {context_id} on {namespace}/{database}.")
    else:
        rt.out.note(f"Context {context_id} already exists.")
    if made.update:
        show_update(rt, made.update)
    rt.out.show(made.context.to_dict(), CONTEXTS)

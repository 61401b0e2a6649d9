"""`spectronctl contexts update`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands._values import nest
from spectronctl.cli.commands.contexts._config import ConfigOptions, parse_path
from spectronctl.cli.commands.contexts._consent import UpdateConsent, show_update
from spectronctl.cli.commands.contexts._view import CONTEXTS
from spectronctl.cli.seen import remember_context
from spectronctl.errors import UsageError
from spectronctl.models.contexts import overlay

app = App()


@app.command()
def update_context(
    ctx: Context,
    context_id: Annotated[str, typer.Argument(metavar="ID", help="Use the context with this id.")],
    config: ConfigOptions,
    unset: Annotated[
        list[str] | None, typer.Option("--unset", metavar="A.B", help="Clear a field.")
    ] = None,
    confirm: ConfirmOption = None,
) -> None:
    """
    Change the configuration of a context.

    Fields without an option stay as they are.

    Asks before memories would expire earlier, the token limit would fall, or the key of a provider would be deleted.
    """
    from spectronctl.operations import contexts

    rt = ctx.runtime
    rt.out.check(CONTEXTS)
    patch = config.read(rt)
    for path in unset or ():
        patch = overlay(patch, nest(parse_path(path, "--unset"), None))
    if not patch:
        raise UsageError(
            "nothing to change was named",
            hint="Try --token-limit N, --set A.B=VALUE or --unset A.B.",
        )
    update = contexts.update_context(rt.client, context_id, patch, agree=UpdateConsent(rt, confirm))
    remember_context(rt, context_id)
    if update.changed:
        show_update(rt, update)
    else:
        rt.out.note(f"Context {context_id} is up to date: nothing was sent.")
    rt.out.show(update.context.to_dict(), CONTEXTS)

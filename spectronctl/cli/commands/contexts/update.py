"""`spectronctl contexts update`"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands._values import DOTS_INSIDE, nest
from spectronctl.cli.commands.contexts._config import (
    ConfigOptions,
    parse_path,
    warn_of_misspellings,
)
from spectronctl.cli.commands.contexts._consent import UpdateConsent, show_update
from spectronctl.cli.commands.contexts._view import CONTEXTS
from spectronctl.cli.seen import remember_context
from spectronctl.errors import UsageError
from spectronctl.models.contexts import overlay

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

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

    Examples:
      spectronctl contexts update acme-prod --retention-days 90
      spectronctl contexts update acme-prod --set labels.team=search
    """
    from spectronctl.operations import contexts

    rt = ctx.runtime
    rt.out.check(CONTEXTS)
    patch = config.read(rt)
    cleared = [parse_path(path, "--unset") for path in unset or ()]
    for names in cleared:
        # Last, so that --unset wins over --set and over the file: a null in the patch is what clears a field.
        patch = overlay(patch, nest(names, None))
    if not patch:
        raise UsageError(
            "nothing to change was named",
            hint="Try --token-limit N, --set A.B=VALUE or --unset A.B.",
        )
    warn_of_misspellings(rt, patch)
    update = contexts.update_context(rt.client, context_id, patch, agree=UpdateConsent(rt, confirm))
    remember_context(rt, context_id)
    _warn_of_missing(rt, cleared, update.before)
    if update.changed:
        show_update(rt, update)
    else:
        rt.out.note(f"Context {context_id} is up to date: nothing was sent.")
    rt.out.show(update.context.to_dict(), CONTEXTS)


def _warn_of_missing(
    rt: Runtime, cleared: Sequence[tuple[str, ...]], config: Mapping[str, Any]
) -> None:
    """A path that names no field has cleared nothing: mostly a dot that belongs to a name."""
    for names in cleared:
        place: Any = config
        for name in names:
            place = place.get(name) if isinstance(place, Mapping) else None
        if place is None and names[0] != "providers":  # shown without their keys
            shown = ".".join(json.dumps(name) if "." in name else name for name in names)
            rt.out.warn(f"--unset {shown}: the context has no such field. {DOTS_INSIDE}")

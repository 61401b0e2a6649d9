"""`spectronctl contexts delete`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.api import contexts
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption, IfMissing, IfMissingOption
from spectronctl.cli.commands.contexts._view import CONTEXTS
from spectronctl.cli.consent import check_confirmable, get_consent, is_agreed
from spectronctl.cli.deleting import Deletion
from spectronctl.cli.seen import forget_context
from spectronctl.errors import NotFoundError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

app = App()

DECLINED = "Nothing was deleted."


@app.command()
def delete_contexts(
    ctx: Context,
    context_id: Annotated[
        list[str], typer.Argument(metavar="ID", help="Delete the contexts with these ids.")
    ],
    confirm: ConfirmOption = None,
    if_missing: IfMissingOption = IfMissing.FAIL,
) -> None:
    """
    Delete contexts with their databases and their keys, for good.

    Several are confirmed together: on a protected profile by their ids with commas between them.

    Examples:
      spectronctl contexts delete acme-old
      spectronctl contexts delete acme-old --yes --if-missing ok
    """
    rt = ctx.runtime
    rt.out.check(CONTEXTS)
    ids = list(dict.fromkeys(context_id))
    _get_consent(rt, ids, confirm, if_missing)
    Deletion[str](
        plural="contexts",
        view=CONTEXTS,
        delete=lambda each: _delete(rt, each, if_missing),
        describe=lambda each: {"id": each},
        name=lambda each: f"context {each}",
    ).run(rt, ids, named=context_id)


def _get_consent(
    rt: Runtime, ids: Sequence[str], confirmed: str | None, if_missing: IfMissing
) -> None:
    name = ",".join(ids)
    # Before the first request, with a question that needs none: where no person can be asked, nothing is sent.
    check_confirmable(rt, _ask(rt, [f"context {name}"]), name=name, confirmed=confirmed)
    # With --yes the keys are not counted for a question that will not be asked.
    if is_agreed(rt, name=name, confirmed=confirmed):
        return
    question = _ask(rt, [_describe(rt, each, if_missing) for each in ids])
    get_consent(rt, question, name=name, confirmed=confirmed, declined=DECLINED)


def _ask(rt: Runtime, described: Sequence[str]) -> str:
    whose = "its database and all its keys" if len(described) == 1 else "their databases and keys"
    return f"Delete {', '.join(described)}, with {whose}, from {rt.place}?"


def _describe(rt: Runtime, context_id: str, if_missing: IfMissing) -> str:
    """What a deletion would take; NotFoundError for what is not there, unless that is no failure."""
    from spectronctl.operations.contexts import read_use

    try:
        use = read_use(rt.client, context_id)
    except NotFoundError:
        if if_missing is IfMissing.FAIL:
            raise
        return f"context {context_id} (does not exist)"
    if not use.keys:
        return f"context {context_id} (no keys)"
    used = f"last used {use.last_used_at}" if use.last_used_at else "never used"
    return f"context {context_id} ({use.keys} {'key' if use.keys == 1 else 'keys'}, {used})"


def _delete(rt: Runtime, context_id: str, if_missing: IfMissing) -> bool:
    """Whether it was there."""
    deleted = True
    try:
        rt.client.send(contexts.delete_context(context_id))
    except NotFoundError:
        if if_missing is IfMissing.FAIL:
            raise
        deleted = False
    # Also when it was not there: TAB offers it from this machine's memory.
    forget_context(rt, context_id)
    return deleted

"""`spectronctl contexts delete`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.api import contexts
from spectronctl.cli._typer import App, Context
from spectronctl.cli.batch import Batch, Outcome
from spectronctl.cli.commands._options import ConfirmOption, IfMissing, IfMissingOption
from spectronctl.cli.commands.contexts._view import CONTEXTS
from spectronctl.cli.consent import check_confirmable, get_consent, is_agreed
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
    """
    rt = ctx.runtime
    rt.out.check(CONTEXTS)
    ids = list(dict.fromkeys(context_id))
    _get_consent(rt, ids, confirm, if_missing)
    if len(ids) == 1:
        deleted = _delete(rt, ids[0], if_missing)
        rt.out.done({"id": ids[0], "deleted": deleted}, CONTEXTS, _tell(ids[0], deleted=deleted))
    else:
        _delete_many(rt, ids, if_missing)


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


def _delete_many(rt: Runtime, ids: Sequence[str], if_missing: IfMissing) -> None:
    batch = Batch[str, bool](
        work=lambda each: _delete(rt, each, if_missing),
        label="contexts",
        plural="contexts",
        say=_say,
        after_interrupt=_describe_interrupt,
        parallel=4,
    )
    outcomes = batch.run(rt, ids)
    deleted = sum(bool(outcome.result) for outcome in outcomes)
    note = f"Deleted {deleted} of {len(ids)} contexts."
    rt.out.done_all([_show(outcome) for outcome in outcomes], CONTEXTS, note)
    batch.raise_failures(outcomes)


def _show(outcome: Outcome[str, bool]) -> dict[str, Any]:
    error = outcome.error.message if outcome.error else None
    return {"id": outcome.item, "deleted": bool(outcome.result), "error": error}


def _say(outcome: Outcome[str, bool]) -> str:
    if outcome.error:
        return f"{outcome.item}: {outcome.error.message}"
    return _tell(outcome.item, deleted=bool(outcome.result))


def _tell(context_id: str, *, deleted: bool) -> str:
    return f"Deleted context {context_id}." if deleted else f"There was no context {context_id}."


def _describe_interrupt(outcomes: Sequence[Outcome[str, bool]]) -> str:
    deleted = [outcome.item for outcome in outcomes if outcome.result]
    return f"interrupted; deleted by then: {', '.join(deleted) or 'none'}"

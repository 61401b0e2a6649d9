"""`spectronctl keys delete`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.batch import refuse_limit
from spectronctl.cli.commands._options import ConfirmOption, IfMissing, IfMissingOption
from spectronctl.cli.commands.keys._view import KEYS
from spectronctl.cli.consent import check_confirmable, get_consent

if TYPE_CHECKING:
    from spectronctl.models.keys import Key

app = App()


@app.command()
def delete_key(
    ctx: Context,
    key: Annotated[
        list[str], typer.Argument(metavar="KEY", help="Delete the keys with these ids or names.")
    ],
    confirm: ConfirmOption = None,
    if_missing: IfMissingOption = IfMissing.FAIL,
) -> None:
    """Revoke keys at once."""
    from spectronctl.operations import keys

    rt = ctx.runtime
    # By hand: keys are deleted one after the other, so that a stop can say how far it came, and not in a `Batch`.
    refuse_limit(rt, "keys")
    rt.out.check(KEYS)
    context, missing_ok = rt.context, if_missing is IfMissing.OK
    # With the words as they were typed, before anything is sent; then the question once more, with the keys they name.
    check_confirmable(rt, f"Delete {', '.join(key)}?", name=context, confirmed=confirm)
    found = keys.find_doomed(rt.client, context, key, missing_ok=missing_ok)
    # By id: one key may be named twice, by its id and by its name.
    doomed = list({k.id: k for k in found.values() if k is not None}.values())
    if doomed:
        get_consent(
            rt,
            _ask(keys.name_keys(doomed), len(doomed), context),
            name=context,
            confirmed=confirm,
            declined="Nothing was deleted.",
        )
    deleted = keys.delete_keys(rt.client, context, doomed, missing_ok=missing_ok)
    outcomes = _list_outcomes(found, deleted)
    note = "\n".join(map(_tell, outcomes))
    if len(key) == 1:
        rt.out.done(outcomes[0], KEYS, note)
    else:
        rt.out.done_all(outcomes, KEYS, note)


def _ask(named: str, count: int, context: str) -> str:
    what = f"key {named}" if count == 1 else f"{count} keys ({named})"
    return f"Delete {what} of context {context}? Requests that use them fail at once."


def _list_outcomes(found: dict[str, Key | None], deleted: set[str]) -> list[dict[str, Any]]:
    """One for each key, and one for each word that names none."""
    outcomes = {
        key.id if key else word: {
            "id": key.id if key else None,
            "name": key.name if key else word,
            "deleted": key is not None and key.id in deleted,
        }
        for word, key in found.items()
    }
    return list(outcomes.values())


def _tell(outcome: dict[str, Any]) -> str:
    if outcome["deleted"]:
        return f"Deleted key {outcome['name']}."
    return f"There was no key {outcome['name']}."

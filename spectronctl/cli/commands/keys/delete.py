"""`spectronctl keys delete`"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.batch import refuse_limit
from spectronctl.cli.commands._options import ConfirmOption, IfMissing, IfMissingOption
from spectronctl.cli.commands.keys._view import KEYS
from spectronctl.cli.consent import check_confirmable, get_consent
from spectronctl.cli.deleting import Deletion
from spectronctl.cli.seen import forget_name

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
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
    """
    Revoke keys at once.

    Examples:
      spectronctl keys delete old-agent
      spectronctl keys delete old-agent --yes --if-missing ok
    """
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
    Deletion[_Found](
        plural="keys",
        view=KEYS,
        delete=lambda each: _delete(rt, each.key, missing_ok=missing_ok),
        describe=lambda each: {"id": each.key and each.key.id, "name": each.name},
        name=lambda each: f"key {each.name}",
    ).run(rt, _list_found(found), named=key)


def _delete(rt: Runtime, key: Key | None, *, missing_ok: bool) -> bool:
    """Whether it was there."""
    from spectronctl.operations import keys

    if key is None:
        return False
    is_there = keys.delete_key(rt.client, rt.context, key, missing_ok=missing_ok)
    forget_name(rt, "keys", key.name, context=rt.context)
    return is_there


@dataclass(frozen=True)
class _Found:
    """What a word of the command line names; None where there is no such key, and that is no failure."""

    word: str
    key: Key | None

    @property
    def name(self) -> str:
        return self.key.name if self.key else self.word


def _list_found(found: Mapping[str, Key | None]) -> list[_Found]:
    """One for each key, and one for each word that names none."""
    return list(
        {key.id if key else word: _Found(word, key) for word, key in found.items()}.values()
    )


def _ask(named: str, count: int, context: str) -> str:
    what = f"key {named}" if count == 1 else f"{count} keys ({named})"
    return f"Delete {what} of context {context}? Requests that use them fail at once."

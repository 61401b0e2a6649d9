"""`spectronctl scopes forget`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.api import scopes as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands._plane import explain_missing, open_plane
from spectronctl.cli.commands.scopes._view import FORGOTTEN
from spectronctl.cli.consent import check_confirmable, get_consent, is_agreed
from spectronctl.errors import NotAvailableError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.client import Client
    from spectronctl.models.scopes import Forgotten

app = App()

_NO_PREVIEW = "this server cannot tell beforehand what would be erased; nothing was erased"


@app.command()
def forget_scope(
    ctx: Context,
    scope: Annotated[
        str, typer.Argument(metavar="SCOPE", help="Use the scope of this path: org/acme.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how much would be erased, and change nothing.")
    ] = False,
    confirm: ConfirmOption = None,
) -> None:
    """
    Erase everything that is tagged at or below a scope, for good.

    What other scopes own, too, goes along: it is counted as co-owned. The scope itself stays registered.

    Examples:
      spectronctl scopes forget org/acme --dry-run
      spectronctl scopes forget org/acme --confirm acme-prod
    """
    rt = ctx.runtime
    rt.out.check(FORGOTTEN)
    if not dry_run:
        question = f"Erase everything at or below {scope}?"
        check_confirmable(rt, question, name=rt.context, confirmed=confirm)
    with open_plane(rt) as (client, context):
        if dry_run:
            found = _preview(client, context, scope)
            rt.out.note(f"{_count(found)} would be erased; nothing was erased.")
        else:
            _ask(rt, client, context, scope, confirm)
            found = client.send(api.forget_scope(context, scope))
            rt.out.note(f"Erased {_count(found)}.")
    rt.out.show(found.to_dict(), FORGOTTEN)


def _ask(rt: Runtime, client: Client, context: str, scope: str, confirmed: str | None) -> None:
    # The count is for the question: to count takes as long as to read every row.
    if is_agreed(rt, name=context, confirmed=confirmed):
        return
    try:
        what = _count(_preview(client, context, scope))
    except NotAvailableError:
        what = "everything (the server cannot tell how much)"
    get_consent(
        rt,
        f"Erase {what} at or below {scope} from context {context} of {rt.place}? This cannot be undone.",
        name=context,
        confirmed=confirmed,
        declined="Nothing was erased.",
    )


def _preview(client: Client, context: str, scope: str) -> Forgotten:
    with explain_missing(_NO_PREVIEW):
        return client.send(api.preview_forgetting(context, scope))


def _count(found: Forgotten) -> str:
    """`12 rows (sessions 4, …), 2 of them co-owned by other scopes`, as far as the server tells."""
    text = f"{found.forgotten} {'row' if found.forgotten == 1 else 'rows'}"
    if found.rows:
        rows = found.rows
        text += (
            f" (sessions {rows.sessions}, turns {rows.turns}, memories {rows.memories},"
            f" cached queries {rows.queries})"
        )
    owned = found.co_owned
    shared = owned.sessions + owned.turns + owned.memories + owned.queries if owned else 0
    return f"{text}, {shared} of them co-owned by other scopes" if shared else text

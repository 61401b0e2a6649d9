"""`spectronctl principals delete`"""

from __future__ import annotations

from spectronctl.api import principals as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption, IfMissing, IfMissingOption
from spectronctl.cli.commands.principals._options import PrincipalArgument
from spectronctl.cli.commands.principals._view import PRINCIPALS
from spectronctl.cli.consent import check_confirmable, get_consent
from spectronctl.errors import NotFoundError

app = App()


@app.command()
def delete_principal(
    ctx: Context,
    principal: PrincipalArgument,
    confirm: ConfirmOption = None,
    if_missing: IfMissingOption = IfMissing.FAIL,
) -> None:
    """
    Delete a principal, and revoke its keys at once.

    What it wrote stays. The principals system and admin cannot be deleted.

    Examples:
      spectronctl principals delete planner
      spectronctl principals delete old-agent --yes --if-missing ok
    """
    from spectronctl.operations.principals import find_principal, list_keys_of

    rt = ctx.runtime
    rt.out.check(PRINCIPALS)
    context = rt.context
    check_confirmable(rt, f"Delete principal {principal}?", name=context, confirmed=confirm)
    try:
        found = find_principal(rt.client, context, principal)
        keys = list_keys_of(rt.client, context, found.id)
        get_consent(
            rt,
            f"Delete principal {found.display_name} ({found.id}) of context {context}, and revoke {_count(len(keys))}?",
            name=context,
            confirmed=confirm,
            declined="Nothing was deleted.",
        )
        rt.client.send(api.delete_principal(context, found.id))
    except NotFoundError:
        if if_missing is IfMissing.FAIL:
            raise
        row = {"id": principal, "deleted": False}
        rt.out.done(row, PRINCIPALS, f"Principal {principal} does not exist.")
        return
    row = {"id": found.id, "display_name": found.display_name, "deleted": True}
    told = f"Deleted principal {found.display_name} ({found.id}), and revoked {_count(len(keys))}."
    rt.out.done(row, PRINCIPALS, told)


def _count(keys: int) -> str:
    return "1 key" if keys == 1 else f"{keys} keys"

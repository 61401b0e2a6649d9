"""`spectronctl principals revoke`"""

from __future__ import annotations

from spectronctl.api import principals as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands.principals._options import (
    GrantArguments,
    PrincipalArgument,
    format_grant,
    parse_grants,
)
from spectronctl.cli.commands.principals._view import PRINCIPALS
from spectronctl.cli.consent import check_confirmable, get_consent

app = App()


@app.command()
def revoke_principal(
    ctx: Context,
    principal: PrincipalArgument,
    grants: GrantArguments,
    confirm: ConfirmOption = None,
) -> None:
    """
    Revoke verbs over scopes, from the principal's next request on.

    Examples:
      spectronctl principals revoke app-agent 'memory:write=/*'
      spectronctl principals revoke app-agent 'memory:forget=org/acme/*' --yes
    """
    from spectronctl.operations.principals import change_grants, find_principal

    rt = ctx.runtime
    rt.out.check(PRINCIPALS)
    context = rt.context
    wanted = parse_grants(grants)
    question = f"Revoke {format_grant(wanted)} from principal {principal} of context {context}?"
    check_confirmable(rt, question, name=context, confirmed=confirm)
    found = find_principal(rt.client, context, principal)
    get_consent(rt, question, name=context, confirmed=confirm, declined="Nothing was revoked.")
    changed = change_grants(rt.client, context, found, wanted, api.revoke)
    rt.out.note(f"Revoked {format_grant(wanted)} from principal {found.display_name} ({found.id}).")
    rt.out.show(changed.to_dict(), PRINCIPALS)

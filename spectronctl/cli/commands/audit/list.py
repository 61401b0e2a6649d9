"""`spectronctl audit list`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.audit._options import AuditOptions
from spectronctl.cli.commands.audit._view import EVENTS, ROWS

app = App()


@app.command()
def list_audit(
    ctx: Context,
    options: AuditOptions,
    until: Annotated[
        str | None,
        typer.Option(
            "--until", metavar="TIME", help="Show rows until this time: 7d (ago), or 2026-05-01."
        ),
    ] = None,
) -> None:
    """
    List who did what, the newest first, refused requests included.

    Examples:
      spectronctl audit list --since 7d
      spectronctl audit list --kind decision -o wide
      spectronctl audit list --management --limit 20
    """
    from spectronctl.operations.audits import read_audit

    rt = ctx.runtime
    view = EVENTS if options.management else ROWS
    rt.out.check(view)
    options.check(until)
    limit = None if rt.out.is_sorted else rt.settings.limit.value
    with options.open(rt, until) as (client, request):
        rows = [row.to_dict() for row in read_audit(client, request, limit=limit)]
    if len(rows) == limit:
        rt.out.remark(f"There may be more: --limit {limit} ended the list.")
    rt.out.rows(rows, view)

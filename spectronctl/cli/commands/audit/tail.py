"""`spectronctl audit tail`"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.audit._options import AuditOptions
from spectronctl.cli.commands.audit._view import format_line
from spectronctl.output.views import ANYTHING

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.errors import RequestError
    from spectronctl.output.views import View

app = App()


@app.command()
def tail_audit(
    ctx: Context,
    options: AuditOptions,
    last: Annotated[
        int,
        typer.Option(
            "--last",
            min=1,
            max=500,
            metavar="N",
            help="Start with the last N rows, unless --since says where.",
            show_default=True,
        ),
    ] = 10,
    follow: Annotated[
        bool, typer.Option("--follow", help="Print new rows as they come, until interrupted.")
    ] = False,
) -> None:
    """
    Print the last rows of an audit as lines, the newest last.

    Examples:
      spectronctl audit tail
      spectronctl audit tail --management --follow
    """
    from spectronctl.operations.audits import follow_audit, read_audit

    rt = ctx.runtime
    rt.out.check(ANYTHING)
    options.check()
    with options.open(rt) as (client, request):
        if follow:
            failed = partial(_tell_failure, rt)
            rows = follow_audit(client, request, last=last, wait=rt.out.wait, on_failure=failed)
        else:
            limit = None if options.since else last
            rows = reversed(list(read_audit(client, request, limit=limit)))
        rt.out.feed(_describe(rows, options.view))


def _describe(rows: Iterable[Any], view: View) -> Iterator[tuple[dict[str, Any], str]]:
    for row in rows:
        item = row.to_dict()
        yield item, format_line(item, view)


def _tell_failure(rt: Runtime, failure: RequestError) -> None:
    rt.out.warn(f"no response, trying again: {failure.text}")

"""`spectronctl sessions list`"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.api import sessions as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._plane import explain_missing, open_plane
from spectronctl.cli.commands.sessions._view import NO_LIST, SESSIONS
from spectronctl.cli.listing import list_items
from spectronctl.config.values import parse_duration
from spectronctl.errors import UsageError
from spectronctl.ground.times import format_time, parse_time

if TYPE_CHECKING:
    from spectronctl.client import Client

app = App()


@app.command()
def list_sessions(
    ctx: Context,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Show only sessions created since this time: 7d (ago), or 2026-05-01.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="TIME",
            help="Show only sessions created until this time: 7d (ago), or 2026-05-01.",
        ),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            "--scope", metavar="PATH", help="Show only sessions tagged at or below this path."
        ),
    ] = None,
) -> None:
    """List the sessions of a context, oldest first."""
    rt = ctx.runtime
    rt.out.check(SESSIONS)
    _parse_period(
        since, until, datetime.now(UTC)
    )  # what is wrong with it is said before anything is sent
    with open_plane(rt) as (client, context), explain_missing(NO_LIST):
        first, last = _parse_period(since, until, _find_now(client, since, until))
        request = api.list_sessions(
            context,
            scope=scope,
            since=format_time(first) if first else None,
            until=format_time(last) if last else None,
        )
        rt.out.rows(list_items(rt, request, client=client), SESSIONS)


def _find_now(client: Client, *texts: str | None) -> datetime:
    """The server's time, by which sessions were made, where a length of time counts from it."""
    from spectronctl.operations.clocks import find_server_time

    is_relative = any(text and not parse_time(text.strip()) for text in texts)
    return find_server_time(client) if is_relative else datetime.now(UTC)


def _parse_period(
    since: str | None, until: str | None, now: datetime
) -> tuple[datetime | None, datetime | None]:
    first, last = _parse_moment(since, "--since", now), _parse_moment(until, "--until", now)
    if first and last and first > last:
        raise UsageError(f"--since {since} is later than --until {until}: no session fits")
    return first, last


def _parse_moment(text: str | None, option: str, now: datetime) -> datetime | None:
    """A moment, or how long ago it was."""
    if text is None:
        return None
    try:
        if moment := parse_time(text.strip()):
            return moment.astimezone(UTC)
        return now - timedelta(seconds=parse_duration(text))
    except (UsageError, OverflowError):
        raise UsageError(
            f"{option}: {text!r} is neither a time nor a duration",
            hint="For instance 7d (that long ago), 2026-05-01 or 2026-05-01T12:30:00Z.",
        ) from None

"""Which audit, and which of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.api import traces as api
from spectronctl.cli.commands._periods import check_period, find_period
from spectronctl.cli.commands._plane import explain_missing, open_plane
from spectronctl.cli.commands.audit._view import EVENTS, NO_AUDIT, ROWS
from spectronctl.errors import UsageError
from spectronctl.ground.times import format_time

if TYPE_CHECKING:
    from spectronctl.api.pages import Page
    from spectronctl.api.requests import Request
    from spectronctl.cli.runtime import Runtime
    from spectronctl.client import Client
    from spectronctl.output.views import View


class Kind(StrEnum):
    """The kinds of rows of a context's audit."""

    DECISION = "decision"
    RETRIEVAL = "retrieval"
    RESPONSE = "response"


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """Which audit, and which of its rows."""

    management: Annotated[
        bool,
        typer.Option(
            "--management",
            help="Read what was changed of contexts, keys and grants; -c then keeps one context.",
        ),
    ] = False
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Show rows since this time: 7d (ago), or 2026-05-01."
        ),
    ] = None
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY", help="Show only rows of the key with this id."),
    ] = None
    principal: Annotated[
        str | None,
        typer.Option(
            "--principal", metavar="ID", help="Show only rows of the principal with this id."
        ),
    ] = None
    kind: Annotated[Kind | None, typer.Option("--kind", help="Show only rows of this kind.")] = None
    action: Annotated[
        str | None,
        typer.Option(
            "--action",
            metavar="NAME",
            help="Show only this action, such as delete_key; needs --management.",
        ),
    ] = None

    @property
    def view(self) -> View:
        """What its rows look like."""
        return EVENTS if self.management else ROWS

    def check(self, until: str | None = None) -> None:
        """UsageError for options of the other audit."""
        check_period(self.since, until)
        if self.management and (self.kind or self.principal):
            raise UsageError(
                "--kind and --principal are about one context, and --management is not",
                hint="The management plane's audit is chosen from by --key, --action and -c.",
            )
        if self.action and not self.management:
            raise UsageError("--action is about the management plane: give --management, too")

    @contextmanager
    def open(
        self, rt: Runtime, until: str | None = None
    ) -> Iterator[tuple[Client, Request[Page[Any]]]]:
        """The client and the request for the newest page."""
        if self.management:
            with explain_missing(NO_AUDIT):
                yield rt.client, self._ask_events(rt, rt.client, until)
        else:
            with open_plane(rt) as (client, context), explain_missing(NO_AUDIT):
                yield client, self._ask_rows(client, context, until)

    def _ask_events(self, rt: Runtime, client: Client, until: str | None) -> Request[Page[Any]]:
        # Only a typed one: that of a profile would hide the rest without a word.
        context = rt.flags.get("context")
        period = self._find_period(client, until)
        return api.list_events(context=context, key=self.key, action=self.action, **period)

    def _ask_rows(self, client: Client, context: str, until: str | None) -> Request[Page[Any]]:
        kind = self.kind.value if self.kind else None
        period = self._find_period(client, until)
        return api.list_audit(context, principal=self.principal, key=self.key, kind=kind, **period)

    def _find_period(self, client: Client, until: str | None) -> dict[str, Any]:
        first, last = find_period(client, self.since, until)
        return {
            "since": format_time(first) if first else None,
            "until": format_time(last) if last else None,
        }

"""`spectronctl api`"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.api.requests import READS, Reply, Request
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands.api._parts import PartOptions
from spectronctl.cli.consent import get_consent
from spectronctl.cli.listing import walk_pages
from spectronctl.errors import SpectronctlError, UsageError
from spectronctl.output.views import ANYTHING, Column, View

if TYPE_CHECKING:
    from spectronctl.cli.commands.api._target import Target
    from spectronctl.cli.runtime import Runtime
    from spectronctl.client import Events
    from spectronctl.models.events import Event

app = App()

INCLUDED = View(columns=(Column("status"), Column("headers"), Column("body")), name="status")

_SHOWN = (
    "Pipe it to where it belongs, or show it with --reveal; 'spectronctl keys' writes it to files."
)


class Method(StrEnum):
    """What a request asks of a path."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"


@app.command()
def call_api(
    ctx: Context,
    method: Annotated[
        Method,
        typer.Argument(
            metavar="METHOD",
            help="Use this HTTP method, such as GET or POST.",
            case_sensitive=False,
        ),
    ],
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="Request this path below /api/v1, such as /contexts or /{context}/sessions.",
        ),
    ],
    parts: PartOptions,
    paginate: Annotated[
        bool, typer.Option("--paginate", help="Follow a list to its end, or to --limit.")
    ] = False,
    include: Annotated[
        bool, typer.Option("--include", help="Print the status and the headers, too.")
    ] = False,
    reveal: Annotated[
        bool,
        typer.Option("--reveal", help="Print the secret of a new key even on a terminal."),
    ] = False,
    confirm: ConfirmOption = None,
) -> None:
    """
    Send any request, with the keys, retries and errors of the rest.

    {context} in PATH is the chosen context. /contexts, /verbs and /migrations get the management key, /health and
    /ready none, everything else the key of the context that it begins with. Whatever may change something is
    confirmed: --yes, or the name of the context (without one, of the profile) as --confirm.

    The response is the server's, and nothing for 204; with --include an object of status, headers and body. --paginate
    makes one list of all pages: by their cursor, and for a session's turns by offset; --limit ends that list, and
    nothing else.

    A stream of server-sent events is printed as it comes: the data of each, or with -o json and jsonl a line with its
    event, data and id. --timeout then limits each silence. With --include it is printed once it has ended.

    Examples:
      spectronctl api GET /contexts
      spectronctl api POST /contexts/x --field namespace=acme --field database=x
    """
    from spectronctl.cli.commands.api._target import open_target, parse_target
    from spectronctl.operations.calls import list_pages

    rt = ctx.runtime
    rt.out.check(INCLUDED if include else ANYTHING)
    # A last slash is dropped elsewhere. Here an empty variable in a script would delete what the thing belongs to.
    if method is Method.DELETE and path.partition("?")[0].endswith("/"):
        raise UsageError(
            "PATH ends in an empty name: nothing says what to delete",
            hint="Is a variable in it empty?",
        )
    target = parse_target(rt, path)
    request = parts.describe(rt, method.value, target)
    if paginate and (include or method is not Method.GET):
        raise UsageError(
            "--paginate joins the responses to GET into one list, and cannot be used with --include"
        )
    # Only a typed one: a limit of the environment is for lists.
    if not paginate and "limit" in rt.flags:
        raise UsageError(
            "--limit ends the list that --paginate makes",
            hint="Add --paginate; or ask the server for less, as with --field limit=1.",
        )
    if method.value not in READS:
        _get_consent(rt, request, target, confirm, reveal=reveal)
    with open_target(rt, target) as client:
        # A secret is shown once: with `| head` that is a failure here, and a success for every other response.
        rt.out.needs_reader = target.mints and method.value not in READS
        if paginate:
            limit = rt.settings.limit.value
            rt.out.show_any(walk_pages(rt, list_pages(client, request, limit=limit)))
            return
        # With --include the whole response is one object, so even a stream of events has to end first.
        response = client.send(request) if include else client.open(request)
        with _explain_lost(rt):
            _show_response(rt, request, response, include=include)


def _get_consent(
    rt: Runtime, request: Request[Any], target: Target, confirm: str | None, *, reveal: bool
) -> None:
    """Before anything is sent: a secret has somewhere to go, and the write is confirmed."""
    from spectronctl.output.sinks import check_secret_output

    if target.mints:
        check_secret_output(rt.streams, reveal=reveal, has_file=False, hint=_SHOWN)
    settings = rt.settings
    get_consent(
        rt,
        f"Send {request.method} {request.path} to {rt.place}?",
        name=target.context or settings.profile.value or settings.url.value,
        confirmed=confirm,
        declined="Nothing was sent.",
    )


@contextmanager
def _explain_lost(rt: Runtime) -> Iterator[None]:
    try:
        yield
    except SpectronctlError as exc:
        if rt.out.needs_reader:
            exc.hint = (
                "The server carried the request out, and the secret in its response is lost:"
                " rotate the key for a fresh one, or delete it."
            )
        raise


def _show_response(
    rt: Runtime, request: Request[Any], response: Reply | Events, *, include: bool
) -> None:
    if isinstance(response, Reply):
        _show(rt, request, response, include=include)
        return
    with response:
        rt.out.feed((_describe(event), event.data) for event in response)


def _describe(event: Event) -> dict[str, Any]:
    known = {} if event.id is None else {"id": event.id}
    return {"event": event.name, "data": event.value, **known}


def _show(rt: Runtime, request: Request[Any], reply: Reply, *, include: bool) -> None:
    from spectronctl.ground.http_problems import name_status

    status = f"{reply.status} {name_status(reply.status)}".rstrip()
    if include:
        whole = {"status": reply.status, "headers": dict(reply.headers), "body": reply.body}
        rt.out.show(whole, INCLUDED, lines=_write_lines(f"HTTP {status}", reply))
    elif reply.body is None:
        rt.out.note(f"{request.method} {request.path}: {status}")
    else:
        rt.out.show_any(reply.body)


def _write_lines(status: str, reply: Reply) -> Iterator[str]:
    from spectronctl.output.documents import to_json

    yield status
    yield from (f"{name}: {value}" for name, value in reply.headers.items())
    if reply.body is not None:
        text = reply.body if isinstance(reply.body, str) else to_json(reply.body, indent=2)
        yield from ("", *text.splitlines())

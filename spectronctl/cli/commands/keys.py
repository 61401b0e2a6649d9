"""`spectronctl keys`"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from spectronctl.api import keys as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import (
    ConfirmOption,
    IfMissing,
    IfMissingOption,
    SecretOptions,
)
from spectronctl.config.durations import parse_duration
from spectronctl.errors import NotFoundError, UsageError
from spectronctl.output.views import Column, View

app = App()

KEYS = View(
    columns=(
        Column("name"),
        Column("id"),
        Column("principal"),
        Column("status"),
        Column("last_used_at", kind="time"),
    ),
    wide=(
        Column("scope_floor"),
        Column("created_at", kind="time"),
        Column("expires_at", kind="time"),
    ),
    name="name",
    plural="keys",
)

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Id or name of the key.")]
RecoverOption = Annotated[
    bool,
    typer.Option("--recover", help="Should the answer be lost, rotate to a secret that is known."),
]


class Principal(StrEnum):
    """What a key may do."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"


@app.command("list")
def list_keys(ctx: Context) -> None:
    """List the keys of a context; never a secret."""
    rt = ctx.runtime
    rt.out.check(KEYS)
    rt.out.rows(rt.list_items(api.list_keys(rt.context)), KEYS)


@app.command("get")
def get_key(ctx: Context, key: KeyArgument) -> None:
    """Show one key; never its secret."""
    from spectronctl.operations import keys

    rt = ctx.runtime
    rt.out.check(KEYS)
    rt.out.show(keys.find_key(rt.client, rt.context, key).to_dict(), KEYS)


@app.command("create")
def create_key(
    ctx: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new key.")],
    secret: SecretOptions,
    principal: Annotated[
        Principal, typer.Option("--principal", help="What it may do.", show_default=True)
    ] = Principal.AGENT,
    scope_floor: Annotated[
        str | None,
        typer.Option("--scope-floor", metavar="A=B,C=D|JSON", help="Bound what it can reach."),
    ] = None,
    expires_at: Annotated[
        str | None, typer.Option("--expires-at", metavar="TIME", help="RFC 3339 time it ends.")
    ] = None,
    expires_in: Annotated[
        str | None, typer.Option("--expires-in", metavar="DURATION", help="Life, such as 90d.")
    ] = None,
    recover: RecoverOption = False,
) -> None:
    """Mint a key; its secret is shown or written once and can never be read again."""
    from spectronctl.operations import keys

    rt = ctx.runtime
    rt.out.check(KEYS)
    if expires_at and expires_in:
        raise UsageError("--expires-at and --expires-in contradict each other")
    settings = {
        "principal": principal.value,
        "scope_floor": _parse_scope_floor(scope_floor),
        "expires_at": expires_at,
        "expires_in": max(1, round(parse_duration(expires_in))) if expires_in else None,
    }
    context = rt.context
    with rt.reserve_secret(secret) as sink:
        minted = keys.create_key(rt.client, context, name, recover=recover, **settings)
        rt.deliver_secret(minted, sink, KEYS, f"Created key {minted.name} ({minted.id}).")


@app.command("rotate")
def rotate_key(
    ctx: Context,
    key: KeyArgument,
    secret: SecretOptions,
    confirm: ConfirmOption = None,
    recover: RecoverOption = False,
) -> None:
    """Replace a key's secret; the old one stops at once, for everyone who holds it."""
    from spectronctl.operations import keys

    rt = ctx.runtime
    rt.out.check(KEYS)
    context = rt.context
    rt.check_confirmable(f"Rotate key {key}?", name=context, confirmed=confirm)
    with rt.reserve_secret(secret) as sink:
        found = keys.find_key(rt.client, context, key)
        rt.confirm(
            f"Rotate key {found.name} ({found.id}) of context {context}? Whoever holds the old secret fails at once.",
            name=context,
            confirmed=confirm,
            declined="Nothing was rotated.",
        )
        minted = keys.rotate_key(rt.client, context, found.id, recover=recover)
        rt.deliver_secret(minted, sink, KEYS, f"Rotated key {minted.name} ({minted.id}).")


@app.command("delete")
def delete_key(
    ctx: Context,
    key: KeyArgument,
    confirm: ConfirmOption = None,
    if_missing: IfMissingOption = IfMissing.FAIL,
) -> None:
    """Revoke a key at once."""
    from spectronctl.operations import keys

    rt = ctx.runtime
    rt.out.check(KEYS)
    context = rt.context
    rt.check_confirmable(f"Delete key {key}?", name=context, confirmed=confirm)
    try:
        found = keys.find_key(rt.client, context, key)
    except NotFoundError:
        if if_missing is IfMissing.FAIL:
            raise
        rt.out.done({"id": None, "name": key, "deleted": False}, KEYS, f"There was no key {key}.")
        return
    rt.confirm(
        f"Delete key {found.name} ({found.id}) of context {context}? Whoever holds it fails at once.",
        name=context,
        confirmed=confirm,
        declined="Nothing was deleted.",
    )
    rt.client.send(api.delete_key(context, found.id))
    rt.out.done(
        {"id": found.id, "name": found.name, "deleted": True}, KEYS, f"Deleted key {found.name}."
    )


def _parse_scope_floor(text: str | None) -> Any:
    """`org=acme,agent=planner`, or any JSON object."""
    if text is None:
        return None
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError as exc:
            raise UsageError(f"--scope-floor is not JSON: {exc}") from None
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(name.strip() and equals and value.strip() for name, equals, value in pairs):
        raise UsageError(
            f"--scope-floor {text!r} is neither JSON nor pairs",
            hint="Write org=acme,agent=planner.",
        )
    return {name.strip(): value.strip() for name, _, value in pairs}

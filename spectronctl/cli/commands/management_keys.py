"""`spectronctl management-keys`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.api import management_keys as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import (
    ConfirmOption,
    IfMissing,
    IfMissingOption,
    SecretOptions,
)
from spectronctl.cli.consent import check_confirmable, get_consent
from spectronctl.cli.listing import list_items
from spectronctl.cli.secrets import deliver_secret, reserve_secret
from spectronctl.cli.seen import forget_name, remember_items, remember_name
from spectronctl.errors import NotFoundError
from spectronctl.output.views import Column, View

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.management_keys import ManagementKey, MintedManagementKey
    from spectronctl.output.sinks import SinkGroup

app = App()

MANAGEMENT_KEYS = View(
    columns=(
        Column("name", kind="id"),
        Column("id", kind="id"),
        Column("last_used_at", kind="time"),
        Column("created_at", kind="age"),
    ),
    name="name",
    plural="management keys",
)

_KIND = "management-keys"

ManagementKeyArgument = Annotated[
    str,
    typer.Argument(metavar="MANAGEMENT_KEY", help="Use the management key with this id or name."),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show which key it would be, and change nothing.")
]


@app.command("list")
def list_keys(ctx: Context) -> None:
    """
    List the management keys of the server, without secrets.

    Examples:
      spectronctl management-keys list
      spectronctl management-keys list -o json
    """
    rt = ctx.runtime
    rt.out.check(MANAGEMENT_KEYS)
    found = list_items(rt, api.list_management_keys())
    rt.out.rows(remember_items(rt, _KIND, found, context="", field="name"), MANAGEMENT_KEYS)


@app.command("create")
def create_key(
    ctx: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Give the new key this name.")],
    secret: SecretOptions,
) -> None:
    """
    Create a management key; its secret is shown or written once.

    It cannot be read again.

    Examples:
      spectronctl management-keys create ci --secret-file ci.key
      spectronctl management-keys create deploy --secret-env-file .env:KEY
    """
    from spectronctl.operations import management_keys

    rt = ctx.runtime
    rt.out.check(MANAGEMENT_KEYS)
    with reserve_secret(rt, secret, name=name) as sinks:
        minted = management_keys.create_management_key(rt.client, name)
        _deliver(rt, minted, sinks, "Created")
    remember_name(rt, _KIND, minted.name, context="")


@app.command("rotate")
def rotate_key(
    ctx: Context,
    key: ManagementKeyArgument,
    secret: SecretOptions,
    confirm: ConfirmOption = None,
    recover: Annotated[
        bool,
        typer.Option(
            "--recover", help="Rotate again if the response is lost, to get a secret that is known."
        ),
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """
    Give a management key a new secret; the old one stops working at once.

    The id and the name stay.

    Examples:
      spectronctl management-keys rotate ops --secret-file ops.key --force
      spectronctl management-keys rotate ops --dry-run
    """
    from spectronctl.operations import management_keys

    rt = ctx.runtime
    rt.out.check(MANAGEMENT_KEYS)
    if dry_run:
        _show_plan(rt, key, "rotated")
        return
    with reserve_secret(rt, secret, name=key) as sinks:
        check_confirmable(rt, f"Rotate management key {key}?", name=key, confirmed=confirm)
        found = management_keys.find_management_key(rt.client, key)
        _ask(rt, "Rotate", found, "rotated", typed=key, confirmed=confirm)
        minted = management_keys.rotate_management_key(rt.client, found, recover=recover)
        _deliver(rt, minted, sinks, "Rotated")


@app.command("revoke")
def revoke_key(
    ctx: Context,
    key: ManagementKeyArgument,
    confirm: ConfirmOption = None,
    if_missing: IfMissingOption = IfMissing.FAIL,
    force: Annotated[
        bool, typer.Option("--force", help="Revoke it even if no other management key is left.")
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """
    Revoke a management key at once.

    The last one stays, unless --force is passed: a new one can then only be made where the store is.

    Examples:
      spectronctl management-keys revoke ops
      spectronctl management-keys revoke ops --yes --if-missing ok
    """
    rt = ctx.runtime
    rt.out.check(MANAGEMENT_KEYS)
    if dry_run:
        _show_plan(rt, key, "revoked")
        return
    check_confirmable(rt, f"Revoke management key {key}?", name=key, confirmed=confirm)
    found = _find_doomed(rt, key, missing_ok=if_missing is IfMissing.OK)
    if found is None:
        row: dict[str, Any] = {"id": None, "name": key, "revoked": False}
        rt.out.done(row, MANAGEMENT_KEYS, f"There was no management key {key}.")
        return
    _ask(rt, "Revoke", found, "revoked", typed=key, confirmed=confirm)
    rt.client.send(api.delete_management_key(found.id, force=force))
    forget_name(rt, _KIND, found.name, context="")
    row = {"id": found.id, "name": found.name, "revoked": True}
    rt.out.done(row, MANAGEMENT_KEYS, f"Revoked management key {found.name} ({found.id}).")


def _find_doomed(rt: Runtime, key: str, *, missing_ok: bool) -> ManagementKey | None:
    from spectronctl.operations.management_keys import find_management_key

    try:
        return find_management_key(rt.client, key)
    except NotFoundError:
        if not missing_ok:
            raise
        return None


def _show_plan(rt: Runtime, key: str, done: str) -> None:
    from spectronctl.operations.management_keys import find_management_key

    found = find_management_key(rt.client, key)
    rt.out.note(f"It would be {done}; nothing was changed.{_warn_of_own(rt, found)}")
    rt.out.show(found.to_dict(), MANAGEMENT_KEYS)


def _ask(
    rt: Runtime, verb: str, key: ManagementKey, done: str, *, typed: str, confirmed: str | None
) -> None:
    get_consent(
        rt,
        f"{verb} management key {key.name} ({key.id})? Requests that use its secret fail at once."
        f"{_warn_of_own(rt, key)}",
        name=typed,
        confirmed=confirmed,
        declined=f"Nothing was {done}.",
    )


def _warn_of_own(rt: Runtime, key: ManagementKey) -> str:
    from spectronctl.operations.management_keys import is_own

    return (
        " It is the key that this command uses." if is_own(rt.clients.management_key, key) else ""
    )


def _deliver(rt: Runtime, minted: MintedManagementKey, sinks: SinkGroup, done: str) -> None:
    deliver_secret(
        rt,
        minted,
        sinks,
        MANAGEMENT_KEYS,
        f"{done} management key {minted.name} ({minted.id}).",
        rotate=f"spectronctl management-keys rotate {minted.id}",
    )

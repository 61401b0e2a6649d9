"""`spectronctl serve keys` and `spectronctl serve secrets`: work on a store that no server has open."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from spectronctl.cli import embedded
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import SecretOptions
from spectronctl.cli.commands.management_keys import MANAGEMENT_KEYS
from spectronctl.cli.commands.serve._options import SecretKeyFileOption, StoreOption
from spectronctl.cli.consent import get_consent
from spectronctl.cli.runtime import Runtime
from spectronctl.cli.secrets import reserve_secret
from spectronctl.errors import SpectronctlError
from spectronctl.local.locations import local_store_url
from spectronctl.output.views import Column, View

keys = App(
    help="""Manage management keys, while no server runs on the store.

    Examples:
      spectronctl serve keys list
      spectronctl serve keys create ci --secret-file ci.key
    """
)
secrets = App(
    help="""Manage how the secrets of providers are sealed, while no server runs.

    Examples:
      spectronctl serve secrets rotate
      spectronctl serve secrets forget --dry-run
    """
)

LOST = View(
    columns=(
        Column("context", kind="id"),
        Column("provider", kind="id"),
        Column("sealed_under", kind="id"),
    ),
    name="provider",
    plural="secrets",
)
SEALED = View(columns=(Column("contexts"),), plural="contexts")


@keys.command("list")
def list_keys(ctx: Context, store: StoreOption = None) -> None:
    """
    List the management keys of a store; never a secret.

    Examples:
      spectronctl serve keys list
    """
    rt = ctx.runtime
    rt.out.check(MANAGEMENT_KEYS)
    rows = _on_store(rt, store, embedded.list_keys)
    rt.out.rows(map(embedded.describe_management_key, rows), MANAGEMENT_KEYS)


@keys.command("create")
def create_key(
    ctx: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Give the new key this name.")],
    secret: SecretOptions,
    store: StoreOption = None,
) -> None:
    """
    Make a management key; its secret is shown or written once.

    Examples:
      spectronctl serve keys create ci --secret-file ci.key
    """
    rt = ctx.runtime
    rt.out.check(MANAGEMENT_KEYS)
    # Around the store: where the secret cannot go, no key is made and no store is opened.
    with reserve_secret(rt, secret, name=name) as sinks:
        row, minted = _on_store(rt, store, lambda opened: embedded.create_key(opened, name))
        key = {**embedded.describe_management_key(row), "secret": minted}
        try:
            sinks.commit(minted, id=row.id)
            rt.out.secret(key, MANAGEMENT_KEYS, secret_stored=not sinks.is_shown)
        except SpectronctlError as exc:
            if not sinks.stored and not sinks.kept:
                _on_store(rt, store, lambda opened: embedded.revoke_key(opened, row.id))
                exc.hint = f"The key {row.name} ({row.id}) was revoked: its secret is lost."
            raise
        rt.out.note(f"Created management key {row.name} ({row.id}).")


@keys.command("revoke")
def revoke_key(
    ctx: Context,
    key_id: Annotated[
        str, typer.Argument(metavar="ID", help="Use the management key with this id.")
    ],
    store: StoreOption = None,
) -> None:
    """
    Revoke a management key at once.

    Examples:
      spectronctl serve keys revoke mgk_01JC4YKM3VQ8Z5T2N7XW9RHEA1
    """
    rt = ctx.runtime
    rt.out.check(MANAGEMENT_KEYS)
    get_consent(
        rt,
        f"Revoke management key {key_id}? Requests that use it fail at once.",
        name=key_id,
        confirmed=None,
        declined="Nothing was revoked.",
    )
    _on_store(rt, store, lambda opened: embedded.revoke_key(opened, key_id))
    rt.out.done({"id": key_id, "revoked": True}, MANAGEMENT_KEYS, f"Revoked key {key_id}.")


@secrets.command("rotate")
def rotate_secrets(
    ctx: Context, store: StoreOption = None, secret_key_file: SecretKeyFileOption = None
) -> None:
    """
    Seal the secrets of providers under a new key.

    That is a new key of the store's own, or the first of several that are given; the second is then the old one.

    Examples:
      spectronctl serve secrets rotate
    """
    rt = ctx.runtime
    rt.out.check(SEALED)
    given = embedded.load_secret_keys(rt.env, secret_key_file)
    url = store or local_store_url(rt.env)
    changed = _on_store(
        rt, url, lambda opened: embedded.rotate_secrets(opened, url, given), "serve secrets"
    )
    rt.out.done(
        {"contexts": changed},
        SEALED,
        f"Sealed under the new key. Contexts with secrets: {changed}.",
    )


@secrets.command("forget")
def forget_secrets(
    ctx: Context,
    store: StoreOption = None,
    secret_key_file: SecretKeyFileOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the secrets, and delete none.")
    ] = False,
) -> None:
    """
    Delete the secrets of providers that no key at hand opens.

    The contexts stay. Set their secrets again with 'spectronctl contexts update CONTEXT --provider'.

    Examples:
      spectronctl serve secrets forget --dry-run
    """
    rt = ctx.runtime
    rt.out.check(LOST)
    if not dry_run:
        get_consent(
            rt,
            "Delete the secrets of providers that cannot be opened? They cannot be recovered.",
            name="secrets",
            confirmed=None,
            declined="Nothing was deleted.",
        )
    given = embedded.load_secret_keys(rt.env, secret_key_file)
    url = store or local_store_url(rt.env)
    found = _on_store(
        rt,
        url,
        lambda opened: embedded.forget_secrets(opened, url, given, dry_run=dry_run),
        "serve secrets",
    )
    rt.out.rows(found, LOST)


def _on_store(rt: Runtime, store: str | None, work: Any, command: str = "serve keys") -> Any:
    url = store or local_store_url(rt.env)
    return embedded.run_on_store(
        url,
        rt.env,
        work,
        timeout=rt.settings.timeout.value,
        say=rt.out.note,
        command=f"spectronctl {command}",
    )

"""`spectronctl keys create`"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption, SecretOptions
from spectronctl.cli.commands.keys._options import RecoverOption
from spectronctl.cli.commands.keys._settings import SettingOptions
from spectronctl.cli.commands.keys._view import KEYS
from spectronctl.cli.consent import check_confirmable, get_consent
from spectronctl.cli.secrets import deliver_secret, reserve_secret
from spectronctl.models.keys import split_name

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.keys import Key

app = App()


class KeyIfExists(StrEnum):
    """What a creation makes of a key that is there already."""

    FAIL = "fail"
    SKIP = "skip"
    ROTATE = "rotate"


@app.command()
def create_key(
    ctx: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Give the new key this name.")],
    settings: SettingOptions,
    secret: SecretOptions,
    if_exists: Annotated[
        KeyIfExists,
        typer.Option(
            "--if-exists", help="Choose what to do if it already exists.", show_default=True
        ),
    ] = KeyIfExists.FAIL,
    confirm: ConfirmOption = None,
    recover: RecoverOption = False,
) -> None:
    """
    Create a key; its secret is shown or written once.

    It cannot be read again.
    """
    from spectronctl.operations import keys

    rt = ctx.runtime
    rt.out.check(KEYS)
    wanted, context = settings.read(), rt.context
    is_shown = secret.reveal or not secret.parse_places(rt.env)
    if if_exists is KeyIfExists.ROTATE:
        check_confirmable(rt, f"Rotate key {name}?", name=context, confirmed=confirm)
    existing = (
        None
        if if_exists is KeyIfExists.FAIL
        else keys.find_existing(
            rt.client,
            context,
            name,
            {field: wanted[field] for field in ("principal", "scope_floor")},
        )
    )
    if existing is None:
        with reserve_secret(rt, secret, context=context, name=split_name(name)[0]) as sinks:
            minted = keys.create_key(rt.client, context, name, recover=recover, **wanted)
            deliver_secret(rt, minted, sinks, KEYS, f"Created key {minted.name} ({minted.id}).")
    elif if_exists is KeyIfExists.ROTATE:
        _rotate(rt, existing, secret, confirm, recover=recover)
    else:
        rt.out.note(f"Key {existing.name} ({existing.id}) already exists.")
        unheld = {**existing.to_dict(), "secret": None}
        rt.out.secret(unheld, KEYS, secret_stored=not is_shown)


def _rotate(
    rt: Runtime, existing: Key, secret: SecretOptions, confirm: str | None, *, recover: bool
) -> None:
    """Replace the existing key's secret, and the places that held the last one."""
    from spectronctl.operations import keys

    context, name = rt.context, split_name(existing.name)[0]
    with reserve_secret(rt, replace(secret, force=True), context=context, name=name) as sinks:
        get_consent(
            rt,
            f"Rotate key {existing.name} ({existing.id}) of context {context}?"
            " Requests that use the old secret fail at once.",
            name=context,
            confirmed=confirm,
            declined="Nothing was rotated.",
        )
        minted = keys.rotate_key(rt.client, context, existing.id, recover=recover)
        deliver_secret(rt, minted, sinks, KEYS, f"Rotated key {minted.name} ({minted.id}).")

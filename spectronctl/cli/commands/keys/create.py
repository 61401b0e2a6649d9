"""`spectronctl keys create`"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
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
from spectronctl.cli.seen import remember_name
from spectronctl.errors import ConflictError, UsageError
from spectronctl.ground.times import parse_time
from spectronctl.models.keys import split_name

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.keys import Key, MintedKey
    from spectronctl.output.sinks import SinkGroup

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

    Examples:
      spectronctl keys create app --scope-floor org=acme --secret-file app.key
      spectronctl keys create ci --expires-in 90d --secret-env-file .env:AGENT_KEY
    """
    from spectronctl.operations import keys

    rt = ctx.runtime
    rt.out.check(KEYS)
    wanted, context = settings.read(), rt.context
    _check_expiry(rt, settings.expires_at)
    is_shown = secret.reveal or not secret.parse_places(rt.env)
    if if_exists is KeyIfExists.ROTATE:
        # Before the list of keys is asked for: where no person can be asked, nothing is sent.
        check_confirmable(rt, f"Rotate key {name}?", name=context, confirmed=confirm)
    existing = (
        None
        if if_exists is KeyIfExists.FAIL
        else keys.find_existing(
            rt.client,
            context,
            name,
            # Not the expiry: --expires-in names another moment each time that the command is run.
            {field: wanted[field] for field in settings.rights},
        )
    )
    if existing is None:
        # {name} in a path is the logical name: with the generation in it every rotation would write to another file.
        with reserve_secret(rt, secret, context=context, name=split_name(name)[0]) as sinks:
            minted = keys.create_key(rt.client, context, name, recover=recover, **wanted)
            _deliver(rt, minted, sinks, "Created")
        # Last: nothing may come between a secret that is shown once and its place.
        remember_name(rt, "keys", minted.name, context=context)
    elif if_exists is KeyIfExists.ROTATE:
        _rotate(rt, existing, secret, confirm, recover=recover)
    else:
        _check_held(rt, existing, secret)
        lost = (
            " Its secret cannot be read again; --if-exists rotate makes another."
            if is_shown
            else ""
        )
        rt.out.note(f"Key {existing.name} ({existing.id}) already exists.{lost}")
        # Null, not absent: a script reads the same fields whether the key was made or was there.
        unheld = {**existing.to_dict(), "secret": None}
        rt.out.secret(unheld, KEYS, secret_stored=not is_shown)


def _check_held(rt: Runtime, existing: Key, secret: SecretOptions) -> None:
    """ConflictError unless every place holds the secret of the key that exists, as far as a place can be read."""
    from spectronctl.operations.keys import is_secret_of
    from spectronctl.output.sinks import open_sink

    context, name = rt.context, split_name(existing.name)[0]
    places = [
        place.fill(context=context, name=name, id=existing.id)
        for place in secret.parse_places(rt.env)
    ]
    missing, unknown = [], []
    for place in places:
        # Only read, so a command is not run: what it did with the secret cannot be known.
        found = open_sink(place, replace=True, env={}).read()
        if place.kind == "command":
            unknown.append(place.label)
        elif found is None or not is_secret_of(rt.client, context, existing, found):
            missing.append(place.label)
    if missing:
        raise ConflictError(
            f"key {existing.name} ({existing.id}) already exists, and its secret, which cannot be read again, is not in"
            f" {' and '.join(missing)}",
            hint="Pass --if-exists rotate to give the key a new secret; other users of the old one then fail.",
        )
    if unknown:
        rt.out.warn(
            f"whether {' and '.join(unknown)} has the secret of key {existing.name} is not known, and it was not run;"
            " --if-exists rotate gives the key a new secret"
        )


def _check_expiry(rt: Runtime, text: str | None) -> None:
    """UsageError for an expiry in the past; what our clock takes for that is held against the server's."""
    from spectronctl.operations.clocks import find_server_time

    moment = parse_time(text)
    if moment and moment <= datetime.now(UTC) and moment <= find_server_time(rt.client):
        raise UsageError(f"--expires-at {text} is in the past")


def _rotate(
    rt: Runtime, existing: Key, secret: SecretOptions, confirm: str | None, *, recover: bool
) -> None:
    """Replace the existing key's secret, and the places that held the last one."""
    from spectronctl.operations import keys

    context, name = rt.context, split_name(existing.name)[0]
    # The places hold the secret that is about to die, or nothing: --force would be asked for in vain.
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
        _deliver(rt, minted, sinks, "Rotated")


def _deliver(rt: Runtime, minted: MintedKey, sinks: SinkGroup, done: str) -> None:
    note = f"{done} key {minted.name} ({minted.id})."
    rotate = f"spectronctl keys rotate {minted.id} -c {rt.context}"
    deliver_secret(rt, minted, sinks, KEYS, note, rotate=rotate)

"""A minted secret and the places it goes to: made ready before it exists, told of when it cannot be delivered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spectronctl.errors import SpectronctlError

if TYPE_CHECKING:
    from spectronctl.cli.commands._options import SecretOptions
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.keys import MintedKey
    from spectronctl.models.management_keys import MintedManagementKey
    from spectronctl.output.sinks import SinkGroup
    from spectronctl.output.views import View


@contextmanager
def reserve_secret(
    rt: Runtime,
    options: SecretOptions | None,
    *,
    context: str | None = None,
    name: str | None = None,
) -> Iterator[SinkGroup]:
    """
    Make sure, before anything is asked of the server, that a secret can be delivered.

    `context` and `name` of its key may stand in the places as placeholders, and commands are told.
    """
    from spectronctl.output.sinks import SinkGroup, check_secret_output

    places = options.parse_places(rt.env) if options else ()
    # Stdout first: where the secret would show on a terminal, no place is touched.
    if options:
        check_secret_output(rt.streams, reveal=options.reveal, has_file=bool(places))
    known = {"context": context, "name": name}
    with SinkGroup(
        [place.fill(**known) for place in places],
        replace=options is not None and options.force,
        reveal=options is not None and options.reveal,
        env=rt.keyless_env if any(place.kind == "command" for place in places) else {},
        labels={label: text for label, text in known.items() if text is not None},
    ) as sinks:
        yield sinks


def deliver_secret(
    rt: Runtime,
    minted: MintedKey | MintedManagementKey,
    sinks: SinkGroup,
    view: View,
    note: str,
    *,
    rotate: str,
) -> None:
    """Hand a minted secret to its places, and to stdout where it is to be shown; `rotate` is a command for another."""
    try:
        # Into the places before stdout: what is printed cannot be checked, and a failure then names the places that
        # have it.
        sinks.commit(minted.secret, id=minted.id)
        if sinks.is_shown:
            rt.out.secret(minted.to_dict(), view)
    except SpectronctlError as exc:
        _explain_undelivered(exc, minted, sinks, rotate)
        raise
    # Outside of `try`: the secret is where it belongs by now, and what fails from here on loses nothing.
    rt.out.note(f"{note} Its secret is in {sinks.describe()}." if sinks.stored else note)
    if not sinks.is_shown:
        rt.out.show(minted.without_secret().to_dict(), view)


def _explain_undelivered(
    error: SpectronctlError, minted: MintedKey | MintedManagementKey, sinks: SinkGroup, rotate: str
) -> None:
    # The sink's own error says where the one copy was left: it is not lost.
    if sinks.kept and not sinks.stored:
        return
    where = f"its secret is only in {sinks.describe()}" if sinks.stored else "its secret is lost"
    made = (
        f"The key {minted.name} ({minted.id}) was made, and {where}:"
        " rotate it for a fresh one, or delete it."
    )
    error.hint = f"{error.hint} {made}" if error.hint else made
    error.command = rotate

"""`spectronctl exec`"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.cli._reporting import format_command, report
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.keys._settings import parse_lifetime, parse_scope_floor
from spectronctl.config.resolve import SERVER_VARIABLES
from spectronctl.errors import SpectronctlError, UsageError
from spectronctl.ground.vocabulary import Principal

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.keys import MintedKey
    from spectronctl.operations.lending import Loan

app = App()


@app.command(context_settings={"allow_interspersed_args": False})
def exec_program(
    ctx: Context,
    words: Annotated[
        list[str], typer.Argument(metavar="CMD", help="Run this program with these arguments.")
    ],
    key: Annotated[
        str, typer.Option("--key", metavar="NAME", help="Give the program the rights of this key.")
    ],
    principal: Annotated[
        Principal | None,
        typer.Option(
            "--principal", help="Grant the program these rights, if that key does not exist."
        ),
    ] = None,
    scope_floor: Annotated[
        str | None,
        typer.Option(
            "--scope-floor",
            metavar="A=B,C=D|JSON",
            help="Limit the program to this scope, if that key does not exist.",
        ),
    ] = None,
    # Never without an end: when we are killed nothing deletes the key, and it expires by itself.
    expires_in: Annotated[
        str,
        typer.Option(
            "--expires-in",
            metavar="DURATION",
            help="Let the program's key expire after this duration, such as 1h; the program must end before.",
            show_default=True,
        ),
    ] = "24h",
) -> int:
    """
    Run a program with a key of its own, which is deleted afterwards.

    It finds SPECTRON_URL, SPECTRON_CONTEXT_ID and SPECTRON_API_KEY in its environment, and no other key of ours: not
    the management key, and for a spectronctl that it runs the config file is an empty one. Its key has the principal
    and the scope floor of the key NAME, or those that are given here when there is no key of that name.

    Our options come before the program, all that follows it is the program's; write -- between the two. Signals are
    passed on. Once it was started the exit code is the program's, and 128 + N when signal N ended it; 127 says that
    there is no such program, 126 that it may not be executed. A key that cannot be deleted afterwards is named,
    and a program that ended with 0 then ends with the exit code of that failure.

    Examples:
      spectronctl exec --key app-agent --expires-in 1h -- printenv SPECTRON_API_KEY
    """
    from spectronctl.cli.children import SignalRelay, check_program
    from spectronctl.operations import lending

    rt = ctx.runtime
    rt.args = rt.args[: -len(words)]  # no option of ours is among them, whatever they look like
    rights = lending.Rights(
        principal=principal,
        scope_floor=parse_scope_floor(scope_floor),
    )
    lifetime = parse_lifetime(expires_in)
    env = _make_env(rt)
    # On the PATH that the program will have, and before a key is minted for it.
    check_program(words[0], env)
    # From here on a signal that ends a process is an exception, so that no key is left behind.
    with SignalRelay() as relay:
        loan = lending.plan_loan(rt.client, rt.context, key, rights, lifetime=lifetime)
        minted = _mint_key(rt, loan)
        try:
            code = relay.run(words, {**env, "SPECTRON_API_KEY": minted.secret})
        finally:
            left = _return_key(rt, loan, minted)
    return code or left


def _mint_key(rt: Runtime, loan: Loan) -> MintedKey:
    from spectronctl.operations import lending

    try:
        # The request may be on its way when the interrupt comes: the key has a name of its own, by which it is found.
        return lending.lend_key(rt.client, rt.context, loan)
    except KeyboardInterrupt:
        _return_key(rt, loan, None)
        raise


def _make_env(rt: Runtime) -> dict[str, str]:
    """What the program is told, without its key: nothing says otherwise, and no key of ours can be found."""
    if rt.settings.is_local:
        raise UsageError(
            "the local store has no address that a program could be given",
            hint="'spectronctl serve exec -- CMD' runs a program against a server of its own.",
        )
    return {
        # All that says which server, then our own word for each: a variable of higher rank that stayed would win in the
        # program.
        **rt.hide(rt.settings.key_variables | SERVER_VARIABLES),
        **rt.settings.way_variables,
        "SPECTRON_URL": rt.settings.url.value,
        "SPECTRON_CONTEXT_ID": rt.context,
        "SPECTRONCTL_CONFIG": os.devnull,  # it has no profiles, and the child cannot write any there
    }


def _return_key(rt: Runtime, loan: Loan, minted: MintedKey | None) -> int:
    """
    Delete the key, or every key that may have been minted where the outcome is unknown.

    0, or the exit code of what went wrong, which is told here: the program's own may count.
    """
    from spectronctl.operations import lending

    error: SpectronctlError
    try:
        lending.return_key(rt.client, rt.context, loan, minted)
    except SpectronctlError as exc:
        error = exc
    except KeyboardInterrupt:
        error = SpectronctlError("interrupted before the program's key was deleted")
    else:
        return 0
    error.hint = (
        f"Key {minted.name} ({minted.id}) is left until {minted.expires_at}."
        if minted
        else loan.remains
    )
    error.command = format_command(
        rt,
        *("keys", "delete", minted.id if minted else loan.name),
        *("-c", rt.context, "--if-missing", "ok"),
    )
    return report(rt, error)

"""`spectronctl keys verify`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.api import identity
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.whoami import IDENTITY
from spectronctl.cli.refused import explain_key
from spectronctl.config.credentials import parse_source
from spectronctl.errors import AuthError, UsageError

app = App()


@app.command()
def verify_key(
    ctx: Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Read the secret from env:VAR, file:PATH, env-file:PATH:NAME or - (stdin).",
        ),
    ],
) -> None:
    """
    Check that a secret works, and show its principal and grants.

    Examples:
      spectronctl keys verify file:app.key
      spectronctl keys verify env:SPECTRON_API_KEY -o json
    """
    rt = ctx.runtime
    rt.out.check(IDENTITY)
    credential = parse_source(source, "SOURCE")
    if credential is None:
        raise UsageError(
            "SOURCE: a secret itself would be visible to others, so it is refused",
            hint="Use env:VAR, file:PATH, env-file:PATH:NAME or - (stdin).",
        )
    context = rt.context
    try:
        # With this key alone: the management key that could stand in for it would make any secret look right.
        found = rt.clients.of_context(context, credential).send(identity.get_identity(context))
    except AuthError as exc:
        # The request is left out: the key was sent on purpose, and how is of no interest to its holder.
        exc.message, exc.http = f"this key is not accepted in context {context}", None
        exc.hint = (
            "It is wrong, deleted, expired, or another context's; the server does not say which."
        )
        explain_key(rt, exc, context, credential, "standard input" if source == "-" else source)
        raise
    rt.out.show(found.to_dict(), IDENTITY)

"""`spectronctl serve`"""

from __future__ import annotations

import io
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from spectronctl.cli import embedded
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import SecretOptions
from spectronctl.cli.commands.serve._offline import keys, secrets
from spectronctl.cli.commands.serve._options import (
    LogFormat,
    LogFormatOption,
    LogLevel,
    LogLevelOption,
    PrivateProvidersOption,
    ReadyFileOption,
    SecretKeyFileOption,
    StoreOption,
)
from spectronctl.cli.runtime import Runtime
from spectronctl.cli.secrets import reserve_secret
from spectronctl.errors import UsageError
from spectronctl.local.locations import local_store_url
from spectronctl.server.extra import server_parts

app = App(invoke_without_command=True)
app.add_typer(keys, name="keys")
app.add_typer(secrets, name="secrets")


@dataclass(frozen=True, kw_only=True)
class ListenOptions:
    """Where the server listens, and how it is reached."""

    host: Annotated[
        str, typer.Option("--host", metavar="HOST", help="Bind to this address.", show_default=True)
    ] = "127.0.0.1"
    port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="PORT",
            help="Listen on this port; 0 chooses a free one.",
            show_default=True,
        ),
    ] = 9090
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            "--tls-cert", metavar="PATH", help="Read the certificate chain from this PEM file."
        ),
    ] = None
    tls_key: Annotated[
        Path | None,
        typer.Option("--tls-key", metavar="PATH", help="Read its private key from this PEM file."),
    ] = None
    insecure_bind: Annotated[
        bool, typer.Option("--insecure-bind", help="Bind beyond loopback without TLS.")
    ] = False

    def check(self) -> None:
        """Refuse half a certificate."""
        if (self.tls_cert is None) != (self.tls_key is None):
            raise UsageError("--tls-cert and --tls-key go together")


@app.callback()
def serve(
    ctx: Context,
    listen: ListenOptions,
    secret: SecretOptions,
    store: StoreOption = None,
    bootstrap: Annotated[
        bool, typer.Option("--bootstrap", help="Create the first management key, if there is none.")
    ] = False,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Run no jobs here; see 'serve worker'.")
    ] = False,
    allow_private_providers: PrivateProvidersOption = False,
    secret_key_file: SecretKeyFileOption = None,
    ready_file: ReadyFileOption = None,
    log_format: LogFormatOption = LogFormat.TEXT,
    log_level: LogLevelOption = LogLevel.INFO,
) -> None:
    """
    Run a Spectron server on SurrealDB until it is told to stop.

    Once it accepts connections it prints one line of JSON: {"event": "ready", "url": …}. At a terminal it says so in
    words. SIGTERM, SIGINT (Ctrl-C) and SIGHUP stop it: requests that run have 30 seconds to finish.

    Examples:
      spectronctl serve --bootstrap --secret-file management.key
      spectronctl serve --store mem:// --port 0 --bootstrap --secret-file test.key
    """
    # Typer runs a group's callback for its verbs too: `serve keys list` comes through here.
    if ctx.invoked_subcommand:
        _refuse_options(ctx, ctx.invoked_subcommand)
        return
    rt = ctx.runtime
    listen.check()
    with server_parts():
        from spectronctl.server.serving import listening
    cert, key = listen.tls_cert, listen.tls_key
    first = _FirstKey(rt, secret, log_format) if bootstrap else None
    listening.serve(
        store or local_store_url(rt.env),
        host=listen.host,
        port=listen.port,
        tls=listening.Tls(certificate=cert, key=key) if cert and key else None,
        insecure_bind=listen.insecure_bind,
        worker=not no_worker,
        allow_private_providers=allow_private_providers,
        ready_file=ready_file,
        log_format=log_format.value,
        log_level=log_level.value,
        lock_timeout=rt.settings.timeout.value,
        credentials=embedded.store_credentials(rt.env),
        secret_keys=embedded.load_secret_keys(rt.env, secret_key_file),
        # Called with the store open, and before the ready line: who waits for that line finds the key in its place.
        deliver_first_key=first.deliver if first else None,
        decline_first_key=first.decline if first else lambda: None,
        for_person=_is_for_person(rt, log_format),
        say=rt.out.note,
    )


def _is_for_person(rt: Runtime, log_format: LogFormat) -> bool:
    return rt.streams.stdout_is_terminal and log_format is LogFormat.TEXT


class _FirstKey:
    """The first management key, on its way to its places; or a word that there is a key already."""

    def __init__(self, rt: Runtime, secret: SecretOptions, log_format: LogFormat) -> None:
        self._rt = rt
        self._secret = secret
        # Read here, so that a mistake in them is told before the store is opened.
        self._places = secret.parse_places(rt.env)
        self._log_format = log_format

    def deliver(self, minted: str) -> None:
        """Put it in its places, or on stdout, before the ready line."""
        with reserve_secret(self._rt, self._secret) as sinks:
            sinks.commit(minted)
            if sinks.stored:
                self._say(f"The first management key is in {sinks.describe()}.")
            if sinks.is_shown:
                line = json.dumps({"event": "bootstrap", "management_key": minted})
                # Written through: what stays in a buffer may be lost after the server has started.
                self._rt.streams.write_output(io.BytesIO(f"{line}\n".encode()), needs_reader=True)

    def decline(self) -> None:
        """Say that none was made. The places are not touched: they may hold the key that there is."""
        # Only files can be looked for; what a command did with an earlier key is not known.
        missing = [each for each in self._places if each.path and not each.path.exists()]
        if not missing:
            self._say("The store has a management key already: --bootstrap made none.")
            return
        where = ", ".join(each.label for each in missing)
        self._say(
            f"The store has a management key already: --bootstrap made none and did not write {where}. "
            "If its secret is lost, stop the server and run 'spectronctl serve keys create NAME --secret-file PATH'."
        )

    def _say(self, text: str) -> None:
        # Every line of a log in JSON is JSON.
        if self._log_format is LogFormat.JSON:
            logging.getLogger("spectronctl.server.serving").info(text)
        else:
            self._rt.out.note(text)


def _refuse_options(ctx: Context, subcommand: str) -> None:
    """What was typed between `serve` and its command would go unheard: another store than the one meant, say."""
    # Only this callback's own: the global options have been taken out of `params`, and count before a verb as well.
    for name in ctx.params:
        source = ctx.get_parameter_source(name)
        if source and source.name == "COMMANDLINE":
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{option} stands before {subcommand}, where it belongs to 'spectronctl serve' alone",
                hint=f"'spectronctl serve {subcommand} --help' lists what {subcommand} takes.",
            )


@app.command("worker")
def work(
    ctx: Context,
    store: StoreOption = None,
    allow_private_providers: PrivateProvidersOption = False,
    secret_key_file: SecretKeyFileOption = None,
    ready_file: ReadyFileOption = None,
    log_format: LogFormatOption = LogFormat.TEXT,
    log_level: LogLevelOption = LogLevel.INFO,
) -> None:
    """
    Run the jobs of a store, without a server, until stopped.

    Beside servers with --no-worker on the same ws:// store: as many workers as the jobs need.

    Examples:
      spectronctl serve worker
    """
    rt = ctx.runtime
    with server_parts():
        from spectronctl.server.serving import worker_process as working
    working.work(
        store or local_store_url(rt.env),
        allow_private_providers=allow_private_providers,
        ready_file=ready_file,
        log_format=log_format.value,
        log_level=log_level.value,
        lock_timeout=rt.settings.timeout.value,
        credentials=embedded.store_credentials(rt.env),
        secret_keys=embedded.load_secret_keys(rt.env, secret_key_file),
        for_person=_is_for_person(rt, log_format),
        say=rt.out.note,
    )

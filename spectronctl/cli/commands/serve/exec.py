"""`spectronctl serve exec`"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._documents import load_document, name_file
from spectronctl.cli.commands.serve._options import LogFormat, LogFormatOption
from spectronctl.config.resolve import SERVER_VARIABLES
from spectronctl.config.variables import KEY_VARIABLES
from spectronctl.errors import SpectronctlError, UsageError
from spectronctl.server.extra import server_parts

if TYPE_CHECKING:
    from spectronctl.cli.children import SignalRelay
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.seeds import Seed
    from spectronctl.testing import SpectronContext, SpectronServer

app = App()

# Not https_proxy: the server speaks http. Programs differ in the case that they read.
_PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
_WITHOUT_PROXY = ("no_proxy", "NO_PROXY")

_FILES = frozenset({"SPECTRONCTL_CONFIG", "SPECTRONCTL_LOCAL_STORE"})
"""Variables that name files of the user's for a spectronctl."""


@app.command(context_settings={"allow_interspersed_args": False})
def run_against_server(
    ctx: Context,
    command: Annotated[
        list[str], typer.Argument(metavar="CMD", help="Run this program with these arguments.")
    ],
    seed: Annotated[
        str | None,
        typer.Option(
            "--seed",
            metavar="FILE|-",
            help="Create the contexts in this file: JSON, TOML or YAML, chosen by suffix.",
        ),
    ] = None,
    log_file: Annotated[
        Path | None,
        typer.Option(
            "--log-file",
            metavar="PATH",
            help="Log all requests to this file; without it, warnings go to stderr.",
        ),
    ] = None,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> int:
    """
    Run a program with a temporary server, which ends with it.

    The server is empty, in memory, on a free loopback port, and is ready before CMD starts. CMD's exit code is
    passed on; it is 128 + N when signal N ended CMD.

    CMD finds SPECTRON_URL and SPECTRON_MANAGEMENT_API_KEY in its environment. With a seed it finds there, too,
    SPECTRON_CONTEXT_ID and SPECTRON_API_KEY of the first context that has a key, and every key in a variable of its
    own: SPECTRON_API_KEY_ACME_PLANNER is the key planner of the context acme. Variables of other servers, and their
    keys, are removed; files of a spectronctl in CMD, also its config, are in a directory that is deleted at the end.

    A seed holds `contexts`, each with an `id` and, if wanted, `namespace`, `database`, `config`, `ontology`, `keys`
    (`name`, `principal`, `scope_floor`, `expires_in`), `sessions` (`scopes`, `metadata`, `turns` of `role`, `content`
    and `ts`) and `facts` (`text`, `scopes`, `memory_category`, `observed_at`).

    Examples:
      spectronctl serve exec --seed seed.yaml -- spectronctl contexts list
    """
    from spectronctl.cli.children import SignalRelay, check_program

    rt = ctx.runtime
    rt.args = rt.args[: -len(command)]  # no option of ours is among them, whatever they look like
    with server_parts():
        from spectronctl.testing import run_server
    wanted = _load_seed(rt, seed) if seed else None
    check_program(command[0], rt.env)
    # The relay is the outermost: until the program runs, a signal that ends a process is an exception, and undoes all
    # that stands below it.
    with (
        SignalRelay() as relay,
        _logging(log_file, log_format),
        _make_folder(relay) as folder,
        run_server() as server,
    ):
        contexts = server.plant(wanted) if wanted else []
        env = _build_environment(rt, server, contexts)
        return relay.run(command, env | {"SPECTRONCTL_HOME": folder})


@contextmanager
def _make_folder(relay: SignalRelay) -> Iterator[str]:
    """A directory that is gone at the end, also when a signal comes while it is made."""
    with ExitStack() as stack:
        with relay.putting_off():
            folder = stack.enter_context(TemporaryDirectory(prefix="spectronctl-"))
        yield folder


def _load_seed(rt: Runtime, file: str) -> Seed:
    from spectronctl.testing import parse_seed

    return parse_seed(load_document(rt, file, "--seed"), f"{name_file(file)} is not a seed")


def _build_environment(
    rt: Runtime, server: SpectronServer, contexts: Sequence[SpectronContext]
) -> dict[str, str]:
    """Ours, pointed at the throw-away server and nowhere else."""
    # What is left out here could send the program to a server of the user's, with a key of theirs.
    env = rt.hide(_list_key_variables(rt) | SERVER_VARIABLES | _FILES)
    # Only with a proxy, which would be asked for 127.0.0.1 and find nothing there; else the environment stays as it
    # was.
    if any(env.get(name) for name in _PROXIES):
        for name in _WITHOUT_PROXY:
            env[name] = ",".join(filter(None, [env.get(name), "127.0.0.1"]))
    for context in contexts:
        env |= context.key_variables
    # As the help says; without keys the first context is named all the same, and without a seed only the server.
    first = next((one for one in contexts if one.keys), next(iter(contexts), server))
    return env | first.env


def _list_key_variables(rt: Runtime) -> frozenset[str]:
    """Those that the profile names as well, if it can be read: nothing else is wanted of it here."""
    try:
        return rt.settings.key_variables
    except SpectronctlError:
        return KEY_VARIABLES


@contextmanager
def _logging(path: Path | None, log_format: LogFormat) -> Iterator[None]:
    from spectronctl.server.http.logs import configure_logs

    try:
        file = path.open("w", encoding="utf-8") if path else None
    except OSError as exc:
        raise UsageError(f"--log-file {path}: {exc.strerror}") from None
    with file or nullcontext():
        configure_logs(log_format.value, file, level="info" if file else "warning")
        yield

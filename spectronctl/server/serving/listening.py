"""Run the server on a socket, from the first bind to the last response."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from spectronctl.errors import ConfigError, UsageError
from spectronctl.server.app import create_app, lifespan
from spectronctl.server.database.database import Database
from spectronctl.server.handlers import work_on_jobs
from spectronctl.server.http.logs import LogFormat, LogLevel, configure_logs
from spectronctl.server.registry.bootstrap import deliver_management_key
from spectronctl.server.registry.opening import open_store
from spectronctl.server.serving.accepting import Listener
from spectronctl.server.serving.protocol import WatchedProtocol, send_in_pieces
from spectronctl.server.serving.ready_file import announce_ready
from spectronctl.server.serving.signals import ignore_strays, list_stops
from spectronctl.server.serving.systemd import READY, STOPPING, notify, stay_alive
from spectronctl.server.store.holding import hold_store

_log = logging.getLogger(__name__)

_GRACE_SECONDS = 30
_KEEP_ALIVE_SECONDS = 15
"""Longer than clients keep an idle connection (httpx: 5 s): none may send on one that is being closed."""

_MOST_QUEUED_BYTES = 128 * 1024


@dataclass(frozen=True, kw_only=True)
class Tls:
    """Certificate chain and private key, as PEM files."""

    certificate: Path
    key: Path


def serve(
    store_url: str,
    *,
    host: str = "127.0.0.1",
    port: int = 9090,
    tls: Tls | None = None,
    insecure_bind: bool = False,
    worker: bool = True,
    allow_private_providers: bool = False,
    ready_file: Path | None = None,
    log_format: LogFormat = "text",
    log_level: LogLevel = "info",
    lock_timeout: float = 0,
    credentials: tuple[str, str] | None = None,
    secret_keys: Sequence[bytes] = (),
    deliver_first_key: Callable[[str], None] | None = None,
    decline_first_key: Callable[[], None] = lambda: None,
    for_person: bool = False,
    say: Callable[[str], None] | None = None,
) -> None:
    """
    Serve a store until SIGTERM, SIGINT or SIGHUP, then finish the requests that run (30 s at most) and return.

    Port 0 is any free one. Once it accepts connections, a line of JSON on stdout and in `ready_file` says where; with
    `for_person` stdout says it in words. `lock_timeout` is in seconds; `say` gets the line of a wait that takes longer.
    `credentials`, user and password, open a `ws://` store; `secret_keys` are those of `open_store`.
    `deliver_first_key` gets the secret of a new management key when the store has none, else `decline_first_key` is
    called. Without `worker` jobs wait for another process. Bound beyond loopback, it asks providers of models at
    private addresses only with `allow_private_providers`.
    UsageError for an address that must not be bound; ConfigError for one, a certificate or a store that cannot be used.
    """
    listener = bind_address(host, port, open_to_network=tls is not None or insecure_bind)
    command = "spectronctl serve"
    with (
        listener,
        ignore_strays(),
        hold_store(store_url, timeout=lock_timeout, command=command, say=say) as held,
    ):
        url = describe_url(listener, host, secure=tls is not None)
        configure_logs(log_format, level=log_level)
        with announce_ready(ready_file, for_person=for_person) as announce:

            def on_ready(_: Callable[[], None]) -> None:
                held.announce(url)
                announce({"url": url, "store": store_url})
                if not for_person:
                    _log.info("listening on %s, store %s", url, store_url)

            asyncio.run(
                run_server(
                    partial(
                        open_store, store_url, credentials=credentials, secret_keys=secret_keys
                    ),
                    listener,
                    announce=on_ready,
                    on_stop=held.withdraw,
                    grace=_GRACE_SECONDS,
                    tls=tls,
                    worker=worker,
                    allow_private_providers=allow_private_providers or is_loopback(listener),
                    deliver_first_key=deliver_first_key,
                    decline_first_key=decline_first_key,
                )
            )


def bind_address(host: str, port: int, *, open_to_network: bool) -> Listener:
    """A listening socket; nothing but loopback unless `open_to_network`."""
    family, address = _resolve(host, port)
    if not (open_to_network or ipaddress.ip_address(address).is_loopback):
        raise UsageError(
            f"{host} can be reached from the network, and keys would be sent in the clear",
            hint="Give --tls-cert and --tls-key, bind 127.0.0.1, or accept it with --insecure-bind.",
        )
    try:
        # A long queue: clients that come all at once, as after a restart, wait a moment instead of being refused.
        bound = socket.create_server((address, port), family=family, backlog=1024)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint="Another program may have it: choose another --port, or 0 for any that is free.",
        ) from error
    listener = Listener(family, bound.type, bound.proto, fileno=bound.detach())
    listener.reserve()
    # asyncio does this only for sockets it made itself; without it each response waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Megabytes in the kernel's queue would hide for minutes whether a slow client reads on.
    if lowat := getattr(socket, "TCP_NOTSENT_LOWAT", None):
        listener.setsockopt(socket.IPPROTO_TCP, lowat, _MOST_QUEUED_BYTES)
    return listener


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine reaches it."""
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    if not 0 <= port <= 65_535:
        raise UsageError(f"port {port} is out of range", hint="0 to 65535; 0 is any free one")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"host {host!r} is no address of this machine") from error
    # IPv4 first: that is what `localhost` means to most clients.
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, str(address[0])


async def run_server(
    opening: Callable[[], Awaitable[Database]],
    listener: Listener,
    *,
    announce: Callable[[Callable[[], None]], None],
    grace: int,
    tls: Tls | None = None,
    worker: bool = True,
    allow_private_providers: bool = True,
    deliver_first_key: Callable[[str], None] | None = None,
    decline_first_key: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """
    Serve what comes in at `listener`, until a signal or what `announce` is given stops it; any thread may call that.

    The requests that run then have `grace` seconds to end. The rest is as for `serve`.
    """
    database = await opening()
    try:
        if deliver_first_key is not None:
            await deliver_management_key(database, deliver_first_key, decline_first_key)
        app = create_app(database, allow_private_providers=allow_private_providers)
        config = configure(app, tls, grace=grace)
        working = work_on_jobs(database, allow_private_providers=allow_private_providers)
        async with working if worker else nullcontext(), lifespan(app), stay_alive():
            await _Server(config, announce, on_stop).serve(sockets=[listener])
    finally:
        await database.close()


def configure(
    app: FastAPI, tls: Tls | None = None, *, grace: int = _GRACE_SECONDS
) -> uvicorn.Config:
    """How the application is served; `grace` in seconds. ConfigError for a certificate that cannot be used."""
    config = uvicorn.Config(
        send_in_pieces(app),
        http=partial(WatchedProtocol, tls=_load_tls(tls) if tls else None),  # type: ignore[arg-type]
        access_log=False,
        lifespan="off",
        log_config=None,
        # By default uvicorn believes the X-Forwarded headers of whatever connects from this machine.
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=grace,
        ws="none",
    )
    config.load()
    return config


def _load_tls(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"the certificate {tls.certificate} and its key cannot be used: {error.strerror or error}",
            hint="Both must be PEM files, and belong together.",
        ) from error
    return context


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[Callable[[], None]], None],
        on_stop: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce(self._stop)
        notify(READY)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        notify(STOPPING)
        self._on_stop()
        why = (
            f"{signal.Signals(self._captured_signals[0]).name}: " if self._captured_signals else ""
        )
        _log.info(
            "%sstopping; requests under way have %s s", why, self.config.timeout_graceful_shutdown
        )
        await super().shutdown(sockets)
        _log.info("stopped")

    def _stop(self) -> None:
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        with super().capture_signals():
            if threading.current_thread() is threading.main_thread():
                # uvicorn knows SIGTERM and SIGINT only.
                for number in list_stops():
                    signal.signal(number, self.handle_exit)
            yield
            # Else the signal is raised once more afterwards: a stop that was asked for would look like a crash.
            self._captured_signals.clear()


def describe_url(listener: socket.socket, host: str, *, secure: bool) -> str:
    """Where a client on this machine reaches the server."""
    address, port = listener.getsockname()[:2]
    if ipaddress.ip_address(address).is_unspecified:
        host = "127.0.0.1" if listener.family == socket.AF_INET else "::1"
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{shown}:{port}"

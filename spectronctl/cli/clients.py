"""The clients of a run: one for each key that it signs with."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from datetime import datetime
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any

from spectronctl.errors import AuthError

if TYPE_CHECKING:
    import httpx

    from spectronctl.cli.run import Run
    from spectronctl.client import Client
    from spectronctl.config.credentials import Credential

NO_KEY_HINT = (
    "Give one with --api-key-file PATH, SPECTRON_MANAGEMENT_API_KEY, or a profile"
    " ('spectronctl profiles add --help'). --profile local needs none."
)


class Clients:
    """
    Makes each client when it is first asked for; threads may ask at once.

    `transport` replaces the network in tests. A command that waits for jobs sets `works_on_jobs` before it asks for a
    client: under `--profile local` nothing else works on them.
    """

    works_on_jobs = False
    has_written = False
    """Whether a server has carried out a request that may change something."""

    def __init__(self, run: Run, transport: httpx.BaseTransport | None = None) -> None:
        self._run = run
        self._transport = transport
        self._made: dict[Credential | None, Client] = {}
        self._open = ExitStack()
        self._lock = Lock()

    def close(self) -> None:
        """Close every client that was made."""
        self._made.clear()
        self._open.close()

    @property
    def has_network(self) -> bool:
        """Whether the server is somewhere else than in this process."""
        return self._transport is None and not self._run.settings.is_local

    def find_time(self) -> datetime | None:
        """The server's time, None before its first response."""
        with self._lock:
            heard = (each for each in self._made.values() if each.has_heard_within(inf))
            return next((each.server_time() for each in heard), None)

    @property
    def management(self) -> Client:
        """The management plane."""
        credential = self._run.settings.management_credential()
        if credential is None and not self._run.settings.is_local:
            raise AuthError("no management key to send", hint=NO_KEY_HINT)
        return self._find(credential)

    @property
    def management_key(self) -> str | None:
        """The key that `management` signs with."""
        credential = self._run.settings.management_credential()
        return self._run.inputs.read_credential(credential) if credential else None

    @property
    def public(self) -> Client:
        """For calls that need no key."""
        # Made without a key, not only used without one: nothing that it sends can carry any.
        return self._find(None)

    def of_context(self, context_id: str, credential: Credential | None = None) -> Client:
        """The data plane of one context: with that key, or else its own where there is one."""
        credential = credential or self._run.settings.data_plane_credential(context_id)
        if credential is None and not self._run.settings.is_local:
            raise AuthError(f"no key for context {context_id} to send", hint=NO_KEY_HINT)
        return self._find(credential)

    def _find(self, credential: Credential | None) -> Client:
        # Held while the client is made: to read its key may run a program that asks a person, and must happen once.
        with self._lock:
            if credential not in self._made:
                self._made[credential] = self._open.enter_context(self._make(credential))
            return self._made[credential]

    def _make(self, credential: Credential | None) -> Client:
        from spectronctl.client import Client

        given = self._run.settings
        # A client per key, so each key is warned of once.
        self._warn_of_visible_key(credential)
        self._warn_of_shared_file(credential)
        key = self._run.inputs.read_credential(credential) if credential else None
        self._log_resolution(key, credential)
        return Client(
            given.url.value,
            api_key=key,
            auth_header=given.auth_header.value,
            timeout=given.timeout.value,
            retries=given.retries.value,
            ca_file=given.ca_file.value,
            proxy=given.proxy.value,
            transport=self._transport or self._find_local_transport(),
            observe=self._observe,
        )

    def _find_local_transport(self) -> httpx.BaseTransport | None:
        if not self._run.settings.is_local:
            return None
        from spectronctl.cli.embedded import make_transport

        # Kept for the other clients of this run: a second transport would wait for the store that the first has open.
        self._transport = make_transport(
            self._run.env,
            timeout=self._run.settings.timeout.value,
            say=self._run.out.note,
            # The application is opened with it: set after the first client is made, it has no effect.
            works_on_jobs=self.works_on_jobs,
        )
        return self._transport

    def _warn_of_visible_key(self, credential: Credential | None) -> None:
        if credential and credential.is_visible and not self._run.streams.in_ci:
            self._run.out.note(
                "a key given as --api-key can be seen in `ps` and in the shell's history;"
                " --api-key-file, SPECTRON_MANAGEMENT_API_KEY or a profile keep it private"
            )

    def _warn_of_shared_file(self, credential: Credential | None) -> None:
        if credential and (path := credential.find_shared_file(self._run.env)):
            self._run.out.warn(
                f"the key file {path} can be read or changed by other users;"
                f" chmod go-rwx {shlex.quote(path)} keeps it private"
            )

    def _log(self, line: str) -> None:
        self._run.streams.write_message(f"debug: {line}\n")

    def _log_resolution(self, key: str | None, credential: Credential | None) -> None:
        if not self._run.settings.debug.value:
            return
        from spectronctl.config.credentials import digest

        url = self._run.settings.url
        self._log(f"url {url.value} from {url.source}")
        if key and credential:
            self._log(f"key {digest(key)} from {credential.source}")

    def _observe(self, exchange: Any) -> None:
        from spectronctl.api.requests import READS  # not for --help

        # For the error about a result that cannot be shown: run again, the command would do the same a second time.
        if exchange.method not in READS and (exchange.status or 0) in range(200, 300):
            self.has_written = True
        if self._run.settings.debug.value:
            self._log_exchange(exchange)

    def _log_exchange(self, exchange: Any) -> None:
        outcome = exchange.status or exchange.error
        self._log(
            f"{exchange.method} {exchange.path} {outcome} {exchange.seconds * 1000:.0f} ms"
            f" attempt {exchange.attempt} request {exchange.request_id}"
        )

"""
A Spectron server for the tests of an application: real, in this process, in memory, gone afterwards.

    from spectronctl.testing import run_server

    with run_server() as server:
        context = server.create_context(config={"retention_days": 7})
        agent = Agent(server.url, context.id, context.key)

Under pytest the fixture `spectron_server` is such a server; `spectronctl serve exec` runs any program against one.
It listens on a port of the loopback, so that clients of every language in every process reach it. It comes with the
extra `local`, from where spectronctl was installed from.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from spectronctl.client import Client, SyncSpectronManagement
from spectronctl.errors import InvalidError
from spectronctl.models.ontology import join_problems
from spectronctl.models.seeds import Seed, find_problems, name_variable
from spectronctl.operations.seeds import Planted, plant_context, plant_seed
from spectronctl.server.extra import server_parts

__all__ = ["SpectronContext", "SpectronServer", "run_server"]


@dataclass(frozen=True)
class SpectronContext:
    """
    A context of a test: its `id`, the secrets of its `keys` by name, and the ids of its `sessions`.

    `env` is what a program's environment needs to find it.
    """

    id: str
    keys: Mapping[str, str] = field(repr=False)
    sessions: tuple[str, ...]
    server: SpectronServer

    @property
    def key(self) -> str:
        """The secret of its first key; LookupError when it has none."""
        for secret in self.keys.values():
            return secret
        raise LookupError(f"context {self.id} was made without keys")

    @property
    def env(self) -> dict[str, str]:
        """The server's variables, SPECTRON_CONTEXT_ID and, if there is a key, SPECTRON_API_KEY."""
        found = {**self.server.env, "SPECTRON_CONTEXT_ID": self.id}
        return found | ({"SPECTRON_API_KEY": self.key} if self.keys else {})

    @property
    def key_variables(self) -> dict[str, str]:
        """Each secret under a name of its own: SPECTRON_API_KEY_ACME_TEST_PLANNER."""
        return {name_variable(self.id, name): secret for name, secret in self.keys.items()}


@dataclass(frozen=True)
class SpectronServer:
    """
    A server that runs: its `url`, a `management_key`, and `admin`, a management client that signs with it.

    Any thread may use it. Contexts of the same server share nothing.
    """

    url: str
    management_key: str = field(repr=False)
    admin: SyncSpectronManagement = field(repr=False)
    _client: Client = field(repr=False)

    @property
    def env(self) -> dict[str, str]:
        """SPECTRON_URL and SPECTRON_MANAGEMENT_API_KEY, for programs that are started."""
        return {"SPECTRON_URL": self.url, "SPECTRON_MANAGEMENT_API_KEY": self.management_key}

    def create_context(
        self,
        id: str | None = None,
        *,
        namespace: str | None = None,
        database: str | None = None,
        config: Mapping[str, Any] | None = None,
        ontology: Mapping[str, Any] | None = None,
        principal: str = "agent",
        scope_floor: Any = None,
    ) -> SpectronContext:
        """
        A new context with one key, whose name is that of the principal; its id is unique unless one is given.

        `principal` is `agent` or `supervisor`, `scope_floor` confines the key: `{"org": "acme"}`. ConflictError: the
        id is taken. InvalidError names all that is wrong.
        """
        wanted = {
            "id": id or f"test-{os.urandom(6).hex()}",
            "namespace": namespace,
            "database": database,
            "config": config,
            "ontology": ontology,
            "keys": [{"name": principal, "principal": principal, "scope_floor": scope_floor}],
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        seed = parse_seed({"contexts": [given]}, "the context cannot be made", below="contexts[0].")
        return self._adopt(plant_context(self._client, seed.contexts[0]))

    def plant(self, seed: Seed | Mapping[str, Any]) -> list[SpectronContext]:
        """
        The contexts of a seed, as `spectronctl serve exec --seed` reads them from a file.

        InvalidError names all that is wrong with it, ConflictError an id that is taken.
        """
        wanted = seed if isinstance(seed, Seed) else parse_seed(seed, "this is not a seed")
        return [self._adopt(made) for made in plant_seed(self._client, wanted)]

    def _adopt(self, made: Planted) -> SpectronContext:
        return SpectronContext(made.id, made.keys, tuple(made.sessions), self)


def parse_seed(document: Any, complaint: str, *, below: str = "") -> Seed:
    """The seed that a document holds; InvalidError complains, and names all that is wrong by its path `below` there."""
    if problems := find_problems(document):
        told = join_problems([problem.removeprefix(below) for problem in problems], "\n")
        raise InvalidError(f"{complaint}:\n{told}")
    return Seed.model_validate(document)


@contextmanager
def run_server() -> Iterator[SpectronServer]:
    """
    A server with nothing in it, from its first response until the block is left.

    ConfigError when the extra `local` is not installed.
    """
    with server_parts():
        from spectronctl.server.serving.throwaway import run_in_thread
    with (
        run_in_thread() as running,
        # No proxy: an environment's ALL_PROXY is not asked on the way to this process.
        Client(running.url, api_key=running.management_key, proxy="") as client,
        SyncSpectronManagement(running.url, running.management_key, proxy="") as admin,
    ):
        yield SpectronServer(running.url, running.management_key, admin, client)

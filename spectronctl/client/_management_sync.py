"""The synchronous face of the management API, as the product's documentation shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from spectronctl.api import contexts, health, identity, keys, lifecycle, migrations
from spectronctl.api import ontology as ontologies
from spectronctl.api.requests import Tagged
from spectronctl.client._call import Exchange
from spectronctl.client._httpx import httpx
from spectronctl.client._polling import Polling
from spectronctl.client._sync import Client
from spectronctl.ground.vocabulary import AuthHeader
from spectronctl.models.contexts import Context
from spectronctl.models.health import Health
from spectronctl.models.identity import Identity
from spectronctl.models.keys import Key, MintedKey
from spectronctl.models.lifecycle import Decay, Job, StartedJob
from spectronctl.models.migrations import Migrations
from spectronctl.models.ontology import Ontology


class SyncSpectronManagement:
    """
    A Spectron deployment as its operator sees it.

    `contexts`, `keys`, `ontology` and `lifecycle`; `migrations`, `whoami` and `health`.

    It need not be closed. Inside `with` connections stay open from call to call, which is faster; elsewhere each
    call has its own.

    `api_key` is a management key (`mgmt-…`). `timeout` bounds a whole call in seconds, `retries` counts attempts after
    the first (reads and deletions only), `ca_file` (PEM) adds to the system's certificates, `proxy` wins over the
    environment's ("" is none at all), `observe` sees every attempt. ConfigError names the argument that cannot be used.

    Every call raises the subclasses of `spectronctl.RequestError`: AuthError, ForbiddenError, NotFoundError,
    ConflictError, InvalidError, RateLimitedError, UpstreamError, NotAvailableError and NetworkError. Where
    `outcome_unknown` is true, the response to a write was lost: look whether it was carried out, do not repeat it.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        auth_header: AuthHeader = "both",
        timeout: float = 30.0,
        retries: int = 3,
        ca_file: str | None = None,
        proxy: str | None = None,
        transport: httpx.BaseTransport | None = None,
        observe: Callable[[Exchange], None] | None = None,
    ) -> None:
        self._client = Client(
            base_url,
            api_key=api_key,
            auth_header=auth_header,
            timeout=timeout,
            retries=retries,
            ca_file=ca_file,
            proxy=proxy,
            transport=transport,
            observe=observe,
        )
        self.contexts = Contexts(self._client)
        self.keys = Keys(self._client)
        self.ontology = Ontologies(self._client)
        self.lifecycle = Lifecycle(self._client)

    def whoami(self, context_id: str) -> Identity:
        """Who the key is on the data plane of a context: principal and grants (`GET /{context_id}/me`)."""
        return self._client.send(identity.get_identity(context_id))

    def migrations(self) -> Migrations:
        """Which schema the database of each context has (`GET /migrations`)."""
        return self._client.send(migrations.get_migrations())

    def health(self) -> Health:
        """Whether the server responds; needs no key (`GET /health`)."""
        return self._client.send(health.get_health())

    def close(self) -> None:
        """Close the connections; nothing can be called afterwards."""
        self._client.close()

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Contexts:
    """Contexts, each with a database, keys and a configuration of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(
        self,
        id: str,
        *,
        namespace: str,
        database: str,
        config: dict[str, Any] | None = None,
        admin_external_id: str | None = None,
        admin_display_name: str | None = None,
    ) -> Context:
        """
        Create a context bound to (`namespace`, `database`).

        `config`: `token_limit` (tokens), `retention_days` (days), `models` (stage → `provider/model`), `providers`
        (name → secret, write-only), `provider_urls` (name → base URL), `memory_ttl` (category → duration, as `12h`),
        and any further field. ConflictError: the id or the pair is taken; InvalidError: a
        bad id, a reserved namespace, a bad config.
        """
        return self._client.send(
            contexts.create_context(
                id,
                namespace=namespace,
                database=database,
                config=config,
                admin_external_id=admin_external_id,
                admin_display_name=admin_display_name,
            )
        )

    def get(self, id: str) -> Context:
        """One context with its effective configuration; NotFoundError when there is none."""
        return self._client.send(contexts.get_context(id))

    def list(self) -> Iterator[Context]:
        """Every context of the deployment by id, page after page as they are consumed."""
        return self._client.items(contexts.list_contexts())

    def update(
        self,
        id: str,
        *,
        config: dict[str, Any] | None = None,
        enforcement_blocked: bool | None = None,
    ) -> Context:
        """Merge `config` deeply into a context's, where an explicit None clears a field; the context as it is then."""
        return self._client.send(
            contexts.update_context(id, config=config, enforcement_blocked=enforcement_blocked)
        )

    def delete(self, id: str) -> None:
        """Drop a context with its database and keys, for good; NotFoundError when there is none."""
        self._client.send(contexts.delete_context(id))


class Keys:
    """API keys, each bound to one context; a secret appears once, when it is made."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(
        self,
        context_id: str,
        *,
        name: str,
        principal: str = "agent",
        principal_id: str | None = None,
        scope_floor: Any = None,
        expires_at: str | None = None,
        expires_in: int | None = None,
    ) -> MintedKey:
        """
        Make a key; its `secret` cannot be read again.

        It acts for the principal of `principal_id`, or for one of its own, which may do what `principal` says, `agent`
        or `supervisor`. `expires_at` is RFC 3339, `expires_in` in seconds, at most one of them.
        ConflictError: the name is taken. Never sent twice: after a lost response a key may exist whose secret is gone.
        """
        return self._client.send(
            keys.create_key(
                context_id,
                name,
                principal=principal,
                principal_id=principal_id,
                scope_floor=scope_floor,
                expires_at=expires_at,
                expires_in=expires_in,
            )
        )

    def list(self, context_id: str) -> Iterator[Key]:
        """Every key of a context by id, never with its secret, page after page as they are consumed."""
        return self._client.items(keys.list_keys(context_id))

    def rotate(self, context_id: str, key_id: str) -> MintedKey:
        """Replace a key's secret; the old one stops at once. Never sent twice."""
        return self._client.send(keys.rotate_key(context_id, key_id))

    def delete(self, context_id: str, key_id: str) -> None:
        """Revoke a key at once; NotFoundError when there is none."""
        self._client.send(keys.delete_key(context_id, key_id))


class Ontologies:
    """The ontology of each context: what extraction looks for."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def get(self, context_id: str) -> Tagged[Ontology]:
        """
        The ontology as `value`, with three empty fields where none was set, and its `etag`.

        `etag` is None on servers that name no versions. NotFoundError: there is no such context.
        """
        return self._client.send(ontologies.get_ontology(context_id))

    def set(
        self,
        context_id: str,
        ontology: Ontology | Mapping[str, Any],
        *,
        if_match: str | None = None,
    ) -> Tagged[Ontology]:
        """
        Replace the whole ontology; what is not named is gone. The ontology as it is then, and its `etag`.

        InvalidError names all that is wrong with it. ConflictError: it is no longer the one whose `etag` is `if_match`,
        and nothing was changed. Never sent twice.
        """
        return self._client.send(ontologies.set_ontology(context_id, ontology, if_match=if_match))

    def delete(self, context_id: str, *, if_match: str | None = None) -> None:
        """Forget the ontology, also where none was set; ConflictError as for `set`."""
        self._client.send(ontologies.delete_ontology(context_id, if_match=if_match))


class Lifecycle:
    """Upkeep of a context's memory, and the jobs that it takes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def decay(self, context_id: str) -> Decay:
        """Expire memories that are past their time and prune the cache; what is gone. Never sent twice."""
        return self._client.send(lifecycle.decay_context(context_id))

    def reindex(self, context_id: str) -> StartedJob:
        """
        Start to embed every chunk again; `watch` waits until that is done.

        ConflictError: it is under way already; InvalidError: the embedder cannot be used. Never sent twice: after a
        lost response `jobs` tells whether one was started.
        """
        return self._client.send(lifecycle.reindex_context(context_id))

    def jobs(self, context_id: str) -> Iterator[Job]:
        """Every job of a context, the oldest first, page after page as they are consumed."""
        return self._client.items(lifecycle.list_jobs(context_id))

    def job(self, context_id: str, job_id: str) -> Job:
        """One job; NotFoundError when the context has none of that id."""
        return self._client.send(lifecycle.get_job(context_id, job_id))

    def cancel(self, context_id: str, job_id: str) -> Job:
        """Cancel a job: a queued one at once, a running one soon; ConflictError when it is over otherwise."""
        return self._client.send(lifecycle.cancel_job(context_id, job_id))

    def watch(self, context_id: str, job_id: str, *, timeout: float | None = None) -> Iterator[Job]:
        """
        A job as it is, again and again until it is over.

        Once it has been seen, a server that is busy, restarts or cannot be reached for a while ends nothing.
        WaitTimeoutError after `timeout` seconds, or after ten minutes without a response; the job goes on.
        """
        polling = Polling[Job](lambda job: job.is_over, timeout=timeout)
        return self._client.poll(lifecycle.get_job(context_id, job_id), polling)

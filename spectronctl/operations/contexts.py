"""Contexts: creation that may be repeated, updates that know their difference, lost responses settled by a read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spectronctl.api import contexts as api
from spectronctl.api.keys import list_keys
from spectronctl.client import Client, Polling
from spectronctl.errors import (
    ConflictError,
    NotFoundError,
    RequestError,
    WaitTimeoutError,
)
from spectronctl.ground.times import parse_time
from spectronctl.models.contexts import Context, merge_config
from spectronctl.operations.losses import find_losses
from spectronctl.operations.recovery import Advice, settle

Agree = Callable[["Update"], object]
"""Called before an update is sent; raises when it must not be."""

OnExistingContext = Literal["fail", "skip", "update"]
Goal = Literal["exists", "deleted"]


@dataclass(frozen=True)
class Update:
    """A context before and after; both are config only, with providers shown as names."""

    context: Context
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def changed(self) -> bool:
        """Whether there is anything to send."""
        return self.before != self.after

    @property
    def losses(self) -> list[str]:
        """What cannot be had back by changing it back, a clause for each."""
        return find_losses(self.before, self.after)


@dataclass(frozen=True)
class Creation:
    """A context that is there now: `created`, or found as it was, or found and updated."""

    context: Context
    created: bool
    update: Update | None = None


def create_context(
    client: Client,
    context_id: str,
    *,
    namespace: str,
    database: str,
    config: dict[str, Any],
    if_exists: OnExistingContext = "fail",
    agree: Agree = lambda update: None,
) -> Creation:
    """
    Create a context, or accept the one that is there.

    Under `skip` and `update` an existing context counts only when it is bound to the same namespace and database.
    A creation whose response was lost is settled by reading the context back.
    """
    request = api.create_context(
        context_id, namespace=namespace, database=database, config=config or None
    )
    try:
        return Creation(client.send(request), created=True)
    # Never our own first attempt: a creation is sent again only when no byte of it can have reached the server.
    except ConflictError as exc:
        if if_exists == "fail":
            raise
        existing = _find_same(client, context_id, namespace, database, exc)
    except RequestError as exc:
        return Creation(
            settle(
                exc,
                read=lambda: client.send(api.get_context(context_id).or_none()),
                judge=lambda found: _judge(found, context_id, namespace, database, config),
                unreadable=Advice(
                    f"Whether {context_id} was created is unknown.", _get_command(context_id)
                ),
            ),
            created=True,
        )
    if if_exists == "skip":
        return Creation(existing, created=False)
    update = update_context(client, context_id, config, current=existing, agree=agree)
    return Creation(update.context, created=False, update=update)


def _find_same(
    client: Client, context_id: str, namespace: str, database: str, conflict: ConflictError
) -> Context:
    try:
        existing = client.send(api.get_context(context_id))
    except NotFoundError:  # the id is free: another context has the namespace and database
        raise conflict from None
    check_binding(existing, namespace, database, conflict)
    return existing


def check_binding(
    context: Context, namespace: str, database: str, refusal: ConflictError | None = None
) -> None:
    """ConflictError for a context that is bound to something else, as the server's `refusal` of it if there is one."""
    if (context.namespace, context.database) != (namespace, database):
        raise ConflictError(
            f"context {context.id} exists and is bound to {context.namespace}/{context.database},"
            f" not {namespace}/{database}",
            status=refusal.status if refusal else None,
            request_id=refusal.request_id if refusal else None,
            hint="A context is never moved: create one under another id, and copy its data.",
        )


def _judge(
    found: Context | None, context_id: str, namespace: str, database: str, config: dict[str, Any]
) -> Context | Advice:
    """The context that was asked for, if that is what is there."""
    if found is None:
        return Advice(
            f"No context {context_id} is there, but it may still come; it is safe to run this again."
        )
    bound = (found.namespace, found.database) == (namespace, database)
    # It may be another client's, made between our request and this look: the same name is no proof.
    if not bound or differs(found, config):
        return Advice(
            f"A context {context_id} is there, and is not the one that was asked for.",
            _get_command(context_id),
        )
    return found


def _get_command(context_id: str) -> str:
    return f"spectronctl contexts get {context_id}"


def update_context(
    client: Client,
    context_id: str,
    patch: Mapping[str, Any],
    *,
    current: Context | None = None,
    agree: Agree = lambda update: None,
) -> Update:
    """
    Deep-merge `patch` into a context's config; nothing is sent when that changes nothing.

    `agree` sees the update, with the context as it still is, before it is sent.
    """
    current = current or client.send(api.get_context(context_id))
    before = show_config(current)
    after = _show_merged(before, patch)
    planned = Update(current, before, after)
    # Before `agree`: a question about nothing would only train people to say yes.
    if not planned.changed:
        return planned
    agree(planned)
    try:
        updated = client.send(api.update_context(context_id, config=dict(patch)))
    except RequestError as exc:
        updated = settle(
            exc,
            read=lambda: client.send(api.get_context(context_id)),
            judge=lambda found: _judge_update(found, patch),
            unreadable=Advice(),
        )
    return Update(updated, before, after)


def _judge_update(found: Context, patch: Mapping[str, Any]) -> Context | Advice:
    if differs(found, patch) or patch.get("providers"):  # a secret cannot be read back
        return Advice("The update may not have been applied; it is safe to run it again.")
    return found


def differs(context: Context, patch: Mapping[str, Any]) -> bool:
    """Whether merging `patch` would change a context's config, as far as that can be seen: secrets cannot."""
    current = show_config(context)
    wanted = dict(patch)
    # A server shows which providers have a secret, never the secret: one that is configured counts as the same.
    for name in wanted.pop("providers", None) or {}:
        if name not in current.get("providers", {}):
            return True
    return merge_config(current, wanted) != current


def show_config(context: Context) -> dict[str, Any]:
    """A context's config as it can be shown: each configured provider stands as `set`."""
    config = dict(context.config)
    names = config.pop("providers_configured", None) or []
    return {**config, "providers": dict.fromkeys(names, "set")} if names else config


def _show_merged(before: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(patch)
    providers = shown.get("providers")
    if isinstance(providers, Mapping):
        shown["providers"] = {
            name: None
            if secret is None
            # In other words than before, since `changed` compares what is shown: a new secret for a known provider
            # must be sent.
            else "set, replaced"
            if name in before.get("providers", {})
            else "set"
            for name, secret in providers.items()
        }
    merged = merge_config(before, shown)
    return {name: value for name, value in merged.items() if name != "providers" or value}


@dataclass(frozen=True)
class Use:
    """How many keys a context has, and when one of them was used last (RFC 3339)."""

    keys: int
    last_used_at: str | None


def read_use(client: Client, context_id: str) -> Use:
    """What a context's keys tell of its use; NotFoundError when there is no such context."""
    keys = list(client.items(list_keys(context_id)))
    # Compared as moments: as text, times with other fractions or zones would sort wrongly. The text is shown as it
    # came.
    used = [(moment, key.last_used_at) for key in keys if (moment := parse_time(key.last_used_at))]
    return Use(len(keys), max(used)[1] if used else None)


def wait_for_context(
    client: Client,
    context_id: str,
    goal: Goal,
    *,
    timeout: float | None = None,
    on_wait: Callable[[str], object],
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Context | None:
    """
    The context once it is there, or None once it is gone.

    `timeout`, in seconds, bounds the wait, and then a server that is not up yet is waited for too; without it the
    first response must come. `on_wait` is told what is still so. WaitTimeoutError when the wait gives up.
    """
    polling = Polling[Context | None](
        lambda found: (found is None) == (goal == "deleted"),
        timeout=timeout,
        # With a limit a script waits for a server that is still starting. Without one, a wrong URL would be waited
        # for until the ten minutes of silence are over.
        is_known=timeout is not None,
        on_failure=lambda failure: on_wait(f"no response, trying again: {failure.text}"),
        clock=clock,
    )
    state = "is still there" if goal == "deleted" else "is not there yet"
    found: Context | None = None
    try:
        for found in client.poll(api.get_context(context_id).or_none(), polling, sleep=sleep):
            # Not at the last look, which has what was waited for.
            if (found is None) == (goal == "exists"):
                on_wait(state)
    except WaitTimeoutError as exc:
        raise WaitTimeoutError(
            f"context {context_id} {state}: {exc.message}", hint=exc.hint
        ) from None
    return found

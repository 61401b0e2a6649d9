"""Writes of a whole ontology that depend on the version they were made from; lost responses settled by reading back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import random
from typing import TypeAlias

from spectronctl.api import ontology as api
from spectronctl.api.requests import Tagged
from spectronctl.client import Client
from spectronctl.errors import ConflictError, RequestError
from spectronctl.ground.backoff import pause_after
from spectronctl.models.ontology import Ontology
from spectronctl.operations.ontologies._difference import Difference, compare_ontologies
from spectronctl.operations.recovery import Advice, settle

Agree: TypeAlias = Callable[[Difference], None]
"""Called before a write; raises when it must not be."""

_ATTEMPTS = 100
_FIRST_PAUSE, _MAX_PAUSE = 0.05, 1.0
"""Seconds: the longest pause after the first refusal, doubling up to the longest of all."""


class _OutrunError(ConflictError):
    """Another version is there than the one that a change was made from."""


@dataclass(frozen=True)
class Written:
    """An ontology before and now, and what was changed; nothing was sent where that is false."""

    before: Ontology
    ontology: Ontology
    difference: Difference


def replace_ontology(
    client: Client, context_id: str, make: Callable[[Ontology], Ontology], *, agree: Agree
) -> Written:
    """
    Put what `make` makes of the ontology in its place.

    ConflictError, and nothing changed, when another client changes it meanwhile, however long `make` and `agree` take.
    """
    before = client.send(api.get_ontology(context_id))
    # Once, and never again for a newer version: this may be an editor, in which a person has just worked.
    wanted = make(before.value)
    try:
        return _write(client, context_id, before, lambda _: wanted, agree)
    except ConflictError as exc:
        raise _explain(exc, context_id) from None


def change_ontology(
    client: Client,
    context_id: str,
    change: Callable[[Ontology], Ontology],
    *,
    agree: Agree,
    patience: float,
) -> Written:
    """
    Change the ontology as it is at the time, again and again where others change it too.

    ConflictError once that goes on for `patience` seconds. `change` is pure and may be repeated.
    """
    deadline: float | None = None
    for attempt in range(1, _ATTEMPTS + 1):
        before = client.send(api.get_ontology(context_id))
        try:
            return _write(client, context_id, before, change, agree)
        except ConflictError as exc:
            refusal = exc
        # From the first refusal on: the time that a person took to confirm is not spent on trying.
        deadline = deadline or time.monotonic() + patience
        jitter = random()  # noqa: S311 - spreads load, no secret
        pause = pause_after(attempt, _FIRST_PAUSE, _MAX_PAUSE, jitter=jitter)
        if not _is_outrun(refusal) or time.monotonic() + pause > deadline:
            break
        time.sleep(pause)
    raise _explain(refusal, context_id)


def _write(
    client: Client,
    context_id: str,
    before: Tagged[Ontology],
    change: Callable[[Ontology], Ontology],
    agree: Agree,
) -> Written:
    wanted = change(before.value)
    difference = compare_ontologies(before.value, wanted)
    # No write, so the version does not change, and other clients' If-Match still holds.
    if not difference:
        return Written(before.value, before.value, difference)
    agree(difference)
    if before.etag is None:
        _check_unchanged(client, context_id, before.value)
    try:
        after = client.send(api.set_ontology(context_id, wanted, if_match=before.etag)).value
    except RequestError as exc:
        after = settle(
            exc,
            read=lambda: client.send(api.get_ontology(context_id)).value,
            judge=lambda found: _judge(found, change),
            unreadable=Advice(
                "Whether the ontology was changed is unknown.",
                f"spectronctl ontology get -c {context_id}",
            ),
        )
    return Written(before.value, after, difference)


def _check_unchanged(client: Client, context_id: str, before: Ontology) -> None:
    """All that can be done where the server names no versions: look once more."""
    if compare_ontologies(before, client.send(api.get_ontology(context_id)).value):
        raise _OutrunError("the ontology has changed")


def _judge(found: Ontology, change: Callable[[Ontology], Ontology]) -> Ontology | Advice:
    """What is there, if the change is in it."""
    # A change that is made already changes nothing when it is made again, whatever others have written besides.
    if compare_ontologies(found, change(found)):
        return Advice(
            "The ontology is not as it was to be, but the change may still come; it is safe to run this"
            " again."
        )
    return found


def _is_outrun(conflict: ConflictError) -> bool:
    return conflict.status == 412 or isinstance(conflict, _OutrunError)


def _explain(conflict: ConflictError, context_id: str) -> ConflictError:
    if _is_outrun(conflict):
        conflict.message = f"another client changed the ontology of context {context_id} meanwhile"
        conflict.hint = "Nothing was changed. Run this again to begin from what is there now."
    return conflict

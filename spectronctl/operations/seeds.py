"""Plant a seed: make its contexts, and put into each what belongs there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from spectronctl.api import contexts, facts, keys, ontology
from spectronctl.client import Client
from spectronctl.errors import SpectronctlError
from spectronctl.ground.times import format_time
from spectronctl.models.facts import Message
from spectronctl.models.seeds import Seed, SeedContext, SeedFact, SeedKey, SeedSession
from spectronctl.operations.imports import import_turns
from spectronctl.operations.sessions import create_session


@dataclass(frozen=True)
class Planted:
    """A context that is there now, the secrets of its keys by name, and the ids of its sessions."""

    id: str
    keys: dict[str, str] = field(repr=False)
    sessions: list[str]


def plant_seed(client: Client, seed: Seed) -> list[Planted]:
    """
    Make every context of a seed on a server that has none of them.

    The first failure ends it; its message begins with the place in the seed.
    """
    return [
        plant_context(client, context, f"contexts[{at}]")
        for at, context in enumerate(seed.contexts)
    ]


def plant_context(client: Client, context: SeedContext, place: str = "context") -> Planted:
    """Make one context; `place` is how errors name it."""
    namespace, database = context.bound_to
    with _at(place):
        client.send(
            contexts.create_context(
                context.id, namespace=namespace, database=database, config=context.config or None
            )
        )
    if wanted := context.load_ontology():
        with _at(f"{place}.ontology"):
            client.send(ontology.set_ontology(context.id, wanted))
    planted = Planted(context.id, keys={}, sessions=[])
    for at, key in enumerate(context.keys):
        with _at(f"{place}.keys[{at}]"):
            planted.keys[key.name] = _plant_key(client, context.id, key)
    for at, session in enumerate(context.sessions):
        with _at(f"{place}.sessions[{at}]"):
            planted.sessions.append(_plant_session(client, context.id, session))
    for at, fact in enumerate(context.facts):
        with _at(f"{place}.facts[{at}]"):
            _plant_fact(client, context.id, fact)
    return planted


def _plant_key(client: Client, context_id: str, key: SeedKey) -> str:
    minted = client.send(
        keys.create_key(
            context_id,
            key.name,
            principal=key.principal,
            scope_floor=key.scope_floor,
            expires_in=key.expires_in,
        )
    )
    return minted.secret


def _plant_session(client: Client, context_id: str, session: SeedSession) -> str:
    made = create_session(client, context_id, scopes=session.scopes, metadata=session.metadata)
    messages: list[Message] = [
        {"role": turn.role, "content": turn.content}
        | ({"ts": format_time(turn.ts)} if turn.ts else {})  # type: ignore[misc]
        for turn in session.turns
    ]
    if messages:
        # The importer's chunks, since a session of a seed may be longer than a server takes at once.
        import_turns(client, context_id, messages, session_id=made.id)
    return made.id


def _plant_fact(client: Client, context_id: str, fact: SeedFact) -> None:
    client.send(
        facts.create_fact(
            context_id,
            fact.text,
            scopes=fact.scopes,
            memory_category=fact.memory_category,
            observed_at=format_time(fact.observed_at) if fact.observed_at else None,
        )
    )


@contextmanager
def _at(place: str) -> Iterator[None]:
    try:
        yield
    except SpectronctlError as exc:
        # The error keeps its kind, its exit code and its request: another one around it would lose them.
        exc.message = f"{place}: {exc.message}"
        raise

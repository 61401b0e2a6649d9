"""
Clones: another context with the configuration, the ontology and the keys of one, each key with a secret of its own.

A clone is planned first, over everything that is there on both sides, and then made part by part. What is there already
is never changed, so a clone that was interrupted is finished by asking for it again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from spectronctl.api import contexts as api
from spectronctl.api import keys as keys_api
from spectronctl.api import ontology as ontology_api
from spectronctl.client import Client
from spectronctl.errors import ConflictError, SpectronctlError
from spectronctl.models.contexts import Context
from spectronctl.models.keys import Key, has_expired, split_name
from spectronctl.models.ontology import Ontology
from spectronctl.operations.contexts import check_binding, create_context, differs
from spectronctl.operations.keys import create_key, list_ids, may_have_minted, sweep_keys
from spectronctl.operations.ontologies import (
    Difference,
    compare_ontologies,
    list_parts,
    replace_ontology,
)
from spectronctl.operations.rotations import read_lifetime, select_newest

IfExists = Literal["fail", "skip"]
Outcome = Literal["new", "same", "different"]
"""A part is new, or was there already: as it is in the source, or otherwise."""


class Delivery(Protocol):
    """Where one secret goes; `stored` and `kept` say who has it by now."""

    stored: list[Any]

    @property
    def kept(self) -> Any: ...

    def commit(self, secret: str, *, id: str | None = None) -> None: ...


Reserve = Callable[[str], AbstractContextManager[Delivery]]
"""Makes sure that the secret of the key of that name can be delivered."""


@dataclass(frozen=True, kw_only=True)
class KeyPlan:
    """A key of the clone; `lifetime` is in seconds, None for ever. `found` is the one that is there already."""

    name: str
    principal: str | None
    scope_floor: Any
    lifetime: float | None
    found: Key | None = None

    @property
    def outcome(self) -> Outcome:
        """What is to become of it."""
        if self.found is None:
            return "new"
        told = (self.found.principal, self.found.scope_floor, self.found.status != "expired")
        return "same" if told == (self.principal, self.scope_floor, True) else "different"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """
    What a clone is to be, and what of it is there: `found` is the context itself.

    `config` holds the secrets of the providers that were given; `lacking` names those that nobody gave. `ontology` is
    None where none is copied.
    """

    source: str
    target: str
    namespace: str
    database: str
    config: dict[str, Any] = field(repr=False)
    lacking: tuple[str, ...]
    ontology: Ontology | None
    ontology_outcome: Outcome
    keys: tuple[KeyPlan, ...]
    found: Context | None

    @property
    def context_outcome(self) -> Outcome:
        """What is to become of the context."""
        if self.found is None:
            return "new"
        return "different" if differs(self.found, self.config) else "same"

    @property
    def new_keys(self) -> tuple[KeyPlan, ...]:
        """The keys to be minted."""
        return tuple(key for key in self.keys if key.found is None)


@dataclass(kw_only=True)
class Clone:
    """
    How far a clone has come: what of its plan was made.

    Two lists name keys that somebody must see to: the secrets of the `scattered` are in some of their places only, and
    the `stray` may be there although nobody has their secrets.
    """

    plan: Plan
    context: Context | None = None
    ontology: Ontology | None = None
    keys: dict[str, Key] = field(default_factory=dict)
    scattered: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)

    def list_made(self) -> Iterator[str]:
        """What was made, in words."""
        if self.context is not None:
            yield f"context {self.plan.target}"
        if self.ontology is not None:
            yield "the ontology"
        yield from (f"key {name}" for name in self.keys)

    def list_missing(self) -> Iterator[str]:
        """What was not made, in words."""
        plan = self.plan
        if plan.ontology is not None and plan.ontology_outcome == "new" and self.ontology is None:
            yield "the ontology"
        known = {*self.keys, *self.stray}
        yield from (f"key {key.name}" for key in plan.new_keys if key.name not in known)


def plan_clone(
    client: Client,
    source: str,
    target: str,
    *,
    namespace: str,
    database: str,
    providers: Mapping[str, str],
    with_ontology: bool = True,
    with_keys: bool = True,
    if_exists: IfExists = "fail",
) -> Plan:
    """
    Read both sides and say what there is to make; nothing is changed.

    Keys are the newest generations of those that have not expired. ConflictError for a target that is there, unless
    `skip` accepts it, which wants the same namespace and database.
    """
    context = client.send(api.get_context(source))
    found = client.send(api.get_context(target).or_none())
    if found is not None:
        _check_found(found, namespace, database, if_exists)
    config = {name: value for name, value in context.config.items() if name != _CONFIGURED}
    wanted = _read_ontology(client, source) if with_ontology else None
    keys = list(client.items(keys_api.list_keys(source))) if with_keys else []
    there = list(client.items(keys_api.list_keys(target))) if with_keys and found else []
    return Plan(
        source=source,
        target=target,
        namespace=namespace,
        database=database,
        config={**config, "providers": dict(providers)} if providers else config,
        lacking=_find_lacking(context, found, providers),
        ontology=wanted,
        ontology_outcome=_compare(
            wanted, _read_ontology(client, target) if wanted and found else None
        ),
        keys=tuple(_plan_keys(keys, there, datetime.now(UTC) + client.clock_offset)),
        found=found,
    )


_CONFIGURED = "providers_configured"


def _check_found(found: Context, namespace: str, database: str, if_exists: IfExists) -> None:
    check_binding(found, namespace, database)
    if if_exists == "fail":
        raise ConflictError(
            f"context {found.id} exists",
            hint="--if-exists skip leaves what is there as it is, and makes what is missing.",
        )


def _find_lacking(
    source: Context, found: Context | None, providers: Mapping[str, str]
) -> tuple[str, ...]:
    """Providers whose secrets the clone lacks: they never leave a server."""
    wanted = [*(source.config.get(_CONFIGURED) or ()), *(providers if found else ())]
    known = (found.config.get(_CONFIGURED) or ()) if found else providers
    return tuple(name for name in dict.fromkeys(wanted) if name not in known)


def _read_ontology(client: Client, context_id: str) -> Ontology | None:
    """The ontology, None where nothing is in it."""
    found = client.send(ontology_api.get_ontology(context_id)).value
    return found if any(list_parts(found)) else None


def _compare(wanted: Ontology | None, found: Ontology | None) -> Outcome:
    if found is None or wanted is None:
        return "new"
    return "different" if compare_ontologies(found, wanted) else "same"


def _plan_keys(keys: Sequence[Key], there: Sequence[Key], now: datetime) -> Iterator[KeyPlan]:
    known = {split_name(key.name)[0]: key for key in select_newest(there)}
    for key in select_newest(key for key in keys if not has_expired(key, now)):
        name, _ = split_name(key.name)
        yield KeyPlan(
            name=name,
            principal=key.principal,
            scope_floor=key.scope_floor,
            lifetime=read_lifetime(key, now),
            found=known.get(name),
        )


def make_clone(
    client: Client,
    clone: Clone,
    reserve: Reserve,
    *,
    on_made: Callable[[str], object] = lambda text: None,
) -> None:
    """
    Make what is new in the plan of a clone, part by part; `clone` knows how far it has come, also when this fails.

    `on_made` is told each part. Lost answers are settled by reading back, and a key whose secret nobody has by then
    is deleted again.
    """
    plan = clone.plan
    if plan.found is None:
        clone.context = _make_context(client, plan)
        on_made(f"context {plan.target}")
    if plan.ontology is not None and plan.ontology_outcome == "new":
        clone.ontology = _make_ontology(client, plan.target, plan.ontology)
        on_made("the ontology")
    for key in plan.new_keys:
        _make_key(client, clone, key, reserve)
        on_made(f"key {key.name}")


def _make_context(client: Client, plan: Plan) -> Context:
    return create_context(
        client,
        plan.target,
        namespace=plan.namespace,
        database=plan.database,
        config=plan.config,
    ).context


def _make_ontology(client: Client, target: str, wanted: Ontology) -> Ontology:
    def agree(difference: Difference) -> None:
        if difference.removed:
            raise ConflictError(
                f"somebody else has given context {target} an ontology meanwhile",
                command=f"spectronctl ontology get -c {target}",
            )

    return replace_ontology(client, target, lambda _: wanted, agree=agree).ontology


def _make_key(client: Client, clone: Clone, key: KeyPlan, reserve: Reserve) -> None:
    target = clone.plan.target
    with reserve(key.name) as delivery:
        before = list_ids(client, target)
        try:
            minted = create_key(
                client,
                target,
                key.name,
                recover=True,
                principal=key.principal or "agent",
                scope_floor=key.scope_floor,
                expires_in=None if key.lifetime is None else round(key.lifetime),
            )
            clone.keys[key.name] = minted.without_secret()
            delivery.commit(minted.secret, id=minted.id)
        except (SpectronctlError, KeyboardInterrupt) as exc:
            if delivery.stored:
                clone.scattered.append(key.name)
            elif delivery.kept is None and may_have_minted(exc):
                _take_back(client, clone, key.name, before)
            raise


def _take_back(client: Client, clone: Clone, name: str, before: Collection[str]) -> None:
    """Delete a key whose secret nobody has: it would be in the way of the next attempt."""
    clone.keys.pop(name, None)
    clone.stray.append(name)  # until it is gone, also when this is interrupted
    with suppress(SpectronctlError):
        sweep_keys(client, clone.plan.target, name, spared=before)
        clone.stray.remove(name)


def join_words(words: Iterable[str]) -> str:
    """Parts of a clone in a sentence."""
    return ", ".join(words) or "nothing"

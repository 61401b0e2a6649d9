"""What a clone is to be, and what of it is there: planned over everything on both sides, before anything is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from spectronctl.api import contexts as api
from spectronctl.api import keys as keys_api
from spectronctl.api import ontology as ontology_api
from spectronctl.client import Client
from spectronctl.errors import ConflictError
from spectronctl.models.contexts import Context
from spectronctl.models.keys import Key, has_expired, split_name
from spectronctl.models.ontology import Ontology
from spectronctl.operations.contexts import check_binding, differs
from spectronctl.operations.ontologies import compare_ontologies, list_parts
from spectronctl.operations.rotations import read_lifetime, select_newest

OnExistingTarget = Literal["fail", "skip"]
Outcome = Literal["new", "same", "different"]
"""A part is new, or was there already: as it is in the source, or otherwise."""


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
        """Whether the key is new, or there already: as it is in the source, or otherwise."""
        if self.found is None:
            return "new"
        told = (self.found.principal, self.found.scope_floor, self.found.status != "expired")
        return "same" if told == (self.principal, self.scope_floor, True) else "different"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """
    What a clone is to be, and what of it is there: `found` is the context itself.

    `config` holds the secrets of the providers that were given; `lacking` names those not given. `ontology` is
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
    if_exists: OnExistingTarget = "fail",
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
    # A server computes that field from secrets that it never shows: sent along, it would say nothing of the clone.
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
        keys=tuple(_plan_keys(keys, there, client.server_time())),
        found=found,
    )


_CONFIGURED = "providers_configured"


def _check_found(
    found: Context, namespace: str, database: str, if_exists: OnExistingTarget
) -> None:
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
    # By logical names: a key that was rotated since is the same key, whatever generation it is in.
    known = {split_name(key.name)[0]: key for key in select_newest(there)}
    for key in select_newest(key for key in keys if not has_expired(key, now)):
        name, _ = split_name(key.name)
        yield KeyPlan(
            name=name,
            principal=key.principal,
            scope_floor=key.scope_floor,
            # As long as the source's key was given, counted anew: with the source's end the clone's keys would be
            # half gone.
            lifetime=read_lifetime(key, now),
            found=known.get(name),
        )

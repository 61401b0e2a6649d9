"""A clone is made part by part, each key with a secret of its own; what is there already is never changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from spectronctl.client import Client
from spectronctl.errors import ConflictError, SpectronctlError
from spectronctl.models.contexts import Context
from spectronctl.models.keys import Key
from spectronctl.models.ontology import Ontology
from spectronctl.operations.clones._plan import KeyPlan, Plan
from spectronctl.operations.contexts import create_context
from spectronctl.operations.keys import create_key, list_ids, may_have_minted, sweep_keys
from spectronctl.operations.ontologies import Difference, replace_ontology


class Delivery(Protocol):
    """Where one secret goes; `stored` and `kept` say who has it by now."""

    stored: list[Any]

    @property
    def kept(self) -> Any: ...

    def commit(self, secret: str, *, id: str | None = None) -> None: ...


Reserve = Callable[[str], AbstractContextManager[Delivery]]
"""Makes sure that the secret of the key of that name can be delivered."""


@dataclass(kw_only=True)
class Clone:
    """
    How far a clone has come: what of its plan was made.

    Two lists name keys that need attention: the secrets of the `scattered` are in some of their places only, and
    the `stray` may be there although their secrets are lost.
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


def make_clone(
    client: Client,
    clone: Clone,
    reserve: Reserve,
    *,
    on_made: Callable[[str], object] = lambda text: None,
) -> None:
    """
    Make what is new in the plan of a clone, part by part; `clone` knows how far it has come, also when this fails.

    `on_made` is told each part. Lost responses are settled by reading back, and a key whose secret is lost by then
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
        # The target's ontology was empty when it was planned: what would be removed now, another client has put there
        # since.
        if difference.removed:
            raise ConflictError(
                f"another client has given context {target} an ontology meanwhile",
                command=f"spectronctl ontology get -c {target}",
            )

    return replace_ontology(client, target, lambda _: wanted, agree=agree).ontology


def _make_key(client: Client, clone: Clone, key: KeyPlan, reserve: Reserve) -> None:
    target = clone.plan.target
    # The place first, then the key: a place that cannot take a secret must be found out while there is none.
    with reserve(key.name) as delivery:
        # What may be swept after a failure is what was not there before it.
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
            # Before the delivery: where that fails the key is there all the same, and must be named.
            clone.keys[key.name] = minted.without_secret()
            delivery.commit(minted.secret, id=minted.id)
        # Ctrl-C may come between the response and the last byte in the file, and leaves the same two cases.
        except (SpectronctlError, KeyboardInterrupt) as exc:
            if delivery.stored:
                clone.scattered.append(key.name)
            # Nothing has the secret. Where a place has kept it the key is in use, so it stays.
            elif delivery.kept is None and may_have_minted(exc):
                _take_back(client, clone, key.name, before)
            raise


def _take_back(client: Client, clone: Clone, name: str, before: Collection[str]) -> None:
    """Delete a key whose secret is lost: it would be in the way of the next attempt."""
    clone.keys.pop(name, None)
    clone.stray.append(name)  # until it is gone, also when this is interrupted
    with suppress(SpectronctlError):
        sweep_keys(client, clone.plan.target, name, spared=before)
        clone.stray.remove(name)


def join_words(words: Iterable[str]) -> str:
    """Parts of a clone in a sentence."""
    return ", ".join(words) or "nothing"

"""
A seed: the contexts that a throw-away server begins with, their keys, and what was said and learnt there.

The shape is checked here; what a configuration, a scope or a name may be is the server's to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from spectronctl.ground.vocabulary import CONTEXT_ID, CONTEXT_ID_RULE, Category, Principal, Role
from spectronctl.models.ontology import Ontology
from spectronctl.models.ontology import find_problems as find_ontology_problems

NAMESPACE = "test"
"""The namespace of a context that names none; its database is then called as the context."""

_SAYS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "too_short": "must not be empty",
}


class _Part(BaseModel):
    """What a file may hold, and nothing else: a name that is misspelt must not be passed over."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, defer_build=True)


class SeedKey(_Part):
    """A key of the context. `expires_in` is in seconds."""

    name: str
    principal: Principal = "agent"
    scope_floor: Any = None
    expires_in: int | None = None


class SeedTurn(_Part):
    """One turn of a session; `ts` is when it was said."""

    role: Role
    content: str
    ts: AwareDatetime | None = None


class SeedSession(_Part):
    """A conversation; without scopes it is in the region of the whole context."""

    scopes: Any = None
    metadata: dict[str, Any] | None = None
    turns: list[SeedTurn] = Field(default_factory=list)


class SeedFact(_Part):
    """One text to remember, as the data plane takes it; `observed_at` is when it became known."""

    text: str
    scopes: Any = None
    memory_category: Category | None = None
    observed_at: AwareDatetime | None = None


class SeedContext(_Part):
    """One context and what is in it."""

    id: str
    namespace: str = NAMESPACE
    database: str = ""
    config: dict[str, Any] = Field(default_factory=dict)
    ontology: dict[str, Any] | None = None
    keys: list[SeedKey] = Field(default_factory=list)
    sessions: list[SeedSession] = Field(default_factory=list)
    facts: list[SeedFact] = Field(default_factory=list)

    @field_validator("id")
    @classmethod
    def _check_id(cls, value: str) -> str:
        if not CONTEXT_ID.fullmatch(value):
            raise ValueError(CONTEXT_ID_RULE)
        return value

    @property
    def bound_to(self) -> tuple[str, str]:
        """Its namespace and database."""
        return self.namespace, self.database or self.id

    def load_ontology(self) -> Ontology | None:
        """The ontology, once `find_problems` has found none."""
        return None if self.ontology is None else Ontology(**self.ontology)


class Seed(_Part):
    """The contexts, in the order in which they are made."""

    contexts: list[SeedContext] = Field(min_length=1)


def find_problems(document: Any) -> list[str]:
    """Everything that is wrong with decoded JSON as a seed, each with its path: `contexts[0].keys[1].name: …`."""
    if not isinstance(document, Mapping):
        return ["an object is needed, with the field contexts"]
    try:
        seed = Seed.model_validate(document)
    except ValidationError as exc:
        # Without the input: a seed may hold a provider's secret, and the message goes to a terminal or a log of CI.
        return [_describe(error) for error in exc.errors(include_url=False, include_input=False)]
    return [*_find_in_ontologies(seed), *_find_doubles(seed)]


def name_variable(context_id: str, key_name: str) -> str:
    """The variable of the environment that holds the secret of a seed's key."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", f"{context_id}_{key_name}").upper()
    return f"SPECTRON_API_KEY_{words}"


def _describe(error: Mapping[str, Any]) -> str:
    # pydantic puts this before the message of a ValueError that a validator raises.
    text = error["msg"].removeprefix("Value error, ").replace("Input should", "must", 1)
    says = _SAYS.get(error["type"], text)
    path = "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in error["loc"])
    return f"{path.removeprefix('.')}: {says}"


def _find_in_ontologies(seed: Seed) -> Iterator[str]:
    for at, context in enumerate(seed.contexts):
        if context.ontology is not None:
            for problem in find_ontology_problems(context.ontology):
                yield f"contexts[{at}].ontology.{problem}"


def _find_doubles(seed: Seed) -> Iterator[str]:
    """What the server or the environment has room for once."""
    contexts = [(f"contexts[{at}]", context) for at, context in enumerate(seed.contexts)]
    keys = [
        (f"{path}.keys[{at}].name", context.id, key.name)
        for path, context in contexts
        for at, key in enumerate(context.keys)
    ]
    yield from _find_repeated((f"{path}.id", context.id) for path, context in contexts)
    yield from _find_repeated(
        (f"{path}.database", "/".join(context.bound_to)) for path, context in contexts
    )
    # By the variable and not the name: `a-b` and `a_b` are two keys and one variable.
    yield from _find_repeated((path, name_variable(context, key)) for path, context, key in keys)


def _find_repeated(placed: Iterable[tuple[str, str]]) -> Iterator[str]:
    first: dict[str, str] = {}
    for path, value in placed:
        if value in first:
            yield f"{path}: {value} is what {first[value]} comes to already"
        # The first place stays the one that is named, also for a third and a fourth.
        first.setdefault(value, path)

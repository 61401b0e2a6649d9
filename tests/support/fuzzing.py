"""Requests that schemathesis makes up from a description, to a server that has something of everything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar, cast

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error

from tests.support.soak import SOAK
from tests.support.worlds import QUERIES, World, find_asker

EXAMPLES = 150 if SOAK else 5

ResultT = TypeVar("ResultT")


@dataclass
class Fuzzed:
    """A server in a process of its own, as a world that is reached over HTTP only."""

    url: str
    secrets: dict[str, str]
    ids: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def run(self, step: Callable[[World], Awaitable[ResultT]]) -> ResultT:
        async def main() -> ResultT:
            async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
                absent = cast("Any", None)  # the store is in the other process
                world = World(absent, client, self.secrets, self.ids, self.numbers)
                return await step(world)

        return asyncio.run(main())


def not_an_unplanned_error(ctx: Any, response: Any, case: Any) -> None:
    """No 5xx but 501, which some modes of a write and of a query are described to answer."""
    if response.status_code != 501:
        not_a_server_error(ctx, response, case)


def fuzz(fuzzed: Fuzzed, name: str, operation: Any, checks: list[Any]) -> int:
    """
    Ask it once as it must succeed, then with whatever the description allows; how many succeeded.

    Ids are real or made up, and so is the key: an operator's, a member's, none. Often only one field is not in order.
    """
    plain = _make_plain_case(fuzzed, name, operation)
    headers = {"API-KEY": fuzzed.secrets[find_asker(name)]}
    answer = plain.call_and_validate(base_url=fuzzed.url, headers=headers, checks=checks)
    assert answer.status_code < 300, answer.text
    succeeded = 1

    @given(operation.as_strategy(), st.sampled_from(_WAYS), st.sampled_from(_KINDS), st.integers(0))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any, way: str, kind: str, number: int) -> None:
        nonlocal succeeded
        for each in ("Authorization", "API-KEY"):  # made up too, and then no request has one key
            case.headers.pop(each, None)
        if way != "made up":
            _make_real(fuzzed, name, case, number if way == "one field" else None)
        keys = {} if kind == "none" else {"API-KEY": fuzzed.secrets[kind]}
        answer = case.call_and_validate(base_url=fuzzed.url, headers=keys, checks=checks)
        succeeded += answer.status_code < 300

    ask()
    return succeeded


_KINDS = ("management", "management", "management", "agent", "foreign", "none")
_WAYS = ("one field", "one field", "real ids", "made up")


def _make_plain_case(fuzzed: Fuzzed, name: str, operation: Any) -> Any:
    ids, body = fuzzed.run(lambda world: world.prepare(name))
    parts: dict[str, Any] = {"query": QUERIES.get(name, {})}
    parts["path_parameters"] = {each: ids[each] for each in ids if f"{{{each}}}" in name}
    if body is not None:
        parts |= {"body": body, "media_type": "application/json"}
    return operation.Case(**parts)


def _make_real(fuzzed: Fuzzed, name: str, case: Any, number: int | None) -> None:
    """Ids that are there; with a number, all else too is as it should be, but for the field of that number."""
    ids, body = fuzzed.run(lambda world: world.prepare(name))
    if name.startswith("PATCH"):  # it may block a context, which is not to be the agent's
        ids["context_id"] = "beta"
    case.path_parameters = {each: ids[each] for each in case.path_parameters or {}}
    if name.startswith("POST /api/v1/{context_id}/facts") and isinstance(case.body, dict):
        case.body["infer"] = "none"  # the only mode of a write that gets as far as the store
    if number is not None:
        case.headers.clear()
        case.query = _pick(case.query, QUERIES.get(name, {}), number)
        if isinstance(body, dict) and isinstance(case.body, dict):
            case.body = _pick(case.body, body, number)


def _pick(made_up: Any, plain: dict[str, Any], number: int) -> dict[str, Any]:
    """The plain fields with one of those made up among them, or with none."""
    names = sorted(made_up or ())[number % (len(made_up or ()) + 1) :][:1]
    return {**plain, **{name: made_up[name] for name in names}}

"""`/contexts/{id}/ontology`: replaced as a whole, refused with all that is wrong, guarded by its tag."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from spectronctl import ConflictError, SpectronManagement
from spectronctl.models import ontology as rules
from spectronctl.models.ontology import Ontology
from tests.support.conversations import Connect

pytestmark = pytest.mark.anyio

URL = "/api/v1/contexts/acme-prod/ontology"
EMPTY: dict[str, Any] = {"entity_types": [], "attribute_keys": {}, "relation_labels": []}
PEOPLE = {
    "entity_types": ["Person", "Company"],
    "attribute_keys": {"Person": ["name", "age"], "Company": []},
    "relation_labels": ["works_for", "knows"],
}


async def put(client: httpx.AsyncClient, body: Any, **headers: str) -> httpx.Response:
    return await client.put(
        URL, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


async def get_tag(client: httpx.AsyncClient) -> str:
    return (await client.get(URL)).headers["ETag"]


async def test_none_is_three_empty_fields_with_a_tag(
    operator: httpx.AsyncClient, acme: str
) -> None:
    answer = await operator.get(URL)
    assert (answer.status_code, answer.json()) == (200, EMPTY)
    assert re.fullmatch(r'"[0-9a-f]{32}"', answer.headers["ETag"])


async def test_it_is_answered_as_it_was_put_in_its_order(
    operator: httpx.AsyncClient, acme: str
) -> None:
    made = await put(operator, PEOPLE)
    read = await operator.get(URL)
    assert (made.status_code, read.status_code) == (200, 200)
    assert made.json() == read.json() == PEOPLE
    assert list(read.json()["attribute_keys"]) == ["Person", "Company"]
    assert made.headers["ETag"] == read.headers["ETag"]


async def test_a_put_replaces_all_and_what_is_left_out_is_empty(
    operator: httpx.AsyncClient, acme: str
) -> None:
    await put(operator, PEOPLE)
    assert (await put(operator, {"relation_labels": ["knows"]})).json() == {
        **EMPTY,
        "relation_labels": ["knows"],
    }
    assert (await put(operator, {})).json() == EMPTY


async def test_the_same_content_has_the_same_tag(operator: httpx.AsyncClient, acme: str) -> None:
    none = await get_tag(operator)
    first = (await put(operator, PEOPLE)).headers["ETag"]
    swapped = {**PEOPLE, "attribute_keys": {"Company": [], "Person": ["name", "age"]}}
    assert (await put(operator, swapped)).headers["ETag"] == first
    turned = (await put(operator, {**PEOPLE, "entity_types": ["Company", "Person"]})).headers[
        "ETag"
    ]
    assert len({none, first, turned}) == 3
    assert (await put(operator, EMPTY)).headers["ETag"] == none
    await operator.delete(URL)
    assert await get_tag(operator) == none


async def test_deleting_leaves_none_also_where_none_was(
    operator: httpx.AsyncClient, acme: str
) -> None:
    await put(operator, PEOPLE)
    for _ in range(2):
        answer = await operator.delete(URL)
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await operator.get(URL)).json() == EMPTY


async def test_each_context_has_its_own(operator: httpx.AsyncClient, acme: str) -> None:
    await operator.post("/api/v1/contexts/other", json={"namespace": "acme", "database": "other"})
    await put(operator, PEOPLE)
    assert (await operator.get("/api/v1/contexts/other/ontology")).json() == EMPTY


@pytest.mark.parametrize("condition", ["TAG", '"other", TAG', '"a,b" , ,TAG,', "*", " * "])
async def test_a_write_goes_ahead_where_the_condition_holds(
    operator: httpx.AsyncClient, acme: str, condition: str
) -> None:
    for body in (PEOPLE, EMPTY):
        given = condition.replace("TAG", await get_tag(operator))
        assert (await put(operator, body, If_Match=given)).status_code == 200
    given = condition.replace("TAG", await get_tag(operator))
    assert (await operator.delete(URL, headers={"If-Match": given})).status_code == 204


@pytest.mark.parametrize("condition", ['"other"', "W/TAG", '""', '"a", "b", W/TAG'])
@pytest.mark.parametrize("before", [PEOPLE, None])
async def test_a_write_is_refused_where_it_does_not(
    operator: httpx.AsyncClient, acme: str, condition: str, before: Any
) -> None:
    if before:
        await put(operator, before)
    given = condition.replace("TAG", await get_tag(operator))
    refused = [
        await put(operator, {"entity_types": ["Other"]}, If_Match=given),
        await operator.delete(URL, headers={"If-Match": given}),
    ]
    for answer in refused:
        assert answer.status_code == 412
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"].endswith("/precondition-failed")
    assert (await operator.get(URL)).json() == (before or EMPTY)


async def test_several_lines_of_the_condition_are_one_list(
    operator: httpx.AsyncClient, acme: str
) -> None:
    tag = await get_tag(operator)
    lines = [("If-Match", '"other"'), ("If-Match", tag)]
    assert (await operator.put(URL, json=PEOPLE, headers=lines)).status_code == 200


@pytest.mark.parametrize("condition", ["tag", '"open', '"a" "b"', "*, *", '"a", *', ","])
async def test_a_condition_that_cannot_be_read_is_refused(
    operator: httpx.AsyncClient, acme: str, condition: str
) -> None:
    for answer in (
        await put(operator, PEOPLE, If_Match=condition),
        await operator.delete(URL, headers={"If-Match": condition}),
    ):
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("If-Match: ")
    assert (await operator.get(URL)).json() == EMPTY


async def test_of_two_writes_after_one_look_one_is_refused(
    operator: httpx.AsyncClient, acme: str
) -> None:
    tag = await get_tag(operator)
    answers = await asyncio.gather(
        *(put(operator, {"entity_types": [f"T{n}"]}, If_Match=tag) for n in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]
    (won,) = [answer for answer in answers if answer.status_code == 200]
    assert (await operator.get(URL)).json() == won.json()


async def test_everything_wrong_is_told_at_once(operator: httpx.AsyncClient, acme: str) -> None:
    await put(operator, PEOPLE)
    answer = await put(
        operator,
        {
            "entity_types": ["Person", "", "Person", 7],
            "attribute_keys": {"Person": ["a", "b", "a"], "Ghost": ["x"], "Other": "no"},
            "relation_labels": [" ", "a\nb"],
            "relations": [],
        },
    )
    assert answer.status_code == 400
    assert answer.json()["detail"].split("; ") == [
        "relations: is not a field of an ontology, which has entity_types, attribute_keys, relation_labels",
        "entity_types[1]: must not be empty or blank",
        "entity_types[2]: Person stands at entity_types[0] already",
        "entity_types[3]: must be a string, not a number",
        "attribute_keys.Person[2]: a stands at attribute_keys.Person[0] already",
        "attribute_keys.Ghost: is not among the entity_types",
        "attribute_keys.Other: is not among the entity_types",
        "attribute_keys.Other: must be a list of names, not a string",
        "relation_labels[0]: must not be empty or blank",
        "relation_labels[1]: holds a character that cannot be printed",
    ]
    assert (await operator.get(URL)).json() == PEOPLE


@pytest.mark.parametrize("body", ["[]", "null", '"x"', "{", '{"entity_types": null}', '{"a": NaN}'])
async def test_other_bodies_are_refused(operator: httpx.AsyncClient, acme: str, body: str) -> None:
    answer = await operator.put(URL, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


async def test_half_of_a_surrogate_pair_is_refused(operator: httpx.AsyncClient, acme: str) -> None:
    body = rb'{"entity_types": ["A\ud800"], "attribute_keys": {"B\udfff": []}}'
    answer = await operator.put(URL, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert r"attribute_keys.B\udfff: holds a character" in answer.json()["detail"]


async def test_an_unknown_context_is_404(operator: httpx.AsyncClient) -> None:
    for answer in (
        await operator.get(URL),
        await put(operator, PEOPLE),
        await operator.delete(URL),
        await operator.get("/api/v1/contexts/ACME/ontology"),
    ):
        assert answer.status_code == 404


async def test_a_key_of_the_context_may_not(
    connect: Connect, agent: dict[str, Any], stranger: httpx.AsyncClient
) -> None:
    for client, status in ((connect(agent["secret"]), 403), (stranger, 401)):
        for answer in (
            await client.get(URL),
            await put(client, {"not": "read"}),
            await client.delete(URL),
        ):
            assert answer.status_code == status


async def test_the_largest_is_kept(operator: httpx.AsyncClient, acme: str) -> None:
    names = [f"T{n}" for n in range(2_000)]
    body = {
        "entity_types": names,
        "attribute_keys": {"T0": names[:1_000]},
        "relation_labels": names,
    }
    assert (await put(operator, body)).status_code == 200
    assert (await operator.get(URL)).json() == body


def test_the_description_names_every_limit() -> None:
    from spectronctl.server.ontology.schemas import OntologyBody

    text = str(OntologyBody.model_json_schema())
    for limit in ("MAX_NAME", "MAX_TYPES", "MAX_KEYS_OF_A_TYPE", "MAX_KEYS", "MAX_RELATION_LABELS"):
        assert f" {getattr(rules, limit)} " in text


async def test_clients_that_look_first_lose_nothing(
    app: FastAPI, acme: str, management_key: str
) -> None:
    async with SpectronManagement(
        "http://spectron.test", management_key, transport=httpx.ASGITransport(app)
    ) as admin:
        refused = 0

        async def add(name: str) -> None:
            nonlocal refused
            while True:
                now = await admin.ontology.get(acme)
                wanted = Ontology(entity_types=[*now.value.entity_types, name])
                try:
                    await admin.ontology.set(acme, wanted, if_match=now.etag)
                except ConflictError:
                    refused += 1
                else:
                    return

        names = {f"T{n}" for n in range(20)}
        await asyncio.gather(*map(add, names))
        found = (await admin.ontology.get(acme)).value
    assert (len(found.entity_types), set(found.entity_types)) == (20, names)
    assert refused > 0

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio

BINDING = {"namespace": "acme", "database": "prod"}


async def create(operator: httpx.AsyncClient, name: str, **body: Any) -> httpx.Response:
    whole = {"namespace": "acme", "database": name, **body}
    return await operator.post(f"/api/v1/contexts/{name}", json=whole)


async def patch_config(operator: httpx.AsyncClient, name: str, **config: Any) -> Any:
    answer = await operator.patch(f"/api/v1/contexts/{name}", json={"config": config})
    assert answer.status_code == 200, answer.text
    return answer.json()["config"]


async def test_a_created_context_is_shown_as_documented(
    operator: httpx.AsyncClient, acme: str
) -> None:
    answer = await operator.get(f"/api/v1/contexts/{acme}")
    assert answer.status_code == 200
    shown = answer.json()
    assert shown.pop("created_at").endswith("Z")
    assert shown == {
        "id": "acme-prod",
        "namespace": "acme",
        "database": "prod",
        "config": {
            "token_limit": 1_000_000,
            "models": {"extraction": "openai/gpt-4o-mini"},
            "providers_configured": ["openai"],
        },
    }


async def test_a_contexts_age_is_when_it_was_created(
    operator: httpx.AsyncClient, acme: str
) -> None:
    created = (await operator.get(f"/api/v1/contexts/{acme}")).json()["created_at"]
    age = datetime.now().astimezone() - datetime.fromisoformat(created)
    assert 0 <= age.total_seconds() < 60


async def test_creating_answers_what_getting_does(operator: httpx.AsyncClient) -> None:
    created = await create(operator, "beta", config={"anything": {"x": [1, None, {"y": None}]}})
    assert created.status_code == 201
    assert created.json()["config"] == {"anything": {"x": [1, None, {"y": None}]}}
    assert (await operator.get("/api/v1/contexts/beta")).json() == created.json()


async def test_a_context_without_config_has_an_empty_one(operator: httpx.AsyncClient) -> None:
    assert (await create(operator, "bare", config=None)).json()["config"] == {}


async def test_a_null_in_a_new_config_is_a_field_not_set(operator: httpx.AsyncClient) -> None:
    config = {"token_limit": None, "models": {"response": None}, "providers": None}
    assert (await create(operator, "nulls", config=config)).json()["config"] == {}
    providers = {"acme": "sk-acme", "openai": None}
    created = await create(operator, "one-null", config={"providers": providers})
    assert created.json()["config"] == {"providers_configured": ["acme"]}


async def test_unknown_fields_of_a_request_are_ignored(operator: httpx.AsyncClient) -> None:
    answer = await create(operator, "extra", colour="red")
    assert answer.status_code == 201
    assert "colour" not in answer.json()


@pytest.mark.parametrize(
    ("name", "body", "status", "slug"),
    [
        ("acme-prod", {"database": "other"}, 409, "conflict"),
        ("other", {"database": "prod"}, 409, "conflict"),
        ("other", {"namespace": "spectron"}, 422, "reserved"),
        ("health", {}, 422, "reserved"),
        ("Other", {}, 400, "invalid"),
        ("other", {"config": {"token_limit": 0}}, 400, "invalid"),
        ("other", {"config": {"limits": {"x": 2**63}}}, 400, "invalid"),
        ("other", {"namespace": None}, 400, "invalid"),
    ],
)
async def test_a_context_that_cannot_be_is_refused(
    operator: httpx.AsyncClient, acme: str, name: str, body: dict[str, Any], status: int, slug: str
) -> None:
    answer = await operator.post(f"/api/v1/contexts/{name}", json={**BINDING, **body})
    assert (answer.status_code, answer.json()["type"]) == (
        status,
        f"https://spectron.dev/errors/{slug}",
    )
    assert [one["id"] for one in (await operator.get("/api/v1/contexts")).json()["contexts"]] == [
        acme
    ]


@pytest.mark.parametrize("value", ["1e999", "1" * 5_000, '"\\ud800"', "[" * 80 + "]" * 80])
async def test_what_the_database_cannot_hold_is_refused(
    operator: httpx.AsyncClient, value: str
) -> None:
    body = f'{{"namespace": "acme", "database": "prod", "config": {{"x": {value}}}}}'
    answer = await operator.post(
        "/api/v1/contexts/odd", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400, answer.text
    assert (await operator.get("/api/v1/contexts/odd")).status_code == 404


@pytest.mark.parametrize("text", ["a`b", "a'; REMOVE DATABASE prod; --", "ns\\", "é ü", "$ns"])
async def test_an_odd_namespace_is_only_a_name(operator: httpx.AsyncClient, text: str) -> None:
    answer = await create(operator, "odd", namespace=text, database=text)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["namespace"], answer.json()["database"]) == (text, text)
    assert (await operator.delete("/api/v1/contexts/odd")).status_code == 204


async def test_a_patch_merges_deeply_and_a_null_clears(
    operator: httpx.AsyncClient, acme: str
) -> None:
    merged = await patch_config(
        operator,
        acme,
        token_limit=None,
        retention_days=90,
        models={"reflection": "anthropic/claude"},
        providers={"anthropic": "sk-ant", "openai": None},
        providers_configured=["ignored"],
    )
    assert merged == {
        "retention_days": 90,
        "models": {"extraction": "openai/gpt-4o-mini", "reflection": "anthropic/claude"},
        "providers_configured": ["anthropic"],
    }
    shown = (await operator.get(f"/api/v1/contexts/{acme}")).json()
    assert shown["config"] == merged


async def test_a_null_clears_all_providers(operator: httpx.AsyncClient, acme: str) -> None:
    assert "providers_configured" not in await patch_config(operator, acme, providers=None)


async def test_an_empty_patch_changes_nothing(operator: httpx.AsyncClient, acme: str) -> None:
    before = (await operator.get(f"/api/v1/contexts/{acme}")).json()
    answer = await operator.patch(f"/api/v1/contexts/{acme}", json={})
    assert (answer.status_code, answer.json()) == (200, before)


async def test_enforcement_blocked_is_shown_only_when_it_is_on(
    operator: httpx.AsyncClient, acme: str
) -> None:
    url = f"/api/v1/contexts/{acme}"
    on = (await operator.patch(url, json={"enforcement_blocked": True})).json()
    assert on["enforcement_blocked"] is True
    listed = (await operator.get("/api/v1/contexts")).json()["contexts"]
    assert listed == [on]
    assert (
        "enforcement_blocked"
        not in (await operator.patch(url, json={"enforcement_blocked": None})).json()
    )


async def test_a_bad_patch_changes_nothing(operator: httpx.AsyncClient, acme: str) -> None:
    url = f"/api/v1/contexts/{acme}"
    before = (await operator.get(url)).json()
    body = {"config": {"retention_days": 1, "token_limit": "many"}}
    answer = await operator.patch(url, json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("config.token_limit: ")
    assert (await operator.get(url)).json() == before


async def test_no_answer_ever_holds_a_providers_secret(
    operator: httpx.AsyncClient, acme: str
) -> None:
    answers = [
        await operator.get("/api/v1/contexts"),
        await operator.get(f"/api/v1/contexts/{acme}"),
        await operator.patch(f"/api/v1/contexts/{acme}", json={"config": {"retention_days": 1}}),
    ]
    assert not [answer for answer in answers if "sk-provider-secret" in answer.text]


async def test_a_deleted_context_is_gone_and_its_names_are_free(
    operator: httpx.AsyncClient, acme: str, agent: dict[str, Any]
) -> None:
    url = f"/api/v1/contexts/{acme}"
    deleted = await operator.delete(url)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await operator.get(url)).status_code == 404
    assert (await operator.delete(url)).status_code == 404
    assert (await operator.post(url, json=BINDING)).status_code == 201
    assert (await operator.get(f"{url}/keys")).json()["keys"] == []


@pytest.mark.parametrize("name", ["missing", "NOT-an-id", "a%2Fb", "..%5C", "a" * 5_000])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_context_is_not_found(
    operator: httpx.AsyncClient, method: str, name: str
) -> None:
    body: Any = {} if method == "PATCH" else None
    answer = await operator.request(method, f"/api/v1/contexts/{name}", json=body)
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("no context ")


async def read_pages(client: httpx.AsyncClient, url: str, limit: int) -> list[list[str]]:
    """The ids on each page, read to the end."""
    pages, cursor, more = [], None, True
    while more:
        params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        body = (await client.get(url, params=params)).json()
        cursor, more = body["next_cursor"], body["has_more"]
        assert more is (cursor is not None)
        (rows,) = [value for value in body.values() if isinstance(value, list)]
        pages.append([row["id"] for row in rows])
    return pages


async def test_pages_hold_every_context_once_in_order(operator: httpx.AsyncClient) -> None:
    assert await read_pages(operator, "/api/v1/contexts", 2) == [[]]
    names = ["a", "b-1", "b0", "c"]
    for name in reversed(names):
        assert (await create(operator, name)).status_code == 201
    assert await read_pages(operator, "/api/v1/contexts", 3) == [names[:3], names[3:]]
    assert await read_pages(operator, "/api/v1/contexts", 4) == [names]


async def test_a_cursor_outlives_the_row_it_names(operator: httpx.AsyncClient) -> None:
    for name in ("a", "b", "c"):
        await create(operator, name)
    await operator.delete("/api/v1/contexts/a")
    page = (await operator.get("/api/v1/contexts", params={"cursor": "a"})).json()
    assert [one["id"] for one in page["contexts"]] == ["b", "c"]


@pytest.mark.parametrize("limit", ["0", "501", "-1", "many", "", "1.5"])
async def test_a_limit_out_of_range_is_refused(operator: httpx.AsyncClient, limit: str) -> None:
    answer = await operator.get("/api/v1/contexts", params={"limit": limit})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("limit: ")


@pytest.mark.parametrize("limit", [1, 500])
async def test_the_limits_at_the_edges_are_taken(operator: httpx.AsyncClient, limit: int) -> None:
    assert (await operator.get("/api/v1/contexts", params={"limit": limit})).status_code == 200


@pytest.mark.parametrize("cursor", ["", "Not an id", "cak_1", "a/b"])
async def test_a_cursor_that_no_one_gave_out_is_refused(
    operator: httpx.AsyncClient, cursor: str
) -> None:
    answer = await operator.get("/api/v1/contexts", params={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("cursor: ")


async def test_fifty_requests_at_once_are_all_answered(operator: httpx.AsyncClient) -> None:
    made = await asyncio.gather(*(create(operator, f"c{number}") for number in range(25)))
    assert {answer.status_code for answer in made} == {201}
    url = "/api/v1/contexts/c0"
    patches = [
        operator.patch(url, json={"config": {"models": {f"stage{number}": "openai/x"}}})
        for number in range(25)
    ]
    reads = [operator.get(f"/api/v1/contexts/c{number}") for number in range(25)]
    answers = await asyncio.gather(*patches, *reads)
    assert {answer.status_code for answer in answers} == {200}
    assert len((await operator.get(url)).json()["config"]["models"]) == 25


async def test_of_fifty_that_want_one_id_one_gets_it(operator: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(
            operator.post("/api/v1/contexts/one", json={"namespace": "n", "database": f"d{number}"})
            for number in range(50)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49


async def test_an_encoded_slash_does_not_turn_one_resource_into_another(
    operator: httpx.AsyncClient, acme: str, agent: dict[str, Any]
) -> None:
    answer = await operator.delete(f"/api/v1/contexts/{acme}%2Fkeys%2F{agent['id']}")
    assert answer.status_code == 404
    assert answer.json()["instance"] == f"/api/v1/contexts/{acme}%2Fkeys%2F{agent['id']}"
    assert len((await operator.get(f"/api/v1/contexts/{acme}/keys")).json()["keys"]) == 1

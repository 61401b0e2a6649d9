"""Idempotency-Key: the same write once, whatever happens in between."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl.ground.ulids import new_ulid
from spectronctl.server.access.scopes import WHOLE
from spectronctl.server.database.database import Binding, Database
from spectronctl.server.database.errors import InFlightError
from spectronctl.server.idempotency.rows import Receipt, Reservation
from spectronctl.server.idempotency.table import ReservationTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.sessions.rows import SessionRow
from spectronctl.server.sessions.table import SessionTable
from spectronctl.server.sessions.turns import TurnTable
from tests.support.conversations import BATCH, FACTS, SESSIONS, Admit, open_session, read_texts, say

pytestmark = pytest.mark.anyio

KEY = {"Idempotency-Key": "import-1:0-499"}
FACT = {"infer": "none", "text": "Bo likes tea"}


def reserve(claim: str = "mine", **fields: Any) -> Reservation:
    given = {"principal": "p", "key": "k", "fingerprint": b"same", "claim": claim}
    return Reservation(**(given | fields))


async def change(store: Any, context: ContextRow, text: str) -> Any:
    at = Binding(context.namespace, context.database)
    return await store.query(text, at=at)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (SESSIONS, {"metadata": {"a": None}}),
        (FACTS, FACT),
        (BATCH, {"infer": "none", "messages": [{"role": "user", "content": "é"}]}),
    ],
)
async def test_a_repeated_write_is_answered_as_the_first_and_done_once(
    member: httpx.AsyncClient, path: str, body: Any
) -> None:
    first = await member.post(path, json=body, headers=KEY)
    again = await member.post(path, json=body, headers=KEY)
    assert first.status_code == again.status_code < 300
    assert first.content == again.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len((await member.get(SESSIONS)).json()["sessions"]) == 1


async def test_without_a_key_a_write_is_done_every_time(member: httpx.AsyncClient) -> None:
    answers = [(await member.post(FACTS, json=FACT)).json() for _ in range(2)]
    assert answers[0]["sessionId"] != answers[1]["sessionId"]


async def test_another_body_or_path_under_the_same_key_is_409(member: httpx.AsyncClient) -> None:
    assert (await member.post(FACTS, json=FACT, headers=KEY)).status_code == 200
    for path, body in (
        (FACTS, FACT | {"text": "Bo likes coffee"}),
        (BATCH, {"infer": "none", "messages": [{"role": "user", "content": "x"}]}),
        (SESSIONS, FACT),
    ):
        refused = await member.post(path, json=body, headers=KEY)
        assert refused.status_code == 409
        assert refused.json()["type"].endswith("/idempotency-key-reused")
        assert "Idempotency-Key" in refused.json()["detail"]
    assert (await member.post(FACTS, json=FACT, headers=KEY)).status_code == 200


async def test_keys_of_others_and_of_other_principals_are_other_keys(
    member: httpx.AsyncClient, operator: httpx.AsyncClient, admit: Admit
) -> None:
    # The vendor's SDKs make the key of the body and the time alone, not of the principal.
    other = await admit("other", {"org": "acme"})
    own = (await member.get("/api/v1/acme-prod/me")).json()["principalId"]
    callers = [
        (member, {}),
        (operator, {"X-Memory-On-Behalf-Of": own}),
        (operator, {"X-Spectron-On-Behalf-Of": "admin"}),
        (other, {}),
        (operator, {}),
    ]
    answers = [await client.post(FACTS, json=FACT, headers=KEY | more) for client, more in callers]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.json()["turnId"] for answer in answers}) == 5
    same = await operator.post(FACTS, json=FACT, headers=KEY | {"X-Spectron-On-Behalf-Of": own})
    assert same.json() == answers[1].json()


async def test_keys_of_another_context_are_other_keys(
    operator: httpx.AsyncClient, member: httpx.AsyncClient
) -> None:
    await operator.post("/api/v1/contexts/beta", json={"namespace": "acme", "database": "beta"})
    first = await operator.post(FACTS, json=FACT, headers=KEY)
    second = await operator.post("/api/v1/beta/facts", json=FACT, headers=KEY)
    assert first.json()["turnId"] != second.json()["turnId"]


async def test_of_many_at_once_one_writes_and_the_others_wait_or_get_its_answer(
    member: httpx.AsyncClient,
) -> None:
    session = await open_session(member)
    body = FACT | {"session_id": session["id"]}
    answers = await asyncio.gather(*(member.post(FACTS, json=body, headers=KEY) for _ in range(12)))
    refused = [answer for answer in answers if answer.status_code != 200]
    assert all(answer.status_code == 409 for answer in refused)
    assert all(answer.json()["type"].endswith("-in-flight") for answer in refused)
    assert all(answer.headers["Retry-After"] == "1" for answer in refused)
    assert len({answer.text for answer in answers if answer.status_code == 200}) == 1
    assert await read_texts(member, session["id"]) == ["Bo likes tea"]


async def test_a_write_that_fails_leaves_the_key_free(
    member: httpx.AsyncClient, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = FACT | {"session_id": "session:01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    assert (await member.post(FACTS, json=missing, headers=KEY)).status_code == 404
    append = TurnTable(store).append_turns

    async def fail(*words: Any, **settings: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(TurnTable, "append_turns", staticmethod(fail))
    assert (await member.post(FACTS, json=FACT, headers=KEY)).status_code == 500
    monkeypatch.setattr(TurnTable, "append_turns", staticmethod(append))
    assert (await member.post(FACTS, json=FACT, headers=KEY)).status_code == 200


async def test_a_request_that_is_cancelled_leaves_the_key_free(
    member: httpx.AsyncClient, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()
    append = TurnTable(store).append_turns

    async def hang(*words: Any, **settings: Any) -> None:
        begun.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(TurnTable, "append_turns", staticmethod(hang))
    request = asyncio.create_task(member.post(FACTS, json=FACT, headers=KEY))
    await begun.wait()
    duplicate = await member.post(FACTS, json=FACT, headers=KEY)
    assert duplicate.status_code == 409
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    monkeypatch.setattr(TurnTable, "append_turns", staticmethod(append))
    assert (await member.post(FACTS, json=FACT, headers=KEY)).status_code == 200


async def test_the_stored_answer_outlives_what_it_tells_of(member: httpx.AsyncClient) -> None:
    session = await open_session(member)
    first = await say(member, session["id"], "x", **KEY)
    assert (await member.delete(f"{SESSIONS}/{session['id']}")).status_code == 204
    assert await say(member, session["id"], "x", **KEY) == first


@pytest.mark.parametrize("key", ["", "a b", "é", "a" * 256])
async def test_a_bad_key_is_400(member: httpx.AsyncClient, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    answer = await member.post(FACTS, json=FACT, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("Idempotency-Key: ")


async def test_after_a_day_a_key_is_new(
    member: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    first = await member.post(FACTS, json=FACT, headers=KEY)
    await change(store, context, "UPDATE reservation SET expires_at -= 23h;")
    assert (await member.post(FACTS, json=FACT, headers=KEY)).json() == first.json()
    await change(store, context, "UPDATE reservation SET expires_at -= 2h;")
    second = await member.post(FACTS, json=FACT | {"role": "tool"}, headers=KEY)
    assert second.status_code == 200
    assert second.json()["turnId"] != first.json()["turnId"]


async def test_outdated_reservations_do_not_pile_up(
    member: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    for n in range(4):
        await member.post(FACTS, json=FACT, headers={"Idempotency-Key": f"old-{n}"})
    await change(store, context, "UPDATE reservation SET expires_at -= 25h;")
    for n in range(2):
        await member.post(FACTS, json=FACT, headers={"Idempotency-Key": f"new-{n}"})
    (rows,) = await change(store, context, "SELECT VALUE claim FROM reservation;")
    assert len(rows) == 2


async def test_a_reservation_of_a_server_that_died_is_taken_over_when_its_lease_ends(
    store: Database, context: ContextRow
) -> None:
    assert await ReservationTable(store).reserve_write(context, reserve("the dead")) is None
    with pytest.raises(InFlightError, match="still in flight"):
        await ReservationTable(store).reserve_write(context, reserve())
    await change(store, context, "UPDATE reservation SET leased_until -= 59s;")
    with pytest.raises(InFlightError, match="still in flight"):
        await ReservationTable(store).reserve_write(context, reserve())
    await change(store, context, "UPDATE reservation SET leased_until -= 2s;")
    assert await ReservationTable(store).reserve_write(context, reserve()) is None
    with pytest.raises(InFlightError, match="still in flight"):
        await ReservationTable(store).reserve_write(context, reserve("third"))


async def test_a_request_that_lost_its_reservation_writes_nothing(
    store: Database, context: ContextRow
) -> None:
    slow, row = reserve("slow"), SessionRow(id=f"session:{new_ulid()}", scopes=[])
    await ReservationTable(store).reserve_write(context, slow)
    await change(store, context, "UPDATE reservation SET leased_until -= 61s;")
    await ReservationTable(store).reserve_write(context, reserve("fast"))
    with pytest.raises(InFlightError, match="took this write over"):
        await SessionTable(store).create_session(
            context, row, receipt=Receipt(reservation=slow, response="{}")
        )
    assert await SessionTable(store).get_session(context, WHOLE, row.id) is None
    with pytest.raises(InFlightError, match="took this write over"):
        await TurnTable(store).append_turns(
            context,
            row,
            [],
            is_new=True,
            chunk=None,
            receipt=Receipt(reservation=slow, response=""),
        )
    assert await SessionTable(store).get_session(context, WHOLE, row.id) is None
    await ReservationTable(store).release_write(context, slow)  # which is not its own any more
    with pytest.raises(InFlightError, match="still in flight"):
        await ReservationTable(store).reserve_write(context, reserve("third"))


async def test_a_release_after_the_write_takes_nothing_back(
    store: Database, context: ContextRow
) -> None:
    mine = reserve()
    await ReservationTable(store).reserve_write(context, mine)
    row = SessionRow(id=f"session:{new_ulid()}", scopes=[])
    await SessionTable(store).create_session(
        context, row, receipt=Receipt(reservation=mine, response="{}")
    )
    await ReservationTable(store).release_write(context, mine)
    assert await ReservationTable(store).reserve_write(context, reserve("next")) == "{}"


async def test_a_restarted_server_goes_on_at_once_with_what_the_dead_one_reserved(
    tmp_path: Path, anyio_backend: str
) -> None:
    url = f"surrealkv://{tmp_path}/spectron"
    before = await open_store(url)
    context = await Provisioning(before).create_context(
        ContextRow(id="acme", namespace="acme", database="acme", created_at=datetime.now(UTC)),
        providers={},
    )
    done = reserve("done", key="done")
    await ReservationTable(before).reserve_write(context, done)
    row = SessionRow(id=f"session:{new_ulid()}", scopes=[])
    await SessionTable(before).create_session(
        context, row, receipt=Receipt(reservation=done, response="kept")
    )
    await ReservationTable(before).reserve_write(context, reserve("dead", key="begun"))
    await before.close()

    after = await open_store(url)
    assert await ReservationTable(after).reserve_write(context, reserve(key="done")) == "kept"
    assert await ReservationTable(after).reserve_write(context, reserve(key="begun")) is None
    with pytest.raises(InFlightError, match="still in flight"):
        await ReservationTable(after).reserve_write(context, reserve("third", key="begun"))
    await after.close()

"""
Writes that must happen once.

A reservation is made before the write and gets its response in the write's own transaction: a server that dies
in between has written nothing, and the next request may take its reservation over.
"""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

from spectronctl.server.access.regions import tag_row
from spectronctl.server.access.scopes import Scopes
from spectronctl.server.database.database import Database, Row
from spectronctl.server.database.errors import InFlightError, ReusedKeyError
from spectronctl.server.database.transaction import transaction
from spectronctl.server.idempotency.rows import Receipt, Reservation
from spectronctl.server.registry.context_database import GUARD, query_context, query_one
from spectronctl.server.registry.rows import ContextRow

_LEASE_SECS = 60

# Each reservation takes two outdated ones away, so that they cannot pile up. It comes first: the engine loses
# a row that one transaction deletes and then makes anew.
_RESERVE = transaction(f"""
{GUARD}
LET $found = SELECT * FROM ONLY reservation:[$principal, $key];
LET $is_dead = $found.leased_until < time::now() OR ($alone AND $found.holder != $holder);
LET $is_free = $found = NONE OR $found.expires_at < time::now() OR ($found.answer = NONE AND $is_dead);
IF $is_free {{
    UPSERT reservation:[$principal, $key] CONTENT {{
        fingerprint: $fingerprint, claim: $claim, holder: $holder,
        leased_until: time::now() + {_LEASE_SECS}s, expires_at: time::now() + 24h, scopes: [], nodes: []
    }} RETURN NONE
}};
DELETE (
    SELECT VALUE id FROM reservation WHERE expires_at < time::now() AND claim != $claim LIMIT 2
) RETURN NONE;
IF $is_free {{ NONE }} ELSE {{ {{ fingerprint: $found.fingerprint, answer: $found.answer }} }};
""")

# Not one that has a response: the write may have succeeded although its handler failed afterwards.
_RELEASE = """
DELETE reservation:[$principal, $key] WHERE claim = $claim AND answer IS NONE RETURN NONE;
"""

TAKEN_OVER = "taken over"

FINISH = f"""
LET $finished = UPDATE reservation:[$receipt.principal, $receipt.key]
    SET answer = $receipt.response, expires_at = time::now() + 24h, scopes = $receipt.scopes, nodes = $receipt.nodes
    WHERE claim = $receipt.claim AND answer IS NONE RETURN AFTER;
IF array::len($finished) = 0 {{ THROW '{TAKEN_OVER}' }};
"""
"""The part of a write's transaction that keeps its response; `$receipt` is what `describe_receipt` says."""


class ReservationTable:
    """Reservations of writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve_write(self, context: ContextRow, wanted: Reservation) -> str | None:
        variables = {
            "principal": wanted.principal,
            "key": wanted.key,
            "fingerprint": wanted.fingerprint,
            "claim": wanted.claim,
            "holder": self._database.holder,
            # No other process has an embedded store open: another holder of it is dead.
            "alone": self._database.exclusive,
        }
        async with self._database.locks.get_lock(context.id, wanted.principal, wanted.key):
            found = await query_one(self._database, context, _RESERVE, **variables)
        return None if found is None else _check_reservation(found, wanted)

    async def release_write(self, context: ContextRow, reservation: Reservation) -> None:
        variables = {
            "principal": reservation.principal,
            "key": reservation.key,
            "claim": reservation.claim,
        }
        await query_context(self._database, context, _RELEASE, variables)


def describe_receipt(receipt: Receipt | None, scopes: Scopes) -> Row | None:
    """`$receipt` of `FINISH`, for a write with these scopes: the response is erased with them."""
    if receipt is None:
        return None
    return {
        "principal": receipt.reservation.principal,
        "key": receipt.reservation.key,
        "claim": receipt.reservation.claim,
        "response": receipt.response,
        **tag_row(scopes),
    }


def explain_taken_over() -> InFlightError:
    """The write took so long that another request was given its reservation."""
    return InFlightError("Idempotency-Key: another request took this write over")


def _check_reservation(found: Row, wanted: Reservation) -> str:
    if bytes(found["fingerprint"]) != wanted.fingerprint:
        raise ReusedKeyError("Idempotency-Key: was used with another request; take a new one")
    if found["answer"] is None:
        raise InFlightError("Idempotency-Key: the first request is still in flight")
    return str(found["answer"])

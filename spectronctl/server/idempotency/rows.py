"""The right to do one write, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """The right to do one write: of one principal, under one Idempotency-Key, for one request."""

    principal: str
    key: str
    fingerprint: bytes
    claim: str


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a write leaves with itself, in one transaction, so that it is never done twice: its response."""

    reservation: Reservation
    response: str

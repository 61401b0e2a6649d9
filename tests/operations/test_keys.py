"""Which keys a filter keeps, and which look like orphans: decided without a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spectronctl.models.keys import Key, has_expired
from spectronctl.operations.keys import KeyFilter, find_orphans

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = 86_400.0


def ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")


def make_key(name: str = "app", **fields: Any) -> Key:
    return Key(**{"id": f"cak_{name}", "name": name, "created_at": ago(100), **fields})


@pytest.mark.parametrize(
    ("chosen", "key", "kept"),
    [
        ({}, make_key(), True),
        ({"older_than": 90 * DAY}, make_key(), True),
        ({"older_than": 100 * DAY}, make_key(), True),
        ({"older_than": 101 * DAY}, make_key(), False),
        ({"older_than": 0.0}, make_key(created_at=None), False),
        ({"older_than": 1e300}, make_key(), False),
        ({"unused_for": 30 * DAY}, make_key(last_used_at=ago(31)), True),
        ({"unused_for": 30 * DAY}, make_key(last_used_at=ago(29)), False),
        ({"unused_for": 30 * DAY}, make_key(last_used_at=None), True),
        ({"unused_for": 30 * DAY}, make_key(last_used_at=None, created_at=ago(1)), False),
        ({"expiring": 14 * DAY}, make_key(expires_at=ago(-13)), True),
        ({"expiring": 14 * DAY}, make_key(expires_at=ago(-15)), False),
        ({"expiring": 14 * DAY}, make_key(expires_at=ago(1)), False),
        ({"expiring": 14 * DAY}, make_key(expires_at=ago(-1), status="expired"), False),
        ({"expiring": 14 * DAY}, make_key(expires_at=None), False),
        ({"principal": "agent"}, make_key(principal="agent"), True),
        ({"principal": "agent"}, make_key(principal="supervisor"), False),
        ({"principal": "agent"}, make_key(), False),
        ({"match": "app-*"}, make_key("app-web"), True),
        ({"match": "app-*"}, make_key("App-web"), False),
        ({"match": "app"}, make_key("app.g3"), True),
        ({"match": "*.g3"}, make_key("app.g3"), True),
        ({"match": "ap"}, make_key("app"), False),
        ({"match": "app", "older_than": 101 * DAY}, make_key(), False),
    ],
)
def test_a_filter_keeps_what_was_asked_for(chosen: dict[str, Any], key: Key, kept: bool) -> None:
    wanted = KeyFilter(**chosen)
    assert wanted.keeps(key, NOW) is kept
    assert wanted.is_set is bool(chosen)


@pytest.mark.parametrize(
    ("key", "expired"),
    [
        (make_key(), False),
        (make_key(status="expired"), True),
        (make_key(status="active", expires_at=ago(0)), True),
        (make_key(status="active", expires_at=ago(-0.1)), False),
    ],
)
def test_a_key_has_expired_by_its_status_or_its_time(key: Key, expired: bool) -> None:
    assert has_expired(key, NOW) is expired


def reasons(*keys: Key, grace: float = DAY, open_ids: frozenset[str] = frozenset()) -> Any:
    return {key.name: reason for key, reason in find_orphans(keys, NOW, grace, open_ids)}


def used(name: str, **fields: Any) -> Key:
    return make_key(name, last_used_at=ago(1), **fields)


def test_a_key_in_use_is_no_orphan() -> None:
    assert reasons(used("app"), used("other.g2")) == {}


def test_an_older_generation_is_superseded() -> None:
    found = reasons(used("app.g3"), used("app"), used("app.g10"), used("application"))
    assert found == {"app.g3": "superseded", "app": "superseded"}


def test_a_superseded_key_that_was_used_within_the_grace_is_no_orphan() -> None:
    keys = make_key("app", last_used_at=ago(0.5)), make_key("app.g2", last_used_at=ago(0.1))
    assert reasons(*keys) == {}
    assert reasons(*keys, grace=DAY / 4) == {"app": "superseded"}


def test_a_successor_that_has_expired_supersedes_nothing() -> None:
    assert reasons(used("app"), used("app.g2", status="expired")) == {"app.g2": "expired"}


def test_a_key_never_used_is_an_orphan_after_the_grace() -> None:
    old, new = make_key("old", created_at=ago(1.1)), make_key("new", created_at=ago(0.9))
    assert reasons(old, new) == {"old": "never used"}
    assert reasons(old, new, grace=2 * DAY) == {}
    assert reasons(make_key("expired", status="expired")) == {"expired": "expired"}


def test_a_key_that_a_rotation_works_on_is_no_orphan() -> None:
    keys = [used("app"), used("app.g2"), make_key("lost")]
    assert reasons(*keys, open_ids=frozenset({"cak_app"})) == {"lost": "never used"}

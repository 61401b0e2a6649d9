from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from spectronctl.ground.ulids import ULID_PATTERN, new_ulid
from spectronctl.server.registry.credentials import (
    KEY_ID,
    digest_secret,
    is_secret,
    mint_secret,
    new_context_key_id,
    new_management_key_id,
    parse_secret,
)

HASH_KEY = bytes(32)


def test_ulids_of_all_threads_are_distinct_and_well_formed() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_ulid(), range(5_000)))
    assert len(set(made)) == 5_000
    assert all(re.fullmatch(ULID_PATTERN, ulid) for ulid in made)


def test_ulids_sort_by_when_they_were_made() -> None:
    made = [new_ulid() for _ in range(5_000)]
    assert made == sorted(made)


def test_a_clock_set_back_does_not_break_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    before = new_ulid()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert new_ulid() > before


@pytest.mark.parametrize("context_id", ["acme-prod", "a", "0-0", "a" * 63])
def test_a_context_secret_says_which_key_of_which_context_it_is(context_id: str) -> None:
    key_id = new_context_key_id()
    secret = mint_secret(key_id, context_id)
    claim = parse_secret(secret)
    assert claim is not None
    assert (claim.context_id, claim.key_id) == (context_id, key_id)
    assert KEY_ID.fullmatch(key_id)
    assert secret.startswith(f"sk-{context_id}-")
    assert secret not in repr(claim)


def test_a_management_secret_says_which_key_it_is() -> None:
    key_id = new_management_key_id()
    claim = parse_secret(mint_secret(key_id, None))
    assert claim is not None
    assert (claim.context_id, claim.key_id) == (None, key_id)


def test_two_secrets_of_one_key_share_nothing_but_the_id() -> None:
    key_id = new_context_key_id()
    one, other = (mint_secret(key_id, "acme")[-43:] for _ in range(2))
    assert one != other
    assert re.fullmatch(r"[0-9A-Za-z]{43}", one)


@pytest.mark.parametrize(
    "junk", ["", "mgmt-", "sk-acme", "Bearer", "mgmt-" + "0" * 68, "sk--" + "0" * 69, "x" * 10_000]
)
def test_what_no_server_made_is_no_secret(junk: str) -> None:
    assert parse_secret(junk) is None


def test_a_secret_matches_its_own_digest_only() -> None:
    digest = digest_secret(HASH_KEY, "one")
    assert is_secret(HASH_KEY, "one", digest)
    assert not is_secret(HASH_KEY, "two", digest)
    assert not is_secret(b"another key".ljust(32), "one", digest)
    assert not is_secret(HASH_KEY, "one", None)

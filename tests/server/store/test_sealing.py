"""Secrets of providers at rest: sealed, opened with the right key only, and never lost on the way to another."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spectronctl.errors import ConfigError
from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import UnstorableError
from spectronctl.server.database.sealing import SealedError, Sealer
from spectronctl.server.registry import sealing
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.store import secret_keys
from spectronctl.server.store.secret_keys import (
    find_made_path,
    load_made_keys,
    load_secret_keys,
    parse_secret_keys,
)

pytestmark = pytest.mark.anyio

MakeContext = Callable[..., ContextRow]

SENTINEL = "sentinel-8d1f-never-shown"
OLD, NEW = b"o" * 32, b"n" * 32


async def fill(store: Database, make_context: MakeContext) -> None:
    """Two contexts with secrets, one of them changed after its creation, and one without any."""
    for name in ("one", "two", "bare"):
        row = make_context(name, database=name)
        providers = {} if name == "bare" else {"openai": f"{SENTINEL}-{name}"}
        await Provisioning(store).create_context(row, providers=providers)
    await ContextTable(store).update_context(
        "two", config={}, providers={"acme": f"{SENTINEL}-acme"}, settings={}
    )


async def find_all(store: Database) -> list[str | None]:
    table = ContextTable(store)
    return [
        await table.find_secret("one", "openai"),
        await table.find_secret("two", "openai"),
        await table.find_secret("two", "acme"),
        await table.find_secret("bare", "openai"),
    ]


WHOLE = [f"{SENTINEL}-one", f"{SENTINEL}-two", f"{SENTINEL}-acme", None]


def read_all(store: Path) -> bytes:
    return b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())


@pytest.fixture
def path(file_url: str) -> Path:
    return Path(file_url.removeprefix("surrealkv://"))


async def test_the_files_of_a_store_hold_no_secret_and_no_key(
    file_url: str, path: Path, make_context: MakeContext
) -> None:
    store = await open_store(file_url)
    await fill(store, make_context)
    assert await find_all(store) == WHOLE
    await store.close()
    content = read_all(path)
    assert b"openai" in content
    assert SENTINEL.encode() not in content
    (key,) = load_made_keys(path)
    assert key not in content
    assert base64.b64encode(key) not in content
    assert find_made_path(path).stat().st_mode & 0o777 == 0o600
    assert not find_made_path(path).is_relative_to(path)
    again = await open_store(file_url)
    assert await find_all(again) == WHOLE
    await again.close()


async def test_a_store_without_secrets_makes_no_key(file_url: str, path: Path) -> None:
    store = await open_store(file_url)
    await store.close()
    assert not find_made_path(path).exists()


async def test_an_older_store_is_sealed_at_its_next_start(
    file_url: str, make_context: MakeContext
) -> None:
    store = await open_store(file_url)
    await fill(store, make_context)
    plain = {"openai": f"{SENTINEL}-one"}
    await store.query(
        "UPDATE context:['one'] SET provider_secrets = $plain RETURN NONE;", {"plain": plain}
    )
    await store.close()
    again = await open_store(file_url)
    assert await find_all(again) == WHOLE
    (kept,) = await again.query("SELECT VALUE provider_secrets.openai FROM ONLY context:['one'];")
    assert isinstance(kept, bytes)
    await again.close()


async def test_the_wrong_key_opens_no_store_and_changes_nothing(
    file_url: str, path: Path, make_context: MakeContext
) -> None:
    store = await open_store(file_url, secret_keys=[OLD])
    await fill(store, make_context)
    await store.close()
    assert not find_made_path(path).exists()
    for keys in ([NEW], []):
        with pytest.raises(ConfigError, match=Sealer([OLD]).names[0]) as refused:
            await open_store(file_url, secret_keys=keys)
        assert SENTINEL not in str(refused.value)
        assert "SPECTRON_SECRET_KEY" in (refused.value.hint or "")
        assert "serve secrets forget" in (refused.value.hint or "")
    again = await open_store(file_url, secret_keys=[OLD])
    assert await find_all(again) == WHOLE
    await again.close()


async def test_the_first_of_several_keys_takes_over(
    file_url: str, make_context: MakeContext
) -> None:
    store = await open_store(file_url, secret_keys=[OLD])
    await fill(store, make_context)
    await store.close()
    between = await open_store(file_url, secret_keys=[NEW, OLD])
    assert await find_all(between) == WHOLE
    await between.close()
    after = await open_store(file_url, secret_keys=[NEW])
    assert await find_all(after) == WHOLE
    await after.close()


class CutError(Exception):
    """Power is gone."""


@pytest.mark.parametrize("steps", range(8))
async def test_a_rotation_that_is_cut_off_leaves_a_store_that_opens(
    steps: int,
    file_url: str,
    path: Path,
    make_context: MakeContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After so many writes, of the key's file and of rows, nothing more is written."""
    store = await open_store(file_url)
    await fill(store, make_context)
    (old,) = load_made_keys(path)
    left = steps

    def count() -> None:
        nonlocal left
        if left == 0:
            raise CutError
        left -= 1

    keep, query = secret_keys.keep_made_keys, store.query

    def keep_counted(*words: Any) -> None:
        count()
        keep(*words)

    async def query_counted(text: str, *words: Any, **more: Any) -> list[Any]:
        if text == sealing._RESEAL:
            count()
        return await query(text, *words, **more)

    monkeypatch.setattr("spectronctl.server.registry.sealing.keep_made_keys", keep_counted)
    monkeypatch.setattr(store, "query", query_counted)
    is_cut = False
    try:
        assert await sealing.rotate_made_key(store, path) == 2
    except CutError:
        is_cut = True
    assert is_cut is (steps < 4)
    monkeypatch.undo()
    await store.close()
    again = await open_store(file_url)
    assert await find_all(again) == WHOLE
    # Once more, and whole this time: whatever was left half-done is no obstacle.
    assert await sealing.rotate_made_key(again, path) == 2
    (new,) = load_made_keys(path)
    assert new != old
    await again.close()
    last = await open_store(file_url)
    assert await find_all(last) == WHOLE
    await last.close()


async def test_what_cannot_be_opened_can_be_forgotten(
    file_url: str, make_context: MakeContext
) -> None:
    store = await open_store(file_url, secret_keys=[OLD])
    await fill(store, make_context)
    await store.close()
    lost = await open_store(file_url, secret_keys=None)
    lost.sealer = sealing.make_sealer(file_url, [NEW])
    found = await sealing.find_unopened(lost)
    assert [(each.context_id, each.provider) for each in found] == [
        ("one", "openai"),
        ("two", "acme"),
        ("two", "openai"),
    ]
    assert await sealing.forget_unopened(lost) == found
    await lost.close()
    again = await open_store(file_url, secret_keys=[NEW])
    assert await find_all(again) == [None] * 4
    await again.close()


async def test_a_store_elsewhere_wants_a_key_before_it_keeps_a_secret(
    make_context: MakeContext,
) -> None:
    store = await open_store("mem://")
    store.sealer = sealing.make_sealer("ws://db.test", ())
    with pytest.raises(UnstorableError, match="SPECTRON_SECRET_KEY"):
        await fill(store, make_context)
    bare = await Provisioning(store).create_context(make_context(), providers={})
    assert bare.providers == ()
    await store.close()


async def test_a_secret_is_bound_to_its_context_and_provider() -> None:
    sealer = Sealer([OLD])
    sealed = sealer.seal("one", "openai", SENTINEL)
    assert sealer.open("one", "openai", sealed) == SENTINEL
    assert sealer.seal("one", "openai", SENTINEL) != sealed
    for context_id, provider in (("two", "openai"), ("one", "acme"), ("one", "")):
        with pytest.raises(SealedError, match="damaged"):
            sealer.open(context_id, provider, sealed)
    for damaged in (sealed[:-1], sealed[:-1] + b"\0", sealed[:5], b""):
        with pytest.raises(SealedError):
            sealer.open("one", "openai", damaged)


def test_keys_are_read_in_base64(tmp_path: Path) -> None:
    keys = [b"\xff" * 32, os.urandom(32)]
    plain = [base64.b64encode(key).decode() for key in keys]
    assert parse_secret_keys(",".join(plain), "X") == keys
    assert parse_secret_keys(f" {plain[0]}\n{plain[1]}\n{plain[0]}", "X") == keys
    assert parse_secret_keys(base64.urlsafe_b64encode(keys[0]).decode(), "X") == keys[:1]
    path = tmp_path / "key"
    path.write_text(f"{plain[1]}\n")
    assert load_secret_keys(path) == keys[1:]


@pytest.mark.parametrize(
    "text", ["", " ", "short", "A" * 43, "é" * 44, base64.b64encode(b"x" * 31).decode()]
)
def test_what_is_no_key_is_refused_and_not_shown(text: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(ConfigError, match="32 random bytes") as refused:
        load_secret_keys(path)
    assert str(path) in str(refused.value)
    assert not text.strip() or text.strip() not in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.key"):
        load_secret_keys(tmp_path / "none.key")

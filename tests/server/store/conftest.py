"""A store to test, on both embedded engines, and rows to put into it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spectronctl.server.database.database import Database
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.rows import ContextRow, KeyRow

CREATED_AT = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return f"surrealkv://{tmp_path}/data/spectron"


@pytest.fixture(params=["mem", "surrealkv"])
async def store(
    request: pytest.FixtureRequest, file_url: str, anyio_backend: str
) -> AsyncIterator[Database]:
    opened = await open_store("mem://" if request.param == "mem" else file_url)
    yield opened
    await opened.close()


@pytest.fixture
def make_context() -> Callable[..., ContextRow]:
    """A row bound to namespace `acme` and a database called like the context."""

    def make(context_id: str = "acme-prod", **fields: Any) -> ContextRow:
        given: dict[str, Any] = {
            "namespace": "acme",
            "database": context_id,
            "created_at": CREATED_AT,
        }
        return ContextRow(id=context_id, **given | fields)

    return make


@pytest.fixture
def make_key() -> Callable[..., KeyRow]:
    """A row for context `acme-prod`, named like its id."""

    def make(key_id: str = "cak_1", **fields: Any) -> KeyRow:
        given: dict[str, Any] = {
            "context_id": "acme-prod",
            "name": key_id,
            "principal": "agent",
            "digest": b"\x00\xffdigest",
            "created_at": CREATED_AT,
        }
        return KeyRow(id=key_id, **given | fields)

    return make

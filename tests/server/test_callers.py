"""What a room asks of its caller."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spectronctl.server.access.caller import resolve_caller
from spectronctl.server.http.problems import ProblemError
from spectronctl.server.registry.rows import ContextRow, PrincipalRow

pytestmark = pytest.mark.anyio


async def test_models_are_refused_where_the_operator_has_blocked_them(context: ContextRow) -> None:
    owner = PrincipalRow(
        id="operator",
        context_id=context.id,
        kind="service",
        display_name="operator",
        grants={},
        created_at=context.created_at,
    )
    resolve_caller(context, None, owner).require_models()
    blocked = replace(context, enforcement_blocked=True)
    with pytest.raises(ProblemError, match="enforcement_blocked") as caught:
        resolve_caller(blocked, None, owner).require_models()
    assert (caught.value.status, caught.value.slug) == (429, "rate-limited")
    assert caught.value.retry_after is None

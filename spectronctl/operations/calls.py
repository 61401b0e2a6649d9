"""Calls of any shape: what can be said of their responses without knowing the endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from spectronctl.api.pages import Page
from spectronctl.api.requests import Request
from spectronctl.client import Client
from spectronctl.errors import UsageError


def list_pages(client: Client, request: Request[Any], *, limit: int | None) -> Iterator[Page[Any]]:
    """
    Every page of the list that a GET begins, together at most `limit` items.

    A session's turns are asked for by offset, everything else by the cursor that each page hands out. UpstreamError
    for a response that is no page, and for a cursor that comes again.
    """
    request = replace(_read_numbers(request), returns=Page[Any])
    if not request.path.rstrip("/").endswith("/turns"):
        return client.pages(request, limit=limit)
    return client.offset_pages(request, start=request.params.get("offset", 0), limit=limit)


def _read_numbers(request: Request[Any]) -> Request[Any]:
    """The same call with whole numbers where paging counts with them."""
    numbers = {name: _read_number(request, name) for name in ("limit", "offset")}
    given = {name: number for name, number in numbers.items() if number is not None}
    return request.with_params(**given)


def _read_number(request: Request[Any], name: str) -> int | None:
    text = request.params.get(name)
    if text is None:
        return None
    if isinstance(text, str) and re.fullmatch("[0-9]{1,9}", text):
        return int(text)
    raise UsageError(f"{name}: to follow the pages, one whole number is needed, not {text!r}")

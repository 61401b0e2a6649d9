"""Pagination: one page, in any of the dialects of servers, and the request for the page after it."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator

from spectronctl.api.requests import Request

T = TypeVar("T")

PAGE_SIZE = 500
"""The most that a server hands out at once."""


class Page(BaseModel, Generic[T]):
    """
    Items and where the next ones are.

    Read from `{"<plural>": […], "next_cursor", "has_more"}`, the same in camelCase, or a bare array
    (one complete page).
    """

    model_config = ConfigDict(defer_build=True, hide_input_in_errors=True)

    items: list[T]
    next_cursor: str | None = None
    has_more: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_any_dialect(cls, body: Any) -> Any:
        if isinstance(body, list):
            return {"items": body}
        if not isinstance(body, dict):
            raise ValueError("neither a page nor an array")
        # The array's name is the resource's (`contexts`, `keys`, `turns`), and any other field may stand beside it.
        # By its type a page of an endpoint that is not known here is read as well.
        lists = [value for value in body.values() if isinstance(value, list)]
        if len(lists) != 1:
            raise ValueError("a page has exactly one array of items")
        # By hand instead of by aliases: the array may have any name, so the body is rebuilt in any case.
        cursor = body.get("next_cursor", body.get("nextCursor"))
        more = body.get("has_more", body.get("hasMore"))
        return {
            "items": lists[0],
            "next_cursor": cursor,
            # A server that does not say it hands out a cursor as long as there is more.
            "has_more": bool(cursor) if more is None else more,
        }

    def seqs(self) -> list[int] | None:
        """The items' running numbers, where they have any: a run of pages then misses and repeats none."""
        return None

    def after(self, request: Request[Page[T]]) -> Request[Page[T]] | None:
        """The request for the page after this one; None when this is the last."""
        if not self.has_more or not self.next_cursor:
            return None
        return request.with_params(cursor=self.next_cursor)


def parse_page_size(request: Request[Page[Any]]) -> int:
    """How many items a request asks for at once, in either spelling."""
    size: int = request.params.get("pageSize") or request.params.get("limit") or PAGE_SIZE
    return size


def ask_from(request: Request[Page[T]], offset: int, *, size: int, wanted: int) -> Request[Page[T]]:
    """The request for the items after the first `offset`, of which `wanted` are needed, in pages of `size`."""
    if "pageSize" in request.params:
        # Whole: a smaller page of the same number would begin elsewhere.
        return request.with_params(page=offset // size, pageSize=size)
    # The last page in its exact size, so that a server reads no more than is wanted.
    return request.with_params(limit=wanted, offset=offset)

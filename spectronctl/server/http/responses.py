"""Shapes that the responses of every room share."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Problem(BaseModel):
    """RFC 7807 problem details: every error of this server."""

    type: str = Field(description="`https://spectron.dev/errors/` and what kind of problem it is")
    title: str
    status: int
    detail: str = Field(description="What is wrong with this request, and the way out")
    message: str = Field(description="The detail once more, for clients that look for it here")
    instance: str = Field(description="The path that was asked for")
    request_id: str = Field(description="The same as the `X-Request-Id` header: find it in the log")
    retry_after: int | None = Field(default=None, description="Seconds to wait, where that helps")


class PlaneResponse(BaseModel):
    """A response of the data plane, which writes camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def describe_problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI part for responses that are problems; `default` stands for those any route may give."""
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": schema}}
    named: dict[int | str, dict[str, Any]] = {
        int(status): {"description": status.phrase, "content": content} for status in statuses
    }
    return named | {"default": {"description": "Any other error", "content": content}}

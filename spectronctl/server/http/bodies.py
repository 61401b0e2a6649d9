"""JSON bodies of requests, decoded strictly: read after the key was checked, so strangers learn nothing from them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated, Any, NoReturn

from fastapi import Depends, Request
from pydantic import BaseModel

from spectronctl.server.http.limits import MAX_BODY_VALUES
from spectronctl.server.http.problems import ProblemError, invalid


async def read_object(request: Request) -> dict[str, Any]:
    """The request's JSON object; 415 for another media type or a coding of it, 400 for anything else than an object."""
    raw = await request.body()
    if not raw:
        raise invalid("the request has no body: it must be a JSON object")
    return _read(raw, request)


async def read_optional_object(request: Request) -> dict[str, Any]:
    """The same, where no body at all is an empty object."""
    raw = await request.body()
    return _read(raw, request) if raw else {}


JsonObject = Annotated[dict[str, Any], Depends(read_object)]
OptionalJsonObject = Annotated[dict[str, Any], Depends(read_optional_object)]


def describe_body(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """The OpenAPI operation's part for a body that `read_object` or `read_optional_object` reads."""
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": required, "content": content}}


def _read(raw: bytes, request: Request) -> dict[str, Any]:
    _check_media_type(request.headers.get("content-type", ""))
    _check_coding(request.headers.get("content-encoding", "identity"))
    body = _decode(raw)
    if _count_values(body) > MAX_BODY_VALUES:
        raise invalid(f"the body holds more than {MAX_BODY_VALUES} values")
    if not isinstance(body, dict):
        raise invalid("the body must be a JSON object")
    return body


def _check_media_type(content_type: str) -> None:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise _unsupported("the body must be JSON, sent with `Content-Type: application/json`")


def _check_coding(content_encoding: str) -> None:
    if content_encoding.strip().lower() != "identity":
        raise _unsupported("the body must not be compressed: send no `Content-Encoding`")


def _unsupported(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail)


def _decode(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise invalid(f"the body is not UTF-8: byte {error.start}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise invalid(f"the body is not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise invalid("the body is nested too deeply") from None
    except ValueError:  # an integer of more digits than Python reads
        raise invalid("the body holds an integer beyond 64 bits") from None


def _count_values(body: Any) -> int:
    """Values of a JSON body, at any depth; no more are counted than it may hold."""
    count, left = 0, [body]
    while left and count <= MAX_BODY_VALUES:
        value = left.pop()
        count += 1
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
    return count + len(left)


def _refuse_constant(name: str) -> NoReturn:
    raise invalid(f"the body is not JSON: it knows no {name}")

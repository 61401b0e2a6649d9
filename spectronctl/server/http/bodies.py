"""
JSON bodies of requests: each has one model, which is what is enforced and what `/openapi.json` shows.

A route takes `body: Annotated[QueryBody, Depends(body_of(QueryBody))]`. It names the caller before the body: a request
without a good key learns nothing from what is wrong with its body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from http import HTTPStatus
from typing import Any, ClassVar, Generic, NoReturn, TypeVar

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema
from pydantic_core import ErrorDetails
from starlette.routing import BaseRoute

from spectronctl.server.http.limits import MAX_BODY_VALUES
from spectronctl.server.http.problems import ProblemError, invalid

_RULES = {
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "float_type": "must be a number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be an integer",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "missing": "must be given",
    "model_type": "must be an object",
    "string_too_long": "must be at most {max_length} characters",
    "string_too_short": "must be at least {min_length} characters",
    "string_type": "must be a string",
    "string_unicode": "must be valid Unicode text",
    "too_long": "must be at most {max_length} entries",
    "too_short": "must be at least {min_length} entries",
    "value_error": "{error}",
}
"""What is said for each kind of error of pydantic's; an error of a validator of ours says it itself."""
_SHOWN_NAME = 64


class Strict(BaseModel):
    """An object in a body: nothing is converted, and fields that are not documented are passed over."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)


class Body(Strict):
    """A body, with either spelling of its names: `session_id` or `sessionId`; a null gives way to the other."""

    EXAMPLE: ClassVar[dict[str, Any]] = {}
    """What `/docs` shows, and sends when it is tried out."""

    @model_validator(mode="before")
    @classmethod
    def _choose_spellings(cls, body: dict[str, Any]) -> dict[str, Any]:
        # A copy: what is passed over here is still the caller's.
        body = dict(body)
        for name, other in _list_spellings(cls):
            if other in body:
                value = body.pop(other)
                if body.get(name) is None:
                    body[name] = value
                elif value is not None and value != body[name]:
                    raise ValueError(f"{name}, {other}: give one of them, not both")
        return body


B = TypeVar("B", bound=Body)


class _Reader(Generic[B]):
    """The dependency that `body_of` makes."""

    def __init__(self, model: type[B], *, required: bool) -> None:
        self.model = model
        self.required = required

    async def __call__(self, request: Request) -> B:
        return parse_body(self.model, await self._load(request))

    async def _load(self, request: Request) -> dict[str, Any]:
        raw = await request.body()
        if raw.strip() == b"null" and not self.required:
            return {}
        if raw:
            return _parse_object(raw, request)
        if self.required:
            raise invalid("the request has no body: it must be a JSON object")
        return {}


def parse_body(model: type[B], body: dict[str, Any]) -> B:
    """The decoded JSON as the model; 400 naming the first field that is against its rule."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        # Without the input: it may hold a secret of a provider, and this becomes the detail of a response and a line
        # of a log.
        first = error.errors(include_url=False, include_input=False)[0]
        raise invalid(_explain(first)) from None


def body_of(model: type[B], *, required: bool = True) -> _Reader[B]:
    """
    The dependency for a request's JSON body; without `required`, no body at all, or `null`, is an empty object.

    415 for another media type or a coding of it; 400 for what is not a JSON object, or naming the first field that is
    against its rule.
    """
    return _Reader(model, required=required)


def describe_bodies(api: dict[str, Any], routes: Iterable[BaseRoute]) -> None:
    """Add to an OpenAPI document the bodies that the routes take."""
    readers = {
        (route.path_format, method.lower()): reader
        for route in routes
        if isinstance(route, APIRoute)
        for reader in _find_readers(route.dependant)
        for method in route.methods or ()
    }
    models = {reader.model for reader in readers.values()}
    _, shapes = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    api["components"]["schemas"] |= shapes["$defs"]
    for (path, method), reader in readers.items():
        schema = {"$ref": f"#/components/schemas/{reader.model.__name__}"}
        content = {"application/json": {"schema": schema, "example": reader.model.EXAMPLE}}
        described = {"required": reader.required, "content": content}
        api["paths"][path][method]["requestBody"] = described


def _find_readers(dependant: Dependant) -> Iterator[_Reader[Any]]:
    if isinstance(dependant.call, _Reader):
        yield dependant.call
    for each in dependant.dependencies:
        yield from _find_readers(each)


@cache
def _list_spellings(model: type[Body]) -> list[tuple[str, str]]:
    """Each field's documented name with its other spelling, where it has one."""
    named = [(name, field.alias or name) for name, field in model.model_fields.items()]
    both = [(shown, name if shown != name else to_camel(name)) for name, shown in named]
    return [(shown, other) for shown, other in both if shown != other]


def _explain(error: ErrorDetails) -> str:
    """`field: rule`, and never the value: it may be a secret."""
    rule = _RULES.get(error["type"], "is invalid").format(**error.get("ctx", {}))
    if error["type"] == "literal_error":
        # pydantic quotes the words of a Literal, and a caller would take the quotes for a part of them.
        rule = rule.replace("'", "")
    path: list[int | str] = list(error["loc"])
    # So pydantic says that it is the name of an entry that is wrong, and not what is under it.
    if path and path[-1] == "[key]":
        path.pop()
    if path and isinstance(path[-1], str) and not _is_showable(path[-1]):
        path.pop()
        rule = f"a name in it {rule}"
    place = "".join(f"[{one}]" if isinstance(one, int) else f".{_cut(one)}" for one in path)
    return f"{place.removeprefix('.')}: {rule}" if place else rule


def _is_showable(name: str) -> bool:
    # The name of an entry is the caller's own text, and the detail goes into a log.
    return re.fullmatch(r"\S{1,128}", name) is not None and name.isprintable()


def _cut(name: str) -> str:
    return name if len(name) <= _SHOWN_NAME else f"{name[: _SHOWN_NAME - 3]}..."


def _parse_object(raw: bytes, request: Request) -> dict[str, Any]:
    _check_media_type(request.headers.get("content-type", ""))
    _check_coding(request.headers.get("content-encoding", "identity"))
    body = _decode(raw)
    # A value of two bytes becomes an object of a hundred in Python, and several in a model: bytes alone bound
    # nothing.
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
        # Python reads NaN and Infinity, which are not JSON: no client could read them back.
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
    # A list and no recursion: the body may be nested as deep as the parser goes.
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

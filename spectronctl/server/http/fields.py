"""
What a request may say.

Pure functions over decoded JSON. Each refusal names the field by its path (`config.models.extraction`) and the rule,
and never shows the value: it may be a secret. What a value of any other field may be, is the store's to say.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema

from spectronctl.ground.text import has_unprintable
from spectronctl.ground.times import parse_strict_time
from spectronctl.server.http.problems import invalid

SCOPE_SEGMENT = re.compile(r"[^\s/*]{1,128}")

_INSTANT_RULE = "must be a time with its zone as in RFC 3339: 2026-01-15T10:00:00Z"


def parse_instant(value: Any, path: str) -> datetime:
    """A time in RFC 3339, in UTC; 400 naming `path` for anything else."""
    try:
        return _parse_instant(value)
    except ValueError as error:
        raise invalid(f"{path}: {error}") from None


def _parse_instant(value: Any) -> datetime:
    moment = parse_strict_time(value)
    try:
        if moment is not None:
            return moment.astimezone(UTC)
    except OverflowError:  # a day of year 1 or 9999 that its zone moves out of the calendar
        pass
    raise ValueError(_INSTANT_RULE)


def _check_unicode(text: str) -> str:
    """Refuse half of a surrogate pair, which JSON can hold and no database keeps."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode text") from None
    return text


def _check_not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return _check_unicode(text)


def _check_printable(text: str) -> str:
    if has_unprintable(text):
        raise ValueError("must be of printable characters only")
    return _check_not_blank(text)


class _VisibleValidator(AfterValidator):
    """A validator that refuses blank text, which JSON Schema can tell with a pattern."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"pattern": r"\S"}


def _check_entry_name(name: str) -> str:
    # The blank is printable, so it is asked for by itself.
    if any(map(str.isspace, name)) or has_unprintable(name):
        raise ValueError("must be of printable characters, without white space")
    return name


Text = Annotated[str, AfterValidator(_check_unicode)]
NOT_BLANK = _VisibleValidator(_check_not_blank)
PRINTABLE = _VisibleValidator(_check_printable)
"""After the bounds of a string: pydantic checks them in their order."""
EntryName = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_check_entry_name)]
"""A name in a map of a context's configuration."""
# The engine's integers have 64 bits, with a sign.
Count = Annotated[int, Field(ge=1, le=2**63 - 1)]
Instant = Annotated[
    datetime,
    # Before pydantic, which takes numbers and times without a zone.
    BeforeValidator(_parse_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

"""Versions of a resource: the `ETag` that it is sent with, and the `If-Match` that a write may depend on."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Any

from fastapi import Depends, Header

from spectronctl.server.http.problems import invalid

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[\s,]*{_TAG}(?:\s*,[\s,]*{_TAG})*[\s,]*")


def make_etag(content: Any) -> str:
    """A strong tag of JSON, in its quotes: the same for the same content, whatever the order inside objects."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


async def parse_if_match(
    if_match: Annotated[
        list[str] | None,
        Header(description="Refuse with 412 unless the `ETag` is among these; `*` is any"),
    ] = None,
) -> frozenset[str] | None:
    """
    The tags that a write may replace, None for any; 400 for what is neither `*` nor quoted tags.

    A weak tag keeps its `W/`, so that it is never the same as a strong one (RFC 9110, 13.1.1).
    """
    if if_match is None:
        return None
    # A header that is sent several times means one list (RFC 9110, 5.3), and proxies join them in this way.
    text = ",".join(if_match)
    if text.strip() == "*":
        return None
    if not _TAGS.fullmatch(text):
        raise invalid('If-Match: must be * or tags in double quotes, such as "686897696a7c876b7e"')
    return frozenset(re.findall(_TAG, text))


IfMatch = Annotated[frozenset[str] | None, Depends(parse_if_match)]


def describe_etag(description: str) -> dict[str, Any]:
    """The OpenAPI part for a header `ETag` of a successful response."""
    header = {"description": description, "schema": {"type": "string"}}
    return {"headers": {"ETag": header}}

"""What a server or a proxy says about a failure, out of every shape it comes in."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from spectronctl.ground.text import shorten

MAX_HTML_LINE = 200

MAX_PAGE = 8192
"""How much of a web page is looked at: looking takes time with the square of it."""


@dataclass(frozen=True)
class Response:
    """A complete HTTP response; `headers` ignore case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class ServerProblem:
    """An error response, as it was written: nothing in it is fit to be shown before it is redacted."""

    text: str
    type: str | None = None
    request_id: str | None = None
    retry_after: float | None = None


def parse_problem(response: Response) -> ServerProblem:
    """What an error response says: problem details, `message`, `error`, `detail`, a web page, plain text or nothing."""
    text = response.body.decode(errors="replace").strip()
    if is_web_page(response):
        return ServerProblem(describe_page(text))
    try:
        problem = _from_json(json.loads(text))
    except (ValueError, RecursionError):
        problem = ServerProblem(text)
    if problem.text:
        return problem
    return replace(problem, text=text or name_status(response.status) or "no explanation")


def is_web_page(response: Response) -> bool:
    # The label alone does not do: there are proxies whose error pages have none.
    start = response.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"{", b"[")):
        return False  # some servers label their JSON as a page
    labelled = "html" in response.headers.get("Content-Type", "").lower()
    return labelled or start.startswith((b"<!doctype html", b"<html"))


def describe_page(page: str) -> str:
    """Say that this is not Spectron's response, with the page's own title or first words."""
    line = _first_line(page[:MAX_PAGE])
    return "a proxy or another server responded with a web page" + (f" “{line}”" if line else "")


def _first_line(page: str) -> str:
    # Each `<script` that nothing closes is looked for to the end of the page: hence the square, and MAX_PAGE.
    page = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>|<!--.*?-->", " ", page)
    for part in (*re.findall(r"(?is)<(?:title|h[1-3])\b[^>]*>(.*?)</", page), page):
        words = " ".join(html.unescape(re.sub(r"(?s)<[^>]*>", " ", part)).split())
        if words:
            return shorten(words, MAX_HTML_LINE)
    return ""


def _from_json(body: Any) -> ServerProblem:
    if isinstance(body, str):
        return ServerProblem(body)
    if not isinstance(body, dict):
        return ServerProblem("")
    inner = _from_json(body.get("error"))
    # The title comes last: with problem details (RFC 9457) it names the kind, which the status line has said already.
    says = (body.get("detail"), body.get("message"), inner.text, body.get("title"))
    retry_after = parse_seconds(body.get("retry_after", body.get("retryAfter")))
    return ServerProblem(
        text=next(filter(None, map(_in_words, says)), ""),
        type=_string(body.get("type")) or inner.type,
        request_id=_string(body.get("request_id", body.get("requestId"))) or inner.request_id,
        retry_after=inner.retry_after if retry_after is None else retry_after,
    )


def _in_words(value: Any) -> str:
    """A sentence, or the list of `{loc, msg}` that FastAPI's own validation returns."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return "; ".join(filter(None, map(_complaint, value)))
    return ""


def _complaint(item: Any) -> str:
    if not isinstance(item, dict) or not isinstance(item.get("msg"), str):
        return item if isinstance(item, str) else ""
    where = item.get("loc")
    path = ".".join(map(str, where)) if isinstance(where, list) else ""
    return f"{path}: {item['msg']}" if path else str(item["msg"])


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def parse_seconds(value: Any) -> float | None:
    """A finite number of seconds, not negative, from a number or its digits."""
    # float(True) is 1.0, and a server that says `retry_after: true` does not mean a second.
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def name_status(status: int) -> str:
    """What HTTP calls a status, such as `Not Found`; nothing for one it does not know."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def parse_retry_after(response: Response, today: datetime) -> float | None:
    """Seconds that the server asks for: `Retry-After` in seconds or as a date, else the problem's `retry_after`."""
    header = response.headers.get("Retry-After")
    if header is None:
        return parse_problem(response).retry_after
    seconds = parse_seconds(header)
    if seconds is not None:
        return seconds
    # The date is one of the server's clock, which the same response tells; ours may be set otherwise.
    sent = _parse_date(response.headers.get("Date", ""))
    return _seconds_until(header, sent or today)


def _seconds_until(date: str, today: datetime) -> float | None:
    then = _parse_date(date)
    return None if then is None else max(0.0, (then - today).total_seconds())


def parse_clock_offset(date: str | None, now: datetime) -> timedelta:
    """How far the clock that wrote a `Date` header is ahead of ours: to the second, 0 when it says nothing."""
    then = _parse_date(date) if date else None
    # The header has whole seconds and was some time on its way: less than two seconds are no difference of the clocks.
    offset = then - now if then else timedelta()
    return offset if abs(offset) >= timedelta(seconds=2) else timedelta()


def _parse_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # `-0000` gives a moment without a zone. It means UTC, and HTTP knows no other (RFC 9110, 5.6.7).
    return date if date.tzinfo else date.replace(tzinfo=UTC)

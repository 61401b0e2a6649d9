"""
What may be written to a conversation (OpenAPI `FactsRequest`, `FactsBatchRequest`).

Either spelling of a field's name is read, and the legacy `scope` for `scopes`; what is not documented is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from spectronctl.ground.ulids import new_ulid
from spectronctl.ground.vocabulary import CATEGORIES, INFER_MODES, ROLES, Category, InferMode, Role
from spectronctl.server.access.scopes import Scopes, read_scopes
from spectronctl.server.http.fields import read_instant
from spectronctl.server.http.limits import (
    MAX_FACT_BYTES,
    MAX_LABELS,
    MAX_LABELS_BYTES,
    MAX_MESSAGES,
    SCOPES_RULE,
)
from spectronctl.server.http.problems import invalid, not_implemented
from spectronctl.server.memory.rows import ChunkRow
from spectronctl.server.sessions.rows import TurnRow

_EXTRACTIONS = ("whole_conversation", "per_message")

_SCOPES = Field(
    description="A path, a list of paths (any of them) or a list of lists of paths (any list, all of its paths); "
    f"{SCOPES_RULE}; for the session that is made when none is named",
)
_INFER = Field(description="This server offers `none`: the text is kept as it is")
_LABELS = Field(
    max_length=MAX_LABELS,
    description=f"`key=value` each; at most {MAX_LABELS_BYTES} bytes together",
)
_TEXT = Field(
    max_length=MAX_FACT_BYTES,
    description=f"Not blank; at most {MAX_FACT_BYTES} bytes in UTF-8. A longer text goes through `/facts/batch`",
)
_SESSION = Field(description="The session to append to; without it one is made")

AnyScopes = str | list[str | list[str]] | None


class FactBody(BaseModel):
    """Body of `POST /{context}/facts`."""

    text: Annotated[str, _TEXT]
    infer: Annotated[InferMode, _INFER] = "full"
    session_id: Annotated[str | None, _SESSION] = None
    scopes: Annotated[AnyScopes, _SCOPES] = None
    role: Role = "user"
    memory_category: Category | None = None
    labels: Annotated[list[str] | None, _LABELS] = None
    observed_at: datetime | None = Field(default=None, description="When it was said; RFC 3339")


class BatchBody(BaseModel):
    """Body of `POST /{context}/facts/batch`."""

    messages: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MAX_MESSAGES,
        description="`{role, content, ts?}` each, in their order; `ts` is RFC 3339",
    )
    infer: Annotated[InferMode, _INFER] = "full"
    extract: Literal["whole_conversation", "per_message"] = "whole_conversation"
    session_id: Annotated[str | None, _SESSION] = None
    scopes: Annotated[AnyScopes, _SCOPES] = None
    labels: Annotated[list[str] | None, _LABELS] = None


@dataclass(frozen=True, kw_only=True)
class WantedWrite:
    """Turns to append to a session, or (None) to a new one with these scopes."""

    session_id: str | None
    scopes: Scopes
    turns: list[TurnRow]
    chunk: ChunkRow | None = None


def read_fact(body: Mapping[str, Any], *, now: datetime) -> WantedWrite:
    """The fact that a POST asks to keep; 501 unless it is to be kept as it is."""
    _require_literal(body)
    text = body.get("text")
    if not isinstance(text, str) or not text.strip():
        raise invalid("text: must be a string, not blank")
    _check_unicode(text, "text")
    if len(text.encode()) > MAX_FACT_BYTES:
        raise invalid(f"text: must be at most {MAX_FACT_BYTES} bytes in UTF-8")
    observed = read_field(body, "observed_at")
    at = now if observed is None else read_instant(observed, "observed_at")
    turn = TurnRow(
        id=f"turn:{new_ulid()}",
        role=_read_choice(body, "role", ROLES) or "user",
        content=text,
        labels=_read_labels(body),
        created_at=at,
    )
    chunk = ChunkRow(
        id=f"memory_chunk:{new_ulid()}",
        turn_id=turn.id,
        text=text,
        memory_category=_read_choice(body, "memory_category", CATEGORIES),
        created_at=at,
    )
    return WantedWrite(
        session_id=_read_session_id(body), scopes=read_tags(body), turns=[turn], chunk=chunk
    )


def read_batch(body: Mapping[str, Any], *, now: datetime) -> WantedWrite:
    """The conversation that a POST asks to keep; 501 unless it is to be kept as it is."""
    _require_literal(body)
    _read_choice(body, "extract", _EXTRACTIONS)
    messages = body.get("messages")
    if not isinstance(messages, list) or not 1 <= len(messages) <= MAX_MESSAGES:
        raise invalid(f"messages: must be a list of 1 to {MAX_MESSAGES} messages")
    labels = _read_labels(body)
    turns = [_read_message(each, at, now) for at, each in enumerate(messages)]
    if labels:
        first, *others = turns
        labelled = [replace(each, labelled_by=first.id) for each in others]
        turns = [replace(first, labels=labels), *labelled]
    return WantedWrite(session_id=_read_session_id(body), scopes=read_tags(body), turns=turns)


def read_tags(body: Mapping[str, Any]) -> Scopes:
    """The selector that a write carries, under its name or its legacy name."""
    if body.get("scopes") is not None and body.get("scope") is not None:
        raise invalid("scopes, scope: give one of them, not both")
    return read_scopes(body.get("scope"), "scope") or read_scopes(body.get("scopes"))


def read_field(body: Mapping[str, Any], name: str) -> Any:
    """The field under either spelling of its name; 400 when both are there and differ."""
    first, *others = name.split("_")
    camel = first + "".join(each.title() for each in others)
    given = [body[each] for each in (name, camel) if body.get(each) is not None]
    if len(given) == 2 and given[0] != given[1]:
        raise invalid(f"{name}, {camel}: give one of them, not both")
    return given[0] if given else None


def _require_literal(body: Mapping[str, Any]) -> None:
    infer = _read_choice(body, "infer", INFER_MODES) or INFER_MODES[0]
    if infer != "none":
        raise not_implemented(
            f"infer: this server has no model and does not offer {infer}; send `infer: none` to keep the text as it is"
        )


def _read_message(message: Any, at: int, now: datetime) -> TurnRow:
    path = f"messages[{at}]"
    if not isinstance(message, dict):
        raise invalid(f"{path}: must be an object of role, content and perhaps ts")
    content, ts = message.get("content"), message.get("ts")
    if not isinstance(content, str):
        raise invalid(f"{path}.content: must be a string")
    _check_unicode(content, f"{path}.content")
    if message.get("role") not in ROLES:
        raise invalid(f"{path}.role: must be {', '.join(ROLES)}")
    return TurnRow(
        id=f"turn:{new_ulid()}",
        role=message["role"],
        content=content,
        created_at=now if ts is None else read_instant(ts, f"{path}.ts"),
    )


def _check_unicode(text: str, path: str) -> None:
    """Refuse half of a surrogate pair, which JSON can hold and no database keeps."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise invalid(f"{path}: not valid Unicode text") from None


def _read_session_id(body: Mapping[str, Any]) -> str | None:
    value = read_field(body, "session_id")
    if value is not None and not isinstance(value, str):
        raise invalid("session_id: must be a string")
    _check_unicode(value or "", "session_id")
    return value


def _read_choice(body: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str | None:
    value = read_field(body, name)
    if value is None or (isinstance(value, str) and value in choices):
        return value
    raise invalid(f"{name}: must be {', '.join(choices)}")


def _read_labels(body: Mapping[str, Any]) -> tuple[str, ...]:
    labels = body.get("labels")
    if labels is None:
        return ()
    if not isinstance(labels, list) or len(labels) > MAX_LABELS:
        raise invalid(f"labels: must be a list of at most {MAX_LABELS}")
    for at, label in enumerate(labels):
        name, equals, _ = label.partition("=") if isinstance(label, str) else ("", "", "")
        if not (name.strip() and equals and label.isprintable()):
            raise invalid(f"labels[{at}]: must be key=value")
        if name.startswith("_"):
            raise invalid(f"labels[{at}]: a key cannot start with _")
    if sum(len(label.encode()) for label in labels) > MAX_LABELS_BYTES:
        raise invalid(f"labels: must be at most {MAX_LABELS_BYTES} bytes together")
    return tuple(labels)

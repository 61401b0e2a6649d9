"""Bodies and responses of writes to conversations."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from spectronctl.ground.vocabulary import Category, InferMode, Role
from spectronctl.server.access.scopes import TaggedBody
from spectronctl.server.http.bodies import Strict
from spectronctl.server.http.fields import NOT_BLANK, Instant, Text
from spectronctl.server.http.limits import (
    MAX_FACT_BYTES,
    MAX_LABELS,
    MAX_LABELS_BYTES,
    MAX_MESSAGES,
)
from spectronctl.server.http.problems import not_implemented
from spectronctl.server.http.responses import PlaneResponse


def _check_size(text: str) -> str:
    # After `max_length`, which counts characters and costs nothing: only a text that may fit is encoded.
    if len(text.encode()) > MAX_FACT_BYTES:
        raise ValueError(f"must be at most {MAX_FACT_BYTES} bytes in UTF-8")
    return text


def _check_label(label: str) -> str:
    name, equals, _ = label.partition("=")
    if not (name.strip() and equals and label.isprintable()):
        raise ValueError("must be key=value")
    if name.startswith("_"):
        raise ValueError("a key cannot start with _")
    return label


def _check_labels(labels: list[str]) -> list[str]:
    if sum(len(label.encode()) for label in labels) > MAX_LABELS_BYTES:
        raise ValueError(f"must be at most {MAX_LABELS_BYTES} bytes together")
    return labels


def _require_literal(infer: InferMode | None) -> InferMode | None:
    if infer != "none":
        # No ValueError, so pydantic lets it through as it is: 501 for what is documented, and not 400 for a wrong
        # value.
        raise not_implemented(
            f"infer: this server has no model and does not offer {infer or 'full'}; "
            "send `infer: none` to keep the text as it is"
        )
    return infer


_Label = Annotated[
    str, AfterValidator(_check_label), Field(json_schema_extra={"pattern": "^[^_=][^=]*="})
]
_Labels = Annotated[
    list[_Label],
    Field(max_length=MAX_LABELS),
    AfterValidator(_check_labels),
]


class WriteBody(TaggedBody):
    """What both writes to a conversation have; its `scopes` are for the session that is made when none is named."""

    infer: Annotated[InferMode | None, AfterValidator(_require_literal)] = Field(
        default="full",
        # The product's default is one that this server does not offer: left out, it must be refused as if it were sent.
        validate_default=True,
        description="This server offers `none`: the text is kept as it is",
    )
    session_id: Text | None = Field(
        default=None, description="The session to append to; without it one is made"
    )
    labels: _Labels | None = Field(
        default=None, description=f"`key=value` each; at most {MAX_LABELS_BYTES} bytes together"
    )


class FactBody(WriteBody):
    """Body of `POST /{context}/facts`."""

    EXAMPLE: ClassVar = {
        "text": "Ada prefers tea to coffee.",
        "infer": "none",
        "scopes": ["org/acme"],
        "memory_category": "knowledge",
        "labels": ["topic=drinks"],
    }

    text: Annotated[
        str, Field(max_length=MAX_FACT_BYTES), NOT_BLANK, AfterValidator(_check_size)
    ] = Field(
        description=f"At most {MAX_FACT_BYTES} bytes in UTF-8. A longer text goes through `/facts/batch`",
    )
    role: Role | None = Field(default=None, description="`user` if not given")
    memory_category: Category | None = None
    observed_at: Instant | None = Field(default=None, description="When it was said")


class Message(Strict):
    """A turn of a conversation."""

    role: Role
    content: Text
    ts: Instant | None = Field(default=None, description="When it was said")


class BatchBody(WriteBody):
    """Body of `POST /{context}/facts/batch`."""

    EXAMPLE: ClassVar = {
        "messages": [
            {"role": "user", "content": "I prefer tea."},
            {"role": "assistant", "content": "Noted: tea it is."},
        ],
        "infer": "none",
        "extract": "per_message",
        "scopes": ["org/acme"],
    }

    messages: list[Message] = Field(
        min_length=1, max_length=MAX_MESSAGES, description="In their order"
    )
    extract: Literal["whole_conversation", "per_message"] | None = None


class FactResponse(PlaneResponse):
    """A text that was kept as it is."""

    mode: Literal["none"] = "none"
    session_id: str
    turn_id: str
    chunk_id: str


class BatchResponse(PlaneResponse):
    """A conversation that was kept as it is: its turns, in the order of the messages."""

    session_id: str
    turn_ids: list[str]
    extractions: list[dict[str, Any]] = Field(default_factory=list)
